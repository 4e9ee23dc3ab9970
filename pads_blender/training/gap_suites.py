"""Suites of gaps: joints and limbs hidden for a while, whole poses in between, against what fills gaps without a prior.

A piece of a clip has measured frames on either side of its gap, and the same gaps come at every run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..core import metrics
from ..core.motion import Motion
from ..core.retarget import to_model
from ..core.skeleton import JOINTS, MODEL
from ..tasks.clean import CleanSettings, clean_motion, clean_take
from ..tasks.complete import HiddenBones, hidden_rows
from . import corruption, data, gap_baselines
from .bench import Setup, Suite, cut_rig_clip
from .bvh_clips import joint_positions, limb_bones
from .scores import OURS, Score

SLERP, PCA, BETTER = "slerp", "PCA", "better of slerp and PCA"
FILLS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    PCA: gap_baselines.pca,
    "linear": gap_baselines.linear,
    "cubic": gap_baselines.cubic,
    "PCHIP": gap_baselines.pchip,
    "low rank": gap_baselines.low_rank,
}
LENGTHS = (5, 15, 30, 60, 120)
MARGIN = 34  # measured frames on either side: more than half a window of the prior
NOISE_METRES = 0.002  # of what is not hidden, where positions are
ROW_PIECES, OTHER_PIECES = 24, 12  # evenly spread ones, of a row that is required and of the others
_SIDES = ("left", "right")


@dataclass(frozen=True)
class Part:
    """What is hidden: one of several sets of joints, drawn for each piece and seed."""

    name: str
    choices: tuple[tuple[str, ...], ...]
    drawn: int = 0  # > 0: so many joints out of all those of the one choice

    def draw(self, rng: np.random.Generator) -> list[int]:
        """Indices of the hidden joints."""
        chosen = self.choices[rng.integers(len(self.choices))]
        names = rng.choice(chosen, self.drawn, replace=False) if self.drawn else chosen
        return sorted(MODEL.indices(*names))


JOINT = Part("one joint", tuple((f"{s}_{j}",) for s in _SIDES for j in ("elbow", "wrist", "knee", "ankle")))
ARM = Part("one arm", tuple((f"{s}_elbow", f"{s}_wrist") for s in _SIDES))
LEGS = Part("both legs", (tuple(f"{s}_{j}" for s in _SIDES for j in ("knee", "ankle", "toe")),))
EIGHT = Part("eight joints", (JOINTS[1:],), drawn=8)
ROWS = {(ARM, 30), (ARM, 60), (LEGS, 60)}  # what has to hold: docs/benchmark.md
Gap = Callable[[Setup, data.RigClip, Part, int, int], dict[str, float]]


def gaps(setup: Setup) -> list[Score]:
    """Joints hidden from the model's positions, and for the rows that have to hold also from a rig's rotations."""
    scores = []
    for part in (JOINT, ARM, LEGS, EIGHT):
        for frames in LENGTHS:
            scores += _case(setup, f"{part.name}, {frames} frames", part, frames, position_errors)
            if (part, frames) in ROWS:
                scores += _case(setup, f"{part.name} by rotation, {frames} frames", part, frames, rotation_errors)
    return scores


def _case(setup: Setup, case: str, part: Part, frames: int, measure: Gap) -> list[Score]:
    """Scores of one case; the rival is whichever of slerp and PCA has the smaller mean in it."""
    found = pieces(setup, frames, ROW_PIECES if (part, frames) in ROWS else OTHER_PIECES)
    measured = [(clip, seed, measure(setup, clip, part, frames, seed)) for seed in range(setup.seeds) for clip in found]
    rival = min((SLERP, PCA), key=lambda method: np.mean([values[method] for *_, values in measured]))
    return [
        Score(case, clip.name, seed, values | {BETTER: values[rival]}, {BETTER: rival})
        for clip, seed, values in measured
    ]


def pieces(setup: Setup, frames: int, most: int) -> list[data.RigClip]:
    """At most so many pieces of the clips that hold a gap of so many frames, overlapping by half, evenly spread."""
    length, clips = frames + 2 * MARGIN, replace(setup, limit=None).rig_clips
    found = [p for clip in clips for p in cut_rig_clip(clip, length) if len(p.take.frames) == length]
    chosen = np.linspace(0, len(found) - 1, min(most, setup.limit or most, len(found))).round().astype(int)
    return [found[i] for i in chosen]


def position_errors(setup: Setup, clip: data.RigClip, part: Part, frames: int, seed: int) -> dict[str, float]:
    """Error on the model's hidden joints by method, through clean_motion; slerp has the rotations without noise."""
    rng, rows = corruption.generator(clip.name, seed), slice(MARGIN, MARGIN + frames)
    joints, (truth, _) = part.draw(rng), to_model(clip.take, clip.mapping)
    motion = with_noise(truth, rng).hide(joints, rows.start, rows.stop)
    hidden = truth.visible & ~motion.visible
    ours = clean_motion(motion, CleanSettings(seed=seed), setup.loaded_prior).positions
    turned, _ = to_model(gap_baselines.slerp(clip.take, _lost(clip, joints, rows)), clip.mapping)
    filled = {name: fill(motion.positions, motion.visible) for name, fill in FILLS.items()}
    results = {OURS: ours, SLERP: turned.positions, **filled}
    return {name: metrics.mpjpe(positions, truth.positions, hidden) for name, positions in results.items()}


