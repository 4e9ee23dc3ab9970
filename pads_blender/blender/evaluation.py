"""Blender's own evaluation of a scene, frame by frame, for what curves alone do not say."""

from collections.abc import Iterator, Sequence

import bpy
import numpy as np


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


def world_path(item: bpy.types.Object, frames: np.ndarray) -> np.ndarray:
    """The object's matrices (F, 4, 4) in the world."""
    return np.array([np.array(each.matrix_world) for each in evaluate(item, frames)], float)


def carrier_path(item: bpy.types.Object, frames: np.ndarray) -> np.ndarray:
    """What the object's own transform is laid upon, (F, 4, 4) in the world."""
    return np.array([each.matrix_world @ each.matrix_basis.inverted() for each in evaluate(item, frames)], float)


def bone_paths(armature: bpy.types.Object, names: Sequence[str], frames: np.ndarray) -> np.ndarray:
    """The posed bones' matrices (F, B, 4, 4) in armature space."""
    paths = np.empty((len(frames), len(names), 4, 4))
    for row, each in enumerate(evaluate(armature, frames)):
        for column, name in enumerate(names):
            paths[row, column] = each.pose.bones[name].matrix
    return paths
