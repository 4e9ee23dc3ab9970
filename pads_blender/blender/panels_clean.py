"""The PADS tab: the big button with its settings, Fill, and the comparison afterwards."""

import bpy

from . import comparison
from .chosen import chosen_bones
from .job_operator import draw_progress
from .operators_clean import PADS_OT_clean, PADS_OT_fill
from .operators_compare import PADS_OT_accept, PADS_OT_compare, PADS_OT_discard
from .reporting import why_still
from .rig_writer import ORIGINAL
from .rigify import SWITCH
from .tab import draw_text, in_all_editors, is_armature_active

_LISTED = 6  # bones in the list of differences


def has_ik_switch(armature: bpy.types.Object | None) -> bool:
    """Whether limbs of the armature can follow IK or FK controls, as those of Rigify do."""
    if armature is None or armature.type != "ARMATURE":
        return False
    return any(SWITCH in bone for bone in armature.pose.bones)


class CleanPanel:
    """One button that does the work."""

    bl_label = "Clean Mocap"

    def draw(self, context: bpy.types.Context) -> None:
        """The button, or how far its work is, and what is odd about the take as a whole."""
        layout = self.layout
        if draw_progress(layout):
            return
        column = layout.column()
        column.scale_y = 1.6
        column.operator(PADS_OT_clean.bl_idname, icon="ARMATURE_DATA")
        if not is_armature_active(context):
            layout.label(text="Select an armature with keyframes", icon="INFO")
            return
        said = why_still(context.object)
        if said:
            draw_text(layout.column(align=True), context, said, icon="INFO")
        for warning in filter(None, context.object.pads.warnings.split("\n")):
            draw_text(layout.column(align=True), context, warning, icon="ERROR")


class SettingsPanel:
    """What is cleaned, where, and how."""

    bl_label = "Settings"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 - Blender reads a plain set

    def draw(self, context: bpy.types.Context) -> None:
        """The scene's settings."""
        layout, settings = self.layout, context.scene.pads
        layout.use_property_split = True
        layout.use_property_decorate = False
        if is_armature_active(context) and _is_result_shown(context.object):
            said = "Clean Mocap goes on from the result that is shown: discard it first to begin anew"
            draw_text(layout.column(align=True), context, said, icon="INFO")
        layout.prop(settings, "range")
        layout.prop(settings, "strength")
        layout.prop(settings, "quality")
        column = layout.column(heading="Repair")
        for name in ("use_jitter", "use_pops", "use_gaps"):
            column.prop(settings, name)
        row = column.row(align=True)
        row.prop(settings, "use_feet")
        held = row.row()
        held.active = settings.use_feet
        held.prop(settings, "feet", text="")
        column = layout.column(heading="Keep")
        column.prop(settings, "keep_extreme")
        column.prop(settings, "keep_selected")
        layout.column(heading="Leave Out").prop(settings, "leave_out_reference", text="T-Pose")
        column = layout.column(align=True)
        column.prop(settings, "limbs", expand=True)
        if has_ik_switch(context.object):
            layout.prop(settings, "switch_to_fk")
        layout.prop(settings, "seed")


def _is_result_shown(armature: bpy.types.Object) -> bool:
    found = comparison.find_comparison(armature)
    return found is not None and comparison.shows_cleaned(armature, found)


class FillPanel:
    """Bones made anew."""

    bl_label = "Fill"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only for armatures."""
        return is_armature_active(context)

    def draw(self, context: bpy.types.Context) -> None:
        """Which frames, and the button."""
        layout, settings = self.layout, context.scene.pads
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(settings, "fill_range")
        count = len(chosen_bones(context))
        layout.operator(PADS_OT_fill.bl_idname, icon="BONE_DATA")
        said = f"{count} bone{'' if count == 1 else 's'} selected" if count else "Select bones in Pose Mode"
        layout.label(text=said, icon="INFO")


class ComparePanel:
    """Original and cleaned motion side by side."""

    bl_label = "Compare"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only where there is a comparison."""
        return is_armature_active(context) and comparison.find_comparison(context.object) is not None

    def draw(self, context: bpy.types.Context) -> None:
        """What is shown, the other one, and what stays."""
        layout, armature = self.layout, context.object
        found = comparison.find_comparison(armature)
        shown, other = "result", "earlier result" if ORIGINAL in found.original else "original"
        if not comparison.shows_cleaned(armature, found):
            shown, other = other, shown
        layout.label(text=f"Showing the {shown}", icon="HIDE_OFF")
        layout.operator(PADS_OT_compare.bl_idname, text=f"Show {other.title()}", icon="ARROW_LEFTRIGHT")
        if found.strip is not None:
            layout.prop(armature.pads, "blend", slider=True)
        if context.area.type == "VIEW_3D":
            layout.prop(context.scene.pads, "show_ghost", icon="GHOST_ENABLED", toggle=True)
        if _is_about(armature.pads.result, found.cleaned):
            draw_text(layout.column(align=True), context, armature.pads.result, icon="CHECKMARK")
        row = layout.row(align=True)
        row.operator(PADS_OT_accept.bl_idname, icon="CHECKMARK")
        row.operator(PADS_OT_discard.bl_idname, icon="TRASH")


def _is_about(result: str, cleaned: bpy.types.Action) -> bool:
    """Whether the line names this action: it may be about another result."""
    return any(f" in {cleaned.name}{end}" in result for end in (":", ";", ",", " and "))


class DifferencesPanel:
    """By how much bones differ in the current frame."""

    bl_label = "Differences"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 - Blender reads a plain set

    def draw(self, context: bpy.types.Context) -> None:
        """The bones that differ most, in degrees."""
        armature, column = context.object, self.layout.column(align=True)
        found = comparison.differences(
            armature, comparison.find_comparison(armature), context.scene.frame_current_final
        )
        for bone, degrees in found[:_LISTED]:
            row = column.split(factor=0.7)
            row.label(text=bone)
            row.label(text=f"{degrees:.1f}°")
        if not found:
            column.label(text="None in this frame")
        elif len(found) > _LISTED:
            column.label(text=f"and {len(found) - _LISTED} more with less")


CLASSES = (
    *in_all_editors(CleanPanel, "PADS_PT_clean", order=1),
    *in_all_editors(SettingsPanel, "PADS_PT_settings", parent="PADS_PT_clean"),
    *in_all_editors(ComparePanel, "PADS_PT_compare", order=2),  # right below the button whose result it shows
    *in_all_editors(DifferencesPanel, "PADS_PT_differences", parent="PADS_PT_compare"),
    *in_all_editors(FillPanel, "PADS_PT_fill", order=4),
)
