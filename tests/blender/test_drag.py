"""Drag Pose in one go, as scripts and Adjust Last Operation have it; with the mouse: tests/window."""

from functools import partial

import bpy
import numpy as np
import pytest
from mathutils import Euler, Matrix, Vector

from pads_blender.blender import compat
from pads_blender.blender.pose_drag import PoseDrag
from pads_blender.blender.transforms import rotation_of

from .posing import select, world_heads

pytestmark = pytest.mark.usefixtures("registered")
FEET = ("LeftFoot", "RightFoot")
WAY = (0.0, -20.0, -15.0)  # this take is in centimetres, as it came


def channels(armature: bpy.types.Object) -> list[tuple[float, ...]]:
    kinds = ("location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle", "scale")
    return [tuple(getattr(bone, kind)) for bone in armature.pose.bones for kind in kinds]


def test_the_active_bone_goes_and_the_others_stay(armature):
    select(armature, *FEET, "LeftHand")
    feet, hand, other = world_heads(armature, *FEET), world_heads(armature, "LeftHand"), world_heads(armature, "Spine2")
    assert bpy.ops.pads.drag_pose(way=WAY) == {"FINISHED"}
    size = armature.dimensions.z
    assert np.abs(world_heads(armature, *FEET) - feet).max() < 1e-3 * size
    assert np.abs(world_heads(armature, "LeftHand") - hand - WAY).max() < 1e-3 * size
    assert np.linalg.norm(world_heads(armature, "Spine2") - other) > 0.005 * size


def test_the_way_is_the_worlds_whatever_the_object_is_turned_and_scaled_by(armature):
    armature.matrix_world = Matrix.LocRotScale((1, 2, 3), Euler((0.4, 0.0, 1.0)), (0.01,) * 3) @ armature.matrix_world
    select(armature, *FEET, "LeftHand")
    feet, hand = world_heads(armature, *FEET), world_heads(armature, "LeftHand")
    way = 0.01 * np.array(WAY)
    bpy.ops.pads.drag_pose(way=way)
    assert np.abs(world_heads(armature, "LeftHand") - hand - way).max() < 2e-3
    assert np.abs(world_heads(armature, *FEET) - feet).max() < 2e-3


@pytest.mark.parametrize("mode", ["QUATERNION", "XYZ", "AXIS_ANGLE"])
def test_each_channel_comes_back(armature, mode):
    select(armature, *FEET, "LeftHand")
    for bone in armature.pose.bones:
        bone.rotation_mode = mode
    before = channels(armature)
    drag = PoseDrag(armature, (*FEET, "LeftHand"), "LeftHand")
    drag.show(drag.solve(WAY))
    away = channels(armature)
    drag.show(drag.solve((1.0, 0.0, 0.0)))
    drag.show(drag.solve(WAY))
    assert channels(armature) == away != before  # where the mouse is counts, not how it got there
    drag.put_back()
    assert channels(armature) == before


@pytest.mark.parametrize("auto", [False, True])
def test_auto_keying_keys_what_has_moved(armature, auto):
    bpy.context.scene.frame_set(200)
    bpy.context.scene.tool_settings.use_keyframe_insert_auto = auto
    select(armature, *FEET, "LeftHand")
    bpy.ops.pads.drag_pose(way=WAY)
    bag = compat.find_channelbag(armature.animation_data.action, armature.animation_data.action_slot)
    keyed = {curve.data_path.split('"')[1] for curve in bag.fcurves if curve.keyframe_points[-1].co[0] == 200}
    assert bool(keyed) == auto
    if auto:
        assert "LeftForeArm" in keyed
        placed = world_heads(armature, "LeftHand")
        bpy.context.scene.frame_set(1)
        bpy.context.scene.frame_set(200)
        assert np.abs(world_heads(armature, "LeftHand") - placed).max() < 1e-3 * armature.dimensions.z


def test_one_undo_takes_it_back(armature):
    select(armature, *FEET, "LeftHand")
    bpy.ops.ed.undo_push(message="before")
    before = world_heads(armature, "LeftHand")
    bpy.ops.pads.drag_pose("EXEC_DEFAULT", True, way=WAY)
    bpy.ops.ed.undo()
    armature = bpy.context.object
    assert np.abs(world_heads(armature, "LeftHand") - before).max() < 1e-4


def test_dragging_says_what_it_needs(armature):
    select(armature)
    with pytest.raises(RuntimeError, match="Select the bones that are to stay, then the one to drag"):
        bpy.ops.pads.drag_pose()
    select(armature, "LeftHand")
    with pytest.raises(RuntimeError, match="Nothing stays where it is"):
        bpy.ops.pads.drag_pose()
    select(armature, *FEET, "LeftHand")
    armature.pose.bones["RightArm"].lock_rotation = (True, True, True)
    with pytest.raises(RuntimeError, match="rotation of bone RightArm is locked"):
        bpy.ops.pads.drag_pose()
    armature.pose.bones["RightArm"].lock_rotation = (False, False, False)
    armature.pose.bones["RightFoot"].constraints.new("COPY_ROTATION")
    with pytest.raises(RuntimeError, match="Bone RightFoot is moved by the constraint"):
        bpy.ops.pads.drag_pose()


@pytest.mark.parametrize("button", [partial(bpy.ops.pads.drag_pose, way=WAY), bpy.ops.pads.complete_pose])
@pytest.mark.parametrize(
    ("bone", "channel", "moved"), [("RightArm", "rotation", "turned"), ("Hips", "location", "moved")]
)
def test_what_a_driver_moves_is_not_posed(armature, button, bone, channel, moved):
    select(armature, *FEET, "LeftHand")
    path = rotation_of(armature.pose.bones[bone]).name if channel == "rotation" else channel
    driver = armature.pose.bones[bone].driver_add(path, 1)
    bpy.context.view_layer.update()
    before = channels(armature)
    with pytest.raises(RuntimeError, match=f"Bone {bone} is {moved} by a driver: mute or delete"):
        button()
    assert channels(armature) == before
    driver.mute = True
    assert button() == {"FINISHED"}


def test_hips_that_hang_on_a_root_bone_are_moved_by_it(armature):
    """Blender passes over the location of a connected bone."""
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    bones = armature.data.edit_bones
    root = bones.new("Root")
    root.head, root.tail = bones["Hips"].head - Vector((0, 0, 30)), bones["Hips"].head
    bones["Hips"].parent, bones["Hips"].use_connect = root, True
    select(armature, *FEET, "Hips")
    feet, hips = world_heads(armature, *FEET), world_heads(armature, "Hips")
    bpy.ops.pads.drag_pose(way=(0.0, 0.0, -15.0))
    assert np.abs(world_heads(armature, *FEET) - feet).max() < 0.5
    assert np.abs(world_heads(armature, "Hips") - hips - (0.0, 0.0, -15.0)).max() < 2.0
