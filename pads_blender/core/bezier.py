"""Bezier segments between keys as Blender evaluates them, many frames at once. Knows arrays only."""

import numpy as np

_STEPS = 60  # at most; each at least halves the interval, and most need five
_CLOSE = 1e-12


def bezier_values(
    frames: np.ndarray, start: np.ndarray, out: np.ndarray, into: np.ndarray, end: np.ndarray
) -> np.ndarray:
    """Values (F,) at frames (F,), each in a segment from key start by handles out and into to key end, all (F, 2)."""
    length = end[:, 0] - start[:, 0]
    out, into = _shortened(start, out, length), _shortened(end, into, length)
    share = _share_at(frames, start[:, 0], out[:, 0], into[:, 0], end[:, 0])
    return _cubic(share, start[:, 1], out[:, 1], into[:, 1], end[:, 1])


def _shortened(start: np.ndarray, handle: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Handles (F, 2) no longer in time than their segment (F,), so that time never runs backwards, as in Blender."""
    reach = np.abs(handle[:, 0] - start[:, 0])
    return start + np.where(reach > length, length / np.maximum(reach, _CLOSE), 1.0)[:, None] * (handle - start)


def _cubic(share: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    rest = 1.0 - share
    return rest**3 * a + 3.0 * rest**2 * share * b + 3.0 * rest * share**2 * c + share**3 * d


def _share_at(times: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Curve parameters (F,), 0 to 1, at which the segments reach these times: Newton's steps inside a bracket."""
    low, high = np.zeros_like(times), np.ones_like(times)
    share = np.clip((times - a) / np.maximum(d - a, _CLOSE), 0.0, 1.0)
    for _ in range(_STEPS):
        off = _cubic(share, a, b, c, d) - times
        if np.abs(off).max(initial=0.0) < _CLOSE * max(1.0, np.abs(times).max(initial=0.0)):
            break
        low, high = np.where(off < 0, share, low), np.where(off > 0, share, high)
        rest = 1.0 - share
        slope = 3.0 * (rest**2 * (b - a) + 2.0 * rest * share * (c - b) + share**2 * (d - c))
        step = share - off / np.where(np.abs(slope) > _CLOSE, slope, 1.0)
        is_inside = (np.abs(slope) > _CLOSE) & (step > low) & (step < high)
        share = np.where(is_inside, step, 0.5 * (low + high))
    return np.where(np.isnan(times), np.nan, share)  # halving finds a place for any time
