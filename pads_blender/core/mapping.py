"""Which bone of a rig is which joint of the model: guessed from names, hierarchy and shape, or set by the user.

A joint is always the bone whose head is the joint. Two witnesses are heard: the names, whole conventions at once, and
the body, by hierarchy and bone lengths. Knows arrays and names only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from ..errors import MappingError
from .bone_tree import BoneTree
from .conventions import CONVENTIONS, LAYERS, SIDES, BoneName, find_stems, full_name, read_names
from .limbs import Body, find_body, find_head
from .skeleton import JOINTS, MODEL

# Confidence of a bone: 1 - product of (1 - weight) over the witnesses for it, times (1 - weight) of the one against it.
# The names weigh NAMES times the square of the share of the convention's core joints found, the body BODY times the
# quality of its shape (1 where hierarchy alone is asked).
NAMES = 0.95
BODY = 0.6
OUT_OF_ORDER = 0.5  # factor for a bone that does not hang below the bone of its parent joint
CONFIDENT = 0.3  # below this a joint stays empty
SURE = 0.7  # below this, which needs more than the body's shape alone, the user is asked to look

_LIMBS = {"leg": ("hip", "knee", "ankle"), "arm": ("shoulder", "elbow", "wrist")}
_LIMB_JOINTS = tuple(f"{side}_{role}" for side in SIDES for roles in _LIMBS.values() for role in roles)
_CORE = (*_LIMB_JOINTS, "pelvis", "neck", "head")
_ESSENTIAL = ("pelvis", *[f"{side}_{role}" for side in SIDES for role in _LIMBS["leg"]])
_ABOVE = {"knee": "hip", "ankle": "knee", "toe": "ankle", "elbow": "shoulder", "wrist": "elbow"}
_SPINE_PLACE = MODEL.offsets[1, 2] / (MODEL.offsets[1, 2] + MODEL.offsets[2, 2])  # of the way from pelvis to chest
# Distances between heads by the length of a leg: one place (a control lies on the bone that it moves), least, greatest.
_SAME_PLACE, _TOE_AWAY, _HEAD_TOP_AWAY, _PELVIS_NEAR = 0.02, 0.07, 0.1, 0.4
_HEAD_TOP_WORDS = ("headtop", "headend", "headvertex", "headnub", "headtip")


@dataclass(frozen=True)
class JointBone:
    """The bone of one joint and how sure the guess is, 0 to 1 (1: set by the user)."""

    bone: str
    confidence: float


@dataclass(frozen=True)
class Mapping:
    """Bone of every model joint, None where the rig has none or the guess is unsure."""

    convention: str
    joints: dict[str, JointBone | None]

    @classmethod
    def empty(cls) -> "Mapping":
        """No joint has a bone: where a user starts whose rig could not be guessed."""
        return cls("none", dict.fromkeys(JOINTS))

    def with_joint(self, joint: str, bone: str | None) -> "Mapping":
        """The same mapping with one joint set (or emptied) by the user."""
        if joint not in self.joints:
            raise MappingError(f"There is no joint called {joint}: use one of {', '.join(JOINTS)}.")
        chosen = JointBone(bone, 1.0) if bone else None
        return replace(self, joints={**self.joints, joint: chosen})

    def missing(self) -> tuple[str, ...]:
        """Joints without a bone, in model order."""
        return tuple(joint for joint in JOINTS if self.joints[joint] is None)

    def unsure(self) -> tuple[str, ...]:
        """Joints with a bone that is no more than a good guess, in model order."""
        chosen = {joint: self.joints[joint] for joint in JOINTS}
        return tuple(joint for joint, each in chosen.items() if each and each.confidence < SURE)

    def bone(self, joint: str) -> str | None:
        """Name of the joint's bone, or None."""
        chosen = self.joints[joint]
        return chosen.bone if chosen else None

    def to_json(self) -> dict:
        """Plain data for a preset file."""
        entries = {
            j: chosen and {"bone": chosen.bone, "confidence": round(chosen.confidence, 2)}
            for j, chosen in self.joints.items()
        }
        return {"convention": self.convention, "joints": entries}

    @classmethod
    def from_json(cls, data: dict) -> "Mapping":
        """The mapping of a preset file; joints that the file leaves out are empty."""
        try:
            entries = {joint: data["joints"].get(joint) for joint in JOINTS}
            joints = {j: JointBone(str(e["bone"]), float(e["confidence"])) if e else None for j, e in entries.items()}
            if not all(each is None or 0.0 <= each.confidence <= 1.0 for each in joints.values()):
                raise ValueError("a confidence beyond 0 to 1")
            return cls(str(data["convention"]), joints)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise MappingError("This is no bone mapping of PADS: save it again from PADS > Rig > Bones.") from error


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


