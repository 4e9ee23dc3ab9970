"""Blender's rotation modes as plain arrays: a bone's rotation channels to quaternions and back. Knows no bpy."""

import numpy as np

from .rotations import angle_between, from_euler, nearest_euler, normalise, to_euler

EULER_ORDERS = ("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")
_TINY = 1e-9
_SAME_RADIANS = 1e-5  # 0.0006 degrees, two orders above what single precision in Blender leaves of an angle in lock


def channel_count(mode: str) -> int:
    """Number of rotation channels of a bone in this mode."""
    return 3 if mode in EULER_ORDERS else 4


def quaternions_from_channels(values: np.ndarray, mode: str) -> np.ndarray:
    """Unit quaternions (..., 4) of channel values (..., 3 or 4), normalised as Blender does before it uses them."""
    if mode in EULER_ORDERS:
        return from_euler(values, mode)
    if mode == "AXIS_ANGLE":
        half = 0.5 * values[..., :1]
        return np.concatenate([np.cos(half), np.sin(half) * _unit(values[..., 1:])], axis=-1)
    return normalise(values)


def channels_from_quaternions(rotation: np.ndarray, mode: str, reference: np.ndarray) -> np.ndarray:
    """Channel values (..., 3 or 4) of unit quaternions (..., 4); of all that mean the same, those nearest to reference.

    reference are the channels' present values: neighbouring keys that stay as they are go on smoothly.
    """
    if mode in EULER_ORDERS:
        return euler_near(rotation, mode, reference)
    if mode == "AXIS_ANGLE":
        return _nearest_axis_angle(rotation, reference)
    length = np.linalg.norm(reference, axis=-1, keepdims=True)
    sign = np.where(np.sum(rotation * reference, axis=-1, keepdims=True) < 0, -1.0, 1.0)
    return rotation * sign * np.where(length > _TINY, length, 1.0)


def euler_near(rotation: np.ndarray, order: str, reference: np.ndarray) -> np.ndarray:
    """Angles (..., 3) in radians as x, y, z of unit quaternions (..., 4), near the reference, in gimbal lock too.

    In lock only the sum (or difference) of the first and the third angle counts: the third stays the reference's.
    """
    angles = nearest_euler(to_euler(rotation, order), reference, order)
    first, third = "XYZ".index(order[0]), "XYZ".index(order[2])
    shift = reference[..., third] - angles[..., third]
    for sign in (1.0, -1.0):
        other = angles.copy()
        other[..., third] = reference[..., third]
        other[..., first] += sign * shift
        other = other + 2 * np.pi * np.round((reference - other) / (2 * np.pi))
        is_same = angle_between(from_euler(other, order), rotation) < _SAME_RADIANS
        angles = np.where(is_same[..., None], other, angles)
    return angles


def _nearest_axis_angle(rotation: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Angle and axis (..., 4) with the axis on the reference's side and the angle within half a turn of its angle."""
    axis = _unit(rotation[..., 1:], reference[..., 1:])
    axis = axis * np.where(np.sum(axis * reference[..., 1:], axis=-1, keepdims=True) < 0, -1.0, 1.0)
    angle = 2.0 * np.arctan2(np.sum(rotation[..., 1:] * axis, axis=-1), rotation[..., 0])
    turns = np.round((reference[..., 0] - angle) / (2.0 * np.pi))
    return np.concatenate([(angle + 2.0 * np.pi * turns)[..., None], axis], axis=-1)


def _unit(vectors: np.ndarray, fallback: np.ndarray | None = None) -> np.ndarray:
    """Unit vectors (..., 3); where there is no length the fallback's direction, or else the Y axis, as in Blender."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    otherwise = np.array([0.0, 1.0, 0.0]) if fallback is None else _unit(fallback)
    return np.where(length <= _TINY, otherwise, vectors / np.maximum(length, _TINY))
