"""Suites of damaged rotations: BVH files through the real command line, against filters of their channels."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ..core import metrics
from ..core import rotations as rot
from ..core.bvh import Bvh, local_positions, local_rotations, read_bvh, rotation_order
from ..core.rig import RigTake
from . import baselines, bvh_clips, corruption, data
from .bench import Setup, Suite
from .command_line import clean_files
from .noise_suites import FILTER, HAMPEL, ONCE, TRUTH
from .scores import OURS, RAW, Score

JITTER_DEGREES = 3.0
ROOT_METRES = 0.01
POP_DEGREES, POP_SHARE, LONGEST_POP = 35.0, 0.01, 3
SEGMENT_FRAMES, SEGMENTS = 128, 32
PLACES, ACCELERATION, ROTATION = "MPJPE", "acceleration error", "rotation error"


def jittered(clip: data.RigClip, seed: int) -> RigTake:
    """The clip with every bone shaken about its three axes, and its root shaken in place."""
    rng = corruption.generator(clip.name, seed)
    return corruption.root_jitter(corruption.rotation_jitter(clip.take, JITTER_DEGREES, rng), ROOT_METRES, rng)


def popped(clip: data.RigClip, seed: int) -> RigTake:
    """The jittered clip with pops of the bones that are joints of the model."""
    take, rng = jittered(clip, seed), corruption.generator(f"{clip.name} pops", seed)
    bones = np.array([take.names.index(entry.bone) for entry in clip.mapping.joints.values() if entry])
    return corruption.rotation_pops(take, POP_DEGREES, POP_SHARE, LONGEST_POP, rng, bones).take


def jitter(setup: Setup) -> list[Score]:
    """Rotation and root jitter, by two measures, each with the filter that is best by it."""
    return _scores(setup, jittered, {PLACES: FILTER, ROTATION: FILTER})


def jitter_pops(setup: Setup) -> list[Score]:
    """Rotation and root jitter with pops, by three measures, each with the filter that is best by it."""
    return _scores(setup, popped, {PLACES: HAMPEL, ACCELERATION: HAMPEL, ROTATION: HAMPEL})


@dataclass(frozen=True)
class Channels:
    """A damaged BVH, the true one, and the names of their mapped joints."""

    bvh: Bvh
    true: Bvh
    joints: list[str]

    @cached_property
    def truth(self) -> np.ndarray:
        """True positions (F, N, 3) of the mapped joints, metres."""
        return bvh_clips.positions_metres(self.true, self.joints)

    @cached_property
    def true_rotations(self) -> np.ndarray:
        """True local rotations (F, B, 4)."""
        return local_rotations(self.true)

    @cached_property
    def columns(self) -> list[int]:
        """Where the mapped joints stand in the file."""
        return [self.bvh.names.index(name) for name in self.joints]

    @property
    def fps(self) -> float:
        """Frames a second."""
        return 1.0 / self.bvh.frame_time

    def positions(self, rotations: np.ndarray) -> np.ndarray:
        """Where the mapped joints are (F, N, 3), in metres from the root, for other local rotations (F, B, 4)."""
        local = self._local_positions
        return bvh_clips.chain_positions(self.bvh.parents, local, rotations)[:, self.columns]

    @cached_property
    def _local_positions(self) -> np.ndarray:
        local = local_positions(self.bvh) / bvh_clips.UNITS_PER_METRE
        local[:, 0] = 0.0
        return local

    @cached_property
    def root(self) -> np.ndarray:
        """The damaged path (F, 3) of the root, metres."""
        return root_path(self.bvh)


# Error of local rotations (F, B, 4) and the root's path (F, 3) in metres against the truth.
Measure = Callable[[Channels, np.ndarray, np.ndarray], float]


def by_places(metric: Callable[[np.ndarray, np.ndarray], float]) -> Measure:
    """A metric of positions (F, N, 3) as a measure of channels."""
    return lambda given, rotations, root: metric(given.positions(rotations) + root[:, None], given.truth)


def by_rotations(given: Channels, rotations: np.ndarray, root: np.ndarray) -> float:
    """Root mean square in degrees of how far the mapped joints' local rotations are off; the root's path has no say."""
    off = rot.angle_between(rotations[:, given.columns], given.true_rotations[:, given.columns])
    return float(np.degrees(np.sqrt(np.mean(off**2))))


MEASURES: dict[str, Measure] = {
    PLACES: by_places(metrics.mpjpe),
    ACCELERATION: by_places(metrics.acceleration_error),
    ROTATION: by_rotations,
}


def root_path(bvh: Bvh) -> np.ndarray:
    """Positions (F, 3) of the root, metres."""
    return local_positions(bvh)[:, 0] / bvh_clips.UNITS_PER_METRE


def channels_of(clip: data.RigClip, damaged: RigTake) -> Channels:
    """The damaged clip as a BVH, with its truth."""
    true = bvh_clips.bvh_of(clip.take)
    joints = [entry.bone for entry in clip.mapping.joints.values() if entry and entry.bone in true.names]
    return Channels(bvh_clips.bvh_of(damaged), true, joints)


def channel_sweep(given: Channels, measure: Measure) -> dict[str, float]:
    """Error of every filter on the rotation channels, as continuous angles and as quaternions.

    The root's path is filtered with whatever brings it nearest to the truth.
    """
    errors = {}
    for kind, (values, error) in _representations(given, measure).items():
        errors |= _family_sweep(values, given.fps, error, f"{kind}, ")
    return errors


def setting_error(given: Channels, measure: Measure, name: str) -> float:
    """Error of the one setting that channel_sweep calls so: a sparse sweep may have left it out."""
    kind, _, setting = name.partition(", ")
    values, error = _representations(given, measure)[kind]
    return error(baselines.apply(setting, values, given.fps))


def _representations(given: Channels, measure: Measure) -> dict[str, tuple[np.ndarray, baselines.Error]]:
    """The rotation channels (F, B, 3 or 4) in either form, each with the error of such channels smoothed."""
    root = _best_root(given, measure)

    def error(rotations: np.ndarray) -> float:
        return measure(given, rotations, root)

    quaternions = rot.make_continuous(local_rotations(given.bvh))
    order = rotation_order(given.bvh.channels[0])
    angles = rot.continuous_euler(rot.to_euler(quaternions, order), order)
    return {
        "euler": (angles, lambda smooth: error(rot.from_euler(smooth, order))),
        "quaternion": (quaternions, lambda smooth: error(rot.normalise(smooth))),
    }


def _family_sweep(values: np.ndarray, fps: float, error: baselines.Error, prefix: str) -> dict[str, float]:
    family = baselines.filter_family(fps, len(values)) | baselines.one_euro_family(fps)
    return baselines.sweep_sparsely(values, family, error, prefix) | baselines.sweep_hampel(
        values, fps, error, prefix, baselines.sweep_sparsely
    )


def _best_root(given: Channels, measure: Measure) -> np.ndarray:
    """The root's path (F, 3) through the filter that is best for it, all rotations being true."""
    errors = baselines.sweep_all(given.root, given.fps, lambda smooth: measure(given, given.true_rotations, smooth))
    return baselines.apply(baselines.best(errors)[1], given.root, given.fps)


