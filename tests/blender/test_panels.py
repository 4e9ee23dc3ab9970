"""Lists and panels: problems, contacts, the rig's pickers, the comparison; each button pressed in background mode."""

import json

import bpy
import numpy as np
import pytest

from pads_blender.blender import addon, comparison, menus, overlay, problem_list, results
from pads_blender.blender.joint_pickers import shown_mapping
from pads_blender.blender.preferences import Preferences
from pads_blender.blender.rig_reader import read_take
from pads_blender.blender.rig_writer import Written
from pads_blender.core import rotations as rot
from pads_blender.tasks.take_warnings import TakeWarning

pytestmark = pytest.mark.usefixtures("registered")


@pytest.fixture
def popped(armature):
    """The left forearm leaps in frame 20."""
    leap(armature, "LeftForeArm", 20)
    return armature


def leap(armature, bone: str, frame: int) -> None:
    curves = armature.animation_data.action.layers[0].strips[0].channelbags[0].fcurves
    path = f'pose.bones["{bone}"].rotation_quaternion'
    channels = [curves.find(path, index=index) for index in range(4)]
    value = np.array([fcurve.keyframe_points[frame - 1].co[1] for fcurve in channels])
    leapt = rot.multiply(value, rot.from_rotation_vector(np.array([0.0, 0.0, 1.2])))
    for fcurve, each in zip(channels, leapt, strict=True):
        fcurve.keyframe_points[frame - 1].co[1] = each


def turned(before, after) -> np.ndarray:
    """Degrees (F, B)."""
    return np.degrees(rot.angle_between(before.rotation, after.rotation))


@pytest.mark.parametrize("name", ["VIEW3D_MT_object", "VIEW3D_MT_pose"])
def test_buttons_are_in_menus_where_the_search_finds_them(name):
    draw = getattr(bpy.types, name)._dyn_ui_initialize()
    assert [each for each in draw if each.__module__ == menus.__name__]
    addon.unregister()
    try:
        assert not [each for each in draw if each.__module__ == menus.__name__]
    finally:
        addon.register()


def test_problems_are_found_listed_and_gone_to(popped):
    bpy.ops.object.mode_set(mode="POSE")
    assert bpy.ops.pads.find_problems() == {"FINISHED"}
    rig = popped.pads
    kinds = [item.kind for item in rig.problems]
    assert "POP" in kinds
    assert rig.are_problems_known
    rig.active_problem = kinds.index("POP")
    assert bpy.context.scene.frame_current == 20
    assert popped.data.bones.active.name == rig.problems[rig.active_problem].bone == "LeftForeArm"
    assert bpy.context.selected_pose_bones == [popped.pose.bones["LeftForeArm"]]


def test_one_problem_is_fixed_and_nothing_else(popped):
    before = read_take(popped)
    bpy.ops.pads.find_problems()
    rig = popped.pads
    count = len(rig.problems)
    rig.active_problem = [item.kind for item in rig.problems].index("POP")
    assert bpy.ops.pads.fix_problem() == {"FINISHED"}
    degrees, arm = turned(before, read_take(popped)), before.names.index("LeftForeArm")
    assert degrees[19, arm] > 40.0
    far = [row for row in range(len(degrees)) if abs(row - 19) > 3]
    assert degrees[far].max() < 1e-3  # quaternion curves hold 32-bit numbers
    assert len(rig.problems) == count - 1
    assert "POP" not in [item.kind for item in rig.problems]


def test_all_problems_are_fixed_at_once(popped):
    bpy.ops.pads.find_problems()
    assert bpy.ops.pads.fix_all_problems() == {"FINISHED"}
    assert popped.animation_data.action.name == "walk.pads"
    assert {item.kind for item in popped.pads.problems} <= {"PENETRATION"}


def test_what_was_ignored_stays_when_all_others_are_fixed(popped):
    leap(popped, "RightForeArm", 29)
    before = read_take(popped)
    bpy.ops.pads.find_problems()
    rig = popped.pads
    for number in reversed(range(len(rig.problems))):
        if (rig.problems[number].kind, rig.problems[number].bone) != ("POP", "LeftForeArm"):
            rig.active_problem = number
            bpy.ops.pads.ignore_problem()
    bpy.ops.pads.fix_all_problems()
    degrees = turned(before, read_take(popped))
    assert degrees[19, before.names.index("LeftForeArm")] > 40.0
    assert degrees[28, before.names.index("RightForeArm")] < 1e-3


