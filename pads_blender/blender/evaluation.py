"""Blender's own evaluation of a scene, frame by frame, for what curves alone do not say."""

from collections.abc import Callable, Iterator, Sequence

import bpy
import numpy as np

from ..errors import TakeError
from .parts import Parts


def evaluate(item: bpy.types.Object, frames: np.ndarray) -> Iterator[bpy.types.Object]:
    """The evaluated object at each scene frame (F,); the scene's own frame comes back.

    Valid until the next one only: matrices are views of Blender's memory and have to be copied at once.
    """
    scene = bpy.context.scene
    frame, subframe = scene.frame_current, scene.frame_subframe
    try:
        for time in frames.tolist():
            scene.frame_set(int(np.floor(time)), subframe=time % 1.0)
            yield item.evaluated_get(bpy.context.evaluated_depsgraph_get())
    finally:
        scene.frame_set(frame, subframe=subframe)


def evaluate_in_parts(
    item: bpy.types.Object, frames: np.ndarray, read: Callable[[bpy.types.Object], np.ndarray]
) -> Parts[np.ndarray]:
    """What is read (F, ...) of the evaluated object at each scene frame (F,), a frame a part.

    TakeError where the object is deleted or edited, or another scene is shown in the meantime.
    """
    name, uid, scene_uid = item.name, item.session_uid, bpy.context.scene.session_uid
    values = np.empty(len(frames))
    for row, time in enumerate(frames.tolist()):
        item, scene = find_object(uid, name), bpy.context.scene
        if scene.session_uid != scene_uid or item.name not in scene.objects or _is_edited(item):
            raise TakeError(f"{name} cannot be read while it is edited or out of the scene: start again.")
        scene.frame_set(int(np.floor(time)), subframe=time % 1.0)
        value = read(item.evaluated_get(bpy.context.evaluated_depsgraph_get()))
        if not row:
            values = np.empty((len(frames), *value.shape))
        values[row] = value
        yield (row + 1) / len(frames)
    return values


def find_object(session_uid: int, name: str) -> bpy.types.Object:
    """The object with this number, whatever became of its name; TakeError where it is gone."""
    found = bpy.data.objects.get(name)  # nearly always: asked for each of many objects in each frame
    if found is None or found.session_uid != session_uid:
        found = next((each for each in bpy.data.objects if each.session_uid == session_uid), None)
    if found is None:
        raise TakeError(f"{name} is no longer in the scene: nothing was changed.")
    return found


def _is_edited(item: bpy.types.Object) -> bool:
    return item.type == "ARMATURE" and item.data.is_editmode


def world_path(item: bpy.types.Object, frames: np.ndarray) -> Parts[np.ndarray]:
    """The object's matrices (F, 4, 4) in the world."""
    return evaluate_in_parts(item, frames, lambda each: np.array(each.matrix_world))


def carrier_path(item: bpy.types.Object, frames: np.ndarray) -> Parts[np.ndarray]:
    """What the object's own transform is laid upon, (F, 4, 4) in the world."""
    return evaluate_in_parts(item, frames, lambda each: np.array(each.matrix_world @ each.matrix_basis.inverted()))


def bone_paths(armature: bpy.types.Object, names: Sequence[str], frames: np.ndarray) -> Parts[np.ndarray]:
    """The posed bones' matrices (F, B, 4, 4) in armature space."""

    def read(each: bpy.types.Object) -> np.ndarray:
        bones = each.pose.bones
        return np.array([bones[name].matrix for name in names])

    return evaluate_in_parts(armature, frames, read)
