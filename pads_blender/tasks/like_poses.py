"""Where a hidden joint was whenever the rest of the body stood like this: the take's own frames tell, and how surely.

Gaussian process regression (Rasmussen and Williams 2006): two frames in which the other joints lie alike, or that
follow each other closely, have the hidden joint in about the same place. Its standard deviation says how surely.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.normalise import frame_matrix
from ..core.skeleton import MODEL
from .running import find_runs

SHORTEST_SECONDS = 0.15
_NUGGET = 0.02  # noise, in the spread of the joint's place
_MEASURED_SHARE = 0.4  # of a joint's noise that a first look leaves
_SMALLEST_METRES = 0.02
_LEAST_FRAMES, _LEAST_JOINTS = 20, 4
# Where like poses are as unsure as this, half is left to the first answer. On validation clips 60 to 150 mm did about
# alike: arms hidden for 30, 60 and 120 frames 1, 3 and 10 % better than without, single joints and one leg 7 %.
_DOUBT_METRES = 0.1
_FPS = 30.0  # of the frames learnt from

_LEFT_HIP, _RIGHT_HIP, _LEFT_SHOULDER, _RIGHT_SHOULDER = MODEL.indices(
    "left_hip", "right_hip", "left_shoulder", "right_shoulder"
)
_LEGS = np.isin(np.arange(len(MODEL)), MODEL.indices(*[f"{s}_{j}" for s in ("left", "right")
                                                      for j in ("knee", "ankle", "toe")]))  # fmt: skip
# Of legs the prior knows more by itself: so many standard deviations for one, on the same clips.
_TRUST = np.where(_LEGS, 2.0, 1.0)


@dataclass(frozen=True)
class Likeness:
    """How far poses and times count as near. Chosen on validation clips, where what is near it does about as well.

    `evaluate recall` tries each without the prior (docs/benchmark.md). With the prior after it, a time_share of 0.03 is
    2 % better on short gaps and 4 % worse on long ones than 0.1.

    pose_width: in median distances of the poses; pose_share, time_share: variance that poses explain, and only nearness
    in time, in that of the joint's place; time_seconds: how long the latter lasts; context_seconds: learnt from before
    and after a gap.
    """

    pose_width: float = 2.0
    pose_share: float = 10.0
    time_share: float = 0.1
    time_seconds: float = 0.5
    context_seconds: float = 3.0


@dataclass(frozen=True)
class Gap:
    """Joints that are hidden over the same frames, start (included) to stop (excluded)."""

    joints: list[int]
    start: int
    stop: int


def recall_hidden(
    positions: np.ndarray, visible: np.ndarray, noise: np.ndarray, fps: float, likeness: Likeness | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Positions (F, J, 3) with joints that are hidden for long placed as in like poses, and their error (F, J).

    Where like poses are unsure, the first answer counts too.

    positions: a first answer for every joint and frame; visible (F, J): where it was measured; noise (J,) metres of the
    measurement. The error is in metres per coordinate, infinite where the take tells nothing.
    """
    likeness, recalled, error = likeness or Likeness(), positions.copy(), np.full(visible.shape, np.inf)
    gaps = find_gaps(visible, max(2, round(SHORTEST_SECONDS * fps)))
    if not gaps:
        return recalled, error
    facing = _facing(positions)
    body = np.einsum("fji,fkj->fki", facing, positions - positions[:, :1])
    for gap in gaps:
        rows, others, joints = _evidence(visible, gap, likeness.context_seconds, fps)
        if len(rows) < _LEAST_FRAMES or others.sum() < _LEAST_JOINTS or not joints:
            continue
        inside = np.arange(gap.start, gap.stop)
        kernel = _kernel(body[:, others], np.concatenate([rows, inside]), len(rows), fps, likeness)
        placed, unsure = _regress(kernel, body, rows, inside, others, joints, noise)
        placed = np.einsum("fij,fkj->fki", facing[inside], placed) + positions[inside, :1]
        share = (1.0 / (1.0 + (unsure / _DOUBT_METRES) ** 2))[..., None]
        first = positions[gap.start : gap.stop, joints]
        recalled[gap.start : gap.stop, joints] = first + share * (placed - first)
        error[gap.start : gap.stop, joints] = unsure
    return recalled, error


