"""What is broken in a take, found from the take alone: so far, rotations that are held while the body moves."""

import numpy as np

from ..core import rotations as rot

FROZEN_FRAMES = 6  # a shorter hold is bridged by the smoothing anyway
_STILL_RADIANS = 1e-4  # a channel that is held has no change at all, but for the file's rounding
_JUMP = 4.0  # a frozen bone leaps back: by more than this many of its usual frame to frame changes
_NEAR_FRAMES = 15


def find_frozen(rotation: np.ndarray) -> np.ndarray:
    """Frames and bones (F, B) whose rotation (F, B, 4) is held while the bone should move.

    Held: no change over FROZEN_FRAMES or more. Should move: it moves on both sides or on the one that there is, and
    leaps where the hold ends or begins; a performer who stands still does not leap.
    """
    frozen = np.zeros(rotation.shape[:2], bool)
    change = rot.angle_between(rotation[:-1], rotation[1:])
    for bone in range(rotation.shape[1]):
        for first, last in _runs(change[:, bone] < _STILL_RADIANS):
            if last - first + 1 >= FROZEN_FRAMES - 1 and _leaps(change[:, bone], first, last):
                frozen[first + 1 : last + 2, bone] = True
    return frozen


def _runs(still: np.ndarray) -> list[tuple[int, int]]:
    """First and last index of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], still, [False]]).astype(int)))
    return [(int(a), int(b) - 1) for a, b in edges.reshape(-1, 2)]


def _leaps(change: np.ndarray, first: int, last: int) -> bool:
    beside = np.concatenate([change[max(0, first - _NEAR_FRAMES) : first], change[last + 1 : last + 1 + _NEAR_FRAMES]])
    moving = beside[beside >= _STILL_RADIANS]
    if len(moving) < 3:
        return False
    edges = [change[i] for i in (first - 1, last + 1) if 0 <= i < len(change)]
    return max(edges) > _JUMP * float(np.median(moving))
