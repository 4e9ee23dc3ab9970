"""Smoothing along time: less error than the noise, gaps bridged, straight paths untouched."""

import numpy as np

from pads_blender.tasks import temporal

from .test_noise import smooth_motion


def test_smoothing_removes_most_of_the_noise():
    x, rng = smooth_motion(300), np.random.default_rng(0)
    noisy = x + 0.02 * rng.standard_normal(x.shape)
    result = temporal.smooth(noisy, np.ones(x.shape[:2]), np.full(4, 0.02))
    assert np.abs(result - x).mean() < 0.4 * np.abs(noisy - x).mean()


def test_a_straight_path_is_kept():
    x = np.linspace(0, 3, 50)[:, None, None] * np.ones((1, 2, 3))
    result = temporal.smooth(x, np.ones(x.shape[:2]), np.full(2, 0.001))
    np.testing.assert_allclose(result, x, atol=1e-6)


def test_a_gap_is_bridged():
    x = smooth_motion(200)
    visible = np.ones(x.shape[:2], bool)
    visible[80:86] = False
    result = temporal.smooth(np.where(visible[..., None], x, 0.0), visible.astype(float), np.full(4, 0.001))
    assert np.abs(result - x).max() < 0.02


def test_one_and_two_frames_pass():
    for frames in (1, 2):
        x = smooth_motion()[:frames]
        result = temporal.smooth(x, np.ones(x.shape[:2]), np.full(4, 0.01))
        np.testing.assert_allclose(result, x, atol=1e-3)