def _sure_joints(rig: "_Rig", names: Sequence[str]) -> Mapping:
    claims = _claim_limbs(rig)
    claims |= _claim_trunk(rig, claims)
    claims |= _claim_ends(rig, claims)
    sure = {joint: claim for joint, claim in _one_joint_each(claims).items() if claim.confidence >= CONFIDENT}
    joints = {j: JointBone(names[sure[j].bone], sure[j].confidence) if j in sure else None for j in JOINTS}
    return Mapping(rig.named.convention, joints)


def _one_joint_each(claims: dict[str, "_Claim"]) -> dict[str, "_Claim"]:
    """Claims without those on a bone that another joint claims with more confidence."""
    best: dict[int, str] = {}
    for joint in sorted(claims, key=lambda each: claims[each].confidence):
        best[claims[joint].bone] = joint
    return {joint: claim for joint, claim in claims.items() if best[claim.bone] == joint}


def _explain(rig: "_Rig", lacking: list[str]) -> str:
    if rig.body and not rig.body.limbs:
        return "Neither bone names nor rest pose tell left from right: set the joints under PADS > Rig > Bones."
    joints = ", ".join(joint.replace("_", " ") for joint in lacking)
    return f"No bone was recognised as {joints}: set what this rig has under PADS > Rig > Bones."


@dataclass(frozen=True)
class _Claim:
    bone: int
    confidence: float


@dataclass(frozen=True)
class _Named:
    """What the names say: bones of each joint, best first, and how much that weighs."""

    convention: str
    layer: str
    joints: dict[str, list[int]]
    weight: float

    def best(self, joint: str) -> int | None:
        """The bone that the names give to a joint."""
        return self.joints[joint][0] if joint in self.joints else None


@dataclass(frozen=True)
class _Rig:
    tree: BoneTree
    bones: list[BoneName]
    named: _Named
    body: Body | None

    def is_spoken_for(self, bone: int | None) -> bool:
        """Whether names of some weight give the bone to any joint."""
        return self.named.weight >= CONFIDENT and any(bone in bones[:1] for bones in self.named.joints.values())

    def is_joint(self, bone: int | None) -> bool:
        """Whether a bone that hierarchy or shape points at may be mapped: no helper, unless the names want it."""
        if bone is None or any(bone in bones for bones in self.named.joints.values()):
            return bone is not None
        return not self.bones[bone].is_helper and self.bones[bone].layer == self.named.layer


def _read_rig(names: Sequence[str], parents: Sequence[int], heads: np.ndarray | None, tails: np.ndarray | None) -> _Rig:
    tree, bones = _plant(parents, heads, tails), read_names(names)
    body = find_body(tree, [bone.side for bone in bones])
    named = _match_names(tree, bones)
    return _Rig(tree, bones, replace(named, convention=full_name(named.convention, names)), body)


def _plant(parents: Sequence[int], heads: np.ndarray | None, tails: np.ndarray | None) -> BoneTree:
    """The tree of bones, without positions where these are missing or all in one place."""
    parents = tuple(int(parent) for parent in parents)
    if heads is None or len(heads) < 2 or not np.isfinite(heads).all() or np.ptp(heads, axis=0).max() < 1e-9:
        return BoneTree(parents)
    return BoneTree(parents, np.asarray(heads, float), None if tails is None else np.asarray(tails, float))


# --- names ------------------------------------------------------------------------------------------------------------


