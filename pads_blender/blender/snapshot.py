"""An armature's take as plain data for the worker, and the way back: the armature is looked up again and compared."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import bpy
import numpy as np

from ..core.rig import RigTake
from ..errors import TakeError
from ..tasks.kept import Kept
from . import curves
from .evaluated_reader import read_rig_in_parts
from .evaluation import find_object
from .kept_keys import KeptKeys, read_kept
from .parts import Pace, Parts, finish
from .rig_mapping import read_mapping
from .rig_reader import find_curves
from .rig_writer import Written, write_take_in_parts

if TYPE_CHECKING:
    from ..core.mapping import Mapping

_DEFAULT_KEYS = KeptKeys()
_ROUNDED = 1e-4  # of the axes' length, and of the rig's size


@dataclass(frozen=True)
class Snapshot:
    """What is read on the main thread before a job. Names and numbers only: it may outlive undo and deleted objects."""

    armature: str  # name when it was read
    armature_uid: int
    content: str  # digest of the bones' names and of the keys
    rest: np.ndarray  # (B, 4, 4) of the armature's bones
    take: RigTake
    mapping: Mapping
    kept: Kept
    switch_to_fk: bool = False  # see read_rig


def take_snapshot(armature: bpy.types.Object, keys: KeptKeys = _DEFAULT_KEYS, switch_to_fk: bool = False) -> Snapshot:
    """The armature's current action, its mapping and what the animator keeps; TakeError where it cannot be read."""
    return finish(snapshot_in_parts(armature, keys, switch_to_fk))


def snapshot_in_parts(
    armature: bpy.types.Object, keys: KeptKeys = _DEFAULT_KEYS, switch_to_fk: bool = False
) -> Parts[Snapshot]:
    """The same, a part for each frame that Blender has to evaluate, and for some bones where the take is long."""
    name, uid, mapping = armature.name, armature.session_uid, read_mapping(armature)
    rest = _rest(armature)  # this and the digest first: what is edited between the parts must not count
    content = yield from _digest(armature)
    take = yield from read_rig_in_parts(find_object(uid, name), mapping, switch_to_fk)
    kept = yield from read_kept(find_object(uid, name), take, keys)
    return Snapshot(name, uid, content, rest, take, mapping, kept, switch_to_fk)


def find_armature(snapshot: Snapshot) -> bpy.types.Object:
    """The armature that the snapshot was taken of, whatever became of it; TakeError where it is gone."""
    armature = find_object(snapshot.armature_uid, snapshot.armature)
    if bpy.context.scene not in armature.users_scene:
        raise TakeError(f"{snapshot.armature} is no longer in the scene: nothing was changed.")
    return armature


def find_again(snapshot: Snapshot) -> Parts[bpy.types.Object]:
    """The armature that the snapshot was taken of; TakeError where it is gone or no longer what it was."""
    armature = find_armature(snapshot)
    try:
        content = yield from _digest(armature)
        armature = find_armature(snapshot)
        is_same = content == snapshot.content and _is_near(_rest(armature), snapshot.rest)
    except TakeError:
        is_same = False
    if not is_same:
        raise TakeError(
            f"{armature.name} was edited in the meantime, so the result does not fit: nothing was changed; start again."
        )
    return armature


def apply_result(snapshot: Snapshot, after: RigTake) -> Parts[Written]:
    """Put the worker's result on the armature as a new action."""
    armature = yield from find_again(snapshot)
    return (yield from write_take_in_parts(armature, snapshot.take, after, snapshot.switch_to_fk))


def _rest(armature: bpy.types.Object) -> np.ndarray:
    """Matrices (B, 4, 4) of the bones at rest."""
    return np.array([bone.matrix_local for bone in armature.data.bones], float)


def _is_near(rest: np.ndarray, other: np.ndarray) -> bool:
    """Whether two rest poses are the same but for what Blender rounds when Edit Mode is left (4.5 and 5.2)."""
    size = np.array([1.0, 1.0, 1.0, max(float(np.ptp(other[:, :3, 3], axis=0).max()), 1e-6)])
    return rest.shape == other.shape and bool((np.abs(rest - other) / size < _ROUNDED).all())


def _digest(armature: bpy.types.Object) -> Parts[str]:
    """Sixteen hexadecimal digits of the bones' names and modes, the action and all its keys.

    TakeError where curves come or go between the parts.
    """
    bag, digest = find_curves(armature), hashlib.blake2b(digest_size=8)
    name, uid, count, pace = armature.name, armature.session_uid, len(bag.fcurves), Pace()
    animation = armature.animation_data
    digest.update(repr((animation.action.session_uid, animation.action_slot.handle)).encode())
    for bone in armature.data.bones:
        parent = bone.parent.name if bone.parent else None
        digest.update(repr((bone.name, parent, armature.pose.bones[bone.name].rotation_mode)).encode())
    for number in range(count):
        if bag is None:
            bag = find_curves(find_object(uid, name))
            if len(bag.fcurves) != count:
                raise TakeError(f"{name} was edited in the meantime: nothing was changed; start again.")
        fcurve = bag.fcurves[number]
        digest.update(repr((fcurve.data_path, fcurve.array_index, curves.is_locked(fcurve))).encode())
        digest.update(curves.key_points(fcurve).tobytes())
        if pace.is_pause_due(len(fcurve.keyframe_points)):
            yield number / count
            bag = None
    return digest.hexdigest()
