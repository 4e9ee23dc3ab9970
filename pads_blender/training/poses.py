"""Sets of poses: drawn from a prior or from the data, heading removed, and what their knees and elbows do."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np

from ..core import rotations as rot
from ..core.normalise import torso_frames
from ..core.skeleton import MODEL
from ..diffusion.prior import Prior
from ..diffusion.schedule import NoiseSchedule
from ..tasks.generate import draw
from . import data

# Directions in which a lower segment should hardly lean out of the line of the upper one, on the left side, as axes of
# the body's frame (x left, y back, z up) carried along with the upper segment. At the elbow these limits are wide,
# since positions do not show how the upper arm is turned about itself.
WRONG_WAYS = {
    "knee": {"forwards": (0.0, -1.0, 0.0), "outwards": (1.0, 0.0, 0.0), "inwards": (-1.0, 0.0, 0.0)},
    "elbow": {"backwards": (0.0, 1.0, 0.0), "upwards": (0.0, 0.0, 1.0), "downwards": (0.0, 0.0, -1.0)},
}
_CHAINS = {"knee": ("hip", "knee", "ankle"), "elbow": ("shoulder", "elbow", "wrist")}
LIMIT_PERCENTILE = 99.9


def real_poses(folder: Path, split: str, count: int, rng: np.random.Generator | None = None) -> np.ndarray:
    """Pelvis-relative poses (count, J, 3) of the captured CMU clips of a split, evenly spread or drawn at random."""
    clips = [c for c in data.load_split(folder, split) if c.subject.startswith("cmu") and c.visible.all()]
    poses = np.concatenate([data.pelvis_relative(c).positions for c in clips]).astype(float)
    if rng is not None:
        return poses[rng.choice(len(poses), count, replace=False)]
    return poses[np.linspace(0, len(poses) - 1, count).round().astype(int)]


def draw_samples(
    prior: Prior,
    count: int,
    schedule: NoiseSchedule,
    rng: np.random.Generator,
    on_step: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Poses (count, J, 3) drawn from a pose prior as they come, none dropped."""
    noise = schedule.sigmas[0] * rng.standard_normal((count, len(MODEL), 3))
    return draw(prior, noise, schedule, rng, on_step)


def wrong_angles(poses: np.ndarray) -> dict[str, np.ndarray]:
    """Angle (N, 2) in radians, left and right, by which a lower leg or arm leans in each of the WRONG_WAYS."""
    pelvis, chest = torso_frames(poses, np.ones(len(MODEL), bool))
    angles = {}
    for joint, ways in WRONG_WAYS.items():
        body = pelvis if joint == "knee" else chest
        lean = np.stack([_lean(poses, body, joint, side) for side in ("left", "right")], axis=1)
        angles |= {f"{joint} {way}": np.arcsin(np.clip(lean @ np.array(axis), -1.0, 1.0)) for way, axis in ways.items()}
    return angles


def _lean(poses: np.ndarray, body: np.ndarray, joint: str, side: str) -> np.ndarray:
    """Direction (N, 3) of the lower segment in the body's frame swung along with the upper one, as on the left side."""
    chain = MODEL.indices(*[f"{side}_{name}" for name in _CHAINS[joint]])
    upper, lower = (_unit(rot.rotate(rot.inverse(body), poses[:, b] - poses[:, a])) for a, b in pairwise(chain))
    rest = np.broadcast_to(_unit(MODEL.offsets[chain[1]]), upper.shape)
    leaning = rot.rotate(rot.inverse(rot.swing_between(rest, upper)), lower)
    return leaning * np.array([1.0 if side == "left" else -1.0, 1.0, 1.0])


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def joint_limits(poses: np.ndarray) -> dict[str, float]:
    """For each wrong way the angle in radians that all but one in a thousand joints of these poses stay below."""
    return {way: float(np.percentile(angle, LIMIT_PERCENTILE)) for way, angle in wrong_angles(poses).items()}


def violations(poses: np.ndarray, limits: dict[str, float]) -> dict[str, float]:
    """Share of joints, knees and elbows by themselves, that go beyond any of their limits."""
    angles = wrong_angles(poses)
    beyond = {way: angles[way] > limit for way, limit in limits.items()}
    by_joint = {joint: [b for way, b in beyond.items() if way.startswith(joint)] for joint in WRONG_WAYS}
    return {joint: float(np.any(flags, axis=0).mean()) for joint, flags in by_joint.items()}
