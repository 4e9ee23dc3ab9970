"""A cleaned RigTake onto its armature as a new action; the original action keeps every curve and key as it was."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import bpy
import numpy as np

from ..core.channels import EULER_ORDERS, channels_from_quaternions, quaternions_from_channels
from ..core.rig import RigTake, find_changes, pose_matrices
from ..core.rotations import (
    IDENTITY,
    angle_between,
    continuous_euler,
    inverse,
    make_continuous,
    multiply,
    normalise,
)
from ..core.stand_ins import aim, find_stand_ins
from ..errors import TakeError
from . import compat, curves, rigify
from .evaluated_reader import is_evaluated, read_again
from .evaluation import carrier_path
from .rig_reader import find_curves, object_entry
from .transforms import CurveTable, Property, location_of, rotation_of, tabulate

ORIGINAL = "pads_original"  # custom property of a cleaned action that points at the action it was made from
_UNKEYED = "pads_unkeyed"  # and one that holds the values of channels for which the original has no curves, as JSON
_SMALLEST_TURN_RADIANS = 1e-6
_SMALLEST_CORRECTION_RADIANS = 1e-4  # 0.006 degrees: below that, what an evaluated pose is off is left
_SMALLEST_CORRECTION = 1e-5  # of the rig's size
_CORRECTIONS = 2  # passes, each after a new evaluation
_SUFFIX = re.compile(r"\.pads(\.\d+)?$")


@dataclass(frozen=True)
class Written:
    """What became of a cleaned take: names only, so that it may outlive undo and file loading."""

    action: str
    original: str
    keyed_bones: tuple[str, ...]  # bones with new values
    locked_bones: tuple[str, ...]  # bones that should have changed and were left alone: locked or muted curves


def write_take(armature: bpy.types.Object, before: RigTake, after: RigTake, switch_to_fk: bool = False) -> Written:
    """Put what differs between the two takes on a copy of the armature's action and make that its current action.

    Keys stay where they are in time; those outside of the changes keep their values. A bone without rotation keys
    that has to move gets one at every frame that changes. switch_to_fk: as the take was read; the limbs concerned get
    keys on their FK controls at every frame, and their IK/FK switch is keyed.
    """
    find_curves(armature)
    animation = armature.animation_data
    original, handle = animation.action, animation.action_slot.handle
    limbs = rigify.limbs_in_ik(armature, before.names) if switch_to_fk else []
    cleaned = original.copy()
    cleaned.name = _SUFFIX.sub("", original.name) + ".pads"
    writer = _Writer(armature)
    try:
        compat.assign_action(animation, cleaned, handle)
        if limbs:
            writer.switch(limbs, float(before.frames[0]))
            before = read_again(armature, before)
        writer.write(before, after)
        if is_evaluated(before) and writer.keyed:
            _correct(writer, after)
    except BaseException:
        compat.assign_action(animation, original, handle)
        bpy.data.actions.remove(cleaned)
        _restore(armature, writer.unkeyed)
        raise
    cleaned[ORIGINAL], cleaned[_UNKEYED] = original, json.dumps(writer.unkeyed)
    original.use_fake_user = True
    return Written(cleaned.name, original.name, tuple(dict.fromkeys(writer.keyed)), tuple(dict.fromkeys(writer.locked)))


def toggle_original(armature: bpy.types.Object) -> str:
    """Switch between the cleaned action and the one it was made from; the name of the one now shown."""
    animation = armature.animation_data
    current = animation.action if animation else None
    other = current and (current.get(ORIGINAL) or find_cleaned(current))
    if not other:
        raise TakeError(f"{armature.name} has no cleaned action to compare with: press Clean Mocap first.")
    compat.assign_action(animation, other, animation.action_slot.handle)
    restore_unkeyed(armature, current)
    return other.name


def restore_unkeyed(armature: bpy.types.Object, cleaned: bpy.types.Action) -> None:
    """Set channels back to their old values that only the cleaned action, now switched off, has curves for."""
    _restore(armature, json.loads(cleaned.get(_UNKEYED, "[]")))


def _restore(armature: bpy.types.Object, unkeyed: list[tuple[str, str, list[float]]]) -> None:
    """Set channels back that only the cleaned action has curves for: without them they keep the last value shown."""
    for bone, name, values in unkeyed:
        owner = armature.pose.bones.get(bone) if bone else armature
        if owner is not None and name in owner:
            owner[name] = values[0]
        elif owner is not None:
            setattr(owner, name, values)


def find_cleaned(original: bpy.types.Action) -> bpy.types.Action | None:
    """The cleaned action made last from this one."""
    cleaned = [action for action in bpy.data.actions if action.get(ORIGINAL) == original]
    return max(cleaned, key=lambda action: action.session_uid, default=None)


def _correct(writer: "_Writer", after: RigTake) -> None:
    """Key what the evaluated pose is still off, where constraints answer to the new keys."""
    wanted, size = pose_matrices(after), np.ptp(after.rest[:, :3, 3], axis=0).max()
    for _ in range(_CORRECTIONS):
        present = read_again(writer.armature, after)
        free = ~find_stand_ins(present) & ~np.isin(present.names, writer.locked)
        aimed = aim(present, wanted, free)
        turned = angle_between(normalise(present.rotation), normalise(aimed.rotation)) > _SMALLEST_CORRECTION_RADIANS
        moved = np.abs(aimed.location - present.location).max(axis=-1) > _SMALLEST_CORRECTION * size
        if not turned.any() and not moved.any():
            return
        rotation = np.where(turned[..., None], aimed.rotation, present.rotation)
        location = np.where(moved[..., None], aimed.location, present.location)
        writer.write(present, replace(present, rotation=rotation, location=location), only_keyed=True)


class _Writer:
    """Writes changes onto the armature's current action and remembers what became of them."""

    def __init__(self, armature: bpy.types.Object) -> None:
        self.armature = armature
        self.keyed: list[str] = []
        self.locked: list[str] = []
        self.unkeyed: list[tuple[str, str, list[float]]] = []  # bone ("": the object), property, values before
        self._baked: set[str] = set()  # bones that get a key at every frame

    def switch(self, limbs: list[rigify.IkBone], frame: float) -> None:
        """Key the IK/FK switches of limbs; their FK controls are to be keyed at every frame."""
        values = rigify.switch_values(self.armature, limbs)
        self.unkeyed += [(bone, rigify.SWITCH, [value]) for bone, value in values.items()]
        self._baked = {limb.control for limb in limbs}
        rigify.key_fk(self.armature, limbs, frame)

    def write(self, before: RigTake, after: RigTake, only_keyed: bool = False) -> None:
        """Give the keys what differs between the takes; only_keyed: properties without any keys get none."""
        table = tabulate(find_curves(self.armature))
        for name, task in _tasks(self.armature, before, after):
            found = task.property.curves(table)
            if any(curves.is_locked(fcurve) for fcurve in found.values()):
                self.locked.append(name)
            elif found or not only_keyed:
                self._write_property(task, found, table, name in self._baked and not only_keyed)
                self.keyed.append(name)

    def _write_property(
        self, task: "_Rotation | _Location", found: dict[int, bpy.types.FCurve], table: CurveTable, baked: bool
    ) -> None:
        times = [curves.key_times(fcurve) for fcurve in found.values()]
        if baked:
            times.append(task.frames)
        times = np.unique(np.concatenate(times)) if times else task.changing_frames()
        present = task.property.read(table, times)
        values, changed = task.at(times, present)
        values = np.where(changed[:, None], values, present)
        if baked or not found:
            values = task.made_continuous(values)
        if len(found) < task.property.size and changed.any():
            self._remember(task.property)
        for index in range(task.property.size):
            if index in found and not baked:
                rows = np.searchsorted(times, curves.key_times(found[index]))
                curves.replace_values(found[index], values[rows, index], changed[rows])
            elif changed.any():
                fcurve = found.get(index) or self._new_curve(task.property, index)
                curves.refill_linear(fcurve, times, values[:, index])

    def _new_curve(self, prop: Property, index: int) -> bpy.types.FCurve:
        return compat.new_fcurve(find_curves(self.armature), prop.path, index, prop.group)

    def _remember(self, prop: Property) -> None:
        bone = "" if prop.owner == self.armature else prop.owner.name
        self.unkeyed.append((bone, prop.name, list(getattr(prop.owner, prop.name))))


