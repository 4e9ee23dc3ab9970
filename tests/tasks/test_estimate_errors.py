import numpy as np
import pytest
from scipy.stats import multivariate_normal

from pads_blender.core import rotations as rot
from pads_blender.core.keypoints import HUMAN36M_17
from pads_blender.core.skeleton import MODEL
from pads_blender.diffusion.rays import View
from pads_blender.tasks import estimate_errors
from pads_blender.tasks.estimate_errors import PoseErrors, usual_poses

from .filmed import SIDE, WALK, filmed


def view_of(positions) -> View:
    return View(SIDE, filmed(positions, SIDE).keypoints.points, np.full((len(positions), 17), 2.0), HUMAN36M_17)


def test_the_kind_does_not_depend_on_place_and_heading():
    turn = rot.from_rotation_vector(np.array([0.0, 0.0, 2.0]))
    moved = rot.rotate(turn, WALK) + np.array([3.0, 1.0, 0.2])
    assert np.array_equal(PoseErrors.about(WALK).kinds, PoseErrors.about(moved).kinds)


def test_the_kind_is_the_likeliest():
    poses, mixture = WALK[:3] - WALK[:3, :1], usual_poses()
    densities = [
        multivariate_normal(
            mean.reshape(-1),
            factors.reshape(-1, factors.shape[-1]) @ factors.reshape(-1, factors.shape[-1]).T
            + np.diag(np.repeat(rest + 0.1**2, 3)),
        ).logpdf(poses.reshape(3, -1))
        for mean, factors, rest in zip(mixture.means, mixture.factors, mixture.rest, strict=True)
    ]
    assert np.array_equal(mixture.nearest(poses, 0.1), np.argmax(densities, axis=0))


def test_the_scene_may_be_turned_as_a_whole():
    """A turned camera and a turned answer give the turned fit."""
    turn = rot.from_rotation_vector(np.array([0.0, 0.0, 1.1]))
    view, expected = view_of(WALK[:6]), WALK[4:10]
    world = np.eye(4)
    world[:3, :3] = rot.to_matrix(turn)
    camera = type(SIDE)(SIDE.intrinsics, world @ SIDE.world_from_camera, SIDE.width, SIDE.height)
    other = View(camera, view.points, view.sigma, view.layout)
    errors = PoseErrors.about(expected)
    plain = errors.fit([view], expected, 0.1, 0.1, 0.05)
    turned = errors.fit([other], rot.rotate(turn, expected), 0.1, 0.1, 0.05)
    assert turned == pytest.approx(rot.rotate(turn, plain), abs=1e-6)
    assert np.linalg.norm(plain - expected, axis=-1).max() > 0.02


def test_a_known_pelvis_stays():
    fitted = PoseErrors.about(WALK[:6]).fit([view_of(WALK[3:9])], WALK[:6], 0.1, 0.1, 0.0)
    assert fitted[:, 0] == pytest.approx(WALK[:6, 0]) and np.abs(fitted - WALK[:6]).max() > 0.01


def test_shapes_of_errors_have_a_mean_variance_of_one():
    shapes = usual_poses().error_shapes(0.1, 0.2)
    assert np.trace(shapes, axis1=1, axis2=2) / (3 * len(MODEL)) == pytest.approx(1.0)
    assert (np.linalg.eigvalsh(shapes) > 0.0).all()


def test_shapes_of_errors_are_those_of_the_gaussian_posterior():
    """Drawn poses with noise, denoised by the mixture's first component alone."""
    mixture, level, rng = usual_poses(), 0.05, np.random.default_rng(0)
    factors = mixture.factors[0].reshape(3 * len(MODEL), -1)
    cover = factors @ factors.T + np.diag(np.repeat(mixture.rest[0], 3))
    poses = rng.multivariate_normal(np.zeros(len(cover)), cover, 40000)
    noisy = poses + level * rng.standard_normal(poses.shape)
    missed = np.cov((noisy @ np.linalg.solve(cover + level**2 * np.eye(len(cover)), cover) - poses).T)
    shape = mixture.error_shapes(level, 0.0)[0]
    assert shape == pytest.approx(missed * len(cover) / np.trace(missed), abs=0.03 * shape.max())


def test_lengths_put_a_body_that_was_taken_for_too_small_further_away(monkeypatch):
    """Shrunk towards the camera by 5 % it lies on the same rays: nothing else moves it."""
    near = SIDE.centre + 0.95 * (WALK[:10] - SIDE.centre)

    def away(rounds=3) -> float:
        found = near
        for _ in range(rounds):
            found = PoseErrors.about(WALK[:10]).fit([view_of(WALK[:10])], found, 0.1, 0.1, 0.1)
        return float(np.linalg.norm(found[:, 0] - WALK[:10, 0], axis=-1).mean())

    assert away() < 0.6 * away(rounds=0)
    monkeypatch.setattr(estimate_errors, "_LENGTH_ERROR", 1e3)
    assert away() > 0.95 * away(rounds=0)
