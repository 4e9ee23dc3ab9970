"""F-curves to arrays and back in bulk. Knows curves and keys, nothing of bones."""

import bpy
import numpy as np

from ..core.bezier import bezier_values
from ..errors import TakeError

_PROPERTIES = bpy.types.Keyframe.bl_rna.properties
_LINEAR = _PROPERTIES["interpolation"].enum_items["LINEAR"].value
_BEZIER = _PROPERTIES["interpolation"].enum_items["BEZIER"].value
_CONSTANT = _PROPERTIES["interpolation"].enum_items["CONSTANT"].value
_GENERATED = _PROPERTIES["type"].enum_items["GENERATED"].value
_KEYFRAME = _PROPERTIES["type"].enum_items["KEYFRAME"].value
_EXTREME = _PROPERTIES["type"].enum_items["EXTREME"].value
_SAME_FRAME = 1e-4  # Blender takes a key this near as met


def is_evaluated(fcurve: bpy.types.FCurve) -> bool:
    """Whether Blender lets this curve drive its property; if not, the property keeps the value that it has.

    A group's own switch is not asked: muting it in the editor mutes its curves, too (seen in 4.5 and 5.2).
    """
    return not fcurve.mute and not fcurve.is_empty


def is_locked(fcurve: bpy.types.FCurve) -> bool:
    """Whether the animator keeps this curve from being edited, or has switched it off."""
    group = fcurve.group
    return fcurve.lock or fcurve.mute or (group is not None and (group.lock or group.mute))


def is_cyclic(fcurve: bpy.types.FCurve) -> bool:
    """Whether the keys are repeated before or after themselves."""
    return any(modifier.type == "CYCLES" and not modifier.mute for modifier in fcurve.modifiers)


def key_times(fcurve: bpy.types.FCurve) -> np.ndarray:
    """Scene frames (K,) of the keys, which need not be whole numbers."""
    return _coordinates(fcurve)[:, 0]


def key_points(fcurve: bpy.types.FCurve) -> np.ndarray:
    """Frame and value (K, 2) of the keys."""
    return _coordinates(fcurve)


def key_values(fcurve: bpy.types.FCurve) -> np.ndarray:
    """Values (K,) of the keys."""
    return _coordinates(fcurve)[:, 1]


def kept_times(fcurve: bpy.types.FCurve, extreme: bool, selected: bool) -> np.ndarray:
    """Scene frames (K,) of the keys that the animator keeps: those of type Extreme, those that are selected."""
    keep = np.zeros(len(fcurve.keyframe_points), bool)
    if extreme:
        keep |= _integers(fcurve, "type") == _EXTREME
    if selected:
        chosen = np.empty(len(keep), bool)
        fcurve.keyframe_points.foreach_get("select_control_point", chosen)
        keep |= chosen
    return key_times(fcurve)[keep]


def posed_times(fcurve: bpy.types.FCurve) -> np.ndarray:
    """Scene frames (K,) of the keys that are not of type Generated: an animator's, or a capture's."""
    return key_times(fcurve)[_integers(fcurve, "type") != _GENERATED]


def chosen_times(fcurve: bpy.types.FCurve) -> np.ndarray:
    """Scene frames (K,) of the keys that are selected."""
    return kept_times(fcurve, extreme=False, selected=True)


def mark_posed(fcurve: bpy.types.FCurve, times: np.ndarray) -> None:
    """Give keys of type Generated at these scene frames the usual type."""
    types = _integers(fcurve, "type")
    is_posed = (types == _GENERATED) & np.isin(key_times(fcurve).astype(np.float32), times.astype(np.float32))
    if is_posed.any():
        fcurve.keyframe_points.foreach_set("type", np.where(is_posed, _KEYFRAME, types).astype(np.int32))


def values_at(fcurve: bpy.types.FCurve, frames: np.ndarray) -> np.ndarray:
    """The curve's values (F,) at scene frames (F,), as Blender evaluates it.

    Between linear, constant and Bezier keys in one go; what else there is, frame by frame.
    """
    points = _coordinates(fcurve)
    times = points[:, 0]
    is_simple = len(times) and not len(fcurve.sampled_points) and not _has_modifiers(fcurve)
    if not is_simple or not (np.diff(times) > 0).all():
        return _evaluate(fcurve, frames)
    kinds = _integers(fcurve, "interpolation")
    if (kinds[:-1] == _LINEAR).all() and _is_held(fcurve, times, frames):
        return np.interp(frames, times, points[:, 1])
    left = np.searchsorted(times, frames + _SAME_FRAME, side="right") - 1
    at = np.clip(left, 0, len(times) - 1)
    values = points[at, 1]  # right at keys, after constant ones, and beyond the ends where these are held
    is_between = (left >= 0) & (left < len(times) - 1) & (frames - times[at] > _SAME_FRAME)
    for kind, between in ((_LINEAR, _linear_values), (_BEZIER, _bezier_values)):
        rows = is_between & (kinds[at] == kind)
        if rows.any():
            values[rows] = between(fcurve, points, frames[rows], at[rows])
    others = is_between & ~np.isin(kinds[at], (_LINEAR, _BEZIER, _CONSTANT))
    if fcurve.extrapolation != "CONSTANT":
        others |= (frames < times[0]) | (frames > times[-1])
    values[others] = _evaluate(fcurve, frames[others])
    return values


