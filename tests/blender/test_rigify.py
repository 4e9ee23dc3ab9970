"""Rigify's metarig and the rig generated from it: the FK controls are keyed, nothing else, and IK on request."""

from collections.abc import Iterator

import addon_utils
import bpy
import numpy as np
import pytest

from pads_blender.blender.estimate_target import deliver, read_target
from pads_blender.blender.evaluated_reader import is_evaluated, read_rig
from pads_blender.blender.evaluation import bone_paths
from pads_blender.blender.parts import finish
from pads_blender.blender.rig_mapping import map_bones
from pads_blender.blender.rig_reader import find_curves
from pads_blender.blender.rig_writer import toggle_original, write_take
from pads_blender.core.rotations import from_rotation_vector
from pads_blender.errors import TakeError
from pads_blender.tasks.estimate_rig import RigHypothesis

from .posing import assert_round_trip, assert_same_pose, bones_of, key_values, posed, poses_of, turned

FRAMES = np.arange(1.0, 41.0)
SWITCHES = tuple(f"{limb}_parent.{side}" for limb in ("upper_arm", "thigh") for side in "LR")


@pytest.fixture
def metarig() -> Iterator[bpy.types.Object]:
    """Rigify's human metarig; Rigify keeps its rig types in its preferences, hence default_set."""
    addon_utils.enable("rigify", default_set=True)
    bpy.ops.object.armature_human_metarig_add()
    yield bpy.context.object
    addon_utils.disable("rigify", default_set=True)


def sway(armature, name, amount, seed):
    """A slow sway of one bone, keyed in its own rotation mode."""
    rng, bone = np.random.default_rng(seed), armature.pose.bones[name]
    size, phase = rng.uniform(0.2, 1.0, 3) * amount, rng.uniform(0.0, 6.0, 3)
    for frame in FRAMES:
        vector = size * np.sin(0.2 * frame + phase)
        if bone.rotation_mode == "QUATERNION":
            bone.rotation_quaternion = from_rotation_vector(vector)
            bone.keyframe_insert("rotation_quaternion", frame=frame)
        else:
            bone.rotation_euler = vector
            bone.keyframe_insert("rotation_euler", frame=frame)


def move(armature, name, offset, amount):
    """A small circle about a place, given in the armature's axes."""
    bone = armature.pose.bones[name]
    axes = np.array(bone.bone.matrix_local)[:3, :3]
    for frame in FRAMES:
        place = np.array(offset) + amount * np.array([np.sin(0.3 * frame), np.cos(0.2 * frame), 0.0])
        bone.location = axes.T @ place
        bone.keyframe_insert("location", frame=frame)


def test_the_metarig_is_a_plain_rig(metarig):
    mapping = map_bones(metarig)
    for number, chosen in enumerate(filter(None, mapping.joints.values())):
        sway(metarig, chosen.bone, 0.3, number)
    take = read_rig(metarig, mapping)
    assert not is_evaluated(take)
    after = turned(take)
    write_take(metarig, take, after)
    assert_same_pose(posed(metarig, list(take.names), take.frames), poses_of(after))


def test_a_generated_rig_in_fk_and_in_ik(metarig):
    """One test, since generating takes half a minute."""
    bpy.ops.pose.rigify_generate()
    rig = bpy.data.objects[metarig.data.rigify_target_rig.name]
    mapping = map_bones(rig)
    controls = [chosen.bone for chosen in mapping.joints.values() if chosen]
    for number, name in enumerate([*controls, "chest", "hips", "spine_fk.001"]):
        sway(rig, name, 0.3, number)
    move(rig, "torso", (0.0, 0.0, -0.1), 0.03)
    set_switches(rig, 1.0)
    assert_fk_is_written_to_controls_alone(rig, controls)
    set_switches(rig, 0.0)
    assert_ik_is_refused_or_switched(rig, mapping)


def set_switches(rig, value):
    for name in SWITCHES:
        rig.pose.bones[name]["IK_FK"] = value


def assert_fk_is_written_to_controls_alone(rig, controls):
    before = key_values(rig)
    take = assert_round_trip(rig)
    controls = {*controls, "spine_fk.001"}  # keyed, and it carries the legs
    assert set(bones_of(take)) == controls
    toggle_original(rig)  # to the newest cleaned action
    after = key_values(rig)
    changed = {path for path, index in after if after[path, index] != before.get((path, index))}
    assert changed == {f'pose.bones["{name}"].{rotation(rig, name)}' for name in controls}
    toggle_original(rig)


def rotation(rig, name):
    return "rotation_quaternion" if rig.pose.bones[name].rotation_mode == "QUATERNION" else "rotation_euler"


def assert_ik_is_refused_or_switched(rig, mapping):
    for number, name in enumerate(("hand_ik.L", "hand_ik.R", "foot_ik.L", "foot_ik.R")):
        sway(rig, name, 0.3, 100 + number)
        side = 1.0 if name.endswith("L") else -1.0
        move(rig, name, (-0.2 * side, -0.1, -0.2) if "hand" in name else (0.0, 0.0, 0.05), 0.03)
    actions = len(bpy.data.actions)
    with pytest.raises(TakeError, match="--switch-to-fk"):
        read_rig(rig, mapping)
    locked = find_curves(rig).fcurves.find('pose.bones["shin_fk.L"].rotation_quaternion', index=1)
    locked.lock = True
    with pytest.raises(TakeError, match=r"shin_fk\.L has locked"):
        read_rig(rig, mapping, switch_to_fk=True)
    locked.lock = False
    assert len(bpy.data.actions) == actions
    skin = [bone.name for bone in rig.data.bones if bone.name.startswith("DEF-")]
    was = finish(bone_paths(rig, skin, FRAMES))
    take = read_rig(rig, mapping, switch_to_fk=True)
    write_take(rig, take, take, switch_to_fk=True)
    assert all(rig.pose.bones[name]["IK_FK"] == 1.0 for name in SWITCHES)
    assert_same_pose(finish(bone_paths(rig, skin, FRAMES)), was)  # the limbs stay where IK had put them
    assert not still_in_ik(rig, mapping)
    toggle_original(rig)
    assert all(rig.pose.bones[name]["IK_FK"] == 0.0 for name in SWITCHES)
    np.testing.assert_allclose(finish(bone_paths(rig, skin, FRAMES)), was, atol=1e-6)
    after = turned(take)
    write_take(rig, take, after, switch_to_fk=True)
    assert_same_pose(posed(rig, bones_of(take), FRAMES), poses_of(after))
    toggle_original(rig)
    assert_every_estimate_switches_and_gives_back(rig)


def assert_every_estimate_switches_and_gives_back(rig):
    target = read_target(rig, FRAMES, switch_to_fk=True)
    found = [RigHypothesis(turned(target.take), 0.7, 0.0), RigHypothesis(target.take, 0.3, 0.0)]
    for name in deliver(target, found, "film"):
        keyed = {fcurve.data_path for fcurve in bpy.data.actions[name].layers[0].strips[0].channelbags[0].fcurves}
        assert keyed >= {f'pose.bones["{switch}"]["IK_FK"]' for switch in SWITCHES}
    bpy.context.scene.frame_set(5)
    assert all(rig.pose.bones[name]["IK_FK"] == 1.0 for name in SWITCHES)
    toggle_original(rig)
    assert all(rig.pose.bones[name]["IK_FK"] == 0.0 for name in SWITCHES)


def still_in_ik(rig, mapping):
    try:
        read_rig(rig, mapping)
    except TakeError:
        return True
    return False
