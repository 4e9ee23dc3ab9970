"""What an animator has without a prior: filters, each at its best setting. SciPy; used for measuring only."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable

import numpy as np
from scipy.ndimage import gaussian_filter1d, median_filter
from scipy.signal import butter, savgol_filter, sosfiltfilt

from ..core.interpolate import interpolate_hidden

# Dense enough that a finer grid moves the best error by less than a hundredth (tests/training/test_baselines.py).
BUTTERWORTH_HERTZ = np.geomspace(0.5, 14.0, 36)
BUTTERWORTH_ORDERS = (2, 4)
GAUSSIAN_FRAMES = np.geomspace(0.3, 8.0, 36)
SAVITZKY_GOLAY_FRAMES = range(5, 42, 2)
SAVITZKY_GOLAY_ORDERS = (2, 3, 4)
KALMAN_RATIOS = {"velocity": np.geomspace(0.01, 1e5, 36), "acceleration": np.geomspace(0.01, 1e7, 36)}
ONE_EURO_HERTZ = np.geomspace(0.5, 12.0, 8)
ONE_EURO_BETAS = (0.0, 1.0, 3.0, 9.0)  # hertz for each metre or radian a second
# frames on either side, and robust deviations; none: the median itself
HAMPELS = {f"hampel {n} frames {k:g} sigmas": (n, k) for n in (2, 3, 5, 8) for k in (0.0, 1.5, 3.0, 4.5)}
HAMPEL_HERTZ = np.geomspace(0.3, 14.0, 22)
RANKS = (4, 8, 16)
_MAD_TO_SIGMA = 1.4826

Filter = Callable[[np.ndarray], np.ndarray]
Error = Callable[[np.ndarray], float]
Sweep = Callable[[np.ndarray, dict[str, Filter], Error, str], dict[str, float]]


# --- filters of the first axis ----------------------------------------------------------------------------------------


def butterworth(values: np.ndarray, cutoff_hertz: float, fps: float, order: int = 2) -> np.ndarray:
    """Zero-phase Butterworth along the first axis of (F, ...); ends extended, as Blender's own filter does."""
    if cutoff_hertz >= 0.49 * fps or len(values) < 4:
        return values.copy()
    sections = butter(order, cutoff_hertz, fs=fps, output="sos")
    return sosfiltfilt(sections, values, axis=0, padtype="odd", padlen=min(len(values) - 1, 30))


def gaussian(values: np.ndarray, width_frames: float) -> np.ndarray:
    """Gaussian smoothing along the first axis of (F, ...), ends held."""
    return gaussian_filter1d(values, width_frames, axis=0, mode="nearest")


def savitzky_golay(values: np.ndarray, frames: int, order: int) -> np.ndarray:
    """Polynomials of that order fitted to windows of so many frames of (F, ...), the ends on the outermost window."""
    return savgol_filter(values, frames, order, axis=0, mode="interp")


def kalman_smoother(values: np.ndarray, ratio: float, model: str) -> np.ndarray:
    """Rauch-Tung-Striebel smoother of (F, ...) for constant velocity or acceleration, nothing known at the start.

    ratio: variance of the measurement by that of the change of velocity (acceleration) from frame to frame. What both
    passes of the filter return is the minimiser of |y - x|^2 + ratio |D x|^2, D the second (third) difference.
    """
    identity = np.eye(len(values))
    difference = np.diff(identity, {"velocity": 2, "acceleration": 3}[model], axis=0)
    flat = values.reshape(len(values), -1)
    return np.linalg.solve(identity + ratio * difference.T @ difference, flat).reshape(values.shape)


def one_euro(values: np.ndarray, fps: float, least_hertz: float, beta: float) -> np.ndarray:
    """The One-Euro filter of Casiez 2012 on (F, ...): causal, so it lags; beta: hertz more for each unit a second."""
    smooth, speed = np.array(values, float), np.zeros(values.shape[1:])
    share = _low_pass_share(1.0, fps)
    for frame in range(1, len(values)):
        speed = speed + share * ((values[frame] - values[frame - 1]) * fps - speed)
        alpha = _low_pass_share(least_hertz + beta * np.abs(speed), fps)
        smooth[frame] = smooth[frame - 1] + alpha * (values[frame] - smooth[frame - 1])
    return smooth


def _low_pass_share(hertz: float | np.ndarray, fps: float) -> float | np.ndarray:
    """How much of the new value a first-order low pass of that cutoff takes."""
    return 1.0 / (1.0 + fps / (2.0 * np.pi * hertz))


def hampel(values: np.ndarray, reach_frames: int = 3, sigmas: float = 3.0) -> np.ndarray:
    """Values (F, ...) with what lies beyond so many robust deviations of its neighbours replaced by their median."""
    window = (2 * reach_frames + 1, *[1] * (values.ndim - 1))
    middle = median_filter(values, window, mode="nearest")
    away = np.abs(values - middle)
    return np.where(away > sigmas * _MAD_TO_SIGMA * median_filter(away, window, mode="nearest"), middle, values)


def low_rank(values: np.ndarray, known: np.ndarray, rank: int, rounds: int = 15) -> np.ndarray:
    """Values (F, J, 3) whose unknown joints and frames follow the first principal motions of the rest.

    known (F, J) bool; Mazumder 2010's iteration with a fixed rank, from linear interpolation.
    """
    where = np.repeat(known, values.shape[2], axis=1)
    given = interpolate_hidden(values, known).reshape(len(values), -1)
    filled = given
    for _ in range(rounds):
        mean = filled.mean(axis=0)
        left, size, right = np.linalg.svd(filled - mean, full_matrices=False)
        filled = np.where(where, given, mean + (left[:, :rank] * size[:rank]) @ right[:rank])
    return filled.reshape(values.shape)


