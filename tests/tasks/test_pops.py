"""Pops: joints that leap away and back, told from noise and quick motion; leaps at a take's ends."""

import numpy as np
import pytest

from pads_blender.core import rotations as rot
from pads_blender.tasks.pops import (
    SMALLEST_LEAP_METRES,
    find_end_leaps,
    find_pops,
    find_rotation_leaps,
    find_rotation_pops,
    keep_short,
    leap_scores,
)

from .test_noise import smooth_motion


def swinging(frames: int = 120, bones: int = 2) -> np.ndarray:
    t = np.arange(frames)[:, None, None] / 30.0
    return rot.from_rotation_vector(np.sin(2.0 * t + np.arange(bones)[:, None]) * np.array([0.8, 0.1, 0.2]))


def popped_motion() -> tuple[np.ndarray, np.ndarray]:
    """Positions (300, 4, 3) with pops of one, two and three frames, and where they are."""
    x = smooth_motion(300) + 0.005 * np.random.default_rng(0).standard_normal((300, 4, 3))
    popped = np.zeros(x.shape[:2], bool)
    for start, length, joint in ((50, 1, 0), (120, 2, 3), (200, 3, 1)):
        popped[start : start + length, joint] = True
    x[popped] += [0.2, -0.2, 0.1]
    return x, popped


def test_pops_of_one_to_three_frames_are_found_and_nothing_else():
    x, popped = popped_motion()
    found = find_pops(x, np.full(4, 0.005))
    beside = np.any([np.roll(popped, shift, axis=0) for shift in range(-2, 3)], axis=0)
    assert found[popped].all()
    assert not found[~beside].any()  # what lies within two frames may be suspect too: the prior clears it


def test_a_leap_is_sure_and_a_punch_is_not():
    rotation = np.tile(rot.IDENTITY, (60, 2, 1))
    swing = np.radians(70.0) * np.sin(np.linspace(0.0, np.pi, 9)) ** 2
    rotation[20:29, 0] = rot.from_rotation_vector(swing[:, None] * np.array([1.0, 0.0, 0.0]))
    rotation[[20, 22], 1] = rot.from_rotation_vector(np.array([0.6, 0.0, 0.0]))
    rng = np.random.default_rng(0)
    shaken = rot.multiply(rotation, rot.from_rotation_vector(np.radians(1.0) * rng.standard_normal((60, 2, 3))))
    assert np.flatnonzero(find_rotation_leaps(shaken, 30.0)[:, 1]).tolist() == [20, 22]
    assert not find_rotation_leaps(shaken, 30.0)[:, 0].any()


@pytest.mark.parametrize("row", [1, 58])
def test_a_leap_beside_the_end_of_a_take_is_sure(row):
    rotation = np.tile(rot.IDENTITY, (60, 1, 1))
    rotation[row] = rot.from_rotation_vector(np.array([0.7, 0.0, 0.0]))
    assert np.flatnonzero(find_rotation_leaps(rotation, 30.0)).tolist() == [row]


def test_leaps_are_bridged_by_a_cubic_exactly_where_they_are():
    x, popped = popped_motion()
    assert np.array_equal(leap_scores(x, np.full(4, 0.005), SMALLEST_LEAP_METRES) > 1.0, popped)


def test_a_quick_swing_is_no_leap_where_the_median_takes_it_for_one():
    t = np.arange(100.0)
    x = np.zeros((100, 1, 3))
    x[:, 0, 0] = 0.6 * np.exp(-(((t - 50.0) / 3.0) ** 2))  # out and back within a third of a second
    sigma = np.array([0.001])
    assert find_pops(x, sigma).any()
    assert leap_scores(x, sigma, SMALLEST_LEAP_METRES).max() < 1.0


def test_quick_steady_motion_is_not_a_pop():
    x = 8.0 * smooth_motion(300)
    assert not find_pops(x, np.full(4, 0.001)).any()


def test_a_popped_rotation_is_found_in_heavy_jitter():
    rng = np.random.default_rng(0)
    q = rot.multiply(swinging(200), rot.from_rotation_vector(np.radians(3.0) * rng.standard_normal((200, 2, 3))))
    q[90:92, 1] = rot.multiply(q[90:92, 1], rot.from_rotation_vector(np.radians([0.0, 35.0, 0.0])))
    found = find_rotation_pops(q)
    assert found[90:92, 1].all() and found.sum() <= 4


def test_only_short_stretches_inside_a_take_can_be_pops():
    suspect = np.zeros((40, 1), bool)
    suspect[[0, 1, 10, 20, 21, 22, 30, 31, 32, 33, 39]] = True
    assert np.flatnonzero(keep_short(suspect, 30.0)).tolist() == [10, 20, 21, 22]
    assert np.flatnonzero(keep_short(suspect, 60.0)).tolist() == [10, 20, 21, 22, 30, 31, 32, 33]


def test_a_leap_at_an_end_is_told_from_steady_motion():
    x, sigma = smooth_motion(300, 5), np.full(5, 0.001)
    assert not find_end_leaps(x, sigma).any()
    x[:2, 1] += 0.8
    x[-1, 2:4] -= 0.8  # two of five: the whole pose
    assert np.argwhere(find_end_leaps(x, sigma)).tolist() == [[0, 1], [1, 1], *([299, i] for i in range(5))]
