"""The PADS tab in the 3D View's sidebar."""

import bpy

from .operators import PADS_OT_clean, PADS_OT_compare


class PADS_PT_main(bpy.types.Panel):  # noqa: N801 - Blender's own pattern
    """The buttons for the active armature."""

    bl_label = "Clean Mocap"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "PADS"

    def draw(self, context: bpy.types.Context) -> None:
        """One button that does the work and one that shows the difference."""
        column = self.layout.column()
        column.scale_y = 1.5
        column.operator(PADS_OT_clean.bl_idname, icon="ARMATURE_DATA")
        self.layout.operator(PADS_OT_compare.bl_idname, icon="ARROW_LEFTRIGHT")


CLASSES = (PADS_PT_main,)
