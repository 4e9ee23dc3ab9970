"""Find Problems, and what can be done about those in the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from .. import jobs
from ..errors import TakeError
from . import problem_list
from .chosen import chosen_take_in_parts
from .chosen_prior import read_prior_folder
from .computer import open_prior, read_host
from .job_operator import JobOperator
from .operators_clean import deliver_all
from .parts import Parts
from .preferences import read_preferences
from .reporting import OperatorResult, has_armature, has_motion, is_idle, reports_errors
from .session import Task
from .snapshot import find_armature

if TYPE_CHECKING:  # what is worked out is imported where it is used: Blender's start must not wait for it
    from ..core.rig import RigTake
    from ..tasks.problems import Problem
    from ..tasks.take_warnings import TakeWarning


def _has_active(cls: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    if not has_armature(cls, context):
        return False
    if problem_list.read_active(context.object) is None:
        cls.poll_message_set("Click a problem in the list")
        return False
    return True


def _is_about_shown(cls: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    if not problem_list.is_about_shown(context.object):
        cls.poll_message_set("The list is about another action: press Find Problems again, or go back to that action")
        return False
    return True


def _has_any(cls: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    if not has_armature(cls, context):
        return False
    if not len(context.object.pads.problems):
        cls.poll_message_set("Press Find Problems first")
        return False
    return True


class PADS_OT_find_problems(JobOperator, bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """List what looks broken in the motion: jitter, leaps, frozen and lost limbs, exchanged sides, sliding feet"""

    bl_idname = "pads.find_problems"
    bl_label = "Find Problems"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is a motion to look at."""
        return is_idle(cls) and has_motion(cls, context)

    def prepare(self, context: bpy.types.Context) -> Parts[Task]:
        """The active armature's take."""
        from ..tasks.problems import find_problems
        from ..tasks.take_warnings import find_warnings

        snapshot = yield from chosen_take_in_parts(context)

        def work(on_step: jobs.OnStep) -> tuple[list[Problem], list[TakeWarning]]:
            take, mapping = snapshot.take, snapshot.mapping
            return find_problems(take, mapping, on_step), find_warnings(take, mapping)

        def apply(found: tuple[list[Problem], list[TakeWarning]]) -> str:
            problems, warnings = found
            problem_list.store(find_armature(snapshot), problems)
            problem_list.store_warnings(find_armature(snapshot), warnings)
            said = f"{len(problems) or 'No'} problem{'' if len(problems) == 1 else 's'} found"
            return " ".join([f"{said}.", *(warning.text for warning in warnings)]) if warnings else said

        return Task("Looking for problems", work, apply)


class PADS_OT_fix_problem(JobOperator, bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Put right the problem that is chosen in the list, and change nothing else. The result is a new action"""

    bl_idname = "pads.fix_problem"
    bl_label = "Fix"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether a problem is chosen that can be put right."""
        from ..tasks.fixes import FIXABLE

        if not (is_idle(cls) and has_motion(cls, context) and _has_active(cls, context)):
            return False
        if not _is_about_shown(cls, context):
            return False
        if problem_list.read_active(context.object).kind not in FIXABLE:
            cls.poll_message_set("Feet below the floor are only pointed out: whether they are wrong is yours to say")
            return False
        return True

    def prepare(self, context: bpy.types.Context) -> Parts[Task]:
        """The active armature's take and the one problem."""
        return (yield from _fix_task(context, [problem_list.read_active(context.object)]))


class PADS_OT_fix_all_problems(JobOperator, bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Put right all problems in the list; what you took off it stays as it is. The result is a new action"""

    bl_idname = "pads.fix_all_problems"
    bl_label = "Fix All"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there are problems."""
        return is_idle(cls) and has_motion(cls, context) and _has_any(cls, context) and _is_about_shown(cls, context)

    def prepare(self, context: bpy.types.Context) -> Parts[Task]:
        """The active armature's take and what is in the list."""
        from ..tasks.fixes import FIXABLE

        problems = [problem for problem in problem_list.read(context.object) if problem.kind in FIXABLE]
        if not problems:
            raise TakeError("Nothing in the list can be put right: feet below the floor are only pointed out.")
        return (yield from _fix_task(context, problems))


def _fix_task(context: bpy.types.Context, problems: list[Problem]) -> Parts[Task]:
    """Put these problems of the active armature right and take them off the list."""
    usual, threads, host = context.scene.pads.to_settings(), read_preferences().threads, read_host()
    folder = read_prior_folder()
    snapshot = yield from chosen_take_in_parts(context)

    def work(on_step: jobs.OnStep) -> RigTake:
        from ..tasks.fixes import fix_problems

        prior = None
        if any(problem.kind != "slide" for problem in problems):
            prior, on_step = open_prior(threads, host, folder, on_step)
        return fix_problems(snapshot.take, snapshot.mapping, snapshot.kept, problems, usual, prior, on_step)

    def apply(after: RigTake) -> Parts[str]:
        said = yield from deliver_all([snapshot], [after], verb="changed")
        armature = find_armature(snapshot)
        for problem in problems:
            problem_list.drop(armature, problem)
        problem_list.follow_action(armature)
        return f"{_spoken(problems)}: {said}"

    return Task("Fixing", work, apply, (snapshot.armature_uid,))


def _spoken(problems: list[Problem]) -> str:
    if len(problems) > 1:
        return f"{len(problems)} problems put right"
    return f"{problems[0].kind.title()} of {problems[0].bone} put right"


class PADS_OT_ignore_problem(bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Take the chosen problem off the list; the motion stays as it is"""

    bl_idname = "pads.ignore_problem"
    bl_label = "Ignore"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether a problem is chosen."""
        return _has_active(cls, context)

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        """Drop it."""
        problem_list.drop(context.object, problem_list.read_active(context.object))
        return {"FINISHED"}


class PADS_OT_mark_problems(bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Put a marker on the timeline where each problem begins, or take those markers off again"""

    bl_idname = "pads.mark_problems"
    bl_label = "Markers"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there are problems, or markers of them."""
        return bool(problem_list.find_markers(context.scene)) or _has_any(cls, context)

    @reports_errors
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        """On, or off."""
        if problem_list.find_markers(context.scene):
            problem_list.unmark(context.scene)
            self.report({"INFO"}, "Markers of problems taken off")
        else:
            self.report({"INFO"}, f"{problem_list.mark(context.scene, context.object)} markers set")
        return {"FINISHED"}


CLASSES = (
    PADS_OT_find_problems,
    PADS_OT_fix_problem,
    PADS_OT_fix_all_problems,
    PADS_OT_ignore_problem,
    PADS_OT_mark_problems,
)
