"""What else turns 2D keypoints into poses with the same priors and the same start: frame by frame, for comparison."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..core.skeleton import MODEL
from ..diffusion.prior import Prior
from ..diffusion.rays import fit_pelvis, fit_rays
from ..tasks import temporal
from ..tasks.estimate import EstimateSettings, Shot, as_view, estimate_motion
from ..tasks.estimate_start import first_guess
from ..tasks.noise import estimate_noise
from .mixture_prior import mixture_prior

DPS, MIXTURE, ZEDO = "DPS, each frame", "Gaussian mixture, each frame", "ZeDO-like, each frame"
SMOOTHED = "DPS smoothed, width by the truth"
ZEDO_STEPS, ZEDO_LEVELS = 40, (0.1, 0.005)
MIXTURE_STEPS, MIXTURE_LEVELS = 20, (0.15, 0.01)
_SMOOTHING = (1.0, 2.0, 4.0, 8.0)  # times the noise that a joint's path shows
_ON_THE_RAY = 0.5  # metres: so weak a prior leaves a joint where its ray is, at the depth that it had


def zedo_like(shot: Shot, settings: EstimateSettings, prior: Prior) -> np.ndarray:
    """After ZeDO (Jiang et al. 2024): a usual pose is placed and turned to fit, then joints go to their rays, the pose
    is placed anew and denoised, at levels that fall from ZEDO_LEVELS[0].

    Its own prior, its clusters of poses to start with and its 1,000 steps are not ours; positions (F, J, 3).
    """
    view = as_view(shot, settings)
    positions = first_guess([view])
    pelvis = positions[:, 0] if settings.pelvis is None else settings.pelvis
    pose = positions - positions[:, :1]
    near, body = np.full(len(MODEL), _ON_THE_RAY), 1e-3
    for level in np.geomspace(*ZEDO_LEVELS, ZEDO_STEPS):
        if settings.pelvis is None:
            pelvis = fit_pelvis([view], pose, pelvis, np.full(len(MODEL), level**2))
        on_rays = fit_rays([view], pose + pelvis[:, None], near, body, nu=1e9).positions
        pose = np.asarray(prior.denoise(on_rays - on_rays[:, :1], float(level)), float)
    return pose + pelvis[:, None]


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
    """The paper's algorithm, (F, J, 3)."""
    return estimate_motion([shot], 30.0, settings, prior).positions
