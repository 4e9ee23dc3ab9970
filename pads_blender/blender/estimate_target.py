"""What an estimated motion goes onto: an armature of the scene, whatever its proportions, or a new one of the model."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import bpy
import numpy as np
from mathutils import Matrix

from ..core.rig import CHANNELS, RigTake
from ..errors import TakeError
from . import compat
from .evaluated_reader import read_rig
from .evaluation import find_object
from .rig_mapping import read_mapping
from .rig_writer import ORIGINAL, UNKEYED, restore_unkeyed, write_take
from .still_action import Still, hold_the_rest, is_object_moved, still_action

if TYPE_CHECKING:
    from ..core.mapping import Mapping
    from ..tasks.estimate_rig import RigHypothesis

_LIKELIHOOD = "pads_likelihood"  # custom property of an action that is one of several hypotheses
_GROUP = "pads_hypotheses"  # and one that they have in common
_ROUNDED = 1e-4  # of the rig's size: what Blender rounds of a rest pose


@dataclass(frozen=True)
class Target:
    """The armature by name and number, and its body at rest over the frames of the film. Plain data."""

    armature: str
    armature_uid: int
    mapping: Mapping
    take: RigTake
    place: np.ndarray  # (4, 4) the object's own transform: where its action moves it, it is held there
    switch_to_fk: bool = False


def read_target(armature: bpy.types.Object, frames: np.ndarray, switch_to_fk: bool = False) -> Target:
    """The armature at rest at scene frames (F,); nothing of it changes. TakeError where it cannot be animated."""
    mapping = read_mapping(armature)
    with still_action(armature, mapping, frames):
        take = read_rig(armature, mapping, switch_to_fk)
        place = np.array(armature.matrix_basis, float)
    return Target(armature.name, armature.session_uid, mapping, take, place, switch_to_fk)


def deliver(target: Target, found: Sequence[RigHypothesis], name: str) -> list[str]:
    """Each hypothesis, the likeliest first, as a new action; the first becomes the armature's. Names of the actions.

    The action that the armature had is kept, and can be compared with.
    """
    armature = find_object(target.armature_uid, target.armature)
    if bpy.context.scene not in armature.users_scene:
        raise TakeError(f"{target.armature} is no longer in the scene: nothing was changed.")
    written: list[bpy.types.Action] = []
    try:
        with still_action(armature, target.mapping, target.take.frames) as still:
            if is_object_moved(armature, still):
                armature.matrix_basis = Matrix(target.place.tolist())
            before = _read_again(armature, target)
            for each in reversed(found):  # so that the likeliest is the one made last, which is compared first
                written.insert(0, _write(armature, still, before, _in_order(each.take, before), target.switch_to_fk))
    except BaseException:
        for action in written:
            bpy.data.actions.remove(action)
        raise
    compat.assign_action(armature.animation_data, written[0], still.slot_handle)
    _name(written, found, name)
    return [action.name for action in written]


def deliver_new(found: Sequence[RigHypothesis], mapping: Mapping, name: str) -> list[str]:
    """The same onto a new armature of the model in the size of the takes; names of armature and actions."""
    from .model_armature import build_armature  # Blender's start must not wait for it

    armature = build_armature(found[0].take, name)
    target = Target(armature.name, armature.session_uid, mapping, found[0].take, np.eye(4))
    try:
        return [armature.name, *deliver(target, found, name)]
    except BaseException:
        bpy.data.armatures.remove(armature.data)  # and the object with it
        raise


def _read_again(armature: bpy.types.Object, target: Target) -> RigTake:
    """The armature at rest, TakeError where that is no longer what it was."""
    present = read_rig(armature, target.mapping, target.switch_to_fk)
    wanted = _in_order(target.take, present) if set(present.names) == set(target.take.names) else None
    size = max(float(np.ptp(present.rest[:, :3, 3], axis=0).max()), 1e-6)
    is_same = wanted is not None and all(
        np.abs(a - b).max() < _ROUNDED * max(size, 1.0)
        for a, b in ((present.rest, wanted.rest), (present.world_from_armature, wanted.world_from_armature))
    )
    if not is_same:
        raise TakeError(
            f"{armature.name} was edited in the meantime, so the result does not fit: nothing was changed; start again."
        )
    return present


def _in_order(take: RigTake, like: RigTake) -> RigTake:
    """The take with its bones in the order of another one of the same rig."""
    if take.names == like.names:
        return take
    order = [take.names.index(name) for name in like.names]
    channels = {name: getattr(take, name)[:, order] for name in CHANNELS}
    return replace(
        take, names=like.names, parents=like.parents, rest=take.rest[order], movable=like.movable, **channels
    )


def _write(
    armature: bpy.types.Object, still: Still, before: RigTake, after: RigTake, switch_to_fk: bool
) -> bpy.types.Action:
    still.lay_down(armature)
    action = bpy.data.actions[write_take(armature, before, after, switch_to_fk).action]
    hold_the_rest(armature, still)
    action[UNKEYED] = json.dumps(_values_before(still, action))
    if still.before is None:
        del action[ORIGINAL]
    else:
        action[ORIGINAL] = still.before
        still.before.use_fake_user = True
    restore_unkeyed(armature, action)  # the next one is written onto what this one was
    return action


def _values_before(still: Still, action: bpy.types.Action) -> list[tuple[str, str, list[float]]]:
    """Values that the body had, and of what else the action was given curves for: the IK/FK switches of limbs."""
    body = {(bone, name) for bone, name, _ in still.values}
    others = [entry for entry in json.loads(action[UNKEYED]) if tuple(entry[:2]) not in body]
    return [*still.values, *others]


def _name(actions: Sequence[bpy.types.Action], found: Sequence[RigHypothesis], name: str) -> None:
    """Hypotheses have their likelihood in their names, and stay in the file though nothing shows them."""
    if len(actions) == 1:
        actions[0].name = name
        return
    group = secrets.token_hex(8)
    for number, (action, each) in enumerate(zip(actions, found, strict=True), start=1):
        action.name = f"{name} {number} ({each.likelihood:.0%})"
        action[_LIKELIHOOD], action[_GROUP] = each.likelihood, group
        action.use_fake_user = True


def hypotheses_of(armature: bpy.types.Object) -> list[bpy.types.Action]:
    """The actions that were estimated together with the one that the armature shows, the likeliest first."""
    animation = armature.animation_data
    group = animation.action.get(_GROUP) if animation and animation.action else None
    found = [action for action in bpy.data.actions if group is not None and action.get(_GROUP) == group]
    return sorted(found, key=lambda action: -action[_LIKELIHOOD])
