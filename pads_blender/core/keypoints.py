"""2D keypoints of a take, and what each kind of detector means by its points: stated means of the model's joints.

Where detectors mark something beside a joint, the mean says so as far as anatomy goes (below), and `offset` says how
far it may still be off. The lengths are those of the model's body of 1.70 m; no other repository's tables were used.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .skeleton import JOINTS, MODEL


@dataclass(frozen=True)
class KeypointLayout:
    """A detector's points: names (K), joints (K, J) with keypoint = joints @ positions, offset (K,) metres off.

    A row of zeros is a point that nothing on the model stands for.
    """

    name: str
    names: tuple[str, ...]
    joints: np.ndarray
    offset: np.ndarray

    @property
    def used(self) -> np.ndarray:
        """Points (K,) bool that the model has something for."""
        return self.joints.any(axis=1)

    @property
    def groups(self) -> list[np.ndarray]:
        """Points of both arms, of both legs and of both sides of the head: what detectors confuse together."""
        kinds = (("shoulder", "elbow", "wrist"), ("hip", "joint", "knee", "ankle", "heel", "toe"), ("eye", "ear"))
        ends = [name.rsplit("_", 1)[-1] if self.sides[i] != i else "" for i, name in enumerate(self.names)]
        found = [np.flatnonzero(np.isin(ends, kind)) for kind in kinds]
        return [group for group in found if len(group)]

    @cached_property
    def sides(self) -> np.ndarray:
        """For each point the index of its counterpart on the other side (itself on the midline)."""
        swap = {"left": "right", "right": "left"}
        parts = [name.split("_", 1) for name in self.names]
        other = [f"{swap[p[0]]}_{p[1]}" if p[0] in swap else n for p, n in zip(parts, self.names, strict=True)]
        return np.array([self.names.index(name) for name in other])


@dataclass(frozen=True)
class Keypoints:
    """A take's 2D keypoints: points (F, K, 2) pixels from the upper left corner, confidence (F, K) 0 to 1, 0 unseen."""

    points: np.ndarray
    confidence: np.ndarray
    layout: KeypointLayout

    def __len__(self) -> int:
        return len(self.points)


# Fractions of other segments, left side; `@` is the own side and `~` the other. Beside it metres of what is left.
# Hips: detectors' training images were marked on the body's outline. Femoral heads lie 0.18 m apart, trochanters 0.33;
# marks in the middle lie 0.25 apart: 0.2 of the distance of the heads further out on either side.
# Ears, eyes, nose: in the head's height; to the sides as far as shoulders are wide. Forward no sum of joints reaches.
_SIDED: dict[str, tuple[dict[str, float], float]] = {
    "shoulder": ({"@_shoulder": 1.0}, 0.02),
    "elbow": ({"@_elbow": 1.0}, 0.01),
    "wrist": ({"@_wrist": 1.0}, 0.015),
    "hip": ({"@_hip": 1.2, "~_hip": -0.2}, 0.03),
    "hip_joint": ({"@_hip": 1.0}, 0.03),
    "knee": ({"@_knee": 1.0}, 0.015),
    "ankle": ({"@_ankle": 1.0}, 0.015),
    "heel": ({"@_ankle": 1.6, "@_toe": -0.4, "@_knee": -0.2}, 0.025),
    "big_toe": ({"@_toe": 1.5, "@_ankle": -0.5}, 0.03),
    "small_toe": ({"@_toe": 1.2, "@_ankle": -0.2}, 0.04),
    "eye": ({"head": 0.65, "head_top": 0.35, "@_shoulder": 0.09, "~_shoulder": -0.09}, 0.07),
    "ear": ({"head": 0.8, "head_top": 0.2, "@_shoulder": 0.21, "~_shoulder": -0.21}, 0.04),
    "mouth": ({"head": 1.15, "head_top": -0.15}, 0.08),
}
_MIDDLE: dict[str, tuple[dict[str, float], float]] = {
    "nose": ({"head": 0.9, "head_top": 0.1}, 0.08),
    "neck": ({"left_shoulder": 0.5, "right_shoulder": 0.5}, 0.02),  # OpenPose: middle of the shoulders
    "mid_hip": ({"left_hip": 0.5, "right_hip": 0.5}, 0.02),
    "mid_spine": ({"spine": 0.5, "chest": 0.5}, 0.03),
    "thorax": ({"neck": 1.0}, 0.02),
    "head_top": ({"head_top": 1.0}, 0.03),
    "head": ({"head": 0.5, "head_top": 0.5}, 0.05),
}