def _match_names(tree: BoneTree, bones: list[BoneName]) -> _Named:
    """The convention that names the most core joints, of equal ones that with the most bones in all."""
    layers = [layer for layer in LAYERS if any(bone.layer == layer for bone in bones)] or [""]
    found = [(c, layer, _sort_out(tree, find_stems(bones, c, layer))) for c in CONVENTIONS for layer in layers]
    convention, layer, joints = max(found, key=lambda each: _count(each[2], -LAYERS.index(each[1])))
    share = sum(joint in joints for joint in _CORE) / len(_CORE)
    return _Named(convention.name if share > 0.5 else "unknown", layer, joints, NAMES * share**2)


def _count(joints: dict[str, list[int]], layer_rank: int) -> tuple[int, int, int]:
    return sum(joint in joints for joint in _CORE), layer_rank, sum(len(bones) for bones in joints.values())


def _sort_out(tree: BoneTree, joints: dict[str, list[int]]) -> dict[str, list[int]]:
    """Drop limb joints of which left and right are one place; put first the wrist that fits the arm."""
    if tree.heads is None:
        return joints
    twins = [(f"left_{role}", f"right_{role}") for roles in _LIMBS.values() for role in roles]
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


# --- limbs ------------------------------------------------------------------------------------------------------------


def _claim_limbs(rig: _Rig) -> dict[str, _Claim]:
    shaped = {
        f"{side}_{role}": rig.body.limbs[f"{side}_{limb}"].joints[place]
        for side in SIDES
        for limb, roles in _LIMBS.items()
        for place, role in enumerate(roles)
        if rig.body and f"{side}_{limb}" in rig.body.limbs
    }
    scale = _leg_length(rig.tree, {joint: rig.named.best(joint) for joint in _LIMB_JOINTS} | shaped)
    weight = BODY * rig.body.quality if rig.body else 0.0
    claims = {joint: _weigh(rig, rig.named.best(joint), shaped.get(joint), weight, scale) for joint in _LIMB_JOINTS}
    return _in_order(rig.tree, {joint: claim for joint, claim in claims.items() if claim})


def _weigh(rig: _Rig, named: int | None, shaped: int | None, weight: float, scale: float) -> _Claim | None:
    """The bone with the better witness; two bones whose heads share one place are one answer."""
    names = rig.named.weight
    if named is not None and shaped is not None and _are_close(rig.tree, named, shaped, _SAME_PLACE * scale):
        return _Claim(named, 1.0 - (1.0 - names) * (1.0 - weight))
    alone = _Claim(named, names) if named is not None else None
    if not rig.is_joint(shaped):
        return alone
    if alone is None:
        return None if rig.is_spoken_for(shaped) else _Claim(shaped, weight)
    claims = _Claim(named, names * (1.0 - weight)), _Claim(shaped, weight * (1.0 - names))
    return max(claims, key=lambda claim: claim.confidence)


def _are_close(tree: BoneTree, a: int, b: int, distance: float) -> bool:
    return a == b or (tree.heads is not None and tree.distance(a, b) <= distance)


def _leg_length(tree: BoneTree, joints: dict[str, int | None]) -> float:
    """Hip to knee to ankle of the longer leg known; 0 without positions."""
    legs = [[joints.get(f"{side}_{role}") for role in _LIMBS["leg"]] for side in SIDES]
    known = [leg for leg in legs if None not in leg] if tree.heads is not None else []
    return max((tree.distance(hip, knee) + tree.distance(knee, ankle) for hip, knee, ankle in known), default=0.0)


def _in_order(tree: BoneTree, claims: dict[str, _Claim]) -> dict[str, _Claim]:
    """Claims with less confidence where a bone does not hang below that of the joint above."""
    if tree.is_flat:
        return claims
    ordered = dict(claims)
    for joint, claim in claims.items():
        side, role = joint.split("_")
        above = claims.get(f"{side}_{_ABOVE.get(role)}")
        if above and not tree.is_above(above.bone, claim.bone):
            ordered[joint] = replace(claim, confidence=OUT_OF_ORDER * claim.confidence)
    return ordered


# --- trunk ------------------------------------------------------------------------------------------------------------


