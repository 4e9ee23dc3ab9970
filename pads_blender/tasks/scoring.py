"""What is broken in a take, scored per joint and frame: every detector, one unit of judgement for each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..core import rotations as rot
from ..core.interpolate import body_frames
from ..core.motion import Motion
from ..core.skeleton import JOINTS, MODEL
from .held import hold_scores
from .noise import estimate_noise, local_noise
from .pops import SMALLEST_LEAP_METRES, leap_scores, rotation_leap_scores
from .problem_kinds import KINDS
from .running import OnStep
from .sliding import penetration_scores, slide_scores
from .swaps import position_swap_scores, rotation_swap_scores

# Score from which on a joint-frame counts as broken, each in the unit of its detector: degrees; times what is usual;
# the logarithm of von Neumann's ratio, twice; usual steps; metres per second; metres. Near the best F1 on validation
# clips (`evaluate bench --suite detection --split validation` has it); penetration, which no suite makes: by judgement.
THRESHOLDS = {
    "jitter": 2.0,
    "pop": 1.5,
    "frozen": -0.5,
    "missing": -0.5,
    "swap": 0.5,
    "slide": 0.13,
    "penetration": 0.03,
}
_AT_REST_DEGREES = 3.0  # a bone that is held this near its rest pose was zeroed, not held
_NOT_AT_REST = 10.0  # taken off the score: it is frozen, not missing
_ORIGIN_METRES = 1e-3
_SEGMENT_METRES = 0.3  # positions that shake by so much show a segment that turns by one radian
_HELD_BY_THE_BODY = ("elbow", "wrist", "knee", "ankle", "toe")  # where a limb that stands still in the rig goes along


def score_problems(
    motion: Motion, rotation: np.ndarray | None = None, on_step: OnStep | None = None
) -> dict[str, np.ndarray]:
    """For each of KINDS how surely (F, J) a joint is broken in a frame; compare with THRESHOLDS.

    rotation (F, J, 4): the rotation of each joint's bone against its parent, where the motion comes from a rig; then
    damage is told by the bone that has it, otherwise by the joint that is displaced. on_step: see hold_scores, which is
    some of the work.
    """
    scores = _position_scores(motion, on_step) if rotation is None else _rotation_scores(motion, rotation, on_step)
    scores["slide"] = slide_scores(motion.positions, motion.fps)
    scores["penetration"] = penetration_scores(motion.positions, motion.fps)
    return {kind: np.where(motion.visible | (kind == "missing"), scores[kind], -np.inf) for kind in KINDS}


def _rotation_scores(motion: Motion, rotation: np.ndarray, on_step: OnStep | None) -> dict[str, np.ndarray]:
    channels = rot.make_continuous(rotation)
    held = hold_scores(2.0 * channels, motion.fps, on_step)
    resting = rot.angle_between(rotation, np.broadcast_to(rot.IDENTITY, rotation.shape)) < np.radians(_AT_REST_DEGREES)
    pops = _at_each_rate(rotation_leap_scores, rotation, motion.fps)
    pops[:, :1] = np.maximum(pops[:, :1], _at_each_rate(_leaps, motion.positions[:, :1], motion.fps))
    return {
        "jitter": np.degrees(local_noise(2.0 * channels, motion.fps)),
        "pop": pops,
        "frozen": held,
        "missing": np.where(resting, held, held - _NOT_AT_REST),
        "swap": rotation_swap_scores(rotation, motion.fps),
    }


def _position_scores(motion: Motion, on_step: OnStep | None) -> dict[str, np.ndarray]:
    positions, fps = motion.positions, motion.fps
    held = np.maximum(*(hold_scores(each, fps, on_step) for each in (positions, _offsets_in_body(positions))))
    zeroed = np.linalg.norm(positions, axis=-1) < _ORIGIN_METRES
    return {
        "jitter": np.degrees(local_noise(positions, fps) / _SEGMENT_METRES),
        "pop": _at_each_rate(_leaps, positions, fps),
        "frozen": held,
        "missing": np.where(motion.visible, np.where(zeroed, held, held - _NOT_AT_REST), np.inf),
        "swap": position_swap_scores(positions, fps),
    }


def _leaps(positions: np.ndarray) -> np.ndarray:
    return leap_scores(positions, estimate_noise(positions, np.ones(positions.shape[:2], bool)), SMALLEST_LEAP_METRES)


def _at_each_rate(score: Callable[[np.ndarray], np.ndarray], values: np.ndarray, fps: float) -> np.ndarray:
    """Scores (F, J) of values (F, J, C): the higher of what shows at the take's rate and at about 30 frames a second.

    A leap lasts up to a tenth of a second, which at 120 frames a second is more frames than are looked across.
    """
    scores, step = score(values), round(fps / 30.0)
    for first in range(min(step, len(values)) if step > 1 else 0):
        scores[first::step] = np.maximum(scores[first::step], score(values[first::step]))
    return scores


def _offsets_in_body(positions: np.ndarray) -> np.ndarray:
    """Offsets (F, J, 3) of limb joints from their parents as the body sees them; others keep their place."""
    parents = np.maximum(np.array(MODEL.parents), 0)
    seen = np.einsum("fjba,fjb->fja", body_frames(positions), positions - positions[:, parents])
    limb = np.array([name.endswith(_HELD_BY_THE_BODY) for name in JOINTS])
    return np.where(limb[:, None], seen, positions)