def test_ignored_and_marked(popped):
    with pytest.raises(RuntimeError, match="Press Find Problems first"):
        bpy.ops.pads.mark_problems()
    bpy.ops.pads.find_problems()
    count = len(popped.pads.problems)
    assert bpy.ops.pads.mark_problems() == {"FINISHED"}
    assert len(bpy.context.scene.timeline_markers) == count
    assert bpy.ops.pads.mark_problems() == {"FINISHED"}
    assert not len(bpy.context.scene.timeline_markers)
    with pytest.raises(RuntimeError, match="Click a problem in the list"):
        bpy.ops.pads.ignore_problem()
    popped.pads.active_problem = 0
    bpy.ops.pads.ignore_problem()
    assert len(popped.pads.problems) == count - 1


def test_the_list_speaks_of_the_motion_that_is_shown(popped):
    bpy.context.scene.pads.quality = "FAST"
    bpy.ops.pads.find_problems()
    bpy.ops.pads.clean()
    assert not len(popped.pads.problems) and not popped.pads.are_problems_known
    bpy.ops.pads.find_problems()
    bpy.ops.pads.discard()
    assert not len(popped.pads.problems) and not popped.pads.are_problems_known


def test_nothing_is_drawn_where_overlays_bones_or_the_armature_are_hidden(armature):
    view = next(area.spaces[0] for area in bpy.data.screens["Layout"].areas if area.type == "VIEW_3D")
    assert overlay.shows_overlays(view, armature)
    for name in ("show_overlays", "show_bones"):
        setattr(view.overlay, name, False)
        assert not overlay.shows_overlays(view, armature)
        setattr(view.overlay, name, True)
    armature.hide_viewport = True
    assert not overlay.shows_overlays(view, armature)


def test_broken_bones_are_drawn_where_they_are(popped):
    bpy.ops.pads.find_problems()
    bpy.context.scene.frame_set(20)
    bone = popped.pose.bones["LeftForeArm"]
    lines = [line for severity, line in overlay.broken_lines(popped, 20.0) if severity > 50.0]
    head = np.array(popped.matrix_world @ bone.head)
    assert min(np.abs(line[0, 0] - head).max() for line in lines) < 1e-4
    assert overlay.colour_of(500.0)[1] < overlay.colour_of(10.0)[1]


def test_a_filled_arm_changes_alone_and_obeys_the_range(armature):
    before = read_take(armature)
    scene = bpy.context.scene
    with pytest.raises(RuntimeError, match="Select the bones to fill in Pose Mode"):
        bpy.ops.pads.fill()
    bpy.ops.object.mode_set(mode="POSE")
    bpy.ops.pose.select_all(action="DESELECT")
    problem_list.compat.select_bone(armature.pose.bones["RightForeArm"], True)
    with pytest.raises(RuntimeError, match="There is no preview range"):
        bpy.ops.pads.fill()
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 10, 25
    assert bpy.ops.pads.fill() == {"FINISHED"}
    degrees = turned(before, read_take(armature))
    changed = np.flatnonzero(degrees.max(axis=1) > 1e-3) + 1
    assert changed.min() >= 9
    assert changed.max() <= 26
    others = [bone for bone, name in enumerate(before.names) if name != "RightForeArm"]
    assert degrees[:, others].max() < 1e-3


def test_contacts_are_found_edited_and_held(armature):
    bpy.ops.pads.find_contacts()
    rig = armature.pads
    rig.contacts.clear()
    with pytest.raises(RuntimeError, match="Press Find Contacts, or add one"):
        bpy.ops.pads.lock_feet()
    bpy.context.scene.frame_set(12)
    bpy.ops.pads.add_contact()
    contact = rig.contacts[0]
    contact.joint, contact.last = "LEFT_ANKLE", 20
    assert (contact.first, contact.last) == (12, 20)
    assert bpy.ops.pads.lock_feet() == {"FINISHED"}
    feet = []
    for frame in range(12, 21):
        bpy.context.scene.frame_set(frame)
        feet.append(tuple(armature.matrix_world @ armature.pose.bones["LeftFoot"].head))
    assert np.ptp(np.array(feet)[2:-2], axis=0)[:2].max() < 0.5  # of a rig 170 units tall
    bpy.ops.pads.remove_contact()
    assert not len(rig.contacts)


def test_pickers_show_and_set_the_mapping(armature, tmp_path):
    joints = armature.pads.joints
    assert joints.left_elbow == "LeftForeArm"
    assert shown_mapping(armature).source == "Recognised"
    joints.left_toe = ""
    assert joints.left_toe == ""
    assert shown_mapping(armature).source == "Set by you"
    bpy.ops.pads.save_preset(filepath=str(tmp_path / "mine.json"))
    assert json.loads((tmp_path / "mine.json").read_text())["joints"]["left_toe"] is None
    assert bpy.ops.pads.guess_mapping() == {"FINISHED"}
    assert joints.left_toe == "LeftToeBase"
    bpy.ops.pads.load_preset(filepath=str(tmp_path / "mine.json"))
    assert joints.left_toe == ""


