"""A camera in a JSON file: lens, size of the image, and where it stands, still or tracked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ..errors import BadFileError
from .camera import DEFAULT_FOV_DEGREES, Camera, focal_from_fov, from_blender_axes, look_at, make_intrinsics

_WANTED = (
    'state "width" and "height" in pixels; "fov_degrees", "focal_pixels" or "lens_mm" with "sensor_mm"; and '
    '"position" with "target", or "matrix_world" of a Blender camera (a list of them where it moves)'
)
_USUAL_HEIGHT, _USUAL_DISTANCE = 1.4, 4.0  # metres, where nobody says where the camera stands


def read_camera(path: Path | str) -> Camera:
    """The camera that a JSON file describes; raises BadFileError. Metres, Z up, Blender's own camera axes."""
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        width, height = int(data["width"]), int(data["height"])
        camera = Camera(make_intrinsics(_focal(data, width, height), width, height), _stand(data), width, height)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadFileError(f"{path}: is no camera that we can read ({error!r}): {_WANTED}.") from error
    pose = camera.world_from_camera
    if width < 1 or height < 1 or not camera.focal > 0 or pose.shape[-2:] != (4, 4) or not np.isfinite(pose).all():
        raise BadFileError(f"{path}: its numbers are not those of a camera: {_WANTED}.")
    return camera


def default_camera(width: int, height: int, fov_degrees: float = DEFAULT_FOV_DEGREES) -> Camera:
    """A level camera at eye height that looks along Y, for films of which nothing else is known."""
    pose = look_at(np.array([0.0, -_USUAL_DISTANCE, _USUAL_HEIGHT]), np.array([0.0, 0.0, _USUAL_HEIGHT]))
    return Camera(make_intrinsics(focal_from_fov(fov_degrees, width, height), width, height), pose, width, height)


def _focal(data: dict, width: int, height: int) -> float:
    """Focal length in pixels; of a sensor the longer side is stated, as in Blender."""
    if "focal_pixels" in data:
        return float(data["focal_pixels"])
    if "lens_mm" in data:
        return float(data["lens_mm"]) / float(data["sensor_mm"]) * max(width, height)
    return focal_from_fov(float(data.get("fov_degrees", DEFAULT_FOV_DEGREES)), width, height)


def _stand(data: dict) -> np.ndarray:
    if "matrix_world" in data:
        return from_blender_axes(np.array(data["matrix_world"], float))
    return look_at(np.array(data["position"], float), np.array(data["target"], float))
