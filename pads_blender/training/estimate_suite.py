"""The suite of estimation: takes filmed by made-up cameras, estimated from 2D, against other ways with the same priors.

Positions of the 17 joints of Human3.6M about their root, on the model's body, whose size is known to all methods.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ..core import metrics
from ..core.keypoints import HUMAN36M_17
from ..diffusion.prior import load_prior
from ..tasks.estimate import EstimateSettings, Shot, estimate_motion
from . import estimate_rivals as rivals
from . import pose_metrics
from .bench import Setup, Suite
from .scores import OURS, Score
from .synthetic_cameras import EXACT, NOISY, Detector, draw_camera, film

SEGMENT_FRAMES, SEGMENTS = 128, 16
RIVAL_STRIDE = 8  # methods of single frames see every eighth frame, and are scored on those


@dataclass(frozen=True)
class Case:
    """What the detector does, and whether the pelvis's path is known."""

    name: str
    detector: Detector
    is_path_known: bool


CASES = (
    Case("noisy 2D, T unknown", NOISY, False),
    Case("noisy 2D, T known", NOISY, True),
    Case("exact 2D, T unknown", EXACT, False),
    Case("exact 2D, T known", EXACT, True),
)


def estimate(setup: Setup, cases: Sequence[Case] = CASES) -> list[Score]:
    """Every case on segments of takes."""
    segments = setup.segments(SEGMENT_FRAMES, SEGMENTS)
    return [
        _score(setup, case, segment.name, segment.positions.astype(float), seed, number)
        for case in cases
        for seed in range(setup.seeds)
        for number, segment in enumerate(segments)
    ]


def _score(setup: Setup, case: Case, name: str, truth: np.ndarray, seed: int, number: int) -> Score:
    shot = filmed(truth, case.detector, seed, number)
    rows = np.arange(0, len(truth), RIVAL_STRIDE)
    pose = load_prior("pose", setup.models)
    settings = EstimateSettings(seed=seed, pelvis=truth[:, 0] if case.is_path_known else None)
    frames = replace(settings, pelvis=None if settings.pelvis is None else settings.pelvis[rows])
    some, wanted = rows_of(shot, rows), truth[rows]
    ways = {
        OURS: lambda: estimate_motion([shot], 30.0, settings, setup.loaded_prior).positions,
        rivals.DPS: lambda: rivals.single_frames(some, frames, pose),
        rivals.PROX: lambda: rivals.single_frames(some, replace(frames, sampler="prox"), pose),
        rivals.CONSTANT: lambda: rivals.constant_rho(some, frames, pose),
        rivals.ZEDO: lambda: rivals.zedo_like(some, frames, pose),
        rivals.MIXTURE: lambda: rivals.mixture(some, frames, setup.data),
    }
    timed = {method: _timed(way) for method, way in ways.items()}
    seconds = {method: 100.0 * spent / len(x) for method, (x, spent) in timed.items()}
    found = {method: x[rows] if method == OURS else x for method, (x, _) in timed.items()}
    found[rivals.SMOOTHED] = rivals.smoothed(found[rivals.DPS], lambda x: error_of(x, wanted))
    seconds[rivals.SMOOTHED] = seconds[rivals.DPS]
    values = {method: error_of(positions, wanted) for method, positions in found.items()}
    measures = {
        "PA-MPJPE, mm": {m: pose_metrics.pa_mpjpe(_joints(x), _joints(wanted)) for m, x in found.items()},
        "pelvis in the world, mm": {m: metrics.mpjpe(x[:, :1], wanted[:, :1]) for m, x in found.items()},
        "processor seconds for 100 frames": seconds,
    }
    return Score(case.name, name, seed, values, {}, measures)


def filmed(truth: np.ndarray, detector: Detector, seed: int, number: int) -> Shot:
    """What a camera of its own saw of the take of that number."""
    camera = draw_camera(truth, np.random.default_rng([seed, number]))
    return film(truth, camera, detector, np.random.default_rng([seed, number, 1]))


def _timed(way: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    """Positions, and the processor seconds that they took."""
    began = time.process_time()
    return way(), time.process_time() - began


def rows_of(shot: Shot, rows: np.ndarray) -> Shot:
    """Some of its frames."""
    points = shot.keypoints
    chosen = replace(points, points=points.points[rows], confidence=points.confidence[rows])
    return Shot(chosen, shot.camera.rows(rows))


def _joints(positions: np.ndarray) -> np.ndarray:
    """The 17 joints (F, 17, 3)."""
    return np.einsum("kj,fja->fka", HUMAN36M_17.joints, positions)


def error_of(positions: np.ndarray, truth: np.ndarray) -> float:
    """Mean distance of the 17 joints in millimetres about the root."""
    return pose_metrics.root_mpjpe(_joints(positions), _joints(truth))


_ABOUT = (
    "Takes filmed by one made-up camera each (focal length 0.7 to 1.4 of 1000 pixels, 2 to 6 m away, 0.5 to 2.5 m "
    "high, any side). Noisy 2D: 5 pixels, 10 % missing, 2 % of limbs in a frame exchanged with the other side's. K and "
    "size are known; T, the pelvis's path, as said. Every method sees the same keypoints; all but ours see single "
    "frames, every eighth one, and are scored on those."
)
_UNIT = "MPJPE about the root, mm"
SUITES = (
    Suite("estimate", _ABOUT, _UNIT, rivals.DPS, partial(estimate, cases=CASES[:1]), goals={CASES[0].name: 0.6}),
    Suite("estimate_others", _ABOUT, _UNIT, rivals.DPS, partial(estimate, cases=CASES[1:])),
)
