"""How bones are turned, by two witnesses: the places of the joints, and the take's own rotations, smoothed.

A place tells little about a short bone, such as a head or a foot; a measured rotation tells that well, once its jitter
is averaged out, but along a chain of bones such errors add up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..core import rotations as rot
from ..core.retarget import Residual, joint_rotations, rig_positions, turn_bones
from ..core.rig import RigTake
from . import temporal
from .locations import find_moved_limbs
from .noise import estimate_noise
from .pieces import one_by_one
from .pops import SMALLEST_POP_QUATERNION, find_pops
from .running import OnStep

# On eight validation clips with jitter of 0, 1 and 3 degrees and with pops; half or twice of either changes the errors
# of positions and rotations by 3 % or less. Smoothing the difference from `placed` instead: 8 % more rotation error.
_TURN_ERROR = 0.25  # of a rotation's jitter, that stays in it once it is smoothed
_PLACE_ERROR = 0.1  # of a joint's noise, by which it may leave the place that it was given
_USUAL_RADIANS = 0.1  # correction of a rotation
_CHUNK = 256  # frames solved at once, which bounds the memory
_SHORTEST = 9  # frames in which jitter can be told from motion


@dataclass(frozen=True)
class _Testimony:
    """What the take itself says: changes (F, N, 3) that lead to it, and their precision (F, N)."""

    change: np.ndarray
    precision: np.ndarray

    def rows(self, rows: slice) -> _Testimony:
        """Some of the frames."""
        return _Testimony(self.change[rows], self.precision[rows])


def heed_turns(
    residual: Residual,
    measured: RigTake,
    placed: RigTake,
    noise: np.ndarray,
    unheard: np.ndarray,
    strength: float = 1.0,
    on_step: OnStep | None = None,
) -> RigTake:
    """The take `placed`, whose joints lie where they should, with its bones turned more as they were measured.

    measured: a take of the same rig and frames; noise (J,) of its joints in the model's metres; unheard (F, B):
    rotations of it that say nothing. Least squares in each frame, to first order: every joint keeps its place and every
    mapped bone its measured rotation against its parent bone, as exactly as either is known. on_step(step, steps)
    before each part of this; may raise to stop.
    """
    if len(placed.frames) < _SHORTEST or not strength:
        return placed
    joints = np.flatnonzero(residual.bones >= 0)
    bones, unheard = residual.bones[joints], unheard | find_moved_limbs(measured, residual.bones)
    places, goals = (rig_positions(residual, take)[:, joints] for take in (placed, measured))
    axes = rot.to_matrix(joint_rotations(residual, placed)[:, joints])
    turns = _hear_turns(measured, placed, bones, unheard[:, bones])
    turns = replace(turns, change=np.einsum("fnij,fnj->fni", axes, turns.change))
    travel = _hear_travel(goals[:, :1], places[:, :1], unheard[:, bones[:1]])
    said = _Testimony(*(np.concatenate([getattr(each, n) for each in (turns, travel)], 1) for n in vars(turns)))
    carried, found = _carried(placed, bones), np.empty(said.change.shape)
    for rows in one_by_one([slice(first, first + _CHUNK) for first in range(0, len(places), _CHUNK)], on_step):
        moves = _moves(places[rows], 1.0 / (_PLACE_ERROR * noise[joints]), carried)
        found[rows] = strength * _agree(moves, said.rows(rows))
    turned = np.einsum("fnji,fnj->fni", axes, found[:, :-1])
    rotation = placed.rotation.copy()
    rotation[:, bones] = rot.multiply(rotation[:, bones], rot.from_rotation_vector(turned))
    return turn_bones(residual, replace(placed, rotation=rotation), {}, found[:, -1])


def _hear_turns(measured: RigTake, placed: RigTake, bones: np.ndarray, unheard: np.ndarray) -> _Testimony:
    """Rotation vectors, in the bones' own axes, that lead to the measured rotations without their jitter."""
    channels = rot.make_continuous(measured.rotation[:, bones])
    sigma = estimate_noise(channels, ~unheard)
    weight = 1.0 - (unheard | find_pops(channels, sigma, SMALLEST_POP_QUATERNION))
    smoothed = rot.normalise(temporal.smooth(channels, weight, sigma))
    turn = rot.multiply(rot.inverse(rot.normalise(placed.rotation[:, bones])), smoothed)
    change = rot.to_rotation_vector(np.where(turn[..., :1] < 0, -turn, turn))
    return _Testimony(change, weight / (2.0 * _TURN_ERROR * sigma) ** 2)  # a quaternion holds half an angle


def _hear_travel(measured: np.ndarray, placed: np.ndarray, unheard: np.ndarray) -> _Testimony:
    """Shifts from where a joint was placed (F, 1, 3) to where it was measured, without the jitter of either."""
    away = measured - placed
    sigma = estimate_noise(away, ~unheard)
    weight = 1.0 - (unheard | find_pops(away, sigma))
    return _Testimony(temporal.smooth(away, weight, sigma), weight / (_TURN_ERROR * sigma) ** 2)


def _carried(take: RigTake, bones: np.ndarray) -> np.ndarray:
    """Whether a bone (first index) is carried by another one (second) above it, (N, N) bool."""
    carried = np.zeros((len(bones), len(bones)), bool)
    for number, bone in enumerate(bones):
        above = int(take.parents[bone])
        while above >= 0:
            carried[number] |= bones == above
            above = int(take.parents[above])
    return carried


def _moves(places: np.ndarray, precision: np.ndarray, carried: np.ndarray) -> np.ndarray:
    """Moves (F, N, 3, N + 1, 3) of joints: joint, coordinate, bone that turns (or travel of the first), axis.

    places (F, N, 3); precision (N,) by which a joint's moves count; carried (N, N). The axes are the model's.
    """
    count = len(carried)
    arms = (places[:, :, None] - places[:, None]) * (carried * precision[:, None])[..., None]
    moves = np.zeros((len(places), count, 3, count + 1, 3))
    for axis in range(3):
        after, last = (axis + 1) % 3, (axis + 2) % 3
        moves[:, :, last, :-1, axis] = arms[..., after]
        moves[:, :, after, :-1, axis] = -arms[..., last]
    travels = carried[:, 0] | (np.arange(count) == 0)
    moves[:, :, :, -1] = np.eye(3) * (travels * precision)[:, None, None]
    return moves


def _agree(moves: np.ndarray, said: _Testimony) -> np.ndarray:
    """Changes (F, N + 1, 3) with the least sum of squares: of the joints' moves, in units of their error, of what is
    left of what was said, and of the changes themselves.
    """
    frames, size = len(moves), said.change[0].size
    matrix = moves.reshape(frames, -1, size)
    precision = np.repeat(said.precision, 3, axis=1)
    normal = np.swapaxes(matrix, 1, 2) @ matrix
    normal[:, range(size), range(size)] += precision + 1.0 / _USUAL_RADIANS**2
    return np.linalg.solve(normal, (precision * said.change.reshape(frames, -1))[..., None]).reshape(said.change.shape)
