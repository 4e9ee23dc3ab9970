"""Frozen bones: found when a moving bone is held and leaps, not when a performer stands still."""

import numpy as np

from pads_blender.core import rotations as rot
from pads_blender.tasks.problems import find_end_leaps, find_frozen, find_pops, find_rotation_pops, keep_short


def swinging(frames: int = 120, bones: int = 2) -> np.ndarray:
    t = np.arange(frames)[:, None, None] / 30.0
    return rot.from_rotation_vector(np.sin(2.0 * t + np.arange(bones)[:, None]) * np.array([0.8, 0.1, 0.2]))


def test_a_held_bone_is_found_in_just_its_frames():
    q = swinging()
    q[40:75, 1] = q[40, 1]
    frozen = find_frozen(q)
    assert np.flatnonzero(frozen[:, 1]).tolist() == list(range(41, 75))
    assert not frozen[:, 0].any()


def test_a_bone_that_comes_to_rest_and_starts_again_is_not_frozen():
    angle = np.concatenate(
        [0.5 * (1 - np.cos(np.linspace(0, np.pi, 40))), np.ones(40), 1 + 0.5 * (1 - np.cos(np.linspace(0, np.pi, 40)))]
    )
    q = rot.from_rotation_vector(angle[:, None, None] * np.array([1.0, 0.0, 0.0]))
    assert not find_frozen(q).any()


def test_a_bone_that_never_moves_is_not_frozen():
    q = swinging()
    q[:, 1] = q[0, 1]
    assert not find_frozen(q).any()


def test_a_bone_that_is_driven_in_jerks_is_not_frozen():
    q = swinging(200)
    q[:, 1] = q[np.arange(200) // 20 * 20, 1]  # as some suits drive the feet
    assert not find_frozen(q).any()


def test_a_short_hold_is_left_to_the_smoothing():
    q = swinging()
    q[40:44, 1] = q[40, 1]
    assert not find_frozen(q).any()


def test_a_bone_cut_off_in_motion_is_found_without_a_leap():
    q = swinging()
    held = np.concatenate([q[:40, 1], np.repeat(q[40:41, 1], 20, axis=0), q[40:100, 1]])
    frozen = find_frozen(np.stack([q[:, 0], held], axis=1))
    assert np.flatnonzero(frozen[:, 1]).tolist() == list(range(41, 61))


def test_pops_of_one_to_three_frames_are_found_and_nothing_else():
    from .test_noise import smooth_motion

    x = smooth_motion(300) + 0.005 * np.random.default_rng(0).standard_normal((300, 4, 3))
    popped = np.zeros(x.shape[:2], bool)
    for start, length, joint in ((50, 1, 0), (120, 2, 3), (200, 3, 1)):
        popped[start : start + length, joint] = True
    x[popped] += [0.2, -0.2, 0.1]
    found = find_pops(x, np.full(4, 0.005))
    beside = popped | np.roll(popped, 1, axis=0) | np.roll(popped, -1, axis=0)
    assert found[popped].all()
    assert not found[~beside].any()  # a neighbour of three bad frames may be suspect too: the prior clears it


def test_quick_steady_motion_is_not_a_pop():
    from .test_noise import smooth_motion

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
    from .test_noise import smooth_motion

    x, sigma = smooth_motion(300, 5), np.full(5, 0.001)
    assert not find_end_leaps(x, sigma).any()
    x[:2, 1] += 0.8
    x[-1, 2:4] -= 0.8  # two of five: the whole pose
    assert np.argwhere(find_end_leaps(x, sigma)).tolist() == [[0, 1], [1, 1], *([299, i] for i in range(5))]
