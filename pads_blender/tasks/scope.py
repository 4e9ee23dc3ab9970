"""What Clean leaves alone because the user asked for less: joints that are not included, motion that is not broken."""

from __future__ import annotations

import numpy as np

from ..core.rig import RigTake
from ..core.skeleton import JOINTS, MODEL
from ..errors import TakeError
from .kept import Kept
from .running import running_highest

_ARM, _LEG = ("collar", "shoulder", "elbow", "wrist"), ("hip", "knee", "ankle", "toe")
LIMBS = {
    "torso": ("pelvis", "spine", "chest", "neck", "head", "head_top"),
    "left_arm": tuple(f"left_{joint}" for joint in _ARM),
    "right_arm": tuple(f"right_{joint}" for joint in _ARM),
    "left_leg": tuple(f"left_{joint}" for joint in _LEG),
    "right_leg": tuple(f"right_{joint}" for joint in _LEG),
}
_BESIDE = 1  # frames on either side of what is broken that may change with it


def joints_of(limbs: tuple[str, ...]) -> tuple[str, ...]:
    """All joints of some of LIMBS, in model order."""
    return tuple(joint for joint in JOINTS if any(joint in LIMBS[limb] for limb in limbs))


def keep_left_out(take: RigTake, kept: Kept, bones: np.ndarray, joints: tuple[str, ...] | None) -> Kept:
    """What is kept, with all that does not belong to the chosen joints (None: all); bones (J,) of the joints.

    A bone without a joint of its own belongs to that of the next bone above it which has one, else to the pelvis.
    """
    if joints is None:
        return kept
    if not joints:
        raise TakeError("No part of the body is included: switch on at least one limb.")
    chosen = {int(bones[joint]) for joint in MODEL.indices(*joints) if bones[joint] >= 0}
    left_out = np.array([_owner(take, bone, bones) not in chosen for bone in range(len(take.names))])
    return Kept(kept.rotation | left_out, kept.location | left_out)


def _owner(take: RigTake, bone: int, bones: np.ndarray) -> int:
    """The joint's bone that this one is or hangs on."""
    while bone >= 0 and bone not in bones:
        bone = int(take.parents[bone])
    return bone if bone >= 0 else int(bones[0])


def keep_unbroken(kept: Kept, broken: np.ndarray) -> Kept:
    """What is kept, with all but the broken bones and frames (F, B) and the frames right beside them.

    For the user who wants gaps or leaps mended, and the rest of the motion exactly as it was captured.
    """
    whole = ~(running_highest(broken.astype(float), _BESIDE) > 0)
    return Kept(kept.rotation | whole, kept.location | whole)
