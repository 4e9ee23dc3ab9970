"""The bones of pelvis, spine, chest, neck and head: from where thighs and arms hang, and from their names."""

from itertools import pairwise

import numpy as np

from .bone_tree import BoneTree
from .conventions import SIDES
from .joint_claims import BODY, Claim, WitnessedRig, leg_length
from .limbs import find_head
from .skeleton import MODEL

_SPINE_PLACE = MODEL.offsets[1, 2] / (MODEL.offsets[1, 2] + MODEL.offsets[2, 2])  # of the way from pelvis to chest
_PELVIS_NEAR = 0.4  # legs between the pelvis and the middle of the hips, at most


def claim_trunk(rig: WitnessedRig, limbs: dict[str, Claim]) -> dict[str, Claim]:
    """Pelvis, spine, chest, neck and head from where thighs and arms hang, agreeing with names where these speak."""
    thighs = [limbs[f"{side}_hip"].bone for side in SIDES if f"{side}_hip" in limbs]
    arms = [limbs[f"{side}_shoulder"].bone for side in SIDES if f"{side}_shoulder" in limbs]
    head = _find_head(rig, arms)
    bones = {"pelvis": _find_pelvis(rig, limbs, thighs, arms), "head": head}
    bones["chest"] = _find_chest(rig, bones["pelvis"], arms, head)
    bones["spine"] = _find_spine(rig, bones["pelvis"], bones["chest"])
    bones["neck"] = _find_neck(rig, bones["chest"], head)
    return {joint: _trunk_claim(rig, joint, bone) for joint, bone in bones.items() if bone is not None}


def _trunk_claim(rig: WitnessedRig, joint: str, bone: int) -> Claim:
    said = rig.named.joints.get("spine" if joint in ("spine", "chest") else joint, [])
    body = 0.0 if rig.tree.is_flat else BODY
    return Claim(bone, 1.0 - (1.0 - body) * (1.0 - rig.named.weight if bone in said else 1.0))


def _find_pelvis(rig: WitnessedRig, limbs: dict[str, Claim], thighs: list[int], arms: list[int]) -> int | None:
    """The bone that carries thighs and chest, or one above it that is called pelvis, at the hips (3ds Max Biped)."""
    carrier = rig.tree.carrier(thighs + arms) if thighs else -1
    named = rig.named.joints.get("pelvis", [])
    if carrier < 0:
        return named[0] if named else None
    scale = leg_length(rig.tree, {joint: claim.bone for joint, claim in limbs.items()})
    named = [bone for bone in named if bone in rig.tree.path(carrier) and _is_at_hips(rig.tree, bone, thighs, scale)]
    return named[0] if named and rig.named.weight > BODY else _climb_to_joint(rig, carrier)


def _is_at_hips(tree: BoneTree, bone: int, thighs: list[int], scale: float) -> bool:
    if tree.heads is None:
        return True
    return float(np.linalg.norm(tree.heads[thighs].mean(axis=0) - tree.heads[bone])) < _PELVIS_NEAR * scale


def _climb_to_joint(rig: WitnessedRig, bone: int) -> int | None:
    """The bone itself or the next above that is no helper."""
    return next((each for each in rig.tree.path(bone) if rig.is_joint(each)), None)


def _find_chest(rig: WitnessedRig, pelvis: int | None, arms: list[int], head: int | None) -> int | None:
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


def _find_spine(rig: WitnessedRig, pelvis: int | None, chest: int | None) -> int | None:
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


def _find_head(rig: WitnessedRig, arms: list[int]) -> int | None:
    named = rig.named.best("head")
    if named is not None or len(arms) < 2 or rig.body is None:
        return named
    limbs = [rig.body.limbs[limb] for limb in ("left_arm", "right_arm") if limb in rig.body.limbs]
    chest = rig.tree.carrier(arms)
    chain = find_head(rig.tree, chest, limbs) if len(limbs) == 2 and chest >= 0 else []
    return chain[-1] if chain and rig.is_joint(chain[-1]) else None


def _find_neck(rig: WitnessedRig, chest: int | None, head: int | None) -> int | None:
    """The first bone between chest and head that is not called spine; the named one where there is no such path."""
    if rig.tree.is_flat or chest is None or head is None:
        return rig.named.best("neck")
    if not rig.tree.is_above(chest, head):
        return rig.named.best("neck")
    path = rig.tree.path(head)[1:]
    spine = rig.named.joints.get("spine", [])
    return next((bone for bone in path[: path.index(chest)][::-1] if rig.is_joint(bone) and bone not in spine), None)
