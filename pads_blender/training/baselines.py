"""What an animator has without a prior: filters and interpolation, each at its best. SciPy; used for measuring only."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import butter, sosfiltfilt

BUTTERWORTH_HERTZ = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0, 14.0)
GAUSSIAN_FRAMES = (0.3, 0.5, 0.7, 0.85, 1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 5.0)


def butterworth(values: np.ndarray, cutoff_hertz: float, fps: float, order: int = 2) -> np.ndarray:
    """Zero-phase Butterworth along the first axis of (F, ...); ends extended, as Blender's own filter does."""
    if cutoff_hertz >= 0.49 * fps or len(values) < 4:
        return values.copy()
    sections = butter(order, cutoff_hertz, fs=fps, output="sos")
    return sosfiltfilt(sections, values, axis=0, padtype="odd", padlen=min(len(values) - 1, 30))


def gaussian(values: np.ndarray, width_frames: float) -> np.ndarray:
    """Gaussian smoothing along the first axis of (F, ...), ends held."""
    return gaussian_filter1d(values, width_frames, axis=0, mode="nearest")


def filter_family(fps: float) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Every setting of both filters, by name."""
    family = {f"butterworth {hz:g} Hz order {n}": _butterworth(hz, fps, n) for hz in BUTTERWORTH_HERTZ for n in (2, 4)}
    return family | {f"gaussian {w:g} frames": _gaussian(w) for w in GAUSSIAN_FRAMES}


def _butterworth(cutoff: float, fps: float, order: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda values: butterworth(values, cutoff, fps, order)


def _gaussian(width: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda values: gaussian(values, width)


def oracle(
    values: np.ndarray, fps: float, error: Callable[[np.ndarray], float]
) -> tuple[float, str]:
    """Smallest error that any setting reaches on this clip, chosen with the truth, and the setting's name."""
    return min((error(smooth(values)), name) for name, smooth in filter_family(fps).items())
