import numpy as np
import pytest

from pads_blender.core.camera import Camera, look_at, make_intrinsics
from pads_blender.core.keypoints import HUMAN36M_17
from pads_blender.core.skeleton import MODEL
from pads_blender.diffusion.rays import View
from pads_blender.diffusion.usual_poses import FILE, UsualPoses, load_usual_poses
from pads_blender.errors import PriorError
from pads_blender.training.gaussian_mixture import GaussianMixture

CAMERA = Camera(make_intrinsics(1000.0, 1000, 1000), look_at([0.5, -4.0, 1.2], [0.0, 0.0, 1.0]), 1000, 1000)
PLACE = np.array([0.1, 0.2, 0.9])


def few_poses(rng) -> UsualPoses:
    count, rank = 2, 3
    means = MODEL.rest_positions + 0.1 * rng.standard_normal((count, len(MODEL), 3))
    factors = 0.1 * rng.standard_normal((count, len(MODEL), 3, rank))
    return UsualPoses(means, factors, np.full((count, len(MODEL)), 0.02**2))


def seen_from(positions, sigma) -> View:
    points = CAMERA.project(np.einsum("kj,fja->fka", HUMAN36M_17.joints, positions))
    return View(CAMERA, points, np.full(points.shape[:2], sigma), HUMAN36M_17)


def test_the_posterior_is_that_of_the_joint_gaussian():
    rng = np.random.default_rng(0)
    poses, sigma = few_poses(rng), 0.3
    truth = poses.means[:1] + (poses.factors[:1] @ rng.standard_normal(3)) + PLACE
    view = seen_from(truth, 4.0)
    view.sigma[0, 3] = np.inf
    found = poses.on_rays([view], PLACE[None], sigma)
    rows, residual, variance = poses._of_keypoints(view).equations(0, PLACE)
    for s in range(2):
        prior = np.diag([1.0, 1.0, 1.0, sigma**2, sigma**2, sigma**2])
        cover = rows[s] @ prior @ rows[s].T + np.diag(variance[s])
        z = prior @ rows[s].T @ np.linalg.solve(cover, residual[s])
        assert found.pelvis[0, s] == pytest.approx(PLACE + z[3:])
        assert found.poses(0)[s] == pytest.approx(poses.means[s] + poses.factors[s] @ z[:3])
    costs = [
        0.5 * (residual[s] @ np.linalg.solve(c, residual[s]) + np.linalg.slogdet(c)[1])
        for s in range(2)
        for c in [rows[s] @ np.diag([1.0] * 3 + [sigma**2] * 3) @ rows[s].T + np.diag(variance[s])]
    ]
    assert np.diff(found.costs[0]) == pytest.approx(np.diff(costs))
    assert found.costs[0].argmin() == 0


def test_a_second_camera_places_the_body():
    poses = few_poses(np.random.default_rng(1))
    truth = poses.means[:1] + PLACE
    other = Camera(CAMERA.intrinsics, look_at([-4.0, 0.5, 1.0], [0.0, 0.0, 1.0]), 1000, 1000)
    points = other.project(np.einsum("kj,fja->fka", HUMAN36M_17.joints, truth))
    views = [seen_from(truth, 2.0), View(other, points, np.full(points.shape[:2], 2.0), HUMAN36M_17)]
    found = poses.on_rays(views, PLACE[None] + 0.3, 1.0)
    assert found.pelvis[0, 0] == pytest.approx(PLACE, abs=0.03)


def test_headings_turn_poses_about_the_vertical():
    poses = few_poses(np.random.default_rng(2)).facing(4)
    assert poses.means.shape == (8, len(MODEL), 3) and poses.rest.shape == (8, len(MODEL))
    quarter = poses.means[0] @ np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    assert poses.means[2] == pytest.approx(quarter)
    assert poses.factors[4, ..., :2, :] == pytest.approx(-poses.factors[0, ..., :2, :])


def test_the_bundled_ones_are_bodies_that_face_forward():
    poses = load_usual_poses()
    assert poses.means[:, 0] == pytest.approx(0.0) and np.isfinite(poses.factors).all() and (poses.rest > 0).all()
    left, right = MODEL.indices("left_hip", "right_hip")
    assert (poses.means[:, left, 0] > poses.means[:, right, 0]).all()


def test_a_missing_or_damaged_file_is_named(tmp_path):
    with pytest.raises(PriorError, match=FILE):
        load_usual_poses(tmp_path)
    (tmp_path / FILE).write_bytes(b"nothing")
    with pytest.raises(PriorError, match=FILE):
        load_usual_poses(tmp_path)


@pytest.mark.parametrize("level", [0.02, 0.3])
def test_the_spread_is_that_of_the_exact_denoisers_derivative(level):
    rng = np.random.default_rng(0)
    poses = few_poses(rng)
    exact = GaussianMixture(poses.means.reshape(2, -1), poses._covariances)
    x = poses.means.mean(axis=0, keepdims=True) + level * rng.standard_normal((1, len(MODEL), 3))
    directions = np.eye(3 * len(MODEL)).reshape(-1, len(MODEL), 3)
    derivative = exact.vjp(np.repeat(x, len(directions), axis=0), level, directions)[1].reshape(len(directions), -1)
    np.testing.assert_allclose(poses.spread(x, level)[0], level**2 * derivative, atol=1e-9)