def _meaning(name: str) -> tuple[dict[str, float], float]:
    """What a point means, as fractions of joints, and how far it may be off; nothing for a point that we cannot use."""
    side, _, point = name.partition("_")
    if side not in ("left", "right"):
        return _MIDDLE.get(name, ({}, 0.0))
    other = "right" if side == "left" else "left"
    fractions, offset = _SIDED.get(point, ({}, 0.0))
    return {joint.replace("@", side).replace("~", other): share for joint, share in fractions.items()}, offset


def _layout(name: str, points: str) -> KeypointLayout:
    """A layout from its points in order; l_ and r_ stand for left_ and right_, `-` for one that is never used."""
    names = [p.replace("l_", "left_", 1) if p.startswith("l_") else p for p in points.split()]
    names = [p.replace("r_", "right_", 1) if p.startswith("r_") else p for p in names]
    names = [f"unused_{i}" if p == "-" else p for i, p in enumerate(names)]
    joints, offset = np.zeros((len(names), len(MODEL))), np.zeros(len(names))
    for row, point in enumerate(names):
        fractions, offset[row] = _meaning(point)
        for joint, share in fractions.items():
            joints[row, MODEL.index(joint)] += share
    return KeypointLayout(name, tuple(names), joints, offset)


_COCO = (
    "nose l_eye r_eye l_ear r_ear l_shoulder r_shoulder l_elbow r_elbow l_wrist r_wrist l_hip r_hip l_knee r_knee "
    "l_ankle r_ankle"
)
_FEET = "l_big_toe l_small_toe l_heel r_big_toe r_small_toe r_heel"
COCO_17 = _layout("COCO-17", _COCO)
COCO_WHOLEBODY = _layout("COCO-WholeBody", f"{_COCO} {_FEET}{' -' * 110}")
_OPENPOSE_ARMS = "nose neck r_shoulder r_elbow r_wrist l_shoulder l_elbow l_wrist"
_OPENPOSE_LEGS = "r_hip r_knee r_ankle l_hip l_knee l_ankle"
_OPENPOSE_HEAD = "r_eye l_eye r_ear l_ear"
OPENPOSE_18 = _layout("OpenPose COCO-18", f"{_OPENPOSE_ARMS} {_OPENPOSE_LEGS} {_OPENPOSE_HEAD}")
OPENPOSE_25 = _layout("OpenPose BODY_25", f"{_OPENPOSE_ARMS} mid_hip {_OPENPOSE_LEGS} {_OPENPOSE_HEAD} {_FEET}")
# MediaPipe marks the joints' centres, hips too, and the end of the foot: its "foot index" is our big toe.
MEDIAPIPE_33 = _layout(
    "MediaPipe 33",
    "nose - l_eye - - r_eye - l_ear r_ear l_mouth r_mouth l_shoulder r_shoulder l_elbow r_elbow l_wrist r_wrist - - - "
    "- - - l_hip_joint r_hip_joint l_knee r_knee l_ankle r_ankle l_heel r_heel l_big_toe r_big_toe",
)
# The joints that papers evaluate on Human3.6M, in their order; its hips are joints and its root lies between them.
HUMAN36M_17 = _layout(
    "Human3.6M 17",
    "mid_hip r_hip_joint r_knee r_ankle l_hip_joint l_knee l_ankle mid_spine thorax nose head_top l_shoulder l_elbow "
    "l_wrist r_shoulder r_elbow r_wrist",
)
MPI_INF_3DHP_17 = _layout(
    "MPI-INF-3DHP 17",
    "head_top thorax r_shoulder r_elbow r_wrist l_shoulder l_elbow l_wrist r_hip_joint r_knee r_ankle l_hip_joint "
    "l_knee l_ankle mid_hip mid_spine head",
)
# The model's own joints by name: tracking markers and whoever projects a rig.
MODEL_JOINTS = KeypointLayout("joints of the model", JOINTS, np.eye(len(MODEL)), np.zeros(len(MODEL)))
DETECTORS = (COCO_17, COCO_WHOLEBODY, OPENPOSE_18, OPENPOSE_25, MEDIAPIPE_33)


def layout_of(count: int) -> KeypointLayout | None:
    """The detector's layout with so many points, None where there is none."""
    return next((layout for layout in DETECTORS if len(layout.names) == count), None)
