"""Foot contacts as a list to edit, and the button that holds the feet."""

import bpy

from .. import jobs
from .operators_feet import (
    PADS_OT_add_contact,
    PADS_OT_find_contacts,
    PADS_OT_lock_feet,
    PADS_OT_remove_contact,
)
from .tab import is_armature_active


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
        """Switch, joint, first and last frame."""
        row = layout.row(align=True)
        row.prop(item, "use", text="")
        row = row.split(factor=0.43)  # room for frames of four digits: what does not fit is cut off
        row.prop(item, "joint", text="", emboss=False)
        row = row.row(align=True)
        row.prop(item, "first", text="", emboss=False)
        row.prop(item, "last", text="", emboss=False)


class PADS_PT_feet(bpy.types.Panel):  # noqa: N801 - Blender's own pattern
    """When feet rest, and whether they are held."""

    bl_label = "Feet"
    bl_idname = "PADS_PT_feet"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "PADS"
    bl_order = 4
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only for armatures."""
        return is_armature_active(context)

    def draw(self, context: bpy.types.Context) -> None:
        """The list, and the lock."""
        layout, rig = self.layout, context.object.pads
        if jobs.running() is None:
            layout.operator(PADS_OT_find_contacts.bl_idname, icon="VIEWZOOM")
        column = layout.column(align=True)
        column.template_list("PADS_UL_contacts", "", rig, "contacts", rig, "active_contact", rows=4)
        row = column.row(align=True)
        row.operator(PADS_OT_add_contact.bl_idname, text="Add", icon="ADD")
        row.operator(PADS_OT_remove_contact.bl_idname, text="Remove", icon="REMOVE")
        if len(rig.contacts):
            layout.prop(context.scene.pads, "feet_lock", slider=True)
            layout.operator(PADS_OT_lock_feet.bl_idname, icon="LOCKED")


CLASSES = (PADS_UL_contacts, PADS_PT_feet)
