"""Statistics of the frames around each frame, in pieces, so that memory does not grow with the take.

The same pieces are the steps at which somebody may stop the work.
"""

from collections.abc import Callable

import numpy as np

_VALUES_AT_ONCE = 65536  # of one column: windows times their length
Statistic = Callable[[np.ndarray], np.ndarray]
OnStep = Callable[[int, int], None]


def at_the_end(on_step: OnStep | None) -> OnStep | None:
    """For what comes after the work proper: its steps count no more, but any of them may raise to stop."""
    return still_at(on_step, 1, 1)


def still_at(on_step: OnStep | None, step: int, steps: int) -> OnStep | None:
    """For what is within one step of the work: its own steps do not count, but any of them may raise to stop."""
    return on_step and (lambda *_: on_step(step, steps))


def part_of(on_step: OnStep | None, number: int, count: int) -> OnStep | None:
    """The steps of one part of the work, of so many alike, as steps of the whole."""
    return on_step and (lambda step, steps: on_step(number * steps + step, count * steps))


def span_of(on_step: OnStep | None, first: float, last: float) -> OnStep | None:
    """The steps of one part of the work, which takes from one share of the whole to another, as steps of the whole."""
    length = last - first
    return on_step and (lambda step, steps: on_step(round(1000 * (first + length * step / max(steps, 1))), 1000))


def over_windows(values: np.ndarray, length: int, statistic: Statistic, on_step: OnStep | None = None) -> np.ndarray:
    """The statistic of all windows (..., length) of values (F, ...), over their last axis: (F - length + 1, ...).

    None where there are fewer frames than that. on_step(window, windows) before each piece; may raise to stop.
    """
    count, pieces, at_once = len(values) - length + 1, [], max(1, _VALUES_AT_ONCE // length)
    for first in range(0, count, at_once):
        if on_step:
            on_step(first, count)
        part = values[first : min(first + at_once, count) + length - 1]
        pieces.append(statistic(np.lib.stride_tricks.sliding_window_view(part, length, axis=0)))
    return np.concatenate(pieces) if pieces else values[:0]


def running_median(values: np.ndarray, reach: int) -> np.ndarray:
    """Median over reach frames on either side along the first axis of (F, ...), ends held; takes no NaN."""
    held = _ends_held(values, reach)  # np.median takes three times as long
    return over_windows(held, 2 * reach + 1, lambda windows: np.partition(windows, reach, axis=-1)[..., reach])


def running_mean(values: np.ndarray, reach: int) -> np.ndarray:
    """Mean over reach frames on either side along the first axis of (F, ...), ends held."""
    return over_windows(_ends_held(values, reach), 2 * reach + 1, lambda windows: windows.mean(axis=-1))


def running_lowest(values: np.ndarray, reach: int) -> np.ndarray:
    """Minimum over reach frames on either side along the first axis of (F, ...), ends held."""
    return over_windows(_ends_held(values, reach), 2 * reach + 1, lambda windows: windows.min(axis=-1))


def running_highest(values: np.ndarray, reach: int, on_step: OnStep | None = None) -> np.ndarray:
    """Maximum over reach frames on either side along the first axis of (F, ...), ends held; see over_windows."""
    return over_windows(_ends_held(values, reach), 2 * reach + 1, lambda windows: windows.max(axis=-1), on_step)


def running_sum(values: np.ndarray, reach: int) -> np.ndarray:
    """Sum over reach frames on either side along the first axis of (F, ...), nothing beyond the ends."""
    padded = np.pad(values, ((reach, reach), *((0, 0),) * (values.ndim - 1)))
    return over_windows(padded, 2 * reach + 1, lambda windows: windows.sum(axis=-1))


def running_gaussian(values: np.ndarray, width: float) -> np.ndarray:
    """Gaussian blur of so many frames along the first axis of (F, ...), ends held."""
    reach = int(np.ceil(3 * width))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    kernel /= kernel.sum()
    return over_windows(_ends_held(values, reach), 2 * reach + 1, lambda windows: windows @ kernel)


def _ends_held(values: np.ndarray, reach: int) -> np.ndarray:
    return np.pad(values, ((reach, reach), *((0, 0),) * (values.ndim - 1)), mode="edge") if len(values) else values


def best_window(scores: np.ndarray, length: int, on_step: OnStep | None = None) -> np.ndarray:
    """For each frame (F, ...) the highest of the scores (F - length + 1, ...) of the windows that it lies in.

    on_step: see over_windows.
    """
    edges = ((length - 1, length - 1), *((0, 0),) * (scores.ndim - 1))
    padded = np.pad(scores, edges, constant_values=-np.inf)
    return over_windows(padded, length, lambda windows: windows.max(axis=-1), on_step)


def find_runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """First and last index of every run of True in flags (F,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(int)))
    return [(int(a), int(b) - 1) for a, b in edges.reshape(-1, 2)]


def close_gaps(flags: np.ndarray, longest: float) -> np.ndarray:
    """Flags (F,) with gaps of up to so many frames between two that are set closed."""
    closed = flags.copy()
    for first, last in find_runs(~flags):
        if last - first + 1 <= longest and first > 0 and last < len(flags) - 1:
            closed[first : last + 1] = True
    return closed
