"""What has to change in the channels of bones and of the object for one take to become another, at any time."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from ..core.channels import EULER_ORDERS, channels_from_quaternions, quaternions_from_channels
from ..core.cycles import close_ends
from ..core.rig import RigTake, find_bone_changes
from ..core.rotations import (
    IDENTITY,
    angle_between,
    continuous_euler,
    from_rotation_vector,
    inverse,
    make_continuous,
    multiply,
    normalise,
    to_rotation_vector,
)
from .evaluation import carrier_path, find_object
from .parts import Parts
from .rig_reader import pose_bone
from .transforms import Property, location_of, rotation_of, scale_of

_SMALLEST_TURN_RADIANS = 1e-6
SMALLEST_STRETCH = 1e-5  # only limbs that are switched from IK change their scale


@dataclass(frozen=True)
class Difference:
    """Whether one bone turns, moves or is scaled otherwise than before in any frame: no reference to Blender's data."""

    turns: bool
    moves: bool
    stretches: bool

    @classmethod
    def of(cls, before: RigTake, after: RigTake, number: int) -> Difference:
        """By the bone's number in the takes; what is no number differs."""
        turned, moved = find_bone_changes(before, after, number)
        stretch = np.abs(after.scale[:, number] - before.scale[:, number]).max()
        return cls(bool(turned.any()), bool(moved.any()), not stretch <= SMALLEST_STRETCH)


def find_channel_changes(
    armature: bpy.types.Object, before: RigTake, after: RigTake, number: int, difference: Difference
) -> list[RotationChange | ShiftChange]:
    """What has to be written for one bone, by its number in the takes and by what differs."""
    frames, bone = before.frames, pose_bone(armature, before.names[number])
    found: list[RotationChange | ShiftChange] = []
    if difference.turns:
        turn = multiply(normalise(after.rotation[:, number]), inverse(normalise(before.rotation[:, number])))
        found.append(RotationChange(rotation_of(bone), frames, turn))
    if difference.moves:
        found.append(ShiftChange(location_of(bone), frames, after.location[:, number] - before.location[:, number]))
    if difference.stretches:
        found.append(ShiftChange(scale_of(bone), frames, after.scale[:, number] - before.scale[:, number]))
    return found


def find_path_changes(armature: bpy.types.Object, before: RigTake, after: RigTake) -> Parts[list[ShiftChange]]:
    """What has to be written for the object itself, the first entry of the takes; a part for each frame."""
    name, uid, frames = armature.name, armature.session_uid, before.frames
    if not find_bone_changes(before, after, 0)[1].any():
        return []
    carrier = yield from carrier_path(armature, frames)
    shift = before.world_from_armature[:3, :3] @ (after.location - before.location)[:, 0, :, None]
    own = np.linalg.solve(carrier[:, :3, :3], shift)[..., 0]
    return [ShiftChange(location_of(find_object(uid, name)), frames, own)]


class RotationChange:
    """Changes of one bone's rotation channels, whatever its rotation mode."""

    def __init__(self, prop: Property, frames: np.ndarray, turn: np.ndarray) -> None:
        """turn (F, 4): from the old rotation to the new one at scene frames (F,)."""
        self.property, self.frames, self._mode = prop, frames, prop.owner.rotation_mode
        self._turn = make_continuous(turn, IDENTITY)

    def at(self, times: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """New channel values (K, size) in place of values, and where (K,) they differ."""
        turn = _between(self.frames, self._turn, times, IDENTITY)
        rotation = multiply(normalise(turn), quaternions_from_channels(values, self._mode))
        return channels_from_quaternions(rotation, self._mode, values), _turns(turn)

    def closed(self, first: float, last: float, reach: float) -> RotationChange:
        """The same with equal turns at the first and the last frame of a cycle, over `reach` frames."""
        vectors = close_ends(to_rotation_vector(normalise(self._turn)), self.frames, first, last, reach)
        return RotationChange(self.property, self.frames, from_rotation_vector(vectors))

    def changing_frames(self) -> np.ndarray:
        """The scene frames that change and those beside them, so that all others stay."""
        return self.frames[_widened(_turns(self._turn))]

    def made_continuous(self, values: np.ndarray) -> np.ndarray:
        """Channel values (K, size) that mean the same without leaps from key to key."""
        if self._mode == "QUATERNION":
            return make_continuous(values, values[0])
        return continuous_euler(values, self._mode, values[0]) if self._mode in EULER_ORDERS else values


class ShiftChange:
    """Changes of the location or scale channels of a bone or of the object."""

    def __init__(self, prop: Property, frames: np.ndarray, shift: np.ndarray) -> None:
        """shift (F, 3): from the old values to the new ones at scene frames (F,)."""
        self.property, self.frames, self._shift = prop, frames, shift

    def at(self, times: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """New channel values (K, 3) in place of values, and where (K,) they differ."""
        shift = _between(self.frames, self._shift, times, np.zeros(3))
        return values + shift, _shifts(shift)

    def closed(self, first: float, last: float, reach: float) -> ShiftChange:
        """The same with equal shifts at the first and the last frame of a cycle, over `reach` frames."""
        return ShiftChange(self.property, self.frames, close_ends(self._shift, self.frames, first, last, reach))

    def changing_frames(self) -> np.ndarray:
        """The scene frames that change and those beside them, so that all others stay."""
        return self.frames[_widened(_shifts(self._shift))]

    def made_continuous(self, values: np.ndarray) -> np.ndarray:
        """The values themselves: no others mean the same."""
        return values


def _turns(turn: np.ndarray) -> np.ndarray:
    """Where (K,) a rotation (K, 4) is one at all, or no number."""
    return ~(angle_between(np.broadcast_to(IDENTITY, turn.shape), normalise(turn)) <= _SMALLEST_TURN_RADIANS)


def _shifts(shift: np.ndarray) -> np.ndarray:
    """Where (K,) a shift (K, 3) is one at all, or no number."""
    return (shift != 0.0).any(axis=-1)


def _widened(chosen: np.ndarray) -> np.ndarray:
    """The chosen frames (F,) bool and those beside them."""
    wide = chosen.copy()
    wide[1:] |= chosen[:-1]
    wide[:-1] |= chosen[1:]
    return wide


def _between(frames: np.ndarray, values: np.ndarray, times: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Values (F, N) at scene frames, interpolated at times (K,); before the first and after the last frame, outside."""
    result = np.stack([np.interp(times, frames, column) for column in values.T], axis=-1)
    result[(times < frames[0]) | (times > frames[-1])] = outside
    return result
