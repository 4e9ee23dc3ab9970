"""The body that the prior knows: 22 joints of one fixed adult, in rest facing -Y with arms out, metres, Z up."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Skeleton:
    """Joint names, parent indices (-1: root; parents come first) and rest offsets (J, 3) from the parent in metres."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.names)

    def index(self, name: str) -> int:
        """Index of a joint; raises ValueError for a name that is not one."""
        return self.names.index(name)

    def indices(self, *names: str) -> list[int]:
        """Indices of several joints."""
        return [self.names.index(name) for name in names]

    @cached_property
    def rest_positions(self) -> np.ndarray:
        """Positions (J, 3) at rest with the root at the origin."""
        return forward_positions(self.parents, self.offsets[None])[0]

    @cached_property
    def mirrored(self) -> np.ndarray:
        """For each joint the index of its counterpart on the other side (itself on the midline)."""
        swap = {"left": "right", "right": "left"}
        sides = [name.split("_", 1) for name in self.names]
        other = [f"{swap[s[0]]}_{s[1]}" if s[0] in swap else name for s, name in zip(sides, self.names, strict=True)]
        return np.array([self.names.index(name) for name in other])


def forward_positions(parents: tuple[int, ...], segments: np.ndarray) -> np.ndarray:
    """Positions (..., J, 3) from the vector of each joint from its parent; the root's vector is its position."""
    positions = np.array(segments, float)
    for joint, parent in enumerate(parents):
        if parent >= 0:
            positions[..., joint, :] += positions[..., parent, :]
    return positions


# name, parent, rest offset (x to the left, -y to the front, z up). Lengths are those of an adult of 1.70 m; our choice.
_TABLE = (
    ("pelvis", -1, (0.0, 0.0, 0.0)),
    ("spine", 0, (0.0, 0.0, 0.11)),
    ("chest", 1, (0.0, 0.0, 0.13)),
    ("neck", 2, (0.0, 0.01, 0.21)),
    ("head", 3, (0.0, -0.02, 0.10)),
    ("head_top", 4, (0.0, -0.01, 0.18)),
    ("left_collar", 2, (0.03, -0.02, 0.15)),
    ("left_shoulder", 6, (0.14, 0.02, 0.02)),
    ("left_elbow", 7, (0.28, 0.0, 0.0)),
    ("left_wrist", 8, (0.26, 0.0, 0.0)),
    ("right_collar", 2, (-0.03, -0.02, 0.15)),
    ("right_shoulder", 10, (-0.14, 0.02, 0.02)),
    ("right_elbow", 11, (-0.28, 0.0, 0.0)),
    ("right_wrist", 12, (-0.26, 0.0, 0.0)),
    ("left_hip", 0, (0.09, 0.0, -0.09)),
    ("left_knee", 14, (0.0, 0.0, -0.41)),
    ("left_ankle", 15, (0.0, 0.0, -0.40)),
    ("left_toe", 16, (0.0, -0.13, -0.06)),
    ("right_hip", 0, (-0.09, 0.0, -0.09)),
    ("right_knee", 18, (0.0, 0.0, -0.41)),
    ("right_ankle", 19, (0.0, 0.0, -0.40)),
    ("right_toe", 20, (0.0, -0.13, -0.06)),
)

MODEL = Skeleton(
    names=tuple(row[0] for row in _TABLE),
    parents=tuple(row[1] for row in _TABLE),
    offsets=np.array([row[2] for row in _TABLE]),
)
JOINTS = MODEL.names
LEG_LENGTH = float(np.linalg.norm(MODEL.offsets[MODEL.indices("left_knee", "left_ankle")], axis=-1).sum())
