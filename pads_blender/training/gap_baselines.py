"""How gaps are filled without a prior: interpolation, PCA of the take's own frames, low-rank completion. SciPy."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator

from ..core.interpolate import interpolate_hidden
from ..core.rig import RigTake
from ..tasks.complete import interpolate_rotations

# --- each joint by itself ---------------------------------------------------------------------------------------------


def slerp(take: RigTake, hidden: np.ndarray) -> RigTake:
    """The take with hidden bone rotations (F, B) turned evenly across the gap, and the root's path a straight line.

    The root travels on a line where its own rotation is hidden.
    """
    roots = (take.parents < 0) & hidden.any(axis=0)
    location = interpolate_hidden(take.location, ~(hidden & roots))
    return replace(interpolate_rotations(take, hidden), location=location)


def linear(positions: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Positions (F, J, 3) with what is not visible (F, J) on the straight line across the gap."""
    return interpolate_hidden(positions, visible)


def cubic(positions: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Positions (F, J, 3) with what is not visible (F, J) on the cubic spline through all that is."""
    return _along_time(CubicSpline, positions, visible)


def pchip(positions: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Positions (F, J, 3) with what is not visible (F, J) on the monotone cubic of Fritsch and Carlson 1980."""
    return _along_time(PchipInterpolator, positions, visible)


def _along_time(curve: type, positions: np.ndarray, visible: np.ndarray) -> np.ndarray:
    frames, filled = np.arange(len(positions)), positions.copy()
    for joint in np.flatnonzero(~visible.all(axis=0) & (visible.sum(axis=0) > 1)):
        seen = visible[:, joint]
        filled[~seen, joint] = curve(frames[seen], positions[seen, joint])(frames[~seen])
    return filled


# --- the other joints tell --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PcaSettings:
    """Gloersen and Federolf 2016, whose own values are 0.2, 0.02, 0.5 and 0.99: here the best of `evaluate recall`.

    reach_metres: width of the Gaussian that weighs other joints by their distance; missing_weight: of the joint to be
    filled; far: other gapped joints beyond so many mean distances are left out; kept: share of the sum of singular
    values that the components make up.
    """

    reach_metres: float = 1.0
    missing_weight: float = 0.2
    far: float = 0.5
    kept: float = 0.95


def pca(positions: np.ndarray, visible: np.ndarray, settings: PcaSettings | None = None) -> np.ndarray:
    """Positions (F, J, 3) with what is not visible (F, J) reconstructed one joint at a time from those beside it.

    Strategy R2 of Gloersen and Federolf 2016: as seen from the mean of the joints without gaps, other gapped joints
    that are far, or missing at the same time, are left out; the rest is learnt from the take's own complete frames. A
    joint for which nothing is left to learn from is interpolated.
    """
    settings, whole = settings or PcaSettings(), visible.all(axis=0)
    filled = linear(positions, visible)
    if not whole.any():
        return filled
    centre = positions[:, whole].mean(axis=1, keepdims=True)
    local = positions - centre
    for joint in np.flatnonzero(~whole):
        gap, distance = ~visible[:, joint], _distances(local, visible, joint)
        used = whole | ((distance <= settings.far * distance.mean()) & visible[gap].all(axis=0))
        used[joint] = False
        complete = visible[:, used].all(axis=1) & ~gap
        if used.any() and complete.sum() > 2:
            columns = np.append(np.flatnonzero(used), joint)
            weights = np.exp(-0.5 * (distance[columns] / settings.reach_metres) ** 2)
            weights[-1] = settings.missing_weight
            rebuilt = _rebuild(local[:, columns], complete, gap, weights, settings.kept)
            filled[gap, joint] = rebuilt + centre[gap, 0]
    return filled


def _distances(local: np.ndarray, visible: np.ndarray, joint: int) -> np.ndarray:
    """Mean distance (J,) in metres of each joint from this one where both are seen; infinite where never."""
    both = visible & visible[:, joint, None]
    away = np.where(both, np.linalg.norm(local - local[:, joint, None], axis=-1), 0.0).sum(axis=0)
    return np.where(both.any(axis=0), away / np.maximum(both.sum(axis=0), 1), np.inf)


def _rebuild(local: np.ndarray, complete: np.ndarray, gap: np.ndarray, weights: np.ndarray, kept: float) -> np.ndarray:
    """The last joint (G, 3) in the gap's frames: scores on the components without it, read on those with it."""
    known, wanted = (local[rows].reshape(rows.sum(), -1) for rows in (complete, gap))
    mean, spread = known.mean(axis=0), known.std(axis=0)
    scale = np.repeat(weights, 3) / np.where(spread > 0, spread, 1.0)
    known, wanted = (known - mean) * scale, (wanted - mean) * scale
    without = known.copy()
    without[:, -3:] = wanted[:, -3:] = 0.0
    (values, axes), (values_without, axes_without) = _components(known), _components(without)
    count = max(_needed(values, kept), _needed(values_without, kept))
    axes, axes_without = axes[:count], axes_without[:count]
    rebuilt = wanted @ axes_without.T @ (axes_without @ axes.T) @ axes
    return (rebuilt / scale + mean)[:, -3:]


def _components(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    _, singular, axes = np.linalg.svd(values, full_matrices=False)
    return singular, axes


def _needed(singular: np.ndarray, kept: float) -> int:
    return int(np.searchsorted(np.cumsum(singular), kept * singular.sum())) + 1


SHRINK = 0.02  # share of the largest singular value that every one loses
_ROUNDS = 60


def low_rank(positions: np.ndarray, visible: np.ndarray, shrink: float = SHRINK) -> np.ndarray:
    """Positions (F, J, 3) with what is not visible (F, J) from a matrix of few components: soft-impute.

    Mazumder, Hastie and Tibshirani 2010, on positions as seen from the mean of the joints without gaps, begun at the
    straight line and stopped early.
    """
    whole, filled = visible.all(axis=0), linear(positions, visible)
    if not whole.any():
        return filled
    centre = positions[:, whole].mean(axis=1, keepdims=True)
    hidden = np.repeat(~visible, 3, axis=1)
    matrix = (filled - centre).reshape(len(positions), -1)
    for _ in range(_ROUNDS):
        mean = matrix.mean(axis=0)
        left, singular, right = np.linalg.svd(matrix - mean, full_matrices=False)
        shrunk = mean + (left * np.maximum(singular - shrink * singular[0], 0.0)) @ right
        matrix = np.where(hidden, shrunk, matrix)
    return np.where(visible[..., None], positions, matrix.reshape(positions.shape) + centre)
