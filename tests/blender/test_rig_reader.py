"""What the reader makes of an action, against Blender's own evaluation of it; and what it refuses."""

import time

import bpy
import numpy as np
import pytest

from pads_blender.blender.compat import find_channelbag
from pads_blender.blender.rig_checks import check_bones, is_plain
from pads_blender.blender.rig_reader import read_take
from pads_blender.core.rig import pose_matrices, world_matrices
from pads_blender.errors import TakeError

FRAMES = np.arange(1.0, 21.0)
# Blender computes in single precision, and the chain is seven bones long and in places scaled up.
TOLERANCE = 2e-5


def curves_of(armature):
    animation = armature.animation_data
    return find_channelbag(animation.action, animation.action_slot).fcurves


def assert_like_blender(armature, take, evaluated_matrices):
    expected = evaluated_matrices(armature, take.frames)
    assert np.ptp(expected[:, 1:, :3, 3], axis=0).max() > 0.05  # it moves
    np.testing.assert_allclose(pose_matrices(take), expected, atol=TOLERANCE)


def test_linear_keys_in_every_rotation_mode(build_rig, key_rig, evaluated_matrices):
    armature = build_rig()
    key_rig(armature, FRAMES)
    take = read_take(armature)
    assert take.names[0] == "root" and take.names[2] in armature.pose.bones
    assert take.frames.tolist() == FRAMES.tolist()
    assert take.fps == 24.0
    assert_like_blender(armature, take, evaluated_matrices)


def test_the_object_transform(build_rig, key_rig):
    armature = build_rig()
    key_rig(armature, FRAMES)
    parent = bpy.data.objects.new("Parent", None)
    bpy.context.scene.collection.objects.link(parent)
    parent.location, parent.scale, armature.parent = (5, 0, 0), (2, 2, 2), parent
    armature.delta_location = (0.5, 0, 0)
    take = read_take(armature)
    bpy.context.scene.frame_set(7)
    expected = [armature.matrix_world @ armature.pose.bones[name].matrix for name in take.names]
    np.testing.assert_allclose(world_matrices(take)[6], np.array(expected), atol=TOLERANCE)


@pytest.mark.parametrize("interpolation", ["BEZIER", "CONSTANT", "SINE"])
def test_other_interpolation_between_keys(build_rig, key_rig, evaluated_matrices, interpolation):
    armature = build_rig()
    key_rig(armature, np.array([1.0, 5.0, 12.0, 20.0]), interpolation=interpolation)
    take = read_take(armature)
    assert len(take.frames) == 20
    assert_like_blender(armature, take, evaluated_matrices)


def test_keys_between_whole_frames(build_rig, key_rig, evaluated_matrices):
    armature = build_rig()
    key_rig(armature, np.arange(1.25, 12.0, 0.4))
    take = read_take(armature)
    assert take.frames.tolist() == list(range(2, 12))
    assert_like_blender(armature, take, evaluated_matrices)


def test_modifiers_extrapolation_and_curves_of_different_length(build_rig, key_rig, evaluated_matrices):
    armature = build_rig()
    key_rig(armature, FRAMES)
    fcurves = list(curves_of(armature))
    fcurves[0].modifiers.new("NOISE").strength = 0.5
    fcurves[9].modifiers.new("GENERATOR").mute = True
    for fcurve in fcurves[4:30]:
        for _ in range(6):
            fcurve.keyframe_points.remove(fcurve.keyframe_points[-1])
        fcurve.extrapolation = "LINEAR" if fcurve.array_index else "CONSTANT"
        fcurve.update()
    assert_like_blender(armature, read_take(armature), evaluated_matrices)


def test_channels_without_curves_keep_their_value(build_rig, key_rig, evaluated_matrices):
    armature = build_rig()
    key_rig(armature, FRAMES)
    fcurves = curves_of(armature)
    for fcurve in list(fcurves)[::3]:
        fcurves.remove(fcurve)
    for number, bone in enumerate(armature.pose.bones):
        bone.rotation_quaternion, bone.rotation_euler = (0.5, 0.1, 0.2, 0.3), (0.1, 0.2 * number, 0.3)
        bone.rotation_axis_angle, bone.location = (0.5, 0.1, 0.2, 0.3), (0.1, 0.2, 0.3)
    assert_like_blender(armature, read_take(armature), evaluated_matrices)


def test_bones_that_may_carry_travel(build_rig, key_rig):
    armature = build_rig()
    key_rig(armature, FRAMES)
    fcurves = curves_of(armature)
    fcurves.remove(fcurves.find('pose.bones["foot"].location', index=1))
    take = read_take(armature)
    assert [n for n, movable in zip(take.names, take.movable, strict=True) if movable] == ["root", 'arm "left"', "leg"]


