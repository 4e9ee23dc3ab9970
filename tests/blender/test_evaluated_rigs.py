"""Rigs whose keys are not the whole story, read as Blender evaluates them and written back to what an animator keys."""

from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np
import pytest

from pads_blender.blender import evaluated_reader
from pads_blender.blender.compat import find_channelbag
from pads_blender.blender.evaluated_reader import is_evaluated, read_rig
from pads_blender.blender.rig_mapping import map_bones
from pads_blender.blender.rig_writer import toggle_original, write_take
from pads_blender.core.rig import carry_travel, pose_matrices
from pads_blender.core.stand_ins import find_stand_ins
from pads_blender.errors import TakeError

from .posing import assert_round_trip, assert_same_pose, bones_of, key_values, posed, poses_of, turned


def add_bone(armature, name, parent, **settings):
    """A bone on top of another's head, between it and its parent where `above` is given."""
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    bones = armature.data.edit_bones
    bone = bones.new(name)
    head = bones[settings["at"]].head
    bone.head, bone.tail = head, (head[0], head[1], head[2] + 10.0)
    bone.parent = bones[parent] if parent else None
    for child in settings.get("carries", ()):
        bones[child].use_connect, bones[child].parent = False, bone
    bpy.ops.object.mode_set(mode="OBJECT")
    return armature.pose.bones[name]


def test_bones_that_inherit_in_part(armature):
    armature.data.bones["LeftArm"].use_inherit_rotation = False
    armature.data.bones["LeftForeArm"].inherit_scale = "NONE"
    armature.data.bones["Neck"].use_local_location = False
    assert_round_trip(armature)


def test_blocks_of_frames_make_the_same_take(armature, monkeypatch):
    armature.data.bones["LeftArm"].use_inherit_rotation = False
    whole = read_rig(armature, map_bones(armature))
    monkeypatch.setattr(evaluated_reader, "_ROWS_AT_ONCE", 7)
    in_blocks = read_rig(armature, map_bones(armature))
    assert len(whole.frames) > 14 and whole.names == in_blocks.names
    for channel in ("rotation", "location", "scale", "frames"):
        np.testing.assert_allclose(getattr(in_blocks, channel), getattr(whole, channel), atol=1e-12)


def test_constraints_on_helpers_between_mapped_bones(armature):
    """Arms hang on a helper that copies the rotation of another bone in the world by half, a common FK set-up."""
    helper = add_bone(armature, "ArmFollow", "LeftShoulder", at="LeftArm", carries=("LeftArm",))
    constraint = helper.constraints.new("COPY_ROTATION")
    constraint.target, constraint.subtarget, constraint.influence = armature, "Head", 0.5
    take = assert_round_trip(armature)
    assert "ArmFollow" not in take.names


def test_keyed_bones_between_and_above_are_part_of_the_take(armature):
    """A spine bone more than the model has, and a root that carries the travel: written to as in a plain rig."""
    armature.data.bones["LeftArm"].use_inherit_rotation = False
    bag = find_channelbag(armature.animation_data.action, armature.animation_data.action_slot)
    root = add_bone(armature, "Root", None, at="Hips", carries=("Hips",))
    for index in range(3):
        hips = bag.fcurves.find('pose.bones["Hips"].location', index=index)
        fcurve = bag.fcurves.new(root.path_from_id("location"), index=index)
        fcurve.keyframe_points.add(len(hips.keyframe_points))
        for mine, theirs in zip(fcurve.keyframe_points, hips.keyframe_points, strict=True):
            mine.co = theirs.co
        fcurve.update()
        bag.fcurves.remove(hips)
    armature.pose.bones["Hips"].location = (0.0, 0.0, 0.0)
    take = assert_round_trip(armature)
    assert {"Root", "Spine1"} <= set(bones_of(take))
    hips, location = take.names.index("Hips"), take.location.copy()
    location[10:30, hips] += [3.0, 5.0, 7.0]  # centimetres
    wanted = replace(take, location=location)
    written = write_take(armature, take, carry_travel(take, wanted))
    assert written.keyed_bones == ("Root",)
    found = posed(armature, ["Hips"], take.frames)[:, 0]
    np.testing.assert_allclose(found, poses_of(wanted)[:, bones_of(take).index("Hips")], atol=1e-4)


