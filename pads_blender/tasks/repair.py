"""What Clean does about a rig's problems before the prior speaks: sides exchanged back, lost limbs hidden."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from ..core import rotations as rot
from ..core.rig import RigTake
from .complete import interpolate_rotations
from .held import HELD, hold_scores
from .pops import find_rotation_leaps
from .running import OnStep, find_runs
from .swaps import ROTATION_PAIRS, LimbPair, exchange_back, exchange_score, swapped_rows
from .twist import chains_between

SURELY_HELD = 0.5  # both segments of a limb are held, and the motion was cut off: resting limbs stay below it


def joint_rotations_of(take: RigTake, bones: np.ndarray) -> np.ndarray:
    """Local rotations (F, J, 4) of the joints' bones (J,), -1 for none, which is at rest."""
    return np.where((bones >= 0)[:, None], take.rotation[:, bones], rot.IDENTITY)


def find_lost_bones(take: RigTake, bones: np.ndarray, on_step: OnStep | None = None) -> np.ndarray:
    """Frames and bones (F, B) of limbs that are held or zeroed while they should move; bones (J,), -1 for none.

    What is lost from the first frame to the last stays: nothing measured could take its place. So do most joints
    that hold together at the take's start or end: that is how takes are padded. on_step: see hold_scores.
    """
    channels = np.empty((len(take.frames), len(bones), 4))
    for joint, bone in enumerate(bones.tolist()):
        if on_step:
            on_step(joint, len(bones))
        channels[:, joint] = 2.0 * (rot.IDENTITY if bone < 0 else rot.make_continuous(take.rotation[:, bone]))
    scores = hold_scores(channels, take.fps, on_step)
    held = scores > SURELY_HELD
    held &= ~(held.all(axis=0) | _padding(held, scores > HELD))
    lost = np.zeros(take.rotation.shape[:2], bool)
    lost[:, bones[bones >= 0]] = held[:, bones >= 0]
    return lost


def _padding(held: np.ndarray, still: np.ndarray) -> np.ndarray:
    """Those stretches of the held (F, J) at a take's start or end in which most joints are still (F, J)."""
    padding, most = np.zeros_like(held), still.mean(axis=1) > 0.5
    for joint in np.flatnonzero(held.any(axis=0)):
        for first, last in find_runs(held[:, joint]):
            if (first == 0 or last == len(held) - 1) and most[first : last + 1].mean() > 0.5:
                padding[first : last + 1, joint] = True
    return padding


def bridge_leaps(take: RigTake, bones: np.ndarray, spared: np.ndarray) -> tuple[RigTake, np.ndarray]:
    """The take with bones that surely leap away and back put between their neighbours; which frames and bones (F, B).

    Joints' bones (J,), -1 for none, and those between them: what a jaw or a finger does in a flash is not known to be
    wrong. A bone leaps by itself: the rotations of those that hang on it are as good as ever, and so where they are is
    known, which the model's positions alone would not show. spared (F, B) bool: not to be touched.
    """
    body = [*bones[bones >= 0], *itertools.chain.from_iterable(chains_between(take, bones))]
    leapt = find_rotation_leaps(take.rotation, take.fps) & ~spared & np.isin(np.arange(len(take.names)), body)
    return (interpolate_rotations(take, leapt) if leapt.any() else take), leapt


def exchange_sides_back(take: RigTake, bones: np.ndarray, kept: np.ndarray) -> tuple[RigTake, np.ndarray]:
    """The take with limbs that were taken for those of the other side in their own place; frames and bones (F, B).

    kept (F, B) bool: bones that the animator vouches for; their limbs stay as they are.
    """
    rotation, exchanged = joint_rotations_of(take, bones), np.zeros(take.rotation.shape[:2], bool)
    for pair in ROTATION_PAIRS:
        joints = [joint for joint in (*pair.all_left, *pair.all_right) if bones[joint] >= 0]
        for mirrored in (False, True):
            rows = swapped_rows(exchange_score(rotation, pair, mirrored, take.fps))
            rows &= ~kept[:, bones[joints]].any(axis=1)
            if rows.any() and _has_both_sides(pair, bones):
                rotation = exchange_back(rotation, pair, mirrored, rows)
                exchanged[np.ix_(rows, bones[joints])] = True
    result = take.rotation.copy()
    for joint in np.flatnonzero(bones >= 0):
        rows = exchanged[:, bones[joint]]
        result[rows, bones[joint]] = rotation[rows, joint]
    return replace(take, rotation=result), exchanged


def _has_both_sides(pair: LimbPair, bones: np.ndarray) -> bool:
    """Whether the rig has the bones of both limbs or of neither, joint by joint."""
    return bool(np.array_equal(bones[list(pair.all_left)] >= 0, bones[list(pair.all_right)] >= 0))
