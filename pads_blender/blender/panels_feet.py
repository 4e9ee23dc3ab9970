"""Foot contacts as a list to edit, and the button that holds the feet."""

import bpy

from .job_operator import draw_progress
from .operators_feet import (
    PADS_OT_add_contact,
    PADS_OT_find_contacts,
    PADS_OT_lock_feet,
    PADS_OT_remove_contact,
)
from .tab import draw_text, in_all_editors, is_armature_active


class PADS_UL_contacts(bpy.types.UIList):  # noqa: N801 - Blender's own pattern
    """One line for each contact."""

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
        """Switch, part of the foot, first and last frame; as labels, so that a click chooses the line."""
        row = layout.row(align=True)
        row.prop(item, "use", text="")
        part = item.bl_rna.properties["joint"].enum_items[item.joint].name
        for cell, text in zip(_columns(row), (part, str(item.first), str(item.last)), strict=True):
            cell.label(text=text)


def _columns(row: bpy.types.UILayout) -> tuple[bpy.types.UILayout, bpy.types.UILayout, bpy.types.UILayout]:
    """Room for the part of the foot and for two frames of five digits: what does not fit is cut off."""
    row = row.split(factor=0.4)
    part, frames = row.row(), row.row(align=True)
    return part, frames, frames


class FeetPanel:
    """When feet rest, and whether they are held."""

    bl_label = "Feet"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only for armatures."""
        return is_armature_active(context)

    def draw(self, context: bpy.types.Context) -> None:
        """The list, and the lock."""
        layout, rig = self.layout, context.object.pads
        if not draw_progress(layout):
            layout.operator(PADS_OT_find_contacts.bl_idname, icon="VIEWZOOM")
        if not len(rig.contacts):
            draw_text(layout.column(align=True), context, "No contacts listed: find them, or add one here", "INFO")
            layout.operator(PADS_OT_add_contact.bl_idname, text="Add", icon="ADD")
            return
        self._draw_list(rig)
        if rig.are_contacts_edited:
            draw_text(layout.column(align=True), context, "Clean Mocap goes by this list, for you edited it", "INFO")
        layout.prop(context.scene.pads, "feet_lock", slider=True)
        layout.operator(PADS_OT_lock_feet.bl_idname, icon="LOCKED")

    def _draw_list(self, rig: bpy.types.PropertyGroup) -> None:
        """All contacts, and the one that is chosen, to be changed."""
        column = self.layout.column(align=True)
        heads = column.row(align=True)
        heads.label(text="", icon="LOCKED")
        for cell, text in zip(_columns(heads), ("Part", "First", "Last"), strict=True):
            cell.label(text=text)
        column.template_list("PADS_UL_contacts", "", rig, "contacts", rig, "active_contact", rows=4)
        if 0 <= rig.active_contact < len(rig.contacts):
            contact = rig.contacts[rig.active_contact]
            column.prop(contact, "joint", text="")
            row = column.row(align=True)
            row.prop(contact, "first")
            row.prop(contact, "last")
        row = column.row(align=True)
        row.operator(PADS_OT_add_contact.bl_idname, text="Add", icon="ADD")
        row.operator(PADS_OT_remove_contact.bl_idname, text="Remove", icon="REMOVE")


CLASSES = (PADS_UL_contacts, *in_all_editors(FeetPanel, "PADS_PT_feet", order=5))
