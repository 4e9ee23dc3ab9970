"""Which poses of the model run a part of the body through another. Knows slim capsules about the bones, no meshes."""

from __future__ import annotations

import itertools

import numpy as np

from .skeleton import MODEL

_OVERLAP_METRES = 0.01  # from which parts of the body count as one inside the other
_ALONG = np.linspace(0.0, 1.0, 7)[:, None]
# Capsules: from joint, to joint, radius in metres; a slim body, so that real poses hardly ever meet.
_PARTS = (
    ("spine", "neck", 0.09),
    ("head", "head_top", 0.07),
    *((f"{s}_shoulder", f"{s}_elbow", 0.035) for s in ("left", "right")),
    *((f"{s}_elbow", f"{s}_wrist", 0.03) for s in ("left", "right")),
    *((f"{s}_hip", f"{s}_knee", 0.05) for s in ("left", "right")),
    *((f"{s}_knee", f"{s}_ankle", 0.04) for s in ("left", "right")),
)


def self_intersecting(poses: np.ndarray) -> np.ndarray:
    """Poses (N, J, 3) -> (N,) bool: parts of the body that are no neighbours lie a centimetre or more in each other."""
    points = []
    for part in _PARTS:
        start, end = (poses[:, MODEL.index(joint)][:, None] for joint in part[:2])
        points.append(start + _ALONG * (end - start))
    found = np.zeros(len(poses), bool)
    for one, other in itertools.combinations(range(len(_PARTS)), 2):
        if _are_apart(one, other):
            apart = np.linalg.norm(points[one][:, :, None] - points[other][:, None], axis=-1).min(axis=(1, 2))
            found |= apart < _PARTS[one][2] + _PARTS[other][2] - _OVERLAP_METRES
    return found


def _are_apart(one: int, other: int) -> bool:
    """Whether two parts are no neighbours: they share no joint, and are not both beside the hips or the shoulders."""
    ends = [set(_PARTS[part][:2]) for part in (one, other)]
    near = [{"spine", "neck", "head", "left_shoulder", "right_shoulder"}, {"spine", "left_hip", "right_hip"}]
    return not (ends[0] & ends[1]) and not any(ends[0] & group and ends[1] & group for group in near)
