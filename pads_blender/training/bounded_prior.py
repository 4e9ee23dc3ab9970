"""A prior for samplers that may run off, as DPS does now and then: a network answers numbers with numbers alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..diffusion.prior import Prior


@dataclass(frozen=True)
class BoundedPrior:
    """The prior, asked about positions within so many metres of the pelvis, whatever it is given."""

    prior: Prior
    furthest: float = 100.0

    def denoise(self, x: np.ndarray, sigma: float) -> np.ndarray:
        """As the prior does."""
        return self.prior.denoise(self._within(x), sigma)

    def vjp(self, x: np.ndarray, sigma: float, cotangent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As the prior does."""
        return self.prior.vjp(self._within(x), sigma, self._within(cotangent))

    def _within(self, x: np.ndarray) -> np.ndarray:
        return np.clip(np.nan_to_num(x, nan=self.furthest), -self.furthest, self.furthest)
