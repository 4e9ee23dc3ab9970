"""The filters do what they say, and the oracle is the strongest of them: nothing may be left on the table."""

import numpy as np
import pytest

pytest.importorskip("scipy")

from pads_blender.training import baselines

FPS = 30.0
SECONDS = np.arange(240) / FPS


def noisy_swing(sigma: float = 0.05, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    truth = np.stack([np.sin(2 * np.pi * hertz * SECONDS) for hertz in (0.3, 0.7, 1.1)], axis=-1)
    return truth, truth + sigma * np.random.default_rng(seed).standard_normal(truth.shape)


def rms(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sqrt(np.mean((a - b) ** 2)))


def test_butterworth_keeps_slow_and_removes_fast_without_delay():
    slow, fast = np.sin(2 * np.pi * 0.5 * SECONDS), np.sin(2 * np.pi * 12.0 * SECONDS)
    inside = slice(30, -30)
    assert rms(baselines.butterworth(slow, 4.0, FPS)[inside], slow[inside]) < 0.001  # a frame late would be 0.07
    assert np.abs(baselines.butterworth(fast, 4.0, FPS)[inside]).max() < 0.01


def test_butterworth_halves_the_power_at_the_cutoff_in_each_direction():
    tone = np.sin(2 * np.pi * 2.7 * np.arange(3000) / FPS)
    kept = baselines.butterworth(tone, 2.7, FPS)[500:-500].std() / tone[500:-500].std()
    assert kept == pytest.approx(0.5, abs=0.005)


def test_gaussian_has_its_width_in_frames():
    step = np.zeros(101)
    step[50] = 1.0
    smooth = baselines.gaussian(step, 4.0)
    spread = np.sqrt(np.sum(smooth * (np.arange(101) - 50) ** 2))
    assert smooth.sum() == pytest.approx(1.0)
    assert spread == pytest.approx(4.0, rel=0.01)


def test_hampel_removes_a_spike_and_keeps_a_ramp():
    ramp = np.arange(20.0)[:, None]
    spiked = ramp.copy()
    spiked[9] += 30.0
    assert np.array_equal(baselines.hampel(ramp), ramp)
    assert np.abs(baselines.hampel(spiked) - ramp).max() <= 1.0
    assert np.array_equal(np.delete(baselines.hampel(spiked), 9), np.delete(ramp, 9))


def test_the_oracle_takes_the_best_of_all_settings():
    truth, noisy = noisy_swing()
    tried = []

    def error(values: np.ndarray) -> float:
        tried.append(rms(values, truth))
        return tried[-1]

    best, name = baselines.oracle(noisy, FPS, error)
    family = baselines.filter_family(FPS)
    assert len(tried) == len(family)
    assert best == min(tried) == rms(family[name](noisy), truth)
    assert best < 0.5 * rms(noisy, truth)


def test_the_oracle_leaves_a_take_alone_that_is_fine():
    truth, _ = noisy_swing()
    assert baselines.oracle(truth, FPS, lambda values: rms(values, truth)) == (0.0, "none")


@pytest.mark.parametrize("sigma", [0.01, 0.05, 0.2])
def test_a_denser_grid_would_not_help_the_oracle(sigma):
    truth, noisy = noisy_swing(sigma)
    best, _ = baselines.oracle(noisy, FPS, lambda values: rms(values, truth))
    finer = [
        rms(baselines.butterworth(noisy, hertz, FPS, order), truth)
        for hertz in np.geomspace(0.5, 14.0, 400)
        for order in baselines.BUTTERWORTH_ORDERS
    ]
    finer += [rms(baselines.gaussian(noisy, width), truth) for width in np.geomspace(0.3, 8.0, 400)]
    assert best < 1.01 * min(finer)


def test_one_setting_for_all_is_chosen_by_the_mean():
    sweeps = [{"a": 1.0, "b": 4.0, "c": 3.0}, {"a": 6.0, "b": 1.0, "c": 3.0}]
    assert baselines.best_on_average(sweeps) == "b"  # means 3.5, 2.5, 3
    assert baselines.best(sweeps[0]) == (1.0, "a")
