"""Keys, curves and objects that Clean must leave alone: kept keys exactly, everything it does not model bit for bit."""

import bpy
import numpy as np
import pytest

from pads_blender.blender.kept_keys import KeptKeys, read_kept
from pads_blender.blender.parts import finish
from pads_blender.blender.rig_reader import find_curves, read_take
from pads_blender.core.rotations import angle_between, inverse, multiply, to_rotation_vector

FRAME = 20  # of 40
FINGERS = ("LeftFinger1", "LeftFinger2")


pytestmark = pytest.mark.usefixtures("registered")


def curves_of(armature, bone: str = "") -> list[bpy.types.FCurve]:
    return [c for c in find_curves(armature).fcurves if f'pose.bones["{bone}' in c.data_path]


def key_at(fcurve: bpy.types.FCurve, frame: int) -> bpy.types.Keyframe:
    return next(key for key in fcurve.keyframe_points if key.co[0] == frame)


def contents(fcurve: bpy.types.FCurve) -> tuple:
    """Everything about the keys of a curve, bit for bit."""
    flat = {
        name: np.empty(2 * len(fcurve.keyframe_points), np.float32) for name in ("co", "handle_left", "handle_right")
    }
    for name, array in flat.items():
        fcurve.keyframe_points.foreach_get(name, array)
    kinds = [(key.interpolation, key.type, key.easing) for key in fcurve.keyframe_points]
    return (*(array.tobytes() for array in flat.values()), tuple(kinds), fcurve.extrapolation, len(fcurve.modifiers))


def snapshot(action: bpy.types.Action) -> dict:
    return {
        (c.data_path, c.array_index): contents(c)
        for layer in action.layers
        for strip in layer.strips
        for bag in strip.channelbags
        for c in bag.fcurves
    }


def bends(take) -> np.ndarray:
    """Second differences (F - 2, B) of the rotations in radians."""
    steps = to_rotation_vector(multiply(take.rotation[1:], inverse(take.rotation[:-1])))
    return np.linalg.norm(np.diff(steps, axis=0), axis=-1)


def test_a_pose_of_extreme_keys_is_passed_exactly_and_without_a_jerk(armature):
    for fcurve in curves_of(armature):
        key_at(fcurve, FRAME).type = "EXTREME"
    before = read_take(armature)
    bpy.ops.pads.clean()
    after, row = read_take(armature), FRAME - 1
    assert angle_between(after.rotation[row], before.rotation[row]).max() < 1e-6
    assert np.abs(after.location[row] - before.location[row]).max() < 1e-6
    assert all(key_at(fcurve, FRAME).type == "EXTREME" for fcurve in curves_of(armature))
    mapped = bends(before).mean(axis=0) > 0.01
    near = bends(after)[row - 4 : row + 3, mapped].mean()
    assert near < 0.5 * bends(before)[:, mapped].mean()
    bpy.ops.pads.compare()
    bpy.context.scene.pads.keep_extreme = False
    bpy.ops.pads.clean()
    assert angle_between(read_take(armature).rotation[row], before.rotation[row]).max() > 1e-3


def test_selected_keys_are_kept_when_asked_for(armature):
    for fcurve in find_curves(armature).fcurves:
        for key in fcurve.keyframe_points:
            key.select_control_point = "LeftArm" in fcurve.data_path and key.co[0] in (10, 11, 30)
    before = read_take(armature)
    bone, rows = before.names.index("LeftArm"), [9, 10, 29]
    bpy.context.scene.pads.keep_selected = True
    bpy.ops.pads.clean()
    kept = angle_between(read_take(armature).rotation[:, bone], before.rotation[:, bone])
    assert kept[rows].max() < 1e-6 < 1e-3 < np.delete(kept, rows).max()
    bpy.ops.pads.compare()
    bpy.context.scene.pads.keep_selected = False
    bpy.ops.pads.clean()
    assert angle_between(read_take(armature).rotation[rows, bone], before.rotation[rows, bone]).max() > 1e-3


@pytest.mark.parametrize("lock", ["curve", "group", "mute"])
def test_locked_curves_are_never_touched(armature, lock):
    chosen = curves_of(armature, "Spine1") + [c for c in curves_of(armature, "Hips") if "location" in c.data_path]
    assert len(chosen) == 7
    for fcurve in chosen:
        if lock == "curve":
            fcurve.lock = True
        elif lock == "mute" and "location" not in fcurve.data_path:
            fcurve.mute = True
        else:
            fcurve.group.lock = True
    keys = [(c.data_path, c.array_index) for c in chosen]
    before = snapshot(armature.animation_data.action)
    bpy.ops.pads.clean()
    after = snapshot(armature.animation_data.action)
    assert all(after[key] == before[key] for key in keys)
    arm = [key for key in before if 'bones["LeftArm"]' in key[0] and "rotation" in key[0]]
    assert all(after[key] != before[key] for key in arm)


