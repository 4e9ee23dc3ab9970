"""Suites of damaged and hidden joints: positions through clean_motion, against Hampel and the classical fills."""

from __future__ import annotations

import numpy as np

from ..core import metrics
from ..core.interpolate import fill_hidden, interpolate_hidden
from ..core.motion import Motion
from ..core.skeleton import MODEL
from ..tasks.clean import CleanSettings, clean_motion
from . import baselines, corruption, data
from .bench import Setup, Suite
from .mixture_prior import mixture_prior
from .noise_suites import HAMPEL, MIXTURE, ONCE, motion_measures
from .scores import OURS, RAW, Score

OUTLIER_FRAMES, OUTLIER_SEGMENTS = 90, 72
OUTLIER_NOISE_METRES, OUTLIER_SHARE, OUTLIER_REACH_METRES, MISSING_SHARE = 0.01, 0.1, 0.5, 0.1
LOW_RANK_TESTS = ((3, 3.0), (5, 3.0))  # Hampel's frames and deviations before the completion
OUTLIER_CASE = f"{100 * MISSING_SHARE:g} % missing, {100 * OUTLIER_SHARE:g} % outliers"
LOW_RANK = "low rank + Butterworth"
HIDDEN_FRAMES, HIDDEN_SEGMENTS = 90, 48
_LEGS = [f"{side}_{joint}" for side in ("left", "right") for joint in ("knee", "ankle", "toe")]
# joints that are never seen, and the noise of the others in metres
HIDDEN_CASES = {
    "both legs": (_LEGS, 0.0),
    "both legs, 20 mm of noise": (_LEGS, 0.02),
    "left arm": (["left_elbow", "left_wrist"], 0.0),
}
FILL, REST = "best fill of each segment", "rest pose"
POSTURE, REGRESSION = "mean offset", "linear regression"


# --- outliers: joints missing or far off, here and there --------------------------------------------------------------


def outliers(setup: Setup) -> list[Score]:
    """Missing and shifted joint-frames on top of noise."""
    segments, scores = setup.segments(OUTLIER_FRAMES, OUTLIER_SEGMENTS), []
    tuning = setup.tuning.segments(OUTLIER_FRAMES)
    once = baselines.best_on_average(_hampel_sweep(broken(s, 0), _truth(s)) for s in tuning)
    for seed in range(setup.seeds):
        scores += [_outlier_score(setup, s, seed, once) for s in segments]
    return scores


def broken(segment: data.Clip, seed: int) -> Motion:
    """The segment with noise, a share of its joint-frames shifted and another share not seen."""
    rng = corruption.generator(segment.name, seed)
    noisy = corruption.position_noise(_truth(segment), OUTLIER_NOISE_METRES, rng)
    shifted, _ = corruption.position_outliers(noisy, OUTLIER_SHARE, OUTLIER_REACH_METRES, rng)
    return Motion(shifted, rng.random(shifted.shape[:2]) >= MISSING_SHARE, data.FPS)


def _truth(segment: data.Clip) -> np.ndarray:
    return segment.positions.astype(float)


def _hampel_sweep(motion: Motion, truth: np.ndarray) -> dict[str, float]:
    filled = interpolate_hidden(motion.positions, motion.visible)
    return baselines.sweep_hampel(filled, motion.fps, lambda smooth: metrics.mpjpe(smooth, truth))


def _outlier_score(setup: Setup, segment: data.Clip, seed: int, once: str) -> Score:
    motion, truth = broken(segment, seed), _truth(segment)
    ours = clean_motion(motion, CleanSettings(seed=seed), setup.loaded_prior).positions
    filled = interpolate_hidden(motion.positions, motion.visible)
    sweep = _hampel_sweep(motion, truth)
    error, chosen = baselines.best(sweep)
    low_rank, rank = baselines.best(_low_rank_sweep(motion, truth))
    values = {RAW: metrics.mpjpe(filled, truth), OURS: metrics.mpjpe(ours, truth), HAMPEL: error}
    values |= {LOW_RANK: low_rank, ONCE: sweep[once]}
    results = {RAW: filled, OURS: ours, HAMPEL: baselines.apply(chosen, filled, motion.fps)}
    settings = {HAMPEL: chosen, LOW_RANK: rank, ONCE: once}
    return Score(OUTLIER_CASE, segment.name, seed, values, settings, motion_measures(results, truth))


def _low_rank_sweep(motion: Motion, truth: np.ndarray) -> dict[str, float]:
    """What Hampel's test finds and what is missing filled by low-rank completion, then smoothed."""
    filled, errors = interpolate_hidden(motion.positions, motion.visible), {}
    family = baselines.butterworth_family(motion.fps, len(motion))
    for reach, sigmas in LOW_RANK_TESTS:
        found = (np.abs(baselines.hampel(filled, reach, sigmas) - filled) > 0).any(axis=2)
        for rank in baselines.RANKS:
            completed = baselines.low_rank(filled, motion.visible & ~found, rank)
            name = f"hampel {reach} frames {sigmas:g} sigmas, rank {rank}, "
            errors |= baselines.sweep(completed, family, lambda smooth: metrics.mpjpe(smooth, truth), name)
    return errors


