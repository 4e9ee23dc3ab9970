"""A cleaned motion beside the original it was made from: as two actions, or as two NLA strips with a blend."""

from __future__ import annotations

from dataclasses import dataclass, replace

import bpy
import numpy as np

from ..core import rotations as rot
from ..core.rig import RigTake
from ..errors import TakeError
from . import compat
from .evaluated_poses import forget_poses, posed_frame
from .evaluated_reader import read_rig
from .pose_at import bone_lines, pose_at
from .rig_mapping import read_mapping
from .rig_writer import (
    ORIGINAL,
    find_pair,
    remove_unused,
    restore_unkeyed,
    switches_to_fk,
    toggle_original,
    write_take,
)

_BELOW, _ABOVE = "PADS Original", "PADS Cleaned"
_NO_COMPARISON = "has no cleaned motion to compare with: press Clean Mocap first."


@dataclass(frozen=True)
class Comparison:
    """Both actions and the slot's handle in each; the strip that blends them, if they are NLA strips."""

    original: bpy.types.Action
    cleaned: bpy.types.Action
    slot_handle: int
    strip: bpy.types.NlaStrip | None = None


def find_comparison(armature: bpy.types.Object) -> Comparison | None:
    """What can be compared on the armature; valid until anything changes."""
    animation = armature.animation_data
    if animation is None:
        return None
    below, above = (_strip_of(animation, name) for name in (_BELOW, _ABOVE))
    if below and above:
        return Comparison(below.action, above.action, above.action_slot.handle, above)
    pair = find_pair(armature)
    return Comparison(*pair, animation.action_slot.handle) if pair else None


def _strip_of(animation: bpy.types.AnimData, track: str) -> bpy.types.NlaStrip | None:
    """The strip on one of our tracks; None where there is no such track, or its action was deleted."""
    found = animation.nla_tracks.get(track)
    return next((strip for strip in found.strips if strip.action and strip.action_slot), None) if found else None


def get_comparison(armature: bpy.types.Object) -> Comparison:
    """The same; TakeError where there is nothing to compare."""
    found = find_comparison(armature)
    if found is None:
        raise TakeError(f"{armature.name} {_NO_COMPARISON}")
    return found


def shows_cleaned(armature: bpy.types.Object, found: Comparison) -> bool:
    """Whether the cleaned motion is what the armature does now."""
    if found.strip is not None:
        return get_blend(found) > 0.5
    return armature.animation_data.action == found.cleaned


def toggle(armature: bpy.types.Object) -> str:
    """Show the other motion; its action's name."""
    found = get_comparison(armature)
    if found.strip is None:
        return toggle_original(armature)
    is_cleaned = shows_cleaned(armature, found)
    set_blend(found, 0.0 if is_cleaned else 1.0)
    return (found.original if is_cleaned else found.cleaned).name


def accept(armature: bpy.types.Object) -> str:
    """End the comparison with the cleaned motion, as far as it is blended in; the original stays among the actions."""
    found = get_comparison(armature)
    animation, blend = armature.animation_data, 1.0 if found.strip is None else get_blend(found)
    _remove_tracks(animation)
    compat.assign_action(animation, found.cleaned, found.slot_handle)
    accepted = found.cleaned
    if blend < 1.0:
        try:
            accepted = _blended(armature, found, blend)
        except BaseException:
            _put_strips_back(armature, found, blend)
            raise
        remove_unused(found.cleaned)
    del accepted[ORIGINAL]
    forget_poses(accepted)
    return accepted.name


def discard(armature: bpy.types.Object) -> str:
    """End the comparison with the original motion; the cleaned one is removed."""
    found = get_comparison(armature)
    _remove_tracks(armature.animation_data)
    compat.assign_action(armature.animation_data, found.original, found.slot_handle)
    restore_unkeyed(armature, found.cleaned)
    remove_unused(found.cleaned)
    return found.original.name


