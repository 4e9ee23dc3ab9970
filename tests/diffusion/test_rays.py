from dataclasses import replace

import numpy as np
import pytest

from pads_blender.core.camera import Camera, look_at, make_intrinsics
from pads_blender.core.keypoints import COCO_17, MODEL_JOINTS
from pads_blender.core.skeleton import MODEL
from pads_blender.diffusion import rays

FRAMES = 3
VARIANCE = np.full(len(MODEL), 0.05**2)
COCO_ARMS = np.array(
    [COCO_17.names.index(f"{s}_{j}") for s in ("left", "right") for j in ("shoulder", "elbow", "wrist")]
)


def cameras() -> list[Camera]:
    still = Camera(make_intrinsics(1000.0, 1000, 800), look_at([0.3, -4.0, 1.4], [0, 0, 1]), 1000, 800)
    path = np.stack([look_at([3.0, -0.5 + 0.2 * f, 1.0], [0, 0, 1]) for f in range(FRAMES)])
    return [still, Camera(make_intrinsics(800.0, 1000, 800), path, 1000, 800)]


def bodies(rng) -> np.ndarray:
    pose = MODEL.rest_positions + np.array([0.0, 0.0, 0.95])
    return pose + 0.1 * rng.standard_normal((FRAMES, len(MODEL), 3))


def views_of(positions, layout=COCO_17) -> list[rays.View]:
    views = []
    for camera in cameras():
        points = camera.project(np.einsum("kj,fja->fka", layout.joints, positions))
        sigma = np.where(layout.used, 4.0, np.inf) * np.ones((FRAMES, 1))
        views.append(rays.View(camera, points, sigma, layout))
    return views


def test_keypoints_lie_on_their_own_rays(rng):
    truth = bodies(rng)
    for view in views_of(truth):
        missed, _ = view.distances(truth)
        assert np.abs(missed).max() < 1e-9
        normals, offsets = view.planes()
        keypoints = np.einsum("kj,fja->fka", view.joints, truth)
        assert np.einsum("fkra,fka->fkr", normals, keypoints) == pytest.approx(offsets, abs=1e-9)


def test_distance_counts_pixels_at_the_depth(rng):
    truth = bodies(rng)
    view = views_of(truth, MODEL_JOINTS)[0]
    moved = replace(view, points=view.points + np.array([10.0, 0.0]))
    depth = view.camera.to_camera(truth)[..., 2]
    assert moved.distances(truth)[0][..., 0] == pytest.approx(10.0 * depth / 1000.0)
    assert moved.distances(truth)[1] == pytest.approx(4.0 * depth / 1000.0)


def cost(views, z, prior, sigma, body_sigma, weights, sigmas):
    """What fit_rays minimises, from its definition: z (F, J + 1, 3) holds positions and the body's own error."""
    positions, moved = z[:, :-1], z[:, -1]
    total = np.sum(((positions - prior - moved[:, None]) / sigma[:, None]) ** 2) + np.sum((moved / body_sigma) ** 2)
    for view, weight, spread in zip(views, weights, sigmas, strict=True):
        normals, offsets = view.planes()
        keypoints = np.einsum("kj,fja->fka", view.joints, positions)
        missed = np.einsum("fkra,fka->fkr", normals, keypoints) - offsets
        total += np.sum(np.where(view.seen, weight / spread**2, 0.0)[..., None] * missed**2)
    return total


@pytest.mark.parametrize("count", [1, 2])
def test_fit_is_the_minimum_of_its_cost(rng, count):
    truth = bodies(rng)
    views = views_of(truth)[:count]
    views[0].sigma[1, 5] = np.inf
    prior, sigma = truth + 0.05 * rng.standard_normal(truth.shape), rng.uniform(0.02, 0.06, len(MODEL))
    fit = rays.fit_rays(views, prior, sigma, 0.1)
    weights = [rays.keypoint_weights(v, prior, sigma**2) for v in views]
    sigmas = [np.where(v.seen, v.distances(prior)[1], 1.0) for v in views]
    z = np.concatenate([fit.positions, fit.moved[:, None]], axis=1)
    least = cost(views, z, prior, sigma, 0.1, weights, sigmas)
    for _ in range(20):
        assert cost(views, z + 1e-3 * rng.standard_normal(z.shape), prior, sigma, 0.1, weights, sigmas) > least


