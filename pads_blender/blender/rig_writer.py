"""A cleaned RigTake onto its armature as a new action; the original action keeps every curve and key as it was."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import bpy
import numpy as np

from ..core.rig import RigTake, pose_matrices
from ..core.rotations import angle_between, normalise
from ..core.stand_ins import aim, find_stand_ins
from ..errors import TakeError
from . import compat, curves, rigify
from .channel_changes import SMALLEST_STRETCH, RotationChange, ShiftChange, find_channel_changes, find_path_changes
from .evaluated_reader import is_evaluated, read_again
from .evaluation import find_object
from .parts import Pace, Parts, finish
from .rig_reader import find_curves, has_object_entry, scene_fps
from .transforms import CurveTable, Property, tabulate

ORIGINAL = "pads_original"  # custom property of a cleaned action that points at the action it was made from
_SLOT = "pads_slot"  # one that holds the handle of the slot that was cleaned
_ARMATURE = "pads_armature"  # one that holds the name of the armature it was made for
UNKEYED = "pads_unkeyed"  # and one that holds the values of channels for which the original has no curves, as JSON
_SMALLEST_CORRECTION_RADIANS = 1e-4  # 0.006 degrees: below that, what an evaluated pose is off is left
_SMALLEST_CORRECTION = 1e-5  # of the rig's size
_CORRECTIONS = 3  # passes at most, each after a new evaluation; a generated Rigify rig takes two
_CYCLE_SECONDS = 0.25  # over which the two ends of a cycle are brought together, as kept keys fade
_SUFFIX = re.compile(r"\.pads(\.\d+)?$")


@dataclass(frozen=True)
class Written:
    """What became of a cleaned take: names only, so that it may outlive undo and file loading."""

    action: str
    original: str
    keyed_bones: tuple[str, ...]  # bones with new values
    locked_bones: tuple[str, ...]  # bones that should have changed and were left alone: locked or muted curves


def write_take(armature: bpy.types.Object, before: RigTake, after: RigTake, switch_to_fk: bool = False) -> Written:
    """Put what differs between two takes on a new action, in one go: see write_take_in_parts."""
    return finish(write_take_in_parts(armature, before, after, switch_to_fk))


def write_take_in_parts(
    armature: bpy.types.Object, before: RigTake, after: RigTake, switch_to_fk: bool = False, bake: bool = False
) -> Parts[Written]:
    """Put what differs between the two takes on a copy of the armature's action and make that its current action.

    Keys stay where they are in time; those outside of the changes keep their values. A bone without rotation keys
    that has to move gets one at every frame that changes. switch_to_fk: as the take was read; the limbs concerned get
    keys on their FK controls at every frame, and their IK/FK switch is keyed. bake: what changes gets keys at every
    frame of the takes, besides those that it has.
    """
    find_curves(armature)
    animation = armature.animation_data
    original, handle = animation.action, animation.action_slot.handle
    limbs = rigify.limbs_in_ik(armature, before.names) if switch_to_fk else []
    cleaned = original.copy()
    cleaned.name = _SUFFIX.sub("", original.name) + ".pads"
    compat.assign_action(animation, cleaned, handle)
    writer = _Writer(armature, original)
    writer.baked = set(before.names) if bake else set()
    try:
        if limbs:
            writer.switch(limbs, float(before.frames[0]))
            before = yield from read_again(armature, before)
        yield from writer.write(before, after)
        if is_evaluated(before) and writer.keyed:
            yield from _correct(writer, after)
        armature, original, cleaned = writer.find()
    except BaseException:
        writer.take_back()
        raise
    cleaned[ORIGINAL], cleaned[_SLOT], cleaned[_ARMATURE] = original, handle, armature.name
    cleaned[UNKEYED] = json.dumps(writer.unkeyed)
    original.use_fake_user = True
    return Written(cleaned.name, original.name, tuple(dict.fromkeys(writer.keyed)), tuple(dict.fromkeys(writer.locked)))


def toggle_original(armature: bpy.types.Object) -> str:
    """Switch between the cleaned action and the one it was made from; the name of the one now shown."""
    animation = armature.animation_data
    current = animation.action if animation else None
    other = current and (current.get(ORIGINAL) or find_cleaned(armature, current))
    if not other:
        raise TakeError(f"{armature.name} has no cleaned action to compare with: press Clean Mocap first.")
    current.use_fake_user = True  # an action that is not shown may have no user, and would not be saved
    compat.assign_action(animation, other, animation.action_slot.handle)
    restore_unkeyed(armature, current)
    return other.name


def restore_unkeyed(armature: bpy.types.Object, cleaned: bpy.types.Action) -> None:
    """Set channels back to their old values that only the cleaned action, now switched off, has curves for."""
    _restore(armature, json.loads(cleaned.get(UNKEYED, "[]")))


def switches_to_fk(cleaned: bpy.types.Action) -> bool:
    """Whether the cleaned action keys the IK/FK switches of limbs that followed IK in the original."""
    return any(name == rigify.SWITCH for _, name, _ in json.loads(cleaned.get(UNKEYED, "[]")))


def _restore(armature: bpy.types.Object, unkeyed: list[tuple[str, str, list[float]]]) -> None:
    """Set channels back that only the cleaned action has curves for: without them they keep the last value shown."""
    for bone, name, values in unkeyed:
        owner = armature.pose.bones.get(bone) if bone else armature
        if owner is not None and name in owner:
            owner[name] = values[0]
        elif owner is not None:
            setattr(owner, name, values)


def find_cleaned(armature: bpy.types.Object, original: bpy.types.Action) -> bpy.types.Action | None:
    """The cleaned action made last for the armature from its slot of an action; not what others on the slot have."""
    wanted = (original, armature.animation_data.action_slot.handle)
    cleaned = [action for action in bpy.data.actions if (action.get(ORIGINAL), action.get(_SLOT)) == wanted]
    own = [action for action in cleaned if bpy.data.objects.get(action.get(_ARMATURE, "")) in (None, armature)]
    return max(own, key=lambda action: (action.get(_ARMATURE) == armature.name, action.session_uid), default=None)


def remove_unused(action: bpy.types.Action) -> None:
    """Remove an action, unless another object shows it or another action was made from it."""
    action.use_fake_user = False
    if not action.users:
        bpy.data.actions.remove(action)


def _find_action(session_uid: int) -> bpy.types.Action | None:
    return next((action for action in bpy.data.actions if action.session_uid == session_uid), None)


def _correct(writer: "_Writer", after: RigTake) -> Parts[None]:
    """Key what the evaluated pose is still off, where constraints answer to the new keys."""
    wanted, size = pose_matrices(after), np.ptp(after.rest[:, :3, 3], axis=0).max()
    for _ in range(_CORRECTIONS):
        present = yield from read_again(writer.find()[0], after)
        free = ~find_stand_ins(present) & ~np.isin(present.names, writer.locked)
        aimed = aim(present, wanted, free, np.isin(present.names, list(writer.baked)))
        turned = angle_between(normalise(present.rotation), normalise(aimed.rotation)) > _SMALLEST_CORRECTION_RADIANS
        moved = np.abs(aimed.location - present.location).max(axis=-1) > _SMALLEST_CORRECTION * size
        stretched = np.abs(aimed.scale - present.scale).max(axis=-1) > SMALLEST_STRETCH
        if not (turned | moved | stretched).any():
            return
        rotation = np.where(turned[..., None], aimed.rotation, present.rotation)
        location = np.where(moved[..., None], aimed.location, present.location)
        scale = np.where(stretched[..., None], aimed.scale, present.scale)
        aimed = replace(present, rotation=rotation, location=location, scale=scale)
        yield 1.0  # both take their time
        yield from writer.write(present, aimed, only_keyed=True)


class _Writer:
    """Writes changes onto the armature's current action and remembers what became of them.

    It knows what it works on by number: between two parts of the work an undo may have put other data there.
    """

    def __init__(self, armature: bpy.types.Object, original: bpy.types.Action) -> None:
        """Armature: with the new action as its current one."""
        self._name, self._uid = armature.name, armature.session_uid
        self._actions = (original.session_uid, armature.animation_data.action.session_uid)
        self._slot = armature.animation_data.action_slot.handle
        self.keyed: list[str] = []
        self.locked: list[str] = []
        self.unkeyed: list[tuple[str, str, list[float]]] = []  # bone ("": the object), property, values before
        self.baked: set[str] = set()  # bones that get a key at every frame

    def find(self) -> tuple[bpy.types.Object, bpy.types.Action, bpy.types.Action]:
        """The armature, the original and the new action; TakeError unless that is still what the armature shows."""
        armature, (original, cleaned) = find_object(self._uid, self._name), map(_find_action, self._actions)
        shown = armature.animation_data and armature.animation_data.action
        if original is None or cleaned is None or shown != cleaned:
            raise TakeError(f"{self._name} was edited while the result was written: nothing was changed; start again.")
        return armature, original, cleaned

    def take_back(self) -> None:
        """Remove the new action, as far as it is there."""
        armature = next((each for each in bpy.data.objects if each.session_uid == self._uid), None)
        original, cleaned = map(_find_action, self._actions)
        if armature and original and armature.animation_data and armature.animation_data.action == cleaned:
            compat.assign_action(armature.animation_data, original, self._slot)
            _restore(armature, self.unkeyed)
        if cleaned:
            bpy.data.actions.remove(cleaned)

    def switch(self, limbs: list[rigify.IkBone], frame: float) -> None:
        """Key the IK/FK switches of limbs; their FK controls are to be keyed at every frame."""
        armature = self.find()[0]
        values = rigify.switch_values(armature, limbs)
        self.unkeyed += [(bone, rigify.SWITCH, [value]) for bone, value in values.items()]
        self.baked |= {limb.control for limb in limbs}
        rigify.key_fk(armature, limbs, frame)

    def write(self, before: RigTake, after: RigTake, only_keyed: bool = False) -> Parts[None]:
        """Give the keys what differs between the takes; only_keyed: properties without any keys get none."""
        pace, table, bones = Pace(), None, np.flatnonzero(~find_stand_ins(before)).tolist()
        for done, number in enumerate(bones, start=1):
            if table is None:
                armature = self.find()[0]
                table = tabulate(find_curves(armature))
            changes = find_channel_changes(armature, before, after, number)
            self._write_entry(changes, before.names[number], table, only_keyed)
            if pace.is_pause_due(len(before.frames)):
                yield done / len(bones)
                table = None
        if has_object_entry(before):
            changes = yield from find_path_changes(self.find()[0], before, after)
            self._write_entry(changes, before.names[0], tabulate(find_curves(self.find()[0])), only_keyed)

    def _write_entry(
        self, changes: Sequence[RotationChange | ShiftChange], name: str, table: CurveTable, only_keyed: bool
    ) -> None:
        """Write what changes in one bone, or in the object."""
        for task in changes:
            found = task.property.curves(table)
            if any(curves.is_locked(fcurve) for fcurve in found.values()):
                self.locked.append(name)
            elif found or not only_keyed:
                self._write_property(task, found, table, name in self.baked and not only_keyed)
                self.keyed.append(name)

    def _write_property(
        self, task: RotationChange | ShiftChange, found: dict[int, bpy.types.FCurve], table: CurveTable, baked: bool
    ) -> None:
        times = [curves.key_times(fcurve) for fcurve in found.values()]
        if baked:
            times.append(task.frames)
        times = np.unique(np.concatenate(times)) if times else task.changing_frames()
        if any(curves.is_cyclic(fcurve) for fcurve in found.values()):
            task = task.closed(times[0], times[-1], _CYCLE_SECONDS * scene_fps())
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
                curves.shift_values(found[index], (values - present)[rows, index], changed[rows])
            elif changed.any():
                fcurve = found.get(index) or self._new_curve(task.property, index)
                curves.refill_linear(fcurve, times, values[:, index])

    def _new_curve(self, prop: Property, index: int) -> bpy.types.FCurve:
        return compat.new_fcurve(find_curves(self.find()[0]), prop.path, index, prop.group)

    def _remember(self, prop: Property) -> None:
        bone = "" if isinstance(prop.owner, bpy.types.Object) else prop.owner.name
        self.unkeyed.append((bone, prop.name, list(getattr(prop.owner, prop.name))))
