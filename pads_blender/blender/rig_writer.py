"""A cleaned RigTake onto its armature as a new action; the original action keeps every curve and key as it was."""

import json
import re
from dataclasses import dataclass, replace

import bpy
import numpy as np

from ..core.rig import RigTake, pose_matrices
from ..core.rotations import angle_between, normalise
from ..core.stand_ins import aim, find_stand_ins
from ..errors import TakeError
from . import compat, rigify
from .channel_changes import SMALLEST_STRETCH
from .evaluated_reader import is_evaluated, read_again
from .key_writer import KeyWriter, restore_channels
from .parts import Parts, finish
from .rig_reader import find_curves

ORIGINAL = "pads_original"  # custom property of a cleaned action that points at the action it was made from
_SLOT = "pads_slot"  # one that holds the handle of the slot that was cleaned
_ARMATURE = "pads_armature"  # one that holds the name of the armature it was made for
UNKEYED = "pads_unkeyed"  # and one that holds the values of channels for which the original has no curves, as JSON
_SMALLEST_CORRECTION_RADIANS = 1e-4  # 0.006 degrees: below that, what an evaluated pose is off is left
_SMALLEST_CORRECTION = 1e-5  # of the rig's size
_CORRECTIONS = 3  # passes at most, each after a new evaluation; a generated Rigify rig takes two
_SUFFIX = re.compile(r"\.pads(\.\d+)?$")


@dataclass(frozen=True)
class Written:
    """What became of a cleaned take: names only, so that it may outlive undo and file loading."""

    action: str
    original: str
    keyed_bones: tuple[str, ...]  # bones with new values
    locked_bones: tuple[str, ...]  # bones that should have changed and were left alone: locked or muted curves


def write_take(armature: bpy.types.Object, before: RigTake, after: RigTake, switch_to_fk: bool = False) -> Written:
    """Put what differs between two takes on a new action, in one go: see write_take_in_parts."""
    return finish(write_take_in_parts(armature, before, after, switch_to_fk))


def write_take_in_parts(
    armature: bpy.types.Object, before: RigTake, after: RigTake, switch_to_fk: bool = False, bake: bool = False
) -> Parts[Written]:
    """Put what differs between the two takes on a copy of the armature's action and make that its current action.

    Keys stay where they are in time; those outside of the changes keep their values. A bone without rotation keys
    that has to move gets one at every frame that changes. switch_to_fk: as the take was read; the limbs concerned get
    keys on their FK controls at every frame, and their IK/FK switch is keyed. bake: what changes gets keys at every
    frame of the takes, besides those that it has.
    """
    find_curves(armature)
    animation = armature.animation_data
    original, handle = animation.action, animation.action_slot.handle
    limbs = rigify.limbs_in_ik(armature, before.names) if switch_to_fk else []
    cleaned = original.copy()
    cleaned.name = _SUFFIX.sub("", original.name) + ".pads"
    compat.assign_action(animation, cleaned, handle)
    writer = KeyWriter(armature, original)
    writer.baked = set(before.names) if bake else set()
    try:
        yield 0.0  # the copy alone takes its time
        if limbs:
            writer.switch(limbs, float(before.frames[0]))
            before = yield from read_again(armature, before)
        yield from writer.write(before, after)
        if is_evaluated(before) and writer.keyed:
            yield from _correct(writer, after)
        armature, original, cleaned = writer.find()
    except BaseException:
        writer.take_back()
        raise
    cleaned[ORIGINAL], cleaned[_SLOT], cleaned[_ARMATURE] = original, handle, armature.name
    cleaned[UNKEYED] = json.dumps(writer.unkeyed)
    original.use_fake_user = True
    return Written(cleaned.name, original.name, tuple(dict.fromkeys(writer.keyed)), tuple(dict.fromkeys(writer.locked)))


