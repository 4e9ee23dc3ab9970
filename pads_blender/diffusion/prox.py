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
) -> PoseFit:
    """Poses that y (B, J, K) and the prior agree on: DiffPIR (Zhu et al. 2023) with fresh noise, zeta = 1.

    start (B, J, 3): poses to begin at, with the schedule's first noise level on top; None = noise alone.
    denoiser_error: rms error of the denoiser per coordinate at a noise level, metres, broadcastable to (B, J).
    randomised: each step samples where it otherwise takes the best fit (RTO, Bardsley et al. 2014), which makes the
    result a draw with the posterior's spread; without it, results lie closer to the posterior mean.
    on_step(step, steps) after each step; it may raise to stop.
    """
    x = np.zeros((*y.shape[:2], 3)) if start is None else np.array(start, dtype=float)
    x = x + schedule.sigmas[0] * rng.standard_normal(x.shape)
    for step, (sigma, sigma_next) in enumerate(schedule.steps(), start=1):
        x0_hat = np.asarray(prior.denoise(x, sigma), dtype=float)
        fit = operator.proximal(x0_hat, y, np.square(denoiser_error(sigma)), rng if randomised else None)
        x = fit.pose + sigma_next * rng.standard_normal(x.shape)
        if on_step:
            on_step(step, len(schedule.sigmas))
    return fit
