"""What the user chose in the scene: armatures, bones and frames. Reads only."""

from __future__ import annotations

import bpy
import numpy as np

from ..errors import TakeError
from . import compat, curves
from .kept_keys import KeptKeys
from .parts import Parts
from .reporting import is_animated
from .rig_reader import find_curves
from .snapshot import Snapshot, snapshot_in_parts


def chosen_armatures(context: bpy.types.Context) -> list[bpy.types.Object]:
    """The active armature and all others that are selected and animated, outside of Edit Mode."""
    others = [each for each in context.selected_objects if each != context.object]
    armatures = [each for each in (context.object, *others) if each and each.type == "ARMATURE"]
    return [armature for armature in armatures if is_animated(armature) and not armature.data.is_editmode]


def chosen_take_in_parts(context: bpy.types.Context) -> Parts[Snapshot]:
    """The active armature's take with the scene's settings of what is kept, a part for each frame to be evaluated."""
    settings = context.scene.pads
    keys = KeptKeys(settings.keep_extreme, settings.keep_selected)
    return (yield from snapshot_in_parts(context.object, keys, settings.switch_to_fk))


def chosen_bones(context: bpy.types.Context) -> tuple[str, ...]:
    """Names of the active armature's bones that are selected in Pose Mode."""
    armature = context.object
    if armature is None or armature.mode != "POSE":
        return ()
    return tuple(bone.name for bone in armature.pose.bones if compat.is_bone_selected(bone))


def chosen_frames(
    scene: bpy.types.Scene, armature: bpy.types.Object, kind: str, bones: tuple[str, ...] | None = None
) -> tuple[float | None, float | None]:
    """First and last scene frame of one of properties.RANGES, None for no limit; bones: whose selected keys count."""
    if kind == "TAKE":
        return None, None
    if kind == "SCENE":
        return float(scene.frame_start), float(scene.frame_end)
    if kind == "PREVIEW":
        if not scene.use_preview_range:
            raise TakeError("There is no preview range: press P over the Timeline and drag, or choose another range.")
        return float(scene.frame_preview_start), float(scene.frame_preview_end)
    times = _selected_times(armature, bones)
    if not len(times):
        raise TakeError("No keyframes are selected: select some in the Dope Sheet, or choose another range.")
    return float(np.floor(times.min())), float(np.ceil(times.max()))


def _selected_times(armature: bpy.types.Object, bones: tuple[str, ...] | None) -> np.ndarray:
    paths = None if bones is None else tuple(f'pose.bones["{bpy.utils.escape_identifier(bone)}"]' for bone in bones)
    found = [fcurve for fcurve in find_curves(armature).fcurves if paths is None or fcurve.data_path.startswith(paths)]
    return np.concatenate([np.empty(0), *(curves.kept_times(each, extreme=False, selected=True) for each in found)])
