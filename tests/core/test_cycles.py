"""Changes that keep a loop closed."""

import numpy as np

from pads_blender.core.cycles import close_ends

FRAMES = np.arange(1.0, 41.0)


def test_both_ends_meet_half_way_and_the_middle_stays():
    changes = np.random.default_rng(0).normal(size=(40, 3))
    closed = close_ends(changes, FRAMES, 5.0, 35.0, 6.0)
    np.testing.assert_allclose(closed[4], closed[34])
    np.testing.assert_allclose(closed[4], 0.5 * (changes[4] + changes[34]))
    np.testing.assert_array_equal(closed[11:28], changes[11:28])


def test_what_agrees_or_has_no_length_is_left_alone():
    changes = np.random.default_rng(0).normal(size=(40, 3))
    changes[-1] = changes[0]
    np.testing.assert_array_equal(close_ends(changes, FRAMES, 1.0, 40.0, 6.0), changes)
    np.testing.assert_array_equal(close_ends(changes, FRAMES, 7.0, 7.0, 6.0), changes)


def test_a_short_loop_fades_within_its_half():
    closed = close_ends(np.linspace(0.0, 1.0, 40)[:, None], FRAMES, 1.0, 5.0, 100.0)
    assert closed[0, 0] == closed[4, 0] and closed[2, 0] == np.linspace(0.0, 1.0, 40)[2]
