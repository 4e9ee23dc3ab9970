"""Estimate: what films show of a person becomes the motion of the selected rig, or of a new armature."""

from __future__ import annotations

import bpy

from ..errors import TakeError
from . import compat
from .evaluation import find_object
from .job_operator import JobOperator
from .parts import Parts
from .reporting import OperatorResult, has_strips, is_idle, reports_errors
from .rig_mapping import read_mapping
from .rig_reader import scene_fps
from .session import Task


class PADS_OT_estimate(JobOperator, bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Estimate motion from the 2D points of a film."""

    bl_idname = "pads.estimate"
    bl_label = "Estimate"
    bl_description = (
        "Turn the 2D points of a person in a film into motion: of the selected armature, else of a new one. "
        "The result is a new action; the one before is kept"
    )
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there are points, a camera, and an armature that is free, or none."""
        if not is_idle(cls):
            return False
        from .estimate_reader import what_is_missing  # Blender's start must not wait for it

        armature, missing = target_armature(context), what_is_missing(context.scene)
        if armature is not None and armature.data.is_editmode:
            missing = "Leave Edit Mode first"
        elif armature is not None and has_strips(armature):
            missing = "Accept or discard the result first"
        if missing:
            cls.poll_message_set(missing)
        return not missing

    def prepare(self, context: bpy.types.Context) -> Parts[Task]:
        """The films' points and cameras, and the armature at rest."""
        from .estimate_job import Request, new_armature_task, rig_task
        from .estimate_reader import film_name, read_shots
        from .estimate_target import read_target

        scene, settings, armature = context.scene, context.scene.pads_estimate, target_armature(context)
        stature = settings.stature if settings.size_from == "STATURE" else None
        asked = (film_name(settings.film), settings.hypotheses, scene.pads.seed)
        floor, switch_to_fk, fps = settings.floor, scene.pads.switch_to_fk, scene_fps()
        target = None if armature is None else (armature.session_uid, armature.name)
        shots, frames = yield from read_shots(scene, _joints_of_bones(armature))
        request = Request(shots, frames, fps, *asked)
        if target is None:
            return new_armature_task(request, stature, floor)
        return rig_task(request, read_target(find_object(*target), frames, switch_to_fk))


class PADS_OT_add_film(bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Add what another camera filmed at the same time"""

    bl_idname = "pads.add_film"
    bl_label = "Add Camera"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads a plain set

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        """Add it."""
        context.scene.pads_estimate.more_films.add()
        return {"FINISHED"}


class PADS_OT_remove_film(bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Do without this camera"""

    bl_idname = "pads.remove_film"
    bl_label = "Remove Camera"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads a plain set

    index: bpy.props.IntProperty(options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        """Remove it."""
        context.scene.pads_estimate.more_films.remove(self.index)
        return {"FINISHED"}


class PADS_OT_show_hypothesis(bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Show this one of the motions that may have been filmed"""

    bl_idname = "pads.show_hypothesis"
    bl_label = "Show Hypothesis"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads a plain set

    action: bpy.props.StringProperty(options={"HIDDEN"})

    @reports_errors
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        """Make it the armature's action."""
        animation, action = context.object and context.object.animation_data, bpy.data.actions.get(self.action)
        if not animation or not animation.action_slot or action is None:
            raise TakeError("This motion is no longer there for the active object: estimate it again.")
        compat.assign_action(animation, action, animation.action_slot.handle)
        self.report({"INFO"}, f"Showing {self.action}")
        return {"FINISHED"}


def target_armature(context: bpy.types.Context) -> bpy.types.Object | None:
    """The armature that the motion goes onto: the active one, if it is selected or being posed."""
    active = context.object
    is_armature = active is not None and active.type == "ARMATURE"
    return active if is_armature and (active.select_get() or active.mode != "OBJECT") else None


def _joints_of_bones(armature: bpy.types.Object | None) -> dict[str, str]:
    """Joint of each mapped bone of the armature, by the bone's name."""
    if armature is None:
        return {}
    joints = read_mapping(armature).joints
    return {chosen.bone: joint for joint, chosen in joints.items() if chosen}


CLASSES = (PADS_OT_estimate, PADS_OT_add_film, PADS_OT_remove_film, PADS_OT_show_hypothesis)