# --- hidden: joints that are never seen -------------------------------------------------------------------------------


def hidden(setup: Setup) -> list[Score]:
    """Limbs hidden for a whole segment, with and without noise on the rest."""
    return [
        _hidden_score(setup, segment, case, seed)
        for case in HIDDEN_CASES
        for seed in range(setup.seeds)
        for segment in setup.segments(HIDDEN_FRAMES, HIDDEN_SEGMENTS)
    ]


def _hidden_score(setup: Setup, segment: data.Clip, case: str, seed: int) -> Score:
    names, noise = HIDDEN_CASES[case]
    truth, lost = _truth(segment), MODEL.indices(*names)
    measured = corruption.position_noise(truth, noise, corruption.generator(segment.name, seed))
    motion = Motion(measured, np.ones(truth.shape[:2], bool), data.FPS).hide(lost)
    ours = clean_motion(motion, CleanSettings(seed=seed), setup.loaded_prior).positions
    results = {OURS: ours} | _fills(setup, motion, _best_smoothed(motion, truth), noise)
    errors = {method: metrics.mpjpe(x, truth, ~motion.visible) for method, x in results.items()}
    best, chosen = baselines.best({method: errors[method] for method in (REST, POSTURE, REGRESSION)})
    measures = {
        "MPJPE of what is seen, mm": {m: metrics.mpjpe(x, truth, motion.visible) for m, x in results.items()},
        "MPJPE of all, mm": {m: metrics.mpjpe(x, truth) for m, x in results.items()},
    }
    return Score(case, segment.name, seed, errors | {FILL: best}, {FILL: chosen}, measures)


def _best_smoothed(motion: Motion, truth: np.ndarray) -> np.ndarray:
    """Positions (F, J, 3) through the filter that is best for what is seen."""
    seen = motion.visible[0]

    def error(smooth: np.ndarray) -> float:
        return metrics.mpjpe(smooth[:, seen], truth[:, seen])

    errors = baselines.sweep(motion.positions, baselines.filter_family(motion.fps, len(motion)), error)
    return baselines.apply(baselines.best(errors)[1], motion.positions, motion.fps)


def _fills(setup: Setup, motion: Motion, smooth: np.ndarray, noise: float) -> dict[str, np.ndarray]:
    """Positions (F, J, 3) by every fill, the visible ones smoothed."""
    lost = ~motion.visible[..., None]
    mixture, single = mixture_prior(setup.data), mixture_prior(setup.data, 1)
    mean = single.mean_pose(smooth)
    offset = mean - mean[:, MODEL.parents]
    fills = {
        REST: fill_hidden(smooth, motion.visible),
        POSTURE: _hung(smooth, motion.visible, offset),
        REGRESSION: single.fill(smooth, motion.visible, noise),
        MIXTURE: mixture.fill(smooth, motion.visible, noise),
    }
    return {method: np.where(lost, x, smooth) for method, x in fills.items()}


def _hung(positions: np.ndarray, visible: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Positions (F, J, 3) in which hidden joints hang on their parents by these offsets (F, J, 3)."""
    filled = positions.copy()
    for joint, parent in enumerate(MODEL.parents):
        if parent >= 0:
            hung = filled[:, parent] + offsets[:, joint]
            filled[:, joint] = np.where(visible[:, joint, None], filled[:, joint], hung)
    return filled


_OUTLIERS = (
    f"{100 * MISSING_SHARE:g} % of joint-frames missing and {100 * OUTLIER_SHARE:g} % moved by up to "
    f"{OUTLIER_REACH_METRES:g} m on every coordinate, on top of {1000 * OUTLIER_NOISE_METRES:g} mm of noise, through "
    f"clean_motion; {OUTLIER_SEGMENTS} segments of {OUTLIER_FRAMES} frames, evenly spread; MPJPE of world positions. "
    f"As measured: what is missing interpolated. {HAMPEL}: {len(baselines.HAMPELS)} settings of Hampel's test and on "
    "that a zero-phase Butterworth, the best for each segment chosen with the truth; low rank: what is missing or "
    "fails the test completed by principal motions before the Butterworth, chosen likewise."
)
_HIDDEN = (
    f"Knees, ankles and toes, or the left elbow and wrist, hidden for a whole segment of {HIDDEN_FRAMES} frames, "
    f"through clean_motion; {HIDDEN_SEGMENTS} segments, evenly spread; MPJPE of the hidden joints. Fills: the offset "
    "from the parent at rest; its mean over the training poses in the body's heading; linear regression of each "
    "training pose from what is seen (one Gaussian). Of these three the best for each segment, chosen with the truth; "
    "what is seen goes through its own best zero-phase filter first. Beside them the posterior mean of a mixture of "
    "Gaussians. Interpolation and PCA of the take's own frames cannot tell what the take never shows."
)
SUITES = (
    Suite("outliers", _OUTLIERS, "mm", HAMPEL, outliers, {OUTLIER_CASE: 0.5}),
    Suite("hidden", _HIDDEN, "mm", FILL, hidden),
)
