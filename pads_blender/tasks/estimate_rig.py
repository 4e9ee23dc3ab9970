"""What was filmed, as the motion of a rig: on its own proportions, and so that its joints lie on the points.

The estimate knows one body. A rig's arms may be longer and its hips narrower, so that the same pose shows elsewhere in
the image: the pose is carried over, then its joints are pulled onto the rays again at the lengths that the rig has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..core import rotations as rot
from ..core.mapping import Mapping
from ..core.retarget import Residual, apply_motion, joint_rotations, rig_positions, to_model
from ..core.rig import RigTake
from ..core.skeleton import MODEL
from ..diffusion.prior import Prior
from ..diffusion.rays import View, joint_information, keypoint_information, keypoint_weights
from . import temporal
from .estimate import EstimateSettings, Hypothesis, Shot, as_view, estimate_hypotheses
from .hinges import lay_bending
from .noise import estimate_noise
from .running import OnStep, running_median
from .segments import PAIRS, SEGMENTS, between, length_information, pairs_matrix
from .take_checks import check_take

# Metres on the model: how near the segments stay to the estimate's and then, tighter and tighter, to the last fit,
# steadied; how near to their length, and the body to its place. Of seven sets the one that shakes least for its
# nearness on takes of three rigs (Mixamo, CMU for MotionBuilder, Rokoko), filmed from near by and tried by hand: 0.2 to
# 0.9 pixels of 1000 from exact points, and third differences 1.5 to 1.7 times those of the take itself.
_SEGMENT, _LENGTH, _BODY = (0.1, 0.05, 0.025, 0.0125), 0.002, 0.5
_ROUNDS = 3  # of each fit, for lengths are linear only near by
_STEADY = 50.0  # times the noise that the last fit shows
_ESTIMATE_OFF = 0.06  # metres by which the estimate may be off, and the points right
# An outlier lies so many noises, and so much of the extent, from the median of so many frames on either side.
_LEAP, _LEAP_SHARE, _AROUND = 4.0, 0.02, 4
_PIECE = 500  # frames that are fitted at a time, for memory
_SEEN_SHARE = 0.002  # of a person's extent in the image: how near to the points the rig is to lie


@dataclass(frozen=True)
class RigHypothesis:
    """A take of the rig that may have been filmed; likelihood: relative to the others'.

    beside: pixels, the median, by which its joints lie beside the points.
    """

    take: RigTake
    likelihood: float
    beside: float


def estimate_rig(
    shots: Sequence[Shot],
    take: RigTake,
    mapping: Mapping,
    settings: EstimateSettings,
    prior: Prior,
    on_step: OnStep | None = None,
) -> list[RigHypothesis]:
    """Takes like this one, a rig at rest with as many frames as the shots, that do what was filmed; likeliest first.

    The size of the person is the rig's, whatever the settings say. Cameras are in the rig's world.
    """
    check_take(take)
    _, residual = to_model(take, mapping)
    asked = replace(settings, body_scale=1.0 / residual.scale)
    found = estimate_hypotheses(shots, take.fps, asked, prior, on_step)
    views = [as_view(shot, asked) for shot in shots]
    return [_on_rig(residual, views, each, asked.body_scale) for each in found]


def _on_rig(residual: Residual, views: Sequence[View], each: Hypothesis, body_scale: float) -> RigHypothesis:
    take = lay_on_points(residual, views, each.motion.positions / body_scale)
    joints = rot.rotate(rot.inverse(_standing_from_world(residual)), _joints_of(residual, take))
    apart = [np.linalg.norm(_shown(view, joints) - view.points, axis=-1)[view.seen] for view in views]
    return RigHypothesis(take, each.likelihood, float(np.median(np.concatenate(apart))))


def lay_on_points(residual: Residual, views: Sequence[View], positions: np.ndarray) -> RigTake:
    """The rig in the pose of the model at positions (F, J, 3), pulled so that its joints lie on the points.

    Positions and views are in the model's metres, in the world as it is.
    """
    standing = _standing_from_world(residual)
    carried = apply_motion(residual, rot.rotate(standing, positions))
    at_rest, start = (rot.rotate(rot.inverse(standing), _joints_of(residual, t)) for t in (residual.take, carried))
    wanted = [steady_points(view, positions) for view in views]
    lengths = np.linalg.norm(between(at_rest[:1], PAIRS), axis=-1)
    fitted = start
    for near in _SEGMENT:
        anchor = start + _steady(fitted - start)
        pieces = [slice(first, first + _PIECE) for first in range(0, len(start), _PIECE)]
        fits = [_fit_segments([view.rows(p) for view in wanted], anchor[p], lengths, near) for p in pieces]
        fitted = np.concatenate(fits)
    own = replace(residual, positions=rot.rotate(standing, at_rest))
    return lay_bending(own, rot.rotate(standing, fitted))


def _fit_segments(views: Sequence[View], start: np.ndarray, lengths: np.ndarray, near: float) -> np.ndarray:
    """Positions (F, J, 3) near the points whose pairs of joints are as far apart as lengths (1, P) say.

    What points leave open, such as turns in depth, is as at the start (F, J, 3): segments keep their direction.
    """
    frames, joints = start.shape[:2]
    loose = pairs_matrix(SEGMENTS, np.full((1, len(SEGMENTS), 3, 3), np.eye(3) / near**2))
    loose[:, :3, :3] += np.eye(3) / _BODY**2
    held = (loose @ start.reshape(frames, -1, 1))[..., 0]
    none, positions = np.zeros(joints), start
    for _ in range(_ROUNDS):
        matrix, vector = joint_information(views, keypoint_information(views, positions, none, np.inf))
        stiff, pull = length_information(positions, lengths, _LENGTH)
        solved = np.linalg.solve(matrix + loose + stiff, (vector + held + pull)[..., None])
        positions = solved.reshape(frames, joints, 3)
    return positions


def steady_points(view: View, positions: np.ndarray) -> View:
    """The view with points where positions (F, J, 3) show them, moved by what the measured ones lie beside for long.

    What points and estimate disagree on from frame to frame is the detector's noise; it is left out, outliers too.
    """
    shown = _shown(view, positions)
    beside = np.where(view.seen[..., None], view.points - shown, 0.0)
    noise = estimate_noise(beside, view.seen)
    extent = float(np.median(np.linalg.norm(np.ptp(shown, axis=1), axis=-1)))
    trusted = np.minimum(keypoint_weights(view, positions, np.full(len(MODEL), _ESTIMATE_OFF**2)), 1.0)
    trusted[_leaps(beside, _LEAP * noise + _LEAP_SHARE * extent)] = 0.0
    used = view.layout.used & view.seen.any(axis=0)
    sigma = np.where(np.broadcast_to(used, view.sigma.shape), _SEEN_SHARE * extent, np.inf)
    return replace(view, points=shown + temporal.smooth(beside, trusted, noise), sigma=sigma)


def _leaps(beside: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Where (F, K) points lie further beside the estimate (F, K, 2) than usual about that frame, by more than most."""
    if len(beside) <= _AROUND:
        return np.zeros(beside.shape[:2], bool)
    ends = ((_AROUND, _AROUND), (0, 0))
    mirrored = np.pad(beside.reshape(len(beside), -1), ends, mode="reflect")  # so that an end counts once, too
    usual = running_median(mirrored, _AROUND)[_AROUND:-_AROUND].reshape(beside.shape)
    return np.linalg.norm(beside - usual, axis=-1) > most


