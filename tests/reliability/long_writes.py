"""A take of any length read from Blender's curves and written back: how long the longest part takes. Needs bpy.

`python -m tests.reliability.long_writes FRAMES` prints the figures as JSON. A cancel is heard between two parts; what
Blender itself then works out before it can draw, which it does after every edit of an action, is measured beside them.
Blender copies the action in one of the parts. On a virtual machine memory that was never used before can be several
times as slow: the first copy is measured and thrown away, and that of the part then finds memory that was used before.
"""

import json
import os
import sys
import time
import traceback
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np

from pads_blender.blender import addon, results
from pads_blender.blender.files import import_bvh
from pads_blender.blender.parts import Parts
from pads_blender.blender.rig_reader import find_curves
from pads_blender.blender.snapshot import snapshot_in_parts
from pads_blender.core import rotations as rot
from pads_blender.core.bvh import parse_bvh
from pads_blender.core.rig import RigTake

from ..shaky_takes import shaky_take
from .long_takes import Wait

_PIECE = 1000  # frames that are repeated
_PARTS_AN_UPDATE = 20
_COPY = "rig_writer.write_take_in_parts"  # where the part ends in which Blender copies the action


def long_rig(frames: int, is_moving: bool = False) -> bpy.types.Object:
    """An armature with a key in each of so many frames on every curve; is_moving: on those of the object, too."""
    armature = import_bvh(parse_bvh(shaky_take(min(frames, _PIECE))), Path("long.bvh"))
    for frame in (1, 2) if is_moving else ():
        armature.location.x = frame
        armature.keyframe_insert("location", frame=frame)
    for fcurve in find_curves(armature).fcurves:
        keys = np.empty(2 * len(fcurve.keyframe_points), np.float32)
        fcurve.keyframe_points.foreach_get("co", keys)
        values = np.resize(keys[1::2], frames)
        fcurve.keyframe_points.add(frames - len(keys) // 2)
        fcurve.keyframe_points.foreach_set("co", np.stack([np.arange(frames), values], axis=-1).ravel())
        fcurve.update()
    return armature


def turned(take: RigTake) -> RigTake:
    """The take with every bone turned otherwise in each frame."""
    turn = rot.from_rotation_vector(np.full(3, 0.01))
    return replace(take, rotation=rot.multiply(take.rotation, turn))


def measure(frames: int) -> dict:
    """Figures for a take of so many frames."""
    armature = long_rig(frames)
    bpy.context.view_layer.update()  # as a window does before a button can be pressed
    curves = len(find_curves(armature).fcurves)
    reading, drawing, snapshot = _run("reading", snapshot_in_parts(armature))
    result, first_copy = turned(snapshot.take), _first_copy(armature.animation_data.action)
    writing, more_drawing, _ = _run("writing", results.deliver(snapshot, result))
    longest = sorted(reading + writing, reverse=True)
    return {
        "frames": frames,
        "curves": curves,
        "parts": len(reading + writing),
        "seconds": sum(wait.seconds for wait in reading + writing),
        "slowest_cancel": longest[0].seconds,
        "slowest_stage": longest[0].stage,
        "longest": [f"{wait.seconds:.2f} s {wait.stage}" for wait in longest[:8]],
        "copy": max(wait.seconds for wait in writing if _COPY in wait.stage),
        "first_copy": first_copy,
        "slowest_update": max(drawing + more_drawing),
        "blender": bpy.app.version_string,
    }


def _first_copy(action: bpy.types.Action) -> float:
    """Seconds of the processor for a copy. Two are thrown away: some of what one used may go elsewhere meanwhile."""
    began = time.process_time()
    copies, seconds = [action.copy()], time.process_time() - began
    copies.append(action.copy())
    for each in copies:
        bpy.data.actions.remove(each)
    return seconds


def _run(name: str, parts: Parts) -> tuple[list[Wait], list[float], object]:
    """Each part of some work with what it ended at, and Blender's own update after some: seconds of the processor."""
    waits, updates = [], []
    while True:
        began = time.process_time()
        try:
            next(parts)
        except StopIteration as end:
            return [*waits, Wait(time.process_time() - began, f"{name}: to its end")], updates, end.value
        between = time.process_time()
        waits.append(Wait(between - began, f"{name}: to {place(parts)}"))
        if len(waits) % _PARTS_AN_UPDATE == 1:
            bpy.context.view_layer.update()
            updates.append(time.process_time() - between)


def place(parts: Generator) -> str:
    """The function and line at which some parts pause."""
    while parts.gi_yieldfrom is not None:
        parts = parts.gi_yieldfrom
    return f"{Path(parts.gi_code.co_filename).stem}.{parts.gi_code.co_name}:{parts.gi_frame.f_lineno}"


if __name__ == "__main__":
    code = 1
    addon.register()
    try:
        print(json.dumps(measure(int(sys.argv[1]))))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)  # the bpy 4.5 module can hang while the interpreter shuts down
