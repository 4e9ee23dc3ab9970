"""Original and cleaned motion side by side, of one armature or several: shown, blended, accepted, discarded, saved."""

import bpy
import numpy as np
import pytest

from pads_blender.blender import comparison, evaluated_poses
from pads_blender.blender.pose_at import bone_lines, pose_at
from pads_blender.blender.preferences import Preferences
from pads_blender.blender.rig_reader import read_take
from pads_blender.core import rotations as rot

pytestmark = pytest.mark.usefixtures("registered")


def turned(before, after) -> np.ndarray:
    """Degrees (F, B)."""
    return np.degrees(rot.angle_between(before.rotation, after.rotation))


def test_accept_and_discard(armature):
    with pytest.raises(RuntimeError, match="no cleaned motion yet"):
        bpy.ops.pads.accept()
    bpy.context.scene.pads.quality = "FAST"
    bpy.ops.pads.clean()
    bpy.ops.pads.discard()
    assert [action.name for action in bpy.data.actions] == ["walk"]
    bpy.ops.pads.clean()
    bpy.ops.pads.accept()
    assert armature.animation_data.action.name == "walk.pads"
    assert bpy.data.actions["walk"].use_fake_user
    assert comparison.find_comparison(armature) is None


def test_a_result_made_from_a_result_comes_back_after_a_look_at_what_was_before(armature):
    bpy.context.scene.pads.quality = "FAST"
    bpy.ops.pads.clean()
    bpy.ops.pads.clean()
    animation = armature.animation_data
    assert animation.action.name == "walk.pads.001"
    for name in ("walk.pads", "walk.pads.001"):
        bpy.ops.pads.compare()
        assert animation.action.name == name
    bpy.ops.pads.discard()
    assert animation.action.name == "walk.pads"
    bpy.ops.pads.clean()
    bpy.ops.pads.compare()
    bpy.ops.pads.accept()
    assert animation.action.name == "walk.pads.001"


def test_differences_and_ghost_are_those_of_the_other_motion(armature):
    bpy.context.scene.pads.quality = "FAST"
    bpy.context.scene.frame_set(15)
    bpy.context.view_layer.update()
    heads = np.array([armature.matrix_world @ bone.head for bone in armature.pose.bones])
    tails = np.array([armature.matrix_world @ bone.tail for bone in armature.pose.bones])
    before = read_take(armature)
    bpy.ops.pads.clean()
    np.testing.assert_allclose(comparison.ghost_lines(armature, 15.0), np.stack([heads, tails], axis=1), atol=1e-2)
    degrees = turned(before, read_take(armature))[14]
    listed = comparison.differences(armature, comparison.find_comparison(armature), 15.0)
    assert listed[0][0] == before.names[int(degrees.argmax())]
    assert listed[0][1] == pytest.approx(degrees.max(), abs=1e-2)


def test_nla_strips_blend_and_can_be_accepted_or_discarded(armature, monkeypatch):
    monkeypatch.setattr("pads_blender.blender.results.read_preferences", lambda: Preferences(result="NLA"))
    bpy.context.scene.pads.quality = "FAST"
    before = read_take(armature)
    bpy.ops.pads.clean()
    assert armature.animation_data.action is None
    assert [track.name for track in armature.animation_data.nla_tracks] == ["PADS Original", "PADS Cleaned"]
    with pytest.raises(RuntimeError, match="Accept or discard the result first"):
        bpy.ops.pads.clean()
    cleaned = pose_angles(armature)
    armature.pads.blend = 0.0
    original = pose_angles(armature)
    armature.pads.blend = 0.5
    middle = pose_angles(armature)
    np.testing.assert_allclose(middle, 0.5 * (original + cleaned), atol=0.02)
    assert np.abs(original - cleaned).max() > 0.02
    bpy.ops.pads.accept()
    degrees = turned(before, read_take(armature))
    assert degrees.max() > 0.5
    assert not len(armature.animation_data.nla_tracks)
    bpy.ops.pads.clean()
    bpy.ops.pads.discard()
    assert turned(read_take(armature), before).max() == pytest.approx(degrees.max(), abs=1e-3)


@pytest.fixture
def as_strips(armature, monkeypatch):
    """The armature, which gets its results as NLA strips."""
    monkeypatch.setattr("pads_blender.blender.results.read_preferences", lambda: Preferences(result="NLA"))
    bpy.context.scene.pads.quality = "FAST"
    return armature


