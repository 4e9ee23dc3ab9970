"""What else turns 2D keypoints into poses with the same priors and the same start: frame by frame, for comparison."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..core.skeleton import MODEL
from ..diffusion.dps import Guidance, constant_guidance
from ..diffusion.prior import Prior
from ..diffusion.rays import View, fit_pelvis, fit_rays
from ..tasks import estimate_poses, temporal
from ..tasks.estimate import EstimateSettings, Shot, as_view
from ..tasks.estimate_paths import likely_start
from ..tasks.estimate_takes import Asked
from ..tasks.noise import estimate_noise
from .mixture_prior import MixturePrior

DPS, MIXTURE, ZEDO = "DPS, each frame", "Gaussian mixture, each frame", "ZeDO-like, each frame"
CONSTANT, SMOOTHED, PROX = "DPS, constant rho", "DPS smoothed, width by the truth", "prox, each frame"
RHO = 0.5  # as in diffusion/dps.py
MIXTURE_STEPS, MIXTURE_LEVELS = 20, (0.15, 0.01)
_SMOOTHING = (1.0, 2.0, 4.0, 8.0)  # times the noise that a joint's path shows
_RIDGE = 1e-3  # holds what no keypoint tells of


@dataclass(frozen=True)
class Filmed:
    """What every method gets: a view of a take, world positions (F, J, 3) to begin at, the pelvis's path if known."""

    view: View
    start: np.ndarray
    pelvis: np.ndarray | None = None

    @classmethod
    def of(cls, shot: Shot, pelvis: np.ndarray | None = None) -> Filmed:
        """With noise and start by all frames of a shot, those of our own estimate."""
        view = as_view(shot, EstimateSettings())
        return cls(view, likely_start([view], pelvis), pelvis)

    def rows(self, chosen: np.ndarray) -> Filmed:
        """Some of its frames; what was read off the others stays."""
        pelvis = None if self.pelvis is None else self.pelvis[chosen]
        return Filmed(self.view.rows(chosen), self.start[chosen], pelvis)


@dataclass(frozen=True)
class Zedo:
    """Steps, noise levels in metres, and of the reverse process's own step towards the denoised pose how much."""

    steps: int = 40
    first: float = 0.1
    last: float = 0.005
    rate: float = 2.0


def zedo_like(filmed: Filmed, prior: Prior, how: Zedo = Zedo()) -> np.ndarray:
    """After ZeDO (Jiang et al. 2024): a pose is placed and turned to fit, then joints go to their rays and the pose
    takes a step of the reverse process, in turns, at levels that fall from how.first.

    Its own prior is not ours, and it begins at clusters of poses: here at the common start; positions (F, J, 3).
    """
    view, positions = filmed.view, filmed.start
    pelvis = positions[:, 0] if filmed.pelvis is None else filmed.pelvis
    pose = positions - positions[:, :1]
    levels = np.geomspace(how.first, how.last, how.steps)
    step = how.rate * (1.0 - (levels[1] / levels[0]) ** 2)
    for level in levels:
        if filmed.pelvis is None:
            pelvis = fit_pelvis([view], pose, pelvis, np.zeros(len(MODEL)))
        pose = moved_onto_rays(view, pose + pelvis[:, None]) - pelvis[:, None]
        pose = pose + step * (np.asarray(prior.denoise(pose, float(level)), float) - pose)
    return pose + pelvis[:, None]


def moved_onto_rays(view: View, positions: np.ndarray) -> np.ndarray:
    """Positions (F, J, 3) moved across the viewing axis, each at its own depth, so that keypoints lie on their rays."""
    missed, _ = view.distances(positions)
    weighted = view.seen[..., None] * view.joints
    both = weighted @ np.swapaxes(weighted, 1, 2) + _RIDGE * np.eye(weighted.shape[1])
    across = np.swapaxes(weighted, 1, 2) @ np.linalg.solve(both, missed)
    return positions + across @ np.swapaxes(view.camera.rotation[..., :2], -1, -2)


def single_frames(
    filmed: Filmed,
    prior: Prior,
    seed: int = 0,
    sampler: str = "dps",
    steps: int | None = None,
    guidance: Guidance | None = None,
) -> np.ndarray:
    """The paper's algorithm, or prox; steps and guidance None: the method's own. Positions (F, J, 3)."""
    asked = Asked(30.0, filmed.pelvis, sampler, steps, start=filmed.start)
    rng = np.random.default_rng([seed, 0])
    return estimate_poses.sample([filmed.view], asked, prior, rng, guidance=guidance)


def constant_rho(filmed: Filmed, prior: Prior, seed: int = 0, steps: int | None = None, rho: float = RHO) -> np.ndarray:
    """The paper's algorithm with one rho for all steps, as it is printed; positions (F, J, 3)."""
    return single_frames(filmed, prior, seed, steps=steps, guidance=constant_guidance(rho))


def mixture(filmed: Filmed, prior: MixturePrior) -> np.ndarray:
    """A mixture of Gaussians as the prior (SMPLify, Bogo et al. 2016), descended frame by frame from the start.

    Denoising at a falling level is a step of its majorised log density; its errors are known, so the fit weighs them.
    """
    positions, error = filmed.start, prior.error(2.0)
    body = 1.0 if filmed.pelvis is None else 1e-3
    for level in np.geomspace(*MIXTURE_LEVELS, MIXTURE_STEPS):
        if filmed.pelvis is not None:
            positions = positions + (filmed.pelvis - positions[:, 0])[:, None]
        expected = prior.denoise(positions - positions[:, :1], float(level)) + positions[:, :1]
        sigma = np.maximum(np.broadcast_to(error(float(level)), len(MODEL)), 1e-3)
        positions = fit_rays([filmed.view], expected, sigma, body).positions
    return positions


def smoothed(positions: np.ndarray, error: Callable[[np.ndarray], float]) -> np.ndarray:
    """Single frames smoothed in time, as much as brings them nearest to the truth by error(positions)."""
    noise = estimate_noise(positions, np.ones(positions.shape[:2], bool))
    even = np.ones(positions.shape[:2])
    return min((temporal.smooth(positions, even, factor * noise) for factor in _SMOOTHING), key=error)
