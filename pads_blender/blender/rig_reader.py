"""An armature object and its current action as a RigTake: plain arrays, nothing of Blender in them.

What cannot be read as plain forward kinematics is refused before anything is touched.
"""

from collections.abc import Iterable, Iterator

import bpy
import numpy as np

from ..core.channels import channel_count, quaternions_from_channels
from ..core.rig import RigTake
from ..errors import TakeError
from . import compat, curves

ROTATION_PROPERTIES = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}
_OBJECT_TRANSFORMS = ("location", "rotation", "scale", "delta_")

CurveTable = dict[tuple[str, int], bpy.types.FCurve]


def read_take(armature: bpy.types.Object) -> RigTake:
    """The armature's rest pose and its action at every whole scene frame between the first and the last key."""
    bag = find_curves(armature)
    _check_object(armature, bag)
    table = tabulate(bag)
    frames = _whole_frames(armature, table)
    bones = list(armature.data.bones)  # Blender lists parents before their children
    numbers = {bone.name: number for number, bone in enumerate(bones)}
    pose = [armature.pose.bones[bone.name] for bone in bones]
    location, rotation, scale = zip(*(_read_bone(bone, table, frames) for bone in pose), strict=True)
    take = RigTake(
        names=tuple(numbers),
        parents=np.array([numbers[bone.parent.name] if bone.parent else -1 for bone in bones], int),
        rest=np.array([bone.matrix_local for bone in bones], float),
        location=np.stack(location, axis=1),
        rotation=np.stack(rotation, axis=1),
        scale=np.stack(scale, axis=1),
        world_from_armature=_world_matrix(armature),
        frames=frames,
        fps=scene_fps(),
        movable=np.array([_is_movable(bone, table) for bone in pose]),
    )
    _check_finite(take, armature)
    return take


def rest_ends(armature: bpy.types.Object) -> tuple[np.ndarray, np.ndarray]:
    """Heads and tails (B, 3) of the bones at rest, in world space."""
    world = _world_matrix(armature)
    bones = armature.data.bones
    heads, tails = (np.array([getattr(b, end) for b in bones], float) for end in ("head_local", "tail_local"))
    return heads @ world[:3, :3].T + world[:3, 3], tails @ world[:3, :3].T + world[:3, 3]


def scene_fps() -> float:
    """Frames per second of the current scene."""
    render = bpy.context.scene.render
    return render.fps / render.fps_base


def find_curves(armature: bpy.types.Object) -> bpy.types.ActionChannelbag:
    """The F-curves that move the armature; TakeError where there are none or where they are not the whole story."""
    animation = armature.animation_data
    if animation and any(not track.mute and len(track.strips) for track in animation.nla_tracks):
        raise TakeError(
            f"{armature.name} is animated by NLA strips, which cannot be read yet: "
            "bake them into one action (Pose > Animation > Bake Action), then mute the tracks."
        )
    action = animation.action if animation else None
    if action is None or animation.action_slot is None:
        raise TakeError(f"{armature.name} has no action: select an armature with keyframes.")
    if len(action.layers) > 1 or any(len(layer.strips) > 1 for layer in action.layers):
        raise TakeError(f"Action {action.name} has several layers or strips, which cannot be read yet.")
    bag = compat.find_channelbag(action, animation.action_slot)
    if bag is None or not len(bag.fcurves):
        raise TakeError(f"Action {action.name} has no keyframes for {armature.name}.")
    return bag


def tabulate(bag: bpy.types.ActionChannelbag) -> CurveTable:
    """F-curves by data path and array index."""
    return {(fcurve.data_path, fcurve.array_index): fcurve for fcurve in bag.fcurves}


def bone_path(bone: bpy.types.PoseBone, name: str) -> str:
    """Data path of one of the pose bone's properties, as F-curves and drivers give it."""
    return f'pose.bones["{bpy.utils.escape_identifier(bone.name)}"].{name}'


def rotation_property(bone: bpy.types.PoseBone) -> str:
    """Name of the property that turns the bone in its present rotation mode."""
    return ROTATION_PROPERTIES.get(bone.rotation_mode, "rotation_euler")


def read_channels(bone: bpy.types.PoseBone, name: str, size: int, table: CurveTable, frames: np.ndarray) -> np.ndarray:
    """Values (F, size) of one property of the bone; where no curve drives it, the value that it has now."""
    values = np.tile(np.array(getattr(bone, name), float), (len(frames), 1))
    path = bone_path(bone, name)
    for index in range(size):
        fcurve = table.get((path, index))
        if fcurve is not None and curves.is_evaluated(fcurve):
            values[:, index] = curves.values_at(fcurve, frames)
    return values