def test_presets_keep_the_name_that_was_typed_and_are_not_overwritten_unasked(armature, tmp_path):
    bpy.ops.pads.save_preset(filepath=str(tmp_path / "hero.v2"))
    assert [path.name for path in tmp_path.iterdir()] == ["hero.v2.json"]
    assert bpy.ops.pads.save_preset.get_rna_type().properties["check_existing"].default


def test_a_mapping_in_trouble_is_shown_with_the_reason(armature):
    armature.pads.joints.left_toe = "LeftFoot"
    armature.data.bones["LeftFoot"].name = "foot"
    assert "map these joints again" in shown_mapping(armature).trouble


def test_one_joint_set_by_hand_leaves_the_others_where_a_bone_was_renamed(armature):
    joints = armature.pads.joints
    joints.left_toe = "LeftFoot"
    armature.data.bones["LeftHand"].name = "hand"
    joints.left_wrist = "hand"
    assert (joints.left_wrist, joints.left_elbow, joints.left_toe) == ("hand", "LeftForeArm", "LeftFoot")
    assert not shown_mapping(armature).trouble


def test_what_is_sure_of_a_rig_that_is_not_recognised_waits_for_the_rest(armature):
    bpy.ops.object.mode_set(mode="EDIT")
    for side in ("Left", "Right"):  # one leg ends at the knee, the other is a foot short
        armature.data.edit_bones.remove(armature.data.edit_bones[f"{side}ToeBase"])
    for bone in ("RightFoot", "RightLeg"):
        armature.data.edit_bones.remove(armature.data.edit_bones[bone])
    bpy.ops.object.mode_set(mode="OBJECT")
    shown = shown_mapping(armature)
    assert "No bone was recognised as right knee" in shown.trouble
    assert armature.pads.joints.left_elbow == "LeftForeArm"
    armature.pads.joints.right_knee = "LeftLeg"
    assert armature.pads.joints.left_elbow == "LeftForeArm"


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


def test_differences_and_ghost_are_those_of_the_other_motion(armature):
    bpy.context.scene.pads.quality = "FAST"
    bpy.context.scene.frame_set(15)
    bpy.context.view_layer.update()
    heads = np.array([armature.matrix_world @ bone.head for bone in armature.pose.bones])
    tails = np.array([armature.matrix_world @ bone.tail for bone in armature.pose.bones])
    before = read_take(armature)
    bpy.ops.pads.clean()
    np.testing.assert_allclose(overlay.ghost_lines(armature, 15.0), np.stack([heads, tails], axis=1), atol=1e-2)
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


def test_one_bone_is_one_bone():
    assert results.summary([Written("a.pads", "a", ("Hand",), ())]) == "1 bone cleaned in a.pads; a is kept"
    many = results.summary([Written("a.pads", "a", (), ("Arm", "Leg")), Written("b.pads", "b", ("Leg",), ("Arm",))])
    assert many == "1 bone of 2 armatures cleaned; the original actions are kept; 3 locked bones left alone"


def test_ranges_and_limbs(armature):
    settings, scene = bpy.context.scene.pads, bpy.context.scene
    before = read_take(armature)
    settings.range, settings.limbs, settings.quality = "PREVIEW", {"LEFT_ARM"}, "FAST"
    with pytest.raises(RuntimeError, match="There is no preview range"):
        bpy.ops.pads.clean()
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 10, 30
    bpy.ops.pads.clean()
    degrees = turned(before, read_take(armature))
    changed = np.flatnonzero(degrees.max(axis=1) > 1e-3) + 1
    assert (changed.min(), changed.max()) == (10, 30)
    bones = {before.names[bone] for bone in np.flatnonzero(degrees.max(axis=0) > 1e-3)}
    assert bones <= {"LeftShoulder", "LeftArm", "LeftForeArm", "LeftHand"}
    assert "LeftArm" in bones


def test_no_keys_selected_is_said(armature):
    for fcurve in armature.animation_data.action.layers[0].strips[0].channelbags[0].fcurves:
        fcurve.keyframe_points.foreach_set("select_control_point", [False] * len(fcurve.keyframe_points))
    bpy.context.scene.pads.range = "SELECTED"
    with pytest.raises(RuntimeError, match="No keyframes are selected"):
        bpy.ops.pads.clean()


def test_what_is_odd_about_a_take_is_kept_for_the_panel(armature):
    problem_list.store_warnings(armature, [TakeWarning("fps", "Too quick."), TakeWarning("length", "Too short.")])
    assert armature.pads.warnings == "Too quick.\nToo short."
    bpy.ops.pads.find_problems()  # a take with nothing odd about it as a whole
    assert armature.pads.warnings == ""
