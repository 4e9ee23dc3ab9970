"""Generate: poses of the prior on the active armature, variations of its pose, and the rest of a pose completed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import bpy
import numpy as np

from .. import jobs
from ..core.rig import CHANNELS
from ..errors import TakeError
from .chosen import chosen_bones
from .computer import pose_prior, read_host
from .estimate_target import Target, deliver, read_target
from .evaluated_reader import is_evaluated
from .evaluation import find_object
from .job_operator import JobOperator
from .pose_at import present_pose
from .pose_keys import check_free, key_pose, make_assets, mark_poses, put_pose
from .preferences import read_preferences
from .reporting import OperatorResult, has_armature, has_strips, is_idle, reports_errors
from .rig_mapping import read_mapping
from .session import Task

if TYPE_CHECKING:
    from ..core.rig import RigTake
    from ..diffusion.prior import Prior
    from ..tasks.generate import GenerateSettings

_Make = Callable[["Prior", jobs.OnStep], "RigTake"]


class _PoseOperator(JobOperator):
    """What both buttons share that make an action of poses."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is an armature that is free."""
        if not (is_idle(cls) and has_armature(cls, context)):
            return False
        if has_strips(context.object):
            cls.poll_message_set("Accept or discard the result first")
            return False
        return True


class PADS_OT_generate(_PoseOperator, bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Draw poses from the prior."""

    bl_idname = "pads.generate"
    bl_label = "Generate Poses"
    bl_description = (
        "Poses that a person may take, where the active armature stands: a new action with a pose and a marker in each "
        "frame, from the current one on. Its action before is kept"
    )
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads a plain set

    def prepare(self, context: bpy.types.Context) -> Task:
        """The active armature at rest, in so many frames, and where it stands at present."""
        from ..tasks.rig_poses import generated  # not above: Blender's start must not wait for it

        present = present_pose(context.object)
        target, settings = _target(context), _settings(context)
        pose = _posed(target, present) or target.take.rows(slice(0, 1))

        def make(prior: Prior, on_step: jobs.OnStep) -> RigTake:
            return generated(pose, target.mapping, settings, prior, on_step)

        return _task(context, target, "Poses", make)


class PADS_OT_vary_pose(_PoseOperator, bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Draw poses like the present one."""

    bl_idname = "pads.vary_pose"
    bl_label = "Vary Pose"
    bl_description = (
        "Poses like the present one of the active armature, keyed or not: a new action with a pose and a marker in "
        "each frame, from the current one on. Its action before is kept"
    )
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads a plain set

    def prepare(self, context: bpy.types.Context) -> Task:
        """The active armature at rest in so many frames, and its present pose."""
        from ..tasks.rig_poses import varied

        present = present_pose(context.object)
        target, settings, amount = _target(context), _settings(context), context.scene.pads_generate.amount
        pose = _posed(target, present)
        if pose is None:
            raise TakeError(f"{context.object.name} moves by constraints or as an object: vary poses of its plain rig.")
        return _task(
            context,
            target,
            "Variations",
            lambda prior, step: varied(pose, target.mapping, amount, settings, prior, step),
        )


def _settings(context: bpy.types.Context) -> GenerateSettings:
    from ..tasks.generate import GenerateSettings

    own = context.scene.pads_generate
    return GenerateSettings(own.count, own.seed)


def _target(context: bpy.types.Context) -> Target:
    """The active armature at rest, a frame for each pose from the current one on."""
    first = context.scene.frame_current
    frames = np.arange(first, first + max(2, context.scene.pads_generate.count), dtype=float)
    return read_target(context.object, frames, context.scene.pads.switch_to_fk)


def _posed(target: Target, present: RigTake) -> RigTake | None:
    """The target's rig (one frame) in its present pose; None where constraints or its object have a part in that."""
    if is_evaluated(target.take) or not set(target.take.names) <= set(present.names):
        return None
    order = [present.names.index(name) for name in target.take.names]
    return replace(target.take.rows(slice(0, 1)), **{name: getattr(present, name)[:, order] for name in CHANNELS})


def _task(context: bpy.types.Context, target: Target, name: str, make: _Make) -> Task:
    threads, host = read_preferences().threads, read_host()
    settings = context.scene.pads_generate
    count, as_assets = settings.count, settings.as_assets

    def work(on_step: jobs.OnStep) -> RigTake:
        from ..diffusion.prior import load_prior

        return make(load_prior("pose", threads=threads, host=host), on_step)

    def apply(found: RigTake) -> str:
        return _deliver(target, found, f"{target.armature} {name}", count, as_assets)

    return Task(f"Making {name.lower()}", work, apply, (target.armature_uid,))


def _deliver(target: Target, found: RigTake, name: str, count: int, as_assets: bool) -> str:
    """The poses as a new action with markers, and as assets where these are asked for."""
    from ..tasks.estimate_rig import RigHypothesis

    every = np.minimum(np.arange(len(target.take.frames)), len(found.frames) - 1)
    channels = {key: getattr(found, key)[every] for key in CHANNELS}
    take = replace(target.take, **channels)
    (made,) = deliver(target, [RigHypothesis(take, 1.0, 0.0)], name)
    action, frames = bpy.data.actions[made], target.take.frames[:count]
    armature = find_object(target.armature_uid, target.armature)
    handle = armature.animation_data.action_slot.handle
    mark_poses(action, handle, frames)
    assets = f" and {len(make_assets(action, handle, frames, name))} pose assets" if as_assets else ""
    said = f"{count} pose{'' if count == 1 else 's'} in {made}, frames {frames[0]:g} to {frames[-1]:g}{assets}"
    armature.pads.result = said
    return said


class PADS_OT_complete_pose(bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Pose the rest of the body by some bones."""

    bl_idname = "pads.complete_pose"
    bl_label = "Complete Pose"
    bl_description = (
        "The selected bones stay where they are, a hand and a foot for instance; the rest of the body takes a pose "
        "that goes with them. Another seed gives another one"
    )
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads a plain set

    seed: bpy.props.IntProperty(
        name="Seed", description="0 gives the calmest pose, any other number another one", default=0, min=0
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether bones are selected."""
        if not (is_idle(cls) and has_armature(cls, context)):
            return False
        if not chosen_bones(context):
            cls.poll_message_set("Select the bones that are to stay where they are, in Pose Mode")
            return False
        return True

    @reports_errors
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        """In one go: it takes no longer than a redraw or two."""
        from ..tasks.rig_poses import completed

        armature, given = context.object, chosen_bones(context)
        mapping, pose = read_mapping(armature), present_pose(armature)
        check_free(armature, mapping)
        after = completed(pose, mapping, given, pose_prior(), self.seed)
        changed = put_pose(armature, pose, after)
        if context.scene.tool_settings.use_keyframe_insert_auto:
            key_pose(armature, changed, context.scene.frame_current)
        return {"FINISHED"}


CLASSES = (PADS_OT_generate, PADS_OT_vary_pose, PADS_OT_complete_pose)
