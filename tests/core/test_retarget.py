"""Rig to model and back: exact without a change, and changes arrive on bodies of any proportions."""

from dataclasses import replace

import numpy as np
import pytest

from pads_blender.core import rotations as rot
from pads_blender.core.retarget import apply_motion, correcting_turns, segment_axes, to_model
from pads_blender.core.rig import world_matrices
from pads_blender.core.skeleton import JOINTS, MODEL
from pads_blender.errors import MappingError

from .bodies import SCALES, build_take, random_motion

TWIST_JOINTS = MODEL.indices("left_shoulder", "left_elbow", "right_hip", "neck")


@pytest.mark.parametrize("body", SCALES)
def test_the_same_pose_is_the_same_for_every_body(body):
    local, root = random_motion(20)
    reference, _ = to_model(*build_take(local, 0.0 * root))
    motion, _ = to_model(*build_take(local, 0.0 * root, body, seed=3, unit=0.01, yaw=0.0))
    relative = motion.positions - motion.positions[:, :1]
    np.testing.assert_allclose(relative, reference.positions - reference.positions[:, :1], atol=1e-9)
    assert motion.visible.all()


@pytest.mark.parametrize("body", SCALES)
@pytest.mark.parametrize("unit", [0.01, 1.0, 100.0])
def test_rig_to_model_to_rig_is_exact(body, unit):
    take, mapping = build_take(*random_motion(20), body, unit=unit, yaw=0.7)
    motion, residual = to_model(take, mapping)
    back = apply_motion(residual, motion.positions.copy())
    moved = np.abs(world_matrices(back)[..., :3, 3] - world_matrices(take)[..., :3, 3])
    assert moved.max() < 1e-9  # metres; 0.1 mm is what is promised
    assert rot.angle_between(back.rotation, take.rotation).max() < 1e-7


@pytest.mark.parametrize("body", SCALES)
def test_changed_positions_arrive_on_the_rig(body):
    local, root = random_motion(30)
    target, _ = to_model(*build_take(local, root, body))
    jitter = rot.from_rotation_vector(np.random.default_rng(1).normal(0, 0.05, (*local.shape[:2], 3)))
    take, mapping = build_take(rot.multiply(local, jitter), root, body)
    before, residual = to_model(take, mapping)
    after, _ = to_model(apply_motion(residual, target.positions), mapping)
    error = np.linalg.norm(after.positions - target.positions, axis=-1)
    assert np.linalg.norm(before.positions - target.positions, axis=-1).mean() > 0.02
    assert error.max() < 1e-6


def test_scaled_rest_and_heading_do_not_matter():
    local, root = random_motion(10)
    a, _ = to_model(*build_take(local, root))
    b, _ = to_model(*build_take(local, root, seed=5, unit=0.01))
    np.testing.assert_allclose(a.positions, b.positions, atol=1e-9)


def test_a_body_lying_on_its_back_at_rest_is_stood_up():
    take, mapping = build_take(*random_motion(10))
    standing, _ = to_model(take, mapping)
    lying = np.eye(4)
    lying[:3, :3] = rot.to_matrix(rot.from_rotation_vector(np.array([-np.pi / 2, 0.0, 0.0])))
    lain = replace(take, world_from_armature=lying)
    motion, residual = to_model(lain, mapping)
    np.testing.assert_allclose(motion.positions, standing.positions, atol=1e-9)
    back = apply_motion(residual, motion.positions)
    np.testing.assert_allclose(world_matrices(back), world_matrices(lain), atol=1e-9)


def test_twist_is_kept_and_added_on_request():
    take, mapping = build_take(*random_motion(10))
    motion, residual = to_model(take, mapping)
    twists = np.zeros(motion.positions.shape[:2])
    twists[:, TWIST_JOINTS] = 0.4
    twisted = apply_motion(residual, motion.positions, twists)
    again, residual_again = to_model(twisted, mapping)
    np.testing.assert_allclose(again.positions, motion.positions, atol=1e-7)
    for joint in TWIST_JOINTS:
        bone = residual.bones[joint]
        turn = rot.multiply(residual_again.rotations[:, bone], rot.inverse(residual.rotations[:, bone]))
        along = rot.twist_angle(turn, segment_axes(motion.positions)[:, joint])
        np.testing.assert_allclose(along, 0.4, atol=1e-6)


def test_bones_without_a_joint_keep_their_rotation():
    take, mapping = build_take(*random_motion(10))
    motion, residual = to_model(take, mapping)
    moved = apply_motion(
        residual, motion.positions + 0.01 * np.random.default_rng(0).standard_normal(motion.positions.shape)
    )
    between = take.names.index("between")
    np.testing.assert_allclose(moved.rotation[:, between], take.rotation[:, between], atol=1e-12)


def test_joints_that_the_rig_lacks_are_not_measured():
    take, mapping = build_take(*random_motion(10))
    for joint in ("left_toe", "spine", "left_collar"):
        mapping = mapping.with_joint(joint, None)
    motion, residual = to_model(take, mapping)
    hidden = [JOINTS[j] for j in np.flatnonzero(~motion.visible[0])]
    assert hidden == ["spine", "left_collar", "left_toe"]
    pushed = motion.positions.copy()
    pushed[:, JOINTS.index("left_toe")] += 0.3
    assert rot.angle_between(apply_motion(residual, pushed).rotation, take.rotation).max() < 1e-7


def test_shoulders_that_the_rig_lacks_do_not_turn_its_chest():
    take, mapping = build_take(*random_motion(10))
    for side in ("left", "right"):
        for joint in ("collar", "shoulder", "elbow", "wrist"):
            mapping = mapping.with_joint(f"{side}_{joint}", None)
    motion, residual = to_model(take, mapping)
    pushed = motion.positions.copy()
    pushed[:, [JOINTS.index("left_shoulder"), JOINTS.index("right_shoulder")]] += [0.0, 0.2, 0.1]
    assert rot.angle_between(apply_motion(residual, pushed).rotation, take.rotation).max() < 1e-7


def test_a_missing_leg_is_named():
    take, mapping = build_take(*random_motion(3))
    with pytest.raises(MappingError, match="left knee"):
        to_model(take, mapping.with_joint("left_knee", None))


def test_correcting_turns_are_the_identity_where_nothing_changed():
    motion, _ = to_model(*build_take(*random_motion(5)))
    turns = correcting_turns(motion.positions, motion.positions.copy(), np.ones(len(JOINTS), bool))
    np.testing.assert_allclose(turns, np.broadcast_to(rot.IDENTITY, turns.shape), atol=1e-9)