def _has_modifiers(fcurve: bpy.types.FCurve) -> bool:
    return any(not modifier.mute for modifier in fcurve.modifiers)


def _is_held(fcurve: bpy.types.FCurve, times: np.ndarray, frames: np.ndarray) -> bool:
    """Whether the frames lie between the keys, or the outer keys' values are held."""
    is_inside = not len(frames) or (times[0] <= frames.min() and frames.max() <= times[-1])
    return bool(is_inside) or fcurve.extrapolation == "CONSTANT"


def _evaluate(fcurve: bpy.types.FCurve, frames: np.ndarray) -> np.ndarray:
    return np.array([fcurve.evaluate(frame) for frame in frames.tolist()], float)


def _linear_values(fcurve: bpy.types.FCurve, points: np.ndarray, frames: np.ndarray, at: np.ndarray) -> np.ndarray:
    return np.interp(frames, points[:, 0], points[:, 1])


def _bezier_values(fcurve: bpy.types.FCurve, points: np.ndarray, frames: np.ndarray, at: np.ndarray) -> np.ndarray:
    out, into = _coordinates(fcurve, "handle_right"), _coordinates(fcurve, "handle_left")
    return bezier_values(frames, points[at], out[at], into[at + 1], points[at + 1])


def shift_values(fcurve: bpy.types.FCurve, shift: np.ndarray, changed: np.ndarray) -> None:
    """Add shift (K,) to the keys marked in changed (K,) bool, handles along with them; key times stay."""
    points, shift = _coordinates(fcurve), np.where(changed, shift, 0.0)
    if (_integers(fcurve, "interpolation") == _BEZIER).any():
        for side in ("handle_left", "handle_right"):
            _set_coordinates(fcurve, side, _coordinates(fcurve, side) + shift[:, None] * [0.0, 1.0])
    points[:, 1] += shift
    _set_coordinates(fcurve, "co", points)
    _mark_generated(fcurve, changed)
    fcurve.update()


def refill_linear(fcurve: bpy.types.FCurve, times: np.ndarray, values: np.ndarray) -> None:
    """Linear keys at times (K,) in place of any that the curve has."""
    fcurve.keyframe_points.clear()
    fcurve.keyframe_points.add(len(times))
    _set_coordinates(fcurve, "co", np.stack([times, values], axis=-1))
    fcurve.keyframe_points.foreach_set("interpolation", np.full(len(times), _LINEAR, np.int32))
    _mark_generated(fcurve, np.ones(len(times), bool))
    fcurve.update()


def _mark_generated(fcurve: bpy.types.FCurve, changed: np.ndarray) -> None:
    types = np.where(changed, _GENERATED, _integers(fcurve, "type"))
    fcurve.keyframe_points.foreach_set("type", types.astype(np.int32))


def _coordinates(fcurve: bpy.types.FCurve, name: str = "co") -> np.ndarray:
    """Frame and value (K, 2) of the keys or of one side's handles."""
    flat = np.empty(2 * len(fcurve.keyframe_points), np.float32)
    fcurve.keyframe_points.foreach_get(name, flat)
    return flat.reshape(-1, 2).astype(float)


def _set_coordinates(fcurve: bpy.types.FCurve, name: str, points: np.ndarray) -> None:
    with np.errstate(over="ignore"):
        single = np.ascontiguousarray(points, np.float32)
    if not np.isfinite(single).all():
        raise TakeError("The result holds values that are not numbers: nothing was changed.")
    fcurve.keyframe_points.foreach_set(name, single.ravel())


def _integers(fcurve: bpy.types.FCurve, name: str) -> np.ndarray:
    """An enumeration (K,) of the keys as Blender's own numbers."""
    numbers = np.empty(len(fcurve.keyframe_points), np.int32)
    fcurve.keyframe_points.foreach_get(name, numbers)
    return numbers