def test_strips_that_cannot_be_made_into_one_stay(as_strips):
    bpy.ops.pads.clean()
    as_strips.pads.blend = 0.5
    bone = as_strips.pose.bones["LeftUpLeg"]
    bone.constraints.new("COPY_ROTATION").target = as_strips
    middle, actions = pose_angles(as_strips), sorted(action.name for action in bpy.data.actions)
    with pytest.raises(RuntimeError, match="LeftUpLeg"):
        bpy.ops.pads.accept()
    np.testing.assert_allclose(pose_angles(as_strips), middle, atol=1e-6)
    assert as_strips.pads.blend == 0.5 and sorted(action.name for action in bpy.data.actions) == actions
    bone.constraints.remove(bone.constraints[0])
    assert bpy.ops.pads.accept() == {"FINISHED"}


def test_strips_hold_all_keys_whatever_range_is_set_for_playing(as_strips):
    action = as_strips.animation_data.action
    action.use_frame_range, action.frame_start, action.frame_end = True, 10, 20
    bpy.ops.pads.clean()
    strips = [track.strips[0] for track in as_strips.animation_data.nla_tracks]
    assert [(strip.frame_start, strip.frame_end) for strip in strips] == [(1, 40), (1, 40)]


def test_an_action_deleted_while_it_is_compared_ends_the_comparison(as_strips):
    bpy.ops.pads.clean()
    bpy.data.actions.remove(bpy.data.actions["walk.pads"])
    assert comparison.find_comparison(as_strips) is None
    with pytest.raises(RuntimeError, match="no cleaned motion yet"):
        bpy.ops.pads.accept()


def test_cleaned_motion_is_saved_while_the_original_is_shown(armature, tmp_path):
    bpy.context.scene.pads.quality = "FAST"
    bpy.ops.pads.clean()
    bpy.ops.pads.compare()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "walk.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "walk.blend"))
    assert bpy.ops.pads.compare() == {"FINISHED"}
    assert bpy.data.objects["walk"].animation_data.action.name == "walk.pads"


@pytest.fixture
def unlike(armature):
    """The armature with an arm that does not turn with the body: its channels alone do not say what it looks like."""
    armature.data.bones["LeftForeArm"].use_inherit_rotation = False
    bpy.context.scene.pads.quality = "FAST"
    return armature


def bone_places(armature, bones) -> np.ndarray:
    bpy.context.view_layer.update()
    posed = armature.evaluated_get(bpy.context.evaluated_depsgraph_get()).pose.bones
    ends = [(posed[bone].head, posed[bone].tail) for bone in bones]
    return np.array([[armature.matrix_world @ end for end in both] for both in ends])


def test_the_ghost_of_a_rig_with_constraints_is_what_was_seen(unlike):
    bpy.context.scene.frame_set(15)
    bpy.ops.pads.clean()
    assert unlike.pads.warnings == ""
    cleaned = unlike.animation_data.action
    posed = evaluated_poses.posed_frame(cleaned, 15.0)
    now = bone_places(unlike, posed.names)
    size = np.ptp(now.reshape(-1, 3), axis=0).max()
    np.testing.assert_allclose(comparison.ghost_lines(unlike, 15.0), posed.lines[0])
    np.testing.assert_allclose(posed.lines[1], now, atol=1e-3 * size)
    bpy.ops.pads.compare()
    np.testing.assert_allclose(posed.lines[0], bone_places(unlike, posed.names), atol=1e-4 * size)
    np.testing.assert_allclose(comparison.ghost_lines(unlike, 15.0), posed.lines[1])
    listed = comparison.differences(unlike, comparison.find_comparison(unlike), 15.0)
    assert listed and listed[0][1] == pytest.approx(posed.degrees.max())
    channels = pose_at(unlike, cleaned, unlike.animation_data.action_slot.handle, 15.0)
    by_channels = bone_lines(unlike, channels)[channels.names.index("LeftHand")]
    assert np.abs(by_channels - now[posed.names.index("LeftHand")]).max() > 0.01 * size
    bpy.ops.pads.compare()
    bpy.ops.pads.accept()
    assert evaluated_poses.posed_frame(cleaned, 15.0) is None


def test_a_blend_on_a_rig_with_constraints_lies_between(unlike, monkeypatch):
    monkeypatch.setattr("pads_blender.blender.results.read_preferences", lambda: Preferences(result="NLA"))
    bones = ["LeftHand", "RightHand", "Head"]
    bpy.context.scene.frame_set(15)
    before = bone_places(unlike, bones)
    bpy.ops.pads.clean()
    after = bone_places(unlike, bones)
    unlike.pads.blend = 0.5
    bpy.ops.pads.accept()
    size = np.abs(after - before).max()
    np.testing.assert_allclose(bone_places(unlike, bones), 0.5 * (before + after), atol=0.1 * size)


