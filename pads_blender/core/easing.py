"""The step that begins and ends gently, for whatever fades in or out. Knows arrays only."""

import numpy as np


def ease(t: np.ndarray) -> np.ndarray:
    """0 up to t = 0 and 1 from t = 1 on, in between smooth and level at both ends; any shape."""
    t = np.clip(t, 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)
