"""The noise estimate: right for white noise, blind to motion, pops and hidden frames."""

import numpy as np
import pytest

from pads_blender.core import rotations as rot
from pads_blender.tasks.noise import SMALLEST_SIGMA, estimate_noise


def smooth_motion(frames: int = 200, joints: int = 4) -> np.ndarray:
    t = np.linspace(0, 12, frames)[:, None, None]
    return np.sin(t + np.arange(joints)[:, None] + np.arange(3)) * 0.5


@pytest.mark.parametrize("sigma", [0.003, 0.02, 0.1])
def test_white_noise_is_measured_within_a_tenth(sigma):
    x = smooth_motion(3000)  # as many as it takes for the estimate's own spread to be well below a tenth
    noisy = x + sigma * np.random.default_rng(0).standard_normal(x.shape)
    np.testing.assert_allclose(estimate_noise(noisy, np.ones(x.shape[:2], bool)), sigma, rtol=0.1)


def test_clean_motion_has_next_to_no_noise():
    x = smooth_motion()
    assert estimate_noise(x, np.ones(x.shape[:2], bool)).max() < 0.001


def test_pops_do_not_pass_for_noise():
    x = smooth_motion(400) + 0.01 * np.random.default_rng(0).standard_normal((400, 4, 3))
    x[::37] += 0.5
    np.testing.assert_allclose(estimate_noise(x, np.ones(x.shape[:2], bool)), 0.01, rtol=0.3)


def test_hidden_frames_are_not_read():
    x = smooth_motion(400) + 0.01 * np.random.default_rng(0).standard_normal((400, 4, 3))
    visible = np.ones(x.shape[:2], bool)
    visible[50:200, 1], visible[:, 2] = False, False
    x[~visible] = np.nan
    sigma = estimate_noise(x, visible)
    np.testing.assert_allclose(sigma[[0, 1, 3]], 0.01, rtol=0.2)
    assert sigma[2] == pytest.approx(np.median(sigma[[0, 1, 3]]))


@pytest.mark.parametrize("frames", [0, 1, 3, 5])
def test_too_few_frames_count_as_clean(frames):
    x = smooth_motion()[:frames]
    assert np.array_equal(estimate_noise(x, np.ones(x.shape[:2], bool)), np.full(4, SMALLEST_SIGMA))


def test_the_noise_of_unit_quaternions_is_half_the_angles():
    rng = np.random.default_rng(0)
    q = rot.from_rotation_vector(0.04 * rng.standard_normal((3000, 2, 3)))
    np.testing.assert_allclose(estimate_noise(q, np.ones(q.shape[:2], bool)), 0.02, rtol=0.1)
