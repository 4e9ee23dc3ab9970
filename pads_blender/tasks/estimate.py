"""Estimate: 2D keypoints and cameras in, a motion of the model out. One frame or a take, one camera or several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..core.camera import Camera
from ..core.keypoints import Keypoints
from ..core.motion import Motion
from ..core.skeleton import MODEL
from ..diffusion.prior import Prior
from ..diffusion.rays import View, misfit
from ..errors import TakeError
from . import estimate_poses, estimate_takes
from .noise import estimate_noise
from .running import OnStep, part_of

STATURE = float(np.ptp(MODEL.rest_positions[:, 2]))  # metres, of the model standing upright
# How each kind of prior turns views into positions; the kind is the prior's own word.
ESTIMATORS = {"motion": estimate_takes.sample, "pose": estimate_poses.sample}

# By `python -m pads_blender.training.estimate_tuning --what spread --limit 5`: hypotheses are too alike in depth.
SPREAD_FACTOR = 2.4
_LEAST_KEYPOINTS = 4  # in a frame, somewhere in the take
_USUAL_NOISE, _LEAST_NOISE = 0.01, 0.008  # of a person's extent in the image
_USUAL_EXTENT = 0.5  # of the image's height, where no frame of a camera shows enough of the person
_LEAST_CONFIDENCE = 0.1


@dataclass(frozen=True)
class Shot:
    """What one camera filmed: its keypoints and itself."""

    keypoints: Keypoints
    camera: Camera


@dataclass(frozen=True)
class EstimateSettings:
    """How to estimate; the defaults need no thought.

    body_scale: metres of this person for one of the model, known_scale(stature) for a stature. noise_pixels of the
    keypoints, per coordinate (None: read off the take). pelvis (F, 3): its path in the world, metres, where it is
    known. sampler (of poses), steps (None: the method's own) and seed say how the prior is asked; hypotheses: of how
    many samples the best is taken, and the spread told where there are two or more.
    """

    body_scale: float = 1.0
    noise_pixels: float | None = None
    pelvis: np.ndarray | None = None
    sampler: str = estimate_poses.DEFAULT_SAMPLER
    steps: int | None = None
    seed: int = 0
    hypotheses: int = 1


@dataclass(frozen=True)
class Hypothesis:
    """One motion that may have been filmed; likelihood: relative to the others', of keypoints in a usual frame."""

    motion: Motion
    likelihood: float


def known_scale(stature: float) -> float:
    """body_scale of a person of that stature in metres."""
    if not 0.3 < stature < 3.0:
        raise TakeError(f"A stature of {stature:g} m is not a person's: state it in metres.")
    return stature / STATURE


def estimate_motion(
    shots: Sequence[Shot], fps: float, settings: EstimateSettings, prior: Prior, on_step: OnStep | None = None
) -> Motion:
    """The motion (F, J, 3) that keypoints and prior agree on, in the cameras' world, on the model's proportions."""
    return estimate_hypotheses(shots, fps, settings, prior, on_step)[0].motion


def estimate_hypotheses(
    shots: Sequence[Shot], fps: float, settings: EstimateSettings, prior: Prior, on_step: OnStep | None = None
) -> list[Hypothesis]:
    """Motions that may have been filmed, the likeliest first."""
    _check(shots, fps, settings)
    views = [as_view(shot, settings) for shot in shots]
    pelvis = None if settings.pelvis is None else np.asarray(settings.pelvis, float) / settings.body_scale
    asked = estimate_takes.Asked(fps, pelvis, settings.sampler, settings.steps)
    found, costs = [], []
    for number in range(settings.hypotheses):
        rng = np.random.default_rng([settings.seed, number])
        told = part_of(on_step, number, settings.hypotheses)
        found.append(ESTIMATORS[prior.kind](views, asked, prior, rng, number > 0, told))
        costs.append(float(np.mean(misfit(views, found[-1], np.zeros(len(MODEL))))))
    likelihoods = np.exp(np.min(costs) - costs)
    spread = settings.body_scale * _spread(found) if len(found) > 1 else None
    seen = np.ones(found[0].shape[:2], bool)
    motions = [Motion(settings.body_scale * x, seen, fps, spread=spread) for x in found]
    order = np.argsort(costs, kind="stable")
    return [Hypothesis(motions[i], float(likelihoods[i] / likelihoods.sum())) for i in order]


def _spread(found: Sequence[np.ndarray]) -> np.ndarray:
    """How unsure positions are, (F, J) in metres per coordinate, by those of hypotheses (F, J, 3)."""
    return SPREAD_FACTOR * np.sqrt(np.mean(np.var(found, axis=0, ddof=1), axis=-1))


def _check(shots: Sequence[Shot], fps: float, settings: EstimateSettings) -> None:
    lengths = {len(shot.keypoints) for shot in shots}
    lengths |= {len(shot.camera.world_from_camera) for shot in shots if shot.camera.is_moving}
    lengths |= set() if settings.pelvis is None else {len(settings.pelvis)}
    if len(lengths) != 1:
        counted = ", ".join(str(n) for n in sorted(lengths)) or "none"
        raise TakeError(f"Keypoints, cameras and paths must have as many frames as each other, but have {counted}.")
    if not fps > 0 or not settings.body_scale > 0 or settings.hypotheses < 1:
        raise TakeError("Frame rate and body size must be above zero, and there must be one hypothesis at least.")
    seen = sum(_seen(shot.keypoints).sum(axis=1) for shot in shots)
    if not len(seen) or seen.max() < _LEAST_KEYPOINTS:
        raise TakeError(f"No frame shows {_LEAST_KEYPOINTS} keypoints of a body: run the detector on another take.")


def as_view(shot: Shot, settings: EstimateSettings) -> View:
    """A shot as measurements: noise of each keypoint in pixels; the world in the model's own metres."""
    keypoints, camera = shot.keypoints, shot.camera
    world = camera.world_from_camera.copy()
    world[..., :3, 3] /= settings.body_scale
    seen = _seen(keypoints)
    points = np.where(seen[..., None], keypoints.points, 0.0)
    noise = settings.noise_pixels
    if noise is None:
        noise = _noise(points, seen, _USUAL_EXTENT * camera.height)
    sigma = noise / np.sqrt(np.clip(keypoints.confidence, _LEAST_CONFIDENCE, 1.0))
    return View(
        replace(camera, world_from_camera=world),
        points,
        np.where(seen, sigma, np.inf),
        keypoints.layout,
    )


def _seen(keypoints: Keypoints) -> np.ndarray:
    """Which keypoints (F, K) were detected and mean something on the model."""
    there = np.isfinite(keypoints.points).all(axis=-1) & (keypoints.confidence > 0)
    return there & keypoints.layout.used


def _noise(points: np.ndarray, seen: np.ndarray, usual_extent: float) -> np.ndarray:
    """Pixels per coordinate of each keypoint (K,), as its scatter in time shows it; never better than detectors are.

    What a detector errs by from frame to frame alike does not show: a share of the person's extent stands for it, or
    of the usual one where no frame shows enough of the person.
    """
    low = np.where(seen[..., None], points, np.inf).min(axis=1)
    high = np.where(seen[..., None], points, -np.inf).max(axis=1)
    extent = np.linalg.norm(high - low, axis=-1)[seen.sum(axis=1) >= _LEAST_KEYPOINTS]
    size = float(np.median(extent)) if len(extent) else usual_extent
    if len(seen) < 9:
        return np.full(seen.shape[1], _USUAL_NOISE * size)
    return np.hypot(estimate_noise(points, seen), _LEAST_NOISE * size)
