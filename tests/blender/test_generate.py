"""The buttons of Generate and In-Between, pressed in background mode on a take made here."""

import bpy
import numpy as np
import pytest
from mathutils import Matrix

from pads_blender.blender import compat
from pads_blender.blender.operators_in_between import PADS_OT_in_between, key_frames
from pads_blender.blender.rig_reader import find_curves, read_take
from pads_blender.blender.session import Session
from pads_blender.errors import CancelledError, TakeError

from .posing import assert_same_pose, posed, select, world_heads

pytestmark = pytest.mark.usefixtures("registered")
KEYS = (1, 18, 40)


def thin_out(armature: bpy.types.Object) -> None:
    """Leave keys in the frames KEYS alone."""
    for fcurve in find_curves(armature).fcurves:
        for key in reversed(fcurve.keyframe_points):
            if key.co[0] not in KEYS:
                fcurve.keyframe_points.remove(key)
        fcurve.update()


# --- in-between -------------------------------------------------------------------------------------------------------


def test_keys_are_passed_on_the_rig_and_what_lies_between_is_new(armature):
    thin_out(armature)
    names = [bone.name for bone in armature.data.bones]
    before, between = (posed(armature, names, frames) for frames in (KEYS, (10, 30)))
    assert bpy.ops.pads.in_between() == {"FINISHED"}
    assert armature.animation_data.action.name == "walk.pads"
    assert_same_pose(posed(armature, names, KEYS), before, degrees=0.01, metres=1e-4)
    assert np.abs(posed(armature, names, (10, 30)) - between).max() > 1e-3
    assert len(read_take(armature).frames) == 40
    assert bpy.data.actions["walk"].use_fake_user


def test_the_animators_keys_keep_their_type_and_count_again(armature):
    thin_out(armature)
    bpy.ops.pads.in_between()
    assert key_frames(armature, only_selected=False).tolist() == list(KEYS)


def test_another_variation_starts_from_the_same_keys(armature):
    thin_out(armature)
    bpy.ops.pads.in_between()
    first = read_take(armature)
    bpy.context.scene.pads_generate.variation = 3
    bpy.ops.pads.in_between()
    second = read_take(armature)
    rows = np.array(KEYS) - 1
    assert np.abs(second.rotation[rows] - first.rotation[rows]).max() < 1e-5
    assert np.abs(second.rotation - first.rotation).max() > 0.01
    assert armature.animation_data.action["pads_original"] == bpy.data.actions["walk"]


def test_a_result_that_was_not_accepted_is_passed_over_and_the_message_says_so(armature):
    thin_out(armature)
    assert "passed over" not in _said_by_in_between()
    assert "walk.pads was passed over" in _said_by_in_between()


def _said_by_in_between() -> str:
    session = Session(PADS_OT_in_between.prepare(None, bpy.context), "In-Between")
    while (said := session.step()) is None:
        session.job.join()
    return said


def test_a_result_is_shown_again_where_another_variation_is_refused_or_cancelled(armature):
    thin_out(armature)
    bpy.ops.pads.in_between()
    session = Session(PADS_OT_in_between.prepare(None, bpy.context), "In-Between")
    assert armature.animation_data.action.name == "walk.pads"  # while it is worked on, too
    session.job.cancel()
    with pytest.raises(CancelledError):
        while session.step() is None:
            session.job.join()
    assert armature.animation_data.action.name == "walk.pads"
    bpy.context.scene.pads_generate.keys = "SELECTED"
    for fcurve in bpy.data.actions["walk"].layers[0].strips[0].channelbags[0].fcurves:
        fcurve.keyframe_points.foreach_set("select_control_point", [False] * len(fcurve.keyframe_points))
    with pytest.raises(RuntimeError, match="there are none selected"):
        bpy.ops.pads.in_between()
    assert armature.animation_data.action.name == "walk.pads"


