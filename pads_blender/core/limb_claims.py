"""The bones of legs and arms, by their names and by the shape of the body, and what hangs on them and on the head."""

from dataclasses import replace

from .bone_tree import BoneTree
from .conventions import SIDES
from .joint_claims import Claim, WitnessedRig, are_close, leg_length, weigh
from .named_joints import LIMB_JOINTS, LIMBS

OUT_OF_ORDER = 0.5  # factor for a bone that does not hang below the bone of its parent joint
_ABOVE = {"knee": "hip", "ankle": "knee", "toe": "ankle", "elbow": "shoulder", "wrist": "elbow"}
_TOE_AWAY, _HEAD_TOP_AWAY = 0.07, 0.1  # legs: nearer to the ankle it is no toe, nearer to the head no top of it
_HEAD_TOP_WORDS = ("headtop", "headend", "headvertex", "headnub", "headtip")


def claim_limbs(rig: WitnessedRig) -> dict[str, Claim]:
    """The bones of hips, knees, ankles, shoulders, elbows and wrists, as far as there are any."""
    shaped = {
        f"{side}_{role}": rig.body.limbs[f"{side}_{limb}"].joints[place]
        for side in SIDES
        for limb, roles in LIMBS.items()
        for place, role in enumerate(roles)
        if rig.body and f"{side}_{limb}" in rig.body.limbs
    }
    scale = leg_length(rig.tree, {joint: rig.named.best(joint) for joint in LIMB_JOINTS} | shaped)
    claims = {joint: weigh(rig, rig.named.best(joint), shaped.get(joint), scale) for joint in LIMB_JOINTS}
    return _in_order(rig.tree, {joint: claim for joint, claim in claims.items() if claim})


def _in_order(tree: BoneTree, claims: dict[str, Claim]) -> dict[str, Claim]:
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


# --- collars, toes, top of the head -----------------------------------------------------------------------------------


def claim_ends(rig: WitnessedRig, claims: dict[str, Claim]) -> dict[str, Claim]:
    """Collars, toes and the top of the head, given the claims of limbs and trunk."""
    scale = leg_length(rig.tree, {joint: claim.bone for joint, claim in claims.items()})
    found = {f"{side}_{role}": find(rig, claims, side, scale) for side in SIDES for role, find in _ENDS.items()}
    ends = {joint: weigh(rig, *bones, scale) for joint, bones in found.items()}
    top = _find_head_top(rig, claims.get("head"), scale)
    ends["head_top"] = Claim(top, claims["head"].confidence) if top is not None else None
    return {joint: claim for joint, claim in ends.items() if claim}


def _find_collar(rig: WitnessedRig, claims: dict[str, Claim], side: str, scale: float) -> tuple[int | None, int | None]:
    """The clavicle by its name and by shape: the first bone of the arm's chain, if that is not the upper arm."""
    shoulder, chest = claims.get(f"{side}_shoulder"), claims.get("chest")
    if shoulder is None:
        return None, None
    named = rig.named.best(f"{side}_collar")
    limb = rig.body.limbs.get(f"{side}_arm") if rig.body else None
    shaped = limb.chain[0] if limb and limb.joints[0] == shoulder.bone != limb.chain[0] else None
    taken = {claim.bone for claim in (shoulder, chest) if claim}
    return (None if named in taken else named), (None if shaped in taken else shaped)


def _find_toe(rig: WitnessedRig, claims: dict[str, Claim], side: str, scale: float) -> tuple[int | None, int | None]:
    """The toe by its name and by shape, unless it starts at the ankle: such a bone is the foot once more."""
    ankle = claims.get(f"{side}_ankle")
    if ankle is None:
        return None, None
    limb = rig.body.limbs.get(f"{side}_leg") if rig.body else None
    shaped = limb.beyond if limb and limb.joints[2] == ankle.bone else None
    toes = rig.named.best(f"{side}_toe"), shaped
    near = [toe is not None and are_close(rig.tree, toe, ankle.bone, _TOE_AWAY * scale) for toe in toes]
    return tuple(None if is_near else toe for toe, is_near in zip(toes, near, strict=True))


_ENDS = {"collar": _find_collar, "toe": _find_toe}


def _find_head_top(rig: WitnessedRig, head: Claim | None, scale: float) -> int | None:
    """The end bone on the head, if it starts far enough above it."""
    children = rig.tree.children[head.bone] if head else []
    named = [bone for bone in children if any(word in rig.bones[bone].stem for word in _HEAD_TOP_WORDS)]
    away = [b for b in named if not are_close(rig.tree, b, head.bone, _HEAD_TOP_AWAY * scale)]
    return away[0] if away else None