def test_what_is_kept_is_read_from_the_curves(armature):
    take = read_take(armature)
    for fcurve in curves_of(armature, "LeftHand"):
        armature.animation_data.action.layers[0].strips[0].channelbags[0].fcurves.remove(fcurve)
    for fcurve in curves_of(armature):
        key_at(fcurve, 5).type = "EXTREME"
    moved = key_at(curves_of(armature, "LeftArm")[0], 30)
    moved.type, moved.co[0] = "EXTREME", 30.5
    kept = finish(read_kept(armature, take, KeptKeys()))
    assert np.flatnonzero(kept.rotation[:, take.names.index("LeftArm")]).tolist() == [4, 29, 30]
    assert np.flatnonzero(kept.rotation[:, take.names.index("RightArm")]).tolist() == [4]
    assert np.flatnonzero(kept.rotation[:, take.names.index("LeftHand")]).tolist() == [4]  # no curves: like all others
    assert not finish(read_kept(armature, take, KeptKeys(extreme=False))).rotation.any()


def add_bones(armature) -> None:
    """Two finger bones on the left hand, a prop on the right one, a face bone and a camera bone without a parent."""
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    bones = armature.data.edit_bones
    parents = {FINGERS[0]: "LeftHand", FINGERS[1]: FINGERS[0], "Sword": "RightHand", "Jaw": "Head", "CameraBone": None}
    for number, (name, parent) in enumerate(parents.items()):
        bone = bones.new(name)
        bone.parent = bones[parent] if parent else None
        start = bones[parent].tail if parent else (50.0, 0.0, 150.0)
        bone.head, bone.tail = start, (start[0] + 2.0 + number, start[1], start[2] + 1.0)
    bpy.ops.object.mode_set(mode="OBJECT")
    for name in parents:
        armature.pose.bones[name].rotation_mode = "XYZ" if name == "Jaw" else "QUATERNION"


def add_noise_keys(bag: bpy.types.ActionChannelbag, path: str, size: int, interpolation: str = "BEZIER") -> None:
    rng = np.random.default_rng(len(path))
    for index in range(size):
        fcurve = bag.fcurves.new(path, index=index)
        for frame in range(1, 41):
            key = fcurve.keyframe_points.insert(frame, rng.normal(0.0, 0.3), options={"FAST"})
            key.interpolation = interpolation
        fcurve.update()


def animated(data: bpy.types.ID, path: str, size: int) -> bpy.types.Action:
    """Noise on a property of any data-block, on an action of its own."""
    action = bpy.data.actions.new(f"{data.name} action")
    slot = action.slots.new(data.id_type, data.name)
    animation = data.animation_data_create()
    animation.action, animation.action_slot = action, slot
    strip = action.layers.new("Layer").strips.new(type="KEYFRAME")
    add_noise_keys(strip.channelbag(slot, ensure=True), path, size)
    return action


def test_fingers_face_props_cameras_shape_keys_and_custom_properties_pass_bit_for_bit(armature):
    add_bones(armature)
    armature.pose.bones["LeftHand"]["grip"] = 0.5
    armature["mood"] = 1.0
    bag, mapped = find_curves(armature), set(snapshot(armature.animation_data.action))
    for name in (*FINGERS, "Sword", "CameraBone"):
        add_noise_keys(bag, f'pose.bones["{name}"].rotation_quaternion', 4)
    add_noise_keys(bag, 'pose.bones["Jaw"].rotation_euler', 3, "CONSTANT")
    add_noise_keys(bag, 'pose.bones["Sword"].location', 3)
    add_noise_keys(bag, 'pose.bones["Head"].scale', 1)
    add_noise_keys(bag, 'pose.bones["LeftHand"]["grip"]', 1)
    add_noise_keys(bag, '["mood"]', 1)
    mesh = bpy.data.objects.new("Body", bpy.data.meshes.new("Body"))
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    for item in (mesh, camera):
        bpy.context.scene.collection.objects.link(item)
    mesh.shape_key_add(name="Basis")
    mesh.shape_key_add(name="Smile")
    others = [
        animated(mesh.data.shape_keys, 'key_blocks["Smile"].value', 1),
        animated(camera, "location", 3),
        animated(camera.data, "lens", 1),
    ]
    before, untouched = snapshot(armature.animation_data.action), [snapshot(action) for action in others]
    bpy.context.view_layer.objects.active = armature
    bpy.ops.pads.clean()
    after = snapshot(armature.animation_data.action)
    assert set(after) == set(before)
    mine = set(before) - mapped
    assert len(mine) == 4 * 4 + 3 + 3 + 1 + 1 + 1
    assert [key for key in mine if after[key] != before[key]] == []
    assert [snapshot(action) for action in others] == untouched
    assert sum(after[key] != before[key] for key in mapped) > 60  # the body was cleaned meanwhile


def test_the_originals_own_keys_stay(armature):
    original = armature.animation_data.action
    before = snapshot(original)
    bpy.ops.pads.clean()
    assert armature.animation_data.action != original and snapshot(original) == before