# --- families of settings ---------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=32)
def filter_family(fps: float, frames: int) -> dict[str, Filter]:
    """Every setting of the zero-phase filters for that many frames, by name, and leaving the take as it is.

    They are linear, so each is tried as one matrix (F, F), which is much quicker than filtering again and again.
    """
    filters: dict[str, Filter] = {}
    for order in BUTTERWORTH_ORDERS:
        filters |= {
            f"butterworth {hz:.3g} Hz order {order}": functools.partial(
                butterworth, cutoff_hertz=hz, fps=fps, order=order
            )
            for hz in BUTTERWORTH_HERTZ
        }
    filters |= {f"gaussian {w:.3g} frames": functools.partial(gaussian, width_frames=w) for w in GAUSSIAN_FRAMES}
    filters |= {
        f"savitzky-golay {length} frames order {order}": functools.partial(savitzky_golay, frames=length, order=order)
        for length in SAVITZKY_GOLAY_FRAMES
        for order in SAVITZKY_GOLAY_ORDERS
        if length <= frames
    }
    for model, ratios in KALMAN_RATIOS.items():
        filters |= {
            f"kalman {model} {ratio:.3g}": functools.partial(kalman_smoother, ratio=ratio, model=model)
            for ratio in ratios
        }
    return {"none": np.copy} | {name: _as_matrix(smooth, frames) for name, smooth in filters.items()}


@functools.lru_cache(maxsize=32)
def butterworth_family(fps: float, frames: int) -> dict[str, Filter]:
    """What smooths after Hampel has taken the leaps out: Butterworth of order 2, and nothing."""
    after = {
        f"butterworth {hz:.3g} Hz order 2": functools.partial(butterworth, cutoff_hertz=hz, fps=fps)
        for hz in HAMPEL_HERTZ
    }
    return {"none": np.copy} | {name: _as_matrix(smooth, frames) for name, smooth in after.items()}


def _as_matrix(smooth: Filter, frames: int) -> Filter:
    matrix = smooth(np.eye(frames))
    return lambda values: (matrix @ values.reshape(frames, -1)).reshape(values.shape)


def one_euro_family(fps: float) -> dict[str, Filter]:
    """The causal filter, every setting."""
    return {
        f"one-euro {hz:.3g} Hz beta {beta:g}": functools.partial(one_euro, fps=fps, least_hertz=hz, beta=beta)
        for hz in ONE_EURO_HERTZ
        for beta in ONE_EURO_BETAS
    }


def sweep(values: np.ndarray, family: dict[str, Filter], error: Error, prefix: str = "") -> dict[str, float]:
    """Error of every filter of a family on these values (F, ...); prefix: for the names."""
    return {prefix + name: error(smooth(values)) for name, smooth in family.items()}


def sweep_hampel(
    values: np.ndarray, fps: float, error: Error, prefix: str = "", try_all: Sweep = sweep
) -> dict[str, float]:
    """Error of Hampel and Butterworth one after the other, every reach and threshold with every cutoff."""
    family, errors = butterworth_family(fps, len(values)), {}
    for name, (reach, sigmas) in HAMPELS.items():
        errors |= try_all(hampel(values, reach, sigmas), family, error, f"{prefix}{name}, ")
    return errors


def sweep_sparsely(values: np.ndarray, family: dict[str, Filter], error: Error, prefix: str = "") -> dict[str, float]:
    """As sweep where an error is slow to tell: every other setting, then those beside the best of them."""
    names = list(family)
    errors = sweep(values, {name: family[name] for name in names[::2]}, error, prefix)
    place = names.index(best(errors)[1].removeprefix(prefix))
    beside = {name: family[name] for name in names[max(place - 1, 0) : place + 2] if prefix + name not in errors}
    return errors | sweep(values, beside, error, prefix)


def sweep_all(values: np.ndarray, fps: float, error: Error) -> dict[str, float]:
    """Error of every setting of every filter on these values (F, ...)."""
    return (
        sweep(values, filter_family(fps, len(values)), error)
        | sweep(values, one_euro_family(fps), error)
        | sweep_hampel(values, fps, error)
    )


def apply(name: str, values: np.ndarray, fps: float) -> np.ndarray:
    """Values (F, ...) through the setting that sweep_all calls so."""
    first, _, second = name.rpartition(", ")
    if first:
        return butterworth_family(fps, len(values))[second](hampel(values, *HAMPELS[first]))
    return (filter_family(fps, len(values)) | one_euro_family(fps))[second](values)


def settings_count(fps: float, frames: int) -> int:
    """How many settings sweep_all tries."""
    hampels = len(HAMPELS) * len(butterworth_family(fps, frames))
    return len(filter_family(fps, frames)) + len(one_euro_family(fps)) + hampels


def best(errors: dict[str, float]) -> tuple[float, str]:
    """Smallest error and the setting that reached it: an oracle, since the errors need the truth."""
    return min((value, name) for name, value in errors.items())


def best_on_average(sweeps: Iterable[dict[str, float]]) -> str:
    """The one setting with the smallest mean error over several takes: what tuning on other takes would choose.

    Only settings that all of them were tried with: a short take has no long windows.
    """
    sweeps = list(sweeps)
    shared = [name for name in sweeps[0] if all(name in errors for errors in sweeps)]
    return best({name: float(np.mean([errors[name] for errors in sweeps])) for name in shared})[1]
