"""What all buttons with slow work share: modal with a timer in the window, in one go from scripts and in background."""

from __future__ import annotations

from collections.abc import Iterable

import bpy

from .. import jobs
from ..errors import PadsError
from .computer import survey_behind
from .parts import Parts
from .reporting import OperatorResult, reports_errors, reports_event_errors
from .session import Session, Task, describe, finished
from .tab import draw_text

_TICK_SECONDS = 0.05  # more often than anybody looks: what is read in parts is read at this pace
_EDITORS = {"VIEW_3D": "UI", "GRAPH_EDITOR": "UI", "DOPESHEET_EDITOR": "UI", "PREFERENCES": "WINDOW"}
_LETTERS_OF_A_BAR = 30  # what a bar in the sidebar has room for
_PASSIVE = ("MOUSEMOVE", "INBETWEEN_MOUSEMOVE", "WINDOW_DEACTIVATE", "NONE", "TIMER")  # how their names begin


class JobOperator:
    """Mixin for operators: prepare() reads the scene and says what is to be done; the rest is here."""

    def prepare(self, context: bpy.types.Context) -> Task | Parts[Task]:
        """Read the scene into a task, at once or in parts; PadsError where there is nothing to do."""
        raise NotImplementedError

    @reports_event_errors
    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        """Begin the work and let the window live on."""
        if bpy.app.background:
            return self.execute(context)
        _check_idle()
        self._session, self._shown, self._events = Session(self.prepare(context), self.bl_label), "", EventFilter()
        manager = context.window_manager
        self._timer = manager.event_timer_add(_TICK_SECONDS, window=context.window)
        self._session.job.on_stopped = self._leave
        manager.modal_handler_add(self)
        self._say(context, self._session.status)
        return {"RUNNING_MODAL"}

    @reports_event_errors
    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        """Ask how far the work is; Esc cancels, everything else goes on to whom it is meant for."""
        if event.type != "TIMER":
            return self._hear(context, event)
        is_over = True
        try:
            said = self._session.step()
            is_over = said is not None
        finally:
            if is_over:
                self._forget_timer()
                _keep_back(self._events.kept_back)
            self._say(context, None if is_over else self._session.status)
        if not is_over:
            return {"PASS_THROUGH"}
        self.report({"INFO"}, said)
        survey_behind()
        return {"FINISHED"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator, for the window closes or another file is opened."""
        if jobs.running() is self._session.job:
            jobs.stop()
        self._leave()

    @reports_errors
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        """The same in one go."""
        _check_idle()
        task, manager = finished(self.prepare(context)), context.window_manager
        manager.progress_begin(0, 100)
        try:
            result = task.work(lambda step, count: manager.progress_update(100 * step / max(count, 1)))
        finally:
            manager.progress_end()
        self.report({"INFO"}, finished(task.apply(result)))
        return {"FINISHED"}

    def _hear(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        """What the user does meanwhile: theirs to do, except while the result is written in parts."""
        if event.type == "ESC" and event.value == "PRESS" and _is_for_the_job(context, event):
            self._session.job.cancel()
            return {"RUNNING_MODAL"}
        told = event.type, event.value, event.is_repeat
        return {"PASS_THROUGH"} if self._events.lets_pass(*told, self._session.is_writing) else {"RUNNING_MODAL"}

    def _say(self, context: bpy.types.Context, text: str | None) -> None:
        """Show the line, if it is another one: drawing costs more than all else that is done here."""
        if text != self._shown:
            self._shown = text
            _show(context, text)

    def _leave(self) -> None:
        """No trace in the window: the timer and the line in the status bar outlive the operator otherwise."""
        self._session.stop()
        self._forget_timer()
        _show(bpy.context, None)

    def _forget_timer(self) -> None:
        if self._timer is not None:
            bpy.context.window_manager.event_timer_remove(self._timer)
            self._timer = None


class PADS_OT_cancel(bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Stop what PADS is doing. Nothing is changed"""

    bl_idname = "pads.cancel"
    bl_label = "Cancel"
    bl_options = {"INTERNAL"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether something is under way."""
        return jobs.running() is not None

    def execute(self, context: bpy.types.Context) -> OperatorResult:
        """Tell the worker to stop at its next step."""
        jobs.running().cancel()
        return {"FINISHED"}


class PADS_OT_keep_back(bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Wait for keys to be let go that were pressed while a result was written: nobody else knows that they are down"""

    bl_idname = "pads.keep_back"
    bl_label = "Keep Keys Back"
    bl_options = {"INTERNAL"}  # noqa: RUF012 - Blender reads a plain set

    keys: bpy.props.StringProperty(description="Types of their events")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is a window to hear of keys."""
        return context.window is not None and not bpy.app.background

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        """Begin to listen."""
        self._events = EventFilter(self.keys.split())
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        """Take what these keys do; everything else goes on to whom it is meant for."""
        passes = self._events.lets_pass(event.type, event.value, event.is_repeat, is_writing=False)
        is_over = event.type == "WINDOW_DEACTIVATE" or not self._events.kept_back
        if passes:
            return {"CANCELLED", "PASS_THROUGH"} if is_over else {"PASS_THROUGH"}  # after FINISHED it would not pass
        return {"FINISHED"} if is_over else {"RUNNING_MODAL"}


def draw_progress(layout: bpy.types.UILayout) -> bool:
    """Progress and a button that cancels, if something is under way; whether it is."""
    job = jobs.running()
    if job is None:
        return False
    column, said = layout.column(align=True), describe(job)
    is_long = len(said) > _LETTERS_OF_A_BAR
    column.label(text=job.title)
    column.progress(factor=job.progress.share, text="" if is_long else said)
    if is_long:
        draw_text(column, bpy.context, said)
    if not job.is_cancelled:
        column.operator(PADS_OT_cancel.bl_idname, icon="X")
    return True


class EventFilter:
    """Which events go on to whom they are meant for: while a result is written, only those that begin nothing.

    What was pressed before may be let go, or Blender would take it for held. What was pressed meanwhile may not: there
    are keys that act when they are let go.
    """

    def __init__(self, kept_back: Iterable[str] = ()) -> None:
        """kept_back: keys and buttons of which nobody else knows that they are down."""
        self.kept_back = set(kept_back)

    def lets_pass(self, kind: str, value: str, is_repeat: bool, is_writing: bool) -> bool:
        """Whether an event does, by its type and value; is_repeat: of a key that is held down."""
        if value == "RELEASE":
            is_known = kind not in self.kept_back
            self.kept_back.discard(kind)
            return is_known
        is_press = value in ("PRESS", "DOUBLE_CLICK") and not is_repeat
        if kind in self.kept_back and not is_press:
            return False
        if not is_writing or kind.startswith(_PASSIVE):
            self.kept_back.discard(kind)  # pressed anew: that it was let go was not heard, as in another window
            return True
        if is_press:
            self.kept_back.add(kind)
        return False


def _keep_back(keys: Iterable[str]) -> None:
    """See to it that keys which are down reach nobody when they are let go."""
    if keys:
        bpy.ops.pads.keep_back("INVOKE_DEFAULT", keys=" ".join(keys))


def _is_for_the_job(context: bpy.types.Context, event: bpy.types.Event) -> bool:
    """Whether Esc is not meant for a playing animation or for a file browser under the mouse."""
    if any(window.screen.is_animation_playing for window in context.window_manager.windows):
        return False
    under = (a for a in context.window.screen.areas if 0 <= event.mouse_x - a.x < a.width and a.type == "FILE_BROWSER")
    return not any(0 <= event.mouse_y - area.y < area.height for area in under)


def _check_idle() -> None:
    job = jobs.running()
    if job is not None:
        raise PadsError(f"{job.title} is not done yet: wait for it, or press Esc.")


def _show(context: bpy.types.Context, text: str | None) -> None:
    """Put the line into the status bar (None: the usual one again) and have the panels drawn anew."""
    if context.workspace:
        context.workspace.status_text_set(text and f"PADS  {text}")
    areas = [area for window in context.window_manager.windows for area in window.screen.areas]
    for area in (area for area in areas if area.type in _EDITORS):
        for region in (region for region in area.regions if region.type == _EDITORS[area.type]):
            region.tag_redraw()


CLASSES = (PADS_OT_cancel, PADS_OT_keep_back)
