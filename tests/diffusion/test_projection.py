import numpy as np
import pytest

from pads_blender.core.skeleton import MODEL
from pads_blender.diffusion.projection import Projection, start_on_rays

from .test_rays import MODEL_JOINTS, bodies, views_of


def known(rng, count=2):
    truth = bodies(rng)
    return truth - truth[:, :1], Projection(views_of(truth)[:count], truth[:, 0])


def test_vjp_is_the_derivative(rng):
    pose, operator = known(rng)
    step, cotangent = rng.standard_normal(pose.shape), rng.standard_normal(operator.measured.shape)
    by_difference = (operator(pose + 1e-5 * step) - operator(pose - 1e-5 * step)) / 2e-5
    assert np.sum(by_difference * cotangent) == pytest.approx(np.sum(step * operator.vjp(pose, cotangent)), rel=1e-5)


def test_residual_vanishes_at_the_truth_and_where_nothing_was_seen(rng):
    pose, operator = known(rng)
    operator.views[0].sigma[1, 5] = np.inf
    assert np.abs(operator.residual(pose, operator.measured)).max() < 1e-9
    assert not operator.residual(pose + 1.0, operator.measured)[1, 5].any()


def test_noise_counts_metres_at_the_pelvis(rng):
    _, operator = known(rng, 1)
    view = operator.views[0]
    depth = view.camera.to_camera(operator.pelvis[:, None])[:, 0, 2]
    plain = view.layout.offset == 0
    assert not plain.any() or operator.noise_variance[:, plain] == pytest.approx((4.0 * depth / 1000.0)[:, None] ** 2)
    assert (operator.noise_variance > (4.0 * depth / 1000.0)[:, None] ** 2 - 1e-12).all()


def test_an_unknown_pelvis_is_solved_for(rng):
    truth = bodies(rng)
    operator = Projection(views_of(truth), truth[:, 0] + 0.3, is_known=False)
    assert operator.stand(truth - truth[:, :1]) == pytest.approx(truth[:, 0], abs=1e-3)


def test_start_lies_on_the_rays_as_far_as_the_pelvis(rng):
    truth = bodies(rng)
    view = views_of(truth, MODEL_JOINTS)[0]
    start = start_on_rays(view, truth[:, 0]) + truth[:, :1]
    missed, _ = view.distances(start)
    assert np.abs(missed).max() < 0.01
    away = np.linalg.norm(start - view.camera.centre, axis=-1)
    assert away == pytest.approx(np.repeat(away[:, :1], len(MODEL), axis=1), abs=0.02)
