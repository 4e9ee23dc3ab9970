"""Rotations that joint positions do not show: twist about a segment, hands and feet, bones between the mapped ones.

They keep what the performer did and lose only their jitter; nothing is taken from the prior. Where an upper arm or a
thigh was not measured, its twist follows the bend below it.
"""

from dataclasses import replace

import numpy as np

from ..core import rotations as rot
from ..core.retarget import Residual, apply_motion, joint_rotations, segment_axes, unscaled
from ..core.rig import RigTake, world_matrices
from ..core.skeleton import MODEL
from ..core.stand_ins import find_stand_ins
from . import temporal
from .hinges import hinge_twists
from .noise import estimate_noise
from .pops import SMALLEST_POP_QUATERNION, find_pops, find_rotation_pops

_LEAVES = tuple(MODEL.indices("head_top", "left_wrist", "right_wrist", "left_toe", "right_toe"))


def smooth_unseen_rotations(take: RigTake, bones: np.ndarray, strength: float) -> RigTake:
    """The take with hands, toes and the bones between mapped ones freed from jitter; bones (J,) of the joints or -1."""
    chains = chains_between(take, bones)
    chosen = {bone for chain in chains for bone in chain[:-1]} | {int(bones[j]) for j in _LEAVES if bones[j] >= 0}
    if not chosen or len(take.frames) < 9:
        return take
    columns = sorted(chosen)
    channels = rot.make_continuous(take.rotation[:, columns])
    smoothed = _smooth(channels, ~_made_up_for(take, chains, bones)[:, columns])
    rotation = take.rotation.copy()
    rotation[:, columns] = rot.slerp(channels, rot.normalise(smoothed), np.full(channels.shape[:2], strength))
    return replace(take, rotation=rotation)


def chains_between(take: RigTake, bones: np.ndarray) -> list[list[int]]:
    """Bones without a joint below a mapped one, such as extra bones of a long spine, down to the next mapped one."""
    mapped, chains, is_stand_in = {int(b) for b in bones if b >= 0}, [], find_stand_ins(take)
    for bone in mapped:
        chain, parent = [bone], int(take.parents[bone])
        while parent >= 0 and parent not in mapped:
            chain += [] if is_stand_in[parent] else [parent]
            parent = int(take.parents[parent])
        if parent >= 0 and len(chain) > 1:
            chains.append(chain[::-1])
    return chains


def _made_up_for(take: RigTake, chains: list[list[int]], bones: np.ndarray) -> np.ndarray:
    """Frames and bones (F, B) of chains at whose end, or one joint further on, nothing pops in the world.

    Where pelvis or chest is measured with a leap, the bones beside it leap back: to calm one of them alone would swing
    all that hangs on it.
    """
    calm, joint_of = np.zeros(take.rotation.shape[:2], bool), {int(b): j for j, b in enumerate(bones) if b >= 0}
    turned = rot.from_matrix(unscaled(world_matrices(take)[..., :3, :3])) if chains else take.rotation
    for chain in chains:
        end = chain[-1]
        further = [int(bones[j]) for j, p in enumerate(MODEL.parents) if p == joint_of[end] and bones[j] >= 0]
        ends = [end, *further] if len(further) == 1 else [end]
        calm[:, chain] = (~find_rotation_pops(turned[:, ends])).any(axis=1, keepdims=True)
    return calm


def lay_on_rig(
    residual: Residual, positions: np.ndarray, hidden: np.ndarray, strength: float, held: np.ndarray | None = None
) -> RigTake:
    """The residual's take with its joints where positions (F, J, 3) say, and its bones calm about themselves.

    hidden (F, B): rotations that were not measured; held (B,): bones whose own rotation stays.
    """
    laid = apply_motion(residual, positions, held=held)
    twists = steady_twists(residual, laid, positions, strength) + hinge_twists(residual, laid, positions, hidden)
    return apply_motion(residual, positions, twists, held)


def steady_twists(residual: Residual, cleaned: RigTake, positions: np.ndarray, strength: float) -> np.ndarray:
    """Angles (F, J) in radians to add about each segment, so that its twist against its parent stops jittering.

    positions (F, J, 3) are the cleaned model positions that `cleaned` was made from.
    """
    twists = np.zeros(positions.shape[:2])
    if len(positions) < 9:
        return twists
    turned, axes = joint_rotations(residual, cleaned), segment_axes(positions)
    for level in _levels(residual.bones, axes):
        above = [_mapped_ancestor(residual.bones, MODEL.parents[joint]) for joint in level]
        angle = _twist_path(turned[:, above], turned[:, level], axes[:, level])
        twists[:, level] = strength * (_smooth(angle[..., None])[..., 0] - angle)
        added = rot.from_rotation_vector(twists[:, level, None] * axes[:, level])
        turned[:, level] = rot.multiply(added, turned[:, level])
    return twists


def _levels(bones: np.ndarray, axes: np.ndarray) -> list[list[int]]:
    """Joints with a bone and a segment that has twist, those equally far from the root together, parents first."""
    depth = [0] * len(MODEL)
    for joint, parent in enumerate(MODEL.parents):
        depth[joint] = depth[parent] + 1 if parent >= 0 else 0
    twisting = [j for j in range(1, len(MODEL)) if bones[j] >= 0 and np.any(axes[:, j])]
    levels = [[joint for joint in twisting if depth[joint] == d] for d in range(1, max(depth) + 1)]
    return [level for level in levels if level]


def _mapped_ancestor(bones: np.ndarray, joint: int) -> int:
    while bones[joint] < 0:
        joint = MODEL.parents[joint]
    return joint


def _twist_path(parent: np.ndarray, turned: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Twist (F, N) in radians that segments gather from frame to frame against their parents, the swing carried along.

    Increments have no pole, where the angle of a swing-twist split leaps as the swing nears half a turn.
    """
    local, axis = rot.multiply(rot.inverse(parent), turned), rot.rotate(rot.inverse(parent), axes)
    swing = rot.swing_between(axis[:-1], axis[1:])
    step = rot.multiply(local[1:], rot.inverse(rot.multiply(swing, local[:-1])))
    angle = np.cumsum(rot.twist_angle(step, axis[1:]), axis=0)
    return np.concatenate([np.zeros((1, angle.shape[1])), angle])


def _smooth(values: np.ndarray, may_pop: np.ndarray | bool = True) -> np.ndarray:
    """Values (F, N, C) freed from the white noise that they show, pops left out where there may be any (F, N)."""
    everywhere = np.ones(values.shape[:2], bool)
    sigma = estimate_noise(values, everywhere)
    pops = find_pops(values, sigma, SMALLEST_POP_QUATERNION) & may_pop
    return temporal.smooth(values, 1.0 - pops, sigma)
