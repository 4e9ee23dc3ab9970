"""Bones whose rotation is not to be trusted: hidden from the measurement, bridged by interpolation, then refined."""

from dataclasses import dataclass, replace

import numpy as np

from ..core import rotations as rot
from ..core.interpolate import bracket
from ..core.rig import RigTake
from ..core.skeleton import MODEL
from ..errors import TakeError
from . import pieces
from .running import OnStep

# What the interpolated rotations of a hidden arm are worth: rms error per coordinate (metres) of elbow and wrist,
# against the distance in frames at 30 fps to the nearest measured frame. Measured on validation subjects (`evaluate
# fill`, table in docs/benchmark.md); grows about like a square root and levels off. Legs are about twice as far off.
FILL_ERROR_METRES = 0.02
FILL_ERROR_LIMIT_METRES = 0.10
LONGEST_SPIN_SECONDS = 2.0
# A spin that goes on: with these no wrong turn in 65,912 gaps of validation takes.
_LEAST_SPIN_RADIANS, _ALONG_AXIS, _SPEED_FRAMES = 0.5 * np.pi, 0.9, 10


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
        rows = frames_between(take, part.first, part.last)
        if not rows.any():
            where = describe_range(part.first, part.last)
            raise TakeError(f"No frame of the chosen range lies {where}: choose frames to complete inside it.")
        for bone in part.bones:
            if bone not in take.names:
                raise TakeError(f"The rig has no bone called {bone}: check the spelling of the bones to complete.")
            hidden[rows, take.names.index(bone)] = True
    return hidden


def frames_between(take: RigTake, first: float | None, last: float | None) -> np.ndarray:
    """Which frames (F,) lie between two scene frames, both included; None: from the start, to the end."""
    return (take.frames >= (-np.inf if first is None else first)) & (take.frames <= (np.inf if last is None else last))


def describe_range(first: float | None, last: float | None) -> str:
    """Two scene frames, one of which may be open, in words that follow `lies`."""
    if first is None:
        return f"up to {last:g}"
    return f"from {first:g} on" if last is None else f"in {first:g} to {last:g}"


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


def interpolate_rotations(take: RigTake, hidden: np.ndarray, on_step: OnStep | None = None) -> RigTake:
    """The take with each hidden bone rotation (F, B) replaced by slerp between the measured ones beside it.

    A bone that is hidden in all frames comes to rest. on_step(step, steps) before each part of the work; may raise to
    stop.
    """
    rotation, axes = pieces.copied(take.rotation, on_step), _own_axes(take)
    for bone in np.flatnonzero(hidden.any(axis=0)).tolist():
        if on_step:
            on_step(bone, len(take.names))
        one = slice(bone, bone + 1)
        rotation[:, one] = bridge_rotations(take.rotation[:, one], hidden[:, one], axes[one], take.fps)
    return replace(take, rotation=rotation)


def _own_axes(take: RigTake) -> np.ndarray:
    """Unit vector (B, 3) from each bone to its first child in the bone's own axes at rest; zero where it has none."""
    axes = np.zeros((len(take.names), 3))
    for child, parent in reversed(list(enumerate(take.parents))):
        if parent >= 0:
            axes[parent] = take.rest[parent, :3, :3].T @ (take.rest[child, :3, 3] - take.rest[parent, :3, 3])
    return rot.unit(axes)


def bridge_rotations(rotation: np.ndarray, hidden: np.ndarray, axes: np.ndarray, fps: float) -> np.ndarray:
    """Rotations (F, N, 4), where hidden (F, N) by slerp between those beside; held at the ends, at rest if never seen.

    A bone that spins about its own axis (N, 3) on both sides of a short gap spins on through it.
    """
    bridged = np.where(hidden.all(axis=0)[:, None], rot.IDENTITY, rotation)
    for column in np.flatnonzero(hidden.any(axis=0) & ~hidden.all(axis=0)):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], hidden[:, column], [False]]).astype(int)))
        for first, stop in edges.reshape(-1, 2):
            may_spin = stop - first < LONGEST_SPIN_SECONDS * fps
            bridged[first:stop, column] = _bridge(
                rotation[:, column], hidden[:, column], first, stop, axes[column] * may_spin
            )
    return bridged


def _bridge(rotation: np.ndarray, hidden: np.ndarray, first: int, stop: int, axis: np.ndarray) -> np.ndarray:
    """Rotations (N, 4), or one for all, for the hidden rows first (included) to stop (excluded) of rotation (F, 4)."""
    if first == 0 or stop == len(rotation):
        return rotation[stop if first == 0 else first - 1]
    gap = stop - first + 1
    turn = rot.to_rotation_vector(rot.multiply(rot.inverse(rotation[first - 1]), rotation[stop]))
    expected = gap * np.array([_twist_speed(rotation, hidden, *end, axis) for end in ((first - 1, -1), (stop, 1))])
    t = np.arange(1, gap)[:, None] / gap
    return rot.multiply(rotation[first - 1], rot.from_rotation_vector(t * _way_round(turn, axis, expected)))


def _twist_speed(rotation: np.ndarray, hidden: np.ndarray, row: int, direction: int, axis: np.ndarray) -> float:
    """Radians per frame about the bone's own axis beside a row, from the seen rows that follow in that direction."""
    ahead = row + direction * np.arange(1, _SPEED_FRAMES + 1)
    ahead = ahead[(ahead >= 0) & (ahead < len(rotation))]
    count = int(np.argmax(hidden[ahead])) if hidden[ahead].any() else len(ahead)
    if not count:
        return 0.0
    step = rot.multiply(rot.inverse(rotation[row]), rotation[row + direction * count])
    return direction / count * float(rot.to_rotation_vector(step) @ axis)


def _way_round(turn: np.ndarray, axis: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """The rotation vector (3,) in radians, or the one that gets there the other way round.

    expected (2,): the twist that the speeds before and after would make. The long way is taken only for a turn about
    the bone's own axis, and only where both lead there: hinges such as elbows swing to and fro and never go round.
    """
    angle = float(np.linalg.norm(turn))
    if angle < _LEAST_SPIN_RADIANS or abs(turn @ axis) < _ALONG_AXIS * angle:
        return turn
    long_way = turn * (1.0 - 2.0 * np.pi / angle)
    share = expected / (long_way @ axis)
    return long_way if share.min() > 0.1 and share.mean() > 0.25 else turn


def fill_noise(lost: np.ndarray, fps: float) -> np.ndarray:
    """What the classical fill is worth (F, J): its error in metres per coordinate, zero where the joint is not lost."""
    frames = len(lost)
    before, after = bracket(~lost)
    index = np.arange(frames)[:, None]
    nearest = np.minimum(np.where(before >= 0, index - before, frames), np.where(after < frames, after - index, frames))
    error = FILL_ERROR_METRES * np.sqrt(nearest * 30.0 / fps)
    return np.where(lost, np.clip(error, FILL_ERROR_METRES, FILL_ERROR_LIMIT_METRES), 0.0)
