"""The body of the demo's own performance: its skeleton, poses of it, and the file. Metres, Y up."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core import rotations as rot

FPS = 30.0

# name, parent, offset from the parent in rest (x to the left, z to the front). A slim adult of 1.78 m in T-pose.
_TABLE = (
    ("Hips", "", (0.0, 0.985, 0.0)),
    ("Spine", "Hips", (0.0, 0.095, -0.012)),
    ("Spine1", "Spine", (0.0, 0.115, 0.0)),
    ("Spine2", "Spine1", (0.0, 0.12, 0.004)),
    ("Neck", "Spine2", (0.0, 0.18, -0.008)),
    ("Head", "Neck", (0.0, 0.09, 0.018)),
    ("LeftShoulder", "Spine2", (0.035, 0.13, 0.01)),
    ("LeftArm", "LeftShoulder", (0.14, 0.005, -0.02)),
    ("LeftForeArm", "LeftArm", (0.285, 0.0, 0.0)),
    ("LeftHand", "LeftForeArm", (0.255, 0.0, 0.0)),
    ("RightShoulder", "Spine2", (-0.035, 0.13, 0.01)),
    ("RightArm", "RightShoulder", (-0.14, 0.005, -0.02)),
    ("RightForeArm", "RightArm", (-0.285, 0.0, 0.0)),
    ("RightHand", "RightForeArm", (-0.255, 0.0, 0.0)),
    ("LeftUpLeg", "Hips", (0.095, -0.055, 0.0)),
    ("LeftLeg", "LeftUpLeg", (0.0, -0.43, 0.0)),
    ("LeftFoot", "LeftLeg", (0.0, -0.42, 0.0)),
    ("LeftToeBase", "LeftFoot", (0.012, -0.062, 0.135)),
    ("RightUpLeg", "Hips", (-0.095, -0.055, 0.0)),
    ("RightLeg", "RightUpLeg", (0.0, -0.43, 0.0)),
    ("RightFoot", "RightLeg", (0.0, -0.42, 0.0)),
    ("RightToeBase", "RightFoot", (-0.012, -0.062, 0.135)),
)
_ENDS = {
    "Head": (0.0, 0.185, 0.01),
    "LeftHand": (0.17, 0.0, 0.0),
    "RightHand": (-0.17, 0.0, 0.0),
    "LeftToeBase": (0.0, -0.006, 0.065),
    "RightToeBase": (0.0, -0.006, 0.065),
}
NAMES = tuple(row[0] for row in _TABLE)
PARENTS = tuple(NAMES.index(row[1]) if row[1] else -1 for row in _TABLE)
OFFSETS = np.array([row[2] for row in _TABLE])
LEFT, RIGHT = "Left", "Right"


@dataclass(frozen=True)
class Performance:
    """Local rotations (F, J, 4) and root positions (F, 3) of the demo's skeleton."""

    rotations: np.ndarray
    root: np.ndarray


def pose_positions(performance: Performance) -> np.ndarray:
    """Joint positions (F, J, 3) in metres."""
    local = {name: performance.rotations[:, joint] for joint, name in enumerate(NAMES)}
    return np.stack([posed(local, performance.root, name)[1] for name in NAMES], axis=1)


def bvh_text(performance: Performance) -> str:
    """The performance as a BVH file, angles in the order Z, X, Y."""
    degrees = np.degrees(
        np.stack([rot.continuous_euler(rot.to_euler(q, "YXZ"), "YXZ") for q in _by_joint(performance)], axis=1)
    )
    values = np.concatenate([performance.root, degrees[:, :, [2, 0, 1]].reshape(len(degrees), -1)], axis=1)
    head = ["HIERARCHY", *_joint_lines(0, ""), "MOTION", f"Frames: {len(values)}", f"Frame Time: {1 / FPS:.9f}"]
    return "\n".join([*head, *(" ".join(map("%.6f".__mod__, row)) for row in values), ""])


def _by_joint(performance: Performance) -> np.ndarray:
    return np.moveaxis(performance.rotations, 1, 0)


def _joint_lines(joint: int, indent: str) -> list[str]:
    inner, name = indent + "  ", NAMES[joint]
    positions = "" if joint else "Xposition Yposition Zposition "
    lines = [f"{indent}{'JOINT' if joint else 'ROOT'} {name}", indent + "{", inner + _offset(OFFSETS[joint])]
    lines.append(f"{inner}CHANNELS {3 if joint else 6} {positions}Zrotation Xrotation Yrotation")
    for child in (i for i, parent in enumerate(PARENTS) if parent == joint):
        lines += _joint_lines(child, inner)
    if name in _ENDS:
        lines += [inner + "End Site", inner + "{", f"{inner}  {_offset(_ENDS[name])}", inner + "}"]
    return [*lines, indent + "}"]


def _offset(offset: Sequence[float]) -> str:
    return "OFFSET " + " ".join(f"{value:.6f}" for value in offset)


def posed(local: dict[str, np.ndarray], root: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """World rotation (F, 4) and position (F, 3) of a joint."""
    joint = NAMES.index(name)
    if PARENTS[joint] < 0:
        return local[name], root
    turned, position = posed(local, root, NAMES[PARENTS[joint]])
    return rot.multiply(turned, local[name]), position + rot.rotate(turned, OFFSETS[joint])


def rest(name: str) -> np.ndarray:
    """Offset (3,) of a joint from its parent."""
    return OFFSETS[NAMES.index(name)]
