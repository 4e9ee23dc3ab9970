"""The Estimate panel: films, cameras, sizes, and the button."""

import bpy

from .estimate_target import hypotheses_of
from .job_operator import draw_progress
from .operators_estimate import (
    PADS_OT_add_film,
    PADS_OT_estimate,
    PADS_OT_remove_film,
    PADS_OT_show_hypothesis,
    target_armature,
)
from .properties_estimate import PADS_PG_film


class PADS_PT_estimate(bpy.types.Panel):  # noqa: N801 - Blender's own pattern
    """From the 2D points of a film to motion."""

    bl_label = "Estimate"
    bl_idname = "PADS_PT_estimate"
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "PADS"
    bl_order = 6
    bl_options = {"DEFAULT_CLOSED"}  # noqa: RUF012 - Blender reads a plain set

    def draw(self, context: bpy.types.Context) -> None:
        """Where points come from, whose motion it is to be, and the button."""
        layout, settings = self.layout, context.scene.pads_estimate
        layout.use_property_split = True
        layout.use_property_decorate = False
        _draw_film(layout, settings.film, context.scene)
        for number, film in enumerate(settings.more_films):
            box = layout.box()
            row = box.row()
            row.label(text=f"Camera {number + 2}")
            row.operator(PADS_OT_remove_film.bl_idname, text="", icon="X", emboss=False).index = number
            _draw_film(box, film, context.scene)
        layout.operator(PADS_OT_add_film.bl_idname, icon="ADD")
        armature = target_armature(context)
        self._draw_target(context, armature)
        layout.prop(settings, "range")
        layout.prop(settings, "hypotheses")
        if not draw_progress(layout):
            column = layout.column()
            column.scale_y = 1.4
            column.operator(PADS_OT_estimate.bl_idname, icon="OUTLINER_OB_ARMATURE")
        if armature is not None:
            self._draw_hypotheses(armature)

    def _draw_target(self, context: bpy.types.Context, armature: bpy.types.Object | None) -> None:
        layout, settings = self.layout, context.scene.pads_estimate
        onto = layout.split(factor=0.4)
        label = onto.row()
        label.alignment = "RIGHT"
        label.label(text="Onto")
        onto.label(text="a new armature" if armature is None else armature.name, icon="ARMATURE_DATA")
        if armature is None:
            layout.prop(settings, "size_from")
            layout.prop(settings, "stature" if settings.size_from == "STATURE" else "floor")

    def _draw_hypotheses(self, armature: bpy.types.Object) -> None:
        found = hypotheses_of(armature)
        column = self.layout.column(align=True)
        for action in found:
            is_shown = action == armature.animation_data.action
            shown = column.operator(
                PADS_OT_show_hypothesis.bl_idname, text=action.name, icon="HIDE_OFF" if is_shown else "HIDE_ON"
            )
            shown.action = action.name


def _draw_film(layout: bpy.types.UILayout, film: PADS_PG_film, scene: bpy.types.Scene) -> None:
    layout.prop(film, "source")
    if film.source == "FILE":
        for name in ("file", "fps", "start", "use_own_size"):
            layout.prop(film, name)
        if film.use_own_size:
            column = layout.column(align=True)
            column.prop(film, "width")
            column.prop(film, "height")
    else:
        layout.prop(film, "clip" if film.source == "TRACKS" else "collection")
    layout.prop(film, "camera", placeholder=scene.camera.name if scene.camera else "")


CLASSES = (PADS_PT_estimate,)
