"""Training clips as BVH files, the way into the real command line, and the joint positions that a BVH holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..core import rotations as rot
from ..core.bvh import Bvh, rotation_order, world_positions
from ..core.bvh_plain import importable_text
from ..core.rig import RigTake, world_matrices
from ..core.skeleton import JOINTS
from . import data

UNITS_PER_METRE = 100.0  # files in centimetres, like most
_CHANNELS = ("Zrotation", "Xrotation", "Yrotation")
_ROOT_CHANNELS = ("Xposition", "Yposition", "Zposition", *_CHANNELS)


def bvh_of(take: RigTake) -> Bvh:
    """The take as a BVH in centimetres; its bones must lie along the armature's axes at rest, as load_rig_clips has it.

    Bones called ..._tip become End Sites. The result has numbers and no text.
    """
    bones = _depth_first(take)
    place = {bone: row for row, bone in enumerate(bones)}
    heads = take.rest[:, :3, 3] * UNITS_PER_METRE
    offsets = heads - np.where(take.parents[:, None] >= 0, heads[take.parents], 0.0)
    ends = np.full((len(bones), 3), np.nan)
    for tip in set(range(len(take.names))) - set(bones):
        ends[place[int(take.parents[tip])]] = offsets[tip]
    return Bvh(
        names=tuple(take.names[bone] for bone in bones),
        parents=np.array([place.get(int(take.parents[bone]), -1) for bone in bones]),
        offsets=offsets[bones],
        ends=ends,
        channels=tuple(_ROOT_CHANNELS if take.parents[bone] < 0 else _CHANNELS for bone in bones),
        frame_time=1.0 / take.fps,
        motion=_motion(take, bones),
        header="",
        rows=(),
    )


def _depth_first(take: RigTake) -> list[int]:
    """Bones without tips in the order in which a BVH names them."""
    order: list[int] = []
    waiting = [int(bone) for bone in np.flatnonzero(take.parents < 0)[::-1]]
    while waiting:
        bone = waiting.pop()
        order.append(bone)
        children = np.flatnonzero(take.parents == bone)[::-1]
        waiting += [int(child) for child in children if not take.names[child].endswith("_tip")]
    return order


def _motion(take: RigTake, bones: list[int]) -> np.ndarray:
    """Channel values (F, C): degrees without jumps, and the root's position."""
    order = rotation_order(_CHANNELS)
    degrees = np.degrees(rot.continuous_euler(rot.to_euler(take.rotation[:, bones], order), order))
    degrees = degrees[..., ["XYZ".index(name[0]) for name in _CHANNELS]]
    columns = []
    for row, bone in enumerate(bones):
        if take.parents[bone] < 0:
            columns.append(UNITS_PER_METRE * (take.rest[bone, :3, 3] + take.location[:, bone]))
        columns.append(degrees[:, row])
    return np.concatenate(columns, axis=1)


def write_clip(take: RigTake, path: Path) -> None:
    """Write the take as a BVH file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(importable_text(bvh_of(take)), encoding="utf-8")


def positions_metres(bvh: Bvh, names: list[str]) -> np.ndarray:
    """World positions (F, N, 3) of the named joints, metres, file axes."""
    columns = [bvh.names.index(name) for name in names]
    return world_positions(bvh)[:, columns] / UNITS_PER_METRE


def chain_positions(parents: np.ndarray, local_positions: np.ndarray, local_rotations: np.ndarray) -> np.ndarray:
    """World positions (F, J, 3) from each joint's position (F, J, 3) in its parent and its own rotation (F, J, 4)."""
    turned = rot.to_matrix(local_rotations)
    positions = np.array(local_positions)
    for joint, parent in enumerate(parents):
        if parent >= 0:
            positions[:, joint] = positions[:, parent] + (turned[:, parent] @ positions[:, joint, :, None])[..., 0]
            turned[:, joint] = turned[:, parent] @ turned[:, joint]
    return positions


def limb_bones(clip: data.RigClip, first: str, last: str) -> tuple[str, ...]:
    """Every bone from one joint to above another: a forearm may be two."""
    take, joints = clip.take, clip.mapping.joints
    top, bone = take.names.index(joints[first].bone), take.names.index(joints[last].bone)
    bones = []
    while bone != top:
        bone = int(take.parents[bone])
        bones.append(take.names[bone])
    return tuple(bones[::-1])


def joint_positions(take: RigTake, clip: data.RigClip, joints: list[str] | tuple[str, ...] = JOINTS) -> np.ndarray:
    """World positions (F, N, 3) in metres of the clip's mapped ones among these joints, on the rig itself."""
    bones = [take.names.index(clip.mapping.joints[j].bone) for j in joints if clip.mapping.joints[j]]
    return world_matrices(take)[..., :3, 3][:, bones]
