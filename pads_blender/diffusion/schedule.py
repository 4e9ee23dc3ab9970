"""The noise levels that a sampler walks down, from high to low. Knows nothing of priors or measurements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class NoiseSchedule:
    """Noise levels sigma in metres (variance-exploding form), falling; the noise-free end is not listed.

    unit: metres in one unit of the space the prior was trained in. A DDPM prior has x_t = sqrt(abar) (x0 + sigma n)
    with abar = 1 / (1 + (sigma / unit)^2), so unit ties its abar to our sigma.
    """

    sigmas: tuple[float, ...]
    unit: float = 1.0

    def __post_init__(self):
        levels = np.asarray(self.sigmas)
        if levels.ndim != 1 or not len(levels) or not np.all(levels > 0) or not np.all(np.diff(levels) < 0):
            raise ValueError("A noise schedule needs noise levels above zero, each lower than the one before.")

    def steps(self) -> Iterator[tuple[float, float]]:
        """(sigma now, sigma after the step) for each step; the last one ends at zero."""
        return zip(self.sigmas, (*self.sigmas[1:], 0.0), strict=True)

    @property
    def sigma(self) -> np.ndarray:
        """The levels in the paper's order, (N + 1,): sigma[t] for t = 0 (no noise) .. N (the start)."""
        return np.array([0.0, *self.sigmas[::-1]])

    @property
    def alpha_bar(self) -> np.ndarray:
        """DDPM's abar[t] of the same levels, (N + 1,): abar[0] = 1, abar[N] the noisiest."""
        return 1.0 / (1.0 + (self.sigma / self.unit) ** 2)


def karras_schedule(
    steps: int, sigma_max: float, sigma_min: float, rho: float = 7.0, unit: float = 1.0
) -> NoiseSchedule:
    """Karras et al. 2022, eq. 5: levels evenly spaced in sigma^(1/rho), dense where the noise is low.

    A start that is already near the answer wants a low sigma_max: about its own error (truncated start).
    """
    levels = np.linspace(sigma_max ** (1 / rho), sigma_min ** (1 / rho), steps) ** rho
    return NoiseSchedule(tuple(float(level) for level in levels), unit)


def ddpm_schedule(
    steps: int = 1000,
    unit: float = 1.0,
    trained_steps: int = 1000,
    beta_first: float = 1e-4,
    beta_last: float = 0.02,
) -> NoiseSchedule:
    """DDPM's linear beta (Ho et al. 2020), respaced to evenly spread time steps when fewer are asked for.

    The paper names DDPM but not T or beta: these are Ho's values, our choice.
    """
    sigmas = unit * ddpm_sigmas(trained_steps, beta_first, beta_last)
    kept = np.unique(np.linspace(trained_steps - 1, 0, steps).round().astype(int))[::-1]
    return NoiseSchedule(tuple(float(sigma) for sigma in sigmas[kept]), unit)


def ddpm_sigmas(trained_steps: int = 1000, beta_first: float = 1e-4, beta_last: float = 0.02) -> np.ndarray:
    """sigma of DDPM's steps t = 1 .. T in the prior's own unit, (T,) rising: sqrt((1 - abar) / abar)."""
    alpha_bar = np.cumprod(1.0 - np.linspace(beta_first, beta_last, trained_steps))
    return np.sqrt((1.0 - alpha_bar) / alpha_bar)
