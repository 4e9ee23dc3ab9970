"""Which bone of a rig is which joint of the model: guessed from names and hierarchy, or set by the user.

A joint is always the bone whose head is the joint. Knows arrays and names only."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import MappingError
from .conventions import CENTRE_ROLES, CONVENTIONS, LIMB_ROLES, SIDES, BoneName, Convention, read_names
from .skeleton import JOINTS

_SIDED_ROLES = ("collar", "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "toe")
_ESSENTIAL = tuple(f"{side}_{role}" for side in SIDES for role in ("hip", "knee", "ankle"))


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

    def with_joint(self, joint: str, bone: str | None) -> "Mapping":
        """The same mapping with one joint set (or emptied) by the user."""
        if joint not in self.joints:
            raise MappingError(f"There is no joint called {joint}: use one of {', '.join(JOINTS)}.")
        chosen = JointBone(bone, 1.0) if bone else None
        return replace(self, joints={**self.joints, joint: chosen})

    def missing(self) -> tuple[str, ...]:
        """Joints without a bone, in model order."""
        return tuple(joint for joint, chosen in self.joints.items() if chosen is None)

    def bone(self, joint: str) -> str | None:
        """Name of the joint's bone, or None."""
        chosen = self.joints[joint]
        return chosen.bone if chosen else None

    def to_json(self) -> dict:
        """Plain data for a preset file."""
        joints = {
            joint: {"bone": chosen.bone, "confidence": round(chosen.confidence, 2)} if chosen else None
            for joint, chosen in self.joints.items()
        }
        return {"convention": self.convention, "joints": joints}

    @classmethod
    def from_json(cls, data: dict) -> "Mapping":
        """The mapping of a preset file; joints that the file leaves out are empty."""
        try:
            entries = {joint: data["joints"].get(joint) for joint in JOINTS}
            joints = {j: JointBone(str(e["bone"]), float(e["confidence"])) if e else None for j, e in entries.items()}
            return cls(str(data["convention"]), joints)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise MappingError(
                "The mapping file is not one of PADS: save it again from the Bone Mapping panel."
            ) from error


def guess_mapping(
    names: Sequence[str], parents: Sequence[int], heads: np.ndarray | None = None, tails: np.ndarray | None = None
) -> Mapping:
    """Best mapping of bones with parent indices (B,), rest heads and tails (B, 3) in world space; None where unsure."""
    tree = _Tree(list(names), [int(parent) for parent in parents], heads, tails)
    convention, found, share = _match_convention(read_names(tree.names))
    found = _fill_trunk(tree, found)
    lacking = [joint for joint in _ESSENTIAL if joint not in found]
    if lacking:
        raise MappingError(
            f"No bone was recognised as the {lacking[0].replace('_', ' ')}: set it under PADS > Bone Mapping."
        )
    joints = {joint: JointBone(tree.names[found[joint]], share) if joint in found else None for joint in JOINTS}
    return Mapping(convention, joints)


@dataclass(frozen=True)
class _Tree:
    names: list[str]
    parents: list[int]
    heads: np.ndarray | None
    tails: np.ndarray | None

    def path(self, bone: int) -> list[int]:
        """From the bone up to its root, both included."""
        path = []
        while bone >= 0 and bone not in path:
            path.append(bone)
            bone = self.parents[bone]
        return path

    def carrier(self, bones: list[int]) -> int | None:
        """Deepest bone above (and not among) all of the given ones."""
        paths = [self.path(bone)[1:] for bone in bones]
        return next((bone for bone in paths[0] if all(bone in path for path in paths)), None)


def _match_convention(bones: list[BoneName]) -> tuple[str, dict[str, int], float]:
    """The convention with the most limb and centre joints found: its name, joint -> bone index, share found."""
    core = [f"{side}_{role}" for side in SIDES for role in LIMB_ROLES] + list(CENTRE_ROLES)
    matches = [(convention.name, _find_stems(bones, convention)) for convention in CONVENTIONS]
    name, found = max(matches, key=lambda match: (sum(j in match[1] for j in core), len(match[1])))
    return name, found, sum(joint in found for joint in core) / len(core)


def _find_stems(bones: list[BoneName], convention: Convention) -> dict[str, int]:
    index = {}
    for i, bone in enumerate(bones):
        index.setdefault((bone.side, bone.stem), i)
    wanted = [(role, None, role) for role in CENTRE_ROLES]
    wanted += [(f"{side}_{role}", side, role) for side in SIDES for role in _SIDED_ROLES]
    found = {}
    for joint, side, role in wanted:
        hits = [index[side, stem] for stem in convention.stems[role] if (side, stem) in index]
        if hits:
            found[joint] = hits[0]
    return found


def _fill_trunk(tree: _Tree, found: dict[str, int]) -> dict[str, int]:
    """Pelvis, spine, chest, neck and head top from the hierarchy between the limbs."""
    trunk = dict(found)
    thighs = [found[j] for j in ("left_hip", "right_hip") if j in found]
    arms = [found[j] for j in ("left_shoulder", "right_shoulder", "head") if j in found]
    if len(thighs) == 2 and len(arms) >= 2:
        trunk["pelvis"] = _pelvis(tree, found.get("pelvis"), thighs + arms)
        trunk |= _spine(tree, trunk, arms)
    return {joint: bone for joint, bone in trunk.items() if bone is not None}


def _pelvis(tree: _Tree, named: int | None, carried: list[int]) -> int | None:
    carrier = tree.carrier(carried)
    return named if named is not None and carrier is not None and named in tree.path(carrier) else carrier


def _spine(tree: _Tree, found: dict[str, int], carried: list[int]) -> dict[str, int]:
    chest = tree.carrier(carried)
    if chest is None or found["pelvis"] is None:
        return {}
    if chest == found.get("neck") and tree.parents[found.get("head", chest)] == chest:
        chest = tree.parents[chest]  # 3ds Max Biped hangs its clavicles on the neck
    column = tree.path(chest)
    column = column[: column.index(found["pelvis"])] if found["pelvis"] in column else column[:1]
    spine = {"chest": column[0]} if column else {}
    if len(column) > 1:
        spine["spine"] = column[1:][len(column[1:]) // 2]
    if "head" in found and chest in tree.path(found["head"]):
        above = tree.path(found["head"])[1:]
        necks = above[: above.index(chest)][::-1]
        spine["neck"] = found["neck"] if found.get("neck") in necks else (necks[0] if necks else None)
        spine["head_top"] = _head_top(tree, found["head"])
    return spine


def _head_top(tree: _Tree, head: int) -> int | None:
    words = ("headtop", "headend", "headvertex", "headnub", "heads")
    children = [i for i, parent in enumerate(tree.parents) if parent == head]
    tidy = ["".join(c for c in tree.names[i].lower() if c.isalnum()) for i in children]
    return next((i for i, name in zip(children, tidy, strict=True) if any(word in name for word in words)), None)
