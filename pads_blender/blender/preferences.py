"""The extension's preferences, and what they say as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import bpy

ADD_ON = __package__.rpartition(".")[0]  # an installed extension is called bl_ext.REPOSITORY.ID


@dataclass(frozen=True)
class Preferences:
    """What the user prefers in all files; these are the defaults."""

    quality: str = "BEST"
    result: str = "ACTION"
    threads: int | None = None  # None: as many as the runtime likes
    presets: Path | None = None  # None: the extension's own folder
    prior: Path | None = None  # None: the shipped one


class PADS_AP_preferences(bpy.types.AddonPreferences):  # noqa: N801 - Blender's own pattern
    """Preferences of all files."""

    bl_idname = ADD_ON

    quality: bpy.props.EnumProperty(
        name="Quality",
        description="What new files start with",
        items=(("FAST", "Fast", "One look at the take"), ("BEST", "Best", "Two looks at the take")),
        default=Preferences.quality,
    )
    result: bpy.props.EnumProperty(
        name="Result",
        description="Where the cleaned motion goes. The original is kept in any case",
        items=(
            ("ACTION", "New Action", "A new action becomes the armature's own; the original one is kept"),
            ("NLA", "NLA Strip", "A strip above the original; its influence blends between the two"),
        ),
        default=Preferences.result,
    )
    threads: bpy.props.IntProperty(
        name="Threads", description="Processor threads that cleaning may use. 0: as many as it likes", default=0, min=0
    )
    presets: bpy.props.StringProperty(
        name="Presets",
        description="Folder of saved bone mappings. Empty: the extension's own folder",
        subtype="DIR_PATH",
    )
    prior: bpy.props.StringProperty(
        name="Prior",
        description="pads_motion.json of a prior of your own, as training wrote it. Empty: the shipped one",
        subtype="FILE_PATH",
    )

    def draw(self, context: bpy.types.Context) -> None:
        """All of it in one column."""
        from .chosen_prior import prior_line
        from .computer import device_lines
        from .job_operator import draw_progress
        from .operators_computer import PADS_OT_test_computer
        from .operators_report import PADS_OT_copy_report

        layout = self.layout
        layout.use_property_split = True
        layout.row().prop(self, "quality", expand=True)
        layout.row().prop(self, "result", expand=True)
        layout.prop(self, "threads")
        layout.prop(self, "presets", placeholder="The extension's own folder")
        layout.prop(self, "prior", placeholder="The shipped one")
        if line := prior_line():
            layout.label(text=line[1], icon=line[0])
        if not draw_progress(layout):
            layout.operator(PADS_OT_test_computer.bl_idname, icon="TIME")
        column = layout.column(align=True)
        for icon, line in device_lines():
            column.label(text=line, icon=icon)
        layout.operator(PADS_OT_copy_report.bl_idname, icon="COPYDOWN")


def find_own() -> PADS_AP_preferences | None:
    """The preferences in Blender; None where the package runs without being an enabled add-on."""
    add_on = bpy.context.preferences.addons.get(ADD_ON)
    return add_on.preferences if add_on else None


def read_preferences() -> Preferences:
    """The preferences as plain data, the defaults where the package is no enabled add-on."""
    own = find_own()
    if own is None:
        return Preferences()
    presets, prior = (Path(bpy.path.abspath(text)) if text else None for text in (own.presets, own.prior))
    return Preferences(own.quality, own.result, own.threads or None, presets, prior)


CLASSES = (PADS_AP_preferences,)
