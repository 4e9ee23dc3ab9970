"""Which way a pose faces: the turn about the vertical of the left axis of hips and shoulders."""

from __future__ import annotations

import numpy as np

from .skeleton import MODEL

_SIDES = [MODEL.indices(f"left_{joint}", f"right_{joint}") for joint in ("hip", "shoulder")]
_LEAST = 0.02  # square metres: where hips and shoulders lie one above the other, the heading turns at any touch


def headings(poses: np.ndarray) -> np.ndarray:
    """Turn (N,) in radians about the vertical of the left axis of hips and shoulders of poses (N, J, 3), from +X."""
    left = _left(poses)
    return np.arctan2(left[:, 1], left[:, 0])


def heading_gradient(poses: np.ndarray) -> np.ndarray:
    """Derivative (N, J, 3) of headings, radians a metre; bounded where hips and shoulders hardly show any."""
    left = _left(poses)
    across = np.stack([-left[:, 1], left[:, 0]], axis=-1) / np.maximum(np.sum(left**2, axis=-1), _LEAST)[:, None]
    gradient = np.zeros(poses.shape)
    for a, b in _SIDES:
        gradient[:, a, :2] += across
        gradient[:, b, :2] -= across
    return gradient


def turned(positions: np.ndarray, yaw: np.ndarray) -> np.ndarray:
    """Positions (N, ..., 3) turned about the vertical by yaw (N,) radians; the type of number stays."""
    c, s = np.cos(yaw), np.sin(yaw)
    zero, one = np.zeros_like(c), np.ones_like(c)
    matrix = np.stack([c, -s, zero, s, c, zero, zero, zero, one], axis=-1).reshape(-1, 3, 3).astype(positions.dtype)
    return np.einsum("nij,n...j->n...i", matrix, positions)


def turning(positions: np.ndarray) -> np.ndarray:
    """How positions (..., 3) change with a turn about the vertical: their derivative by its radians."""
    return np.stack([-positions[..., 1], positions[..., 0], np.zeros(positions.shape[:-1])], axis=-1)


def turned_covariances(covariances: np.ndarray, yaw: np.ndarray) -> np.ndarray:
    """Covariances (N, 3 J, 3 J) of the coordinates of poses turned about the vertical by yaw (N,)."""
    count, size = covariances.shape[:2]
    halfway = turned(covariances.reshape(count, size, size // 3, 3), yaw).reshape(count, size, size)
    return turned(np.swapaxes(halfway, 1, 2).reshape(count, size, size // 3, 3), yaw).reshape(count, size, size)


def without_heading(poses: np.ndarray) -> np.ndarray:
    """Poses (N, J, 3) turned about the vertical so that hips and shoulders lie along +X on average."""
    return turned(poses, -headings(poses))


def _left(poses: np.ndarray) -> np.ndarray:
    """From right to left (N, 2), seen from above, hips and shoulders together."""
    return sum(poses[:, a, :2] - poses[:, b, :2] for a, b in _SIDES)
