"""The PADS tab in the sidebars: the same panel for several editors."""

import textwrap

import bpy

_EDITORS = {"VIEW_3D": "", "GRAPH_EDITOR": "_graph", "DOPESHEET_EDITOR": "_dopesheet"}
_LETTER_PIXELS = 6.2  # of Blender's own font, on average


def in_all_editors(panel: type, name: str, order: int = 0, parent: str = "") -> tuple[type[bpy.types.Panel], ...]:
    """Classes of a panel for the 3D View and the editors of curves; name is that in the 3D View."""
    return tuple(
        type(
            name + suffix,
            (panel, bpy.types.Panel),
            {
                "__doc__": panel.__doc__,
                "bl_idname": name + suffix,
                "bl_space_type": editor,
                "bl_region_type": "UI",
                "bl_category": "PADS",
                "bl_order": order,
                **({"bl_parent_id": parent + suffix} if parent else {}),
            },
        )
        for editor, suffix in _EDITORS.items()
    )


def is_armature_active(context: bpy.types.Context) -> bool:
    """Whether the active object is an armature."""
    return context.object is not None and context.object.type == "ARMATURE"


def draw_text(layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str = "NONE") -> None:
    """A sentence as labels that fit into the sidebar; Blender cuts a longer label off."""
    scale = context.preferences.system.ui_scale
    width = max(16, int((context.region.width / scale - 60) / _LETTER_PIXELS))
    for number, line in enumerate(textwrap.wrap(text, width)):
        layout.label(text=line, icon=icon if number == 0 else "BLANK1" if icon != "NONE" else "NONE")
