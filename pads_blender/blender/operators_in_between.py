"""In-Between: the motion between key poses of the active armature, as a new action that passes the keys."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import bpy
import numpy as np

from .. import jobs
from ..errors import TakeError
from . import compat, curves, results
from .chosen_prior import read_prior_folder
from .computer import open_prior, read_host
from .evaluation import find_object
from .job_operator import JobOperator
from .parts import Pace, Parts
from .preferences import read_preferences
from .reporting import has_motion, is_idle
from .rig_mapping import read_mapping
from .rig_reader import find_curves
from .rig_writer import ORIGINAL, Written, show_original, write_take_in_parts
from .session import Task
from .snapshot import Snapshot, find_again, find_armature, snapshot_in_parts
from .transforms import CurveTable, bone_path, tabulate

if TYPE_CHECKING:
    from ..core.rig import RigTake


class PADS_OT_in_between(JobOperator, bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Complete the motion between key poses."""

    bl_idname = "pads.in_between"
    bl_label = "In-Between"
    bl_description = (
        "Make the motion between the key poses of the active armature, which it passes through exactly. "
        "The result is a new action; the original one is kept"
    )
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there are keys."""
        return is_idle(cls) and has_motion(cls, context)

    def prepare(self, context: bpy.types.Context) -> Parts[Task]:
        """The active armature's take, its original one where a result is shown, and the frames with key poses."""
        armature, settings = context.object, context.scene.pads_generate
        only_selected, seed = settings.keys == "SELECTED", settings.variation
        name, uid, shown = armature.name, armature.session_uid, armature.animation_data.action.name
        result = _show_original(armature)
        try:
            times = key_frames(armature, only_selected)
            snapshot = yield from snapshot_in_parts(armature, switch_to_fk=context.scene.pads.switch_to_fk)
        finally:
            _show_again(name, uid, result)
        return _task(snapshot, times, seed, shown if result is not None else None)


def key_frames(armature: bpy.types.Object, only_selected: bool) -> np.ndarray:
    """Scene frames (K,) in which bones of the body have keys that are not PADS's own, or those that are selected."""
    chosen = [joint.bone for joint in read_mapping(armature).joints.values() if joint]
    beginnings = tuple(bone_path(armature.pose.bones[name], "") for name in chosen)
    body = [fcurve for fcurve in find_curves(armature).fcurves if fcurve.data_path.startswith(beginnings)]
    found = [curves.chosen_times(fcurve) if only_selected else curves.posed_times(fcurve) for fcurve in body]
    times = np.unique(np.concatenate(found)) if found else np.zeros(0)
    if len(times) < 2:
        which = "selected on the bones of the body" if only_selected else "on the bones of the body"
        advice = (
            " (PADS's own do not count, unless you choose Selected Keys and select them)" if not only_selected else ""
        )
        count = "is 1" if len(times) else "are none"
        raise TakeError(f"In-between needs keys in two frames at least, and there {count} {which}{advice}.")
    if not only_selected and np.diff(times).max() <= 1.0:
        advice = "set Keys to Selected Keys, and select those of the poses that count in the Dope Sheet"
        raise TakeError(f"The body has keys in every frame, as takes do: {advice}.")
    return times


def _show_original(armature: bpy.types.Object) -> int | None:
    """Show the motion that a result was made from; number of the result's action, None where none was shown."""
    action = armature.animation_data and armature.animation_data.action
    if not action or not action.get(ORIGINAL):
        return None
    show_original(armature)
    return action.session_uid


def _show_again(name: str, uid: int, result: int | None) -> None:
    """Show the result again, if there was one and it is still there."""
    action = next((each for each in bpy.data.actions if each.session_uid == result), None)
    with contextlib.suppress(TakeError):
        animation = find_object(uid, name).animation_data
        if action and animation and animation.action_slot:
            compat.assign_action(animation, action, animation.action_slot.handle)


def _task(snapshot: Snapshot, times: np.ndarray, seed: int, unaccepted: str | None) -> Task:
    """unaccepted: the result that was on show, which is passed over."""
    threads, host, folder = read_preferences().threads, read_host(), read_prior_folder()
    is_key = np.isin(snapshot.take.frames, np.concatenate([np.floor(times), np.ceil(times)]))

    def work(on_step: jobs.OnStep) -> RigTake:
        from ..tasks.in_between import InBetweenSettings, in_between_take  # not above: Blender's start must not wait

        prior, rest = open_prior(threads, host, folder, on_step)
        return in_between_take(snapshot.take, snapshot.mapping, is_key, InBetweenSettings(seed), prior, rest)

    def apply(after: RigTake) -> Parts[str]:
        result = _show_original(find_armature(snapshot))
        try:
            said = yield from _deliver(snapshot, after, times)
        except BaseException:
            _show_again(snapshot.armature, snapshot.armature_uid, result)
            raise
        said += f"; {unaccepted} was passed over: Accept comes first to build on it" if unaccepted else ""
        find_armature(snapshot).pads.result = said
        return said

    return Task("In-between", work, apply, (snapshot.armature_uid,))


def _deliver(snapshot: Snapshot, after: RigTake, times: np.ndarray) -> Parts[str]:
    """Write the frames from the first to the last key; the animator's keys stay of the type that they had."""
    inside = np.flatnonzero((snapshot.take.frames >= times[0]) & (snapshot.take.frames <= times[-1]))
    rows = slice(int(inside[0]), int(inside[-1]) + 1)
    before, after = snapshot.take.rows(rows), after.rows(rows)
    armature = yield from find_again(snapshot)
    written = yield from write_take_in_parts(armature, before, after, snapshot.switch_to_fk, bake=True)
    try:
        yield from _mark_posed(snapshot, written, times)
    except BaseException:  # cancelled between two parts, too
        results.take_back(snapshot, written)
        raise
    locked = f"; {len(written.locked_bones)} locked left alone" if written.locked_bones else ""
    return f"{len(times)} key poses joined in {written.action}; {written.original} is kept{locked}"


def _mark_posed(snapshot: Snapshot, written: Written, times: np.ndarray) -> Parts[None]:
    """The animator's keys (K,) in the new action get their usual type back, in parts where curves are long."""
    pace, table = Pace(), _written_curves(snapshot, written)
    for done, curve in enumerate(names := list(table), start=1):
        table = table or _written_curves(snapshot, written)
        if fcurve := table.get(curve):
            curves.mark_posed(fcurve, times)
            if pace.is_pause_due(len(fcurve.keyframe_points)):
                yield done / len(names)
                table = None


def _written_curves(snapshot: Snapshot, written: Written) -> CurveTable:
    """The curves of the new action; TakeError unless that is still what the armature shows."""
    armature = find_armature(snapshot)
    shown = armature.animation_data and armature.animation_data.action
    if not shown or shown.name != written.action:
        raise TakeError(f"{armature.name} was edited while the result was written: nothing was changed; start again.")
    return tabulate(find_curves(armature))


CLASSES = (PADS_OT_in_between,)
