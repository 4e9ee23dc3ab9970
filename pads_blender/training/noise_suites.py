"""Suites of noise on positions: the model's joints through clean_motion, against filters."""

from __future__ import annotations

import numpy as np

from ..core import metrics
from ..core.motion import Motion
from ..core.skeleton import MODEL
from ..diffusion.prior import Prior, load_prior
from ..tasks.clean import CleanSettings, clean_motion
from . import baselines, corruption, data
from .bench import Setup, Suite
from .mixture_prior import COMPONENTS, mixture_prior
from .scores import OURS, RAW, Score

FILTER, HAMPEL = "best filter of each segment", "Hampel + Butterworth"
ONCE, TRUTH = "one filter for all", "the truth"
POSE, MIXTURE = "pose prior", "mixture of Gaussians"
# noise in metres and frames of a segment: the forms of DPoser (60 frames) and NRMF (90)
GAUSS_CASES = ((0.02, 60), (0.04, 60), (0.1, 60), (0.04, 90))
PRIOR_METRES, PRIOR_SEGMENTS = (0.02, 0.04, 0.1), 48


# --- gauss: noise on the positions of the model's joints --------------------------------------------------------------


def gauss(setup: Setup) -> list[Score]:
    """Noise on the positions of the model's joints."""
    scores = []
    for sigma, frames in GAUSS_CASES:
        once = baselines.best_on_average(_noisy_sweep(s, sigma, 0) for s in setup.tuning.segments(frames))
        segments, case = setup.segments(frames), f"{1000 * sigma:g} mm, {frames} frames"
        scores += [_gauss_score(setup, s, sigma, seed, once, case) for seed in range(setup.seeds) for s in segments]
    return scores


def _noisy(segment: data.Clip, sigma: float, seed: int) -> np.ndarray:
    rng = corruption.generator(segment.name, seed)
    return corruption.position_noise(segment.positions.astype(float), sigma, rng)


def _noisy_sweep(segment: data.Clip, sigma: float, seed: int) -> dict[str, float]:
    noisy = _noisy(segment, sigma, seed)
    return baselines.sweep_all(noisy, data.FPS, lambda smooth: _error(smooth, segment))


def _error(positions: np.ndarray, segment: data.Clip) -> float:
    return metrics.mpjpe(positions[:, segment.visible], segment.positions[:, segment.visible].astype(float))


def _gauss_score(setup: Setup, segment: data.Clip, sigma: float, seed: int, once: str, case: str) -> Score:
    noisy, sweep = _noisy(segment, sigma, seed), _noisy_sweep(segment, sigma, seed)
    motion = Motion(noisy, np.tile(segment.visible, (len(noisy), 1)), data.FPS)
    ours = clean_motion(motion, CleanSettings(seed=seed), setup.loaded_prior).positions
    error, chosen = baselines.best(sweep)
    values = {RAW: sweep["none"], OURS: _error(ours, segment), FILTER: error, ONCE: sweep[once]}
    results = {RAW: noisy, OURS: ours, FILTER: baselines.apply(chosen, noisy, data.FPS)}
    measures = motion_measures(results, segment.positions.astype(float))
    return Score(case, segment.name, seed, values, {FILTER: chosen, ONCE: once}, measures)


def priors(setup: Setup) -> list[Score]:
    """The same noise, one seed of it, through priors of single poses: ours, and a mixture of Gaussians."""
    others = {POSE: load_prior("pose", setup.models), MIXTURE: mixture_prior(setup.data)}
    return [
        _prior_score(setup, segment, sigma, others)
        for sigma in PRIOR_METRES
        for segment in setup.segments(60, PRIOR_SEGMENTS)
    ]


def _prior_score(setup: Setup, segment: data.Clip, sigma: float, others: dict[str, Prior]) -> Score:
    noisy, truth = _noisy(segment, sigma, 0), segment.positions.astype(float)
    motion = Motion(noisy, np.tile(segment.visible, (len(noisy), 1)), data.FPS)
    every = {OURS: setup.loaded_prior} | others
    results = {name: clean_motion(motion, CleanSettings(), prior).positions for name, prior in every.items()}
    values = {RAW: _error(noisy, segment)} | {name: _error(x, segment) for name, x in results.items()}
    return Score(f"{1000 * sigma:g} mm", segment.name, 0, values, {}, motion_measures(results, truth))


def motion_measures(results: dict[str, np.ndarray], truth: np.ndarray) -> dict[str, dict[str, float]]:
    """What MPJPE does not say of positions (F, J, 3) on the model's skeleton: smoothness and bone lengths."""
    every = results | {TRUTH: truth}
    return {
        "acceleration error, mm/frame^2": {m: metrics.acceleration_error(x, truth) for m, x in every.items()},
        "jerk, m/s^3": {m: metrics.jitter(x, data.FPS) for m, x in every.items()},
        "bone-length drift, mm": {m: metrics.bone_length_drift(x, MODEL.parents) for m, x in every.items()},
    }


SUITES = (
    Suite(
        "gauss",
        "Independent Gaussian noise on every coordinate of the model's joints, through clean_motion, on segments of 60 "
        "and 90 frames; MPJPE of world positions. Filters: zero-phase Butterworth of order 2 and 4, Gaussian, "
        "Savitzky-Golay, Kalman RTS smoothers of constant velocity and acceleration, the causal One-Euro, Hampel with "
        f"Butterworth, {baselines.settings_count(data.FPS, 60)} settings on the same numbers, the best for each "
        "segment chosen with the truth; one filter for all: chosen on validation segments. The measures are those of "
        "the filter with the smallest MPJPE.",
        "mm",
        FILTER,
        gauss,
        {"20 mm, 60 frames": 0.72, "40 mm, 60 frames": 0.68, "100 mm, 60 frames": 0.66},
    ),
    Suite(
        "priors",
        f"The noise of gauss, one seed, on {PRIOR_SEGMENTS} segments of 60 frames, evenly spread, through clean_motion "
        "with other priors: the pose prior, and a mixture of Gaussians fitted to the captured training poses "
        f"({COMPONENTS} components, heading taken off), both under the sampler for pose priors; MPJPE of world "
        "positions.",
        "mm",
        MIXTURE,
        priors,
    ),
)