def _read_bone(
    bone: bpy.types.PoseBone, table: CurveTable, frames: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Location (F, 3), rotation (F, 4) and scale (F, 3) of the bone against its rest pose."""
    mode = bone.rotation_mode
    channels = read_channels(bone, rotation_property(bone), channel_count(mode), table, frames)
    return (
        np.zeros((len(frames), 3)) if _is_connected(bone) else read_channels(bone, "location", 3, table, frames),
        quaternions_from_channels(channels, mode),
        read_channels(bone, "scale", 3, table, frames),
    )


def _is_connected(bone: bpy.types.PoseBone) -> bool:
    """Whether Blender ignores the bone's location: its head is its parent's tail."""
    return bone.parent is not None and bone.bone.use_connect


def _is_movable(bone: bpy.types.PoseBone, table: CurveTable) -> bool:
    """Whether the bone's location is animated on all axes and not locked, so that more of it is no surprise."""
    found = [table.get((bone_path(bone, "location"), index)) for index in range(3)]
    return not _is_connected(bone) and all(curve is not None and not curves.is_locked(curve) for curve in found)


def _whole_frames(armature: bpy.types.Object, table: CurveTable) -> np.ndarray:
    """Whole scene frames from the first to the last key of the bones."""
    spans = [fcurve.range() for (path, _), fcurve in table.items() if path.startswith("pose.bones[")]
    if not spans:
        raise TakeError(f"The action of {armature.name} moves no bones: select an armature with keyframed bones.")
    first, last = np.ceil(min(span[0] for span in spans)), np.floor(max(span[1] for span in spans))
    return np.arange(first, max(first, last) + 1.0)


def _world_matrix(armature: bpy.types.Object) -> np.ndarray:
    bpy.context.view_layer.update()  # matrix_world is stale until then
    return np.array(armature.matrix_world, float)


def _check_object(armature: bpy.types.Object, bag: bpy.types.ActionChannelbag) -> None:
    """Refuse what the arrays cannot say yet about the object itself."""
    if armature.library or armature.override_library:
        raise TakeError(f"{armature.name} is linked from another file: make it local first (Object > Relations).")
    for fcurve in bag.fcurves:
        if fcurve.data_path.startswith(_OBJECT_TRANSFORMS) and _varies(fcurve):
            raise TakeError(
                f"{armature.name} itself is moved by keyframes, besides its bones, which cannot be read yet: "
                "bake the motion into the bones, or delete the object's keyframes."
            )
    for ancestor in _ancestors(armature):
        animation = ancestor.animation_data
        if len(ancestor.constraints) or (animation and ancestor != armature and animation.action):
            raise TakeError(f"{armature.name} is moved by {ancestor.name}, which cannot be read yet: bake or clear it.")


def _ancestors(item: bpy.types.Object) -> Iterator[bpy.types.Object]:
    """The object and all that it hangs on."""
    while item is not None:
        yield item
        item = item.parent


def _varies(fcurve: bpy.types.FCurve) -> bool:
    if not curves.is_evaluated(fcurve):
        return False
    first, last = fcurve.range()
    return len(fcurve.modifiers) > 0 or bool(np.ptp(curves.values_at(fcurve, np.linspace(first, last, 100))) > 1e-6)


def _check_finite(take: RigTake, armature: bpy.types.Object) -> None:
    for values in (take.location, take.rotation, take.scale):
        bad = np.argwhere(~np.isfinite(values).all(axis=-1))
        if len(bad):
            bone, frame = take.names[bad[0, 1]], take.frames[bad[0, 0]]
            raise TakeError(f"{armature.name} has a value that is not a number: bone {bone}, frame {frame:g}.")


def check_bones(armature: bpy.types.Object, names: Iterable[str]) -> None:
    """Refuse bones whose pose is not their own channels on top of their parent's pose: TakeError names the reason.

    The bones above them count too, since they carry them.
    """
    bones = {bone.name: bone for name in names for bone in _with_parents(armature.pose.bones[name])}
    table, solved = tabulate(find_curves(armature)), _moved_by_constraints(armature)
    for bone in bones.values():
        if (bone_path(bone, "rotation_mode"), 0) in table:
            raise TakeError(f"Bone {bone.name} changes its rotation mode by keyframes: keep it in one mode.")
        if bone.name in solved:
            raise TakeError(
                f"Bone {bone.name} is moved by {solved[bone.name]}, which cannot be read yet: "
                "bake the action with Visual Keying and Clear Constraints, or mute the constraint."
            )
        _check_drivers(armature, bone)
        _check_inheritance(bone)


def _with_parents(bone: bpy.types.PoseBone) -> list[bpy.types.PoseBone]:
    return [bone, *bone.parent_recursive]


def _moved_by_constraints(armature: bpy.types.Object) -> dict[str, str]:
    """Bones that a constraint moves, by name, and what to call it; chain solvers move the bones above theirs too."""
    animation = armature.animation_data
    animated = {curve.data_path for curve in (*find_curves(armature).fcurves, *animation.drivers)}
    moved = {}
    for bone in armature.pose.bones:
        for constraint in bone.constraints:
            influence = bone_path(bone, f'constraints["{bpy.utils.escape_identifier(constraint.name)}"].influence')
            if constraint.mute or (constraint.influence == 0.0 and influence not in animated):
                continue
            chain = _with_parents(bone)
            length = (constraint.chain_count or len(chain)) if constraint.type in ("IK", "SPLINE_IK") else 1
            moved |= {link.name: f"the constraint {constraint.name} on {bone.name}" for link in chain[:length]}
    return moved


def _check_drivers(armature: bpy.types.Object, bone: bpy.types.PoseBone) -> None:
    prefix = bone_path(bone, "")
    for driver in armature.animation_data.drivers:
        name = driver.data_path.removeprefix(prefix)
        if driver.data_path.startswith(prefix) and name.startswith(("location", "rotation", "scale")):
            raise TakeError(f"Bone {bone.name} is moved by a driver, which cannot be read yet: bake the action first.")


def _check_inheritance(bone: bpy.types.PoseBone) -> None:
    rest = bone.bone
    is_plain = rest.use_inherit_rotation and rest.inherit_scale == "FULL" and rest.use_local_location
    if bone.parent and not is_plain:
        raise TakeError(
            f"Bone {bone.name} does not inherit its parent's rotation, scale and location axes in full, which cannot "
            "be read yet: switch this on in Bone > Relations."
        )
