"""Pinhole cameras: from the world to pixels and back to rays. No lens distortion; knows nothing of Blender's cameras.

A camera's own axes are x to the right of the image, y down, z forward; pixels count from the upper left corner.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

NEAREST_METRES = 0.05  # what lies nearer, or behind, counts as this far away

DEFAULT_FOV_DEGREES = 50.0  # along the longer side of the image, where nobody knows: a phone held upright or a webcam


@dataclass(frozen=True)
class Camera:
    """intrinsics (3, 3) in pixels; world_from_camera (4, 4), or (F, 4, 4) where the camera moves; size in pixels."""

    intrinsics: np.ndarray
    world_from_camera: np.ndarray
    width: int
    height: int

    @property
    def focal(self) -> float:
        """Focal length in pixels, mean of both directions."""
        return float(0.5 * (self.intrinsics[0, 0] + self.intrinsics[1, 1]))

    @property
    def is_moving(self) -> bool:
        """Whether there is one pose of the camera for each frame."""
        return self.world_from_camera.ndim == 3

    @property
    def centre(self) -> np.ndarray:
        """Where it stands in the world: (3,), or (F, 3) where it moves; metres."""
        return self.world_from_camera[..., :3, 3]

    @property
    def rotation(self) -> np.ndarray:
        """World from camera axes (3, 3), or (F, 3, 3)."""
        return self.world_from_camera[..., :3, :3]

    def rows(self, chosen: slice | np.ndarray) -> Camera:
        """The same camera over some of its frames."""
        return replace(self, world_from_camera=self.world_from_camera[chosen]) if self.is_moving else self

    def to_camera(self, positions_world: np.ndarray) -> np.ndarray:
        """Positions (F, ..., 3) in the camera's own axes, metres."""
        extra = (1,) * (positions_world.ndim - 2)
        centre = self.centre.reshape(-1, *extra, 3) if self.is_moving else self.centre
        moved = positions_world - centre
        flat = moved.reshape(len(moved), math.prod(moved.shape[1:-1]), 3)
        return (flat @ self.rotation).reshape(moved.shape)

    def project(self, positions_world: np.ndarray) -> np.ndarray:
        """Pixels (F, ..., 2) of positions (F, ..., 3)."""
        return self._pixels(self.to_camera(positions_world))

    def jacobian(self, positions_world: np.ndarray) -> np.ndarray:
        """Derivative (F, ..., 2, 3) of pixels by world positions (F, ..., 3)."""
        local = self.to_camera(positions_world)
        depth = _in_front(local)
        flat = local[..., :2] / depth[..., None]
        zero, one = np.zeros_like(depth), np.ones_like(depth)
        by_local = np.stack(
            [np.stack([one, zero, -flat[..., 0]], axis=-1), np.stack([zero, one, -flat[..., 1]], axis=-1)], axis=-2
        )
        by_local = self.intrinsics[:2, :2] @ by_local / depth[..., None, None]
        rotation = self.rotation if self.is_moving else np.broadcast_to(self.rotation, (len(local), 3, 3))
        return np.einsum("f...ka,fba->f...kb", by_local, rotation)

    def flat_points(self, points: np.ndarray) -> np.ndarray:
        """Where the rays of pixels (F, ..., 2) meet the plane one metre before the camera: K^-1 p, (F, ..., 2)."""
        inverse = np.linalg.inv(self.intrinsics)
        return points @ inverse[:2, :2].T + inverse[:2, 2]

    def rays(self, points: np.ndarray) -> np.ndarray:
        """Unit directions (F, ..., 3) in the world of the rays of pixels (F, ..., 2)."""
        flat = self.flat_points(points)
        local = np.concatenate([flat, np.ones((*flat.shape[:-1], 1))], axis=-1)
        local = local / np.linalg.norm(local, axis=-1, keepdims=True)
        rotation = self.rotation if self.is_moving else np.broadcast_to(self.rotation, (len(local), 3, 3))
        return np.einsum("fab,f...b->f...a", rotation, local)

    def _pixels(self, local: np.ndarray) -> np.ndarray:
        flat = local[..., :2] / _in_front(local)[..., None]
        return flat @ self.intrinsics[:2, :2].T + self.intrinsics[:2, 2]


def _in_front(local: np.ndarray) -> np.ndarray:
    """Depth (...) of positions (..., 3) in the camera's axes, kept in front of the camera."""
    return np.maximum(local[..., 2], NEAREST_METRES)


def make_intrinsics(focal: float, width: int, height: int) -> np.ndarray:
    """K (3, 3) of square pixels with the axis through the image's centre."""
    return np.array([[focal, 0.0, 0.5 * width], [0.0, focal, 0.5 * height], [0.0, 0.0, 1.0]])


def focal_from_fov(fov_degrees: float, width: int, height: int) -> float:
    """Focal length in pixels of a field of view along the longer side."""
    return 0.5 * max(width, height) / float(np.tan(0.5 * np.radians(fov_degrees)))


def look_at(position: np.ndarray, target: np.ndarray) -> np.ndarray:
    """World from camera (4, 4) of a level camera at a position (3,) that looks at a target (3,), Z up."""
    forward = np.asarray(target, float) - np.asarray(position, float)
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    length = float(np.linalg.norm(right))
    right = right / length if length > 1e-6 else np.array([1.0, 0.0, 0.0])
    result = np.eye(4)
    result[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    result[:3, 3] = position
    return result


def from_blender_axes(matrix_world: np.ndarray) -> np.ndarray:
    """World from camera (..., 4, 4) of a Blender camera's matrix, which looks along -Z with Y up; scale is lost."""
    matrix = np.array(matrix_world, float)
    axes = matrix[..., :3, :3] / np.linalg.norm(matrix[..., :3, :3], axis=-2, keepdims=True)
    matrix[..., :3, :3] = axes * np.array([1.0, -1.0, -1.0])
    return matrix
