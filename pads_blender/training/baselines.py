"""What an animator has without a prior: filters and interpolation, each at its best. SciPy; used for measuring only."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from scipy.ndimage import gaussian_filter1d, median_filter
from scipy.signal import butter, sosfiltfilt

# Dense enough that a finer grid moves the best error by less than a hundredth (tests/training/test_baselines.py).
BUTTERWORTH_HERTZ = np.geomspace(0.5, 14.0, 36)
BUTTERWORTH_ORDERS = (2, 4)
GAUSSIAN_FRAMES = np.geomspace(0.3, 8.0, 36)
_MAD_TO_SIGMA = 1.4826

Filter = Callable[[np.ndarray], np.ndarray]


def butterworth(values: np.ndarray, cutoff_hertz: float, fps: float, order: int = 2) -> np.ndarray:
    """Zero-phase Butterworth along the first axis of (F, ...); ends extended, as Blender's own filter does."""
    if cutoff_hertz >= 0.49 * fps or len(values) < 4:
        return values.copy()
    sections = butter(order, cutoff_hertz, fs=fps, output="sos")
    return sosfiltfilt(sections, values, axis=0, padtype="odd", padlen=min(len(values) - 1, 30))


def gaussian(values: np.ndarray, width_frames: float) -> np.ndarray:
    """Gaussian smoothing along the first axis of (F, ...), ends held."""
    return gaussian_filter1d(values, width_frames, axis=0, mode="nearest")


def hampel(values: np.ndarray, reach_frames: int = 3, sigmas: float = 3.0) -> np.ndarray:
    """Values (F, ...) with what lies beyond so many robust deviations of its neighbours replaced by their median."""
    window = (2 * reach_frames + 1, *[1] * (values.ndim - 1))
    middle = median_filter(values, window, mode="nearest")
    away = np.abs(values - middle)
    return np.where(away > sigmas * _MAD_TO_SIGMA * median_filter(away, window, mode="nearest"), middle, values)


def filter_family(fps: float) -> dict[str, Filter]:
    """Every setting of both filters, by name, and leaving the take as it is."""
    family: dict[str, Filter] = {"none": np.copy}
    for order in BUTTERWORTH_ORDERS:
        family |= {f"butterworth {hz:.3g} Hz order {order}": _butterworth(hz, fps, order) for hz in BUTTERWORTH_HERTZ}
    return family | {f"gaussian {width:.3g} frames": _gaussian(width) for width in GAUSSIAN_FRAMES}


def _butterworth(cutoff: float, fps: float, order: int) -> Filter:
    return lambda values: butterworth(values, cutoff, fps, order)


def _gaussian(width: float) -> Filter:
    return lambda values: gaussian(values, width)


def sweep(
    values: np.ndarray, family: dict[str, Filter], error: Callable[[np.ndarray], float], prefix: str = ""
) -> dict[str, float]:
    """Error of every filter of a family on these values (F, ...); prefix: for the names."""
    return {prefix + name: error(smooth(values)) for name, smooth in family.items()}


def best(errors: dict[str, float]) -> tuple[float, str]:
    """Smallest error and the setting that reached it: an oracle, since the errors need the truth."""
    return min((value, name) for name, value in errors.items())


def best_on_average(sweeps: Iterable[dict[str, float]]) -> str:
    """The one setting with the smallest mean error over several clips: what tuning on other takes would choose."""
    sweeps = list(sweeps)
    return best({name: float(np.mean([errors[name] for errors in sweeps])) for name in sweeps[0]})[1]


def oracle(values: np.ndarray, fps: float, error: Callable[[np.ndarray], float]) -> tuple[float, str]:
    """Smallest error that any setting reaches on this clip, chosen with the truth, and the setting's name."""
    return best(sweep(values, filter_family(fps), error))
