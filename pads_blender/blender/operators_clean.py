"""Clean Mocap, and Fill Selected Bones: what is read, what is worked out, and where it goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import bpy

from .. import jobs
from ..errors import PadsError, TakeError
from . import chosen, results
from .computer import read_host
from .job_operator import JobOperator
from .kept_keys import KeptKeys
from .preferences import read_preferences
from .reporting import has_motion, is_idle
from .session import Task
from .snapshot import Snapshot, take_snapshot

if TYPE_CHECKING:
    from ..tasks.clean import CleanSettings


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

    def prepare(self, context: bpy.types.Context) -> Task:
        """Every chosen armature's take with the scene's settings."""
        scene, settings = context.scene, context.scene.pads
        armatures = chosen.chosen_armatures(context)
        asked = [settings.to_settings(*chosen.chosen_frames(scene, each, settings.range)) for each in armatures]
        keys = KeptKeys(settings.keep_extreme, settings.keep_selected)
        return clean_task("Cleaning", [take_snapshot(each, keys, settings.switch_to_fk) for each in armatures], asked)


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

    def prepare(self, context: bpy.types.Context) -> Task:
        """The active armature's take with nothing but the selected bones to be completed."""
        from ..tasks.fixes import fill_settings

        settings, bones = context.scene.pads, chosen.chosen_bones(context)
        first, last = chosen.chosen_frames(context.scene, context.object, settings.fill_range, bones)
        own_keys_count = settings.keep_selected and settings.fill_range != "SELECTED"
        keys = KeptKeys(settings.keep_extreme, own_keys_count)
        snapshot = take_snapshot(context.object, keys, settings.switch_to_fk)
        return clean_task("Filling in", [snapshot], [fill_settings(bones, first, last, settings.to_settings())])


def clean_task(
    title: str,
    snapshots: list[Snapshot],
    settings: list[CleanSettings],
    afterwards: Callable[[], None] | None = None,
) -> Task:
    """Clean on several takes, one after the other, and all results applied at the end; afterwards: once they are."""
    threads, host = read_preferences().threads, read_host()

    def work(on_step: jobs.OnStep) -> list:
        # Imported here: Blender's start must not wait for what only a press of the button needs.
        from ..diffusion.prior import load_prior
        from ..tasks.cleaned import clean_rig

        prior, after = load_prior("motion", threads=threads, host=host), []
        for number, (each, asked) in enumerate(zip(snapshots, settings, strict=True)):
            step = _part(on_step, number, len(snapshots))
            after.append(clean_rig(each.take, each.mapping, each.kept, asked, prior, step).after)
        return after

    def apply(after: list) -> str:
        said = deliver_all(snapshots, after)
        if afterwards:
            afterwards()
        return said

    return Task(title, work, apply, tuple(each.armature_uid for each in snapshots))


def deliver_all(snapshots: list[Snapshot], after: list) -> str:
    """Put each result where it belongs; PadsError where nothing could be delivered."""
    written, failed = [], []
    for snapshot, take in zip(snapshots, after, strict=True):
        try:
            written.append(results.deliver(snapshot, take))
        except PadsError as error:
            failed.append(str(error))
    if not written:
        raise TakeError(" ".join(failed))
    return " ".join([results.summary(written), *failed])


def _part(on_step: jobs.OnStep, number: int, count: int) -> jobs.OnStep:
    """The steps of one take of several as steps of the whole."""
    return lambda step, steps: on_step(number * steps + step, count * steps)


CLASSES = (PADS_OT_clean, PADS_OT_fill)