def test_two_cameras_triangulate(rng):
    truth = bodies(rng)
    prior = truth + 0.1 * rng.standard_normal(truth.shape)
    errors = []
    for count in (1, 2):
        fitted = rays.fit_rays(views_of(truth, MODEL_JOINTS)[:count], prior, np.full(len(MODEL), 0.1), 0.1).positions
        errors.append(np.linalg.norm(fitted - truth, axis=-1).mean())
    assert errors[1] < 0.02 < errors[0]


def test_an_outlier_hardly_pulls(rng):
    truth = bodies(rng)
    view = views_of(truth, MODEL_JOINTS)[0]
    view.points[0, 9] += 300.0
    errors = {}
    for nu in (rays.NU, 1e9):
        fitted = rays.fit_rays([view], truth, np.full(len(MODEL), 0.03), 0.03, nu=nu).positions
        errors[nu] = np.linalg.norm(fitted[0, 9] - truth[0, 9])
    assert errors[rays.NU] < 0.03 < 0.5 < errors[1e9]
    assert rays.keypoint_weights(view, truth, VARIANCE)[0, 9] < 0.05


def test_pelvis_is_found_from_a_known_pose(rng):
    truth = bodies(rng)
    pose = truth - truth[:, :1]
    view = views_of(truth)[0]
    guess = truth[:, 0] + np.array([0.5, 2.0, -0.5])
    found = rays.fit_pelvis([view], pose, guess, np.zeros(len(MODEL)), rounds=12)
    assert found == pytest.approx(truth[:, 0], abs=1e-4)


def test_sides_are_exchanged_back_where_they_were_confused(rng):
    truth = bodies(rng)
    view = views_of(truth)[0]
    confused = view.points.copy()
    confused[1, COCO_ARMS] = view.points[1, COCO_17.sides[COCO_ARMS]]
    mixed = replace(view, points=confused)
    right = rays.exchange_sides(mixed, truth, VARIANCE)
    assert right.points == pytest.approx(view.points)
    assert mixed.points == pytest.approx(confused)
    assert rays.misfit([mixed], truth, VARIANCE)[1] > rays.misfit([right], truth, VARIANCE)[1] + 10.0


def test_joints_that_err_together_move_together(rng):
    """Against the least squares of the definition, and: what moves a wrist across its ray moves its depth."""
    truth, prior = bodies(rng), bodies(rng)
    views = views_of(truth)[:1]
    root = 0.05 * rng.standard_normal((FRAMES, 3 * len(MODEL), 8))
    covariance = root @ np.swapaxes(root, 1, 2) + 1e-4 * np.eye(3 * len(MODEL))
    fitted = rays.fit_together(views, prior, covariance, VARIANCE)
    information, pull = rays.joint_information(views, rays.keypoint_information(views, prior, VARIANCE))
    for f in range(FRAMES):
        precision = np.linalg.inv(covariance[f])
        wanted = np.linalg.solve(information[f] + precision, pull[f] + precision @ prior[f].reshape(-1))
        assert fitted[f].reshape(-1) == pytest.approx(wanted, abs=1e-6)
    along = cameras()[0].rotation[:, 2]
    alone = rays.fit_together(views, prior, np.tile(0.05**2 * np.eye(3 * len(MODEL)), (FRAMES, 1, 1)), VARIANCE)
    moved = np.abs((fitted - prior) @ along).mean(), np.abs((alone - prior) @ along).mean()
    assert moved[0] > 2.0 * moved[1]
