"""Clean Mocap, and Fill Selected Bones: what is read, what is worked out, and where it goes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy

from .. import jobs
from ..errors import CancelledError, PadsError, TakeError
from ..tasks.running import at_the_end, part_of
from . import chosen, contact_list, problem_list, results
from .chosen_prior import read_prior_folder
from .computer import open_prior, read_host
from .evaluation import find_object
from .job_operator import JobOperator
from .kept_keys import KeptKeys
from .parts import Parts
from .preferences import read_preferences
from .reporting import has_motion, is_idle
from .rig_mapping import read_mapping
from .session import Task
from .snapshot import Snapshot, find_armature, snapshot_in_parts

if TYPE_CHECKING:
    from ..core.rig import RigTake
    from ..diffusion.prior import Prior
    from ..tasks.clean import CleanSettings
    from ..tasks.cleaned import Cleaned
    from ..tasks.contacts import ContactRange
    from ..tasks.problems import Problem
    from ..tasks.repairs import Repairs
    from .rig_writer import Written


@dataclass(frozen=True)
class _Wanted:
    """What is asked for one armature, by its session number and name; contacts: see clean_rig."""

    uid: int
    name: str
    settings: CleanSettings
    contacts: list[ContactRange] | None


class PADS_OT_clean(JobOperator, bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Clean the motion of all selected armatures."""

    bl_idname = "pads.clean"
    bl_label = "Clean Mocap"
    bl_description = (
        "Take jitter, leaps, gaps and sliding feet out of the motion of all selected armatures. "
        "The result is a new action; the original one is kept"
    )
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is something to clean."""
        return is_idle(cls) and has_motion(cls, context)

    def prepare(self, context: bpy.types.Context) -> Parts[Task]:
        """Every chosen armature's take with the scene's settings; one that cannot be read does not stop the others."""
        settings = context.scene.pads
        keys, switch_to_fk = KeptKeys(settings.keep_extreme, settings.keep_selected), settings.switch_to_fk
        if not settings.strength:
            raise TakeError("Strength is 0, at which nothing changes: raise it in the settings.")
        wanted, refused = self._wanted(context)
        snapshots, asked = [], []
        for each in wanted:
            try:
                snapshots.append((yield from snapshot_in_parts(find_object(each.uid, each.name), keys, switch_to_fk)))
                asked.append(each)
            except PadsError as error:
                refused[each.name] = error
        if not snapshots:
            raise next(iter(refused.values()))
        left_out = [f"{name} is left as it is: {error}" for name, error in refused.items()]
        tasks, contacts = [each.settings for each in asked], [each.contacts for each in asked]
        return clean_task("Cleaning", snapshots, tasks, lambda: _forget_problems(snapshots), left_out, contacts)

    def _wanted(self, context: bpy.types.Context) -> tuple[list[_Wanted], dict[str, PadsError]]:
        """What is asked for each chosen armature; by their names, why others cannot be cleaned."""
        wanted, refused, settings = [], {}, context.scene.pads
        for each in chosen.chosen_armatures(context):
            try:
                frames = chosen.chosen_frames(context.scene, each, settings.range)
                edited = contact_list.read(each) if settings.use_feet and each.pads.are_contacts_edited else None
                wanted.append(_Wanted(each.session_uid, each.name, settings.to_settings(*frames), edited))
            except PadsError as error:
                refused[each.name] = error
        return wanted, refused


class PADS_OT_fill(JobOperator, bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Complete the selected bones."""

    bl_idname = "pads.fill"
    bl_label = "Fill Selected Bones"
    bl_description = (
        "Make the selected bones anew in the chosen frames, from the rest of the body and the frames around: "
        "an arm that the cameras lost, for instance"
    )
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether bones are selected."""
        if not (is_idle(cls) and has_motion(cls, context)):
            return False
        if not chosen.chosen_bones(context):
            cls.poll_message_set("Select the bones to fill in Pose Mode")
            return False
        return True

    def prepare(self, context: bpy.types.Context) -> Parts[Task]:
        """The active armature's take with nothing but the selected bones to be completed."""
        from ..tasks.fixes import fill_settings

        settings, bones = context.scene.pads, chosen.chosen_bones(context)
        first, last = chosen.chosen_frames(context.scene, context.object, settings.fill_range, bones)
        own_keys_count = settings.keep_selected and settings.fill_range != "SELECTED"
        keys = KeptKeys(settings.keep_extreme, own_keys_count)
        asked = fill_settings(self._of_the_body(context.object, bones), first, last, settings.to_settings())
        snapshot = yield from snapshot_in_parts(context.object, keys, settings.switch_to_fk)
        return clean_task("Filling in", [snapshot], [asked], verb="completed")

    def _of_the_body(self, armature: bpy.types.Object, bones: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the bones that are a joint's; TakeError where none is."""
        joints = read_mapping(armature).joints.values()
        found = tuple(bone for bone in bones if any(joint and joint.bone == bone for joint in joints))
        if not found:
            raise TakeError("None of the selected bones is a joint of the body: fingers and props cannot be filled in.")
        return found


def clean_task(
    title: str,
    snapshots: list[Snapshot],
    settings: list[CleanSettings],
    afterwards: Callable[[], None] | None = None,
    left_out: Sequence[str] = (),
    contacts: Sequence[Sequence[ContactRange] | None] = (),
    verb: str = "cleaned",
) -> Task:
    """Clean on several takes, one after the other, and all results applied at the end; afterwards: once they are.

    left_out: what is to be said about armatures that were refused before. contacts: see clean_rig; verb: see
    results.summary.
    """
    threads, host, folder = read_preferences().threads, read_host(), read_prior_folder()
    contacts = contacts or [None] * len(snapshots)

    def work(on_step: jobs.OnStep) -> list[_Mended | PadsError]:
        (prior, on_step), count = open_prior(threads, host, folder, on_step), len(snapshots)
        asked = list(zip(snapshots, settings, contacts, strict=True))
        if count == 1:
            return [_clean_one(*asked[0], prior, on_step)]
        return [_clean_one_of_several(*each, prior, part_of(on_step, i, count)) for i, each in enumerate(asked)]

    def apply(mended: list[_Mended | PadsError]) -> Parts[str]:
        after = [each if isinstance(each, PadsError) else each.cleaned.after for each in mended]
        repairs = [[] if isinstance(each, PadsError) else each.repairs for each in mended]
        said = _with_others((yield from deliver_all(snapshots, after, repairs, verb)), left_out)
        if afterwards:
            afterwards()
        return _with_others(said, _keep_warnings(snapshots, mended))

    return Task(title, work, apply, tuple(each.armature_uid for each in snapshots))


def deliver_all(
    snapshots: list[Snapshot],
    after: Sequence[RigTake | PadsError],
    repairs: Sequence[Repairs] = (),
    verb: str = "cleaned",
) -> Parts[str]:
    """Put each result where it belongs, or say why there is none; PadsError where nothing could be delivered.

    verb: see results.summary.
    """
    done: list[tuple[Snapshot, Written, Repairs]] = []
    failed, repairs = [], repairs or [[] for _ in snapshots]
    try:
        for snapshot, take, repairs_of_it in zip(snapshots, after, repairs, strict=True):
            try:
                if isinstance(take, PadsError):
                    raise take
                done.append((snapshot, (yield from results.deliver(snapshot, take)), repairs_of_it))
            except PadsError as error:
                failed.append(str(error))
    except BaseException:  # cancelled between two parts, too: all of them or none
        for snapshot, written, _ in done:
            results.take_back(snapshot, written)
        raise
    if not done:
        raise TakeError(" ".join(failed))
    for snapshot, written, repairs_of_it in done:
        with contextlib.suppress(TakeError):  # it may have been deleted while the others were written
            find_armature(snapshot).pads.result = results.summary([written], [repairs_of_it], verb)
    return _with_others(results.summary([written for _, written, _ in done], repairs, verb), failed)


def _with_others(said: str, others: Sequence[str]) -> str:
    """What became of the armatures that were cleaned, and of the others."""
    return ". ".join([said, " ".join(others)]) if others else said


def _keep_warnings(snapshots: list[Snapshot], mended: list[_Mended | PadsError]) -> list[str]:
    """What is odd about the takes as a whole, which the panel goes on showing."""
    said = []
    for snapshot, each in zip(snapshots, mended, strict=True):
        if not isinstance(each, PadsError):
            said += [warning.text for warning in each.cleaned.warnings]
            with contextlib.suppress(TakeError):  # it may have been deleted while the others were cleaned
                problem_list.store_warnings(find_armature(snapshot), each.cleaned.warnings)
    return said


@dataclass(frozen=True)
class _Mended:
    """A cleaned take, and how much of what was broken in it is so no longer."""

    cleaned: Cleaned
    repairs: Repairs


def _clean_one(
    snapshot: Snapshot,
    settings: CleanSettings,
    contacts: Sequence[ContactRange] | None,
    prior: Prior,
    on_step: jobs.OnStep,
) -> _Mended:
    from ..tasks.cleaned import clean_rig
    from ..tasks.problems import find_problems
    from ..tasks.repairs import count_repairs

    take, mapping = snapshot.take, snapshot.mapping
    cleaned = clean_rig(take, mapping, snapshot.kept, settings, prior, on_step, contacts)
    if settings.complete:  # what else is broken nobody asked about
        return _Mended(cleaned, [])
    before, after = (find_problems(each, mapping, at_the_end(on_step)) for each in (take, cleaned.after))
    inside = [each for each in before if _is_inside(each, settings)]
    filled = {joint: entry["completed"] for joint, entry in cleaned.report["joints"].items()}
    return _Mended(cleaned, count_repairs(inside, after, filled))


def _is_inside(problem: Problem, settings: CleanSettings) -> bool:
    """Whether any of its frames is among those that are cleaned."""
    is_before = settings.start is not None and problem.last < settings.start
    return not is_before and (settings.end is None or problem.first <= settings.end)


def _clean_one_of_several(
    snapshot: Snapshot,
    settings: CleanSettings,
    contacts: Sequence[ContactRange] | None,
    prior: Prior,
    on_step: jobs.OnStep,
) -> _Mended | PadsError:
    """The take cleaned, or why that cannot be: the others are to be cleaned all the same."""
    try:
        return _clean_one(snapshot, settings, contacts, prior, on_step)
    except CancelledError:
        raise
    except PadsError as error:
        return TakeError(f"{snapshot.armature} is left as it is: {error}")


def _forget_problems(snapshots: list[Snapshot]) -> None:
    """Empty the lists of problems: they speak of the motion before."""
    for snapshot in snapshots:
        with contextlib.suppress(TakeError):  # it may have been deleted while the others were cleaned
            problem_list.forget(find_armature(snapshot))


CLASSES = (PADS_OT_clean, PADS_OT_fill)
