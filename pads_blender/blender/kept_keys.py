"""Which rotations and locations of an action the animator keeps: locked curves, and keys marked or selected."""

from dataclasses import dataclass

import bpy
import numpy as np

from ..core.rig import RigTake
from ..core.stand_ins import find_stand_ins
from ..tasks.kept import Kept
from . import curves
from .evaluation import find_object
from .parts import Pace, Parts
from .rig_reader import find_curves, has_object_entry, pose_bone
from .transforms import location_of, rotation_of, tabulate


@dataclass(frozen=True)
class KeptKeys:
    """Which keys Clean passes through, besides all of those on locked or muted curves."""

    extreme: bool = True  # keys of type Extreme
    selected: bool = False


def read_kept(armature: bpy.types.Object, take: RigTake, keys: KeptKeys) -> Parts[Kept]:
    """What Clean must not change of the armature's action, in the frames and bones of its take.

    A bone without curves of its own, which Clean could give keys, is kept where all the others are. Stand-ins keep what
    they do, the object's rotation included.
    """
    name, uid, is_stand_in, pace = armature.name, armature.session_uid, find_stand_ins(take), Pace()
    turned, moved, table, path = [], [], None, take.names[0] if has_object_entry(take) else None
    for entry, out in zip(take.names, is_stand_in, strict=True):
        if table is None:
            armature = find_object(uid, name)
            table = tabulate(find_curves(armature))
        owner = armature if entry == path else None if out else pose_bone(armature, entry)
        found = (
            [] if out else rotation_of(owner).curves(table),
            [] if owner is None else location_of(owner).curves(table),
        )
        for columns, own in zip((turned, moved), found, strict=True):
            columns.append(_kept_column(list(own.values()), take.frames, keys) if own else None)
        if pace.is_pause_due(len(take.frames)):
            yield len(turned) / len(take.names)
            table = None
    rotation, location = (_filled(columns, take.frames) for columns in (turned, moved))
    return Kept(rotation | is_stand_in, location | (is_stand_in & ~take.movable))


def _filled(columns: list[np.ndarray | None], frames: np.ndarray) -> np.ndarray:
    """Frames and bones (F, B) in which a property stays, from those of each bone; None: where all others stay."""
    known = [column for column in columns if column is not None]
    others = np.all(known, axis=0) if known else np.zeros(len(frames), bool)
    return np.stack([others if column is None else column for column in columns], axis=1)


def _kept_column(found: list[bpy.types.FCurve], frames: np.ndarray, keys: KeptKeys) -> np.ndarray:
    """Frames (F,) in which one property of a bone stays; a key between two frames keeps both."""
    if any(curves.is_locked(fcurve) for fcurve in found):
        return np.ones(len(frames), bool)
    times = np.concatenate([curves.kept_times(fcurve, keys.extreme, keys.selected) for fcurve in found])
    return np.isin(frames, np.concatenate([np.floor(times), np.ceil(times)]))
