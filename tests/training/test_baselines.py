"""The filters do what they say, and the oracle is the strongest of them: nothing may be left on the table."""

import numpy as np
import pytest

pytest.importorskip("scipy")

from pads_blender.core.interpolate import interpolate_hidden
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


def test_savitzky_golay_keeps_a_parabola_and_halves_noise():
    parabola = SECONDS**2
    assert np.abs(baselines.savitzky_golay(parabola, 11, 2) - parabola).max() < 1e-9
    noise = np.random.default_rng(0).standard_normal(20000)
    kept = baselines.savitzky_golay(noise, 11, 2).std()
    assert kept == pytest.approx(np.sqrt(0.2075), rel=0.02)  # the middle weight of the window of 11, Savitzky 1964


@pytest.mark.parametrize(("model", "states"), [("velocity", 2), ("acceleration", 3)])
def test_the_kalman_smoother_is_that_of_rauch_tung_and_striebel(model, states):
    """Against both passes written out: transition by unit steps, only the last state is driven."""
    values, ratio = np.random.default_rng(0).standard_normal(30).cumsum(), 4.0
    step = np.eye(states) + np.eye(states, k=1)
    drive = np.diag([0.0] * (states - 1) + [1.0 / ratio])
    mean, covariance, passed = np.zeros(states), 1e7 * np.eye(states), []
    for value in values:
        ahead, ahead_covariance = step @ mean, step @ covariance @ step.T + drive
        gain = ahead_covariance[:, 0] / (ahead_covariance[0, 0] + 1.0)
        mean = ahead + gain * (value - ahead[0])
        covariance = ahead_covariance - np.outer(gain, ahead_covariance[0])
        passed.append((ahead, ahead_covariance, mean, covariance))
    smoothed = [passed[-1][2]]
    for (_, _, mean, covariance), (ahead, ahead_covariance, _, _) in zip(passed[-2::-1], passed[:0:-1], strict=True):
        back = covariance @ step.T @ np.linalg.inv(ahead_covariance)
        smoothed.append(mean + back @ (smoothed[-1] - ahead))
    expected = np.array(smoothed)[::-1, 0]
    assert np.abs(baselines.kalman_smoother(values, ratio, model) - expected).max() < 1e-3


def test_one_euro_is_causal_and_opens_with_speed():
    step = np.concatenate([np.zeros(30), np.ones(30)])
    slow, quick = (baselines.one_euro(step, FPS, 1.0, beta) for beta in (0.0, 5.0))
    assert not slow[:30].any() and not quick[:30].any()
    assert np.all(np.diff(slow[30:]) > 0) and quick[31] > slow[31]
    # at a fixed cutoff it is a first-order low pass, which answers a step as 1 - (1 - alpha)^n
    alpha = 1.0 / (1.0 + FPS / (2 * np.pi * 1.0))
    assert slow[30:] == pytest.approx(1 - (1 - alpha) ** np.arange(1, 31))


def test_low_rank_recovers_what_moves_together():
    """Nine joints that follow two motions: what is missing of one is told by the others, and not by interpolation."""
    rng = np.random.default_rng(0)
    motions = np.stack([np.sin(2 * np.pi * hertz * SECONDS) for hertz in (0.5, 1.3)], axis=1)
    truth = (motions @ rng.standard_normal((2, 27))).reshape(-1, 9, 3)
    known = rng.random(truth.shape[:2]) > 0.1
    known[100:140, 4] = False
    filled = baselines.low_rank(np.where(known[..., None], truth, 99.0), known, 2, rounds=200)
    linear = interpolate_hidden(np.where(known[..., None], truth, 99.0), known)
    assert np.array_equal(filled[known], truth[known])
    assert rms(filled, truth) < 0.05 * rms(linear, truth)


def sweep_error(truth: np.ndarray):
    return lambda values: rms(values, truth)


def test_the_sweep_tries_every_setting_and_names_it():
    truth, noisy = noisy_swing()
    errors = baselines.sweep_all(noisy, FPS, sweep_error(truth))
    assert len(errors) == baselines.settings_count(FPS, len(noisy)) > 600
    least, name = baselines.best(errors)
    assert least < 0.5 * rms(noisy, truth)
    for setting in (name, "none", "butterworth 2.64 Hz order 4", "hampel 3 frames 3 sigmas, none", *list(errors)[::50]):
        if setting in errors:
            assert rms(baselines.apply(setting, noisy, FPS), truth) == pytest.approx(errors[setting], rel=1e-9)
    for kind in ("butterworth", "gaussian", "savitzky-golay", "kalman velocity", "kalman acceleration", "one-euro"):
        assert any(setting.startswith(kind) for setting in errors)


def test_settings_as_matrices_are_the_filters_themselves():
    _, noisy = noisy_swing()
    family = baselines.filter_family(FPS, len(noisy))
    hertz = baselines.BUTTERWORTH_HERTZ[10]
    by_matrix = family[f"butterworth {hertz:.3g} Hz order 4"](noisy)
    assert by_matrix == pytest.approx(baselines.butterworth(noisy, hertz, FPS, 4), abs=1e-9)
    assert family["savitzky-golay 11 frames order 3"](noisy) == pytest.approx(
        baselines.savitzky_golay(noisy, 11, 3), abs=1e-9
    )


def test_the_oracle_leaves_a_take_alone_that_is_fine():
    truth, _ = noisy_swing()
    assert baselines.best(baselines.sweep_all(truth, FPS, sweep_error(truth)))[0] == 0.0


@pytest.mark.parametrize("sigma", [0.01, 0.05, 0.2])
def test_a_denser_grid_would_not_help_the_oracle(sigma):
    truth, noisy = noisy_swing(sigma)
    errors = baselines.sweep(noisy, baselines.filter_family(FPS, len(noisy)), sweep_error(truth))
    tried = {
        "butterworth": [
            baselines.butterworth(noisy, hertz, FPS, order)
            for hertz in np.geomspace(0.5, 14.0, 200)
            for order in baselines.BUTTERWORTH_ORDERS
        ],
        "gaussian": [baselines.gaussian(noisy, width) for width in np.geomspace(0.3, 8.0, 200)],
        "kalman": [
            baselines.kalman_smoother(noisy, ratio, model)
            for model, ratios in baselines.KALMAN_RATIOS.items()
            for ratio in np.geomspace(ratios[0], ratios[-1], 120)
        ],
    }
    for kind, results in tried.items():
        least = min(error for name, error in errors.items() if name.startswith(kind))
        assert least < 1.01 * min(rms(result, truth) for result in results), kind


def test_a_sparse_sweep_loses_little():
    truth, noisy = noisy_swing()
    family = baselines.filter_family(FPS, len(noisy))
    full = baselines.sweep(noisy, family, sweep_error(truth))
    sparse = baselines.sweep_sparsely(noisy, family, sweep_error(truth), "")
    assert len(sparse) < 0.6 * len(full)
    assert baselines.best(sparse)[0] < 1.01 * baselines.best(full)[0]


def test_one_setting_for_all_is_chosen_by_the_mean():
    sweeps = [{"a": 1.0, "b": 4.0, "c": 3.0}, {"a": 6.0, "b": 1.0, "c": 3.0}]
    assert baselines.best_on_average(sweeps) == "b"  # means 3.5, 2.5, 3
    assert baselines.best(sweeps[0]) == (1.0, "a")