def _scores(setup: Setup, damage: Callable[[data.RigClip, int], RigTake], rivals: dict[str, str]) -> list[Score]:
    """Every segment under every seed, by each of the measures; rivals: the method that counts by each."""
    segments, scores = setup.rig_segments(SEGMENT_FRAMES, SEGMENTS), []
    once = {name: _once(setup, damage, name) for name in rivals}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(setup.seeds):
            results = _cleaned(setup, {s.name: damage(s, seed) for s in segments}, Path(folder) / str(seed), seed)
            for segment in segments:
                given, ours = channels_of(segment, damage(segment, seed)), results[segment.name]
                scores += [_score(segment.name, seed, given, ours, name, once[name]) for name in rivals]
    return sorted(scores, key=lambda score: list(rivals).index(score.case))


def _once(setup: Setup, damage: Callable[[data.RigClip, int], RigTake], name: str) -> str:
    segments = setup.tuning.rig_segments(SEGMENT_FRAMES, SEGMENTS // 4)
    return baselines.best_on_average(channel_sweep(channels_of(s, damage(s, 0)), MEASURES[name]) for s in segments)


def _cleaned(setup: Setup, takes: dict[str, RigTake], folder: Path, seed: int) -> dict[str, Bvh]:
    """Every take as a BVH through the command line."""
    for name, take in takes.items():
        bvh_clips.write_clip(take, folder / "dirty" / f"{name}.bvh")
    clean_files(setup, sorted((folder / "dirty").glob("*.bvh")), folder / "clean", seed)
    return {name: read_bvh(folder / "clean" / f"{name}.bvh") for name in takes}


def _score(name: str, seed: int, given: Channels, ours: Bvh, case: str, once: str) -> Score:
    measure, files = MEASURES[case], {RAW: given.bvh, OURS: ours, TRUTH: given.true}
    sweep = channel_sweep(given, measure)
    hampels = {n: e for n, e in sweep.items() if ", hampel" in n}
    (error, chosen), (hampel, chosen_hampel) = baselines.best(sweep), baselines.best(hampels)
    values = {m: measure(given, local_rotations(files[m]), root_path(files[m])) for m in (RAW, OURS)}
    values |= {FILTER: error, HAMPEL: hampel, ONCE: setting_error(given, measure, once)}
    jerk = {m: metrics.jitter(bvh_clips.positions_metres(f, given.joints), given.fps) for m, f in files.items()}
    return Score(case, name, seed, values, {FILTER: chosen, HAMPEL: chosen_hampel, ONCE: once}, {"jerk, m/s^3": jerk})


_DAMAGE = (
    f"Every bone of a BVH turned by {JITTER_DEGREES:g} degrees about each axis and its root moved by "
    f"{1000 * ROOT_METRES:g} mm on each, both white in time"
)
_HOW = (
    f"through the command line; {SEGMENTS} segments of {SEGMENT_FRAMES} frames, evenly spread (a shorter clip counts "
    "whole); world positions of the mapped joints, or their rotations against their parents. Filters: those of the "
    "suite gauss on the rotation channels, as continuous angles and as quaternions, the better of the two; the root's "
    "path through its own best filter."
)
SUITES = (
    Suite(
        "jitter",
        f"{_DAMAGE}, {_HOW} Each measure has its own oracle.",
        "MPJPE in mm, rotation error in degrees (RMS)",
        FILTER,
        jitter,
    ),
    Suite(
        "jitter_pops",
        f"{_DAMAGE}; and pops: {POP_DEGREES:g} degrees about a random axis for 1 to {LONGEST_POP} frames, starting on "
        f"{100 * POP_SHARE:g} % of joint-frames; {_HOW} Each measure has its own oracle.",
        "MPJPE in mm, acceleration error in mm/frame^2, rotation error in degrees (RMS)",
        HAMPEL,
        jitter_pops,
        dict.fromkeys((PLACES, ACCELERATION), 0.65),
    ),
)