def _shown(view: View, positions: np.ndarray) -> np.ndarray:
    """Where the view shows the keypoints (F, K, 2) of positions (F, J, 3)."""
    return view.camera.project(np.einsum("kj,fja->fka", view.joints, positions))


def _steady(change: np.ndarray) -> np.ndarray:
    """Changes (F, J, 3) of a pose without the white noise that limbs along the line of sight make of pixels."""
    everywhere = np.ones(change.shape[:2])
    return temporal.smooth(change, everywhere, _STEADY * estimate_noise(change, everywhere > 0))


def _standing_from_world(residual: Residual) -> np.ndarray:
    """Rotation (4,) to the world in which the rig's rest pose stands."""
    turn = residual.take.world_from_armature @ np.linalg.inv(residual.world_from_armature)
    return rot.from_matrix(turn[:3, :3])


def _joints_of(residual: Residual, take: RigTake) -> np.ndarray:
    """Where a take of the rig has its joints, (F, J, 3), in the world where it stands.

    A joint without a bone lies beside its parent as on the model, turned with the parent.
    """
    joints = rig_positions(residual, take)
    turns = rot.multiply(joint_rotations(residual, take), rot.inverse(residual.rotations[:, residual.bones]))
    for joint, parent in enumerate(MODEL.parents):
        if residual.bones[joint] < 0:
            segment = residual.positions[:, joint] - residual.positions[:, parent]
            joints[:, joint] = joints[:, parent] + rot.rotate(turns[:, parent], segment)
            turns[:, joint] = turns[:, parent]
    return joints
