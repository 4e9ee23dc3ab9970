"""Which rotations and locations of an action the animator keeps: locked curves, and keys marked or selected."""

from dataclasses import dataclass

import bpy
import numpy as np

from ..core.channels import channel_count
from ..tasks.kept import Kept
from . import curves
from .rig_reader import CurveTable, bone_path, find_curves, rotation_property, tabulate


@dataclass(frozen=True)
class KeptKeys:
    """Which keys Clean passes through, besides all of those on locked or muted curves."""

    extreme: bool = True  # keys of type Extreme
    selected: bool = False


def read_kept(armature: bpy.types.Object, frames: np.ndarray, keys: KeptKeys) -> Kept:
    """What Clean must not change of the armature's action at scene frames (F,).

    A bone without curves of its own, which Clean could give keys, is kept where all the others are.
    """
    table = tabulate(find_curves(armature))
    bones = [armature.pose.bones[bone.name] for bone in armature.data.bones]
    turned = [(bone, rotation_property(bone), channel_count(bone.rotation_mode)) for bone in bones]
    moved = [(bone, "location", 3) for bone in bones]
    return Kept(*(_kept_frames([_curves(table, *named) for named in part], frames, keys) for part in (turned, moved)))


def _curves(table: CurveTable, bone: bpy.types.PoseBone, name: str, size: int) -> list[bpy.types.FCurve]:
    path = bone_path(bone, name)
    return [table[path, index] for index in range(size) if (path, index) in table]


def _kept_frames(found: list[list[bpy.types.FCurve]], frames: np.ndarray, keys: KeptKeys) -> np.ndarray:
    """Frames and bones (F, B) in which a property stays, from each bone's curves of it."""
    columns = [_kept_column(curves_of_bone, frames, keys) for curves_of_bone in found if curves_of_bone]
    others = np.all(columns, axis=0) if columns else np.zeros(len(frames), bool)
    waiting = iter(columns)
    return np.stack([next(waiting) if curves_of_bone else others for curves_of_bone in found], axis=1)


def _kept_column(found: list[bpy.types.FCurve], frames: np.ndarray, keys: KeptKeys) -> np.ndarray:
    """Frames (F,) in which one property of a bone stays; a key between two frames keeps both."""
    if any(curves.is_locked(fcurve) for fcurve in found):
        return np.ones(len(frames), bool)
    times = np.concatenate([curves.kept_times(fcurve, keys.extreme, keys.selected) for fcurve in found])
    return np.isin(frames, np.concatenate([np.floor(times), np.ceil(times)]))
