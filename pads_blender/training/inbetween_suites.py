"""Suites of in-betweens: whole poses hidden for a while, measured also as for LaFAN1 (Harvey et al. 2020)."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..core import metrics
from ..core import rotations as rot
from ..core.motion import Motion
from ..core.normalise import frame_matrix
from ..core.retarget import to_model
from ..core.rig import RigTake, world_matrices
from ..core.skeleton import JOINTS, MODEL
from ..tasks.clean import CleanSettings, clean_motion
from ..tasks.twist import lay_on_rig
from . import corruption, data, gap_baselines
from .bench import Setup, Suite
from .gap_suites import MARGIN, NOISE_METRES, pieces
from .scores import OURS, Score

SLERP, HELD, CUBIC = "slerp + linear root", "held pose", "cubic"
LENGTHS = (5, 15, 30, 45)
PIECES = 24
TRAINING_WINDOW, _TRAINING_STEP, _PAST = 50, 20, 10  # frames, as for LaFAN1
PUBLISHED = """\
Published on LaFAN1, after 10 frames and before one (different data: same protocol shape, not a ranking):

| | L2P, 5 / 15 / 30 / 45 frames | L2Q | NPSS |
|---|---|---|---|
| zero velocity | 1.523 / 3.694 / 6.600 / 9.329 | .56 / 1.10 / 1.51 / 1.81 | .0053 / .0522 / .2318 / .4918 |
| interpolation | .373 / 1.249 / 2.316 / 3.447 | .22 / .62 / .98 / 1.25 | .0023 / .0391 / .2013 / .4493 |
| TG complete, Harvey 2020 | - / - / 1.28 / - | .17 / - / .69 / - | - / - / .1328 / - |
| Delta-Interpolator | .1290 / .4670 / .9954 / - | .1138 / .3175 / .5723 / - | .0014 / .0217 / .1217 / - |
| two-stage | .1049 / .3943 / .8948 / 1.6777 | .0994 / .2839 / .5446 / .8727 | .0011 / .0188 / .1124 / .3217 |"""


@dataclass(frozen=True)
class Answer:
    """What a method puts into the gap: model positions (G, J, 3), and the rig's world quaternions (G, N, 4) or None."""

    positions: np.ndarray
    rotations: np.ndarray | None


def inbetween(setup: Setup) -> list[Score]:
    """Position errors of every length."""
    return [
        Score(f"{frames} frames", clip.name, seed, _position_errors(*answer), {})
        for frames in LENGTHS
        for clip, seed, answer in _every(setup, frames)
    ]


def lafan(setup: Setup) -> list[Score]:
    """The same answers by the measures of LaFAN1."""
    scores = []
    for frames in LENGTHS:
        every = _every(setup, frames)
        scores += [Score(f"{frames} frames, L2P", c.name, seed, l2p_of(setup, *a), {}) for c, seed, a in every]
        scores += [Score(f"{frames} frames, L2Q", c.name, seed, l2q_of(*a), {}) for c, seed, a in every]
        scores += [Score(f"{frames} frames, NPSS", "all", 0, npss_of([a for *_, a in every]), {})]
    return scores


@functools.lru_cache(len(LENGTHS))
def _every(setup: Setup, frames: int) -> list[tuple[data.RigClip, int, tuple[Answer, dict[str, Answer]]]]:
    """Pieces, seeds and what every method makes of them; kept, since two suites measure them."""
    found = pieces(setup, frames, PIECES)
    return [(clip, seed, answers(setup, clip, frames, seed)) for seed in range(setup.seeds) for clip in found]


def answers(setup: Setup, clip: data.RigClip, frames: int, seed: int) -> tuple[Answer, dict[str, Answer]]:
    """The truth and what every method makes of it, turned to face the same way in the last frame before the gap."""
    rows, rng = slice(MARGIN, MARGIN + frames), corruption.generator(clip.name, seed)
    motion, _ = to_model(clip.take, clip.mapping)
    noisy = corruption.position_noise(motion.positions, NOISE_METRES, rng)
    seen = replace(motion, positions=noisy).hide(list(range(len(JOINTS))), rows.start, rows.stop)
    bridged, held = slerp_take(clip.take, rows), held_take(clip.take, rows)
    cubic = gap_baselines.cubic(seen.positions, seen.visible)[rows]
    results = {
        OURS: _ours(setup, clip, seen, bridged, rows, seed),
        SLERP: answer_of(clip, bridged, rows),
        HELD: answer_of(clip, held, rows),
        CUBIC: Answer(cubic, None),
    }
    turn = turn_to_front(motion.positions[rows.start - 1])
    truth = turned_answer(answer_of(clip, clip.take, rows), turn)
    return truth, {name: turned_answer(answer, turn) for name, answer in results.items()}


def slerp_take(take: RigTake, rows: slice) -> RigTake:
    """The take with its rows turned evenly from the frame before to the one after, the root on a straight line."""
    hidden = np.zeros(take.rotation.shape[:2], bool)
    hidden[rows] = True
    return gap_baselines.slerp(take, hidden)


def held_take(take: RigTake, rows: slice) -> RigTake:
    """The take in which the last pose before the gap stays."""
    at = np.arange(len(take.frames))
    at[rows] = rows.start - 1
    return replace(take, location=take.location[at], rotation=take.rotation[at])


