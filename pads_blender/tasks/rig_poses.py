"""Poses of the model on a rig: placed where the rig stands, and with the bones that were given where they were."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..core import rotations as rot
from ..core.heading import headings, turned
from ..core.mapping import Mapping
from ..core.retarget import Residual, joint_rotations, rig_positions, to_model, turn_bones
from ..core.rig import CHANNELS, RigTake, carry_travel
from ..core.skeleton import MODEL
from ..diffusion.prior import Prior
from ..errors import TakeError
from .generate import GenerateSettings, generate_poses, vary_pose
from .hinges import LIMBS, lay_bending
from .pinned_pose import complete_pose, complete_poses
from .running import OnStep
from .take_checks import check_take

_ANSWERS = 9  # that are found together, besides the calmest
_REACH = 0.9995  # of a limb's length, at most: only bent limbs show where elbow and knee point
_ROUNDS = 60  # of moving the body towards what each limb cannot reach
_NOTHING_GIVEN = "Select the bones that are to stay where they are: a hand and a foot, for instance."
_NOTHING_LEFT = "All of the body is selected, so nothing is left to complete: select fewer bones."


def generated(
    pose: RigTake, mapping: Mapping, settings: GenerateSettings, prior: Prior, on_step: OnStep | None = None
) -> RigTake:
    """Poses from the prior as the frames of a take: where the pose (one frame) is, facing as it does, on its ground.

    Bones that the model does not have keep their pose; the others start from rest.
    """
    check_take(pose)
    standing, residual = to_model(pose, mapping)
    rotation = pose.rotation.copy()
    rotation[:, residual.bones[residual.bones >= 0]] = rot.IDENTITY
    found = turned(generate_poses(settings, prior, on_step), headings(standing.positions))
    return _laid(replace(pose, rotation=rotation), mapping, found, standing.positions)


def varied(
    pose: RigTake,
    mapping: Mapping,
    noise_metres: float,
    settings: GenerateSettings,
    prior: Prior,
    on_step: OnStep | None = None,
) -> RigTake:
    """Poses like that of a take of one frame, as the frames of a take; see vary_pose."""
    check_take(pose)
    standing, _ = to_model(pose, mapping)
    found = vary_pose(standing.positions[0], noise_metres, settings, prior, on_step)
    return _laid(pose, mapping, found, standing.positions)


def _laid(pose: RigTake, mapping: Mapping, found: np.ndarray, standing: np.ndarray) -> RigTake:
    """Poses (N, J, 3) on the rig, hips above the place of the standing pose (1, J, 3), lowest joints as low as its."""
    placed = found - found[:, :1] + standing[:, :1]
    placed[..., 2] += (standing[0, :, 2].min() - placed[..., 2].min(axis=1))[:, None]
    frames = _repeated(pose, len(found))
    _, residual = to_model(frames, mapping)
    return carry_travel(frames, lay_bending(residual, placed))


def _repeated(pose: RigTake, count: int) -> RigTake:
    """A take of one frame as one of so many equal frames."""
    channels = {name: np.repeat(getattr(pose, name), count, axis=0) for name in CHANNELS}
    return replace(pose, frames=np.arange(1.0, count + 1), **channels)


def completed(pose: RigTake, mapping: Mapping, given: tuple[str, ...], prior: Prior, seed: int = 0) -> RigTake:
    """The rest of a pose (a take of one frame) of which some bones stay where they are; see complete_poses.

    Seed 0 gives the calmest answer, each other one another, the first few being those that most draws are like.
    """
    check_take(pose)
    motion, residual = to_model(pose, mapping)
    pinned = pinned_joints(residual, given)
    if seed:
        group, answer = divmod(seed - 1, _ANSWERS)
        found = complete_poses(motion.positions, pinned, prior, 1 + _ANSWERS, group)[1 + answer]
    else:
        found = complete_pose(motion.positions, pinned, prior)
    after = lay_bending(residual, found, own_joints(residual, given))
    return carry_travel(pose, hold(residual, after, pinned))


def own_joints(residual: Residual, given: tuple[str, ...]) -> np.ndarray:
    """Joints (J,) whose own bone is among the given ones."""
    names = residual.take.names
    return np.array([bone >= 0 and names[bone] in given for bone in residual.bones])


def pinned_joints(residual: Residual, given: tuple[str, ...]) -> np.ndarray:
    """Joints (J,) that the given bones hold: their own, and where their segments lead; TakeError for none or all."""
    own = own_joints(residual, given)
    if not own.any():
        raise TakeError(_NOTHING_GIVEN)
    parents = np.array(MODEL.parents)
    pinned = own | (own[np.maximum(parents, 0)] & (parents >= 0))
    if pinned.all():
        raise TakeError(_NOTHING_LEFT)
    return pinned


def hold(residual: Residual, take: RigTake, pinned: np.ndarray, shifts: np.ndarray | float = 0.0) -> RigTake:
    """A take of the residual's rig in which pinned hands and feet are exactly where they were, and turned as they were.

    On other proportions than the model's a limb misses its place by centimetres; elbows and knees give, and where a
    limb is too short, the pelvis. shifts (J, 3), in the model's metres: pinned joints that are to be as far from where
    they were. Where limbs are too short for all, those that stay have it their way.
    """
    ends = [limb for limb in LIMBS if pinned[limb[2]] and (residual.bones[limb] >= 0).all()]
    moved = np.broadcast_to(shifts, (len(pinned), 3)).any(axis=-1)
    wanted, was = rig_positions(residual, residual.take) + shifts, joint_rotations(residual, residual.take)
    if ends and (moved[0] or not pinned[0]):
        way = _way_to(rig_positions(residual, take), ends, wanted)
        staying = [limb for limb in ends if not moved[limb[2]]]
        way = way + _way_to(rig_positions(residual, take) + way[:, None], staying, wanted)
        take = turn_bones(residual, take, {}, way)
    still = np.zeros((len(take.frames), 3))
    for limb in ends:
        take = turn_bones(residual, take, _bent(rig_positions(residual, take), limb, wanted[:, limb[2]]), still)
    now = joint_rotations(residual, take)
    turns = {limb[2]: rot.multiply(was[:, limb[2]], rot.inverse(now[:, limb[2]])) for limb in ends}
    return turn_bones(residual, take, turns, still) if turns else take


def _lengths(limb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lengths (F, 1) of upper and lower segment of a limb (F, 3, 3)."""
    upper, lower = np.moveaxis(np.linalg.norm(np.diff(limb, axis=1), axis=-1, keepdims=True), 1, 0)
    return upper, lower