def test_selected_keys_of_a_dense_take_are_the_poses(armature):
    before = read_take(armature)
    for fcurve in find_curves(armature).fcurves:
        for key in fcurve.keyframe_points:
            key.select_control_point = key.co[0] in (10, 30)
    bpy.context.scene.pads_generate.keys = "SELECTED"
    assert bpy.ops.pads.in_between() == {"FINISHED"}
    after = read_take(armature)
    stay = np.r_[0:10, 29 : len(before.frames)]
    assert np.abs(after.rotation[stay] - before.rotation[stay]).max() < 1e-5
    assert np.abs(after.rotation[10:29] - before.rotation[10:29]).max() > 1e-3


@pytest.mark.parametrize(
    ("keys", "said"), [("ALL", "set Keys to Selected Keys"), ("SELECTED", "there are none selected")]
)
def test_what_in_between_cannot_do_is_one_sentence(armature, keys, said):
    for fcurve in find_curves(armature).fcurves:
        for key in fcurve.keyframe_points:
            key.select_control_point = False
    bpy.context.scene.pads_generate.keys = keys
    with pytest.raises(RuntimeError, match=said):
        bpy.ops.pads.in_between()
    assert [action.name for action in bpy.data.actions] == ["walk"]


# --- generate ---------------------------------------------------------------------------------------------------------


def poses_of(armature: bpy.types.Object) -> np.ndarray:
    return read_take(armature).rotation


def test_poses_are_marked_frames_of_a_new_action(armature):
    settings = bpy.context.scene.pads_generate
    settings.count, bpy.context.scene.frame_current = 4, 7
    assert bpy.ops.pads.generate() == {"FINISHED"}
    action = armature.animation_data.action
    assert [(marker.name, marker.frame) for marker in action.pose_markers] == [
        (f"Pose {i + 1}", 7 + i) for i in range(4)
    ]
    poses = poses_of(armature)
    assert len(poses) == 4
    assert np.abs(np.diff(poses, axis=0)).max(axis=(1, 2)).min() > 0.05
    assert action["pads_original"] == bpy.data.actions["walk"]
    bpy.ops.pads.discard()
    assert armature.animation_data.action.name == "walk"


def test_the_same_seed_gives_the_same_poses_without_an_action_too(armature):
    bpy.context.scene.pads_generate.count, found = 2, []
    for seed in (0, 0, 1):
        armature.animation_data.action = None
        for bone in armature.pose.bones:
            bone.matrix_basis.identity()
        bpy.context.scene.pads_generate.seed = seed
        bpy.ops.pads.generate()
        found.append(poses_of(armature))
    assert np.abs(found[1] - found[0]).max() < 1e-6
    assert np.abs(found[2] - found[0]).max() > 0.05


def test_poses_come_where_the_figure_is_at_present_and_face_as_it_does(armature):
    height, hips = armature.dimensions.z, armature.pose.bones["Hips"]
    armature.animation_data.action = None
    aside = Matrix.Translation((1.5 * height, 0.4 * height, 0.0)) @ Matrix.Rotation(np.pi / 2, 4, "Z")
    hips.matrix = armature.matrix_world.inverted() @ aside @ armature.matrix_world @ hips.matrix
    bpy.context.view_layer.update()
    was = world_heads(armature, "Hips", "LeftUpLeg", "RightUpLeg")
    bpy.ops.pads.generate()
    found = world_heads(armature, "Hips", "LeftUpLeg", "RightUpLeg")
    assert np.linalg.norm(found[0] - was[0], axis=-1).max() < 0.4 * height  # it may crouch
    old, new = ((each[1] - each[2])[..., :2] for each in (was, found))
    assert np.sum(old * new) > 0.9 * np.linalg.norm(old) * np.linalg.norm(new)


def test_one_pose_is_enough(armature):
    bpy.context.scene.pads_generate.count = 1
    assert bpy.ops.pads.generate() == {"FINISHED"}
    assert len(armature.animation_data.action.pose_markers) == 1


