"""Elbows and knees bend about their own axis also where upper arm or thigh are filled in or posed anew.

A bone that is swung by the smallest angle to where its joint should be does not turn about itself, although the bend
below shows by how much it should: the elbow would bend sideways.
"""

import numpy as np

from ..core import normalise
from ..core import rotations as rot
from ..core.interpolate import interpolate_hidden
from ..core.retarget import Residual, apply_motion, joint_rotations, segment_axes, unscaled
from ..core.rig import RigTake
from ..core.skeleton import MODEL
from ..diffusion.banded import solve_pentadiagonal

_CHAINS = [("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")]
LIMBS = [MODEL.indices(*(f"{side}_{j}" for j in chain)) for side in ("left", "right") for chain in _CHAINS]
_HINGES = np.array(LIMBS)
# Axes about which they bend, by the right hand, as the model stands at rest with its palms down: a forearm to the
# front, a shin to the back.
_AXES = np.array([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
_BELOW = {h[0]: h[1:2] if "shoulder" in MODEL.names[h[0]] else h[1:3] for h in _HINGES.tolist()}  # what turns, too
# Of 0.15 to 1 and of 1 to 1000 on sixty validation pieces of in-betweens, by a script: rotation errors differ by 2 %,
# with these they are within half a percent of the least; at 1000 elbows keep twice as much of their sideways bend.
_BENT = 0.5  # sine of the bend that says as much as the twists beside it
_FOLDED = 0.1  # sine below which the bend of a limb that is folded up says little
_STIFFNESS = 100.0  # of twists at 30 frames a second, against a full bend's word
_PINNED = 1e6  # where the rotation was measured


def hinge_twists(residual: Residual, laid: RigTake, positions: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Angles (F, J) in radians to add about upper arms and thighs whose rotation is hidden (F, B), smooth in time.

    With them a limb bends, in its upper bone's own axes, where it does in the measured frames beside, or where limbs
    do that are straight in all of these. laid: the take that positions (F, J, 3) of the model were laid on; zero where
    a limb is measured, or in no frame.
    """
    twists, bones = np.zeros(positions.shape[:2]), residual.bones
    hinges = _HINGES[_has_limb(residual)]
    lost = hidden[:, bones[hinges[:, :2]]]
    chosen = lost[..., 0].any(axis=0) & ~lost.any(axis=2).all(axis=0)
    if not chosen.any():
        return twists
    upper, lower, lost = *hinges[chosen, :2].T, lost[:, chosen]
    axes, turned = segment_axes(positions), joint_rotations(residual, laid)[:, upper]
    normal, trust = _bend(axes, upper, lower)
    own_normal, own_axis = (rot.rotate(rot.inverse(turned), v) for v in (normal, axes[:, upper]))
    seen = trust * ~lost.any(axis=2)
    known, at_rest = seen.max(axis=0)[:, None], _axes_at_rest(residual)[_has_limb(residual)][chosen]
    own = known * rot.unit(np.sum(seen[..., None] * own_normal, axis=0)) + (1.0 - known) * at_rest
    trust = trust * np.where(at_rest.any(axis=-1), 1.0, known[:, 0])
    angle = _angle_about(own_axis, own, own_normal)
    # Bent the other way, a joint is stretched beyond straight. Turned evenly from key to key, none is off by more.
    off = trust * np.maximum(np.cos(angle), 0.0) * angle
    usual = interpolate_hidden(off[..., None], ~lost.any(axis=2))[..., 0]
    away = np.angle(np.exp(1j * (angle - usual)))
    trust = trust * np.maximum(np.cos(away), 0.0)
    precision = np.where(lost[..., 0], trust, _PINNED)
    stiffness = np.full((max(len(away) - 2, 0), away.shape[1]), _STIFFNESS * (laid.fps / 30.0) ** 4)
    goal = np.where(lost[..., 0], precision * away, 0.0)
    found = solve_pentadiagonal(precision + 1e-3, stiffness, goal[..., None])[..., 0]
    twists[:, upper] = np.where(lost[..., 0], found, 0.0)
    for joint in upper.tolist():
        turn = _about(twists, axes, joint)
        for below in (each for each in _BELOW[joint] if bones[each] >= 0):
            carried = rot.multiply(rot.swing_between(rot.rotate(turn, axes[:, below]), axes[:, below]), turn)
            twists[:, below] = np.where(hidden[:, bones[below]], rot.twist_angle(carried, axes[:, below]), 0.0)
            turn = _about(twists, axes, below)
    return twists


def lay_bending(residual: Residual, positions: np.ndarray, given: np.ndarray | None = None) -> RigTake:
    """The residual's take with its joints where positions (F, J, 3) say, elbows and knees bent about their own axis.

    The axis is that of the pose before, the more the further the limb is bent there, else the one that rigs have at
    rest. A limb that does not move keeps its rotations, and one that is straightened is not turned about itself.
    given (J,) bool: joints whose own bone is not to turn about itself.
    """
    laid, chosen = apply_motion(residual, positions), _has_limb(residual)
    upper, lower, _ = _HINGES[chosen].T
    old, new = segment_axes(residual.positions), segment_axes(positions)
    before, now = residual.rotations[:, residual.bones], joint_rotations(residual, laid)
    normal, known = _bend(old, upper, lower)
    bent = rot.rotate(rot.inverse(before[:, upper]), rot.unit(normal))
    own = known[..., None] * bent + (1.0 - known[..., None]) * _axes_at_rest(residual)[chosen]
    was, trust = _turn_to_bend(own, before, old, upper, lower), _bend(new, upper, lower)[1]
    was = was * np.minimum(trust / np.maximum(known, 1e-12), 1.0)
    twists, stays = np.zeros(positions.shape[:2]), np.zeros(len(MODEL), bool) if given is None else given
    twists[:, upper] = np.where(stays[upper], 0.0, _turn_to_bend(own, now, new, upper, lower) - was)
    for joint in upper.tolist():
        turn = rot.multiply(_about(twists, new, joint), _turn(before, now, joint))
        for below in _BELOW[joint]:
            swung = _turn(before, now, below)
            if not stays[below]:
                turn = rot.multiply(rot.swing_between(rot.rotate(turn, old[:, below]), new[:, below]), turn)
                twists[:, below] = rot.twist_angle(rot.multiply(turn, rot.inverse(swung)), new[:, below])
            else:
                turn = swung
    return apply_motion(residual, positions, twists)


def _has_limb(residual: Residual) -> np.ndarray:
    """Which of the hinges (4,) the rig has."""
    return (residual.bones[_HINGES[:, :2]] >= 0).all(axis=1) & residual.visible[_HINGES].all(axis=1)


def _axes_at_rest(residual: Residual) -> np.ndarray:
    """Axes (4, 3) of elbows and knees in the own axes of the bones above them; zero if the rest pose is not human."""
    rest, bones = residual.take.rest, residual.bones
    alignment = normalise.rest_alignment(rest[bones, :3, 3], bones >= 0)
    if alignment is None:
        return np.zeros(_AXES.shape)
    upper, lower = bones[_HINGES[:, 0]], bones[_HINGES[:, 1]]
    segments = rot.rotate(alignment, rot.unit(MODEL.offsets[_HINGES[:, 1]]))
    swing = rot.swing_between(segments, rot.unit(rest[lower, :3, 3] - rest[upper, :3, 3]))
    own = rot.from_matrix(unscaled(rest[upper, :3, :3]))
    return rot.rotate(rot.multiply(rot.inverse(own), rot.multiply(swing, alignment)), _AXES)


def _about(twists: np.ndarray, axes: np.ndarray, joint: int) -> np.ndarray:
    """A joint's turn (F, 4) by its twist of twists (F, J) about its segment of axes (F, J, 3)."""
    return rot.from_rotation_vector(twists[:, joint, None] * axes[:, joint])


def _turn(before: np.ndarray, now: np.ndarray, joint: int) -> np.ndarray:
    """World rotation (F, 4) of a joint's bone from before (F, J, 4) to now."""
    return rot.multiply(now[:, joint], rot.inverse(before[:, joint]))


def _turn_to_bend(own: np.ndarray, turned: np.ndarray, axes: np.ndarray, upper: list, lower: list) -> np.ndarray:
    """Angles (F, N) in radians by which bones (F, J, 4) have to turn about themselves for their limbs to bend about
    their own axes (F, N, 3), as far as the bend tells.

    What would be more than a quarter of a full turn is the less believed, down to half a turn, which is a limb
    stretched beyond straight: so slowly that the turn hardly runs ahead of the limb where a rig's axis is far off.
    """
    normal, trust = _bend(axes, upper, lower)
    angle = _angle_about(axes[:, upper], rot.rotate(turned[:, upper], own), normal)
    return trust * np.minimum(1.0 + np.cos(angle), 1.0) ** 2 * angle


def _bend(axes: np.ndarray, upper: np.ndarray, lower: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Normals (F, N, 3), as long as the bend's sine, of limbs with these segments (F, J, 3), and how much they tell.

    That, (F, N), is 0 of a straight limb and 0.8 from a right angle on, until it is nearly folded up.
    """
    normal = np.cross(axes[:, upper], axes[:, lower])
    square, folding = np.sum(normal**2, axis=-1), np.sum(axes[:, upper] * axes[:, lower], axis=-1) < 0.0
    square = np.where(folding, (1.0 + _FOLDED**2) * square / (square + _FOLDED**2), square)
    return normal, square / (square + _BENT**2)


def _angle_about(axis: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Angle (...) in radians about a unit axis (..., 3) from the start's direction to the end's."""
    across = start - np.sum(start * axis, axis=-1, keepdims=True) * axis
    return np.arctan2(np.sum(np.cross(across, end) * axis, axis=-1), np.sum(across * end, axis=-1))
