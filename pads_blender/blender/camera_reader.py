"""A camera object of the scene as the core's camera, at any frames: lens, sensor, shift, pixel aspect, and its path."""

from __future__ import annotations

from dataclasses import dataclass, replace

import bpy
import numpy as np

from ..core.camera import Camera, from_blender_axes
from ..core.keypoints import Keypoints
from ..errors import TakeError
from .evaluation import evaluate_in_parts
from .parts import Parts, finish

_SAME = 1e-6


@dataclass(frozen=True)
class ImageSize:
    """Width and height of an image in pixels, and how much wider than high its pixels are shown."""

    width: int
    height: int
    pixel_aspect: float = 1.0


@dataclass(frozen=True)
class CameraPath:
    """A camera over some frames: its still lens, and the intrinsics (F, 3, 3) of each frame where it zooms."""

    camera: Camera
    zoom: np.ndarray | None = None

    def unzoomed(self, points: np.ndarray) -> np.ndarray:
        """Pixels (F, K, 2) where the still lens would have seen them: on the same rays."""
        if self.zoom is None:
            return points
        to_still = self.camera.intrinsics @ np.linalg.inv(self.zoom)
        return points @ np.swapaxes(to_still[:, :2, :2], 1, 2) + to_still[:, None, :2, 2]

    def unzoomed_keypoints(self, keypoints: Keypoints) -> Keypoints:
        """The same of keypoints."""
        return replace(keypoints, points=self.unzoomed(keypoints.points))


def render_size(scene: bpy.types.Scene) -> ImageSize:
    """What the scene renders."""
    render = scene.render
    share = render.resolution_percentage / 100.0
    width, height = (max(1, int(size * share)) for size in (render.resolution_x, render.resolution_y))
    return ImageSize(width, height, render.pixel_aspect_x / render.pixel_aspect_y)


def read_camera(camera: bpy.types.Object, size: ImageSize, frames: np.ndarray) -> CameraPath:
    """The camera at scene frames (F,), as constraints, keys and drivers have it; TakeError for one without a lens."""
    return finish(read_camera_in_parts(camera, size, frames))


def read_camera_in_parts(camera: bpy.types.Object, size: ImageSize, frames: np.ndarray) -> Parts[CameraPath]:
    """The same, a part for each frame."""
    if camera.data.type != "PERSP":
        raise TakeError(f"Camera {camera.name} is {_KINDS.get(camera.data.type, 'special')}: choose a perspective one.")
    read = yield from evaluate_in_parts(camera, frames, lambda each: _lens_and_place(each, size))
    lens, path = read[:, 0, :3, :3], from_blender_axes(read[:, 1])
    zoom = lens if np.ptp(lens, axis=0).max() > _SAME * lens.max() else None
    still = np.ptp(path, axis=0).max() <= _SAME * max(1.0, np.abs(path).max())
    return CameraPath(Camera(lens[0], path[0] if still else path, size.width, size.height), zoom)


_KINDS = {"ORTHO": "orthographic", "PANO": "panoramic"}


def _lens_and_place(camera: bpy.types.Object, size: ImageSize) -> np.ndarray:
    """Intrinsics, in a corner of zeros, and matrix in the world (2, 4, 4)."""
    return np.array([np.pad(intrinsics(camera.data, size), (0, 1)), camera.matrix_world], float)


def intrinsics(lens: bpy.types.Camera, size: ImageSize) -> np.ndarray:
    """K (3, 3) in pixels from the upper left corner, as Blender fits the sensor into the image.

    BKE_camera_params_compute_viewplane: the focal length counts in widths of the side that the sensor is fitted to.
    """
    shown_height = size.height / size.pixel_aspect  # in pixels as wide as they are
    fit = lens.sensor_fit
    if fit == "AUTO":
        fit, sensor = ("HORIZONTAL" if size.width >= shown_height else "VERTICAL"), lens.sensor_width
    else:
        sensor = lens.sensor_height if fit == "VERTICAL" else lens.sensor_width
    fitted = size.width if fit == "HORIZONTAL" else shown_height
    focal = lens.lens / sensor * fitted
    across = np.array([focal, 0.0, 0.5 * size.width - lens.shift_x * fitted])
    down = np.array([0.0, focal, 0.5 * shown_height + lens.shift_y * fitted]) * size.pixel_aspect
    return np.array([across, down, [0.0, 0.0, 1.0]])
