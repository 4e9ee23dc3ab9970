"""An armature object and its current action as a RigTake: plain arrays, nothing of Blender in them.

Bones are read as plain forward kinematics; evaluated_reader.py knows what to do where that is not enough. What cannot
be read is refused before anything is touched.
"""

from collections.abc import Sequence
from dataclasses import replace

import bpy
import numpy as np

from ..core.channels import quaternions_from_channels
from ..core.rig import CHANNELS, RigTake
from ..core.stand_ins import Channels, carry_by_object, find_stand_ins, path_channels
from ..errors import TakeError
from . import compat
from .evaluation import find_object
from .object_motion import may_carry_travel, read_object_path
from .parts import Pace, Parts, finish
from .transforms import CurveTable, is_animated_freely, location_of, rotation_of, scale_of, tabulate

_LARGEST = 1e9  # beyond it a value is damage: Blender makes the largest single precision of what is infinite
_MOST_FRAMES = 1_100_000  # Blender's own last frame lies before that
_ROWS_AT_ONCE = 4096
_OBJECT = " (object)"  # how the name of the entry for the object itself ends


def read_take(armature: bpy.types.Object) -> RigTake:
    """The armature's rest pose and its action at every whole scene frame between the first and the last key.

    Where the object itself moves, its path is the take's first entry, above the root bones.
    """
    return finish(read_take_in_parts(armature))


def read_take_in_parts(armature: bpy.types.Object) -> Parts[RigTake]:
    """The same, bone by bone where it is long; an object that moves is read frame by frame."""
    name, uid = armature.name, armature.session_uid
    take = yield from read_bones(armature, [bone.name for bone in armature.data.bones])  # parents before children
    return (yield from carried(find_object(uid, name), take))


def read_bones(armature: bpy.types.Object, names: Sequence[str]) -> Parts[RigTake]:
    """The rest pose and the channels of some bones, parents first, in an object that rests at the world's origin.

    TakeError where the object is deleted or its bones are edited in the meantime.
    """
    name, uid, table = armature.name, armature.session_uid, tabulate(find_curves(armature))
    frames, channels, pace = _whole_frames(armature, table), [], Pace()
    for bone in names:
        if table is None:
            armature = find_object(uid, name)
            table = tabulate(find_curves(armature))
        channels.append(read_bone(pose_bone(armature, bone), table, frames))
        _check_finite(channels[-1], armature, bone, frames)
        if pace.is_pause_due(len(frames)):
            yield len(channels) / len(names)
            table = None
    stacked = {}
    for each in CHANNELS:
        stacked[each] = yield from _stacked([getattr(bone, each) for bone in channels])
    return _take_of(find_object(uid, name), names, frames, stacked)


