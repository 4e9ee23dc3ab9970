"""Bones at rest as guess_mapping takes them: of files in shared data, and of the model's body under other names."""

import json
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pads_blender.core.bvh import ARMATURE_FROM_BVH, read_bvh
from pads_blender.core.mapping import Mapping
from pads_blender.core.mapping_guess import guess_mapping
from pads_blender.core.skeleton import JOINTS, MODEL

CENTRE_JOINTS = ("pelvis", "chest", "neck", "head")
LIMB_JOINTS = tuple(
    f"{s}_{j}" for s in ("left", "right") for j in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
)
UP = np.array([0.0, 0.0, 0.01])
HIK = {
    **{
        "pelvis": "Hips",
        "spine": "Spine",
        "chest": "Spine1",
        "neck": "Neck",
        "head": "Head",
        "head_top": "HeadTop_End",
    },
    **{
        f"{side.lower()}_{joint}": side + bone
        for side in ("Left", "Right")
        for joint, bone in {
            **{"collar": "Shoulder", "shoulder": "Arm", "elbow": "ForeArm", "wrist": "Hand"},
            **{"hip": "UpLeg", "knee": "Leg", "ankle": "Foot", "toe": "ToeBase"},
        }.items()
    },
}


@dataclass(frozen=True)
class Bones:
    """Names, parents, heads and tails as guess_mapping takes them."""

    names: list[str]
    parents: list[int]
    heads: np.ndarray | None = None
    tails: np.ndarray | None = None

    def guess(self) -> Mapping:
        return guess_mapping(self.names, self.parents, self.heads, self.tails)

    def turned(self, world: np.ndarray) -> "Bones":
        """The rest pose under a (3, 3) matrix."""
        return Bones(self.names, self.parents, self.heads @ world.T, self.tails @ world.T)

    def renamed(self, names: list[str]) -> "Bones":
        return Bones(names, self.parents, self.heads, self.tails)

    def without(self, *names: str) -> "Bones":
        """Bones taken out, their children with them."""
        gone = {i for i, name in enumerate(self.names) if name in names}
        for _ in self.names:
            gone |= {i for i, parent in enumerate(self.parents) if parent in gone}
        kept = [i for i in range(len(self.names)) if i not in gone]
        place = {old: new for new, old in enumerate(kept)} | {-1: -1}
        heads, tails = (None if p is None else p[kept] for p in (self.heads, self.tails))
        return Bones([self.names[i] for i in kept], [place[self.parents[i]] for i in kept], heads, tails)


def read_bones(path: Path) -> Bones:
    readers = {".bvh": read_bvh_bones, ".json": read_json_bones, ".vrma": read_gltf_bones}
    return readers[path.suffix](path)


def read_bvh_bones(path: Path) -> Bones:
    bvh = read_bvh(path)
    ends = {joint: end for joint, end in enumerate(bvh.ends) if np.isfinite(end).all()}
    return chain_up(list(bvh.names), [int(parent) for parent in bvh.parents], bvh.offsets, ends)


def read_json_bones(path: Path) -> Bones:
    data = json.loads(path.read_text(encoding="utf-8"))
    if "bones" in data:
        names, bones = list(data["bones"]), data["bones"].values()
        parents = [names.index(bone["parent"]) if bone["parent"] else -1 for bone in bones]
        return Bones(names, parents, *(np.array([bone[end] for bone in bones]) for end in ("head", "tail")))
    names = data["names"]
    above = data.get("parent_names", [None] * len(names))
    parents = data.get("parents", [names.index(name) if name else -1 for name in above])
    if "offsets" not in data:
        return Bones(names, parents)
    return chain_up(names, parents, data["offsets"], dict(data["end_sites"]))


def read_gltf_bones(path: Path) -> Bones:
    raw = path.read_bytes()
    nodes = json.loads(raw[20 : 20 + struct.unpack("<I", raw[12:16])[0]])["nodes"]
    parents = [-1] * len(nodes)
    for i, node in enumerate(nodes):
        for child in node.get("children", ()):
            parents[child] = i
    return chain_up([n.get("name", "") for n in nodes], parents, [n.get("translation", (0, 0, 0)) for n in nodes], {})


def chain_up(names, parents, offsets, ends) -> Bones:
    """World positions, Z up, of Y-up offsets from the parent; a tail is the end site or the middle of the children."""
    offsets = np.asarray(offsets, float) @ ARMATURE_FROM_BVH.T
    ends = {joint: ARMATURE_FROM_BVH @ np.asarray(end, float) for joint, end in ends.items()}

    def head(joint: int) -> np.ndarray:
        return offsets[joint] + (head(parents[joint]) if parents[joint] >= 0 else 0)

    heads = np.array([head(joint) for joint in range(len(names))])
    below = [[c for c, parent in enumerate(parents) if parent == joint] for joint in range(len(names))]
    tails = [heads[b].mean(axis=0) if b else heads[i] + ends.get(i, 0) for i, b in enumerate(below)]
    return Bones(names, list(parents), heads, np.array(tails))


def scramble(bones: Bones, seed: int) -> tuple[Bones, dict[str | None, str | None]]:
    """Bones in another order under names without meaning, and the old name of each."""
    order = np.random.default_rng(seed).permutation(len(bones.names))
    place = {int(old): new for new, old in enumerate(order)} | {-1: -1}
    names = [f"{old * 7919 % 99991:05d}" for old in order]
    parents = [place[bones.parents[old]] for old in order]
    back = {name: bones.names[old] for name, old in zip(names, order, strict=True)} | {None: None}
    return Bones(names, parents, bones.heads[order], bones.tails[order]), back


def human_bones(names: dict[str, str] | None = None) -> Bones:
    """The model's own body, its joints called by their own names or by others."""
    rest = MODEL.rest_positions
    tails = rest + UP
    for joint, parent in enumerate(MODEL.parents):
        if parent >= 0:
            tails[parent] = rest[joint]
    return Bones([(names or {}).get(joint, joint) for joint in JOINTS], list(MODEL.parents), rest, tails)


def bones_of(mapping: Mapping) -> dict[str, str | None]:
    return {joint: mapping.bone(joint) for joint in JOINTS}


def drop_unnamed(bones: Bones, names: dict[str, str]) -> Bones:
    """Bones of the model that the convention has no name for, out; their children move to the parent."""
    kept = [i for i, joint in enumerate(JOINTS) if joint in names]

    def nearest(joint: int) -> int:
        parent = MODEL.parents[joint]
        return -1 if parent < 0 else kept.index(parent) if parent in kept else nearest(parent)

    return Bones([bones.names[i] for i in kept], [nearest(i) for i in kept], bones.heads[kept], bones.tails[kept])


def are_one_place(bones: Bones, a: str | None, b: str | None) -> bool:
    """CMU's LeftHand and LeftFingerBase in the conversion whose wrist has no length."""
    return None not in (a, b) and np.allclose(*(bones.heads[bones.names.index(name)] for name in (a, b)))
