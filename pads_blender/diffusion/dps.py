"""dps, the paper's posterior sampler: Algorithm 1 of PADS (arXiv 2401.08930v2), in its variables and its order."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .denoiser_error import DenoiserError
from .measurement import MeasurementOperator, PoseFit
from .prior import Prior
from .schedule import NoiseSchedule

Guidance = Callable[[NoiseSchedule, int, MeasurementOperator], "float | np.ndarray"]  # rho_t, broadcastable to (B, J)


def constant_guidance(rho: float) -> Guidance:
    """The paper's rho_t, one number for all steps (it gives no values)."""
    return lambda schedule, t, operator: rho


# The gradient of half the squared norm: where the denoiser keeps everything, one step moves f(x0hat) onto y.
HALF_STEP = constant_guidance(0.5)


def noise_aware_guidance(denoiser_error: DenoiserError, c: float = 1.0) -> Guidance:
    """DEVIATION from the paper: rho_t from what y is worth at step t, so that a noisy y is not simply copied.

    p(y | x_t) is about N(f(x0hat), sigma_y^2 + r_t^2), r_t = denoiser_error(s) being the spread of x0 at noise level s
    (for Gaussian data of standard deviation d: s d / sqrt(s^2 + d^2)). The reverse process in its variance-exploding
    form, going from s to s', adds (s^2 - s'^2) grad log p(y | x_t), that is
    - (s^2 - s'^2) / (2 (sigma_y^2 + r_t^2)) grad || y - f(x0hat) ||^2, one factor for each joint. Ours is
    x_t = sqrt(abar_t) times that variable, hence the two roots. c = 1 draws samples; c = 2 lands nearer to the mean.
    """

    def guidance(schedule: NoiseSchedule, t: int, operator: MeasurementOperator) -> np.ndarray:
        s, s_next = schedule.sigma[t], schedule.sigma[t - 1]
        roots = np.sqrt(schedule.alpha_bar[t] * schedule.alpha_bar[t - 1])
        variance = operator.noise_variance + np.square(denoiser_error(s))
        return c * roots * (s**2 - s_next**2) / (2.0 * variance)

    return guidance


def sample_dps(
    prior: Prior,
    operator: MeasurementOperator,
    y: np.ndarray,
    schedule: NoiseSchedule,
    rng: np.random.Generator,
    *,
    start: np.ndarray | None = None,
    on_step: Callable[[int, int], None] | None = None,
    guidance: Guidance = HALF_STEP,
) -> PoseFit:
    """Poses that y (B, J, K) and the prior agree on, by Algorithm 1; comments give its line numbers.

    start (B, J, 3): the paper's P_init; None = Gaussian noise. on_step(step, steps) after each step; may raise to stop.
    sigma_t, which the paper leaves open, is the standard deviation of DDPM's posterior q(x_{t-1} | x_t, x_0).
    """
    abar, sigma, unit = schedule.alpha_bar, schedule.sigma, schedule.unit
    N = len(schedule.sigmas)
    noise = unit * np.sqrt(1 - abar[N]) * rng.standard_normal((*y.shape[:2], 3))
    x_t = noise if start is None else np.array(start, dtype=float)  # 3
    for t in range(N, 0, -1):  # 4
        alpha_t = abar[t] / abar[t - 1]
        beta_t = 1.0 - alpha_t
        x0_hat = np.asarray(prior.denoise(x_t / np.sqrt(abar[t]), sigma[t]), dtype=float)  # 5
        z = unit * rng.standard_normal(x_t.shape)  # 6
        sigma_t = np.sqrt(beta_t * (1 - abar[t - 1]) / (1 - abar[t]))
        x_prime = (
            np.sqrt(alpha_t) * (1 - abar[t - 1]) / (1 - abar[t]) * x_t
            + np.sqrt(abar[t - 1]) * beta_t / (1 - abar[t]) * x0_hat
            + sigma_t * z
        )  # 7
        rho_t = guidance(schedule, t, operator)
        x_t = x_prime - data_gradient(prior, operator, y, x_t, x0_hat, rho_t, abar[t], sigma[t])  # 8
        if on_step:
            on_step(N - t + 1, N)
    return operator.proximal(x_t, y, 0.0)  # 10: the pose is x_0 as it is; only pelvis and weights are read off


def data_gradient(
    prior: Prior,
    operator: MeasurementOperator,
    y: np.ndarray,
    x_t: np.ndarray,
    x0_hat: np.ndarray,
    rho: float | np.ndarray,
    abar: float,
    sigma: float,
) -> np.ndarray:
    """Gradient of || y - f(x0hat) ||^2 by x_t, each joint's term times rho: (B, J, 3), through the network."""
    residual = np.asarray(rho)[..., None] * operator.residual(x0_hat, y)
    _, gradient = prior.vjp(x_t / np.sqrt(abar), sigma, -2.0 * operator.vjp(x0_hat, residual))
    return np.asarray(gradient, dtype=float) / np.sqrt(abar)
