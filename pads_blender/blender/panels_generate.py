"""The panels Generate and In-Between."""

import bpy

from .chosen import chosen_bones
from .job_operator import draw_progress
from .operators_drag import PADS_OT_drag_pose
from .operators_generate import PADS_OT_complete_pose, PADS_OT_generate, PADS_OT_vary_pose
from .operators_in_between import PADS_OT_in_between
from .tab import in_all_editors, is_armature_active


class PADS_PT_generate(bpy.types.Panel):  # noqa: N801 - Blender's own pattern
    """Poses from the prior."""

    bl_label = "Generate"
    bl_idname = "PADS_PT_generate"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "PADS"
    bl_order = 8
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only for armatures."""
        return is_armature_active(context)

    def draw(self, context: bpy.types.Context) -> None:
        """What poses by selected bones; how many poses are to be made, and what makes them."""
        layout, settings = self.layout, context.scene.pads_generate
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column(align=True)
        column.operator(PADS_OT_drag_pose.bl_idname, icon="VIEW_PAN")
        column.operator(PADS_OT_complete_pose.bl_idname, icon="CON_KINEMATIC")
        if not chosen_bones(context):
            layout.label(text="Select bones in Pose Mode", icon="INFO")
        column = layout.column(align=True)
        column.prop(settings, "count")
        column.prop(settings, "seed")
        layout.prop(settings, "as_assets")
        if draw_progress(layout):
            return
        layout.operator(PADS_OT_generate.bl_idname, icon="OUTLINER_OB_ARMATURE")
        layout.prop(settings, "amount")
        layout.operator(PADS_OT_vary_pose.bl_idname, icon="MOD_ARRAY")


class InBetweenPanel:
    """From key poses to motion."""

    bl_label = "In-Between"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only for armatures."""
        return is_armature_active(context)

    def draw(self, context: bpy.types.Context) -> None:
        """Which keys, which variation, and the button."""
        layout, settings = self.layout, context.scene.pads_generate
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(settings, "keys")
        layout.prop(settings, "variation")
        if not draw_progress(layout):
            layout.operator(PADS_OT_in_between.bl_idname, icon="IPO_BEZIER")


CLASSES = (*in_all_editors(InBetweenPanel, "PADS_PT_in_between", order=7), PADS_PT_generate)