def _tasks(
    armature: bpy.types.Object, before: RigTake, after: RigTake
) -> Iterator[tuple[str, "_Rotation | _Location"]]:
    """What has to be written, with the name of the entry."""
    changes, is_stand_in, frames = find_changes(before, after), find_stand_ins(before), before.frames
    shift = after.location - before.location
    for number, name in enumerate(before.names):
        if is_stand_in[number]:
            if changes.location[:, number].any() and name == object_entry(armature):
                yield name, _Location(location_of(armature), frames, _object_shift(armature, before, shift[:, number]))
            continue
        bone = armature.pose.bones[name]
        if changes.rotation[:, number].any():
            turn = multiply(normalise(after.rotation[:, number]), inverse(normalise(before.rotation[:, number])))
            yield name, _Rotation(rotation_of(bone), frames, turn)
        if changes.location[:, number].any():
            yield name, _Location(location_of(bone), frames, shift[:, number])


def _object_shift(armature: bpy.types.Object, take: RigTake, shift: np.ndarray) -> np.ndarray:
    """Change (F, 3) of the object's own location channels for one of its entry in a take (F, 3)."""
    carrier = carrier_path(armature, take.frames)[:, :3, :3]
    return np.linalg.solve(carrier, (take.world_from_armature[:3, :3] @ shift[..., None]))[..., 0]


