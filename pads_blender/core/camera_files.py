"""A camera in a JSON file: lens, size of the image, and where it stands, still or tracked."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import BadFileError
from .camera import DEFAULT_FOV_DEGREES, Camera, focal_from_fov, from_blender_axes, look_at, make_intrinsics
from .input_files import LARGEST_TAKE, plain_reason, read_json

_WANTED = (
    'state "width" and "height" in pixels; "fov_degrees", "focal_pixels" or "lens_mm" with "sensor_mm"; and '
    '"position" with "target", or "matrix_world" of a Blender camera (a list of them where it moves)'
)
_LARGEST = 1e6  # pixels or metres: beyond it a number is damage
_SKEW = 0.1  # of the volume that three axes at right angles span
_USUAL_HEIGHT, _USUAL_DISTANCE = 1.4, 4.0  # metres, where nobody says where the camera stands


def read_camera(path: Path | str) -> Camera:
    """The camera that a JSON file describes; raises BadFileError. Metres, Z up, Blender's own camera axes."""
    data = read_json(path, LARGEST_TAKE)
    try:
        with np.errstate(all="ignore"):  # what is no number is found below
            width, height = int(data["width"]), int(data["height"])
            camera = Camera(make_intrinsics(_focal(data, width, height), width, height), _stand(data), width, height)
    except (ArithmeticError, ValueError, LookupError, TypeError) as error:
        raise BadFileError(f"{path}: is no camera that we can read ({plain_reason(error)}): {_WANTED}.") from error
    if not _is_sound(camera):
        raise BadFileError(f"{path}: its numbers are not those of a camera: {_WANTED}.")
    return camera


def _is_sound(camera: Camera) -> bool:
    """Whether size, lens and every pose are such as a camera can have."""
    pose, sides = camera.world_from_camera, (camera.width, camera.height)
    if not all(1 <= side <= _LARGEST for side in sides) or not 0 < camera.focal <= _LARGEST:
        return False
    if pose.shape[-2:] != (4, 4) or pose.ndim > 3 or not len(pose) or not np.abs(pose).max() <= _LARGEST:
        return False
    return bool(np.abs(np.linalg.det(camera.rotation) - 1.0).max() < _SKEW)


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
