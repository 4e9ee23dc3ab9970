"""Which rotations and locations of an action the animator keeps: locked curves, and keys marked or selected."""

from dataclasses import dataclass

import bpy
import numpy as np

from ..core.rig import RigTake
from ..core.stand_ins import find_stand_ins
from ..tasks.kept import Kept
from . import curves
from .rig_reader import find_curves, object_entry
from .transforms import location_of, rotation_of, tabulate


@dataclass(frozen=True)
class KeptKeys:
    """Which keys Clean passes through, besides all of those on locked or muted curves."""

    extreme: bool = True  # keys of type Extreme
    selected: bool = False


def read_kept(armature: bpy.types.Object, take: RigTake, keys: KeptKeys) -> Kept:
    """What Clean must not change of the armature's action, in the frames and bones of its take.

    A bone without curves of its own, which Clean could give keys, is kept where all the others are. Stand-ins keep what
    they do, the object's rotation included.
    """
    table, frames, is_stand_in = tabulate(find_curves(armature)), take.frames, find_stand_ins(take)
    bones = [None if out else armature.pose.bones[name] for name, out in zip(take.names, is_stand_in, strict=True)]
    moved = [list(location_of(bone).curves(table).values()) if bone else [] for bone in bones]
    turned = [list(rotation_of(bone).curves(table).values()) if bone else [] for bone in bones]
    if take.names[0] == object_entry(armature):
        moved[0] = list(location_of(armature).curves(table).values())
    rotation, location = (_kept_frames(found, frames, keys) for found in (turned, moved))
    return Kept(rotation | is_stand_in, location | (is_stand_in & ~take.movable))


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