class _Rotation:
    """Changes of one bone's rotation channels, whatever its rotation mode."""

    def __init__(self, prop: Property, frames: np.ndarray, turn: np.ndarray) -> None:
        """turn (F, 4): from the old rotation to the new one at scene frames (F,)."""
        self.property, self.frames, self._mode = prop, frames, prop.owner.rotation_mode
        self._turn = make_continuous(turn, IDENTITY)

    def at(self, times: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """New channel values (K, size) in place of values, and where (K,) they differ."""
        turn = _between(self.frames, self._turn, times, IDENTITY)
        rotation = multiply(normalise(turn), quaternions_from_channels(values, self._mode))
        return channels_from_quaternions(rotation, self._mode, values), _turns(turn)

    def changing_frames(self) -> np.ndarray:
        """The scene frames that change and those beside them, so that all others stay."""
        return self.frames[_widened(_turns(self._turn))]

    def made_continuous(self, values: np.ndarray) -> np.ndarray:
        """Channel values (K, size) that mean the same without leaps from key to key."""
        if self._mode == "QUATERNION":
            return make_continuous(values, values[0])
        return continuous_euler(values, self._mode, values[0]) if self._mode in EULER_ORDERS else values


class _Location:
    """Changes of the location channels of a bone or of the object."""

    def __init__(self, prop: Property, frames: np.ndarray, shift: np.ndarray) -> None:
        """shift (F, 3): from the old location to the new one at scene frames (F,)."""
        self.property, self.frames, self._shift = prop, frames, shift

    def at(self, times: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """New channel values (K, 3) in place of values, and where (K,) they differ."""
        shift = _between(self.frames, self._shift, times, np.zeros(3))
        return values + shift, np.abs(shift).max(axis=-1) > 0

    def changing_frames(self) -> np.ndarray:
        """The scene frames that change and those beside them, so that all others stay."""
        return self.frames[_widened(np.abs(self._shift).max(axis=-1) > 0)]

    def made_continuous(self, values: np.ndarray) -> np.ndarray:
        """The values themselves: a location has no other that means the same."""
        return values


def _turns(turn: np.ndarray) -> np.ndarray:
    """Where (K,) a rotation (K, 4) is one at all."""
    return angle_between(np.broadcast_to(IDENTITY, turn.shape), normalise(turn)) > _SMALLEST_TURN_RADIANS


def _widened(chosen: np.ndarray) -> np.ndarray:
    """The chosen frames (F,) bool and those beside them."""
    wide = chosen.copy()
    wide[1:] |= chosen[:-1]
    wide[:-1] |= chosen[1:]
    return wide


def _between(frames: np.ndarray, values: np.ndarray, times: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Values (F, N) at scene frames, interpolated at times (K,); before the first and after the last frame, outside."""
    result = np.stack([np.interp(times, frames, column) for column in values.T], axis=-1)
    result[(times < frames[0]) | (times > frames[-1])] = outside
    return result