def with_noise(truth: Motion, rng: np.random.Generator) -> Motion:
    """The motion as a good capture measures it."""
    return replace(truth, positions=corruption.position_noise(truth.positions, NOISE_METRES, rng))


def _lost(clip: data.RigClip, joints: list[int], rows: slice) -> np.ndarray:
    """Bone rotations (F, B) that place these joints, in the gap's frames."""
    lost = np.zeros(clip.take.rotation.shape[:2], bool)
    for joint in joints:
        above = _mapped_parent(clip, joint)
        for bone in limb_bones(clip, above, JOINTS[joint]) if above and clip.mapping.joints[JOINTS[joint]] else ():
            lost[rows, clip.take.names.index(bone)] = True
    return lost


def _mapped_parent(clip: data.RigClip, joint: int) -> str | None:
    parent = MODEL.parents[joint]
    while parent >= 0 and not clip.mapping.joints[JOINTS[parent]]:
        parent = MODEL.parents[parent]
    return JOINTS[parent] if parent >= 0 else None


def rotation_errors(setup: Setup, clip: data.RigClip, part: Part, frames: int, seed: int) -> dict[str, float]:
    """Error on the rig's own joints by method, through clean_take with the bones to complete; no noise."""
    rng, rows = corruption.generator(clip.name, seed), slice(MARGIN, MARGIN + frames)
    joints, at = part.draw(rng), clip.take.frames[rows]
    lost = _lost(clip, joints, rows)
    bones = tuple(clip.take.names[b] for b in np.flatnonzero(lost.any(axis=0)))
    wanted = HiddenBones(bones, float(at[0]), float(at[-1]))
    broken = corruption.lose_rotations(clip.take, hidden_rows(clip.take, (wanted,)))
    ours, _ = clean_take(broken, clip.mapping, CleanSettings(seed=seed, complete=(wanted,)), setup.loaded_prior)
    truth = joint_positions(clip.take, clip)
    known = [joint for joint in JOINTS if clip.mapping.joints[joint]]
    hidden = np.zeros(truth.shape[:2], bool)
    hidden[rows, [known.index(JOINTS[joint]) for joint in joints]] = True
    measured = joint_positions(broken, clip)
    takes = {OURS: ours, SLERP: gap_baselines.slerp(broken, lost)}
    results = {name: joint_positions(take, clip) for name, take in takes.items()}
    results |= {name: fill(measured, ~hidden) for name, fill in FILLS.items()}
    return {name: metrics.mpjpe(positions, truth, hidden) for name, positions in results.items()}


SUITES = (
    Suite(
        "gaps",
        f"Hidden frames in the middle of pieces with {MARGIN} measured ones on either side; MPJPE of world positions "
        f"over the hidden joints and frames. Positions of the model through clean_motion, {1000 * NOISE_METRES:g} mm "
        "of noise on the rest; 'by rotation': the rig's rotations lost, through clean_take with the bones to complete. "
        f"{ROW_PIECES} pieces of the required rows, {OTHER_PIECES} of others, evenly spread over the clips. The rival "
        "is slerp of the rig's rotations, which it has without noise, or PCA gap filling, whichever has the smaller "
        "mean in the case.",
        "mm",
        BETTER,
        gaps,
    ),
)
