import numpy as np
import pytest

from pads_blender.core.camera import Camera, focal_from_fov, from_blender_axes, look_at, make_intrinsics


def standing_camera() -> Camera:
    """Four metres before the origin, 1.5 m up, looking at a point one metre up."""
    return Camera(make_intrinsics(900.0, 800, 600), look_at([0.0, -4.0, 1.5], [0.0, 0.0, 1.0]), 800, 600)


def moving_camera(frames: int) -> Camera:
    poses = np.stack([look_at([0.2 * f - 1.0, -3.0, 1.0 + 0.1 * f], [0.0, 0.0, 1.0]) for f in range(frames)])
    return Camera(make_intrinsics(700.0, 640, 480), poses, 640, 480)


def test_pixels_of_a_hand_worked_point():
    camera = Camera(make_intrinsics(1000.0, 640, 480), look_at([0.0, -5.0, 1.0], [0.0, 0.0, 1.0]), 640, 480)
    # one metre to the right and half a metre up at five metres: 200 pixels right and 100 up from the centre
    assert camera.project(np.array([[[1.0, 0.0, 1.5]]]))[0, 0] == pytest.approx([520.0, 140.0])


@pytest.mark.parametrize("camera", [standing_camera(), moving_camera(3)], ids=["still", "moving"])
def test_jacobian_is_the_derivative(camera):
    rng = np.random.default_rng(0)
    positions, step = rng.normal([0, 0, 1], 0.4, (3, 5, 3)), rng.standard_normal((3, 5, 3))
    numeric = (camera.project(positions + 1e-6 * step) - camera.project(positions - 1e-6 * step)) / 2e-6
    assert np.einsum("fjka,fja->fjk", camera.jacobian(positions), step) == pytest.approx(numeric, rel=1e-6, abs=1e-5)


@pytest.mark.parametrize("camera", [standing_camera(), moving_camera(4)], ids=["still", "moving"])
def test_rays_lead_back_to_the_points(camera):
    positions = np.random.default_rng(1).normal([0, 0, 1], 0.5, (4, 6, 3))
    rays = camera.rays(camera.project(positions))
    offset = positions - np.reshape(camera.centre, (-1, 1, 3))
    assert np.linalg.norm(np.cross(rays, offset), axis=-1).max() < 1e-9
    assert np.sum(rays * offset, axis=-1).min() > 0


def test_rows_of_a_moving_camera():
    camera, positions = moving_camera(5), np.ones((2, 3, 3))
    assert camera.rows(slice(3, 5)).project(positions) == pytest.approx(camera.project(np.ones((5, 3, 3)))[3:5])


def test_behind_the_camera_nothing_is_infinite():
    assert np.isfinite(standing_camera().project(np.array([[[0.0, -9.0, 1.0]]]))).all()


def test_blender_camera_looks_along_minus_z():
    matrix = np.eye(4) * np.array([2.0, 2.0, 2.0, 1.0])  # at the origin, looking down, scaled
    turned = from_blender_axes(matrix)
    assert turned[:3, 2] == pytest.approx([0.0, 0.0, -1.0])
    assert turned[:3, 1] == pytest.approx([0.0, -1.0, 0.0])
    assert matrix[1, 1] == 2.0


def test_focal_length_of_a_right_angle():
    assert focal_from_fov(90.0, 400, 1000) == pytest.approx(500.0)
