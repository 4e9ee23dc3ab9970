"""An action in which a rig's body rests: what an estimated motion is read against and written onto."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy
import numpy as np

from ..core.channels import channels_from_quaternions
from ..core.rotations import IDENTITY
from ..errors import MappingError
from . import compat, curves
from .rig_reader import check_own, find_curves
from .transforms import CurveTable, Property, location_of, rotation_of, scale_of, tabulate

if TYPE_CHECKING:
    from ..core.mapping import Mapping

_NAME = "Estimate"
_AT_REST = 1e-6


@dataclass(frozen=True)
class Still:
    """The armature's action before (None: it had none), the one at rest, and the values of the body's channels before.

    values: bone, property and value, as rig_writer restores them.
    """

    before: bpy.types.Action | None
    resting: bpy.types.Action
    slot_handle: int
    values: list[tuple[str, str, list[float]]]

    def lay_down(self, armature: bpy.types.Object) -> None:
        """Put the body at rest on the action at rest, again where another one has been shown."""
        compat.assign_action(armature.animation_data, self.resting, self.slot_handle)
        for bone in dict.fromkeys(bone for bone, _, _ in self.values):
            _rest(armature.pose.bones[bone])


@contextlib.contextmanager
def still_action(armature: bpy.types.Object, mapping: Mapping, frames: np.ndarray) -> Iterator[Still]:
    """While it lasts, the mapped bones and those above them rest, on an action with keys at scene frames (F,).

    Only the bone that carries the travel has these keys. Afterwards all is as it was.
    """
    check_own(armature)
    animation = armature.animation_data or armature.animation_data_create()
    before, slot = animation.action, animation.action_slot
    handle_before = slot.handle if before and slot else None
    body = _body_bones(armature, mapping)
    values = [(bone.name, each.name, list(getattr(bone, each.name))) for bone in body for each in _properties(bone)]
    resting = _resting(armature, before if handle_before is not None else None, handle_before)
    try:
        handle = handle_before if handle_before is not None else resting.slots[0].handle
        still = Still(before, resting, handle, values)
        still.lay_down(armature)
        _key_travel(armature, mapping, frames)
        yield still
    finally:
        _put_back(armature, before, handle_before, resting, values)


def _properties(owner: bpy.types.PoseBone | bpy.types.Object) -> tuple[Property, Property, Property]:
    """All that moves a bone, or the armature itself."""
    return location_of(owner), rotation_of(owner), scale_of(owner)


def is_object_moved(armature: bpy.types.Object, still: Still) -> bool:
    """Whether the action before moves the armature object itself."""
    paths = {path for path, _ in _old_curves(still)}
    return any(each.path in paths for each in _properties(armature))


def _body_bones(armature: bpy.types.Object, mapping: Mapping) -> list[bpy.types.PoseBone]:
    """The mapped bones and all above them."""
    mapped = [armature.pose.bones[chosen.bone] for chosen in mapping.joints.values() if chosen]
    return list({each.name: each for bone in mapped for each in (bone, *bone.parent_recursive)}.values())


def _rest(bone: bpy.types.PoseBone) -> None:
    """Put a bone at rest."""
    for each in _properties(bone):
        setattr(bone, each.name, _rest_value(bone, each))


def _is_at_rest(bone: bpy.types.PoseBone, name: str, value: list[float]) -> bool:
    """Whether a property's value is that of the rest pose."""
    each = next(prop for prop in _properties(bone) if prop.name == name)
    return bool(np.abs(np.array(value) - _rest_value(bone, each)).max() < _AT_REST)


def hold_the_rest(armature: bpy.types.Object, still: Still) -> None:
    """Key once, on the current action, what it has no curves for and would otherwise have a value from elsewhere.

    That is what the action before moves, and what of the body was not at rest.
    """
    table = tabulate(find_curves(armature))
    old = _old_curves(still)
    posed = {
        (bone, name) for bone, name, value in still.values if not _is_at_rest(armature.pose.bones[bone], name, value)
    }
    found = [each for owner in (*armature.pose.bones, armature) for each in _properties(owner)]
    for each in found:
        is_moved = any((each.path, index) in old for index in range(each.size))
        if not each.curves(table) and (is_moved or (each.owner.name, each.name) in posed):
            _key(armature, each, np.array([_find_first(table)]), np.array(getattr(each.owner, each.name), float)[None])


def _find_first(table: CurveTable) -> float:
    """The first frame with a key."""
    return min(fcurve.range()[0] for fcurve in table.values())


def _old_curves(still: Still) -> CurveTable:
    slot = still.before and next((s for s in still.before.slots if s.handle == still.slot_handle), None)
    bag = compat.find_channelbag(still.before, slot) if slot else None
    return tabulate(bag) if bag else {}


def _rest_value(bone: bpy.types.PoseBone, each: Property) -> np.ndarray:
    if each.name == "location":
        return np.zeros(3)
    if each.name == "scale":
        return np.ones(3)
    reference = np.eye(each.size)[0] if bone.rotation_mode == "QUATERNION" else np.zeros(each.size)
    return channels_from_quaternions(IDENTITY, bone.rotation_mode, reference)


def _resting(armature: bpy.types.Object, before: bpy.types.Action | None, handle: int | None) -> bpy.types.Action:
    """An action without keys; made from the one before, its slot has the same handle, so that both can be compared."""
    if before is None:
        action = bpy.data.actions.new(_NAME)
        slot = action.slots.new("OBJECT", armature.name)
        action.layers.new("Layer").strips.new(type="KEYFRAME").channelbag(slot, ensure=True)
        return action
    action = before.copy()
    bag = compat.find_channelbag(action, next(slot for slot in action.slots if slot.handle == handle))
    if bag is not None:
        bag.fcurves.clear()
        for group in list(bag.groups):
            bag.groups.remove(group)
    return action


def _key_travel(armature: bpy.types.Object, mapping: Mapping, frames: np.ndarray) -> None:
    """Keys of the bone that carries the travel: the pelvis, or where that hangs on its parent, the first free one."""
    pelvis = mapping.bone("pelvis")
    if pelvis is None:
        raise MappingError("No bone is mapped to the pelvis: set it under PADS > Rig > Bones.")
    bone = armature.pose.bones[pelvis]
    while bone.parent is not None and bone.bone.use_connect:
        bone = bone.parent
    _key(armature, location_of(bone), frames, np.zeros((len(frames), 3)))


def _key(armature: bpy.types.Object, each: Property, frames: np.ndarray, values: np.ndarray) -> None:
    """New curves of a property with keys at frames (F,) of values (F, size)."""
    animation = armature.animation_data
    bag = compat.find_channelbag(animation.action, animation.action_slot)
    for index in range(each.size):
        curves.refill_linear(compat.new_fcurve(bag, each.path, index, each.group), frames, values[:, index])


def _put_back(
    armature: bpy.types.Object,
    before: bpy.types.Action | None,
    handle: int | None,
    resting: bpy.types.Action,
    values: list[tuple[str, str, list[float]]],
) -> None:
    animation = armature.animation_data
    if before is None:
        animation.action = None
    elif handle is None:
        animation.action = before
    else:
        compat.assign_action(animation, before, handle)
    bpy.data.actions.remove(resting)
    for bone, name, value in values:
        setattr(armature.pose.bones[bone], name, value)
