"""The classic learned pose prior, a mixture of Gaussians (SMPLify, Bogo 2016), as a prior for our own sampler."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.heading import headings, turned, without_heading
from ..diffusion.denoiser_error import DenoiserError, measure_error, measured_error
from . import poses
from .gaussian_mixture import GaussianMixture

# Of 1, 8, 32 and 64 components on validation poses, 32 erred least: by 1 % less than 8, which fit six times as fast.
COMPONENTS = 16
_POSES = 30000
_LEVELS = np.geomspace(0.002, 1.0, 12)  # metres
_SCREEN = 1e-3  # metres of noise that a joint which was measured exactly is given, for the sake of the arithmetic


@dataclass(frozen=True)
class MixturePrior:
    """Pelvis-relative poses (B, J, 3) whose heading is taken off by hips and shoulders before the mixture sees them."""

    mixture: GaussianMixture
    unit: float
    errors: np.ndarray | None = None  # (N, J) metres at _LEVELS
    kind = "pose"

    def denoise(self, x: np.ndarray, sigma: float) -> np.ndarray:
        """E[x0 | x] (B, J, 3) but for the heading, which is that of x itself."""
        upright, yaw = _upright(x)
        return turned(self.mixture.denoise(upright, float(sigma)), yaw)

    def fill(self, positions: np.ndarray, visible: np.ndarray, noise: float) -> np.ndarray:
        """Posterior mean (F, J, 3) of every pose by itself; of hidden joints (F, J) the others tell.

        Pelvis, hips and shoulders must be visible.
        """
        upright, yaw = _upright(np.where(visible[..., None], positions, positions[:, :1]))
        variance = np.where(visible, max(noise, _SCREEN) ** 2, np.inf)
        mean, _ = self.mixture.posterior(upright, variance)
        return turned(mean, yaw) + positions[:, :1]

    def mean_pose(self, positions: np.ndarray) -> np.ndarray:
        """The first component's mean (F, J, 3) about the pelvis, with the heading of positions (F, J, 3)."""
        pose = self.mixture.means[0].reshape(1, -1, 3)
        return turned(np.tile(pose, (len(positions), 1, 1)), _upright(positions)[1])

    def error(self, factor: float = 1.0) -> DenoiserError:
        """What the denoiser errs by at each noise level, measured on the training poses."""
        return measured_error(_LEVELS, self.errors, factor)


def _upright(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Poses (B, J, 3) about their pelvis without heading, and the heading (B,)."""
    relative = x - x[:, :1]
    yaw = headings(relative)
    return turned(relative, -yaw), yaw


@functools.cache
def mixture_prior(folder: Path, components: int = COMPONENTS) -> MixturePrior:
    """Fitted to captured training poses with scikit-learn; the pelvis, always zero, takes no part."""
    from sklearn.mixture import GaussianMixture as Fit

    real = without_heading(poses.real_poses(folder, "train", _POSES))
    fit = Fit(components, reg_covar=1e-5, max_iter=40, tol=1e-2, random_state=0).fit(real[:, 1:].reshape(len(real), -1))
    still = ((0, 0), (3, 0))
    mixture = GaussianMixture(np.pad(fit.means_, still), np.pad(fit.covariances_, (*still, (3, 0))))
    prior = MixturePrior(mixture, float(real[:, 1:].std()))
    errors = measure_error(prior, real[:: max(1, len(real) // 1000)], _LEVELS, np.random.default_rng(0))
    return MixturePrior(mixture, prior.unit, errors)
