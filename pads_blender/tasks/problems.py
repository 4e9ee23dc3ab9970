"""What looks broken in a take, found from the take alone: held rotations, and joints that leap away and back."""

import numpy as np

from ..core import rotations as rot
from .noise import estimate_noise

FROZEN_FRAMES = 6  # a shorter hold is bridged by the smoothing anyway
_ABRUPT = 0.5  # against its usual change: motion that ends or begins at such speed was cut, not brought to rest
_MOSTLY_STILL = 0.4  # of the frames: some suits only turn the feet now and then
_STILL_RADIANS = 1e-4  # a channel that is held has no change at all, but for the file's rounding
_JUMP = 4.0  # a frozen bone leaps back: by more than this many of its usual frame to frame changes
_NEAR_FRAMES = 15
_POP = 4.5  # times the median distance nearby: three standard deviations of Gaussian noise
LONGEST_POP_SECONDS = 0.1
_END_FRAMES = 3
_LEAP = 8.0  # times the usual step nearby
_SMALLEST_LEAP_METRES = 0.1
SMALLEST_POP_METRES = 0.02
SMALLEST_POP_QUATERNION = 0.05  # about 6 degrees


def find_frozen(rotation: np.ndarray) -> np.ndarray:
    """Frames and bones (F, B) whose rotation (F, B, 4) is held while the bone should move.

    Held: no change over FROZEN_FRAMES or more. Should move: its motion stops and starts at full speed, or it leaps at
    one end of the hold; a performer slows down to stand still. A bone that is still for most of the take is driven so.
    """
    frozen = np.zeros(rotation.shape[:2], bool)
    change = rot.angle_between(rotation[:-1], rotation[1:])
    still = change < _STILL_RADIANS
    for bone in np.flatnonzero(still.mean(axis=0) < _MOSTLY_STILL) if len(change) else ():
        for first, last in _runs(still[:, bone]):
            if last - first + 1 >= FROZEN_FRAMES - 1 and _is_cut(change[:, bone], first, last):
                frozen[first + 1 : last + 2, bone] = True
    return frozen


def _runs(still: np.ndarray) -> list[tuple[int, int]]:
    """First and last index of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], still, [False]]).astype(int)))
    return [(int(a), int(b) - 1) for a, b in edges.reshape(-1, 2)]


def _is_cut(change: np.ndarray, first: int, last: int) -> bool:
    beside = np.concatenate([change[max(0, first - _NEAR_FRAMES) : first], change[last + 1 : last + 1 + _NEAR_FRAMES]])
    moving = beside[beside >= _STILL_RADIANS]
    if len(moving) < 3:
        return False
    edges = [change[i] for i in (first - 1, last + 1) if 0 <= i < len(change)]
    usual = float(np.median(moving))
    return max(edges) > _JUMP * usual or (len(edges) == 2 and min(edges) > _ABRUPT * usual)


def find_pops(values: np.ndarray, sigma: np.ndarray, smallest: float = SMALLEST_POP_METRES) -> np.ndarray:
    """Columns and frames (F, N) of values (F, N, C) that lie off the path of the frames around them.

    Hampel's test: further from the median of 7 frames than is usual nearby and than noise of sigma (N,) explains.
    They are pops or very quick motion: who asks must judge by other means.
    """
    if len(values) < 3:
        return np.zeros(values.shape[:2], bool)
    distance = np.linalg.norm(values - _running_median(values, 3), axis=-1)
    usual = _running_median(distance, _NEAR_FRAMES)
    return distance > np.maximum(np.maximum(_POP * usual, 2.0 * _POP * sigma), smallest)


def find_rotation_pops(rotation: np.ndarray) -> np.ndarray:
    """Frames and bones (F, B) whose rotation (F, B, 4) against the parent lies off the path of the frames around it."""
    channels = rot.make_continuous(rotation)
    sigma = estimate_noise(channels, np.ones(channels.shape[:2], bool))
    return find_pops(channels, sigma, SMALLEST_POP_QUATERNION)


def keep_short(suspect: np.ndarray, fps: float) -> np.ndarray:
    """The suspect stretches (F, N) that can be pops: a tenth of a second at most, with something before and after.

    What lasts longer is quick motion or lost tracking, and at a take's ends nothing shows that a joint comes back.
    """
    most, short = max(3, round(LONGEST_POP_SECONDS * fps)), np.zeros_like(suspect)
    for column in np.flatnonzero(suspect.any(axis=0)):
        for first, last in _runs(suspect[:, column]):
            if last - first < most and first > 0 and last < len(suspect) - 1:
                short[first : last + 1, column] = True
    return short


def find_end_leaps(values: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Up to three frames (F, N) at either end of values (F, N, C) that a leap parts from the rest, such as a T-pose.

    They are not wrong, and are to be left as they are, but must not drag the frames beside them. Where a quarter of the
    columns leap together, all do: it is another pose.
    """
    leaps = np.zeros(values.shape[:2], bool)
    for direction in (slice(None), slice(None, None, -1)):
        steps = np.linalg.norm(np.diff(values[direction][:_NEAR_FRAMES], axis=0), axis=-1)
        if len(steps) > 2 * _END_FRAMES:
            usual = np.median(steps[_END_FRAMES:], axis=0)
            large = steps[:_END_FRAMES] > np.maximum(
                np.maximum(_LEAP * usual, 2.0 * _POP * sigma), _SMALLEST_LEAP_METRES
            )
            leaps[direction][:_END_FRAMES] |= np.flip(np.maximum.accumulate(np.flip(large, axis=0), axis=0), axis=0)
    return leaps | (leaps.mean(axis=1, keepdims=True) > 0.25)


def _running_median(values: np.ndarray, reach: int) -> np.ndarray:
    """Median over reach frames on either side along the first axis, ends held."""
    padded = np.pad(values, ((reach, reach), *((0, 0),) * (values.ndim - 1)), mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0), axis=-1)
