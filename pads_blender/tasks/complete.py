"""Bones whose rotation is not to be trusted: hidden from the measurement, bridged by interpolation, then refined."""

from dataclasses import dataclass, replace

import numpy as np

from ..core import rotations as rot
from ..core.interpolate import bracket
from ..core.rig import RigTake
from ..core.skeleton import MODEL
from ..errors import TakeError

# What the interpolated rotations of a hidden arm are worth: rms error per coordinate (metres) of elbow and wrist,
# against the distance in frames at 30 fps to the nearest measured frame. Measured on validation subjects (`evaluate
# fill`, table in docs/benchmark.md); grows about like a square root and levels off. Legs are about twice as far off.
FILL_ERROR_METRES = 0.02
FILL_ERROR_LIMIT_METRES = 0.10
LONGEST_SPIN_SECONDS = 2.0


@dataclass(frozen=True)
class HiddenBones:
    """Bones to complete, from first to last scene frame, both included; None: from the start, to the end."""

    bones: tuple[str, ...]
    first: float | None = None
    last: float | None = None


def hidden_rows(take: RigTake, wanted: tuple[HiddenBones, ...]) -> np.ndarray:
    """Which bone rotations (F, B) are to be completed; raises TakeError for a bone or a range that is not there."""
    hidden = np.zeros(take.rotation.shape[:2], bool)
    for part in wanted:
        rows = np.ones(len(take.frames), bool)
        rows &= take.frames >= (-np.inf if part.first is None else part.first)
        rows &= take.frames <= (np.inf if part.last is None else part.last)
        if not rows.any():
            raise TakeError(f"No frame of the take lies in {part.first:g} to {part.last:g}: choose frames inside it.")
        for bone in part.bones:
            if bone not in take.names:
                raise TakeError(f"The rig has no bone called {bone}: check the spelling of the bones to complete.")
            hidden[rows, take.names.index(bone)] = True
    return hidden


def hidden_joints(hidden: np.ndarray, bones: np.ndarray) -> np.ndarray:
    """Model joints (F, J) that the hidden bones (F, B) leave unknown: those their own joint's segments lead to, and on.

    bones (J,) is the bone of each joint, -1 for none.
    """
    untrusted = np.where(bones >= 0, hidden[:, bones], False)
    lost = np.zeros_like(untrusted)
    for joint, parent in enumerate(MODEL.parents):
        if parent >= 0:
            lost[:, joint] = untrusted[:, parent] | lost[:, parent]
    return lost


def interpolate_rotations(take: RigTake, hidden: np.ndarray) -> RigTake:
    """The take with each hidden bone rotation (F, B) replaced by slerp between the measured ones beside it.

    A bone that is hidden in all frames comes to rest.
    """
    rotation, columns = take.rotation.copy(), np.flatnonzero(hidden.any(axis=0))
    rotation[:, columns] = bridge_rotations(take.rotation[:, columns], hidden[:, columns], take.fps)
    return replace(take, rotation=rotation)


def bridge_rotations(rotation: np.ndarray, hidden: np.ndarray, fps: float) -> np.ndarray:
    """Rotations (F, N, 4), where hidden (F, N) by slerp between those beside; held at the ends, at rest if never seen.

    A bone that spins on both sides of a short gap, such as a forearm about itself, spins on through it.
    """
    bridged = np.where(hidden.all(axis=0)[:, None], rot.IDENTITY, rotation)
    for column in np.flatnonzero(hidden.any(axis=0) & ~hidden.all(axis=0)):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], hidden[:, column], [False]]).astype(int)))
        for first, stop in edges.reshape(-1, 2):
            bridged[first:stop, column] = _bridge(rotation[:, column], hidden[:, column], first, stop, fps)
    return bridged


def _bridge(rotation: np.ndarray, hidden: np.ndarray, first: int, stop: int, fps: float) -> np.ndarray:
    """Rotations (N, 4), or one for all, for the hidden rows first (included) to stop (excluded) of rotation (F, 4)."""
    if first == 0 or stop == len(rotation):
        return rotation[stop if first == 0 else first - 1]
    gap = stop - first + 1
    turn = rot.to_rotation_vector(rot.multiply(rotation[stop], rot.inverse(rotation[first - 1])))
    if gap <= LONGEST_SPIN_SECONDS * fps and np.linalg.norm(turn) > 0.5 * np.pi:
        speeds = [_speed(rotation, hidden, first - 1, -1, gap), _speed(rotation, hidden, stop, 1, gap)]
        turn = _way_round(turn, gap * np.array(speeds))
    t = np.arange(1, gap)[:, None] / gap
    return rot.multiply(rot.from_rotation_vector(t * turn), rotation[first - 1])


def _speed(rotation: np.ndarray, hidden: np.ndarray, row: int, direction: int, gap: int) -> np.ndarray:
    """Rotation vector (3,) in radians per frame at a row, from seen rows in that direction, a quarter of the gap's."""
    ahead = row + direction * np.arange(1, max(4, gap // 4) + 1)
    ahead = ahead[(ahead >= 0) & (ahead < len(rotation))]
    count = int(np.argmax(hidden[ahead])) if hidden[ahead].any() else len(ahead)
    if not count:
        return np.zeros(3)
    other = rotation[row + direction * count]
    return direction * rot.to_rotation_vector(rot.multiply(other, rot.inverse(rotation[row]))) / count


def _way_round(turn: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """The rotation vector (3,) in radians or the one that gets there the other way round.

    expected (2, 3): what the speeds before and after would make of it. The long way is taken only if both lead at least
    half of it, which jitter does not.
    """
    long_way = turn * (1.0 - 2.0 * np.pi / np.linalg.norm(turn))
    return long_way if (expected @ long_way > 0.5 * long_way @ long_way).all() else turn


def fill_noise(lost: np.ndarray, fps: float) -> np.ndarray:
    """What the classical fill is worth (F, J): its error in metres per coordinate, zero where the joint is not lost."""
    frames = len(lost)
    before, after = bracket(~lost)
    index = np.arange(frames)[:, None]
    nearest = np.minimum(np.where(before >= 0, index - before, frames), np.where(after < frames, after - index, frames))
    error = FILL_ERROR_METRES * np.sqrt(nearest * 30.0 / fps)
    return np.where(lost, np.clip(error, FILL_ERROR_METRES, FILL_ERROR_LIMIT_METRES), 0.0)
