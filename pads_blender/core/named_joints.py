"""What the names of a rig's bones say: the convention that names the most joints, and its bones of each joint.

Positions are asked only where names alone mislead. What the body says belongs to limbs.py, the decision to
joint_claims.py.
"""

from dataclasses import dataclass

import numpy as np

from .bone_tree import BoneTree
from .conventions import CONVENTIONS, LAYERS, SIDES, BoneName, find_stems

NAMES = 0.95  # most that names weigh: times the square of the share of the convention's core joints found
LIMBS = {"leg": ("hip", "knee", "ankle"), "arm": ("shoulder", "elbow", "wrist")}
LIMB_JOINTS = tuple(f"{side}_{role}" for side in SIDES for roles in LIMBS.values() for role in roles)
_CORE = (*LIMB_JOINTS, "pelvis", "neck", "head")


@dataclass(frozen=True)
class NamedJoints:
    """What the names say: bones of each joint, best first, and how much that weighs."""

    convention: str
    layer: str
    joints: dict[str, list[int]]
    weight: float

    def best(self, joint: str) -> int | None:
        """The bone that the names give to a joint."""
        return self.joints[joint][0] if joint in self.joints else None


def match_names(tree: BoneTree, bones: list[BoneName]) -> NamedJoints:
    """The convention that names the most core joints, of equal ones that with the most bones in all."""
    layers = [layer for layer in LAYERS if any(bone.layer == layer for bone in bones)] or [""]
    found = [(c, layer, _sort_out(tree, find_stems(bones, c, layer))) for c in CONVENTIONS for layer in layers]
    convention, layer, joints = max(found, key=lambda each: _count(each[2], -LAYERS.index(each[1])))
    share = sum(joint in joints for joint in _CORE) / len(_CORE)
    return NamedJoints(convention.name if share > 0.5 else "unknown", layer, joints, NAMES * share**2)


def _count(joints: dict[str, list[int]], layer_rank: int) -> tuple[int, int, int]:
    return sum(joint in joints for joint in _CORE), layer_rank, sum(len(bones) for bones in joints.values())


def _sort_out(tree: BoneTree, joints: dict[str, list[int]]) -> dict[str, list[int]]:
    """Drop limb joints of which left and right are one place; put first the wrist that fits the arm."""
    if tree.heads is None:
        return joints
    twins = [(f"left_{role}", f"right_{role}") for roles in LIMBS.values() for role in roles]
    merged = {
        joint
        for a, b in twins
        if a in joints and b in joints and _is_zero(tree, joints[a][0], joints[b][0])
        for joint in (a, b)
    }
    kept = {joint: bones for joint, bones in joints.items() if joint not in merged}
    return kept | {f"{side}_wrist": _sort_wrists(tree, kept, side) for side in SIDES if f"{side}_wrist" in kept}


def _is_zero(tree: BoneTree, a: int, b: int) -> bool:
    return tree.distance(a, b) < 1e-4 * np.ptp(tree.heads, axis=0).max()


def _sort_wrists(tree: BoneTree, joints: dict[str, list[int]], side: str) -> list[int]:
    """Wrists by how alike they make forearm and upper arm: CMU's LeftHand starts two thirds down the forearm."""
    wrists, shoulder, elbow = joints[f"{side}_wrist"], joints.get(f"{side}_shoulder"), joints.get(f"{side}_elbow")
    if not (shoulder and elbow):
        return wrists
    upper = max(tree.distance(shoulder[0], elbow[0]), 1e-9)
    return sorted(wrists, key=lambda wrist: round(abs(np.log(max(tree.distance(elbow[0], wrist), 1e-9) / upper)), 3))
