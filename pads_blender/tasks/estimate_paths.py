"""Where the descent of a take begins: usual poses along the likeliest path of kinds, headings and depths.

Every few frames each component of the mixture of usual poses, at each heading, is fitted to the rays in closed form.
Together with how far these poses lie from those of the next frames that is a hidden Markov model: forward and backward
(Rabiner 1989) for the mean of what may have happened, or a path drawn from it.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..core.camera import NEAREST_METRES
from ..diffusion.rays import View
from ..diffusion.usual_poses import RayPosterior, UsualPoses, usual_poses
from .estimate_start import first_guess

HEADINGS = 24
_HOP = 4  # frames of the take, at 30 a second, from one fit to the next
_STEP_METRES = 0.3  # by which a pose usually changes in a hop, all joints together, and its fit errs
_MOST_CHANGED = 20.0  # cost of any change: the mixture's kinds of pose are not a motion's
_PLACE_METRES, _KNOWN_METRES = 0.4, 1e-3  # by how much the first guess of the pelvis errs, or a path that is known
_JUMP_METRES, _AROUND = 0.25, 2  # further than this from the median of so many frames around, a keypoint is wrong


def likely_start(
    views: Sequence[View],
    pelvis: np.ndarray | None = None,
    rng: np.random.Generator | None = None,
) -> np.ndarray:
    """World positions (F, J, 3) of usual poses that fit the keypoints, in a take at 30 frames a second.

    pelvis (F, 3): its path where it is known. With rng: one of the ways that it may have been, for other hypotheses.
    """
    frames = len(views[0].points)
    rows = np.unique(np.append(np.arange(0, frames, _HOP), frames - 1))
    place, sigma = first_guess([view.rows(rows) for view in views])[:, 0], _PLACE_METRES
    every = at_every_frame(place[:, None], rows, frames)
    if pelvis is not None:
        place, sigma = pelvis[rows], _KNOWN_METRES
    steady = [without_jumps(view, every).rows(rows) for view in views]
    found = _facing_everywhere().on_rays(steady, place, sigma)
    share = _shares(found) if rng is None else _drawn(found, rng)
    poses = np.stack([np.tensordot(each, found.poses(row), 1) for row, each in enumerate(share)])
    return at_every_frame(poses + np.einsum("fs,fsa->fa", share, found.pelvis)[:, None], rows, frames)


@functools.cache
def _facing_everywhere() -> UsualPoses:
    return usual_poses().facing(HEADINGS)


def without_jumps(view: View, place: np.ndarray) -> View:
    """The view without keypoints that lie far from where they are in the frames around: a fit would follow them.

    place (F, 1, 3): about where the body is.
    """
    points = np.where(view.seen[..., None], view.points, np.nan)
    shifted = [np.roll(points, k, axis=0) for k in range(-_AROUND, _AROUND + 1)]
    usual = _median(np.stack(shifted)) if len(points) > 2 * _AROUND else points
    depth = np.maximum(view.camera.to_camera(place)[:, 0, 2], NEAREST_METRES)
    metres = np.linalg.norm(points - usual, axis=-1) * depth[:, None] / view.camera.focal
    return replace(view, sigma=np.where(metres > _JUMP_METRES, np.inf, view.sigma))


def _median(values: np.ndarray) -> np.ndarray:
    """Median (...) over the first axis of what is there, NaN where nothing is: as nanmedian, but it does not warn."""
    count = np.isfinite(values).sum(axis=0)
    ordered = np.sort(values, axis=0)
    last = np.maximum(count - 1, 0)
    return 0.5 * sum(np.take_along_axis(ordered, at[None], axis=0)[0] for at in (last // 2, last - last // 2))


def _changes(found: RayPosterior, row: int) -> np.ndarray:
    """Cost (S, S) of going from each component's pose in a row to each one's in the next."""
    here, there = (found.poses(r).reshape(len(found.costs[r]), -1) for r in (row, row + 1))
    squared = np.sum(here**2, axis=1)[:, None] + np.sum(there**2, axis=1) - 2.0 * here @ there.T
    return np.minimum(0.5 * squared / _STEP_METRES**2, _MOST_CHANGED)


def _forward(found: RayPosterior) -> list[np.ndarray]:
    """Log probability (S,) of each component in each row together with all keypoints up to it."""
    forward = [-found.costs[0]]
    for row in range(len(found.costs) - 1):
        forward.append(_log_sum(forward[-1][:, None] - _changes(found, row), axis=0) - found.costs[row + 1])
    return forward


def _shares(found: RayPosterior) -> np.ndarray:
    """Probability (F, S) of each component given all keypoints."""
    backward = [np.zeros(found.costs.shape[1])]
    for row in range(len(found.costs) - 2, -1, -1):
        backward.append(_log_sum(backward[-1] - found.costs[row + 1] - _changes(found, row), axis=1))
    return np.stack([_normalised(a + b) for a, b in zip(_forward(found), reversed(backward), strict=True)])


def _drawn(found: RayPosterior, rng: np.random.Generator) -> np.ndarray:
    """One path (F, S) drawn from the same: one where it passes, zero elsewhere; from the last row backwards."""
    forward, states = _forward(found), np.arange(found.costs.shape[1])
    chosen = [int(rng.choice(states, p=_normalised(forward[-1])))]
    for row in range(len(found.costs) - 2, -1, -1):
        chosen.append(int(rng.choice(states, p=_normalised(forward[row] - _changes(found, row)[:, chosen[-1]]))))
    return np.array(chosen[::-1])[:, None] == states


def _log_sum(values: np.ndarray, axis: int) -> np.ndarray:
    most = values.max(axis=axis)
    return most + np.log(np.exp(values - np.expand_dims(most, axis)).sum(axis=axis))


def _normalised(log_share: np.ndarray) -> np.ndarray:
    share = np.exp(log_share - log_share.max())
    return share / share.sum()


def at_every_frame(positions: np.ndarray, at: np.ndarray, frames: int) -> np.ndarray:
    """Positions (N, J, 3) at the given frames, for every frame (F, J, 3): linear in between, held at the ends."""
    flat = positions.reshape(len(positions), -1)
    columns = [np.interp(np.arange(frames), at, column) for column in flat.T]
    return np.stack(columns, axis=1).reshape(frames, *positions.shape[1:])
