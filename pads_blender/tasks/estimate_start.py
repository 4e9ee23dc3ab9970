"""A first guess at where a filmed person stands and faces: usual poses, turned and placed so that keypoints fit.

Sizes are known, so that the distance follows from how large the pose looks (the weak-perspective start); of all
headings the path is taken that fits the keypoints and turns no faster than people do.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core import rotations as rot
from ..core.interpolate import fill_hidden
from ..core.skeleton import MODEL
from ..diffusion.rays import View, fit_pelvis, misfit
from . import temporal

_HEADINGS = 16
_TURN_DEGREES = 12.0  # of a heading from one frame at 30 a second to the next, usually at most
_MOST_TURNED = 15.0  # cost of any turn or change of pose: a cut in the film
_CHANGED = 6.0  # cost of another usual pose from one frame to the next
_DEPTH_METRES, _HEADING = 0.1, 0.3  # scatter of the guesses from frame to frame
_FIRST_METRES = 4.0  # any distance does: the second round of the fit knows better

# How far joints lie from usual poses, metres per coordinate: judged by eye, a start needs no more.
_TORSO_SPREAD = 0.06
_SPREADS = {"elbow": 0.15, "wrist": 0.22, "knee": 0.15, "ankle": 0.2, "toe": 0.22, "head": 0.1, "head_top": 0.12}


def _spread_of(name: str) -> float:
    return next((value for part, value in _SPREADS.items() if name.endswith(part)), _TORSO_SPREAD)


POSE_SPREAD = np.array([_spread_of(name) for name in MODEL.names])


def usual_poses() -> np.ndarray:
    """Poses (P, J, 3) about the pelvis, facing -Y: standing, sitting, bent forward, lying on the back and the front."""
    standing = fill_hidden(np.zeros((1, len(MODEL), 3)), np.zeros((1, len(MODEL)), bool))[0]
    legs = [i for i, name in enumerate(MODEL.names) if name.endswith(("knee", "ankle", "toe"))]
    hips = np.repeat(MODEL.indices("left_hip", "right_hip"), 3)
    sitting = standing.copy()
    thigh = np.array([0.0, -0.41, -0.05])
    sitting[legs] = standing[legs] - np.array([0.0, 0.0, -0.41]) + thigh
    upper = [i for i in range(1, len(MODEL)) if i not in (*legs, *hips)]
    bent = standing.copy()
    bent[upper] = _pitched(standing[upper], 70.0)
    return np.stack([standing, sitting, bent, _pitched(standing, -90.0), _pitched(standing, 90.0)])


def _pitched(positions: np.ndarray, degrees: float) -> np.ndarray:
    """Positions (..., 3) turned forward about the left axis."""
    return rot.rotate(rot.from_rotation_vector(np.array([np.radians(degrees), 0.0, 0.0])), positions)


def first_guess(views: Sequence[View], rng: np.random.Generator | None = None) -> np.ndarray:
    """World positions (F, J, 3) of usual poses along the likeliest path of headings, smoothed; 30 frames a second.

    With rng: along a path drawn at random, likely ones more often, for other hypotheses.
    """
    poses = np.stack([_turned(pose, yaw) for pose in usual_poses() for yaw in _yaws()])
    guess = _before_the_camera(views[0])
    stands, costs = [], []
    for pose in poses:
        still = np.broadcast_to(pose, (len(guess), *pose.shape))
        stands.append(fit_pelvis(views, still, guess, POSE_SPREAD**2))
        costs.append(misfit(views, still + stands[-1][:, None], POSE_SPREAD**2))
    cost = np.stack(costs, axis=1)
    if rng is not None:
        cost = cost + rng.gumbel(size=cost.shape[1]) * _MOST_TURNED  # one draw a path: some headings fall out of favour
    path = _cheapest_path(cost, _turning_costs(len(poses)))
    pelvis = np.stack(stands, axis=1)[np.arange(len(path)), path]
    yaw = np.unwrap(_yaws()[path % _HEADINGS])
    pelvis, yaw = _smoothed(pelvis, _DEPTH_METRES), _smoothed(yaw[:, None], _HEADING)[:, 0]
    upright = usual_poses()[path // _HEADINGS]
    return np.stack([_turned(pose, angle) for pose, angle in zip(upright, yaw, strict=True)]) + pelvis[:, None]


def _yaws() -> np.ndarray:
    return 2.0 * np.pi * np.arange(_HEADINGS) / _HEADINGS


def _turned(pose: np.ndarray, yaw: float) -> np.ndarray:
    """A pose (J, 3) turned about the vertical."""
    return rot.rotate(rot.from_rotation_vector(np.array([0.0, 0.0, yaw])), pose)


def _before_the_camera(view: View) -> np.ndarray:
    """A place (F, 3) in the middle of each frame."""
    ahead = view.camera.centre + _FIRST_METRES * view.camera.rotation[..., 2]
    return np.array(np.broadcast_to(ahead, (len(view.points), 3)))


def _turning_costs(states: int) -> np.ndarray:
    """Cost (S, S) of going from one pose and heading to another in one frame."""
    pose, heading = np.divmod(np.arange(states), _HEADINGS)
    apart = np.abs((heading[:, None] - heading + _HEADINGS // 2) % _HEADINGS - _HEADINGS // 2) * 360.0 / _HEADINGS
    cost = 0.5 * (apart / _TURN_DEGREES) ** 2 + _CHANGED * (pose[:, None] != pose)
    return np.minimum(cost, _MOST_TURNED)


def _cheapest_path(cost: np.ndarray, change: np.ndarray) -> np.ndarray:
    """States (F,) of least cost (F, S) with the change (S, S) from one to the next: Viterbi 1967."""
    best, came_from = cost[0], []
    for row in cost[1:]:
        total = best[:, None] + change
        came_from.append(total.argmin(axis=0))
        best = total.min(axis=0) + row
    path = [int(best.argmin())]
    for back in reversed(came_from):
        path.append(int(back[path[-1]]))
    return np.array(path[::-1])


def _smoothed(values: np.ndarray, sigma: float) -> np.ndarray:
    """Values (F, C) smoothed in time as their scatter asks for."""
    if len(values) < 3:
        return values
    return temporal.smooth_evenly(values[:, None], np.array([sigma]))[:, 0]
