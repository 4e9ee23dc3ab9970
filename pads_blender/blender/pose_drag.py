"""A pose of an armature that follows what is dragged, and can be taken back. Knows nothing of mouse and view."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
import numpy as np

from .computer import pose_prior
from .evaluation import find_object
from .pose_at import present_pose
from .pose_keys import check_free, key_pose, put_pose
from .rig_mapping import read_mapping
from .transforms import location_of, rotation_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..core.rig import RigTake


class PoseDrag:
    """The active bone of an armature goes a way in the world; other given bones stay, and the rest follows."""

    def __init__(self, armature: bpy.types.Object, given: tuple[str, ...], active: str) -> None:
        """PadsError where the rig cannot be posed, or by these bones."""
        from ..tasks.dragged_pose import begin_drag  # not above: Blender's start must not wait for it

        mapping, self._before = read_mapping(armature), present_pose(armature)
        check_free(armature, mapping)
        self._drag = begin_drag(self._before, mapping, given, active)
        self._prior = pose_prior()
        self._uid, self._name = armature.session_uid, armature.name
        self._values = {bone.name: _values(bone) for bone in armature.pose.bones}
        self._changed: list[str] = []

    def solve(self, way: Sequence[float]) -> RigTake:
        """The pose in which the active bone has gone this way (3,) since the beginning; PadsError if there is none."""
        from ..tasks.dragged_pose import dragged_pose

        return dragged_pose(self._drag, np.array(way, float), self._prior)

    def show(self, pose: RigTake) -> None:
        """Put a pose onto the armature; TakeError where that is gone."""
        self.put_back()
        self._changed = put_pose(find_object(self._uid, self._name), self._before, pose)

    def put_back(self) -> None:
        """Give every channel its value at the beginning; TakeError where the armature is gone."""
        bones = find_object(self._uid, self._name).pose.bones
        for name in self._changed:
            for channel, value in self._values[name].items() if name in bones else ():
                setattr(bones[name], channel, value)
        self._changed = []

    def key(self, frame: int) -> None:
        """Keys of what has changed, on the armature's action."""
        key_pose(find_object(self._uid, self._name), self._changed, frame)


def _values(bone: bpy.types.PoseBone) -> dict[str, tuple[float, ...]]:
    """What the bone's channels are, by property."""
    return {prop.name: tuple(getattr(bone, prop.name)) for prop in (location_of(bone), rotation_of(bone))}
