"""How good a motion is: joint error, acceleration error, jerk, bone-length drift. Positions (F, J, 3) in metres."""

import numpy as np


def joint_errors(positions: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Distance (F, J) in millimetres between joints and where they should be."""
    return 1000.0 * np.linalg.norm(positions - truth, axis=-1)


def mpjpe(positions: np.ndarray, truth: np.ndarray, where: np.ndarray | None = None) -> float:
    """Mean per-joint position error in millimetres, over the joints and frames chosen by where (F, J) bool."""
    errors = joint_errors(positions, truth)
    return float(errors.mean() if where is None else errors[where].mean())


def acceleration_error(positions: np.ndarray, truth: np.ndarray) -> float:
    """Mean length of the error of the second differences, millimetres per frame squared."""
    return mpjpe(np.diff(positions, 2, axis=0), np.diff(truth, 2, axis=0))


def jitter(positions: np.ndarray, fps: float) -> float:
    """Mean length of the third derivative in metres per second cubed: what the eye sees as shaking."""
    return float(np.linalg.norm(np.diff(positions, 3, axis=0), axis=-1).mean() * fps**3)
