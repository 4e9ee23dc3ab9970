"""Blender's own smoothing of F-curves, run without a window: what PADS is measured against. Not part of the add-on.

python -m pads_blender.blender.butterworth IN.bvh FOLDER HERTZ [HERTZ ...]     writes FOLDER/butterworth_<HERTZ>.bvh
"""

import os
import sys
from pathlib import Path

import bpy

from ..core.bvh import read_bvh, replace_motion, write_bvh
from ..core.rig import find_changes
from . import files
from .rig_reader import read_take


def smooth_curves(armature: bpy.types.Object, cutoff_hertz: float) -> None:
    """Graph Editor > Key > Smooth > Butterworth on every F-curve of the armature, its other settings as they come."""
    window = bpy.context.window_manager.windows[0]
    area = window.screen.areas[0]
    area.type = "GRAPH_EDITOR"  # its poll wants pose mode, selected bones and such an area (4.5 and 5.2)
    area.spaces.active.dopesheet.show_only_selected = False
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="POSE")
    bpy.ops.pose.select_all(action="SELECT")
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.graph.select_all(action="SELECT")
        bpy.ops.graph.butterworth_smooth(cutoff_frequency=cutoff_hertz)
    bpy.ops.object.mode_set(mode="OBJECT")


def main(arguments: list[str]) -> int:
    """Smooth one BVH file at each cut-off frequency."""
    source, folder = Path(arguments[0]), Path(arguments[1])
    bvh = read_bvh(source)
    for cutoff in arguments[2:]:
        files.open_empty_scene()
        armature = files.import_bvh(bvh, source)
        before = read_take(armature)
        smooth_curves(armature, float(cutoff))
        after = read_take(armature)
        write_bvh(replace_motion(bvh, after, find_changes(before, after)), folder / f"butterworth_{cutoff}.bvh")
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # the bpy 4.5 module can hang while the interpreter shuts down