def stack_strips(armature: bpy.types.Object) -> None:
    """Turn the armature's cleaned action and its original into two NLA strips, the cleaned one above and in full."""
    found, animation = get_comparison(armature), armature.animation_data
    animation.action = None
    for name, action in ((_BELOW, found.original), (_ABOVE, found.cleaned)):
        track = animation.nla_tracks.new()
        track.name = name
        first, last = action.curve_frame_range  # of the keys, whatever range the animator set for playing
        strip = track.strips.new(action.name, round(first), action)
        strip.action_slot = next(slot for slot in action.slots if slot.handle == found.slot_handle)
        strip.frame_start, strip.frame_end = first, last
        strip.action_frame_start, strip.action_frame_end = first, last
        strip.blend_type, strip.extrapolation = "REPLACE", "HOLD"
    strip.use_animated_influence = True  # without it, and a key, the value has no effect (4.5 and 5.2)
    strip.influence = 1.0
    strip.keyframe_insert("influence", frame=round(strip.frame_start))


def get_blend(found: Comparison) -> float:
    """How much of the cleaned motion is shown, 0 to 1."""
    return float(found.strip.fcurves.find("influence").keyframe_points[0].co[1])


def set_blend(found: Comparison, blend: float) -> None:
    """Show so much of the cleaned motion."""
    key = found.strip.fcurves.find("influence")
    key.keyframe_points[0].co[1] = blend
    key.update()
    found.strip.id_data.update_tag()


def differences(armature: bpy.types.Object, found: Comparison, frame: float) -> list[tuple[str, float]]:
    """By how many degrees bones differ in a frame, the most first, those that do not left out."""
    posed = posed_frame(found.cleaned, frame)
    if posed is not None:
        names, degrees = posed.names, posed.degrees
    else:
        poses = [pose_at(armature, action, found.slot_handle, frame) for action in (found.original, found.cleaned)]
        names, degrees = poses[0].names, np.degrees(rot.angle_between(poses[0].rotation, poses[1].rotation))[0]
    return [(names[bone], float(degrees[bone])) for bone in np.argsort(-degrees) if degrees[bone] > 0.05]


def ghost_lines(armature: bpy.types.Object, frame: float) -> np.ndarray:
    """Heads and tails (B, 2, 3) in the world of the motion that is not shown at present."""
    found = find_comparison(armature)
    if found is None:
        return np.empty((0, 2, 3))
    is_cleaned = shows_cleaned(armature, found)
    posed = posed_frame(found.cleaned, frame)
    if posed is not None:
        return posed.lines[0 if is_cleaned else 1]
    other = found.original if is_cleaned else found.cleaned
    return bone_lines(armature, pose_at(armature, other, found.slot_handle, frame))


def _remove_tracks(animation: bpy.types.AnimData) -> None:
    animation.use_tweak_mode = False  # a strip that is being tweaked would leave its action behind
    for name in (_BELOW, _ABOVE):
        if track := animation.nla_tracks.get(name):
            animation.nla_tracks.remove(track)


def _put_strips_back(armature: bpy.types.Object, found: Comparison, blend: float) -> None:
    """Both motions as strips again: they could not be made into one."""
    compat.assign_action(armature.animation_data, found.cleaned, found.slot_handle)
    stack_strips(armature)
    set_blend(get_comparison(armature), blend)


def _blended(armature: bpy.types.Object, found: Comparison, blend: float) -> bpy.types.Action:
    """A new action part of the way from the original to the cleaned motion."""
    mapping, is_switched = read_mapping(armature), switches_to_fk(found.cleaned)
    after = read_rig(armature, mapping)
    compat.assign_action(armature.animation_data, found.original, found.slot_handle)
    restore_unkeyed(armature, found.cleaned)
    before = read_rig(armature, mapping, is_switched)
    if before.names != after.names:
        raise TakeError(f"The motions of {armature.name} cannot be blended: set Blend to 0 or 1.")
    return bpy.data.actions[write_take(armature, before, blend_takes(before, after, blend), is_switched).action]


def blend_takes(before: RigTake, after: RigTake, blend: float) -> RigTake:
    """The first take at 0, the second at 1."""
    return replace(
        after,
        rotation=rot.slerp(before.rotation, after.rotation, np.array(blend)),
        location=before.location + blend * (after.location - before.location),
        scale=before.scale + blend * (after.scale - before.scale),
    )
