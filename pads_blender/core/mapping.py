"""Which bone of a rig is which joint of the model: the record, made by mapping_guess.py, the user or a preset.

A joint is always the bone whose head is the joint. Knows names only.
"""

from dataclasses import dataclass, replace

from ..errors import MappingError
from .skeleton import JOINTS

SURE = 0.7  # below this, which needs more than the body's shape alone, the user is asked to look


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