def _ours(setup: Setup, clip: data.RigClip, seen: Motion, bridged: RigTake, rows: slice, seed: int) -> Answer:
    """The positions of clean_motion; rotations as clean_take lays such positions on a rig whose gap was bridged."""
    positions = clean_motion(seen, CleanSettings(seed=seed), setup.loaded_prior).positions
    _, residual = to_model(bridged, clip.mapping)
    hidden = np.zeros(bridged.rotation.shape[:2], bool)
    hidden[rows] = True
    return Answer(positions[rows], _world_rotations(clip, lay_on_rig(residual, positions, hidden, 1.0))[rows])


def answer_of(clip: data.RigClip, take: RigTake, rows: slice) -> Answer:
    """Some rows of a take of the clip's rig as an answer."""
    return Answer(to_model(take, clip.mapping)[0].positions[rows], _world_rotations(clip, take)[rows])


def _world_rotations(clip: data.RigClip, take: RigTake) -> np.ndarray:
    """Quaternions (F, N, 4) of the mapped bones, without sudden changes of sign."""
    bones = [take.names.index(entry.bone) for entry in clip.mapping.joints.values() if entry]
    return rot.make_continuous(rot.from_matrix(world_matrices(take)[:, bones, :3, :3]))


def turn_to_front(pose: np.ndarray) -> np.ndarray:
    """Rotation (4,) about the vertical after which the left of hips and shoulders (J, 3) is +X."""
    sides = [MODEL.indices(f"left_{j}", f"right_{j}") for j in ("hip", "shoulder")]
    left = sum(pose[a] - pose[b] for a, b in sides) * np.array([1.0, 1.0, 0.0])
    return rot.inverse(rot.from_matrix(frame_matrix(left, np.array([0.0, 0.0, 1.0]))))


def turned_answer(answer: Answer, turn: np.ndarray) -> Answer:
    """The answer turned in the world by one rotation (4,)."""
    rotations = None if answer.rotations is None else rot.multiply(turn, answer.rotations)
    return Answer(rot.rotate(turn, answer.positions), rotations)


def _position_errors(truth: Answer, found: dict[str, Answer]) -> dict[str, float]:
    return {name: metrics.mpjpe(a.positions, truth.positions) for name, a in found.items()}


def l2p_of(setup: Setup, truth: Answer, found: dict[str, Answer]) -> dict[str, float]:
    """L2P of every method."""
    spread = training_spread(setup.data)
    return {n: metrics.l2_positions(a.positions, truth.positions, 0.0, spread) for n, a in found.items()}


def l2q_of(truth: Answer, found: dict[str, Answer]) -> dict[str, float]:
    """L2Q of every method that has rotations."""
    turning = {name: a.rotations for name, a in found.items() if a.rotations is not None}
    return {name: metrics.l2_rotations(rotations, truth.rotations) for name, rotations in turning.items()}


def npss_of(every: list[tuple[Answer, dict[str, Answer]]]) -> dict[str, float]:
    """One number for all pieces, which the measure weighs by their power."""
    truth = np.stack([t.rotations.reshape(len(t.rotations), -1) for t, _ in every])
    values = {}
    for name in (OURS, SLERP, HELD):
        aligned = [metrics.same_sign(found[name].rotations, t.rotations) for t, found in every]
        values[name] = metrics.npss(np.stack([a.reshape(len(a), -1) for a in aligned]), truth)
    return values


@functools.cache
def training_spread(folder: Path) -> np.ndarray:
    """Standard deviation (J, 3) in metres of joint positions over the captured training windows.

    As for LaFAN1: 50 frames every 20, each about its mean place on the floor, facing forwards in the tenth.
    """
    windows = [
        _window(clip.positions[start : start + TRAINING_WINDOW].astype(float))
        for clip in data.load_split(folder, "train")
        if clip.subject.startswith("cmu")
        for start in range(0, len(clip.positions) - TRAINING_WINDOW + 1, _TRAINING_STEP)
    ]
    return np.concatenate(windows).std(axis=0)


def _window(positions: np.ndarray) -> np.ndarray:
    middle = positions[:, 0].mean(axis=0) * np.array([1.0, 1.0, 0.0])
    return rot.rotate(turn_to_front(positions[_PAST - 1]), positions - middle)


SUITES = (
    Suite(
        "inbetween",
        f"Whole poses hidden in pieces with {MARGIN} measured frames on either side, {1000 * NOISE_METRES:g} mm of "
        f"noise on these, {PIECES} pieces evenly spread over the clips, through clean_motion; MPJPE of the model's "
        "joints in the hidden frames. slerp and held pose have the rig's rotations without noise.",
        "mm",
        SLERP,
        inbetween,
    ),
    Suite(
        "lafan",
        "The same in-betweens by the measures of LaFAN1: L2P, positions standardised by the training windows' spread; "
        "L2Q and NPSS, the rig's world quaternions, laid on it by clean_take's way back; NPSS over all pieces together."
        f"\n\n{PUBLISHED}\n\nHere:",
        "without unit",
        None,
        lafan,
    ),
)