def find_gaps(visible: np.ndarray, shortest: int) -> list[Gap]:
    """Stretches of so many frames or more in which joints are not visible (F, J); those that coincide are one."""
    found: dict[tuple[int, int], list[int]] = {}
    for joint in np.flatnonzero(~visible.all(axis=0)):
        for first, last in find_runs(~visible[:, joint]):
            if last - first + 1 >= shortest:
                found.setdefault((first, last + 1), []).append(int(joint))
    return [Gap(joints, *rows) for rows, joints in found.items()]


def _facing(positions: np.ndarray) -> np.ndarray:
    """World from body (F, 3, 3): upright, with the left of hips and shoulders along x."""
    left = positions[:, _LEFT_HIP] - positions[:, _RIGHT_HIP]
    left = left + positions[:, _LEFT_SHOULDER] - positions[:, _RIGHT_SHOULDER]
    return frame_matrix(left * np.array([1.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0]))


def _evidence(
    visible: np.ndarray, gap: Gap, context_seconds: float, fps: float
) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Frames (N,) to learn from, joints (J,) bool that tell, and the gap's joints that are worth asking for.

    What two hidden legs do the prior tells better: on validation clips, 120 frames, 70 mm beside 80.
    """
    reach = round(context_seconds * fps)
    rows = np.arange(max(gap.start - reach, 0), min(gap.stop + reach, len(visible)), max(1, round(fps / _FPS)))
    rows = rows[visible[np.ix_(rows, gap.joints)].all(axis=1)]
    others = visible[gap.start : gap.stop].mean(axis=0) > 0.8
    others[0] = False  # the pelvis is where the body's frame begins
    if len(rows):
        others &= visible[rows].mean(axis=0) > 0.5
    return rows, others, [j for j in gap.joints if not _LEGS[j] or others[MODEL.mirrored[j]]]


def _kernel(poses: np.ndarray, rows: np.ndarray, count: int, fps: float, likeness: Likeness) -> np.ndarray:
    """Covariance (N, N + G) of the first `count` of these rows with all: Gaussian in the pose, Matern 3/2 in time."""
    flat, seconds = poses[rows].reshape(len(rows), -1), rows / fps
    square = np.sum(flat**2, axis=1)
    apart = np.maximum(square[:count, None] + square - 2.0 * flat[:count] @ flat.T, 0.0)
    usual = max(likeness.pose_width**2 * float(np.median(apart[:, :count])), flat.shape[1] * _SMALLEST_METRES**2)
    late = np.sqrt(3.0) * np.abs(seconds[:count, None] - seconds) / likeness.time_seconds
    return likeness.pose_share * np.exp(-0.5 * apart / usual) + likeness.time_share * (1.0 + late) * np.exp(-late)


def _regress(
    kernel: np.ndarray,
    body: np.ndarray,
    rows: np.ndarray,
    inside: np.ndarray,
    others: np.ndarray,
    joints: list[int],
    noise: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean (G, K, 3) in the body's frame, and standard deviation (G, K), of joints in the frames inside the gap."""
    anchors, count = [_anchor(joint, others) for joint in joints], len(rows)
    known = body[rows][:, joints] - body[rows][:, anchors]
    middle = known.mean(axis=0)
    spread = np.maximum(np.sqrt(np.mean((known - middle) ** 2, axis=(0, 2))), _SMALLEST_METRES)
    nugget = _NUGGET**2 + np.mean((_MEASURED_SHARE * noise[joints] / spread) ** 2)
    across = kernel[:, count:]
    weights = np.linalg.solve(kernel[:, :count] + nugget * np.eye(count), across)
    mean = np.einsum("ng,nki->gki", weights, known - middle) + middle + body[inside][:, anchors]
    variance = kernel[0, 0] - np.sum(weights * across, axis=0)
    return mean, _TRUST[joints] * spread * np.sqrt(np.maximum(variance, nugget))[:, None]


def _anchor(joint: int, others: np.ndarray) -> int:
    """The nearest joint above that tells, or the pelvis."""
    parent = MODEL.parents[joint]
    while parent > 0 and not others[parent]:
        parent = MODEL.parents[parent]
    return max(parent, 0)
