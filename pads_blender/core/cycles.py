"""Loops stay closed: what is added to the two ends of a cycle is the same. Knows arrays only."""

import numpy as np


def close_ends(changes: np.ndarray, frames: np.ndarray, first: float, last: float, reach: float) -> np.ndarray:
    """Changes (F, N) at frames (F,) that agree at frames first and last: each gives way by half, over `reach`."""
    if not len(frames):
        return changes
    ends = [np.array([np.interp(frame, frames, column) for column in changes.T]) for frame in (first, last)]
    reach, half = min(reach, 0.5 * (last - first)), 0.5 * (ends[1] - ends[0])
    if reach <= 0.0:
        return changes
    return changes + half * (_fade((frames - first) / reach) - _fade((last - frames) / reach))[:, None]


def _fade(distance: np.ndarray) -> np.ndarray:
    """From 1 at no distance (and beyond the end) to 0 at 1, level at both ends."""
    t = 1.0 - np.clip(distance, 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)
