"""Drag Pose: one joint of a rig's pose is moved, some stay where they are, and the rest of the body follows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.mapping import Mapping
from ..core.retarget import Residual, to_model
from ..core.rig import RigTake, carry_travel
from ..diffusion.prior import Prior
from ..errors import TakeError
from .hinges import lay_bending
from .pinned_pose import Descent, complete_pose
from .rig_poses import hold, own_joints, pinned_joints
from .take_checks import check_take

_LEAST_METRES = 0.006  # of noise: just above the level at which the sampler ends
_NOTHING_STAYS = (
    "Nothing stays where it is: besides the bone that you drag, which is the active one, select others, the feet for "
    "instance."
)


@dataclass(frozen=True)
class DragSettings:
    """How the body follows; `evaluate pins` (training/pin_study.py) tries others on poses of validation clips.

    noise_share: how much of the pose is given up, noise of this share of the way. open_metres: of way, up to which the
    pose at the beginning counts, too.
    """

    noise_share: float = 0.25
    steps: int = 10
    open_metres: float = 0.2


@dataclass(frozen=True)
class Drag:
    """A rig's pose (a take of one frame) with the joints (J,) that are given; those dragged are among the pinned.

    own (J,): joints whose own bone is one of those that were chosen.
    """

    pose: RigTake
    residual: Residual
    pinned: np.ndarray
    dragged: np.ndarray
    own: np.ndarray


def begin_drag(pose: RigTake, mapping: Mapping, given: tuple[str, ...], active: str) -> Drag:
    """A drag of the active bone, while the other given ones stay; TakeError where one of both is missing."""
    check_take(pose)
    _, residual = to_model(pose, mapping)
    if active not in {pose.names[bone] for bone in residual.bones if bone >= 0}:
        raise TakeError(f"{active} is none of the body's joints: drag a hand, a foot, the head or the hips.")
    pinned, dragged = pinned_joints(residual, (*given, active)), pinned_joints(residual, (active,))
    if not (pinned & ~dragged).any():
        raise TakeError(_NOTHING_STAYS)
    return Drag(pose, residual, pinned, dragged, own_joints(residual, (*given, active)))


def dragged_pose(drag: Drag, way: np.ndarray, prior: Prior) -> RigTake:
    """The pose with the dragged bone moved by way (3,), in the world's units, as far as what stays lets it.

    The further it goes the more of the pose is open. Nothing counts but where it is now: the way back leads to the
    pose at the beginning.
    """
    residual, shift = drag.residual, _in_model(drag.residual, way)
    if not shift.any():
        return drag.pose
    found = dragged_positions(residual.positions, drag.pinned, drag.dragged, shift, prior)
    shifts, laid = drag.dragged[:, None] * shift, lay_bending(residual, found, drag.own)
    return carry_travel(drag.pose, hold(residual, laid, drag.pinned, shifts))


def dragged_positions(
    was: np.ndarray,
    pinned: np.ndarray,
    dragged: np.ndarray,
    shift: np.ndarray,
    prior: Prior,
    settings: DragSettings = DragSettings(),
) -> np.ndarray:
    """The model's pose (1, J, 3), metres, when dragged joints (J,) go by shift (3,) and other pinned ones (J,) stay."""
    wanted, distance = was + dragged[:, None] * shift, float(np.linalg.norm(shift))
    level = float(np.clip(settings.noise_share * distance, _LEAST_METRES, Descent.start_metres))
    descent = Descent(settings.steps, level)
    found = complete_pose(wanted, pinned, prior, start=was, descent=descent)
    share = min(distance / settings.open_metres, 1.0)
    return share * found + (1.0 - share) * wanted


def _in_model(residual: Residual, way: np.ndarray) -> np.ndarray:
    """A way (3,) in the world in the model's metres, in whose world the rig's rest pose stands."""
    standing, lying = residual.take.world_from_armature[:3, :3], residual.world_from_armature[:3, :3]
    return residual.scale * (standing @ np.linalg.solve(lying, way))
