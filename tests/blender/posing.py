"""Takes against the poses that Blender makes of them: shared by the tests of rigs that are read as evaluated."""

from dataclasses import replace

import bpy
import numpy as np

from pads_blender.blender.compat import find_channelbag, select_bone
from pads_blender.blender.evaluated_reader import is_evaluated, read_rig
from pads_blender.blender.rig_mapping import map_bones
from pads_blender.blender.rig_writer import toggle_original, write_take
from pads_blender.core.rig import world_matrices
from pads_blender.core.rotations import angle_between, from_matrix, from_rotation_vector, multiply
from pads_blender.core.stand_ins import find_stand_ins

DEGREES, METRES = 0.1, 1e-4


def bones_of(take):
    return [name for name, out in zip(take.names, find_stand_ins(take), strict=True) if not out]


def posed(armature, names, frames):
    """Posed bones in the world as Blender has them, (F, B, 4, 4)."""
    result = np.empty((len(frames), len(names), 4, 4))
    for row, frame in enumerate(frames):
        bpy.context.scene.frame_set(int(frame))
        each = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        for column, name in enumerate(names):
            result[row, column] = each.matrix_world @ each.pose.bones[name].matrix
    return result


def poses_of(take):
    return world_matrices(take)[:, ~find_stand_ins(take)]


def turned(take, amount=0.1, rows=slice(10, 30), seed=1, names=None):
    """The take with its bones, or those named, turned in some rows."""
    rng, rotation = np.random.default_rng(seed), take.rotation.copy()
    for entry in map(take.names.index, names or bones_of(take)):
        turns = from_rotation_vector(rng.normal(0.0, amount, (rows.stop - rows.start, 3)))
        rotation[rows, entry] = multiply(turns, rotation[rows, entry])
    return replace(take, rotation=rotation)


def assert_same_pose(found, wanted, degrees=DEGREES, metres=METRES):
    assert np.abs(found - wanted)[..., :3, 3].max() < metres
    angles = angle_between(*(from_matrix(unit(matrices)) for matrices in (found, wanted)))
    assert np.degrees(angles.max()) < degrees


def unit(matrices):
    return matrices[..., :3, :3] / np.linalg.norm(matrices[..., :3, :3], axis=-2, keepdims=True)


def select(armature: bpy.types.Object, *names: str) -> None:
    """Select these bones in Pose Mode, the last one active."""
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="POSE")
    for bone in armature.pose.bones:
        select_bone(bone, bone.name in names)
    armature.data.bones.active = armature.data.bones[names[-1]] if names else None


def world_heads(armature: bpy.types.Object, *names: str) -> np.ndarray:
    """Heads (N, 3) of these bones in the world, as they are posed now."""
    bpy.context.view_layer.update()
    return np.array([armature.matrix_world @ armature.pose.bones[name].head for name in names])


def key_values(armature):
    animation = armature.animation_data
    fcurves = find_channelbag(animation.action, animation.action_slot).fcurves
    return {(c.data_path, c.array_index): [tuple(key.co) for key in c.keyframe_points] for c in fcurves}


def assert_round_trip(armature):
    """Nothing changed: nothing written. All bones turned: evaluated, they lie as asked for. Back: as they were."""
    mapping = map_bones(armature)
    take = read_rig(armature, mapping)
    assert is_evaluated(take)
    names, keys = bones_of(take), key_values(armature)
    was = posed(armature, names, take.frames)
    assert_same_pose(poses_of(take), was, 1e-3, 1e-5)
    assert write_take(armature, take, take).keyed_bones == ()
    assert key_values(armature) == keys
    toggle_original(armature)
    after = turned(take)
    write_take(armature, take, after)
    assert_same_pose(posed(armature, names, take.frames), poses_of(after))
    assert not np.allclose(poses_of(after), was, atol=0.01)
    toggle_original(armature)
    np.testing.assert_allclose(posed(armature, names, take.frames), was, atol=1e-6)
    return take
