"""The buttons: each reads its properties, calls one function and reports. No maths here."""

import functools
from collections.abc import Callable

import bpy

from ..errors import PadsError

OperatorResult = set[str]


def reports_errors(
    execute: Callable[[bpy.types.Operator, bpy.types.Context], OperatorResult],
) -> Callable[[bpy.types.Operator, bpy.types.Context], OperatorResult]:
    """Turn an expected failure into one line in the status bar and a cancelled operator."""

    @functools.wraps(execute)
    def wrapped(self: bpy.types.Operator, context: bpy.types.Context) -> OperatorResult:
        try:
            return execute(self, context)
        except PadsError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}

    return wrapped


def poll_animated_armature(cls: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """Whether an armature with an action is selected, outside of its edit mode; if not, the button says so."""
    armature = context.object
    if armature is None or armature.type != "ARMATURE" or armature.mode == "EDIT":
        cls.poll_message_set("Select an armature, in Object or Pose Mode")
        return False
    if not (armature.animation_data and armature.animation_data.action):
        cls.poll_message_set("Select an armature with keyframes")
        return False
    return True


class PADS_OT_clean(bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Remove jitter and pops from the armature's action. The result is a new action; the original one is kept"""

    bl_idname = "pads.clean"
    bl_label = "Clean Mocap"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads a plain set

    strength: bpy.props.FloatProperty(
        name="Strength",
        description="How much of the correction is applied to what was measured",
        subtype="FACTOR",
        default=1.0,
        min=0.0,
        max=1.0,
    )
    keep_extreme: bpy.props.BoolProperty(
        name="Keep Extreme Keys",
        description="The result passes through keys of type Extreme; locked curves are kept in any case",
        default=True,
    )
    keep_selected: bpy.props.BoolProperty(
        name="Keep Selected Keys",
        description="The result passes through the keys that are selected",
        default=False,
    )
    seed: bpy.props.IntProperty(name="Seed", description="The same seed gives the same keyframes", default=0, min=0)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is something to clean."""
        return poll_animated_armature(cls, context)

    @reports_errors
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        """Clean the active armature's action."""
        # Imported here: Blender's start must not wait for what only a press of the button needs.
        from ..diffusion.prior import load_prior
        from ..tasks.clean import CleanSettings
        from .clean import PRIORS, clean_armature
        from .kept_keys import KeptKeys
        from .rig_writer import write_take

        window, settings = context.window_manager, CleanSettings(strength=self.strength, seed=self.seed)
        window.progress_begin(0, 100)
        try:
            show = lambda step, count: window.progress_update(100 * step / count)  # noqa: E731
            keys = KeptKeys(self.keep_extreme, self.keep_selected)
            cleaned = clean_armature(context.object, settings, load_prior(PRIORS[0]), show, keys)
        finally:
            window.progress_end()
        written = write_take(context.object, cleaned.before, cleaned.after)
        self.report(
            {"INFO"}, f"{len(written.keyed_bones)} bones cleaned in {written.action}; {written.original} is kept"
        )
        return {"FINISHED"}


class PADS_OT_compare(bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Switch between the cleaned action and the original one"""

    bl_idname = "pads.compare"
    bl_label = "Compare with Original"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is an action to compare."""
        return poll_animated_armature(cls, context)

    @reports_errors
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        """Make the other action the current one."""
        from .rig_writer import toggle_original

        self.report({"INFO"}, f"Showing {toggle_original(context.object)}")
        return {"FINISHED"}


CLASSES = (PADS_OT_clean, PADS_OT_compare)
