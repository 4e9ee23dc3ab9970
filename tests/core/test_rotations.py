"""Rotation algebra: round trips, agreement with SciPy, edge cases."""

import itertools

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pads_blender.core import rotations as rot

ORDERS = ["".join(p) for p in itertools.permutations("XYZ")]


def random_quaternions(count: int, seed: int = 0) -> np.ndarray:
    return rot.normalise(np.random.default_rng(seed).standard_normal((count, 4)))


def scipy_rotation(q: np.ndarray) -> Rotation:
    return Rotation.from_quat(np.roll(q, -1, axis=-1))


def test_product_and_rotation_agree_with_scipy():
    a, b = random_quaternions(50), random_quaternions(50, 1)
    v = np.random.default_rng(2).standard_normal((50, 3))
    together = scipy_rotation(a) * scipy_rotation(b)
    np.testing.assert_allclose(rot.rotate(rot.multiply(a, b), v), together.apply(v), atol=1e-12)


def test_matrix_round_trip_includes_half_turns():
    q = np.concatenate([random_quaternions(200), np.eye(4)])
    back = rot.from_matrix(rot.to_matrix(q))
    np.testing.assert_allclose(rot.angle_between(q, back), 0.0, atol=1e-7)
    np.testing.assert_allclose(rot.to_matrix(q[:200]), scipy_rotation(q[:200]).as_matrix(), atol=1e-12)


def test_rotation_vector_round_trip():
    v = np.random.default_rng(0).standard_normal((100, 3))
    v *= np.random.default_rng(1).uniform(0, 3.1, (100, 1)) / np.linalg.norm(v, axis=-1, keepdims=True)
    np.testing.assert_allclose(rot.to_rotation_vector(rot.from_rotation_vector(v)), v, atol=1e-9)
    assert np.array_equal(rot.from_rotation_vector(np.zeros(3)), rot.IDENTITY)


@pytest.mark.parametrize("order", ORDERS)
def test_euler_round_trip_and_scipy(order):
    q = np.concatenate([random_quaternions(100), rot.from_euler(np.array([[0.3, np.pi / 2, -0.2]] * 3), order)])
    angles = rot.to_euler(q, order)
    np.testing.assert_allclose(rot.angle_between(rot.from_euler(angles, order), q), 0.0, atol=1e-6)
    ours = np.stack([angles[:100, "XYZ".index(axis)] for axis in order], axis=-1)
    np.testing.assert_allclose(ours, scipy_rotation(q[:100]).as_euler(order.lower()), atol=1e-9)


@pytest.mark.parametrize("order", ORDERS)
def test_continuous_euler_has_no_jumps(order):
    t = np.linspace(0, 4 * np.pi, 400)
    q = rot.multiply(
        rot.from_rotation_vector(t[:, None] * np.array([0.6, 0.0, 0.8])),
        rot.from_rotation_vector(np.sin(t)[:, None] * np.array([0.0, 0.7, 0.0])),
    )
    angles = rot.continuous_euler(rot.to_euler(q, order), order)
    np.testing.assert_allclose(rot.angle_between(rot.from_euler(angles, order), q), 0.0, atol=1e-6)
    assert np.abs(np.diff(angles, axis=0)).sum(axis=-1).max() < np.pi


def test_nearest_euler_follows_a_reference_many_turns_away():
    reference = np.array([[7 * np.pi, 0.1, -5 * np.pi]])
    angles = rot.nearest_euler(rot.to_euler(rot.from_euler(reference, "ZXY"), "ZXY"), reference, "ZXY")
    np.testing.assert_allclose(angles, reference, atol=1e-9)


def test_swing_turns_one_direction_into_the_other():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((40, 3)), rng.standard_normal((40, 3))
    b[0], b[1], b[2] = a[0], -a[1], 0.0
    q = rot.swing_between(a, b)
    turned = rot.rotate(q[:2], a[:2])
    np.testing.assert_allclose(turned, np.stack([a[0], -a[1]]), atol=1e-9)
    direction = rot.rotate(q[3:], a[3:]) / np.linalg.norm(a[3:], axis=-1, keepdims=True)
    np.testing.assert_allclose(direction, b[3:] / np.linalg.norm(b[3:], axis=-1, keepdims=True), atol=1e-9)
    assert np.array_equal(q[2], rot.IDENTITY)


def test_twist_is_what_swing_leaves():
    axis = np.array([0.0, 0.6, 0.8])
    twist = rot.from_rotation_vector(0.7 * axis)
    swing = rot.swing_between(axis, np.array([1.0, 0.2, 0.1]))
    assert rot.twist_angle(rot.multiply(swing, twist), axis) == pytest.approx(0.7)


def test_best_rotation_recovers_a_rotation_even_from_two_vectors():
    q = random_quaternions(20)
    vectors = np.random.default_rng(3).standard_normal((20, 2, 3))
    found = rot.best_rotation(vectors, rot.rotate(q[:, None], vectors))
    np.testing.assert_allclose(rot.angle_between(found, q), 0.0, atol=1e-6)


def test_make_continuous_only_flips_signs():
    q = random_quaternions(1)[0] * np.array([1, -1, -1, 1, -1, 1])[:, None]
    fixed = rot.make_continuous(q, reference=-q[0])
    assert np.all(np.sum(fixed[1:] * fixed[:-1], axis=-1) > 0)
    assert np.array_equal(fixed[0], -q[0])


def test_slerp_is_half_way_and_takes_the_short_arc():
    a, b = rot.from_rotation_vector(np.array([0, 0, 0.2])), -rot.from_rotation_vector(np.array([0, 0, 1.0]))
    np.testing.assert_allclose(rot.to_rotation_vector(rot.slerp(a, b, np.array(0.5))), [0, 0, 0.6], atol=1e-12)


def test_mean_rotation_of_a_symmetric_set_is_its_centre():
    centre = random_quaternions(1)[0]
    spread = rot.from_rotation_vector(np.array([[0.3, 0, 0], [-0.3, 0, 0], [0, 0.2, 0], [0, -0.2, 0]]))
    mean = rot.mean_rotation(rot.multiply(centre, spread) * np.array([1, -1, 1, -1])[:, None])
    assert rot.angle_between(mean, centre) < 1e-9


def test_what_is_no_number_spoils_no_other_rotation():
    a = np.random.default_rng(0).standard_normal((3, 5, 3))
    a[1, 2] = np.nan
    found = rot.best_rotation(a, a)
    assert np.isnan(found).all(axis=-1).tolist() == [False, True, False]
    means = rot.mean_rotation(found[None].repeat(2, axis=0))
    assert np.isnan(means).all(axis=-1).tolist() == [False, True, False]
