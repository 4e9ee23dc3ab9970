"""What else turns 2D keypoints into poses with the same priors and the same start: frame by frame, for comparison."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.skeleton import MODEL
from ..diffusion.dps import constant_guidance
from ..diffusion.prior import Prior
from ..diffusion.rays import View, fit_pelvis, fit_rays
from ..tasks import estimate_poses, temporal
from ..tasks.estimate import EstimateSettings, Shot, as_view, estimate_motion
from ..tasks.estimate_paths import likely_start
from ..tasks.estimate_start import first_guess
from ..tasks.estimate_takes import Asked
from ..tasks.noise import estimate_noise
from .mixture_prior import mixture_prior

DPS, MIXTURE, ZEDO = "DPS, each frame", "Gaussian mixture, each frame", "ZeDO-like, each frame"
CONSTANT, SMOOTHED, PROX = "DPS, constant rho", "DPS smoothed, width by the truth", "prox, each frame"
RHO = 0.5  # as in diffusion/dps.py
MIXTURE_STEPS, MIXTURE_LEVELS = 20, (0.15, 0.01)
_SMOOTHING = (1.0, 2.0, 4.0, 8.0)  # times the noise that a joint's path shows
_RIDGE = 1e-3  # holds what no keypoint tells of


@dataclass(frozen=True)
class Zedo:
    """Steps, noise levels in metres, and of the reverse process's own step towards the denoised pose how much."""

    steps: int = 40
    first: float = 0.1
    last: float = 0.005
    rate: float = 2.0


def zedo_like(shot: Shot, settings: EstimateSettings, prior: Prior, how: Zedo = Zedo()) -> np.ndarray:
    """After ZeDO (Jiang et al. 2024): a pose is placed and turned to fit, then joints go to their rays and the pose
    takes a step of the reverse process, in turns, at levels that fall from how.first.

    Its own prior is not ours, and it begins at clusters of poses: here at the start of our own estimate;
    positions (F, J, 3).
    """
    view = as_view(shot, settings)
    positions = likely_start([view], settings.pelvis, hop=1)
    pelvis = positions[:, 0] if settings.pelvis is None else settings.pelvis
    pose = positions - positions[:, :1]
    levels = np.geomspace(how.first, how.last, how.steps)
    step = how.rate * (1.0 - (levels[1] / levels[0]) ** 2)
    for level in levels:
        if settings.pelvis is None:
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


def constant_rho(shot: Shot, settings: EstimateSettings, prior: Prior, rho: float = RHO) -> np.ndarray:
    """The paper's algorithm with one rho for all steps, as it is printed; positions (F, J, 3)."""
    asked, rng = Asked(30.0, settings.pelvis), np.random.default_rng([settings.seed, 0])
    return estimate_poses.sample([as_view(shot, settings)], asked, prior, rng, guidance=constant_guidance(rho))


def mixture(shot: Shot, settings: EstimateSettings, folder: Path) -> np.ndarray:
    """A mixture of Gaussians as the prior (SMPLify, Bogo et al. 2016), descended frame by frame from a usual pose.

    Denoising at a falling level is a step of its majorised log density; its errors are known, so the fit weighs them.
    """
    prior, view = mixture_prior(folder), as_view(shot, settings)
    positions, error = first_guess([view]), prior.error(2.0)
    body = 1.0 if settings.pelvis is None else 1e-3
    for level in np.geomspace(*MIXTURE_LEVELS, MIXTURE_STEPS):
        if settings.pelvis is not None:
            positions = positions + (settings.pelvis - positions[:, 0])[:, None]
        expected = prior.denoise(positions - positions[:, :1], float(level)) + positions[:, :1]
        sigma = np.maximum(np.broadcast_to(error(float(level)), len(MODEL)), 1e-3)
        positions = fit_rays([view], expected, sigma, body).positions
    return positions


def smoothed(positions: np.ndarray, error: Callable[[np.ndarray], float]) -> np.ndarray:
    """Single frames smoothed in time, as much as brings them nearest to the truth by error(positions)."""
    noise = estimate_noise(positions, np.ones(positions.shape[:2], bool))
    even = np.ones(positions.shape[:2])
    return min((temporal.smooth(positions, even, factor * noise) for factor in _SMOOTHING), key=error)


def single_frames(shot: Shot, settings: EstimateSettings, prior: Prior) -> np.ndarray:
    """The paper's algorithm, or prox as the settings say, (F, J, 3)."""
    return estimate_motion([shot], 30.0, settings, prior).positions
