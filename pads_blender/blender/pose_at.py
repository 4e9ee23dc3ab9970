"""The pose that an action gives an armature in one frame, whether or not it is the armature's current action."""

import bpy
import numpy as np

from ..core.channels import quaternions_from_channels
from ..core.rig import RigTake, world_matrices
from ..errors import TakeError
from . import compat
from .rig_reader import is_connected
from .transforms import Property, location_of, rotation_of, scale_of


def pose_at(armature: bpy.types.Object, action: bpy.types.Action, slot_handle: int, frame: float) -> RigTake:
    """A take of one frame by the bones' own channels; what constraints do is not in it. Quick enough to draw from."""
    slot = next((slot for slot in action.slots if slot.handle == slot_handle), None)
    bag = compat.find_channelbag(action, slot) if slot else None
    values = {(fcurve.data_path, fcurve.array_index): fcurve.evaluate(frame) for fcurve in (bag.fcurves if bag else ())}
    return _pose(armature, values, frame)


def present_pose(armature: bpy.types.Object) -> RigTake:
    """A take of one frame of the pose that the bones' own channels have now, keyed or not; TakeError without bones."""
    if not armature.data.bones:
        raise TakeError(f"{armature.name} has no bones to pose.")
    bpy.context.view_layer.update()  # matrix_world is stale until then
    return _pose(armature, {}, 1.0)


def _pose(armature: bpy.types.Object, values: dict[tuple[str, int], float], frame: float) -> RigTake:
    """A take of one frame of the values of F-curves, and of the channels themselves where there are none."""
    bones = [armature.pose.bones[bone.name] for bone in armature.data.bones]
    numbers = {bone.name: number for number, bone in enumerate(bones)}
    rotation = [quaternions_from_channels(_values(rotation_of(bone), values), bone.rotation_mode) for bone in bones]
    location, scale = ([_values(prop(bone), values) for bone in bones] for prop in (location_of, scale_of))
    return RigTake(
        names=tuple(numbers),
        parents=np.array([numbers[bone.parent.name] if bone.parent else -1 for bone in bones], int),
        rest=np.array([bone.bone.matrix_local for bone in bones], float),
        location=np.stack(location, axis=1),
        rotation=np.stack(rotation, axis=1),
        scale=np.stack(scale, axis=1),
        world_from_armature=np.array(armature.matrix_world, float),
        frames=np.array([frame]),
        fps=1.0,
        movable=np.array([not is_connected(bone) for bone in bones]),
    )


def bone_lines(armature: bpy.types.Object, pose: RigTake) -> np.ndarray:
    """Heads and tails (B, 2, 3) of the bones of a one-frame take, in world space."""
    matrices = world_matrices(pose)[0]
    lengths = np.array([bone.length for bone in armature.data.bones])
    heads = matrices[:, :3, 3]
    return np.stack([heads, heads + lengths[:, None] * matrices[:, :3, 1]], axis=1)


def _values(prop: Property, values: dict[tuple[str, int], float]) -> np.ndarray:
    """Values (1, size) of a bone's property; where no curve drives it, the value that it has now."""
    if prop.name == "location" and is_connected(prop.owner):
        return np.zeros((1, 3))
    path, present = prop.path, getattr(prop.owner, prop.name)
    return np.array([[values.get((path, index), present[index]) for index in range(prop.size)]])
