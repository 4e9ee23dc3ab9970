"""Loops stay closed: what is added to the two ends of a cycle is the same. Knows arrays only."""

import numpy as np

from .easing import ease


def close_ends(changes: np.ndarray, frames: np.ndarray, first: float, last: float, reach: float) -> np.ndarray:
    """Changes (F, N) at frames (F,) that agree at frames first and last: each gives way by half, over `reach`."""
    if not len(frames):
        return changes
    ends = [np.array([np.interp(frame, frames, column) for column in changes.T]) for frame in (first, last)]
    reach, half = min(reach, 0.5 * (last - first)), 0.5 * (ends[1] - ends[0])
    if reach <= 0.0:
        return changes
    return changes + half * (ease(1.0 - (frames - first) / reach) - ease(1.0 - (last - frames) / reach))[:, None]
