"""What keeps bones from being read and written as they are keyed: constraints, drivers, inheritance switched off."""

from collections.abc import Iterable, Iterator

import bpy

from ..errors import TakeError
from .rig_reader import find_curves
from .transforms import bone_path, tabulate

# Constraints that leave a bone no rotation of its own; others, such as Child Of or limits, add to what is keyed.
_TURNING = ("IK", "SPLINE_IK", "COPY_ROTATION", "COPY_TRANSFORMS", "DAMPED_TRACK", "TRACK_TO", "LOCKED_TRACK")
_TURNING += ("STRETCH_TO", "ARMATURE", "TRANSFORM_CACHE", "GEOMETRY_ATTRIBUTE")
_BAKE = "bake the action with Visual Keying and Clear Constraints, or mute the constraint"


def is_plain(armature: bpy.types.Object, names: Iterable[str]) -> bool:
    """Whether the bones' pose, and that of all bones above them, is their channels on top of their parent's pose."""
    bones = {bone.name: bone for name in names for bone in _with_parents(armature.pose.bones[name])}
    table, moved = tabulate(find_curves(armature)), _moved_by_constraints(armature)
    return all(
        bone.name not in moved
        and _inherits_all(bone)
        and not any(driven_channels(armature, bone))
        and (bone_path(bone, "rotation_mode"), 0) not in table
        for bone in bones.values()
    )


def check_bones(armature: bpy.types.Object, names: Iterable[str]) -> None:
    """Refuse bones that do not turn by their own keys: TakeError names the bone, the reason and what to do."""
    for message in refusals(armature, names).values():
        raise TakeError(message)


def refusals(armature: bpy.types.Object, names: Iterable[str]) -> dict[str, str]:
    """Why some of the bones do not turn by their own keys, by name."""
    table, moved, found = tabulate(find_curves(armature)), _moved_by_constraints(armature), {}
    for bone in (armature.pose.bones[name] for name in names):
        if (bone_path(bone, "rotation_mode"), 0) in table:
            found[bone.name] = f"Bone {bone.name} changes its rotation mode by keyframes: keep it in one mode."
        if any(name.startswith("rotation") for name in driven_channels(armature, bone)):
            found[bone.name] = f"Bone {bone.name} is turned by a driver, not by keys: bake the action first."
        for constraint, owner in moved.get(bone.name, ()):
            if constraint.type in _TURNING:
                said = f"is turned by the constraint {constraint.name} on {owner.name}, not by keys"
                found[bone.name] = f"Bone {bone.name} {said}: {_BAKE}."
    return found


def is_moved_by_keys(armature: bpy.types.Object, bone: bpy.types.PoseBone) -> bool:
    """Whether the bone's location moves it along its rest axes, with nothing of its own between."""
    is_solved = any(not constraint.mute for constraint in bone.constraints)
    return _inherits_all(bone) and not is_solved and not any(driven_channels(armature, bone))


def _inherits_all(bone: bpy.types.PoseBone) -> bool:
    """Whether the bone takes over its parent's rotation, scale and location axes in full, as it does by default."""
    rest = bone.bone
    return not bone.parent or (rest.use_inherit_rotation and rest.inherit_scale == "FULL" and rest.use_local_location)


def _with_parents(bone: bpy.types.PoseBone) -> list[bpy.types.PoseBone]:
    return [bone, *bone.parent_recursive]


def _moved_by_constraints(
    armature: bpy.types.Object,
) -> dict[str, list[tuple[bpy.types.Constraint, bpy.types.PoseBone]]]:
    """Constraints that move a bone, and whose they are, by its name; chain solvers move the bones above theirs, too."""
    animation, moved = armature.animation_data, {}
    animated = {curve.data_path for curve in (*find_curves(armature).fcurves, *animation.drivers)}
    for bone in armature.pose.bones:
        for constraint in bone.constraints:
            if _is_idle(bone, constraint, animated):
                continue
            chain = _with_parents(bone)
            length = (constraint.chain_count or len(chain)) if constraint.type in ("IK", "SPLINE_IK") else 1
            for link in chain[:length]:
                moved.setdefault(link.name, []).append((constraint, bone))
    return moved


def _is_idle(bone: bpy.types.PoseBone, constraint: bpy.types.Constraint, animated: set[str]) -> bool:
    """Whether the constraint is muted or without influence, and stays so."""
    path = bone_path(bone, f'constraints["{bpy.utils.escape_identifier(constraint.name)}"]')
    if f"{path}.mute" in animated or f"{path}.enabled" in animated:
        return False
    return constraint.mute or (constraint.influence == 0.0 and f"{path}.influence" not in animated)


def driven_channels(armature: bpy.types.Object, bone: bpy.types.PoseBone) -> Iterator[str]:
    """Names of the bone's transform channels that a driver sets."""
    prefix, animation = bone_path(bone, ""), armature.animation_data
    for driver in animation.drivers if animation else ():
        name = driver.data_path.removeprefix(prefix)
        if driver.data_path.startswith(prefix) and not driver.mute and name.startswith(("location", "rot", "scale")):
            yield name
