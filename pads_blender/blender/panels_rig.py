"""What was recognised of the rig, with a picker for each joint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from ..core.skeleton import JOINTS
from .joint_pickers import shown_mapping
from .operators_rig import PADS_OT_guess_mapping, PADS_OT_load_preset, PADS_OT_save_preset
from .rig_mapping import can_store
from .tab import draw_text, is_armature_active

if TYPE_CHECKING:
    from ..core.mapping import Mapping

_SHOWN = {
    "unknown": "Unknown names",
    "none": "Nothing",
    "words": "Common words",
    "hik": "HumanIK",
    "xsens_bvh": "Xsens/OptiTrack",  # both write Hip, Knee and Ankle
    "openpose": "OpenPose",
    "freemocap": "FreeMoCap",
}
_CAPITALS = {"vrm", "smpl", "cmu", "asf", "bvh", "mvn", "fk", "mpfb", "mmd", "cc"}


def _summary(mapping: Mapping) -> str:
    words = (word.upper() if word in _CAPITALS else word.title() for word in mapping.convention.split("_"))
    name = _SHOWN.get(mapping.convention) or " ".join(words)
    return f"{name}: {len(JOINTS) - len(mapping.missing())} of {len(JOINTS)} joints"


def _remarks(mapping: Mapping) -> list[str]:
    """Joints that the user should look at."""
    listed = {"Without a bone": mapping.missing(), "Unsure, please look": mapping.unsure()}
    return [f"{text}: {', '.join(joints).replace('_', ' ')}" for text, joints in listed.items() if joints]


class PADS_PT_rig(bpy.types.Panel):  # noqa: N801 - Blender's own pattern
    """What the armature was recognised as."""

    bl_label = "Rig"
    bl_idname = "PADS_PT_rig"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "PADS"
    bl_order = 0

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Only for armatures."""
        return is_armature_active(context)

    def draw(self, context: bpy.types.Context) -> None:
        """Convention, joints, and what is wrong."""
        layout, shown = self.layout, shown_mapping(context.object)
        layout.label(text=_summary(shown.mapping), icon="ERROR" if shown.trouble else "CHECKMARK")
        if shown.trouble:
            draw_text(layout.column(align=True), context, shown.trouble)
        for remark in () if shown.trouble else _remarks(shown.mapping):
            draw_text(layout.column(align=True), context, remark, icon="INFO")


class PADS_PT_joints(bpy.types.Panel):  # noqa: N801 - Blender's own pattern
    """Which bone is which joint."""

    bl_label = "Bones"
    bl_idname = "PADS_PT_joints"
    bl_parent_id = "PADS_PT_rig"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "PADS"
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 - Blender reads a plain set

    def draw(self, context: bpy.types.Context) -> None:
        """A picker for each joint; guess, save and load."""
        layout, armature = self.layout, context.object
        layout.label(text=shown_mapping(armature).source)
        row = layout.row(align=True)
        row.operator(PADS_OT_guess_mapping.bl_idname, icon="FILE_REFRESH")
        row.operator(PADS_OT_save_preset.bl_idname, text="", icon="EXPORT")
        row.operator(PADS_OT_load_preset.bl_idname, text="", icon="IMPORT")
        layout.use_property_split = True
        layout.use_property_decorate = False
        if not can_store(armature):
            said = "Linked from another file: make the armature data local to set bones"
            draw_text(layout.column(align=True), context, said, icon="LIBRARY_DATA_DIRECT")
        column = layout.column(align=True)
        column.enabled = can_store(armature)
        for joint in JOINTS:
            column.prop_search(armature.pads.joints, joint, armature.data, "bones")


CLASSES = (PADS_PT_rig, PADS_PT_joints)
