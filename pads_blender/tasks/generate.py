"""Generate: poses from the pose prior alone, variations of a pose, and the rest of a pose of which joints are given.

Poses are those of the model skeleton in its world, (N, J, 3) metres, Z up. On a rig: tasks/rig_poses.py.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..core import rotations as rot
from ..core.skeleton import MODEL, forward_positions
from ..diffusion.measurement import UnknownPelvis
from ..diffusion.prior import Prior
from ..diffusion.prox import sample_prox
from ..diffusion.schedule import NoiseSchedule, karras_schedule

OnStep = Callable[[int, int], None]
START_METRES, END_METRES = 5.0, 0.004  # noise levels: beyond all poses, and below what a pose shows
# Of 500 poses by a script, average pairwise distance beside the training poses' 180 mm, and share that lies among them:
# sixty steps with all noise fresh 162 and 0.86, with 0.7 of it 179 and 0.80; thirty with all of it 166 and 0.88, thirty
# of DPM-Solver++ without any 209 and 0.72.
DRAW_STEPS, FRESH = 60, 0.7
COMPLETE_STEPS, _COMPLETE_START_METRES = 20, 1.0
_PRIOR_ERROR_FACTOR = 2.0  # as in tasks/frames.py
PIN_METRES = 0.001  # noise of a given joint, for the sake of the arithmetic
_LENGTHS = np.linalg.norm(MODEL.offsets, axis=-1)[:, None]
_SIDES = [MODEL.indices(f"left_{joint}", f"right_{joint}") for joint in ("hip", "shoulder")]


@dataclass(frozen=True)
class GenerateSettings:
    """How many poses, from which seed."""

    count: int = 10
    seed: int = 0


def generate_poses(settings: GenerateSettings, prior: Prior, on_step: OnStep | None = None) -> np.ndarray:
    """Poses (N, J, 3) that the pose prior thinks of unasked, facing forwards, with the pelvis at the origin."""
    rng = np.random.default_rng(settings.seed)
    schedule = karras_schedule(DRAW_STEPS, START_METRES, END_METRES)
    noise = START_METRES * rng.standard_normal((settings.count, len(MODEL), 3))
    return without_heading(on_bones(draw(prior, noise, schedule, rng, on_step)))


def vary_pose(
    pose: np.ndarray, noise_metres: float, settings: GenerateSettings, prior: Prior, on_step: OnStep | None = None
) -> np.ndarray:
    """Poses (N, J, 3) like this one (J, 3), about the pelvis: noise of that level is added, and taken off by the prior.

    SDEdit (Meng et al. 2022). A few centimetres change hands and feet, half a metre leaves little.
    """
    rng = np.random.default_rng(settings.seed)
    level = float(np.clip(noise_metres, 2.0 * END_METRES, START_METRES))
    noise = level * rng.standard_normal((settings.count, len(MODEL), 3))
    schedule = karras_schedule(DRAW_STEPS, level, END_METRES)
    return on_bones(draw(prior, pose - pose[:1] + noise, schedule, rng, on_step))


def complete_pose(
    positions: np.ndarray, given: np.ndarray, prior: Prior, seed: int = 0, steps: int = COMPLETE_STEPS
) -> np.ndarray:
    """Poses (N, J, 3) of which the given joints (J,) or (N, J) stay where they are, and the rest is the prior's.

    positions (N, J, 3), of hidden joints any numbers. The pelvis need not be given: it is solved for. The same seed
    gives poses that follow joints which are dragged.
    """
    sigma = np.where(np.broadcast_to(given, positions.shape[:2]), PIN_METRES, np.inf)
    sampler = functools.partial(sample_prox, denoiser_error=prior.error(_PRIOR_ERROR_FACTOR))
    schedule = karras_schedule(steps, _COMPLETE_START_METRES, END_METRES, unit=prior.unit)
    fit = sampler(prior, UnknownPelvis(sigma), positions, schedule, np.random.default_rng(seed))
    return fit.positions_world


def draw(
    prior: Prior, x: np.ndarray, schedule: NoiseSchedule, rng: np.random.Generator, on_step: OnStep | None = None
) -> np.ndarray:
    """Poses (N, J, 3) that noisy ones of the schedule's first level become, by DDIM (Song et al. 2021).

    From s to s' the part FRESH of Ho's posterior deviation is drawn anew; the rest follows the noise that is there.
    """
    for step, (sigma, sigma_next) in enumerate(schedule.steps(), start=1):
        denoised = np.asarray(prior.denoise(x, sigma), float)
        fresh = FRESH * sigma_next * np.sqrt(1.0 - (sigma_next / sigma) ** 2)
        kept = np.sqrt(sigma_next**2 - fresh**2) / sigma
        x = denoised + kept * (x - denoised) + fresh * rng.standard_normal(x.shape)
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


def without_heading(poses: np.ndarray) -> np.ndarray:
    """Poses (N, J, 3) turned about the vertical so that hips and shoulders lie along +X on average."""
    return turned(poses, -headings(poses))


def headings(poses: np.ndarray) -> np.ndarray:
    """Turn (N,) in radians about the vertical of the left axis of hips and shoulders, from +X."""
    left = sum(poses[:, a] - poses[:, b] for a, b in _SIDES)
    return np.arctan2(left[:, 1], left[:, 0])


def turned(poses: np.ndarray, yaw: np.ndarray) -> np.ndarray:
    """Poses (N, J, 3) turned about the vertical by yaw (N,) radians."""
    return rot.rotate(rot.from_rotation_vector(yaw[:, None, None] * np.array([0.0, 0.0, 1.0])), poses)
