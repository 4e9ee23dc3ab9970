"""The motion of any armature as the text of a new BVH file, for takes that came in another format. No bpy.

World space, Y up, in centimetres. Each joint's axes are the world's while the rig is at rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import TakeError
from . import rotations as rot
from .bvh import ARMATURE_FROM_BVH, Bvh
from .bvh_plain import importable_text
from .retarget import unscaled

_CENTIMETRES = 100.0
_ROTATIONS = ("Zrotation", "Xrotation", "Yrotation")
_POSITIONS = ("Xposition", "Yposition", "Zposition")
_ORDER = "YXZ"  # Blender's name for these channels: the last one named turns first
_STILL = 1e-6  # of the rig's size: a joint that moves less against its parent needs no position channels


@dataclass(frozen=True)
class PosedBones:
    """Bones of an armature at rest and in every frame, in world space and metres, Z up."""

    names: tuple[str, ...]
    parents: np.ndarray  # (B,) int, -1 = none
    rest: np.ndarray  # (B, 4, 4)
    tails: np.ndarray  # (B, 3) at rest
    world: np.ndarray  # (F, B, 4, 4)
    fps: float


def bvh_text(bones: PosedBones) -> str:
    """The motion as BVH text; joints that are moved against their parent, or hang on a scaled one, have positions.

    TakeError where there are no frames.
    """
    if not len(bones.world):
        raise TakeError("There are no frames: nothing was written.")
    order = _in_depth(bones.parents)
    place = {bone: number for number, bone in enumerate(order)} | {-1: -1}
    parents = np.array([place[int(bones.parents[bone])] for bone in order])
    heads = _in_file(bones.rest[order, :3, 3])
    offsets = _from_parent(heads[None], parents)[0]
    local, turned = _local_motion(_in_file(bones.world[..., :3, 3][:, order]), _turns(bones)[:, order], parents)
    size = max(float(np.ptp(heads, axis=0).max(initial=0.0)), 1e-6)
    moves = (np.abs(local - offsets).max(axis=(0, 2)) > _STILL * size) | (parents < 0)
    angles = np.degrees(rot.continuous_euler(rot.to_euler(turned, _ORDER), _ORDER))[..., [2, 0, 1]]
    parts = [[local[:, joint]] * bool(moves[joint]) + [angles[:, joint]] for joint in range(len(order))]
    is_end = ~np.isin(np.arange(len(order)), parents)
    bvh = Bvh(
        names=tuple(_one_word(bones.names[bone]) for bone in order),
        parents=parents,
        offsets=offsets,
        ends=np.where(is_end[:, None], _in_file(bones.tails[order]) - heads, np.nan),
        channels=tuple((_POSITIONS if moved else ()) + _ROTATIONS for moved in moves),
        frame_time=1.0 / bones.fps,
        motion=np.concatenate([column for part in parts for column in part], axis=1),
        header="",
        rows=(),
    )
    return importable_text(bvh)


def _one_word(name: str) -> str:
    """A name without blanks and braces: BVH has no quotes."""
    return "_".join(name.replace("{", "(").replace("}", ")").split()) or "bone"


def _in_depth(parents: np.ndarray) -> list[int]:
    """Bones in the order in which a HIERARCHY block names them: each followed by all that hangs on it."""
    order: list[int] = []
    waiting = np.flatnonzero(parents < 0).tolist()[::-1]
    while waiting:
        order.append(waiting.pop())
        waiting += np.flatnonzero(parents == order[-1]).tolist()[::-1]
    return order


def _in_file(vectors: np.ndarray) -> np.ndarray:
    """World vectors (..., 3) in metres in the file's axes and units."""
    return _CENTIMETRES * vectors @ ARMATURE_FROM_BVH


def _turns(bones: PosedBones) -> np.ndarray:
    """Turns (F, B, 4) from rest in the file's world."""
    axes = rot.from_matrix(ARMATURE_FROM_BVH)
    posed, rest = (rot.from_matrix(unscaled(matrices[..., :3, :3])) for matrices in (bones.world, bones.rest))
    return rot.multiply(rot.multiply(rot.inverse(axes), rot.multiply(posed, rot.inverse(rest))), axes)


def _from_parent(heads: np.ndarray, parents: np.ndarray) -> np.ndarray:
    """Heads (F, B, 3) from those of their parents, of roots from the origin."""
    return heads - np.where((parents < 0)[:, None], 0.0, heads[:, parents])


def _local_motion(heads: np.ndarray, turns: np.ndarray, parents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions (F, B, 3) and rotations (F, B, 4) of the joints in their parents' spaces."""
    back = np.where((parents < 0)[:, None], rot.IDENTITY, rot.inverse(turns[:, parents]))
    return rot.rotate(back, _from_parent(heads, parents)), rot.multiply(back, turns)
