"""How well problems are found, joint by joint and frame by frame, beside classic detectors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import precision_recall_curve, roc_auc_score

from ..core import rotations as rot
from ..core.retarget import to_model
from ..tasks.repair import joint_rotations_of
from ..tasks.running import running_median
from ..tasks.scoring import KINDS, THRESHOLDS, score_problems
from . import corruption, data
from .bench import Setup, Suite
from .detection_damage import CASES, Case, Damaged
from .scores import Score

VELOCITY, CONSTANT = "Hampel on velocity", "constant channels"
_CLASSIC = dict.fromkeys(KINDS, VELOCITY) | {"frozen": CONSTANT, "missing": CONSTANT}
_CONSTANT_FRAMES, _CONSTANT_RADIANS = 6, 1e-4
_RESAMPLES = 200


def classic_scores(damaged: Damaged, kind: str) -> np.ndarray:
    """Scores (F, J) of the classic detector of that kind on the same channels."""
    channels = damaged.motion.positions if damaged.rotation is None else 2.0 * rot.make_continuous(damaged.rotation)
    steps = np.linalg.norm(np.diff(channels, axis=0, prepend=channels[:1]), axis=-1)
    if _CLASSIC[kind] == CONSTANT:
        return _constant(steps)
    away = np.abs(steps - running_median(steps, 3))
    return away / (1.4826 * running_median(away, 3) + 1e-4)


def _constant(steps: np.ndarray) -> np.ndarray:
    """1 where a channel has not changed for some frames, (F, J) of its steps."""
    found = np.zeros(steps.shape)
    for lag in range(_CONSTANT_FRAMES):
        window = np.lib.stride_tricks.sliding_window_view(steps, _CONSTANT_FRAMES, axis=0).max(axis=-1)
        still = window < _CONSTANT_RADIANS
        found[lag : lag + len(still)][still] = 1.0
    return found


# --- the suite --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pool:
    """Labels (N,) and scores (N,) of ours and of the classic detector, and the number of the clip they are from."""

    broken: np.ndarray
    ours: np.ndarray
    classic: np.ndarray
    clip: np.ndarray

    def auroc(self, scores: np.ndarray, rows: np.ndarray | slice = slice(None)) -> float:
        """Area under the curve of hits over false alarms."""
        return float(roc_auc_score(self.broken[rows], scores[rows]))

    def interval(self) -> tuple[float, float]:
        """95 % of the area for clips drawn with replacement."""
        rng, clips = np.random.default_rng(0), np.unique(self.clip)
        rows = {clip: np.flatnonzero(self.clip == clip) for clip in clips}
        draws = (np.concatenate([rows[c] for c in rng.choice(clips, len(clips))]) for _ in range(_RESAMPLES))
        areas = [self.auroc(self.ours, draw) for draw in draws if 0 < self.broken[draw].sum() < len(draw)]
        return tuple(float(p) for p in np.percentile(areas, (2.5, 97.5)))


def pool(clips: Iterable[data.RigClip], case: Case, seed: int) -> Pool:
    """Every counted joint-frame of the clips under this damage."""
    parts = []
    for number, clip in enumerate(clips):
        damaged = case.damage(clip, corruption.generator(clip.name, seed))
        ours = np.maximum(score_problems(damaged.motion, damaged.rotation)[case.kind], -1e6)
        classic, counted = classic_scores(damaged, case.kind), damaged.counted
        parts.append((damaged.broken[counted], ours[counted], classic[counted], np.full(counted.sum(), number)))
    return Pool(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def best_threshold(broken: np.ndarray, scores: np.ndarray) -> float:
    """Where F1 is highest."""
    precision, recall, thresholds = precision_recall_curve(broken, scores)
    return float(thresholds[np.argmax((precision * recall / np.maximum(precision + recall, 1e-9))[:-1])])


def f1(broken: np.ndarray, scores: np.ndarray, threshold: float) -> float:
    """Harmonic mean of precision and recall."""
    found = scores >= threshold
    return float(2 * (found & broken).sum() / max(found.sum() + broken.sum(), 1))


def detection(setup: Setup) -> list[Score]:
    """Every kind of damage, then the false alarms in clips as they are."""
    clips = setup.rig_clips
    scores = [_case_score(case, clips, setup.tuning.rig_clips, seed) for seed in range(setup.seeds) for case in CASES]
    return [*scores, *(_false_alarms(clip) for clip in clips)]


def _case_score(case: Case, clips: list[data.RigClip], tuning: list[data.RigClip], seed: int) -> Score:
    chosen, found = pool(tuning, case, seed), pool(clips, case, seed)
    thresholds = {name: best_threshold(chosen.broken, getattr(chosen, name)) for name in ("ours", "classic")}
    low, high = found.interval()
    values = {
        "AUROC": found.auroc(found.ours),
        "from": low,
        "to": high,
        "F1": f1(found.broken, found.ours, thresholds["ours"]),
        "F1 as shipped": f1(found.broken, found.ours, THRESHOLDS[case.kind]),
        "classic AUROC": found.auroc(found.classic),
        "classic F1": f1(found.broken, found.classic, thresholds["classic"]),
    }
    settings = {"F1": f"{thresholds['ours']:.3g}", "classic F1": f"{_CLASSIC[case.kind]} {thresholds['classic']:.3g}"}
    return Score(case.name, "all", seed, values, settings)


def undamaged(clip: data.RigClip) -> Damaged:
    """The clip as it is."""
    motion, residual = to_model(clip.take, clip.mapping)
    mapped = np.tile(residual.bones >= 0, (len(motion), 1))
    return Damaged(motion, joint_rotations_of(clip.take, residual.bones), np.zeros_like(mapped), mapped)


def _false_alarms(clip: data.RigClip) -> Score:
    """Joint-frames in a thousand that count as broken in a clip as it is."""
    whole = undamaged(clip)
    scores = score_problems(whole.motion, whole.rotation)
    values = {k: 1000.0 * float((scores[k] > THRESHOLDS[k])[whole.counted].mean()) for k in KINDS}
    return Score("false alarms in clean clips, per 1,000 joint-frames", clip.name, 0, values, {})


SUITES = (
    Suite(
        "detection",
        "Problems found in damaged clips, joint-frames of all clips together. Area under the ROC curve with its 95 % "
        "interval (clips drawn with replacement), F1 at the threshold that is best on validation clips and at the one "
        "that is shipped; the classic detectors, Hampel's test on velocity and, for frozen and missing, unchanging "
        "channels, on the same channels. More is better, but for the false alarms in the last row, which are by kind.",
        "area, share; false alarms per 1,000 joint-frames",
        None,
        detection,
    ),
)
