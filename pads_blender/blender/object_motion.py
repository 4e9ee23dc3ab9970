"""The path of the armature object itself through the world, where keys, parents or constraints move it."""

from collections.abc import Iterator

import bpy
import numpy as np

from . import curves
from .evaluation import world_path
from .parts import Parts
from .transforms import CurveTable, is_animated_freely, location_of

_TRANSFORMS = ("location", "rotation", "scale", "delta_")
_STILL = 1e-6  # of the path's own size


def read_object_path(armature: bpy.types.Object, table: CurveTable, frames: np.ndarray) -> Parts[np.ndarray]:
    """The object's matrices in the world at scene frames (F,), (F, 4, 4), or (1, 4, 4) where it rests."""
    if _may_move(armature, table):
        path = yield from world_path(armature, frames)
        if np.ptp(path, axis=0).max() > _STILL * np.abs(path).max():
            return path
        return path[:1]
    bpy.context.view_layer.update()  # matrix_world is stale until then
    return np.array(armature.matrix_world, float)[None]


def may_carry_travel(armature: bpy.types.Object, table: CurveTable) -> bool:
    """Whether the object's own location is animated and nothing overrules it."""
    is_solved = any(not constraint.mute for constraint in armature.constraints)
    return is_animated_freely(location_of(armature), table) and not is_solved and not _is_driven(armature)


def _may_move(armature: bpy.types.Object, table: CurveTable) -> bool:
    own = any(path.startswith(_TRANSFORMS) and _varies(fcurve) for (path, _), fcurve in table.items())
    carried = any(_is_animated(each) for each in _ancestors(armature.parent))
    placed = any(len(each.constraints) or (each.parent and each.parent_bone) for each in _ancestors(armature))
    return own or carried or placed or _is_driven(armature)


def _is_animated(item: bpy.types.Object) -> bool:
    animation = item.animation_data
    return bool(animation and (animation.action or len(animation.drivers) or len(animation.nla_tracks)))


def _ancestors(item: bpy.types.Object | None) -> Iterator[bpy.types.Object]:
    """The object and all that it hangs on."""
    while item is not None:
        yield item
        item = item.parent


def _is_driven(armature: bpy.types.Object) -> bool:
    return any(driver.data_path.startswith(_TRANSFORMS) for driver in armature.animation_data.drivers)


def _varies(fcurve: bpy.types.FCurve) -> bool:
    if not curves.is_evaluated(fcurve):
        return False
    first, last = fcurve.range()
    return len(fcurve.modifiers) > 0 or bool(np.ptp(curves.values_at(fcurve, np.linspace(first, last, 100))) > 1e-6)
