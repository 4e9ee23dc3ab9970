"""The buttons as menu entries: there the search (F3) finds them, and a key can be given to them."""

import bpy

from .operators_clean import PADS_OT_clean, PADS_OT_fill
from .operators_compare import PADS_OT_accept, PADS_OT_compare, PADS_OT_discard
from .operators_drag import PADS_OT_drag_pose
from .operators_estimate import PADS_OT_estimate
from .operators_feet import PADS_OT_find_contacts, PADS_OT_lock_feet
from .operators_generate import PADS_OT_complete_pose, PADS_OT_generate, PADS_OT_vary_pose
from .operators_in_between import PADS_OT_in_between
from .operators_problems import PADS_OT_find_problems, PADS_OT_fix_all_problems

_GROUPS = (
    (PADS_OT_clean, PADS_OT_fill),
    (PADS_OT_find_problems, PADS_OT_fix_all_problems),
    (PADS_OT_find_contacts, PADS_OT_lock_feet),
    (PADS_OT_in_between, PADS_OT_drag_pose, PADS_OT_complete_pose, PADS_OT_generate, PADS_OT_vary_pose),
    (PADS_OT_estimate,),
    (PADS_OT_compare, PADS_OT_accept, PADS_OT_discard),
)


class PADS_MT_tools(bpy.types.Menu):  # noqa: N801 - Blender's own pattern
    """Clean motion capture"""

    bl_idname = "PADS_MT_tools"
    bl_label = "PADS"

    def draw(self, context: bpy.types.Context) -> None:
        """Every button that needs no list to be seen."""
        for number, group in enumerate(_GROUPS):
            if number:
                self.layout.separator()
            for operator in group:
                self.layout.operator(operator.bl_idname)


def register() -> None:
    """Put the menu where animators of armatures look."""
    for menu in _menus():
        menu.append(_draw_entry)
    bpy.types.VIEW3D_MT_armature_add.append(_draw_new_armature)


def unregister() -> None:
    """Take it out again."""
    bpy.types.VIEW3D_MT_armature_add.remove(_draw_new_armature)
    for menu in _menus():
        menu.remove(_draw_entry)


def _menus() -> tuple[type[bpy.types.Menu], ...]:
    return bpy.types.VIEW3D_MT_object, bpy.types.VIEW3D_MT_pose


def _draw_entry(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    if context.object is not None and context.object.type == "ARMATURE":
        self.layout.separator()
        self.layout.menu(PADS_MT_tools.bl_idname, icon="ARMATURE_DATA")


def _draw_new_armature(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    """With no armature there is no menu of ours, but estimated motion may become a new one."""
    self.layout.operator(PADS_OT_estimate.bl_idname, text="Estimate from Film", icon="OUTLINER_OB_ARMATURE")


CLASSES = (PADS_MT_tools,)
