"""What the lists lead to: a fix changes what its problem is about, Clean goes by contacts that were edited."""

import bpy
import numpy as np
import pytest

from pads_blender.blender import contact_list, problem_list
from pads_blender.blender.rig_reader import read_take
from pads_blender.core import rotations as rot
from pads_blender.tasks.contacts import ContactRange
from pads_blender.tasks.problems import Problem

pytestmark = pytest.mark.usefixtures("registered")
LEFT_LEG = ("LeftUpLeg", "LeftLeg", "LeftFoot", "LeftToeBase")


def turned(before, after) -> np.ndarray:
    """Degrees (F, B)."""
    return np.degrees(rot.angle_between(before.rotation, after.rotation))


def listed(armature, *problems: Problem) -> None:
    problem_list.store(armature, problems)
    armature.pads.active_problem = 0


def jitter(bone: str, joint: str) -> Problem:
    return Problem("jitter", joint, bone, (joint,), 10.0, 25.0, 20.0, "it shakes")


def test_a_slide_is_fixed_on_its_own_foot_and_nowhere_else(armature):
    before = read_take(armature)
    joints = ("left_ankle", "left_toe")
    listed(armature, Problem("slide", "left_ankle", "LeftFoot", joints, 15.0, 25.0, 80.0, "it slides"))
    assert bpy.ops.pads.fix_problem() == {"FINISHED"}
    after = read_take(armature)
    degrees, leg = turned(before, after), [before.names.index(bone) for bone in LEFT_LEG]
    assert degrees[14:25, leg].max() > 1.0
    degrees[:, leg] = 0.0
    assert degrees.max() < 1e-3
    np.testing.assert_allclose(after.location, before.location, atol=1e-4)


def test_a_problem_of_the_same_kind_that_was_ignored_stays(armature):
    before = read_take(armature)
    listed(armature, jitter("LeftForeArm", "left_elbow"), jitter("RightForeArm", "right_elbow"))
    armature.pads.active_problem = 1
    bpy.ops.pads.ignore_problem()
    assert bpy.ops.pads.fix_all_problems() == {"FINISHED"}
    degrees = turned(before, read_take(armature))
    changed = {before.names[bone] for bone in np.flatnonzero(degrees.max(axis=0) > 1e-3)}
    assert "LeftForeArm" in changed
    assert changed <= {"LeftShoulder", "LeftArm", "LeftForeArm", "LeftHand"}
    assert degrees[35:].max() < 1e-3


def test_the_list_knows_whose_it_is(armature):
    listed(armature, jitter("LeftForeArm", "left_elbow"))
    action = armature.animation_data.action
    armature.animation_data.action = action.copy()
    armature.pads.active_problem = 0
    assert not problem_list.is_about_shown(armature)
    with pytest.raises(RuntimeError, match="The list is about another action"):
        bpy.ops.pads.fix_problem()
    armature.animation_data.action = action
    assert bpy.ops.pads.fix_problem() == {"FINISHED"}
    assert problem_list.is_about_shown(armature)  # what is left of it is about the new action


def test_the_list_follows_its_action_to_a_new_name(armature):
    listed(armature, jitter("LeftForeArm", "left_elbow"))
    action = armature.animation_data.action
    action.name = "walk, take 2"
    assert problem_list.is_about_shown(armature)
    armature.animation_data.action = action.copy()
    assert not problem_list.is_about_shown(armature)
    assert problem_list.find_action_name(armature) == "walk, take 2"
    bpy.data.actions.remove(action)
    assert not problem_list.is_about_shown(armature)


def test_the_list_knows_its_action_by_name_in_a_file_that_is_opened_again(armature, tmp_path):
    listed(armature, jitter("LeftForeArm", "left_elbow"))
    armature.pads.problems_action_uid += 1000  # as if another session had given it: here it may be the same again
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "walk.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "walk.blend"))
    assert problem_list.is_about_shown(bpy.data.objects[0])


def test_markers_of_the_animator_stay(armature):
    bpy.context.scene.timeline_markers.new("PADS take 2", frame=5)
    listed(armature, jitter("LeftForeArm", "left_elbow"))
    bpy.ops.pads.mark_problems()
    bpy.ops.pads.mark_problems()
    assert [marker.name for marker in bpy.context.scene.timeline_markers] == ["PADS take 2"]


def test_clean_goes_by_contacts_once_they_are_edited(armature):
    contact_list.store(armature, [ContactRange("left_ankle", 12, 20)])
    rig = armature.pads
    assert not rig.are_contacts_edited
    rig.contacts[0].last = 25
    assert rig.are_contacts_edited
    bpy.context.scene.pads.quality = "FAST"
    bpy.ops.pads.clean()
    held = heels(armature)[13:23]
    bpy.ops.pads.discard()
    rig.contacts[0].use = False
    bpy.ops.pads.clean()
    assert np.ptp(held, axis=0).max() < 0.3 * np.ptp(heels(armature)[13:23], axis=0).max()
    contact_list.store(armature, [])
    assert not rig.are_contacts_edited


def heels(armature) -> np.ndarray:
    """Places (F, 2) on the ground of the left heel."""
    found = []
    for frame in range(1, 41):
        bpy.context.scene.frame_set(frame)
        found.append((armature.matrix_world @ armature.pose.bones["LeftFoot"].head)[:2])
    return np.array(found)


def test_a_bone_that_is_no_joint_cannot_be_filled(armature):
    bpy.ops.object.mode_set(mode="EDIT")
    finger = armature.data.edit_bones.new("Finger")
    hand = armature.data.edit_bones["LeftHand"]
    finger.parent, finger.head, finger.tail = hand, hand.tail, hand.tail + hand.vector
    bpy.ops.object.mode_set(mode="POSE")
    bpy.ops.pose.select_all(action="DESELECT")
    problem_list.compat.select_bone(armature.pose.bones["Finger"], True)
    bpy.context.scene.pads.fill_range = "SCENE"
    with pytest.raises(RuntimeError, match="fingers and props cannot be filled in"):
        bpy.ops.pads.fill()
    assert [action.name for action in bpy.data.actions] == ["walk"]
