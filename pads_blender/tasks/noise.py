"""How noisy a take is, read off the take itself: robust, so that fast motion and pops do not pass for noise."""

import numpy as np

from .running import running_median

_FOURTH = np.array([1.0, -4.0, 6.0, -4.0, 1.0])
_NORM = np.sqrt(np.sum(_FOURTH**2))
_MEDIAN_LENGTH = {1: 0.67449, 2: 1.17741, 3: 1.53817}  # of a standard normal vector with so many components
SMALLEST_SIGMA = 1e-4  # metres
_LOCAL_SECONDS = 0.25  # on either side


def free_components(values: np.ndarray) -> int:
    """In how many directions a column of values (F, N, C) can vary: the four of a unit quaternion are three."""
    return min(values.shape[-1], 3)


def fourth_differences(values: np.ndarray) -> np.ndarray:
    """Fourth differences (F - 4, ...) of values (F, ...): large for noise and pops, small for motion."""
    return sum(c * values[i : len(values) - 4 + i] for i, c in enumerate(_FOURTH))


def noise_lengths(values: np.ndarray) -> np.ndarray:
    """Length (F - 4, N) of the fourth differences of values (F, N, C); its median is the noise per component."""
    return np.linalg.norm(fourth_differences(values), axis=-1) / (_NORM * _MEDIAN_LENGTH[free_components(values)])


def estimate_noise(values: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Standard deviation (N,) per component of each column's white noise, from fourth differences in time.

    values (F, N, C): positions in metres, angles or unit quaternions; visible (F, N). The median length of what motion
    cannot explain; a column with too few visible frames gets the median of the others.
    """
    if len(values) < 9:
        return np.full(values.shape[1], SMALLEST_SIGMA)
    length = noise_lengths(values)
    seen = np.all([visible[i : len(values) - 4 + i] for i in range(5)], axis=0)
    sigmas = np.array([np.median(x[s]) if s.sum() >= 5 else np.nan for x, s in zip(length.T, seen.T, strict=True)])
    typical = np.nanmedian(sigmas) if np.isfinite(sigmas).any() else SMALLEST_SIGMA
    return np.maximum(np.where(np.isfinite(sigmas), sigmas, typical), SMALLEST_SIGMA)


def local_noise(values: np.ndarray, fps: float) -> np.ndarray:
    """White noise (F, N) per component about each frame of values (F, N, C): the median of half a second.

    A pop has no part in it, and smooth motion little.
    """
    if len(values) < 9:
        return np.zeros(values.shape[:2])
    lengths = np.pad(noise_lengths(values), ((2, 2), (0, 0)), mode="edge")
    return running_median(lengths, max(3, round(_LOCAL_SECONDS * fps)))
