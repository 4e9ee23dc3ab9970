"""The buttons, pressed in background mode on a take made here."""

import bpy
import numpy as np
import pytest

from pads_blender.blender.rig_reader import find_curves, read_take
from pads_blender.core.rig import pose_matrices

pytestmark = pytest.mark.usefixtures("registered")


def jitter(armature) -> float:
    return float(np.abs(np.diff(pose_matrices(read_take(armature))[..., :3, 3], 3, axis=0)).mean())


def scale_time(armature, factor: float) -> None:
    for fcurve in armature.animation_data.action.layers[0].strips[0].channelbags[0].fcurves:
        for point in fcurve.keyframe_points:
            point.co[0] = 1.0 + factor * (point.co[0] - 1.0)


def test_clean_makes_a_calmer_action_and_keeps_the_original(armature):
    before = jitter(armature)
    assert bpy.ops.pads.clean() == {"FINISHED"}
    assert armature.animation_data.action.name == "walk.pads"
    assert jitter(armature) < 0.5 * before
    assert bpy.data.actions["walk"].use_fake_user
    assert "bones cleaned in walk.pads: " in armature.pads.result and "put right" in armature.pads.result
    assert bpy.ops.pads.compare() == {"FINISHED"}
    assert armature.animation_data.action.name == "walk"
    assert jitter(armature) == pytest.approx(before)


def test_clean_takes_its_settings(armature):
    before = read_take(armature)
    bpy.context.scene.pads.strength = 0.01
    bpy.ops.pads.clean()
    weak = np.abs(read_take(armature).rotation - before.rotation).max()
    bpy.ops.pads.discard()
    bpy.context.scene.pads.strength = 1.0
    bpy.ops.pads.clean()
    assert 0.0 < weak < 0.1 * np.abs(read_take(armature).rotation - before.rotation).max()


def test_no_strength_is_one_sentence_and_no_new_action(armature):
    bpy.context.scene.pads.strength = 0.0
    with pytest.raises(RuntimeError, match="Strength is 0, at which nothing changes"):
        bpy.ops.pads.clean()
    assert [action.name for action in bpy.data.actions] == ["walk"]


def test_one_undo_takes_it_all_back(armature):
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.pads.clean()
    bpy.ops.ed.undo_push(message="after")
    assert bpy.data.objects["walk"].animation_data.action.name == "walk.pads"
    bpy.ops.ed.undo()
    assert bpy.data.objects["walk"].animation_data.action.name == "walk"
    assert "walk.pads" not in bpy.data.actions


def test_what_is_missing_is_said(armature):
    armature.animation_data.action = None
    with pytest.raises(RuntimeError, match="Select an armature with keyframes"):
        bpy.ops.pads.clean()
    bpy.context.view_layer.objects.active = None
    with pytest.raises(RuntimeError, match=r"Select an armature$"):
        bpy.ops.pads.clean()


def test_why_there_is_nothing_to_work_on_is_said(armature):
    action = armature.animation_data.action
    armature.animation_data.nla_tracks.new().strips.new(action.name, 1, action)
    armature.animation_data.action = None
    with pytest.raises(RuntimeError, match="in NLA strips: choose its action"):
        bpy.ops.pads.clean()
    bpy.ops.object.mode_set(mode="EDIT")
    with pytest.raises(RuntimeError, match="Leave Edit Mode"):
        bpy.ops.pads.clean()


def test_curves_that_are_locked_are_named_as_the_reason_why_nothing_changes(armature):
    for fcurve in find_curves(armature).fcurves:
        fcurve.lock = True
    with pytest.raises(RuntimeError, match="walk stays as it is: its curves are locked, muted or kept"):
        bpy.ops.pads.clean()


def test_a_refusal_is_one_sentence_and_changes_nothing(armature):
    armature.pose.bones["LeftFoot"].constraints.new("IK")
    with pytest.raises(RuntimeError, match="turned by the constraint IK on LeftFoot, not by keys: bake the action"):
        bpy.ops.pads.clean()
    assert [action.name for action in bpy.data.actions] == ["walk"]
    with pytest.raises(RuntimeError, match="no cleaned motion yet"):
        bpy.ops.pads.compare()


def test_clean_says_what_is_odd_about_the_take(armature):
    """As Find Problems does: a walk played four times too slow."""
    scale_time(armature, 4.0)
    assert bpy.ops.pads.clean() == {"FINISHED"}
    assert "slow motion" in armature.pads.warnings
