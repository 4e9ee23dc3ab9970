"""Posterior samples against posteriors that are known in closed form."""

import numpy as np
import pytest

from pads_blender.errors import CancelledError
from pads_blender.tasks.samples import BORDER_FRAMES, draw, enliven, posterior_spread

OWN = 0.1  # metres: standard deviation of the toy prior, independent normal about zero


def denoise(x: np.ndarray, sigma: np.ndarray, shift: int) -> np.ndarray:
    """Posterior mean of the toy prior."""
    return (OWN**2 / (OWN**2 + sigma**2))[..., None] * x


@pytest.mark.parametrize("sigma", [0.02, 0.1, np.inf])
def test_samples_have_mean_and_spread_of_the_posterior(sigma):
    noise = np.full((40, 22), sigma)
    measured = np.full((40, 22, 3), 0.05)
    known = np.isfinite(sigma)
    mean = OWN**2 / (OWN**2 + sigma**2) * measured if known else np.zeros_like(measured)
    deviation = OWN * sigma / np.hypot(OWN, sigma) if known else OWN
    start = np.minimum(2.0 * noise, 0.5)
    samples = np.array([draw(denoise, measured, noise, mean, start, np.random.default_rng(i)) for i in range(20)])
    assert np.abs(samples.mean() - mean[0, 0, 0]) < 0.05 * deviation
    # ten steps, and a start that is not endless: the spread comes out a little small, which a factor makes up for
    assert 0.75 < samples.std(axis=0).mean() / deviation < 1.1
    spread = posterior_spread(denoise, measured, noise, mean, 20, 0)
    assert 0.75 < spread.mean() / deviation < 1.1


def test_the_same_seed_gives_the_same_spread():
    given = denoise, np.zeros((30, 22, 3)), np.full((30, 22), 0.05), np.zeros((30, 22, 3)), 3
    assert np.array_equal(posterior_spread(*given, 1), posterior_spread(*given, 1))
    assert not np.array_equal(posterior_spread(*given, 1), posterior_spread(*given, 2))


def test_only_the_inside_of_long_hidden_stretches_comes_alive():
    hidden = np.zeros((200, 22), bool)
    hidden[60:140] = True
    mean = np.zeros((200, 22, 3))
    lively = np.abs(enliven(denoise, mean, hidden, 0)).max(axis=(1, 2))
    assert lively[90:110].min() > 0.05
    assert lively[: 60 + BORDER_FRAMES].max() < 1e-3
    assert lively[140 - BORDER_FRAMES :].max() < 1e-3


def test_a_hidden_limb_and_a_short_gap_keep_their_mean():
    mean, limb, short = np.zeros((200, 22, 3)), np.zeros((200, 22), bool), np.zeros((200, 22), bool)
    limb[40:160, :6] = True
    short[90:118] = True
    assert enliven(denoise, mean, limb, 0) is mean
    assert enliven(denoise, mean, short, 0) is mean


def test_joints_that_the_rig_does_not_have_are_no_hidden_pose():
    mean, legs_only, lost = np.zeros((200, 22, 3)), np.zeros((200, 22), bool), np.zeros((200, 22), bool)
    legs_only[:, 9:] = True  # more than half of all joints, in every frame
    assert enliven(denoise, mean, legs_only, 0) is mean
    lost[60:140] = True
    lively = np.abs(enliven(denoise, mean, legs_only | lost, 0)).max(axis=(1, 2))
    assert lively[90:110].min() > 0.05
    assert lively[:60].max() < 1e-3


def test_each_sample_is_told_and_may_be_the_last():
    told = []

    def tell() -> None:
        told.append(len(told))
        if len(told) == 2:
            raise CancelledError("Stopped.")

    still = np.zeros((30, 22, 3))
    posterior_spread(denoise, still, np.full((30, 22), 0.05), still, 1 + 1, 0, lambda: told.append(0))
    assert len(told) == 2
    told.clear()
    with pytest.raises(CancelledError):
        posterior_spread(denoise, still, np.full((30, 22), 0.05), still, 5, 0, tell)
    assert len(told) == 2
