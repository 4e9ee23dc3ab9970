"""What may happen to an armature while its take is worked on: the result fits, or one sentence says why not."""

from dataclasses import replace

import bpy
import numpy as np
import pytest

from pads_blender.blender.parts import finish
from pads_blender.blender.rig_reader import read_take
from pads_blender.blender.snapshot import apply_result, find_again, take_snapshot
from pads_blender.core import rotations as rot
from pads_blender.core.rig import RigTake
from pads_blender.errors import TakeError


def turned(take: RigTake) -> RigTake:
    half_radian = rot.from_rotation_vector(np.array([0.5, 0.0, 0.0]))
    return replace(take, rotation=rot.multiply(take.rotation, half_radian))


def first_key(armature) -> bpy.types.Keyframe:
    return armature.animation_data.action.layers[0].strips[0].channelbags[0].fcurves[10].keyframe_points[5]


def test_result_goes_onto_the_armature_by_whatever_name(armature):
    snapshot = take_snapshot(armature)
    armature.name = "renamed"
    bpy.context.scene.frame_set(17)
    written = finish(apply_result(snapshot, turned(snapshot.take)))
    assert (written.action, written.original) == ("walk.pads", "walk")
    np.testing.assert_allclose(
        np.abs(np.sum(read_take(armature).rotation * turned(snapshot.take).rotation, axis=-1)), 1.0, atol=1e-5
    )


def test_a_deleted_armature_is_said(armature):
    snapshot = take_snapshot(armature)
    bpy.data.objects.remove(armature)
    with pytest.raises(TakeError, match="walk is no longer in the scene: nothing was changed"):
        finish(find_again(snapshot))


def test_an_armature_taken_out_of_the_scene_is_said(armature):
    snapshot = take_snapshot(armature)
    bpy.context.scene.collection.objects.unlink(armature)
    with pytest.raises(TakeError, match="no longer in the scene"):
        finish(find_again(snapshot))


@pytest.mark.parametrize("edit", ["key", "bone", "mode", "lock", "action", "no action"])
def test_an_edited_armature_is_said(armature, edit):
    snapshot = take_snapshot(armature)
    if edit == "key":
        first_key(armature).co[1] += 0.1
    elif edit == "bone":
        bpy.ops.object.mode_set(mode="EDIT")
        armature.data.edit_bones["LeftForeArm"].roll += 0.1
        bpy.ops.object.mode_set(mode="OBJECT")
    elif edit == "mode":
        armature.pose.bones["LeftForeArm"].rotation_mode = "XYZ"
    elif edit == "lock":
        armature.animation_data.action.layers[0].strips[0].channelbags[0].fcurves[3].lock = True
    else:
        action = armature.animation_data.action
        armature.animation_data.action = action.copy() if edit == "action" else None
    with pytest.raises(TakeError, match="walk was edited in the meantime"):
        finish(apply_result(snapshot, turned(snapshot.take)))
    assert "walk.pads" not in bpy.data.actions


def test_an_untouched_armature_is_found_after_undo_and_redo(armature):
    bpy.ops.ed.undo_push(message="imported")
    snapshot = take_snapshot(armature)
    bpy.context.scene.frame_set(9)
    bpy.ops.ed.undo_push(message="something else")
    bpy.ops.ed.undo()
    assert finish(find_again(snapshot)).name == "walk"
    bpy.ops.ed.redo()
    assert finish(apply_result(snapshot, turned(snapshot.take))).action == "walk.pads"
