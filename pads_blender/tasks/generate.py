"""Generate: poses from the pose prior alone, and variations of a pose.

Poses are those of the model skeleton in its world, (N, J, 3) metres, Z up. On a rig: tasks/rig_poses.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np

from ..core.heading import without_heading
from ..core.self_contact import self_intersecting
from ..core.skeleton import MODEL, forward_positions
from ..diffusion.prior import Prior
from ..diffusion.schedule import NoiseSchedule, karras_schedule
from .running import OnStep

START_METRES, END_METRES = 5.0, 0.004  # noise levels: beyond all poses, and below what a pose shows
_LENGTHS = np.linalg.norm(MODEL.offsets, axis=-1)[:, None]


@dataclass(frozen=True)
class GenerateSettings:
    """How many poses, from which seed."""

    count: int = 10
    seed: int = 0


@dataclass(frozen=True)
class Drawing:
    """How poses are drawn; `evaluate drawing` tries others on training and validation poses.

    steps: of the sampler; surplus: poses drawn for each one kept; doubt_metres: noise level at which the prior is asked
    how far it would move a pose. By a script before that, 800 poses in 60 steps against training poses: all of them
    have a precision of 0.65 and a pairwise distance of 175 mm (training poses 173), the less doubtful three quarters
    0.72 and 156, two thirds 0.74 and 151; levels of 0.07 and 0.14 m do as well, 0.2 m is less varied.
    """

    steps: int = 80
    surplus: float = 1.4
    doubt_metres: float = 0.1


def generate_poses(
    settings: GenerateSettings, prior: Prior, on_step: OnStep | None = None, drawing: Drawing | None = None
) -> np.ndarray:
    """Poses (N, J, 3) that the pose prior thinks of unasked, facing forwards, with the pelvis at the origin."""
    start = np.zeros((len(MODEL), 3))
    return without_heading(_drawn_from(start, START_METRES, settings, prior, on_step, drawing or Drawing()))


def vary_pose(
    pose: np.ndarray, noise_metres: float, settings: GenerateSettings, prior: Prior, on_step: OnStep | None = None
) -> np.ndarray:
    """Poses (N, J, 3) like this one (J, 3), about the pelvis: noise of that level is added, and taken off by the prior.

    SDEdit (Meng et al. 2022). A few centimetres change hands and feet, half a metre leaves little.
    """
    level = float(np.clip(noise_metres, 2.0 * END_METRES, START_METRES))
    return _drawn_from(pose - pose[:1], level, settings, prior, on_step, Drawing())


def _drawn_from(
    pose: np.ndarray, level: float, settings: GenerateSettings, prior: Prior, on_step: OnStep | None, drawing: Drawing
) -> np.ndarray:
    """Poses (N, J, 3) drawn from this one (J, 3) under noise of that level: the likeliest of a surplus."""
    rng = np.random.default_rng(settings.seed)
    noise = level * rng.standard_normal((ceil(drawing.surplus * settings.count), len(MODEL), 3))
    schedule = karras_schedule(drawing.steps, level, END_METRES)
    drawn = on_bones(draw(prior, pose + noise, schedule, rng, on_step))
    return drawn[likeliest(drawn, settings.count, prior, drawing.doubt_metres)]


def likeliest(poses: np.ndarray, count: int, prior: Prior, sigma: float) -> np.ndarray:
    """Which (count,) of poses (N, J, 3) to keep, in their order: those that intersect go first, then the doubtful.

    Doubtful is a pose that the denoiser would move far: its way is sigma^2 times the score, the slope of log p.
    """
    way = np.asarray(prior.denoise(poses, sigma), float) - poses
    doubt = np.linalg.norm(way, axis=-1).mean(axis=1)
    return np.sort(np.lexsort((doubt, self_intersecting(poses)))[:count])


def draw(
    prior: Prior, x: np.ndarray, schedule: NoiseSchedule, rng: np.random.Generator, on_step: OnStep | None = None
) -> np.ndarray:
    """Poses (N, J, 3) that noisy ones of the schedule's first level become, by DDPM's ancestral sampling.

    Ho et al. 2020, Algorithm 2, in variance-exploding form: from s to s' the posterior q(x' | x, x0) has the mean
    x0 + (s'/s)^2 (x - x0) and the variance s'^2 (1 - (s'/s)^2), which is Ho's beta-tilde. It takes the denoised pose
    for the true one, so that few steps come out too narrow: 250 of DDPM's leave a Gaussian of 30 cm 2 % narrow.
    """
    for step, (sigma, sigma_next) in enumerate(schedule.steps(), start=1):
        denoised, kept = np.asarray(prior.denoise(x, sigma), float), (sigma_next / sigma) ** 2
        fresh = sigma_next * np.sqrt(1.0 - kept) * rng.standard_normal(x.shape)
        x = denoised + kept * (x - denoised) + fresh
        if on_step:
            on_step(step, len(schedule.sigmas))
    return x


def on_bones(poses: np.ndarray) -> np.ndarray:
    """Poses (N, J, 3) about the pelvis with the model's bone lengths; directions of bones stay."""
    segments = poses - poses[:, np.maximum(MODEL.parents, 0)]
    length = np.maximum(np.linalg.norm(segments, axis=-1, keepdims=True), 1e-9)
    segments = segments / length * _LENGTHS
    segments[:, 0] = 0.0
    return forward_positions(MODEL.parents, segments)
