"""Suites of noise on positions: the model's joints through clean_motion, against filters."""

from __future__ import annotations

import numpy as np

from ..core import metrics
from ..core.motion import Motion
from ..tasks.clean import CleanSettings, clean_motion
from . import baselines, corruption, data
from .bench import OURS, RAW, Score, Setup, Suite

FILTER, ONCE = "best filter of each clip", "one filter for all"
NOISE_METRES = (0.02, 0.04, 0.1)


def gauss(setup: Setup) -> list[Score]:
    """Noise on the positions of the model's joints."""
    scores = []
    for sigma in NOISE_METRES:
        once = baselines.best_on_average(_noisy_sweep(clip, sigma, 0) for clip in setup.tuning.clips)
        scores += [_gauss_score(setup, clip, sigma, seed, once) for seed in range(setup.seeds) for clip in setup.clips]
    return scores


def _noisy(clip: data.Clip, sigma: float, seed: int) -> np.ndarray:
    rng = corruption.generator(clip.name, seed)
    return corruption.position_noise(clip.positions.astype(float), sigma, rng)


def _noisy_sweep(clip: data.Clip, sigma: float, seed: int) -> dict[str, float]:
    family = baselines.filter_family(data.FPS)
    return baselines.sweep(_noisy(clip, sigma, seed), family, lambda smooth: _clip_error(smooth, clip))


def _clip_error(positions: np.ndarray, clip: data.Clip) -> float:
    return metrics.mpjpe(positions[:, clip.visible], clip.positions[:, clip.visible].astype(float))


def _gauss_score(setup: Setup, clip: data.Clip, sigma: float, seed: int, once: str) -> Score:
    noisy, sweep = _noisy(clip, sigma, seed), _noisy_sweep(clip, sigma, seed)
    motion = Motion(noisy, np.tile(clip.visible, (len(noisy), 1)), data.FPS)
    ours = clean_motion(motion, CleanSettings(seed=seed), setup.loaded_prior).positions
    error, chosen = baselines.best(sweep)
    values = {RAW: sweep["none"], OURS: _clip_error(ours, clip), FILTER: error, ONCE: sweep[once]}
    return Score(f"{1000 * sigma:g} mm", clip.name, seed, values, {FILTER: chosen, ONCE: once})


_FILTERS = f"zero-phase Butterworth of order 2 and 4 and Gaussian, {len(baselines.filter_family(data.FPS))} settings"
SUITES = (
    Suite(
        "gauss",
        "Independent Gaussian noise on every coordinate of the model's joints, through clean_motion; MPJPE of "
        f"world positions. Filters: {_FILTERS} on the same numbers, the best for each clip chosen with the truth; "
        "one filter for all: chosen on validation clips.",
        "mm",
        FILTER,
        gauss,
    ),
)
