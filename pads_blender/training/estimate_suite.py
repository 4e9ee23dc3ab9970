"""The suite of estimation: takes filmed by made-up cameras, estimated from 2D, against other ways with the same priors.

Positions of the 17 joints of Human3.6M about their root, on the model's body, whose size is known to all methods.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..core import metrics
from ..core.keypoints import HUMAN36M_17
from ..diffusion.prior import Prior, load_prior
from ..tasks import estimate_poses
from ..tasks.estimate import EstimateSettings, Shot, estimate_motion
from . import estimate_rivals as rivals
from . import pose_metrics
from .bench import Setup, Suite
from .mixture_prior import mixture_prior
from .scores import OURS, Score
from .synthetic_cameras import EXACT, NOISY, Detector, draw_camera, film

_RUN_OFF_METRES = 2.0  # on average about the root
SEGMENT_FRAMES, SEGMENTS = 128, 16
RIVAL_STRIDE = 2  # methods of single frames are run on every other frame, and all are scored on those
# A DPS that takes about as long as ours does, one that takes longer than by default; ours with more steps. The short
# one has a constant rho: on two validation takes the one that knows the noise flew apart with 4, 8 and 15 steps.
SHORT_DPS, LONG_DPS, LONG_PADS = 4, 120, 48


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


Way = Callable[[], np.ndarray]  # positions (F, J, 3)


@dataclass(frozen=True)
class Seen:
    """One take of a case: the truth (F, J, 3), what was filmed, what the rivals get of it, the seed of the methods."""

    truth: np.ndarray
    shot: Shot
    frames: rivals.Filmed
    seed: int
    pelvis: np.ndarray | None

    def ours(self, prior: Prior, steps: int | None = None) -> np.ndarray:
        """Our own positions, of every frame."""
        settings = EstimateSettings(seed=self.seed, pelvis=self.pelvis, steps=steps)
        return estimate_motion([self.shot], 30.0, settings, prior).positions


def estimate(setup: Setup, cases: Sequence[Case] = CASES) -> list[Score]:
    """Every case on segments of takes, against all rivals."""
    motion, pose, usual = setup.open_prior(1), load_prior("pose", setup.models, 1), mixture_prior(setup.data)

    def ways(seen: Seen) -> dict[str, Way]:
        frames, seed = seen.frames, seen.seed
        return {
            OURS: lambda: seen.ours(motion),
            rivals.DPS: lambda: rivals.single_frames(frames, pose, seed),
            rivals.PROX: lambda: rivals.single_frames(frames, pose, seed, "prox"),
            rivals.CONSTANT: lambda: rivals.constant_rho(frames, pose, seed),
            rivals.ZEDO: lambda: rivals.zedo_like(frames, pose),
            rivals.MIXTURE: lambda: rivals.mixture(frames, usual),
        }

    return _scores(setup, cases, ways)


def equal_seconds(setup: Setup) -> list[Score]:
    """The paper's way and ours, each with few and with many steps."""
    motion, pose = setup.open_prior(1), load_prior("pose", setup.models, 1)

    def ways(seen: Seen) -> dict[str, Way]:
        few = {OURS: lambda: seen.ours(motion), _steps(OURS, LONG_PADS): lambda: seen.ours(motion, LONG_PADS)}
        frames, seed = seen.frames, seen.seed
        short = {_steps(rivals.CONSTANT, SHORT_DPS): lambda: rivals.constant_rho(frames, pose, seed, SHORT_DPS)}
        dps = {
            _steps("DPS", steps): lambda steps=steps: rivals.single_frames(frames, pose, seed, steps=steps)
            for steps in (estimate_poses.DEFAULT_STEPS["dps"], LONG_DPS)
        }
        return few | short | dps

    return _scores(setup, CASES[:1], ways)


def _steps(method: str, steps: int) -> str:
    return f"{method}, {steps} steps"


def _scores(setup: Setup, cases: Sequence[Case], ways: Callable[[Seen], dict[str, Way]]) -> list[Score]:
    segments, scores = setup.segments(SEGMENT_FRAMES, SEGMENTS), []
    for case in cases:
        for seed in range(setup.seeds):
            for number, segment in enumerate(segments):
                seen = see(segment.positions.astype(float), case, seed, number)
                scores.append(_score(case, segment.name, seen, ways(seen)))
    return scores