def _stacked(columns: list[np.ndarray]) -> Parts[np.ndarray]:
    """Arrays (F, C) of bones as one (F, B, C), some frames at a time: of a long take it is hundreds of megabytes."""
    frames, pace = len(columns[0]), Pace()
    result = np.empty((frames, len(columns), columns[0].shape[1]))
    for first in range(0, frames, _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        result[rows] = np.stack([column[rows] for column in columns], axis=1)
        if pace.is_pause_due(len(columns) * len(result[rows])):
            yield 1.0
    return result


def pose_bone(armature: bpy.types.Object, name: str) -> bpy.types.PoseBone:
    """The bone of this name; TakeError where it has gone between two parts."""
    bone = armature.pose.bones.get(name)
    if bone is None:
        raise TakeError(f"{armature.name} was edited in the meantime: nothing was changed; start again.")
    return bone


def _take_of(
    armature: bpy.types.Object, names: Sequence[str], frames: np.ndarray, channels: dict[str, np.ndarray]
) -> RigTake:
    table, bones = tabulate(find_curves(armature)), [pose_bone(armature, name) for name in names]
    numbers = {name: number for number, name in enumerate(names)}
    return RigTake(
        names=tuple(numbers),
        parents=np.array([numbers.get(bone.parent.name, -1) if bone.parent else -1 for bone in bones], int),
        rest=np.array([bone.bone.matrix_local for bone in bones], float),
        **channels,
        world_from_armature=np.eye(4),
        frames=frames,
        fps=scene_fps(),
        movable=np.array([not is_connected(b) and is_animated_freely(location_of(b), table) for b in bones]),
    )


def carried(armature: bpy.types.Object, take: RigTake) -> Parts[RigTake]:
    """A take of the armature's bones where the object is in the world, or upon an entry for its path if it moves."""
    table = tabulate(find_curves(armature))
    entry, may_travel = object_entry(armature), may_carry_travel(armature, table)
    path = yield from read_object_path(armature, table, take.frames)
    if len(path) == 1:
        return replace(take, world_from_armature=path[0])
    yield 1.0
    above, stacked = path_channels(path), {}
    for each in CHANNELS:
        columns = [getattr(above, each), *np.moveaxis(getattr(take, each), 1, 0)]
        stacked[each] = yield from _stacked(columns)
    return carry_by_object(take, entry, path[0], may_travel, Channels(**stacked))


def object_entry(armature: bpy.types.Object) -> str:
    """Name of the entry of a take that stands for the armature object itself."""
    return armature.name + _OBJECT


def has_object_entry(take: RigTake) -> bool:
    """Whether the first entry of a take stands for the armature object itself, which may have another name by now."""
    return bool(find_stand_ins(take)[0]) and take.names[0].endswith(_OBJECT)


def rest_ends(armature: bpy.types.Object) -> tuple[np.ndarray, np.ndarray]:
    """Heads and tails (B, 3) of the bones at rest, in world space."""
    bpy.context.view_layer.update()  # matrix_world is stale until then
    world, bones = np.array(armature.matrix_world, float), armature.data.bones
    ends = ([getattr(bone, end) for bone in bones] for end in ("head_local", "tail_local"))
    heads, tails = (np.array(each, float).reshape(-1, 3) for each in ends)  # an armature may have no bones
    return heads @ world[:3, :3].T + world[:3, 3], tails @ world[:3, :3].T + world[:3, 3]


def scene_fps() -> float:
    """Frames per second of the current scene."""
    render = bpy.context.scene.render
    return render.fps / render.fps_base


def check_own(armature: bpy.types.Object) -> None:
    """TakeError where the armature is not this file's to animate, or where NLA strips move it."""
    if armature.library:
        raise TakeError(f"{armature.name} is linked from another file: make it local or a library override first.")
    if armature.override_library and armature.override_library.is_system_override:
        raise TakeError(f"{armature.name} is a library override that cannot be edited: make it editable first.")
    animation = armature.animation_data
    if animation and animation.use_nla and any(not track.mute and len(track.strips) for track in animation.nla_tracks):
        raise TakeError(
            f"{armature.name} is animated by NLA strips, which cannot be read yet: "
            "bake them into one action (Pose > Animation > Bake Action), then mute the tracks."
        )


def find_curves(armature: bpy.types.Object) -> bpy.types.ActionChannelbag:
    """The F-curves that move the armature; TakeError where there are none or where they are not the whole story."""
    check_own(armature)
    animation = armature.animation_data
    action = animation.action if animation else None
    if action is None or animation.action_slot is None:
        raise TakeError(f"{armature.name} has no action: select an armature with keyframes.")
    if len(action.layers) > 1 or any(len(layer.strips) > 1 for layer in action.layers):
        raise TakeError(f"Action {action.name} has several layers or strips, which cannot be read yet.")
    bag = compat.find_channelbag(action, animation.action_slot)
    if bag is None or not len(bag.fcurves):
        raise TakeError(f"Action {action.name} has no keyframes for {armature.name}.")
    return bag


def read_bone(bone: bpy.types.PoseBone, table: CurveTable, frames: np.ndarray) -> Channels:
    """Location (F, 3), rotation (F, 4) and scale (F, 3) of the bone against its rest pose."""
    return Channels(
        np.zeros((len(frames), 3)) if is_connected(bone) else location_of(bone).read(table, frames),
        quaternions_from_channels(rotation_of(bone).read(table, frames), bone.rotation_mode),
        scale_of(bone).read(table, frames),
    )


def is_connected(bone: bpy.types.PoseBone) -> bool:
    """Whether Blender ignores the bone's location: its head is its parent's tail."""
    return bone.parent is not None and bone.bone.use_connect


def _whole_frames(armature: bpy.types.Object, table: CurveTable) -> np.ndarray:
    """Whole scene frames from the first to the last key of the bones."""
    spans = [fcurve.range() for (path, _), fcurve in table.items() if path.startswith("pose.bones[")]
    if not spans:
        raise TakeError(f"The action of {armature.name} moves no bones: select an armature with keyframed bones.")
    first, last = np.ceil(min(span[0] for span in spans)), np.floor(max(span[1] for span in spans))
    if last - first > _MOST_FRAMES:
        raise TakeError(f"{armature.name} has keys from frame {first:g} to {last:g}: delete those that went astray.")
    return np.arange(first, max(first, last) + 1.0)


def _check_finite(channels: Channels, armature: bpy.types.Object, bone: str, frames: np.ndarray) -> None:
    for values in (channels.location, channels.rotation, channels.scale):
        is_bad = ~(np.abs(values) <= _LARGEST).all(axis=-1)
        if is_bad.any():
            frame = frames[is_bad.argmax()]
            raise TakeError(f"{armature.name} has a value that is not a number: bone {bone}, frame {frame:g}.")
