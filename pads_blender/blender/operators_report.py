"""Copy Report: what a bug report should hold, on the clipboard."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ..errors import MappingError
from .computer import device_lines
from .reporting import OperatorResult, reports_errors
from .rig_mapping import bone_tree, read_mapping
from .rig_reader import scene_fps

if TYPE_CHECKING:  # imported where it is used: Blender's start must not wait for it
    from .bug_report import Private, RigFacts


class PADS_OT_copy_report(bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Copy versions, devices, the active rig as numbers and the last messages for a bug report. No names, no paths"""

    bl_idname = "pads.copy_report"
    bl_label = "Copy Report"

    @reports_errors
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        """Put it on the clipboard."""
        context.window_manager.clipboard = read_report(context)
        self.report({"INFO"}, "The report is on the clipboard: paste it where you describe the problem")
        return {"FINISHED"}


def read_report(context: bpy.types.Context) -> str:
    """The report on this session and the active armature."""
    from . import journal
    from .bug_report import compose

    devices = [line for _, line in device_lines()]
    return compose(_versions(), devices, _describe_rig(context.object), journal.lines(), _private())


def _versions() -> dict[str, str]:
    import numpy as np

    from ..diffusion.device_choice import installed_versions
    from ..paths import read_version

    runtimes = ", ".join(f"{name} {version}" for name, version in installed_versions().items()) or "none"
    return {
        "PADS": read_version(),
        "Blender": f"{bpy.app.version_string} {'without' if bpy.app.background else 'with'} a window",
        "Python": f"{platform.python_version()}, NumPy {np.__version__}",
        "System": f"{platform.system()} {platform.release()}, {platform.machine()}, {os.cpu_count()} cores",
        "Runtimes": runtimes,
    }


def _describe_rig(armature: bpy.types.Object | None) -> RigFacts | str:
    from ..core.presets import fingerprint
    from .bug_report import RigFacts

    if armature is None or armature.type != "ARMATURE":
        return "no armature is active"
    action = armature.animation_data.action if armature.animation_data else None
    first, last = action.frame_range if action else (0.0, -1.0)
    names, parents = bone_tree(armature)
    try:
        mapping = read_mapping(armature)
    except MappingError:
        return f"fingerprint {fingerprint(names, parents)}, {len(names)} bones, not mapped"
    missing = tuple(joint for joint, chosen in mapping.joints.items() if chosen is None)
    frames = int(last - first) + 1
    return RigFacts(fingerprint(names, parents), len(names), mapping.convention, missing, frames, scene_fps())


def _private() -> Private:
    import getpass

    from .bug_report import Private

    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # no such name on this system
        user = ""
    computer = (user, Path.home().name, platform.node(), platform.node().partition(".")[0])
    shown = (each.name for kind in (bpy.data.objects, bpy.data.armatures, bpy.data.actions) for each in kind)
    return Private((*computer, *shown), str(Path(__file__).resolve().parent.parent))


CLASSES = (PADS_OT_copy_report,)
