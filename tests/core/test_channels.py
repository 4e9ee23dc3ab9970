"""Rotation modes to quaternions and back; tests/blender compares them with Blender's own."""

import numpy as np
import pytest

from pads_blender.core.channels import (
    EULER_ORDERS,
    channel_count,
    channels_from_quaternions,
    euler_near,
    quaternions_from_channels,
)
from pads_blender.core.rotations import angle_between, from_euler, from_rotation_vector, multiply, normalise

MODES = ("QUATERNION", "AXIS_ANGLE", *EULER_ORDERS)


def random_channels(mode: str, count: int = 200) -> np.ndarray:
    """Values as an animator may have them: several turns, axes and quaternions of any length."""
    rng = np.random.default_rng(5)
    values = rng.normal(size=(count, channel_count(mode)))
    if mode in EULER_ORDERS:
        return 6.0 * values
    if mode == "AXIS_ANGLE":
        values[:, 0] *= 6.0
        values[:, 1:] /= np.linalg.norm(values[:, 1:], axis=1, keepdims=True)
    return values


@pytest.mark.parametrize("mode", MODES)
def test_an_unchanged_rotation_gives_the_same_values(mode):
    values = random_channels(mode)
    again = channels_from_quaternions(quaternions_from_channels(values, mode), mode, values)
    np.testing.assert_allclose(again, values, atol=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_a_small_turn_stays_near_and_means_what_it_should(mode):
    values = random_channels(mode)
    turn = from_rotation_vector(np.array([0.002, -0.001, 0.003]))
    wanted = multiply(turn, quaternions_from_channels(values, mode))
    changed = channels_from_quaternions(wanted, mode, values)
    assert angle_between(quaternions_from_channels(changed, mode), wanted).max() < 1.1e-5
    if mode == "AXIS_ANGLE":  # near a full turn the axis may be any
        usable = np.abs(np.sin(values[:, 0] / 2)) > 0.1
    elif mode == "QUATERNION":
        usable = np.ones(len(values), bool)
    else:  # near gimbal lock two of the angles may be any
        usable = np.abs(np.cos(values[:, "XYZ".index(mode[1])])) > 0.1
    assert usable.sum() > 150
    np.testing.assert_allclose(changed[usable], values[usable], atol=0.08)


@pytest.mark.parametrize("order", EULER_ORDERS)
@pytest.mark.parametrize("lock", [90.0, -90.0, 270.0])
def test_angles_in_gimbal_lock_stay_where_they_are(order, lock):
    values = np.full((1, 3), np.radians(lock))
    values[0, "XYZ".index(order[0])] = 0.4
    values[0, "XYZ".index(order[2])] = -2.5
    rotation = normalise(from_euler(values, order).astype(np.float32).astype(float))
    np.testing.assert_allclose(euler_near(rotation, order, values), values, atol=1e-5)


def test_zero_values_mean_no_rotation():
    for mode in MODES:
        values = np.zeros((1, channel_count(mode)))
        assert quaternions_from_channels(values, mode).tolist() == [[1, 0, 0, 0]]
        assert np.isfinite(channels_from_quaternions(np.array([[1.0, 0, 0, 0]]), mode, values)).all()


def test_values_are_not_modified():
    for mode in MODES:
        values = random_channels(mode, 3)
        copy = values.copy()
        rotation = quaternions_from_channels(values, mode)
        channels_from_quaternions(multiply(rotation, rotation), mode, values)
        np.testing.assert_array_equal(values, copy)
