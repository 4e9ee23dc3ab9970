"""Keys of a cleaned take onto an armature's current action, in parts, and back off it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from ..core.rig import RigTake
from ..core.stand_ins import find_stand_ins
from ..errors import TakeError
from . import compat, curves, rigify
from .channel_changes import Difference, RotationChange, ShiftChange, find_channel_changes, find_path_changes
from .evaluation import find_object
from .parts import Pace, Parts
from .rig_reader import find_curves, has_object_entry, scene_fps
from .transforms import CurveTable, Property, tabulate

_CYCLE_SECONDS = 0.25  # over which the two ends of a cycle are brought together, as kept keys fade


@dataclass(frozen=True)
class _NewKeys:
    """What one curve gets, as plain data: shifts of its keys (K,) and which of them (K,) change, or with changed None
    values (K,) of linear keys in place of any.
    """

    path: str
    index: int
    group: str
    times: np.ndarray
    values: np.ndarray
    changed: np.ndarray | None = None


class KeyWriter:
    """Writes changes onto the armature's current action and remembers what became of them.

    It knows what it works on by number: between two parts of the work an undo may have put other data there.
    """

    def __init__(self, armature: bpy.types.Object, original: bpy.types.Action) -> None:
        """Armature: with the new action as its current one."""
        self._pace, self._share = Pace(), 0.0
        self._found: tuple[bpy.types.Object, CurveTable] | None = None  # until the next pause
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
            raise self._edited()
        return armature, original, cleaned

    def _edited(self) -> TakeError:
        return TakeError(f"{self._name} was edited while the result was written: nothing was changed; start again.")

    def take_back(self) -> None:
        """Remove the new action, as far as it is there."""
        armature = next((each for each in bpy.data.objects if each.session_uid == self._uid), None)
        original, cleaned = map(_find_action, self._actions)
        if armature and original and armature.animation_data and armature.animation_data.action == cleaned:
            compat.assign_action(armature.animation_data, original, self._slot)
            restore_channels(armature, self.unkeyed)
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
        bones, self._found = np.flatnonzero(~find_stand_ins(before)).tolist(), None
        for done, number in enumerate(bones):
            self._share, difference = done / len(bones), Difference.of(before, after, number)
            yield from self._pause(len(before.frames))
            changes = find_channel_changes(self._look_up()[0], before, after, number, difference)
            yield from self._write_entry(self._plan(changes, before.names[number], only_keyed))
        if has_object_entry(before):
            changes = yield from find_path_changes(self.find()[0], before, after)
            self._found = None
            yield from self._write_entry(self._plan(changes, before.names[0], only_keyed))

    def _pause(self, values: int) -> Parts[None]:
        """Let the window live once so many keys or frames make that due: what was looked up before counts no more."""
        if self._pace.is_pause_due(values):
            self._found = None
            yield self._share

    def _look_up(self) -> tuple[bpy.types.Object, CurveTable]:
        """The armature and its curves."""
        if self._found is None:
            armature = self.find()[0]
            self._found = armature, tabulate(find_curves(armature))
        return self._found

    def _write_entry(self, planned: Sequence[_NewKeys]) -> Parts[None]:
        """Write what changes in one bone, or in the object, curve by curve."""
        for keys in planned:
            yield from self._pause(len(keys.times))
            fcurve = self._look_up()[1].get((keys.path, keys.index))
            if keys.changed is None:
                curves.refill_linear(fcurve or self._new_curve(keys), keys.times, keys.values)
            elif fcurve is not None and np.array_equal(curves.key_times(fcurve), keys.times):
                curves.shift_values(fcurve, keys.values, keys.changed)
            else:
                raise self._edited()

    def _plan(self, changes: Sequence[RotationChange | ShiftChange], name: str, only_keyed: bool) -> list[_NewKeys]:
        """What the curves of one bone, or of the object, get."""
        planned, table = [], self._look_up()[1]
        for task in changes:
            found = task.property.curves(table)
            if any(curves.is_locked(fcurve) for fcurve in found.values()):
                self.locked.append(name)
            elif found or not only_keyed:
                planned += self._plan_property(task, found, table, name in self.baked and not only_keyed)
                self.keyed.append(name)
        return planned

    def _plan_property(
        self, task: RotationChange | ShiftChange, found: dict[int, bpy.types.FCurve], table: CurveTable, baked: bool
    ) -> list[_NewKeys]:
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
        planned = []
        for index in range(task.property.size):
            at = task.property.path, index, task.property.group
            if index in found and not baked:
                own = curves.key_times(found[index])
                rows = np.searchsorted(times, own)
                planned.append(_NewKeys(*at, own, (values - present)[rows, index], changed[rows]))
            elif changed.any():
                planned.append(_NewKeys(*at, times, values[:, index]))
        return planned

    def _new_curve(self, keys: _NewKeys) -> bpy.types.FCurve:
        return compat.new_fcurve(find_curves(self._look_up()[0]), keys.path, keys.index, keys.group)

    def _remember(self, prop: Property) -> None:
        bone = "" if isinstance(prop.owner, bpy.types.Object) else prop.owner.name
        self.unkeyed.append((bone, prop.name, list(getattr(prop.owner, prop.name))))


def restore_channels(armature: bpy.types.Object, unkeyed: list[tuple[str, str, list[float]]]) -> None:
    """Set channels back that only the cleaned action has curves for: without them they keep the last value shown."""
    for bone, name, values in unkeyed:
        owner = armature.pose.bones.get(bone) if bone else armature
        if owner is not None and name in owner:
            owner[name] = values[0]
        elif owner is not None:
            setattr(owner, name, values)


def _find_action(session_uid: int) -> bpy.types.Action | None:
    return next((action for action in bpy.data.actions if action.session_uid == session_uid), None)