def _way_to(at: np.ndarray, limbs: list[list[int]], wanted: np.ndarray) -> np.ndarray:
    """By how much (F, 3) the body at (F, J, 3) has to move for all limbs to reach where they are wanted (F, J, 3).

    Each in turn is brought as near as it needs, again and again: that ends where all are content, if there is such a
    place (projections onto convex sets; their inner limits, of limbs folded up, are not convex but seldom met).
    """
    way = np.zeros((len(at), 3))
    for _ in range(_ROUNDS):
        before = way
        for limb in limbs:
            way = way + _missed(at[:, limb] + way[:, None], wanted[:, limb[2]])
        if np.array_equal(way, before):
            break
    return way


def _missed(limb: np.ndarray, target: np.ndarray) -> np.ndarray:
    """How far (F, 3) a limb (F, 3, 3) must move at least, for its end to reach the target (F, 3)."""
    way = target - limb[:, 0]
    distance = np.maximum(np.linalg.norm(way, axis=-1, keepdims=True), 1e-9)
    upper, lower = _lengths(limb)
    nearest, furthest = np.abs(upper - lower) / _REACH, _REACH * (upper + lower)
    return way * (distance - np.clip(distance, nearest, furthest)) / distance


def _bent(at: np.ndarray, limb: list[int], target: np.ndarray) -> dict[int, np.ndarray]:
    """Turns of the limb's two bones that take its end to the target (F, 3), the joint between as it pointed."""
    root, middle, end = (at[:, joint] for joint in limb)
    upper, lower = _lengths(at[:, limb])
    way = target - root
    distance = np.clip(np.linalg.norm(way, axis=-1, keepdims=True), np.abs(upper - lower), _REACH * (upper + lower))
    axis = rot.unit(way)
    along = (upper**2 - lower**2 + distance**2) / np.maximum(2.0 * distance, 1e-9)
    aside = rot.rotate(rot.swing_between(rot.unit(end - root), axis), middle - root)
    aside = rot.unit(aside - np.sum(aside * axis, axis=-1, keepdims=True) * axis)
    bend = root + along * axis + np.sqrt(np.maximum(upper**2 - along**2, 0.0)) * aside
    thigh = rot.swing_between(middle - root, bend - root)
    shin = rot.swing_between(rot.rotate(thigh, end - middle), root + distance * axis - bend)
    return {limb[0]: thigh, limb[1]: rot.multiply(shin, thigh)}