def _claim_trunk(rig: _Rig, limbs: dict[str, _Claim]) -> dict[str, _Claim]:
    """Pelvis, spine, chest, neck and head from where thighs and arms hang, agreeing with names where these speak."""
    thighs = [limbs[f"{side}_hip"].bone for side in SIDES if f"{side}_hip" in limbs]
    arms = [limbs[f"{side}_shoulder"].bone for side in SIDES if f"{side}_shoulder" in limbs]
    head = _find_head(rig, arms)
    bones = {"pelvis": _find_pelvis(rig, limbs, thighs, arms), "head": head}
    bones["chest"] = _find_chest(rig, bones["pelvis"], arms, head)
    bones["spine"] = _find_spine(rig, bones["pelvis"], bones["chest"])
    bones["neck"] = _find_neck(rig, bones["chest"], head)
    return {joint: _trunk_claim(rig, joint, bone) for joint, bone in bones.items() if bone is not None}


def _trunk_claim(rig: _Rig, joint: str, bone: int) -> _Claim:
    said = rig.named.joints.get("spine" if joint in ("spine", "chest") else joint, [])
    body = 0.0 if rig.tree.is_flat else BODY
    return _Claim(bone, 1.0 - (1.0 - body) * (1.0 - rig.named.weight if bone in said else 1.0))


def _find_pelvis(rig: _Rig, limbs: dict[str, _Claim], thighs: list[int], arms: list[int]) -> int | None:
    """The bone that carries thighs and chest, or one above it that is called pelvis, at the hips (3ds Max Biped)."""
    carrier = rig.tree.carrier(thighs + arms) if thighs else -1
    named = rig.named.joints.get("pelvis", [])
    if carrier < 0:
        return named[0] if named else None
    scale = _leg_length(rig.tree, {joint: claim.bone for joint, claim in limbs.items()})
    named = [bone for bone in named if bone in rig.tree.path(carrier) and _is_at_hips(rig.tree, bone, thighs, scale)]
    return named[0] if named and rig.named.weight > BODY else _climb_to_joint(rig, carrier)


def _is_at_hips(tree: BoneTree, bone: int, thighs: list[int], scale: float) -> bool:
    if tree.heads is None:
        return True
    return float(np.linalg.norm(tree.heads[thighs].mean(axis=0) - tree.heads[bone])) < _PELVIS_NEAR * scale


def _climb_to_joint(rig: _Rig, bone: int) -> int | None:
    """The bone itself or the next above that is no helper."""
    return next((each for each in rig.tree.path(bone) if rig.is_joint(each)), None)


def _find_chest(rig: _Rig, pelvis: int | None, arms: list[int], head: int | None) -> int | None:
    """The bone above the pelvis that carries arms and head, or the arms alone; in a bare list the last spine."""
    if rig.tree.is_flat:
        return rig.named.joints["spine"][-1] if len(rig.named.joints.get("spine", [])) > 1 else None
    for carried in (arms + [head] * (head is not None), arms):
        carrier = rig.tree.carrier(carried) if len(carried) > 1 else -1
        if carrier >= 0 and carrier == rig.named.best("neck") and carrier == rig.tree.parents[carried[-1]]:
            carrier = rig.tree.parents[carrier]  # 3ds Max Biped hangs its clavicles on the neck
        chest = _climb_to_joint(rig, carrier)
        if chest is not None and rig.tree.is_above(-1 if pelvis is None else pelvis, chest):
            return chest
    return None


