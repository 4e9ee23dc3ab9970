"""The model skeleton as an armature object in the scene."""

import bpy
import numpy as np
from mathutils import Matrix

from ..core.model_rig import BONES, MAPPING, bone_vector
from ..core.rig import RigTake
from .rig_mapping import store_mapping


def build_armature(take: RigTake, name: str) -> bpy.types.Object:
    """A new armature with the rest pose of a take of the model; it becomes the active object, alone selected."""
    context = bpy.context
    if context.object is not None and context.object.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    for each in context.selected_objects:
        each.select_set(False)
    armature = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    context.collection.objects.link(armature)
    context.view_layer.objects.active = armature
    armature.select_set(True)
    bpy.ops.object.mode_set(mode="EDIT")
    _add_bones(armature.data.edit_bones, take)
    bpy.ops.object.mode_set(mode="OBJECT")
    for bone in armature.pose.bones:
        bone.rotation_mode = "QUATERNION"
    armature.show_in_front = True
    store_mapping(armature, MAPPING)
    return armature


def _add_bones(bones: bpy.types.ArmatureEditBones, take: RigTake) -> None:
    scale = float(np.linalg.norm(take.rest[1, :3, 3] - take.rest[0, :3, 3]) / np.linalg.norm(bone_vector(BONES[0])))
    for name, parent, rest in zip(take.names, take.parents, take.rest, strict=True):
        bone = bones.new(name)
        bone.head, bone.tail = (0.0, 0.0, 0.0), (0.0, scale * float(np.linalg.norm(bone_vector(name))), 0.0)
        bone.matrix = Matrix(rest.tolist())
        bone.parent = bones[take.names[parent]] if parent >= 0 else None
