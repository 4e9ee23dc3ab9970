"""The list of problems on an armature: kept with the object, shown in the panel, gone to by a click."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import bpy

from ..tasks.problem_kinds import KINDS
from . import compat

if TYPE_CHECKING:
    from ..tasks.problems import Problem
    from ..tasks.take_warnings import TakeWarning

_MARKER = "PADS "
_OURS = tuple(f"{_MARKER}{kind.title()} " for kind in KINDS)  # how the names of our markers begin


def store(armature: bpy.types.Object, problems: Sequence[Problem]) -> None:
    """Put what was found in place of the old list."""
    forget(armature)
    rig = armature.pads
    for problem in problems:
        item = rig.problems.add()
        item.kind, item.bone, item.joints = problem.kind.upper(), problem.bone, ",".join(problem.joints)
        item.first, item.last, item.severity = problem.first, problem.last, problem.severity
        item.reason = problem.reason
    rig.are_problems_known = True
    follow_action(armature)


def follow_action(armature: bpy.types.Object) -> None:
    """The list is about the action that the armature has now."""
    action = _shown_action(armature)
    armature.pads.problems_action = action.name if action else ""
    armature.pads.problems_action_uid = action.session_uid if action else 0


def is_about_shown(armature: bpy.types.Object) -> bool:
    """Whether the list is about the action that the armature has now."""
    action = _shown_action(armature)
    return find_action_name(armature) == (action.name if action else "")


def find_action_name(armature: bpy.types.Object) -> str:
    """What the action that the list is about is called now; empty where it was about none.

    The session's number finds it where it was renamed. In a file that was opened again the numbers are others, and the
    name stands.
    """
    name, uid = armature.pads.problems_action, armature.pads.problems_action_uid
    if name in bpy.data.actions:
        return name
    return next((action.name for action in bpy.data.actions if action.session_uid == uid), name)


def _shown_action(armature: bpy.types.Object) -> bpy.types.Action | None:
    animation = armature.animation_data
    return animation.action if animation else None


def forget(armature: bpy.types.Object) -> None:
    """Empty the list: the motion that it speaks of is not the one that is shown any more."""
    rig = armature.pads
    rig.active_problem = -1
    rig.problems.clear()
    rig.are_problems_known = False


def store_warnings(armature: bpy.types.Object, warnings: Sequence[TakeWarning]) -> None:
    """Keep what is odd about the take as a whole, for the panel."""
    armature.pads.warnings = "\n".join(warning.text for warning in warnings)


def read(armature: bpy.types.Object) -> list[Problem]:
    """The list as plain data."""
    return [_read_one(item) for item in armature.pads.problems]


def read_active(armature: bpy.types.Object) -> Problem | None:
    """The problem that is chosen in the list."""
    rig = armature.pads
    return _read_one(rig.problems[rig.active_problem]) if 0 <= rig.active_problem < len(rig.problems) else None


def drop(armature: bpy.types.Object, problem: Problem) -> None:
    """Take a problem off the list, if it is still there."""
    rig = armature.pads
    for number, item in enumerate(rig.problems):
        if _read_one(item) == problem:
            rig.problems.remove(number)
            rig.active_problem = -1
            return


def go_to(context: bpy.types.Context, item: bpy.types.PropertyGroup) -> None:
    """Show the middle of a problem and select its bone alone."""
    armature = context.object
    context.scene.frame_set(round(0.5 * (item.first + item.last)))
    bone = armature.pose.bones.get(item.bone)
    if bone is None:
        return
    for each in armature.pose.bones:
        compat.select_bone(each, each == bone)
    armature.data.bones.active = bone.bone


def mark(scene: bpy.types.Scene, armature: bpy.types.Object) -> int:
    """Put a marker on the timeline at each problem, in place of those from before; how many."""
    unmark(scene)
    for item in armature.pads.problems:
        name = f"{_MARKER}{item.kind.title()} {item.bone}"
        scene.timeline_markers.new(name, frame=round(item.first))
    return len(armature.pads.problems)


def unmark(scene: bpy.types.Scene) -> None:
    """Take our markers off the timeline."""
    for marker in find_markers(scene):
        scene.timeline_markers.remove(marker)


def find_markers(scene: bpy.types.Scene) -> list[bpy.types.TimelineMarker]:
    """Our markers: named as we name them. One that the animator named anew is theirs."""
    return [marker for marker in scene.timeline_markers if marker.name.startswith(_OURS)]


def _read_one(item: bpy.types.PropertyGroup) -> Problem:
    joints = tuple(item.joints.split(","))
    from ..tasks.problems import Problem  # not above: Blender's start must not wait for it

    return Problem(item.kind.lower(), joints[0], item.bone, joints, item.first, item.last, item.severity, item.reason)
