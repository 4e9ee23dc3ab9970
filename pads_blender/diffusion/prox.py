"""prox, the closed-form posterior sampler: denoise, fit to the measurement, add fresh noise. No derivative needed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .denoiser_error import DenoiserError, gaussian_error
from .measurement import MeasurementOperator, PoseFit
from .prior import Prior
from .schedule import NoiseSchedule

POSE_SIGMA = 0.12  # metres: rms spread per coordinate of the poses the prior knows about their mean, all headings
POSE_ERROR = gaussian_error(POSE_SIGMA)


def sample_prox(
    prior: Prior,
    operator: MeasurementOperator,
    y: np.ndarray,
    schedule: NoiseSchedule,
    rng: np.random.Generator,
    *,
    start: np.ndarray | None = None,
    on_step: Callable[[int, int], None] | None = None,
    denoiser_error: DenoiserError = POSE_ERROR,
    randomised: bool = False,
    settle_below: float = 0.0,
) -> PoseFit:
    """Poses that y (B, J, K) and the prior agree on: DiffPIR (Zhu et al. 2023) with fresh noise, zeta = 1.

    start (B, J, 3): poses to begin at, with the schedule's first noise level on top; None = noise alone.
    denoiser_error: rms error of the denoiser per coordinate at a noise level, metres, broadcastable to (B, J).
    randomised: each step samples where it otherwise takes the best fit (RTO, Bardsley et al. 2014), which makes the
    result a draw with the posterior's spread; without it, results lie closer to the posterior mean.
    settle_below: noise level, metres, below which nothing is drawn any more: the denoiser is asked for the pose with
    the noise and with its opposite, and the mean taken, which the noise moves in second order alone.
    on_step(step, steps) after each step; it may raise to stop.
    """
    pose = np.zeros((*y.shape[:2], 3)) if start is None else np.array(start, dtype=float)
    for step, sigma in enumerate(schedule.sigmas, start=1):
        noise, is_settling = sigma * rng.standard_normal(pose.shape), sigma < settle_below
        x0_hat = _mean_of_opposites(prior, pose, noise, sigma) if is_settling else prior.denoise(pose + noise, sigma)
        draws = rng if randomised and not is_settling else None
        fit = operator.proximal(np.asarray(x0_hat, dtype=float), y, np.square(denoiser_error(sigma)), draws)
        pose = fit.pose
        if on_step:
            on_step(step, len(schedule.sigmas))
    return fit


def _mean_of_opposites(prior: Prior, pose: np.ndarray, noise: np.ndarray, sigma: float) -> np.ndarray:
    """Antithetic noise (Hammersley and Morton 1956), in one call of the denoiser."""
    both = prior.denoise(np.concatenate([pose + noise, pose - noise]), sigma)
    return np.mean(np.split(np.asarray(both, dtype=float), 2), axis=0)
