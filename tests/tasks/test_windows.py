"""Windows: what a prior leaves alone comes back unchanged, whatever the take's length, rate and shift of the grid."""

import numpy as np
import pytest

from pads_blender.core.motion import Motion
from pads_blender.core.skeleton import MODEL
from pads_blender.diffusion.window import FRAMES
from pads_blender.tasks.evidence import SamplerSettings, find_outlying, gather_evidence
from pads_blender.tasks.windows import denoise_windows, frames_per_step, reconstruct, thin_out

from ..core.bodies import build_take, random_motion


class Unmoved:
    """A prior that believes every measurement."""

    def denoise(self, x, sigma):
        assert x.shape[1] == FRAMES and sigma.shape == x.shape[:3]
        return x


class Pulled:
    """A prior that knows one thing: the first joint is at the origin."""

    def denoise(self, x, sigma):
        pulled = x.copy()
        pulled[:, :, 0] = 0.0
        return pulled


def positions(frames: int) -> np.ndarray:
    from pads_blender.core.retarget import to_model

    return to_model(*build_take(*random_motion(frames)))[0].positions


@pytest.mark.parametrize("frames", [1, 2, 31, 32, 33, 63, 64, 65, 200])
@pytest.mark.parametrize("first", [0, 7, 31])
def test_windows_put_together_are_the_take(frames, first):
    x = positions(frames)
    result = denoise_windows(Unmoved(), x, np.full(x.shape[:2], 0.01), first)
    np.testing.assert_allclose(result, x, atol=1e-12)


def test_beyond_the_ends_nothing_is_measured():
    seen = []

    class Watch(Unmoved):
        def denoise(self, x, sigma):
            seen.append(sigma.copy())
            return x

    x = positions(10)
    denoise_windows(Watch(), x, np.full(x.shape[:2], 0.01))
    finite = np.isfinite(np.concatenate(seen))
    assert finite.any() and (~finite).any()
    assert finite.all(axis=-1).sum(axis=1).max() == 10


@pytest.mark.parametrize(("fps", "step"), [(24, 1), (25, 1), (30, 1), (60, 2), (100, 3), (120, 4), (240, 8), (12, 1)])
def test_the_rate_nearest_to_thirty_is_taken(fps, step):
    assert frames_per_step(fps) == step


def test_thinning_weighs_by_precision_and_keeps_what_is_left():
    x = np.arange(10.0)[:, None, None] * np.ones((1, 2, 3))
    precision = np.ones((10, 2))
    precision[0, 1] = 0.0
    mean, total, middle = thin_out(x, precision, 4)
    np.testing.assert_allclose(mean[:, :, 0], [[1.5, 2.0], [5.5, 5.5], [8.5, 8.5]])
    np.testing.assert_allclose(total, [[4, 3], [4, 4], [2, 2]])
    np.testing.assert_allclose(middle, [1.5, 5.5, 8.5])


@pytest.mark.parametrize("fps", [30.0, 120.0])
def test_a_believing_prior_changes_nothing_and_a_correction_arrives_at_every_rate(fps):
    x = positions(240)
    evidence = gather_evidence(Motion(x, np.ones(x.shape[:2], bool), fps))
    kept = reconstruct(evidence, SamplerSettings(), Unmoved(), None).positions
    assert np.abs(kept - x).max() < 0.002  # at 120 frames a second, the smoothing of a clean take
    pulled = reconstruct(evidence, SamplerSettings(), Pulled(), None).positions
    assert np.abs(pulled[:, 0]).max() < 0.02 < 0.5 < np.abs(x[:, 0]).max()
    np.testing.assert_allclose(pulled[:, 1:], kept[:, 1:], atol=1e-9)


def test_what_is_hidden_is_asked_both_ways():
    """A prior that errs to the left by 0.2 m wherever something is hidden: the mirror's answer errs to the right."""

    class LeansLeft(Unmoved):
        def denoise(self, x, sigma):
            lost = (~np.isfinite(sigma) & np.isfinite(sigma[..., :1])).any(axis=(1, 2))
            return x + np.where(lost[:, None, None, None], [0.2, 0.0, 0.0], 0.0)

    x = positions(200)
    sigma = np.full(x.shape[:2], 0.01)
    sigma[90:110, MODEL.indices("left_knee", "left_ankle")] = np.inf
    once = denoise_windows(LeansLeft(), x, sigma)
    twice = denoise_windows(LeansLeft(), x, sigma, both_ways=True)
    assert np.abs(once - x)[90:110].max() == pytest.approx(0.2)
    np.testing.assert_allclose(twice, x, atol=1e-9)


def test_a_quick_smooth_path_is_no_outlier_and_a_leap_is_one():
    seconds = np.arange(60) / 30.0
    expected = np.zeros((60, 1, 3))
    thrown = 0.6 * np.exp(-(((seconds - 1.0) / 0.15) ** 2))[:, None, None] * np.array([0.0, 1.0, 0.0])
    expected[:] = thrown
    expected[30:32] *= 0.4  # what a prior that knows no such throw says of two frames
    leapt = thrown.copy()
    leapt[10] += 0.3
    tolerance = np.full((60, 1), 0.2)
    assert (np.linalg.norm(thrown - expected, axis=-1) > tolerance).any()
    assert not find_outlying(thrown, expected, tolerance).any()
    np.testing.assert_array_equal(np.flatnonzero(find_outlying(leapt, expected, tolerance)), [10])


def test_steps_count_looks_and_samples_up_to_all():
    x, told = positions(40), []
    evidence = gather_evidence(Motion(x, np.ones(x.shape[:2], bool), 30.0))
    reconstruct(evidence, SamplerSettings(samples=3), Unmoved(), lambda *step: told.append(step))
    shares = [step / count for step, count in told]
    assert shares == sorted(shares)
    assert {i / 6 for i in range(1, 7)} <= set(shares)  # two looks, what is hidden for long, three samples