def test_poses_become_assets(armature):
    settings = bpy.context.scene.pads_generate
    settings.count, settings.as_assets = 2, True
    bpy.ops.pads.generate()
    assets = [action for action in bpy.data.actions if action.asset_data]
    assert len(assets) == 2
    wanted = poses_of(armature)
    for number, asset in enumerate(sorted(assets, key=lambda each: each.name)):
        compat.assign_action(armature.animation_data, asset, asset.slots[0].handle)
        assert np.abs(read_take(armature).rotation[0] - wanted[number]).max() < 1e-5


@pytest.mark.parametrize("has_take", [False, True])
def test_motion_between_two_generated_poses(armature, has_take):
    """The recipe of docs/generate.md: two poses, the second one's keys moved three seconds on, In-Between."""
    if not has_take:
        armature.animation_data.action = None
    bpy.context.scene.pads_generate.count = 2
    bpy.ops.pads.generate()
    if has_take:
        bpy.ops.pads.accept()
    poses = poses_of(armature)
    for fcurve in find_curves(armature).fcurves:
        fcurve.keyframe_points[-1].co_ui = (91, fcurve.keyframe_points[-1].co[1])
        fcurve.update()
    assert bpy.ops.pads.in_between() == {"FINISHED"}
    motion = poses_of(armature)
    assert len(motion) == 91
    assert np.abs(motion[[0, -1]] - poses).max() < 1e-4
    slerp = poses[0] + np.linspace(0.0, 1.0, 91)[:, None, None] * (poses[1] - poses[0])
    assert np.abs(motion - slerp).max() > 0.05


def test_variations_are_near_the_present_pose(armature):
    settings = bpy.context.scene.pads_generate
    bpy.context.scene.frame_set(20)
    present = read_take(armature).rotation[19]
    settings.count, far = 3, []
    for settings.amount in (0.02, 0.5):
        bpy.ops.pads.vary_pose()
        dots = np.abs(np.sum(poses_of(armature) * present, axis=-1))
        far.append(np.degrees(2.0 * np.arccos(np.minimum(dots, 1.0))).mean())
        bpy.ops.pads.discard()
        bpy.context.scene.frame_set(20)
    assert 0.0 < far[0] < 0.5 * far[1]


# --- complete ---------------------------------------------------------------------------------------------------------


def test_selected_bones_stay_and_the_rest_takes_another_pose(armature):
    bpy.context.scene.frame_set(20)
    given = ("LeftHand", "RightFoot")
    select(armature, *given)
    before, free = world_heads(armature, *given), world_heads(armature, "RightHand")
    assert bpy.ops.pads.complete_pose(seed=2) == {"FINISHED"}
    assert np.abs(world_heads(armature, *given) - before).max() < 1e-3 * armature.dimensions.z
    assert np.linalg.norm(world_heads(armature, "RightHand") - free) > 0.01 * armature.dimensions.z


def test_completing_says_what_it_needs(armature):
    select(armature)
    with pytest.raises(RuntimeError, match="Select the bones that are to stay"):
        bpy.ops.pads.complete_pose()
    select(armature, "LeftHand")
    armature.pose.bones["RightFoot"].constraints.new("COPY_ROTATION")
    with pytest.raises(RuntimeError, match="Bone RightFoot is moved by the constraint"):
        bpy.ops.pads.complete_pose()


def test_in_between_says_how_selected_keys_count(armature):
    """In a take of PADS's own keys there are no key poses, unless somebody selects them."""
    for fcurve in armature.animation_data.action.layers[0].strips[0].channelbags[0].fcurves:
        for key in fcurve.keyframe_points:
            key.type = "GENERATED"
    with pytest.raises(TakeError, match=r"there are none on the bones of the body .*choose Selected Keys"):
        key_frames(armature, only_selected=False)