def test_limits_and_child_of_on_a_mapped_bone_leave_it_its_keys(armature):
    target = bpy.data.objects.new("Ball", None)
    bpy.context.scene.collection.objects.link(target)
    target.rotation_euler, target.location = (0.1, 0.2, 0.3), (0.1, 0.0, 0.0)
    child_of = armature.pose.bones["RightArm"].constraints.new("CHILD_OF")
    child_of.target, child_of.influence = target, 0.7
    limit = armature.pose.bones["Head"].constraints.new("LIMIT_ROTATION")
    limit.use_limit_x, limit.min_x, limit.max_x, limit.owner_space = True, -3.0, 3.0, "LOCAL"
    assert_round_trip(armature)


def test_a_driver_on_a_bone_between(armature):
    helper = add_bone(armature, "Twist", "RightLeg", at="RightFoot", carries=("RightFoot",))
    helper.rotation_mode = "XYZ"
    helper.driver_add("rotation_euler", 1).driver.expression = "sin(frame * 0.3)"
    take = assert_round_trip(armature)
    assert np.ptp(take.rotation[:, take.names.index("RightFoot") - 1], axis=0).max() > 0.1  # its stand-in moves


def test_a_rig_in_a_moving_object_with_constraints(armature):
    armature.data.bones["LeftArm"].use_inherit_rotation = False
    for frame, place in ((1, 0.0), (40, 3.0)):
        armature.location[0] = place
        armature.keyframe_insert("location", frame=frame)
    take = assert_round_trip(armature)
    assert find_stand_ins(take)[0] and take.parents[1] == 0


def test_muted_constraints_leave_a_rig_plain(armature):
    armature.pose.bones["LeftForeArm"].constraints.new("IK").mute = True
    take = read_rig(armature, map_bones(armature))
    assert not is_evaluated(take) and len(take.names) == len(armature.data.bones)


def test_plain_ik_is_refused_by_name_and_nothing_is_touched(armature):
    for name in ("LeftForeArm", "RightLeg"):
        constraint = armature.pose.bones[name].constraints.new("IK")
        constraint.chain_count, constraint.target = 2, bpy.data.objects.new("Goal", None)
    actions = list(bpy.data.actions)
    with pytest.raises(TakeError, match=r"Bone LeftArm is turned by the constraint IK on LeftForeArm.*Visual Keying"):
        read_rig(armature, map_bones(armature))
    assert list(bpy.data.actions) == actions


def test_bones_without_keys_get_them_where_they_change_and_nowhere_else(armature):
    armature.data.bones["LeftArm"].use_inherit_rotation = False
    bag = find_channelbag(armature.animation_data.action, armature.animation_data.action_slot)
    for fcurve in [c for c in bag.fcurves if "LeftForeArm" in c.data_path]:
        bag.fcurves.remove(fcurve)
    armature.pose.bones["LeftForeArm"].rotation_quaternion = (0.9, 0.1, 0.3, 0.2)
    take = read_rig(armature, map_bones(armature))
    after = turned(take, rows=slice(10, 20))
    was = posed(armature, bones_of(take), take.frames)
    write_take(armature, take, after)
    keys = key_values(armature)
    assert [time for time, _ in keys['pose.bones["LeftForeArm"].rotation_quaternion', 0]] == list(range(10, 22))
    assert_same_pose(posed(armature, bones_of(take), take.frames), poses_of(after))
    toggle_original(armature)  # the bone has no curves there: it must not stay where the last frame has left it
    np.testing.assert_allclose(posed(armature, bones_of(take), take.frames), was, atol=1e-6)


def test_shear_is_refused(armature):
    helper = add_bone(armature, "Squash", "LeftArm", at="LeftForeArm", carries=("LeftForeArm",))
    helper.constraints.new("COPY_ROTATION").influence = 0.0
    helper.scale = (1.0, 3.0, 1.0)
    armature.data.bones["LeftHand"].use_inherit_rotation = False
    with pytest.raises(TakeError, match="sheared"):
        read_rig(armature, map_bones(armature))


def test_pose_and_channels_of_a_take_agree(armature):
    """The reduced take is a plain tree like any other."""
    armature.data.bones["LeftArm"].inherit_scale = "ALIGNED"
    take = read_rig(armature, map_bones(armature))
    assert all(parent < number for number, parent in enumerate(take.parents))
    np.testing.assert_allclose(np.linalg.det(pose_matrices(take)[..., :3, :3]), 1.0, atol=1e-3)


def test_deform_bones_that_copy_controls_are_refused(shared_data):
    path = Path(shared_data, "rigs", "mesh2motion_human_charleston.blend")
    bpy.ops.wm.open_mainfile(filepath=str(path), load_ui=False)
    armature = next(each for each in bpy.data.objects if each.type == "ARMATURE")
    with pytest.raises(TakeError, match="Bone pelvis is turned by the constraint Copy Transforms on pelvis"):
        read_rig(armature, map_bones(armature))
