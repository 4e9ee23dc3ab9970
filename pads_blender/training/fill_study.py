"""How far off a limb is whose rotations were interpolated, against the frames to the nearest measured one."""

from __future__ import annotations

import numpy as np

from ..core.retarget import to_model
from ..core.skeleton import MODEL
from ..tasks.complete import hidden_joints, interpolate_rotations
from . import data
from .bench import Setup
from .bvh_clips import limb_bones

LENGTHS = (8, 16, 30, 60, 120)  # frames
DISTANCES = (1, 2, 4, 7, 11, 15, 20, 30, 45, 60)  # frames to the nearest measured one, upper ends of the classes
LIMBS = {"arm": ("shoulder", "elbow", "wrist"), "leg": ("hip", "knee", "ankle")}


def fill_errors(setup: Setup) -> dict[str, list[tuple[float, float, int]]]:
    """For each kind of limb and class of distance: mean distance, rms error per coordinate in metres, number."""
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {limb: [] for limb in LIMBS}
    for clip in setup.rig_clips:
        for limb in LIMBS:
            for side in ("left", "right"):
                found[limb] += [_gap_errors(clip, limb, side, length) for length in _fitting(clip)]
    return {limb: _by_distance(*map(np.concatenate, zip(*pieces, strict=True))) for limb, pieces in found.items()}


def _fitting(clip: data.RigClip) -> list[int]:
    return [length for length in LENGTHS if length + 2 <= len(clip.take.frames)]


def _gap_errors(clip: data.RigClip, limb: str, side: str, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Distance in frames and square error per coordinate, each (N,), of the limb's two lower joints on the model."""
    chain = [f"{side}_{joint}" for joint in LIMBS[limb]]
    hidden = np.zeros(clip.take.rotation.shape[:2], bool)
    first = (len(hidden) - length) // 2
    hidden[first : first + length, [clip.take.names.index(b) for b in limb_bones(clip, chain[0], chain[-1])]] = True
    truth, residual = to_model(clip.take, clip.mapping)
    filled, _ = to_model(interpolate_rotations(clip.take, hidden), clip.mapping)
    joints = [j for j in MODEL.indices(*chain[1:]) if hidden_joints(hidden, residual.bones)[first, j]]
    square = np.mean((filled.positions - truth.positions)[first : first + length, joints] ** 2, axis=-1)
    inside = np.arange(length)
    distance = np.minimum(inside + 1, length - inside)
    return np.repeat(distance, len(joints)), square.ravel()


def _by_distance(distance: np.ndarray, square: np.ndarray) -> list[tuple[float, float, int]]:
    classes = np.searchsorted(DISTANCES, distance)
    chosen = [classes == number for number in range(len(DISTANCES))]
    return [(float(distance[c].mean()), float(np.sqrt(square[c].mean())), int(c.sum())) for c in chosen if c.any()]


def markdown(errors: dict[str, list[tuple[float, float, int]]]) -> str:
    """One table: distance across, limbs down."""
    longest = max(errors.values(), key=len)
    head = ["frames to the nearest measured one", *(f"{distance:.3g}" for distance, _, _ in longest)]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    lines += [f"| {' | '.join([limb, *(f'{1000 * e:.0f}' for _, e, _ in row)])} |" for limb, row in errors.items()]
    title = "**Interpolated limbs**, rms error in mm per coordinate of the model's elbow and wrist, knee and ankle."
    return "\n\n".join([title, "\n".join(lines)])