def toggle_original(armature: bpy.types.Object) -> str:
    """Switch between the cleaned action and the one it was made from; the name of the one now shown."""
    pair = find_pair(armature)
    if pair is None:
        raise TakeError(f"{armature.name} has no cleaned action to compare with: press Clean Mocap first.")
    original, cleaned = pair
    if armature.animation_data.action == cleaned:
        return show_original(armature)
    original.use_fake_user = True  # an action that is not shown may have no user, and would not be saved
    compat.assign_action(armature.animation_data, cleaned, armature.animation_data.action_slot.handle)
    return cleaned.name


def show_original(armature: bpy.types.Object) -> str:
    """Show the action that the current one, a result, was made from; its name."""
    animation = armature.animation_data
    cleaned = animation.action
    cleaned.use_fake_user = True
    compat.assign_action(animation, cleaned[ORIGINAL], animation.action_slot.handle)
    restore_unkeyed(armature, cleaned)
    return animation.action.name


def find_pair(armature: bpy.types.Object) -> tuple[bpy.types.Action, bpy.types.Action] | None:
    """The action that a result was made from, and the result; the armature shows one of the two.

    A result from which another one was made is the original of that one: nothing else would lead back to the newer.
    """
    animation = armature.animation_data
    if animation is None or animation.action is None or animation.action_slot is None:
        return None
    current = animation.action
    if cleaned := find_cleaned(armature, current):
        return current, cleaned
    original = current.get(ORIGINAL)
    return (original, current) if original else None


def restore_unkeyed(armature: bpy.types.Object, cleaned: bpy.types.Action) -> None:
    """Set channels back to their old values that only the cleaned action, now switched off, has curves for."""
    restore_channels(armature, json.loads(cleaned.get(UNKEYED, "[]")))


def switches_to_fk(cleaned: bpy.types.Action) -> bool:
    """Whether the cleaned action keys the IK/FK switches of limbs that followed IK in the original."""
    return any(name == rigify.SWITCH for _, name, _ in json.loads(cleaned.get(UNKEYED, "[]")))


def find_cleaned(armature: bpy.types.Object, original: bpy.types.Action) -> bpy.types.Action | None:
    """The cleaned action made last for the armature from its slot of an action; not what others on the slot have."""
    wanted = (original, armature.animation_data.action_slot.handle)
    cleaned = [action for action in bpy.data.actions if (action.get(ORIGINAL), action.get(_SLOT)) == wanted]
    own = [action for action in cleaned if bpy.data.objects.get(action.get(_ARMATURE, "")) in (None, armature)]
    return max(own, key=lambda action: (action.get(_ARMATURE) == armature.name, action.session_uid), default=None)


def remove_unused(action: bpy.types.Action) -> None:
    """Remove an action, unless another object shows it or another action was made from it."""
    action.use_fake_user = False
    if not action.users:
        bpy.data.actions.remove(action)


def _correct(writer: KeyWriter, after: RigTake) -> Parts[None]:
    """Key what the evaluated pose is still off, where constraints answer to the new keys."""
    wanted, size = pose_matrices(after), np.ptp(after.rest[:, :3, 3], axis=0).max()
    for _ in range(_CORRECTIONS):
        present = yield from read_again(writer.find()[0], after)
        free = ~find_stand_ins(present) & ~np.isin(present.names, writer.locked)
        aimed = aim(present, wanted, free, np.isin(present.names, list(writer.baked)))
        turned = angle_between(normalise(present.rotation), normalise(aimed.rotation)) > _SMALLEST_CORRECTION_RADIANS
        moved = np.abs(aimed.location - present.location).max(axis=-1) > _SMALLEST_CORRECTION * size
        stretched = np.abs(aimed.scale - present.scale).max(axis=-1) > SMALLEST_STRETCH
        if not (turned | moved | stretched).any():
            return
        rotation = np.where(turned[..., None], aimed.rotation, present.rotation)
        location = np.where(moved[..., None], aimed.location, present.location)
        scale = np.where(stretched[..., None], aimed.scale, present.scale)
        aimed = replace(present, rotation=rotation, location=location, scale=scale)
        yield 1.0  # both take their time
        yield from writer.write(present, aimed, only_keyed=True)
