"""Original and cleaned motion: the one, the other, and which of them stays."""

import bpy

from . import comparison, problem_list
from .reporting import OperatorResult, has_armature, reports_errors


def _has_comparison(cls: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    if not has_armature(cls, context):
        return False
    if comparison.find_comparison(context.object) is None:
        cls.poll_message_set("There is no cleaned motion yet: press Clean Mocap")
        return False
    return True


class PADS_OT_compare(bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Switch between the result and the motion that it was made from"""

    bl_idname = "pads.compare"
    bl_label = "Compare with Original"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is something to compare."""
        return _has_comparison(cls, context)

    @reports_errors
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        """Show the other motion."""
        self.report({"INFO"}, f"Showing {comparison.toggle(context.object)}")
        return {"FINISHED"}


class PADS_OT_accept(bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Keep the result as the armature's action. What it was made from stays in the file as an action of its own"""

    bl_idname = "pads.accept"
    bl_label = "Accept"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is something to accept."""
        return _has_comparison(cls, context)

    @reports_errors
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        """End the comparison."""
        self.report({"INFO"}, f"{comparison.accept(context.object)} is accepted")
        return {"FINISHED"}


class PADS_OT_discard(bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Go back to the motion that the result was made from, and remove the result"""

    bl_idname = "pads.discard"
    bl_label = "Discard"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is something to discard."""
        return _has_comparison(cls, context)

    @reports_errors
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        """End the comparison."""
        self.report({"INFO"}, f"Back to {comparison.discard(context.object)}")
        problem_list.forget(context.object)
        context.object.pads.result = ""  # the next result may get the name of the one that is gone
        return {"FINISHED"}


CLASSES = (PADS_OT_compare, PADS_OT_accept, PADS_OT_discard)
