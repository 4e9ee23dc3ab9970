"""A cleaned RigTake onto its armature as a new action; the original action keeps every curve and key as it was."""

import re
from dataclasses import dataclass

import bpy
import numpy as np

from ..core.channels import channel_count, channels_from_quaternions, quaternions_from_channels
from ..core.rig import RigTake, find_changes
from ..core.rotations import IDENTITY, angle_between, inverse, make_continuous, multiply, normalise
from ..errors import TakeError
from . import compat, curves
from .rig_reader import CurveTable, bone_path, find_curves, read_channels, rotation_property, tabulate

ORIGINAL = "pads_original"  # custom property of a cleaned action that points at the action it was made from
_SMALLEST_TURN_RADIANS = 1e-6
_SUFFIX = re.compile(r"\.pads(\.\d+)?$")


@dataclass(frozen=True)
class Written:
    """What became of a cleaned take: names only, so that it may outlive undo and file loading."""

    action: str
    original: str
    keyed_bones: tuple[str, ...]  # bones with new values
    locked_bones: tuple[str, ...]  # bones that should have changed and were left alone: locked or muted curves


def write_take(armature: bpy.types.Object, before: RigTake, after: RigTake) -> Written:
    """Put what differs between the two takes on a copy of the armature's action and make that its current action.

    Keys stay where they are in time; those outside of the changes keep their values. A bone without rotation keys
    that has to move gets one at every frame of the take.
    """
    find_curves(armature)
    animation = armature.animation_data
    original, handle = animation.action, animation.action_slot.handle
    cleaned = original.copy()
    cleaned.name = _SUFFIX.sub("", original.name) + ".pads"
    try:
        compat.assign_action(animation, cleaned, handle)
        keyed, locked = _write_bones(armature, before, after)
    except BaseException:
        compat.assign_action(animation, original, handle)
        bpy.data.actions.remove(cleaned)
        raise
    cleaned[ORIGINAL] = original
    original.use_fake_user = True
    return Written(cleaned.name, original.name, keyed, locked)


def toggle_original(armature: bpy.types.Object) -> str:
    """Switch between the cleaned action and the one it was made from; the name of the one now shown."""
    animation = armature.animation_data
    current = animation.action if animation else None
    other = current and (current.get(ORIGINAL) or _find_cleaned(current))
    if not other:
        raise TakeError(f"{armature.name} has no cleaned action to compare with: press Clean Mocap first.")
    compat.assign_action(animation, other, animation.action_slot.handle)
    return other.name


def _find_cleaned(original: bpy.types.Action) -> bpy.types.Action | None:
    """The cleaned action made last from this one."""
    cleaned = [action for action in bpy.data.actions if action.get(ORIGINAL) == original]
    return max(cleaned, key=lambda action: action.session_uid, default=None)


def _write_bones(
    armature: bpy.types.Object, before: RigTake, after: RigTake
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the bones that got new values, and of those left alone."""
    changes, table = find_changes(before, after), tabulate(find_curves(armature))
    keyed, locked = [], []
    for number, name in enumerate(before.names):
        bone = armature.pose.bones[name]
        tasks = []
        if changes.rotation[:, number].any():
            turn = multiply(normalise(after.rotation[:, number]), inverse(normalise(before.rotation[:, number])))
            tasks.append(_Rotation(bone, before.frames, turn))
        if changes.location[:, number].any():
            tasks.append(_Location(bone, before.frames, after.location[:, number] - before.location[:, number]))
        for task in tasks:
            (keyed if _write_property(armature, task, table) else locked).append(name)
    return tuple(dict.fromkeys(keyed)), tuple(dict.fromkeys(locked))


class _Rotation:
    """Changes of one bone's rotation channels, whatever its rotation mode."""

    def __init__(self, bone: bpy.types.PoseBone, frames: np.ndarray, turn: np.ndarray) -> None:
        """turn (F, 4): from the old rotation to the new one at scene frames (F,)."""
        self.bone, self.frames, self.mode = bone, frames, bone.rotation_mode
        self.property, self.size = rotation_property(bone), channel_count(bone.rotation_mode)
        self._turn = make_continuous(turn, IDENTITY)

    def at(self, times: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """New channel values (K, size) in place of values, and where (K,) they differ."""
        turn = _between(self.frames, self._turn, times, IDENTITY)
        rotation = multiply(normalise(turn), quaternions_from_channels(values, self.mode))
        changed = angle_between(np.broadcast_to(IDENTITY, turn.shape), normalise(turn)) > _SMALLEST_TURN_RADIANS
        return channels_from_quaternions(rotation, self.mode, values), changed


class _Location:
    """Changes of one bone's location channels."""

    def __init__(self, bone: bpy.types.PoseBone, frames: np.ndarray, shift: np.ndarray) -> None:
        """shift (F, 3): from the old location to the new one at scene frames (F,)."""
        self.bone, self.frames = bone, frames
        self.property, self.size = "location", 3
        self._shift = shift

    def at(self, times: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """New channel values (K, 3) in place of values, and where (K,) they differ."""
        shift = _between(self.frames, self._shift, times, np.zeros(3))
        return values + shift, np.abs(shift).max(axis=-1) > 0


def _between(frames: np.ndarray, values: np.ndarray, times: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Values (F, N) at scene frames, interpolated at times (K,); before the first and after the last frame, outside."""
    result = np.stack([np.interp(times, frames, column) for column in values.T], axis=-1)
    result[(times < frames[0]) | (times > frames[-1])] = outside
    return result


def _write_property(armature: bpy.types.Object, task: _Rotation | _Location, table: CurveTable) -> bool:
    """Give the bone's keys the task's values; False if the animator has locked or muted one of the curves."""
    path = bone_path(task.bone, task.property)
    found = {index: table[path, index] for index in range(task.size) if (path, index) in table}
    if any(curves.is_locked(fcurve) for fcurve in found.values()):
        return False
    times = [curves.key_times(fcurve) for fcurve in found.values()]
    times = np.unique(np.concatenate(times)) if times else task.frames
    present = read_channels(task.bone, task.property, task.size, table, times)
    values, changed = task.at(times, present)
    values = np.where(changed[:, None], values, present)
    for index in range(task.size):
        if index in found:
            rows = np.searchsorted(times, curves.key_times(found[index]))
            curves.replace_values(found[index], values[rows, index], changed[rows])
        elif changed.any():
            bag = find_curves(armature)
            curves.add_linear_keys(compat.new_fcurve(bag, path, index, task.bone.name), times, values[:, index])
    return True
