"""Any rig as a RigTake: plainly by its keys where these are the whole story, else as Blender evaluates it.

An evaluated take holds the mapped bones and keyed ones between and above them, each upon a stand-in for all that lies
between it and the next one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import bpy
import numpy as np

from ..core.rig import CHANNELS, RigTake, pose_matrices
from ..core.rotations import make_continuous
from ..core.skeleton import JOINTS, MODEL
from ..core.stand_ins import carry_by_frames, find_stand_ins
from ..errors import TakeError
from . import rigify
from .evaluation import bone_paths, find_object
from .parts import Parts, finish
from .rig_checks import check_bones, is_moved_by_keys, is_plain, refusals
from .rig_reader import carried, find_curves, read_bones, read_take_in_parts
from .transforms import location_of, rotation_of, tabulate

if TYPE_CHECKING:
    from ..core.mapping import Mapping

_ROWS_AT_ONCE = 4096
_SHEAR = 1e-3  # of the rig's size: what channels without shear may leave out of an evaluated pose


def read_rig(armature: bpy.types.Object, mapping: Mapping, switch_to_fk: bool = False) -> RigTake:
    """The armature's motion at every whole frame of its action; TakeError where mapped bones do not turn by their keys.

    switch_to_fk: read limbs of a Rigify rig that follow their IK controls as their FK controls would have to be.
    """
    return finish(read_rig_in_parts(armature, mapping, switch_to_fk))


def read_rig_in_parts(armature: bpy.types.Object, mapping: Mapping, switch_to_fk: bool = False) -> Parts[RigTake]:
    """The same, a part for each frame that Blender has to evaluate."""
    find_curves(armature)
    names = list(dict.fromkeys(chosen.bone for chosen in mapping.joints.values() if chosen))
    limbs = rigify.limbs_in_ik(armature, names)
    if limbs and not switch_to_fk:
        raise TakeError(rigify.refusal(armature, limbs))
    rigify.check_unlocked(armature, limbs)
    check_bones(armature, names)
    if not limbs and is_plain(armature, names):
        return (yield from read_take_in_parts(armature))
    name, uid = armature.name, armature.session_uid
    take = yield from read_evaluated(armature, _bone_tree(armature, mapping))
    if limbs:
        take = yield from rigify.match_fk(find_object(uid, name), take, limbs)
    return take


def is_evaluated(take: RigTake) -> bool:
    """Whether the take was read as Blender evaluates it."""
    return find_stand_ins(take).sum() > 1


def read_again(armature: bpy.types.Object, take: RigTake) -> Parts[RigTake]:
    """What has become of an evaluated take, now that keys have changed; the same entries."""
    is_bone = ~find_stand_ins(take)
    above = {name: _bone_above(take, entry) for entry, name in enumerate(take.names) if is_bone[entry]}
    return read_evaluated(armature, above)


def _bone_above(take: RigTake, entry: int) -> str | None:
    parent, stand_in = int(take.parents[entry]), find_stand_ins(take)
    while parent >= 0 and stand_in[parent]:
        parent = int(take.parents[parent])
    return take.names[parent] if parent >= 0 else None


def read_evaluated(armature: bpy.types.Object, above: dict[str, str | None]) -> Parts[RigTake]:
    """The evaluated motion of some bones, each with the one above it in the take, parents first."""
    name, uid, numbers = armature.name, armature.session_uid, {bone: number for number, bone in enumerate(above)}
    take = yield from read_bones(armature, list(above))
    armature = find_object(uid, name)
    parents = np.array([-1 if parent is None else numbers[parent] for parent in above.values()])
    movable = take.movable & [is_moved_by_keys(armature, armature.pose.bones[bone]) for bone in above]
    pose = yield from bone_paths(armature, list(above), take.frames)
    result = yield from _carried_by_frames(replace(take, parents=parents, movable=movable), pose)
    return (yield from carried(find_object(uid, name), result))


def _carried_by_frames(take: RigTake, pose: np.ndarray) -> Parts[RigTake]:
    """See carry_by_frames: some frames at a time, each checked, and then put together."""
    blocks, joined = [], {}
    for first in range(0, len(take.frames), _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        blocks.append(carry_by_frames(take.rows(rows), pose[rows]))
        _check_shear(blocks[-1], pose[rows])
        yield 1.0
    for each in CHANNELS:
        joined[each] = np.concatenate([getattr(block, each) for block in blocks])
        yield 1.0
    above = find_stand_ins(blocks[0])
    joined["rotation"][:, above] = make_continuous(joined["rotation"][:, above])
    return replace(blocks[0], frames=take.frames, **joined)


def _check_shear(take: RigTake, pose: np.ndarray) -> None:
    size = max(float(np.ptp(take.rest[:, :3, 3], axis=0).max()), 1e-6)
    off = np.abs(pose_matrices(take)[:, ~find_stand_ins(take)] - pose)
    off[..., :3, 3] /= size
    if off.max() > _SHEAR:
        name = take.names[2 * int(off.max(axis=(0, 2, 3)).argmax()) + 1]
        raise TakeError(
            f"Bone {name} is sheared by uneven scale of what carries it, which cannot be read: even it out."
        )


def _bone_tree(armature: bpy.types.Object, mapping: Mapping) -> dict[str, str | None]:
    """The bones of the take, parents first, each with the one above it: the mapped ones, keyed ones between and above.

    Mapped bones are laid upon each other as on the model. The rig's own hierarchy would not do: an FK control may hang
    on helper bones that follow other controls by constraints.
    """
    mapped = _mapped_tree(mapping)
    above = dict(mapped)
    for name, carrier in mapped.items():
        between = _keyed_above(armature, name, carrier)
        chain = [name, *[bone for bone in between if bone not in mapped]]
        for lower, upper in zip(chain, [*chain[1:], carrier], strict=True):
            above[lower] = upper
    return dict(sorted(above.items(), key=lambda entry: _depth(above, entry[0])))


def _mapped_tree(mapping: Mapping) -> dict[str, str | None]:
    above: dict[str, str | None] = {}
    for joint, parent in zip(JOINTS, MODEL.parents, strict=True):
        while parent >= 0 and mapping.bone(JOINTS[parent]) is None:
            parent = MODEL.parents[parent]
        name = mapping.bone(joint)
        if name and name not in above:
            above[name] = mapping.bone(JOINTS[parent]) if parent >= 0 else None
    return above


def _keyed_above(armature: bpy.types.Object, name: str, carrier: str | None) -> list[str]:
    """Bones that move by keys from a bone up to its carrier, or to the root; none where the rig goes another way."""
    parents = [parent.name for parent in armature.pose.bones[name].parent_recursive]
    if carrier is not None and carrier not in parents:
        return []
    table = tabulate(find_curves(armature))
    parents = parents[: parents.index(carrier)] if carrier is not None else parents
    bones, refused = [armature.pose.bones[parent] for parent in parents], refusals(armature, parents)
    keyed = [bone.name for bone in bones if rotation_of(bone).curves(table) or location_of(bone).curves(table)]
    return [bone for bone in keyed if bone not in refused]


def _depth(above: dict[str, str | None], name: str) -> int:
    """How many bones lie above this one."""
    parent = above[name]
    return 0 if parent is None else 1 + _depth(above, parent)