def test_muted_curves_do_not_move_anything(build_rig, key_rig, evaluated_matrices):
    armature = build_rig()
    key_rig(armature, FRAMES)
    fcurves = curves_of(armature)
    fcurves.find('pose.bones["root"].rotation_quaternion', index=2).mute = True
    group = fcurves.find('pose.bones["leg"].rotation_euler', index=0).group
    group.mute = True  # by itself it does nothing; in the editor it takes the curves along
    assert_like_blender(armature, read_take(armature), evaluated_matrices)
    for fcurve in group.channels:
        fcurve.mute = True
    armature.pose.bones["leg"].rotation_euler = (0.3, 0.2, 0.1)
    take = read_take(armature)
    leg = take.names.index("leg")
    assert np.ptp(take.rotation[:, leg], axis=0).max() == 0
    assert_like_blender(armature, take, evaluated_matrices)


def test_refuses_an_armature_without_keys(build_rig, key_rig):
    armature = build_rig()
    with pytest.raises(TakeError, match="select an armature with keyframes"):
        read_take(armature)
    action = key_rig(armature, FRAMES)
    fcurves = curves_of(armature)
    for fcurve in list(fcurves):
        fcurves.remove(fcurve)
    with pytest.raises(TakeError, match="no keyframes"):
        read_take(armature)
    armature.animation_data_clear()
    animation = armature.animation_data_create()
    animation.action, animation.action_slot = action, action.slots.new("OBJECT", "Empty")
    with pytest.raises(TakeError, match="no keyframes"):
        read_take(armature)


def test_refuses_a_value_that_is_not_a_number(build_rig, key_rig):
    armature = build_rig()
    key_rig(armature, FRAMES)
    fcurve = curves_of(armature).find('pose.bones["foot"].scale', index=1)
    fcurve.keyframe_points[4].co[1] = np.nan
    with pytest.raises(TakeError, match="bone foot, frame"):
        read_take(armature)


def test_bones_that_do_not_turn_by_their_keys_are_refused(build_rig, key_rig):
    armature = build_rig()
    key_rig(armature, FRAMES)
    names = [bone.name for bone in armature.pose.bones]
    check_bones(armature, names)
    assert is_plain(armature, names)
    constraint = armature.pose.bones["shin"].constraints.new("IK")
    constraint.chain_count = 2
    for name in ("leg", "shin"):
        with pytest.raises(TakeError, match=f"Bone {name} is turned by the constraint IK on shin"):
            check_bones(armature, [name])
    check_bones(armature, ["root", "foot", "hand"])  # a foot on a solved leg still turns by its keys
    assert is_plain(armature, ["root", "hand"]) and not is_plain(armature, ["foot"])
    constraint.influence = 0.0
    assert is_plain(armature, ["foot"])
    constraint.keyframe_insert("influence")
    assert not is_plain(armature, ["foot"])
    constraint.mute = True
    assert is_plain(armature, ["foot"])


def test_drivers_rotation_mode_keys_and_partial_inheritance(build_rig, key_rig):
    armature = build_rig()
    key_rig(armature, FRAMES, properties=("rotation",))
    armature.pose.bones["hand"].driver_add("location", 1)
    check_bones(armature, ["hand"])
    assert not is_plain(armature, ["hand"])
    armature.pose.bones["hand"].driver_add("rotation_euler", 1)
    with pytest.raises(TakeError, match="Bone hand is turned by a driver"):
        check_bones(armature, ["hand"])
    armature.pose.bones["leg"].keyframe_insert("rotation_mode")
    with pytest.raises(TakeError, match="rotation mode"):
        check_bones(armature, ["leg"])
    assert not is_plain(armature, ["shin"])
    armature.data.bones["spine"].use_inherit_rotation = False
    check_bones(armature, ["spine"])
    assert not is_plain(armature, ["spine"])


def test_a_long_take_reads_fast_and_in_linear_time(build_rig, chain, key_rig):
    armature = build_rig(chain(60))
    seconds = []
    for frames in (3000, 12000):
        key_rig(armature, np.arange(1.0, frames + 1), properties=("rotation",))
        started = time.process_time()
        take = read_take(armature)
        seconds.append(time.process_time() - started)
        assert take.rotation.shape == (frames, 60, 4)
    assert seconds[0] < 2.0
    assert seconds[1] < 4 * seconds[0] * 2 + 0.2  # four times the frames; caches and memory take their share
