"""How buttons say what is wrong: an expected failure is one sentence, a button that cannot be pressed says why."""

import functools
from collections.abc import Callable

import bpy

from .. import jobs
from ..errors import CancelledError, PadsError
from .comparison import find_comparison

OperatorResult = set[str]
_ACCEPT_FIRST = "Accept or discard the result first"
_MAKE_ACTIVE = "Its motion is in NLA strips: choose its action in the Action Editor"
_Execute = Callable[[bpy.types.Operator, bpy.types.Context], OperatorResult]
_Listen = Callable[[bpy.types.Operator, bpy.types.Context, bpy.types.Event], OperatorResult]


def reports_errors(execute: _Execute) -> _Execute:
    """Turn an expected failure into one line in the status bar and a cancelled operator."""

    @functools.wraps(execute)
    def wrapped(self: bpy.types.Operator, context: bpy.types.Context) -> OperatorResult:
        return _attempt(self, lambda: execute(self, context))

    return wrapped


def reports_event_errors(listen: _Listen) -> _Listen:
    """The same for invoke and modal; Blender counts the arguments of both kinds."""

    @functools.wraps(listen)
    def wrapped(self: bpy.types.Operator, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        return _attempt(self, lambda: listen(self, context, event))

    return wrapped


def _attempt(operator: bpy.types.Operator, method: Callable[[], OperatorResult]) -> OperatorResult:
    from . import journal  # Blender's start must not wait for it

    log = journal.open_log()
    try:
        result = method()
    except CancelledError as error:
        operator.report({"INFO"}, str(error))
    except PadsError as error:
        log.info("%s: %s", operator.bl_label, error)
        operator.report({"ERROR"}, str(error))
    except Exception:
        log.exception("%s broke down", operator.bl_label)
        raise
    else:
        if "FINISHED" in result:
            log.info("%s: done", operator.bl_label)
        return result
    return {"CANCELLED"}


def has_armature(cls: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """Whether an armature is active, outside of its edit mode; if not, the button says so."""
    armature = context.object
    if armature is None or armature.type != "ARMATURE":
        cls.poll_message_set("Select an armature")
        return False
    if armature.data.is_editmode:
        cls.poll_message_set("Leave Edit Mode")
        return False
    return True


def has_motion(cls: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """Whether the active armature is animated; if not, the button says so."""
    if not has_armature(cls, context):
        return False
    said = why_still(context.object)
    if said:
        cls.poll_message_set(said)
    return not said


def why_still(armature: bpy.types.Object) -> str:
    """Why there is no action to work on, and what to do about it; empty where there is one."""
    if is_animated(armature):
        return ""
    if has_strips(armature):
        return _ACCEPT_FIRST
    is_in_strips = armature.animation_data and any(track.strips for track in armature.animation_data.nla_tracks)
    return _MAKE_ACTIVE if is_in_strips else "Select an armature with keyframes"


def is_animated(armature: bpy.types.Object) -> bool:
    """Whether the armature has an action."""
    return bool(armature.animation_data and armature.animation_data.action)


def has_strips(armature: bpy.types.Object) -> bool:
    """Whether a cleaned motion is blended with its original as NLA strips."""
    found = find_comparison(armature)
    return found is not None and found.strip is not None


def is_idle(cls: type[bpy.types.Operator]) -> bool:
    """Whether nothing is being worked on; if it is, the button says so."""
    job = jobs.running()
    if job is not None:
        cls.poll_message_set(f"{job.title} is not done yet: wait for it, or press Esc")
        return False
    return True
