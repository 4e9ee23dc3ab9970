"""Poses into Blender: marks on an action whose frames are poses, pose assets of them, a pose onto an armature."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
import numpy as np

from ..core.channels import channels_from_quaternions
from ..core.rig import RigTake
from ..core.rotations import normalise
from ..errors import TakeError
from . import compat, curves
from .rig_checks import driven_channels
from .rig_reader import is_connected
from .transforms import Property, location_of, rotation_of

if TYPE_CHECKING:
    from ..core.mapping import Mapping

_SAME = 1e-7


def mark_poses(action: bpy.types.Action, slot_handle: int, frames: np.ndarray) -> None:
    """A pose marker of the action at each of these frames, where keys count for In-Between as an animator's do."""
    for fcurve in _bag(action, slot_handle).fcurves:
        curves.mark_posed(fcurve, frames)
    for number, frame in enumerate(frames, start=1):
        action.pose_markers.new(f"Pose {number}").frame = int(frame)


def make_assets(action: bpy.types.Action, slot_handle: int, frames: np.ndarray, name: str) -> list[bpy.types.Action]:
    """Pose assets, an action with one key of each curve for every frame, with previews where there is a window."""
    slot, made = _slot(action, slot_handle), []
    values = {fcurve: curves.values_at(fcurve, frames) for fcurve in _bag(action, slot_handle).fcurves}
    for number in range(len(frames)):
        asset = bpy.data.actions.new(f"{name} {number + 1}")
        own = asset.slots.new("OBJECT", slot.name_display)
        own_bag = asset.layers.new("Layer").strips.new(type="KEYFRAME").channelbag(own, ensure=True)
        for fcurve, column in values.items():
            group = fcurve.group.name if fcurve.group else ""
            copy = compat.new_fcurve(own_bag, fcurve.data_path, fcurve.array_index, group)
            curves.refill_linear(copy, np.array([1.0]), column[number : number + 1])
        asset.asset_mark()
        if not bpy.app.background:
            asset.asset_generate_preview()
        made.append(asset)
    return made


def _slot(action: bpy.types.Action, handle: int) -> bpy.types.ActionSlot:
    return next(slot for slot in action.slots if slot.handle == handle)


def _bag(action: bpy.types.Action, slot_handle: int) -> bpy.types.ActionChannelbag:
    return compat.find_channelbag(action, _slot(action, slot_handle))


def check_free(armature: bpy.types.Object, mapping: Mapping) -> None:
    """Refuse a body whose bones do not move by their own channels: TakeError names one and says what to do."""
    bones = {joint: armature.pose.bones[entry.bone] for joint, entry in mapping.joints.items() if entry}
    for bone in bones.values():
        found = next((c for c in bone.constraints if not c.mute and c.influence > 0.0), None)
        if found is not None:
            raise TakeError(f"Bone {bone.name} is moved by the constraint {found.name}: mute it to pose the bone.")
        if all(bone.lock_rotation):
            raise TakeError(f"The rotation of bone {bone.name} is locked: unlock it to pose the bone.")
        _check_undriven(armature, bone, "rotation", "turned")
    if pelvis := bones.get("pelvis"):
        carrier = next((each for each in (pelvis, *pelvis.parent_recursive) if not is_connected(each)), pelvis)
        _check_undriven(armature, carrier, "location", "moved")


def _check_undriven(armature: bpy.types.Object, bone: bpy.types.PoseBone, channel: str, moved: str) -> None:
    if any(each.startswith(channel) for each in driven_channels(armature, bone)):
        raise TakeError(f"Bone {bone.name} is {moved} by a driver: mute or delete the driver to pose the body.")


def put_pose(armature: bpy.types.Object, before: RigTake, after: RigTake, frame: int = 0) -> list[str]:
    """Set the channels of the bones that differ from one take of one frame to a frame of another; their names."""
    changed = []
    for number, name in enumerate(before.names):
        bone = armature.pose.bones[name]
        moved = np.abs(after.location[frame, number] - before.location[0, number]).max() > _SAME
        turned = np.abs(after.rotation[frame, number] - before.rotation[0, number]).max() > _SAME
        if turned:
            _set(rotation_of(bone), after.rotation[frame, number], bone.rotation_mode)
        if moved:
            bone.location = after.location[frame, number]
        if moved or turned:
            changed.append(name)
    return changed


def _set(prop: Property, rotation: np.ndarray, mode: str) -> None:
    present = np.array(getattr(prop.owner, prop.name), float)
    setattr(prop.owner, prop.name, channels_from_quaternions(normalise(rotation), mode, present))


def key_pose(armature: bpy.types.Object, names: list[str], frame: int) -> None:
    """Keys of these bones' channels as they are now, on the armature's action."""
    for name in names:
        bone = armature.pose.bones[name]
        for prop in (rotation_of(bone), location_of(bone)):
            bone.keyframe_insert(prop.name, frame=frame, group=name)
