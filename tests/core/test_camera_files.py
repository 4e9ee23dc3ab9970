import json

import numpy as np
import pytest

from pads_blender.core.camera import focal_from_fov, look_at
from pads_blender.core.camera_files import default_camera, read_camera
from pads_blender.errors import BadFileError


def written(path, **data):
    path.write_text(json.dumps({"width": 1920, "height": 1080, **data}))
    return path


def test_position_and_target_or_a_blender_matrix_are_the_same_camera(tmp_path):
    pose = look_at([1.0, -4.0, 1.5], [0.0, 0.0, 1.0])
    blender = pose * np.array([1.0, -1.0, -1.0, 1.0])  # Blender's cameras look along -Z with Y up
    a = read_camera(written(tmp_path / "a.json", position=[1, -4, 1.5], target=[0, 0, 1], fov_degrees=40))
    b = read_camera(written(tmp_path / "b.json", matrix_world=blender.tolist(), fov_degrees=40))
    assert a.world_from_camera == pytest.approx(b.world_from_camera)
    assert a.focal == pytest.approx(focal_from_fov(40.0, 1920, 1080))


def test_lens_and_sensor(tmp_path):
    camera = read_camera(written(tmp_path / "a.json", position=[0, -4, 1], target=[0, 0, 1], lens_mm=50, sensor_mm=36))
    assert camera.focal == pytest.approx(50 / 36 * 1920)


def test_a_tracked_camera_has_a_pose_a_frame(tmp_path):
    camera = read_camera(written(tmp_path / "a.json", matrix_world=[np.eye(4).tolist()] * 3))
    assert camera.is_moving and len(camera.world_from_camera) == 3


@pytest.mark.parametrize(
    "data", [{"position": [0, 0, 0]}, {"matrix_world": [[1, 2], [3, 4]]}, {"focal_pixels": -5, "position": [0, -4, 1],
                                                                         "target": [0, 0, 1]}]
)  # fmt: skip
def test_bad_cameras_say_what_is_wanted(tmp_path, data):
    with pytest.raises(BadFileError, match="matrix_world"):
        read_camera(written(tmp_path / "bad.json", **data))


def test_default_camera_looks_at_people():
    camera = default_camera(1000, 1000)
    assert camera.project(np.array([[[0.0, 0.0, 1.4]]]))[0, 0] == pytest.approx([500.0, 500.0])
