"""What the two witnesses, names and body, claim to be a joint's bone, and with how much confidence together.

Confidence of a bone: 1 - product of (1 - weight) over the witnesses for it, times (1 - weight) of the one against it.
"""

from dataclasses import dataclass

from .bone_tree import BoneTree
from .conventions import SIDES, BoneName
from .limbs import Body
from .named_joints import LIMBS, NamedJoints

BODY = 0.6  # what the body weighs: times the quality of its shape (1 where hierarchy alone is asked)
CONFIDENT = 0.3  # below this a joint stays empty
_SAME_PLACE = 0.02  # legs between two heads that are one place: a control lies on the bone that it moves


@dataclass(frozen=True)
class Claim:
    """A bone (its index) that is said to be a joint's, and how sure that is, 0 to 1."""

    bone: int
    confidence: float


@dataclass(frozen=True)
class WitnessedRig:
    """A rig with what its names say and what its shape says; body: None where no two legs stand out."""

    tree: BoneTree
    bones: list[BoneName]
    named: NamedJoints
    body: Body | None

    @property
    def body_weight(self) -> float:
        """How much the shape weighs, 0 without a body."""
        return BODY * self.body.quality if self.body else 0.0

    def is_spoken_for(self, bone: int | None) -> bool:
        """Whether names of some weight give the bone to any joint."""
        return self.named.weight >= CONFIDENT and any(bone in bones[:1] for bones in self.named.joints.values())

    def is_joint(self, bone: int | None) -> bool:
        """Whether a bone that hierarchy or shape points at may be mapped: no helper, unless the names want it."""
        if bone is None or any(bone in bones for bones in self.named.joints.values()):
            return bone is not None
        return not self.bones[bone].is_helper and self.bones[bone].layer == self.named.layer


def weigh(rig: WitnessedRig, named: int | None, shaped: int | None, scale: float) -> Claim | None:
    """The bone with the better witness; two bones whose heads share one place are one answer. scale: a leg's length."""
    names, body = rig.named.weight, rig.body_weight
    if named is not None and shaped is not None and are_close(rig.tree, named, shaped, _SAME_PLACE * scale):
        return Claim(named, 1.0 - (1.0 - names) * (1.0 - body))
    alone = Claim(named, names) if named is not None else None
    if not rig.is_joint(shaped):
        return alone
    if alone is None:
        return None if rig.is_spoken_for(shaped) else Claim(shaped, body)
    claims = Claim(named, names * (1.0 - body)), Claim(shaped, body * (1.0 - names))
    return max(claims, key=lambda claim: claim.confidence)


def are_close(tree: BoneTree, a: int, b: int, distance: float) -> bool:
    """Whether two heads are no farther apart than a distance; without positions only a bone is close, to itself."""
    return a == b or (tree.heads is not None and tree.distance(a, b) <= distance)


def leg_length(tree: BoneTree, joints: dict[str, int | None]) -> float:
    """Hip to knee to ankle of the longer leg known; 0 without positions."""
    legs = [[joints.get(f"{side}_{role}") for role in LIMBS["leg"]] for side in SIDES]
    known = [leg for leg in legs if None not in leg] if tree.heads is not None else []
    return max((tree.distance(hip, knee) + tree.distance(knee, ankle) for hip, knee, ankle in known), default=0.0)
