"""The prior as every sampler sees it: a denoiser and its derivative. Knows nothing of networks, files or measurements."""

from typing import Protocol

import numpy as np


class Prior(Protocol):
    """A trained model of plausible poses, asked only through its denoiser.

    x (B, J, 3) metres; sigma metres: one number, (B,) or (B, J). A pose prior's x are pelvis-relative: joint 0 is zero on the
    way out and ignored on the way in.
    """

    def denoise(self, x: np.ndarray, sigma: float | np.ndarray) -> np.ndarray:
        """Posterior mean E[x0 | x = x0 + sigma n], n ~ N(0, I), (B, J, 3): the variance-exploding form."""
        ...

    def vjp(self, x: np.ndarray, sigma: float | np.ndarray, cotangent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(denoise(x, sigma), J^T cotangent) with J the derivative of denoise by x, each (B, J, 3)."""
        ...
