"""Lists and panels: problems, contacts, the rig's pickers, the comparison; each button pressed in background mode."""

import json
from dataclasses import replace

import bpy
import numpy as np
import pytest

from pads_blender.blender import (
    addon,
    comparison,
    contact_list,
    menus,
    operators_rig,
    overlay,
    panels_clean,
    panels_rig,
    problem_list,
    results,
)
from pads_blender.blender.joint_pickers import shown_mapping
from pads_blender.blender.rig_mapping import can_store, store_mapping
from pads_blender.blender.rig_reader import read_take
from pads_blender.blender.rig_writer import Written
from pads_blender.core import rotations as rot
from pads_blender.core.mapping import JointBone
from pads_blender.errors import MappingError, PadsError
from pads_blender.tasks.contacts import ContactRange
from pads_blender.tasks.problems import Problem
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


def test_all_panels_of_a_take_stand_in_the_order_of_the_work():
    panels = {cls.__name__: cls for cls in addon._CLASSES if issubclass(cls, bpy.types.Panel)}
    order = ["PADS_PT_rig", "PADS_PT_clean", "PADS_PT_compare", "PADS_PT_problems", "PADS_PT_fill", "PADS_PT_feet"]
    assert sorted(order, key=lambda name: panels[name].bl_order) == order
    for name in order[1:]:
        assert {"", "_graph", "_dopesheet"} == {each.removeprefix(name) for each in panels if each.startswith(name)}


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


def test_all_bones_of_a_broken_limb_are_drawn(armature):
    joints = ("left_shoulder", "left_elbow", "left_wrist")
    problem_list.store(armature, [Problem("frozen", joints[0], "LeftArm", joints, 10.0, 20.0, 80.0, "")])
    lines = overlay.broken_lines(armature, 15.0)
    heads = [armature.matrix_world @ armature.pose.bones[name].head for name in ("LeftArm", "LeftForeArm", "LeftHand")]
    assert len(lines) == 3
    assert all(min(np.abs(line[0, 0] - head).max() for _, line in lines) < 1e-4 for head in np.array(heads))


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
    assert armature.pads.result == "1 bone completed in walk.pads; walk is kept"
    degrees = turned(before, read_take(armature))
    changed = np.flatnonzero(degrees.max(axis=1) > 1e-3) + 1
    assert changed.min() >= 9
    assert changed.max() <= 26
    others = [bone for bone, name in enumerate(before.names) if name != "RightForeArm"]
    assert degrees[:, others].max() < 1e-3


def test_what_became_of_a_take_is_shown_with_its_result_alone(armature):
    for operator, said in (bpy.ops.pads.clean, "bones cleaned in"), (bpy.ops.pads.generate, "10 poses in"):
        assert operator() == {"FINISHED"}
        found = comparison.get_comparison(armature)
        assert said in armature.pads.result
        assert panels_clean._is_about(armature.pads.result, found.cleaned)
        assert not panels_clean._is_about(armature.pads.result, found.original)
    bpy.ops.pads.discard()
    assert armature.pads.result == ""


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


def test_a_click_on_a_contact_goes_to_its_first_frame(armature):
    contact_list.store(armature, [ContactRange("left_toe", 12, 20), ContactRange("right_toe", 25, 30)])
    bpy.context.scene.frame_set(3)
    assert not bpy.ops.pads.remove_contact.poll()  # none is chosen
    armature.pads.active_contact = 1
    assert bpy.context.scene.frame_current == 25
    bpy.context.scene.frame_set(7)
    bpy.ops.pads.add_contact()
    assert (bpy.context.scene.frame_current, armature.pads.contacts[2].joint) == (7, "RIGHT_TOE")
    contact_list.store(armature, [])
    assert bpy.context.scene.frame_current == 7


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
    assert shown_mapping(armature).source == "Recognised"
    bpy.ops.pads.load_preset(filepath=str(tmp_path / "mine.json"))
    assert joints.left_toe == ""


def test_presets_keep_the_name_that_was_typed_and_are_not_overwritten_unasked(armature, tmp_path):
    bpy.ops.pads.save_preset(filepath=str(tmp_path / "hero.v2"))
    assert [path.name for path in tmp_path.iterdir()] == ["hero.v2.json"]
    assert bpy.ops.pads.save_preset.get_rna_type().properties["check_existing"].default


def test_a_folder_that_cannot_be_made_is_one_sentence(armature, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PadsError, match="The folder of presets cannot be made"):
        operators_rig._made(tmp_path / "file" / "presets")
    with pytest.raises(RuntimeError, match="cannot be written"):
        bpy.ops.pads.save_preset(filepath=str(tmp_path / "file" / "mine.json"))


def test_bones_that_another_file_owns_keep_no_mapping(armature, tmp_path):
    path = str(tmp_path / "library.blend")
    bpy.data.libraries.write(path, {armature.data})
    with bpy.data.libraries.load(path, link=True) as (source, wanted):
        wanted.armatures = source.armatures
    armature.data = wanted.armatures[0]
    assert not can_store(armature)
    assert shown_mapping(armature).source == "Recognised"
    with pytest.raises(MappingError, match="linked from another file"):
        store_mapping(armature, shown_mapping(armature).mapping)


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


def test_one_bone_is_one_bone():
    held = results.summary([Written("a.pads", "a", ("Hand",), ())], verb="changed")
    assert held == "1 bone changed in a.pads; a is kept"
    assert results.summary([Written("a.pads", "a", ("Hand",), ())]) == "1 bone cleaned in a.pads; a is kept"
    many = results.summary([Written("a.pads", "a", (), ("Arm", "Leg")), Written("b.pads", "b", ("Leg",), ("Arm",))])
    assert many == "1 bone of 2 armatures cleaned; the original actions are kept; 3 locked bones left alone"
    repairs = [[(1, 1, "pop"), (2, 3, "frozen")], [(1, 1, "missing"), (0, 1, "slide")]]
    said = results.summary([Written("a.pads", "a", ("Hand",), ())], repairs)
    assert said == "1 bone cleaned in a.pads: 1 of 1 pop, 3 of 4 gaps, 0 of 1 slide put right; a is kept"


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


def test_joints_without_a_bone_and_unsure_ones_are_named(armature):
    mapping = shown_mapping(armature).mapping
    full = {joint: JointBone("any", 1.0) for joint in mapping.joints}
    assert panels_rig._remarks(replace(mapping, joints=full)) == []
    joints = full | {"head_top": None, "left_knee": JointBone("LeftLeg", 0.5)}
    remarks = panels_rig._remarks(replace(mapping, joints=joints))
    assert remarks == ["Without a bone: head top", "Unsure, please look: left knee"]
