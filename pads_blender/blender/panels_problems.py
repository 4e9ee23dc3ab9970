"""The list of what is broken."""

import bpy

from . import problem_list
from .job_operator import draw_progress
from .operators_problems import (
    PADS_OT_find_problems,
    PADS_OT_fix_all_problems,
    PADS_OT_fix_problem,
    PADS_OT_ignore_problem,
    PADS_OT_mark_problems,
)
from .tab import draw_text, in_all_editors, is_armature_active

_ICONS = {
    "JITTER": "RNDCURVE",
    "POP": "IPO_BACK",
    "FROZEN": "FREEZE",
    "MISSING": "GHOST_DISABLED",
    "SWAP": "ARROW_LEFTRIGHT",
    "SLIDE": "TRACKING_FORWARDS_SINGLE",
    "PENETRATION": "TRIA_DOWN_BAR",
}
_LIST_WIDTH = 0.93  # share of the panel's width that the frame and the scroll bar of a list leave to its lines


class PADS_UL_problems(bpy.types.UIList):  # noqa: N801 - Blender's own pattern
    """One line for each problem."""

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: bpy.types.PropertyGroup,
        item: bpy.types.PropertyGroup,
        icon: int,
        active_data: bpy.types.PropertyGroup,
        active_property: str,
        index: int,
    ) -> None:
        """Kind as a picture, bone, frames, and by how many millimetres it is off."""
        _draw_line(
            layout,
            (item.bone, f"{item.first:g}" if item.first == item.last else f"{item.first:g}-{item.last:g}"),
            f"{item.severity:.0f}",
            _ICONS[item.kind],
        )


def _draw_line(layout: bpy.types.UILayout, texts: tuple[str, str], severity: str, icon: str) -> None:
    """Bone, frames and severity in columns."""
    row = layout.split(factor=0.53)
    row.label(text=texts[0], icon=icon)
    row = row.split(factor=0.66)  # room for 1096-1170
    row.label(text=texts[1])
    row.label(text=severity)


class ProblemsPanel:
    """Find, go through, put right."""

    bl_label = "Problems"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only for armatures."""
        return is_armature_active(context)

    def draw(self, context: bpy.types.Context) -> None:
        """The list, if there is one, and what to do with it."""
        layout, rig = self.layout, context.object.pads
        if not draw_progress(layout):
            layout.operator(PADS_OT_find_problems.bl_idname, icon="VIEWZOOM")
        if not len(rig.problems):
            if rig.are_problems_known:
                layout.label(text="No problems left", icon="CHECKMARK")
            return
        if not problem_list.is_about_shown(context.object):
            action = problem_list.find_action_name(context.object) or "another action"
            said = f"These are problems of {action}, which is not shown now"
            draw_text(layout.column(align=True), context, said, icon="INFO")
        column = layout.column(align=True)
        heads = column.split(factor=_LIST_WIDTH)
        _draw_line(heads, ("Bone", "Frames"), "mm", "BLANK1")
        column.template_list("PADS_UL_problems", "", rig, "problems", rig, "active_problem", rows=4)
        chosen = problem_list.read_active(context.object)
        if chosen:
            said = chosen.reason.replace("_", " ")
            text = f"{chosen.kind.title()}: {said}"
            draw_text(layout.column(align=True), context, text, icon=_ICONS[chosen.kind.upper()])
        row = layout.row(align=True)
        row.operator(PADS_OT_fix_problem.bl_idname)
        row.operator(PADS_OT_fix_all_problems.bl_idname)
        row.operator(PADS_OT_ignore_problem.bl_idname)
        row = layout.row(align=True)
        is_marked = bool(problem_list.find_markers(context.scene))
        row.operator(PADS_OT_mark_problems.bl_idname, icon="MARKER_HLT", depress=is_marked)
        if context.area.type == "VIEW_3D":
            row.prop(context.scene.pads, "show_problems", icon="COLOR", toggle=True)


CLASSES = (PADS_UL_problems, *in_all_editors(ProblemsPanel, "PADS_PT_problems", order=3))