def test_strips_that_are_tweaked_can_be_discarded(as_strips):
    bpy.ops.pads.clean()
    animation = as_strips.animation_data
    animation.nla_tracks.active = animation.nla_tracks["PADS Cleaned"]
    animation.nla_tracks["PADS Cleaned"].strips[0].select = True
    animation.use_tweak_mode = True
    assert animation.use_tweak_mode
    assert bpy.ops.pads.discard() == {"FINISHED"}
    assert animation.action.name == "walk" and not len(animation.nla_tracks)
    assert "walk.pads" not in bpy.data.actions


def pose_angles(armature) -> np.ndarray:
    bpy.context.scene.frame_set(15)
    bpy.context.view_layer.update()
    evaluated = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
    return np.array([bone.matrix_basis.to_quaternion() for bone in evaluated.pose.bones])


def test_several_armatures_in_one_press(armature):
    other = armature.copy()
    other.data, other.animation_data.action = armature.data.copy(), armature.animation_data.action.copy()
    other.name = "second"
    bpy.context.scene.collection.objects.link(other)
    other.select_set(True)
    bpy.context.scene.pads.quality = "FAST"
    assert bpy.ops.pads.clean() == {"FINISHED"}
    assert {each.animation_data.action.name for each in (armature, other)} == {"walk.pads", "walk.001.pads"}


def test_armatures_on_one_slot_keep_their_own_cleaned_motion(armature):
    other = armature.copy()
    other.name = "second"
    bpy.context.scene.collection.objects.link(other)
    other.select_set(True)
    bpy.context.scene.pads.quality = "FAST"
    bpy.ops.pads.clean()
    for each in (armature, other):
        bpy.context.view_layer.objects.active = each
        bpy.ops.pads.compare()
    for each, cleaned in ((armature, "walk.pads"), (other, "walk.pads.001")):
        bpy.context.view_layer.objects.active = each
        bpy.ops.pads.compare()
        assert each.animation_data.action.name == cleaned
    bpy.context.view_layer.objects.active = armature
    bpy.ops.pads.discard()
    assert other.animation_data.action.name == "walk.pads.001"
    assert comparison.find_comparison(armature) is None


def test_a_motion_that_another_object_has_as_well_is_discarded_for_one_alone(armature):
    bpy.context.scene.pads.quality = "FAST"
    bpy.ops.pads.clean()
    other = armature.copy()
    bpy.ops.pads.discard()
    assert armature.animation_data.action.name == "walk"
    assert other.animation_data.action.name == "walk.pads"


@pytest.fixture
def sword(armature, build_rig, chain, key_rig):
    """A second armature with keyframes, selected as well, that is no body."""
    sword = build_rig(chain(2), "sword")
    key_rig(sword, np.arange(1.0, 31.0))
    bpy.context.view_layer.objects.active = armature
    sword.select_set(True)
    return sword


def test_an_armature_that_is_no_body_does_not_stop_the_others(armature, sword, capfd):
    bpy.context.scene.pads.quality = "FAST"
    assert bpy.ops.pads.clean() == {"FINISHED"}
    assert armature.animation_data.action.name == "walk.pads"
    assert sword.animation_data.action.name == "Walk"
    assert "sword is left as it is: No bone was recognised as pelvis" in capfd.readouterr().out


def test_a_range_without_keys_of_one_armature_does_not_stop_the_others(armature, capfd):
    other = armature.copy()
    other.data, other.animation_data.action = armature.data.copy(), armature.animation_data.action.copy()
    other.name = "second"
    bpy.context.scene.collection.objects.link(other)
    other.select_set(True)
    for fcurve in other.animation_data.action.layers[0].strips[0].channelbags[0].fcurves:
        for key in fcurve.keyframe_points:
            key.co[0] += 500.0
    settings = bpy.context.scene.pads
    settings.quality, settings.range = "FAST", "SCENE"
    assert bpy.ops.pads.clean() == {"FINISHED"}
    assert armature.animation_data.action.name == "walk.pads"
    assert "walk is kept. second is left as it is: No frame of the take lies in 1 to 40" in capfd.readouterr().out
    bpy.context.view_layer.objects.active = other
    armature.select_set(False)
    with pytest.raises(RuntimeError, match="Error: No frame of the take lies in 1 to 40"):
        bpy.ops.pads.clean()
