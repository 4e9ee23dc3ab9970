"""The suite of feet: how fast they slide while the truth's feet rest, and what holding them costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..core import metrics
from ..core import rotations as rot
from ..core.motion import Motion
from ..core.rig import RigTake
from ..core.skeleton import JOINTS
from ..tasks.clean import CleanSettings, clean_motion, clean_take
from ..tasks.contacts import CONTACT_JOINTS, find_resting
from . import baselines, corruption, data
from .bench import Setup, Suite
from .bvh_clips import joint_positions
from .jitter_suites import JITTER_DEGREES, ROOT_METRES, jittered
from .noise_suites import TRUTH
from .scores import OURS, RAW, Score

FREE, FILTER, LIMIT = "PADS, feet free", "best Butterworth of each segment", "1.2 x truth + 10 mm/s"
NOISE_METRES = 0.02
SEGMENT_FRAMES, SEGMENTS = 128, 32
UNEVEN = "cmu_003"  # walks on uneven ground
KNEES = ("left_knee", "right_knee")


@dataclass(frozen=True)
class Results:
    """Positions (F, N, 3) of the joints of these names, metres, by method."""

    joints: list[str]
    positions: dict[str, np.ndarray]

    def of(self, method: str, names: tuple[str, ...]) -> np.ndarray:
        """Positions (F, len(names), 3) of some joints."""
        return self.positions[method][:, [self.joints.index(name) for name in names]]


def feet(setup: Setup) -> list[Score]:
    """Noise on the model's joints through clean_motion, jitter of a rig's rotations through clean_take."""
    clips = replace(setup, limit=min(SEGMENTS, setup.limit or SEGMENTS)).segments(SEGMENT_FRAMES)
    rigs = setup.rig_segments(SEGMENT_FRAMES, SEGMENTS)
    scores = []
    for case, segments, cleaned in (
        (f"{1000 * NOISE_METRES:g} mm", clips, _noisy_results),
        (f"{JITTER_DEGREES:g} degrees", rigs, _jittered_results),
    ):
        for seed in range(setup.seeds):
            found = [_score(case, s, seed, cleaned(setup, s, seed)) for s in segments]
            scores += [score for score in found if score]
    return sorted(scores, key=lambda score: score.case)


def _score(case: str, segment: data.Clip | data.RigClip, seed: int, results: Results) -> Score | None:
    """What counts on one segment; None where the truth's feet never rest."""
    tracks = {method: results.of(method, CONTACT_JOINTS) for method in results.positions}
    resting = find_resting(tracks[TRUTH], data.FPS).resting
    if not (resting[1:] & resting[:-1]).any():
        return None
    values = {method: metrics.contact_speed(track, resting, data.FPS) for method, track in tracks.items()}
    values[LIMIT] = 1.2 * values[TRUTH] + 10.0
    ground = ", uneven ground" if segment.subject == UNEVEN else ""
    return Score(f"{case}{ground}", segment.name, seed, values, {}, _measures(results, tracks, resting))


def _measures(results: Results, tracks: dict[str, np.ndarray], resting: np.ndarray) -> dict[str, dict[str, float]]:
    """What holding the feet costs the body and the knees, and how well contacts are found again."""
    truth, knees = results.positions[TRUTH], results.of(TRUTH, KNEES)
    measured = {
        "MPJPE, mm": lambda m: metrics.mpjpe(results.positions[m], truth),
        "acceleration error of the knees, mm/frame^2": lambda m: metrics.acceleration_error(
            results.of(m, KNEES), knees
        ),
        "contacts found, F1": lambda m: _f1(find_resting(tracks[m], data.FPS).resting, resting),
        "skate ratio, %": lambda m: 100.0 * metrics.skate_ratio(tracks[m], data.FPS),
    }
    return {name: {method: measure(method) for method in tracks} for name, measure in measured.items()}


def _f1(found: np.ndarray, true: np.ndarray) -> float:
    return 2.0 * float((found & true).sum()) / max(float(found.sum() + true.sum()), 1.0)


def _noisy_results(setup: Setup, segment: data.Clip, seed: int) -> Results:
    truth = segment.positions.astype(float)
    noisy = corruption.position_noise(truth, NOISE_METRES, corruption.generator(segment.name, seed))
    motion = Motion(noisy, np.tile(segment.visible, (len(noisy), 1)), data.FPS)
    ours, free = (clean_motion(motion, s, setup.loaded_prior).positions for s in _both(seed))
    smooth = _best_butterworth(len(truth), lambda apply: apply(noisy), lambda x: metrics.mpjpe(x, truth))
    positions = {RAW: noisy, FREE: free, OURS: ours, FILTER: smooth, TRUTH: truth}
    seen = np.flatnonzero(segment.visible)
    return Results([JOINTS[j] for j in seen], {method: x[:, seen] for method, x in positions.items()})


def _jittered_results(setup: Setup, segment: data.RigClip, seed: int) -> Results:
    dirty = jittered(segment, seed)
    ours, free = (clean_take(dirty, segment.mapping, s, setup.loaded_prior)[0] for s in _both(seed))
    truth = joint_positions(segment.take, segment)
    smooth = _best_butterworth(
        len(truth), lambda apply: joint_positions(_smoothed(dirty, apply), segment), lambda x: metrics.mpjpe(x, truth)
    )
    takes = {RAW: dirty, FREE: free, OURS: ours}
    positions = {method: joint_positions(take, segment) for method, take in takes.items()}
    joints = [joint for joint in JOINTS if segment.mapping.joints[joint]]
    return Results(joints, {**positions, FILTER: smooth, TRUTH: truth})


def _both(seed: int) -> tuple[CleanSettings, CleanSettings]:
    return CleanSettings(seed=seed), CleanSettings(seed=seed, feet=0.0)


def _best_butterworth(
    frames: int, result: Callable[[baselines.Filter], np.ndarray], error: Callable[[np.ndarray], float]
) -> np.ndarray:
    """Positions of the setting with the smallest error: an oracle."""
    every = baselines.filter_family(data.FPS, frames).items()
    candidates = (result(smooth) for name, smooth in every if name.startswith("butterworth"))
    return min(candidates, key=error)


def _smoothed(take: RigTake, smooth: baselines.Filter) -> RigTake:
    """The take with its quaternions and its root's path filtered alike."""
    location = take.location.copy()
    location[:, 0] = smooth(location[:, 0])
    return replace(take, rotation=rot.normalise(smooth(rot.make_continuous(take.rotation))), location=location)


SUITES = (
    Suite(
        "feet",
        f"Horizontal speed of ankles and toes while the truth's rest: its contacts are found in it by the same "
        f"detector. Gaussian noise of {1000 * NOISE_METRES:g} mm on the model's joints through clean_motion, and "
        f"{JITTER_DEGREES:g} degrees on every bone with {1000 * ROOT_METRES:g} mm on the root through clean_take, "
        f"measured on the rig; {SEGMENTS} segments of {SEGMENT_FRAMES} frames each. The Butterworth filter is the one "
        "with the smallest MPJPE. Of subject 03, who walks on uneven ground, the speed is reported and does not count.",
        "mm/s",
        LIMIT,
        feet,
    ),
)