def see(truth: np.ndarray, case: Case, seed: int, number: int) -> Seen:
    """The take of that number, filmed by a camera of its own."""
    shot, pelvis = filmed(truth, case.detector, seed, number), truth[:, 0] if case.is_path_known else None
    rows = np.arange(0, len(truth), RIVAL_STRIDE)
    return Seen(truth, shot, rivals.Filmed.of(shot, pelvis).rows(rows), seed, pelvis)


def _score(case: Case, name: str, seen: Seen, ways: dict[str, Way]) -> Score:
    wanted = seen.truth[::RIVAL_STRIDE]
    timed = {method: _timed(way) for method, way in ways.items()}
    seconds = {method: 100.0 * spent / len(x) for method, (x, spent) in timed.items()}
    found = {method: x[::RIVAL_STRIDE] if len(x) > len(wanted) else x for method, (x, _) in timed.items()}
    if rivals.DPS in found:
        found[rivals.SMOOTHED] = rivals.smoothed(found[rivals.DPS], lambda x: error_of(x, wanted))
        seconds[rivals.SMOOTHED] = seconds[rivals.DPS]
    answers = {method: _answered(positions, wanted) for method, positions in found.items()}
    values = {method: error_of(*pair) for method, pair in answers.items()}
    measures = {
        "PA-MPJPE, mm": {m: pose_metrics.pa_mpjpe(_joints(x), _joints(true)) for m, (x, true) in answers.items()},
        "pelvis in the world, mm": {m: metrics.mpjpe(x[:, :1], true[:, :1]) for m, (x, true) in answers.items()},
        "frames of a segment that ran off": {m: float(len(wanted) - len(x)) for m, (x, _) in answers.items()},
        "processor seconds for 100 frames": seconds,
    }
    return Score(case.name, name, seen.seed, values, {}, measures)


def _answered(positions: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both (F, J, 3) without the frames in which a method has run off, as DPS does now and then."""
    about = [x - x[:, :1] for x in (positions, truth)]
    rows = np.linalg.norm(about[0] - about[1], axis=-1).mean(axis=1) < _RUN_OFF_METRES
    return positions[rows], truth[rows]


def filmed(truth: np.ndarray, detector: Detector, seed: int, number: int) -> Shot:
    """What a camera of its own saw of the take of that number."""
    camera = draw_camera(truth, np.random.default_rng([seed, number]))
    return film(truth, camera, detector, np.random.default_rng([seed, number, 1]))


def _timed(way: Way) -> tuple[np.ndarray, float]:
    """Positions, and the processor seconds that they took."""
    began = time.process_time()
    return way(), time.process_time() - began


def _joints(positions: np.ndarray) -> np.ndarray:
    """The 17 joints (F, 17, 3)."""
    return np.einsum("kj,fja->fka", HUMAN36M_17.joints, positions)


def error_of(positions: np.ndarray, truth: np.ndarray) -> float:
    """Mean distance of the 17 joints in millimetres about the root."""
    return pose_metrics.root_mpjpe(_joints(positions), _joints(truth))


_FILMED = (
    "Takes filmed by one made-up camera each (focal length 0.7 to 1.4 of 1000 pixels, 2 to 6 m away, 0.5 to 2.5 m "
    "high, any side). Noisy 2D: 5 pixels, 10 % missing, 2 % of limbs in a frame exchanged with the other side's. K and "
    "size are known; T, the pelvis's path, as said. All methods see the same keypoints with the noise that all frames "
    "show, and begin where ours does, at a start made from all frames, whose seconds count as ours alone; DPS and prox "
    "take only the place of the body from it. All but ours are run on every other frame; all are scored on those. "
    f"Frames in which a method runs off, by {_RUN_OFF_METRES:g} m and more, are none of its answers and do not count."
)
_UNIT = "MPJPE about the root, mm"
SUITES = (
    Suite("estimate", _FILMED, _UNIT, rivals.DPS, partial(estimate, cases=CASES[:1]), goals={CASES[0].name: 0.6}),
    Suite("estimate_others", _FILMED, _UNIT, rivals.DPS, partial(estimate, cases=CASES[1:])),
    Suite("estimate_seconds", _FILMED, _UNIT, _steps(rivals.CONSTANT, SHORT_DPS), equal_seconds),
)
