"""Frames of a take coupled by their second differences: how much a joint bends its path, and robust smoothing by it."""

import numpy as np

from ..diffusion.banded import solve_pentadiagonal

# Chosen on validation subjects for the lowest error at 20 and 40 mm of noise; see docs/benchmark.md.
CURVATURE_GAIN = 1.35
CURVATURE_FRAMES = 3.0
ROUNDS = 3
_FLOOR = 0.02  # of the joint's noise: a still joint keeps this much freedom


def local_curvature(positions: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Usual size (F, J) in metres of the second differences about each frame, from a smoothed take (F, J, 3).

    sigma (J,) is each joint's noise in metres.
    """
    if len(positions) < 3:
        return np.full(positions.shape[:2], np.inf)
    bend = np.mean(np.diff(positions, 2, axis=0) ** 2, axis=-1)
    bend = np.concatenate([bend[:1], bend, bend[-1:]])
    return CURVATURE_GAIN * np.sqrt(np.maximum(_blur(bend, CURVATURE_FRAMES), (_FLOOR * sigma) ** 2))


def smooth(positions: np.ndarray, weight: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Smoothed positions (F, J, C): every joint by itself, about a path whose bend is estimated as it goes along.

    weight (F, J) 0 to 1: how far a position is to be trusted, 0 bridges it; sigma (J,): white noise per coordinate.
    """
    if len(positions) < 3:
        return positions.copy()
    precision = weight / sigma**2
    bend = np.mean(np.diff(positions, 2, axis=0) ** 2, axis=(0, 2)) - 6.0 * sigma**2
    curvature = np.broadcast_to(np.sqrt(np.maximum(bend, (0.1 * sigma) ** 2)), weight.shape)
    for _ in range(ROUNDS):
        result = _solve(positions, precision, curvature)
        curvature = local_curvature(result, sigma)
    return _solve(positions, precision, curvature)


def _solve(positions: np.ndarray, precision: np.ndarray, curvature: np.ndarray) -> np.ndarray:
    """Least squares of (F, J, 3): precision on the positions, 1 / curvature^2 on their second differences."""
    loose = precision + 1e-6  # holds what nothing measures
    return solve_pentadiagonal(loose, 1.0 / curvature[1:-1] ** 2, loose[..., None] * positions)


def _blur(values: np.ndarray, width: float) -> np.ndarray:
    """Gaussian blur along the first axis of (F, J), ends held."""
    reach = int(np.ceil(3 * width))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)
    return windows @ (kernel / kernel.sum())
