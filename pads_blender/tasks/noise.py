"""How noisy a take is, read off the take itself: robust, so that fast motion and pops do not pass for noise."""

import numpy as np

_FOURTH = np.array([1.0, -4.0, 6.0, -4.0, 1.0])
_NORM = np.sqrt(np.sum(_FOURTH**2))
_MAD_TO_SIGMA = 1.4826
SMALLEST_SIGMA = 1e-4  # metres


def estimate_noise(positions: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Standard deviation (J,) in metres per coordinate of each joint's white noise, from fourth differences in time.

    positions (F, J, 3), visible (F, J). The median absolute deviation of what motion cannot explain; a joint with too
    few visible frames gets the median of the others.
    """
    if len(positions) < 9:
        return np.full(positions.shape[1], SMALLEST_SIGMA)
    difference = sum(c * positions[i : len(positions) - 4 + i] for i, c in enumerate(_FOURTH))
    seen = np.all([visible[i : len(positions) - 4 + i] for i in range(5)], axis=0)
    sigmas = np.full(positions.shape[1], np.nan)
    for joint in range(positions.shape[1]):
        values = np.abs(difference[seen[:, joint], joint])
        if len(values) >= 5:
            sigmas[joint] = _MAD_TO_SIGMA * np.median(values) / _NORM
    typical = np.nanmedian(sigmas) if np.isfinite(sigmas).any() else SMALLEST_SIGMA
    return np.maximum(np.where(np.isfinite(sigmas), sigmas, typical), SMALLEST_SIGMA)
