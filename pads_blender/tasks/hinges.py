"""Elbows and knees bend about their own axis also where upper arm or thigh are filled in.

A bone that is swung by the smallest angle to where its joint should be does not turn about itself, although the bend
below shows by how much it should: the elbow would bend sideways.
"""

import numpy as np

from ..core import rotations as rot
from ..core.interpolate import interpolate_hidden
from ..core.retarget import Residual, joint_rotations, segment_axes
from ..core.rig import RigTake
from ..core.skeleton import MODEL
from ..diffusion.banded import solve_pentadiagonal

_LIMBS = [("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")]
_HINGES = np.array([MODEL.indices(*(f"{side}_{j}" for j in limb)) for side in ("left", "right") for limb in _LIMBS])
# Of 0.15 to 1 and of 1 to 1000 on sixty validation pieces of in-betweens, by a script: rotation errors differ by 2 %,
# with these they are within half a percent of the least; at 1000 elbows keep twice as much of their sideways bend.
_BENT = 0.5  # sine of the bend that says as much as the twists beside it
_STIFFNESS = 100.0  # of twists at 30 frames a second, against a full bend's word
_PINNED = 1e6  # where the rotation was measured


def hinge_twists(residual: Residual, laid: RigTake, positions: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Angles (F, J) in radians to add about upper arms and thighs whose rotation is hidden (F, B), smooth in time.

    With them a limb bends, in its upper bone's own axes, where it does in the measured frames beside. laid: the take
    that positions (F, J, 3) of the model were laid on; zero where a limb is measured, or in no frame.
    """
    twists, bones = np.zeros(positions.shape[:2]), residual.bones
    hinges = np.array([h for h in _HINGES if (bones[h[:2]] >= 0).all() and residual.visible[h].all()], int)
    lost = hidden[:, bones[hinges[:, :2]]] if len(hinges) else np.zeros((len(positions), 0, 2), bool)
    chosen = lost[..., 0].any(axis=0) & ~lost.any(axis=2).all(axis=0)
    if not chosen.any():
        return twists
    upper, lower, lost = *hinges[chosen, :2].T, lost[:, chosen]
    axes, turned = segment_axes(positions), joint_rotations(residual, laid)[:, upper]
    normal = np.cross(axes[:, upper], axes[:, lower])
    sine = np.linalg.norm(normal, axis=-1)
    own_normal, own_axis = (rot.rotate(rot.inverse(turned), v) for v in (normal, axes[:, upper]))
    angle = _side_of_bend(own_normal, own_axis, ~lost.any(axis=2))
    trust = sine**2 / (sine**2 + _BENT**2)
    usual = interpolate_hidden((trust * angle)[..., None], ~lost.any(axis=2))[..., 0]
    away = np.angle(np.exp(1j * (angle - usual)))
    trust = trust * np.maximum(np.cos(away), 0.0)  # bent the other way, a joint is stretched beyond straight
    precision = np.where(lost[..., 0], trust, _PINNED)
    stiffness = np.full((max(len(away) - 2, 0), away.shape[1]), _STIFFNESS * (laid.fps / 30.0) ** 4)
    goal = np.where(lost[..., 0], precision * away, 0.0)
    found = solve_pentadiagonal(precision + 1e-3, stiffness, goal[..., None])[..., 0]
    twists[:, upper] = np.where(lost[..., 0], found, 0.0)
    return twists


def _side_of_bend(normal: np.ndarray, axis: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """Angle (F, N) in radians about the bone (F, N, 3) from where it usually bends to where it does in each frame.

    normal (F, N, 3), as long as the bend's sine; what is usual is its mean over the measured frames (F, N).
    """
    weight = np.linalg.norm(normal, axis=-1, keepdims=True) * measured[..., None]
    usual = np.broadcast_to(np.sum(weight * normal, axis=0), normal.shape)
    across = usual - np.sum(usual * axis, axis=-1, keepdims=True) * axis
    return np.arctan2(np.sum(np.cross(across, normal) * axis, axis=-1), np.sum(across * normal, axis=-1))
