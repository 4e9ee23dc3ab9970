"""Drag Pose: the active bone follows the mouse, and the rest of the body with it."""

from __future__ import annotations

import contextlib

import bpy

from ..errors import PadsError
from .chosen import chosen_bones
from .mouse_way import MouseWay
from .pose_drag import PoseDrag
from .reporting import OperatorResult, has_armature, is_idle, reports_errors, reports_event_errors

_TICK_SECONDS = 1 / 60
_KEYS = "Keep: click, Enter    Back: right click, Esc    Finer: Shift    Along an axis: X, Y, Z    View: middle mouse"
_KEEP, _BACK = ("LEFTMOUSE", "RET", "NUMPAD_ENTER"), ("RIGHTMOUSE", "ESC")
_VIEW = ("MIDDLEMOUSE", "TRACKPAD", "MOUSEROTATE", "MOUSESMARTZOOM", "NDOF_", "NUMPAD_")  # how their names begin
_OTHERS = ("TIMER", "WINDOW_DEACTIVATE", "NONE")
_running: list[PADS_OT_drag_pose] = []  # the one that goes on, for what ends without being told


class PADS_OT_drag_pose(bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Pose the body by one bone, live."""

    bl_idname = "pads.drag_pose"
    bl_label = "Drag Pose"
    bl_description = (
        "The active bone, a hand for instance, follows the mouse; the other selected bones, such as the feet, stay "
        "where they are; the rest of the body goes along. A click keeps the pose, Esc goes back"
    )
    bl_options = {"REGISTER", "UNDO", "GRAB_CURSOR", "BLOCKING"}  # noqa: RUF012 - Blender reads a plain set

    way: bpy.props.FloatVectorProperty(
        name="Move", description="How far the active bone goes, in the world", subtype="TRANSLATION", size=3
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether bones are selected, and the active one among them."""
        if not (is_idle(cls) and has_armature(cls, context)):
            return False
        if _running:
            cls.poll_message_set("A pose is being dragged: click to keep it, or press Esc")
            return False
        active = context.active_pose_bone
        if active is None or active.name not in chosen_bones(context):
            cls.poll_message_set("Select the bones that are to stay, then the one to drag, in Pose Mode")
            return False
        return True

    @reports_errors
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        """In one go, by the way that is given."""
        drag = _begin(context)
        drag.show(drag.solve(self.way))
        return _keep(context, drag)

    @reports_event_errors
    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        """Begin to follow the mouse."""
        if bpy.app.background:
            return self.execute(context)
        if context.screen.is_animation_playing:
            raise PadsError("The animation plays: stop it to drag a pose.")
        armature, self._bone = context.object, context.active_pose_bone.name
        self._mouse = MouseWay(context, event, armature.matrix_world @ armature.pose.bones[self._bone].head)
        self._drag, self._is_late = _begin(context), False
        self._timer = context.window_manager.event_timer_add(_TICK_SECONDS, window=context.window)
        context.window_manager.modal_handler_add(self)
        _running.append(self)
        context.workspace.status_text_set(_KEYS)
        self._say(context)
        return {"RUNNING_MODAL"}

    @reports_event_errors
    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        """Take note of the mouse, and solve at the next tick; whatever happens, nothing is left in the window."""
        result = {"CANCELLED"}
        try:
            result = self._hear(context, event)
        finally:
            if "CANCELLED" in result:
                self.cancel(context)
            elif "FINISHED" in result:
                self._leave()
        return result

    def cancel(self, context: bpy.types.Context) -> None:
        """Go back; Blender calls this, too, for the window closes or another file is opened."""
        self._leave()
        with contextlib.suppress(PadsError):  # the armature is gone
            self._drag.put_back()

    def _hear(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        if event.type.startswith(_OTHERS):
            self._solve(context)
            return {"PASS_THROUGH"}
        if event.type in ("MOUSEMOVE", "INBETWEEN_MOUSEMOVE"):
            self._mouse.follow(context, event)
            self._is_late = True
        elif event.value == "PRESS" and event.type in _KEEP and not event.alt:
            self._solve(context)
            self.way = self._mouse.way
            return _keep(context, self._drag)
        elif event.value == "PRESS" and event.type in _BACK:
            return {"CANCELLED"}
        elif event.value == "PRESS" and event.type in ("X", "Y", "Z"):
            self._mouse.axis = "" if self._mouse.axis == event.type else event.type
            self._is_late = True
        return {"PASS_THROUGH"} if _is_for_the_view(event) else {"RUNNING_MODAL"}

    def _solve(self, context: bpy.types.Context) -> None:
        """Have the body follow, if the mouse has moved; where it cannot, the last pose stays and a line says why."""
        if not self._is_late:
            return
        self._is_late = False
        try:
            pose = self._drag.solve(self._mouse.way)
        except PadsError as error:
            self._say(context, str(error))
            return
        self._drag.show(pose)
        self._say(context)

    def _say(self, context: bpy.types.Context, text: str = "") -> None:
        settings, axis = context.scene.unit_settings, self._mouse.axis
        gone = bpy.utils.units.to_string(
            settings.system, "LENGTH", self._mouse.way.length * settings.scale_length, precision=3
        )
        along = f" along {axis}" if axis else ""
        if context.area:
            context.area.header_text_set(text or f"Drag Pose: {self._bone} by {gone}{along}")

    def _leave(self) -> None:
        """No trace in the window: timer and texts outlive the operator otherwise."""
        if self not in _running:
            return
        _running.remove(self)
        manager = bpy.context.window_manager
        manager.event_timer_remove(self._timer)
        for window in manager.windows:
            window.workspace.status_text_set(None)
            for area in window.screen.areas:
                area.header_text_set(None)


def stop() -> None:
    """End the drag that goes on, if any, and go back: the extension is switched off."""
    for drag in list(_running):
        drag.cancel(bpy.context)


def _begin(context: bpy.types.Context) -> PoseDrag:
    return PoseDrag(context.object, chosen_bones(context), context.active_pose_bone.name)


def _keep(context: bpy.types.Context, drag: PoseDrag) -> OperatorResult:
    if context.scene.tool_settings.use_keyframe_insert_auto:
        drag.key(context.scene.frame_current)
    return {"FINISHED"}


def _is_for_the_view(event: bpy.types.Event) -> bool:
    """Whether an event turns, moves or zooms the view. With Alt or Ctrl the wheel changes the frame."""
    if event.type.startswith("WHEEL"):
        return not (event.alt or event.ctrl)
    return event.type.startswith(_VIEW) or (event.type == "LEFTMOUSE" and event.alt)


CLASSES = (PADS_OT_drag_pose,)
