"""The guess which bone of a rig is which joint of the model, from names, hierarchy and shape.

Two witnesses are heard: the names, whole conventions at once (named_joints.py), and the body, by hierarchy and bone
lengths (limbs.py). What they claim together is in joint_claims.py, limb_claims.py and trunk_claims.py.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..errors import MappingError
from .bone_tree import BoneTree
from .conventions import SIDES, full_name, read_names
from .joint_claims import CONFIDENT, Claim, WitnessedRig
from .limb_claims import claim_ends, claim_limbs
from .limbs import find_body
from .mapping import JointBone, Mapping
from .named_joints import LIMBS, match_names
from .skeleton import JOINTS
from .trunk_claims import claim_trunk

_ESSENTIAL = ("pelvis", *[f"{side}_{role}" for side in SIDES for role in LIMBS["leg"]])


def guess_mapping(
    names: Sequence[str], parents: Sequence[int], heads: np.ndarray | None = None, tails: np.ndarray | None = None
) -> Mapping:
    """Best mapping of bones with parent indices (B,), rest heads and tails (B, 3) in world space; None where unsure.

    MappingError where a joint is unsure that cannot be done without.
    """
    rig = _read_rig(names, parents, heads, tails)
    mapping = _sure_joints(rig, names)
    lacking = [joint for joint in _ESSENTIAL if mapping.bone(joint) is None]
    if lacking:
        raise MappingError(_explain(rig, lacking))
    return mapping


def guess_joints(
    names: Sequence[str], parents: Sequence[int], heads: np.ndarray | None = None, tails: np.ndarray | None = None
) -> Mapping:
    """The same for people to complete: whatever is sure, be it nothing."""
    return _sure_joints(_read_rig(names, parents, heads, tails), names)


def _sure_joints(rig: WitnessedRig, names: Sequence[str]) -> Mapping:
    claims = claim_limbs(rig)
    claims |= claim_trunk(rig, claims)
    claims |= claim_ends(rig, claims)
    sure = {joint: claim for joint, claim in _one_joint_each(claims).items() if claim.confidence >= CONFIDENT}
    joints = {j: JointBone(names[sure[j].bone], sure[j].confidence) if j in sure else None for j in JOINTS}
    return Mapping(rig.named.convention, joints)


def _one_joint_each(claims: dict[str, Claim]) -> dict[str, Claim]:
    """Claims without those on a bone that another joint claims with more confidence."""
    best: dict[int, str] = {}
    for joint in sorted(claims, key=lambda each: claims[each].confidence):
        best[claims[joint].bone] = joint
    return {joint: claim for joint, claim in claims.items() if best[claim.bone] == joint}


def _explain(rig: WitnessedRig, lacking: list[str]) -> str:
    if rig.body and not rig.body.limbs:
        return "Neither bone names nor rest pose tell left from right: set the joints under PADS > Rig > Bones."
    joints = ", ".join(joint.replace("_", " ") for joint in lacking)
    return f"No bone was recognised as {joints}: set what this rig has under PADS > Rig > Bones."


def _read_rig(
    names: Sequence[str], parents: Sequence[int], heads: np.ndarray | None, tails: np.ndarray | None
) -> WitnessedRig:
    tree, bones = _plant(parents, heads, tails), read_names(names)
    body = find_body(tree, [bone.side for bone in bones])
    named = match_names(tree, bones)
    return WitnessedRig(tree, bones, replace(named, convention=full_name(named.convention, names)), body)


def _plant(parents: Sequence[int], heads: np.ndarray | None, tails: np.ndarray | None) -> BoneTree:
    """The tree of bones, without positions where these are missing or all in one place."""
    parents = tuple(int(parent) for parent in parents)
    if heads is None or len(heads) < 2 or not np.isfinite(heads).all() or np.ptp(heads, axis=0).max() < 1e-9:
        return BoneTree(parents)
    return BoneTree(parents, np.asarray(heads, float), None if tails is None else np.asarray(tails, float))
