"""What the demo's own performance is made of: eased curves over time, turns about axes, and limbs bent to reach."""

from itertools import pairwise

import numpy as np

from ..core import rotations as rot
from .demo_body import FPS

X, Y, Z = np.eye(3)


def ease(u: np.ndarray) -> np.ndarray:
    """0 to 1 with no velocity and acceleration at either end."""
    u = np.clip(u, 0.0, 1.0)
    return u**3 * (10.0 - 15.0 * u + 6.0 * u**2)


def eased_curve(t: np.ndarray, *keys: tuple[float, float]) -> np.ndarray:
    """Curve (F,) through keys (seconds, value), eased in and out at each, held outside."""
    value = np.full(len(t), float(keys[0][1]))
    for (start, a), (end, b) in pairwise(keys):
        value += (b - a) * ease((t - start) / (end - start))
    return value


def smooth(values: np.ndarray, seconds: float) -> np.ndarray:
    """Gaussian blur along the first axis, ends held."""
    reach = int(np.ceil(3 * seconds * FPS))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (seconds * FPS)) ** 2)
    padded = np.concatenate([np.repeat(values[:1], reach, 0), values, np.repeat(values[-1:], reach, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)
    return windows @ (kernel / kernel.sum())


def turn(axis: np.ndarray, degrees: np.ndarray | float) -> np.ndarray:
    """Rotation (..., 4) about an axis."""
    return rot.from_rotation_vector(np.radians(degrees)[..., None] * axis)


def chain(*turns: np.ndarray) -> np.ndarray:
    """Product of rotations: the last one turns first."""
    result = turns[0]
    for turn in turns[1:]:
        result = rot.multiply(result, turn)
    return result


def mirror(q: np.ndarray) -> np.ndarray:
    """The rotation (..., 4) seen in the mirror that swaps left and right."""
    return q * np.array([1.0, 1.0, -1.0, -1.0])


def share_of(q: np.ndarray, share: float) -> np.ndarray:
    """A share of a rotation (..., 4), 0 to 1."""
    return rot.slerp(np.broadcast_to(rot.IDENTITY, q.shape), q, np.full(q.shape[:-1], share))


def bend_limb(
    start: np.ndarray, target: np.ndarray, pole: np.ndarray, upper: np.ndarray, lower: np.ndarray, hinge: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """World rotations (F, 4) of two bones that lead from start (F, 3) to target, the middle joint towards the pole.

    upper and lower (3,) are the bones at rest, hinge (3,) the axis about which the middle joint bends there.
    """
    a, b = np.linalg.norm(upper), np.linalg.norm(lower)
    away = target - start
    distance = np.clip(np.linalg.norm(away, axis=-1, keepdims=True), abs(a - b) * 1.01, (a + b) * 0.9995)
    along = away / np.linalg.norm(away, axis=-1, keepdims=True)
    aside = pole - np.sum(pole * along, axis=-1, keepdims=True) * along
    aside /= np.linalg.norm(aside, axis=-1, keepdims=True)
    cosine = (a**2 + distance**2 - b**2) / (2 * a * distance)
    first = cosine * along + np.sqrt(1 - cosine**2) * aside
    second = (distance * along - a * first) / b
    axis = np.cross(along, aside)
    return _aim(upper, hinge, first, axis), _aim(lower, hinge, second, axis)


def _aim(rest: np.ndarray, hinge: np.ndarray, direction: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Rotation (F, 4) that lays a bone along direction (F, 3) with its hinge on axis (F, 3)."""
    return rot.from_matrix(_axes(direction, axis) @ _axes(rest, hinge).T)


def _axes(direction: np.ndarray, axis: np.ndarray) -> np.ndarray:
    direction = direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    return np.stack([direction, axis, np.cross(direction, axis)], axis=-1)
