"""Find Problems, and what can be done about those in the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from .. import jobs
from ..errors import TakeError
from . import problem_list
from .chosen import chosen_take_in_parts
from .job_operator import JobOperator
from .operators_clean import clean_task
from .parts import Parts
from .reporting import OperatorResult, has_armature, has_motion, is_idle, reports_errors
from .session import Task
from .snapshot import find_armature

if TYPE_CHECKING:  # what is worked out is imported where it is used: Blender's start must not wait for it
    from ..tasks.problems import Problem
    from ..tasks.take_warnings import TakeWarning


def _has_active(cls: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    if not has_armature(cls, context):
        return False
    if problem_list.read_active(context.object) is None:
        cls.poll_message_set("Click a problem in the list")
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
        if problem_list.read_active(context.object).kind not in FIXABLE:
            cls.poll_message_set("Feet below the floor are only pointed out: whether they are wrong is yours to say")
            return False
        return True

    def prepare(self, context: bpy.types.Context) -> Parts[Task]:
        """The active armature's take, with settings for the one problem."""
        from ..tasks.fixes import fix_settings

        problem, usual = problem_list.read_active(context.object), context.scene.pads.to_settings()
        snapshot = yield from chosen_take_in_parts(context)
        settings = fix_settings(problem, snapshot.mapping, usual)
        return clean_task("Fixing", [snapshot], [settings], lambda: problem_list.drop(find_armature(snapshot), problem))


class PADS_OT_fix_all_problems(JobOperator, bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Put right all problems in the list. The result is a new action"""

    bl_idname = "pads.fix_all_problems"
    bl_label = "Fix All"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there are problems."""
        return is_idle(cls) and has_motion(cls, context) and _has_any(cls, context)

    def prepare(self, context: bpy.types.Context) -> Parts[Task]:
        """The active armature's take, with settings for what is in the list."""
        from ..tasks.fixes import FIXABLE, fix_all_settings

        problems = [problem for problem in problem_list.read(context.object) if problem.kind in FIXABLE]
        if not problems:
            raise TakeError("Nothing in the list can be put right: feet below the floor are only pointed out.")
        snapshot = yield from chosen_take_in_parts(context)
        settings = fix_all_settings(problems, snapshot.mapping, context.scene.pads.to_settings())

        def drop_all() -> None:
            for problem in problems:
                problem_list.drop(find_armature(snapshot), problem)

        return clean_task("Fixing", [snapshot], [settings], drop_all)


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