def _find_spine(rig: _Rig, pelvis: int | None, chest: int | None) -> int | None:
    """The bone between pelvis and chest that lies most like the model's; in a bare list the middle name."""
    if rig.tree.is_flat:
        lower = rig.named.joints.get("spine", [])[:-1]
        return lower[(len(lower) - 1) // 2] if lower else None
    if pelvis is None or chest is None:
        return None
    column = rig.tree.path(chest)
    column = column[: column.index(pelvis) + 1][::-1]
    steps = [1.0 if rig.tree.heads is None else rig.tree.distance(*step) for step in pairwise(column)]
    way = np.cumsum([0.0, *steps]) / max(sum(steps), 1e-9)
    between = [place for place in range(1, len(column) - 1) if rig.is_joint(column[place])]
    return column[min(between, key=lambda place: abs(way[place] - _SPINE_PLACE))] if between else None


def _find_head(rig: _Rig, arms: list[int]) -> int | None:
    named = rig.named.best("head")
    if named is not None or len(arms) < 2 or rig.body is None:
        return named
    limbs = [rig.body.limbs[limb] for limb in ("left_arm", "right_arm") if limb in rig.body.limbs]
    chest = rig.tree.carrier(arms)
    chain = find_head(rig.tree, chest, limbs) if len(limbs) == 2 and chest >= 0 else []
    return chain[-1] if chain and rig.is_joint(chain[-1]) else None


def _find_neck(rig: _Rig, chest: int | None, head: int | None) -> int | None:
    """The first bone between chest and head that is not called spine; the named one where there is no such path."""
    if rig.tree.is_flat or chest is None or head is None:
        return rig.named.best("neck")
    if not rig.tree.is_above(chest, head):
        return rig.named.best("neck")
    path = rig.tree.path(head)[1:]
    spine = rig.named.joints.get("spine", [])
    return next((bone for bone in path[: path.index(chest)][::-1] if rig.is_joint(bone) and bone not in spine), None)


# --- collars, toes, top of the head -----------------------------------------------------------------------------------


def _claim_ends(rig: _Rig, claims: dict[str, _Claim]) -> dict[str, _Claim]:
    scale = _leg_length(rig.tree, {joint: claim.bone for joint, claim in claims.items()})
    weight = BODY * rig.body.quality if rig.body else 0.0
    found = {f"{side}_{role}": find(rig, claims, side, scale) for side in SIDES for role, find in _ENDS.items()}
    ends = {joint: _weigh(rig, *bones, weight, scale) for joint, bones in found.items()}
    top = _find_head_top(rig, claims.get("head"), scale)
    ends["head_top"] = _Claim(top, claims["head"].confidence) if top is not None else None
    return {joint: claim for joint, claim in ends.items() if claim}


def _find_collar(rig: _Rig, claims: dict[str, _Claim], side: str, scale: float) -> tuple[int | None, int | None]:
    """The clavicle by its name and by shape: the first bone of the arm's chain, if that is not the upper arm."""
    shoulder, chest = claims.get(f"{side}_shoulder"), claims.get("chest")
    if shoulder is None:
        return None, None
    named = rig.named.best(f"{side}_collar")
    limb = rig.body.limbs.get(f"{side}_arm") if rig.body else None
    shaped = limb.chain[0] if limb and limb.joints[0] == shoulder.bone != limb.chain[0] else None
    taken = {claim.bone for claim in (shoulder, chest) if claim}
    return (None if named in taken else named), (None if shaped in taken else shaped)


def _find_toe(rig: _Rig, claims: dict[str, _Claim], side: str, scale: float) -> tuple[int | None, int | None]:
    """The toe by its name and by shape, unless it starts at the ankle: such a bone is the foot once more."""
    ankle = claims.get(f"{side}_ankle")
    if ankle is None:
        return None, None
    limb = rig.body.limbs.get(f"{side}_leg") if rig.body else None
    shaped = limb.beyond if limb and limb.joints[2] == ankle.bone else None
    toes = rig.named.best(f"{side}_toe"), shaped
    near = [toe is not None and _are_close(rig.tree, toe, ankle.bone, _TOE_AWAY * scale) for toe in toes]
    return tuple(None if is_near else toe for toe, is_near in zip(toes, near, strict=True))


_ENDS = {"collar": _find_collar, "toe": _find_toe}


def _find_head_top(rig: _Rig, head: _Claim | None, scale: float) -> int | None:
    """The end bone on the head, if it starts far enough above it."""
    children = rig.tree.children[head.bone] if head else []
    named = [bone for bone in children if any(word in rig.bones[bone].stem for word in _HEAD_TOP_WORDS)]
    away = [b for b in named if not _are_close(rig.tree, b, head.bone, _HEAD_TOP_AWAY * scale)]
    return away[0] if away else None
