"""Channels that are held or zeroed while the performer moves, with small noise on them or without.

What is measured moves smoothly: what it does over half a second is far larger than what it does from frame to frame. A
held channel shows the same white noise over any time. The ratio of the two is von Neumann's (1941). A performer who
stands still slows down first; what is lost stops and goes on at full speed, or leaps.
"""

import numpy as np

from ..core.skeleton import MODEL
from .running import OnStep, best_window, find_runs, over_windows

HELD = -1.5  # score from which on a channel may be held
_WINDOWS = ((0.5, 0.0), (0.3, 1.0))  # seconds, and what is taken off the score: short windows are surer of themselves
_SMALLEST = 1e-5  # radians or metres: rounding in files
_MOST_NOISE = 0.012  # radians or metres per component: what shakes more than a held channel may well move below it
_ALWAYS_STILL = 0.9  # of the frames: a bone that is not animated
_SOFT = 1.0  # taken off the score of a hold without a leap or a cut
_JUMP = 4.0  # a held bone leaps back: by more than this many of its usual frame to frame changes
_ABRUPT = 0.5  # against its usual change: motion that ends and begins at such speed was cut, not brought to rest
_ABOVE_NOISE = 4.0  # times the steps inside the hold: noise alone does not reach it
_BESIDE_SECONDS = 0.5
# A limb is lost with both of its segments, whereas one that holds alone may be at the limit of its joint.
PAIRS = tuple(
    tuple(MODEL.indices(f"{side}_{upper}", f"{side}_{lower}"))
    for side in ("left", "right")
    for upper, lower in (("shoulder", "elbow"), ("hip", "knee"))
)


def hold_scores(channels: np.ndarray, fps: float, on_step: OnStep | None = None) -> np.ndarray:
    """How surely (F, J) each channel (F, J, C) in radians or metres is held in each frame; from HELD on it may be.

    Minus the logarithm of von Neumann's ratio, the best of all windows that a frame lies in, less where a hold begins
    and ends as rest does; what both segments of a limb have in common counts for all of its joints.
    on_step(step, steps) is told of each part of the work; may raise to stop.
    """
    if len(channels) < 5:
        return np.full(channels.shape[:2], -np.inf)
    score, steps = _window_scores(channels, fps, on_step), np.empty((len(channels) - 1, channels.shape[1]))
    reach = max(5, round(_BESIDE_SECONDS * fps))
    for joint in range(score.shape[1]):
        if on_step:
            on_step(joint, score.shape[1])
        steps[:, joint] = np.linalg.norm(np.diff(channels[:, joint], axis=0), axis=-1)
        for first, last in find_runs(score[:, joint] > HELD):
            if not is_cut(steps[:, joint], first, last, reach):
                score[first : last + 1, joint] -= _SOFT
    never, lost = _never_moving(steps)
    score[:, never] = -np.inf
    still = np.minimum(np.pad(steps, ((1, 0), (0, 0)), mode="edge"), np.pad(steps, ((0, 1), (0, 0)), mode="edge"))
    score[:, lost] = np.where(still[:, lost] < _SMALLEST, 0.0, -np.inf)
    for upper, lower in PAIRS:
        limb = [joint for joint in range(len(MODEL)) if _hangs_on(joint, upper)]
        score[:, limb] += np.maximum(np.minimum(score[:, upper], score[:, lower]) - HELD, 0.0)[:, None]
    return score


def _never_moving(steps: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """Channels (J,) that are still for nearly all of the take, and those of limbs that are while another limb moves."""
    still = (steps < _SMALLEST).mean(axis=0) > _ALWAYS_STILL
    lost = [pair for pair in PAIRS if still[list(pair)].all()]
    return still, [joint for pair in lost for joint in pair] if len(lost) < len(PAIRS) else []


def _window_scores(channels: np.ndarray, fps: float, on_step: OnStep | None) -> np.ndarray:
    score = np.full(channels.shape[:2], -np.inf)
    for seconds, less in _WINDOWS:
        length = min(max(5, round(seconds * fps)), len(channels))
        ratio = _von_neumann(channels, length, on_step)
        if on_step:
            on_step(0, 1)
        score = np.maximum(score, best_window(-np.log(ratio), length, on_step) - less)
    return score


def _von_neumann(channels: np.ndarray, length: int, on_step: OnStep | None) -> np.ndarray:
    """Variance in each window over the white noise in it, (F - length + 1, J)."""
    spread = over_windows(channels, length, lambda windows: windows.var(axis=-1, ddof=1).sum(axis=-1), on_step)
    bends = np.empty((max(len(channels) - 2, 0), channels.shape[1]))
    for joint in range(channels.shape[1]):  # one at a time: of a long take all at once are many hundred megabytes
        if on_step:
            on_step(joint, channels.shape[1])
        bends[:, joint] = np.sum(np.diff(channels[:, joint], 2, axis=0) ** 2, axis=-1) / 6.0
    noise = over_windows(bends, length - 2, lambda windows: windows.mean(axis=-1), on_step)
    return (spread + _SMALLEST**2) / (np.minimum(noise, 3.0 * _MOST_NOISE**2) + _SMALLEST**2)


def is_cut(steps: np.ndarray, first: int, last: int, reach: int) -> bool:
    """Whether the hold of frames first to last stops and starts at full speed or leaps; steps (F - 1,) of one channel.

    At the very ends of a take nothing is known of it: there the other end alone must show it, twice as clearly.
    """
    inside = float(np.median(steps[first + 1 : last - 1])) if last - first > 4 else 0.0
    edges = [steps[max(0, i - 2) : i + 2].max() for i in (first - 1, last) if 0 <= i < len(steps)]
    beside = np.concatenate([steps[max(0, first - 2 - reach) : max(0, first - 2)], steps[last + 2 : last + 2 + reach]])
    moving = beside[beside > max(inside, _SMALLEST)]
    if len(moving) < 3 or not edges:
        return False
    usual = float(np.median(moving))
    leaps, moves = max(_JUMP * usual, _ABOVE_NOISE * inside), max(_ABRUPT * usual, _ABOVE_NOISE * inside)
    return max(edges) > leaps or min(edges) > (moves if len(edges) == 2 else 2.0 * moves)


def _hangs_on(joint: int, ancestor: int) -> bool:
    while joint >= 0 and joint != ancestor:
        joint = MODEL.parents[joint]
    return joint == ancestor
