"""Stand-ins: what carries bones and is none; any pose as a plain tree, and bones aimed at a wanted pose."""

import numpy as np

from pads_blender.core.rig import RigTake, pose_matrices, rest_from_parent, transform_matrices, world_matrices
from pads_blender.core.rotations import from_rotation_vector
from pads_blender.core.stand_ins import (
    Channels,
    aim,
    carry_by_frames,
    carry_by_object,
    find_stand_ins,
    path_channels,
    split_matrices,
)

FRAMES, BONES = 12, 4
CHANNELS = "location", "rotation", "scale"


def random_take(seed=0):
    rng = np.random.default_rng(seed)
    rest = transform_matrices(
        rng.normal(size=(BONES, 3)), from_rotation_vector(rng.normal(size=(BONES, 3))), np.ones((BONES, 3))
    )
    return RigTake(
        names=tuple("abcd"),
        parents=np.array([-1, 0, 1, 0]),
        rest=rest,
        location=rng.normal(size=(FRAMES, BONES, 3)),
        rotation=from_rotation_vector(rng.normal(size=(FRAMES, BONES, 3))),
        scale=np.repeat(rng.uniform(0.5, 2.0, (FRAMES, BONES, 1)), 3, axis=2),
        world_from_armature=np.eye(4),
        frames=np.arange(FRAMES, dtype=float),
        fps=30.0,
        movable=np.array([True, False, True, False]),
    )


def random_poses(seed=1):
    rng = np.random.default_rng(seed)
    turns = from_rotation_vector(rng.normal(size=(FRAMES, BONES, 3)))
    return transform_matrices(rng.normal(size=(FRAMES, BONES, 3)), turns, np.ones((FRAMES, BONES, 3)))


def test_matrices_come_apart_and_together_mirrored_ones_too():
    poses = random_poses() @ np.diag([2.0, 2.0, 2.0, 1.0])
    poses[::2] = poses[::2] @ np.diag([-1.0, -1.0, -1.0, 1.0])
    parts = split_matrices(poses)
    np.testing.assert_allclose(transform_matrices(parts.location, parts.rotation, parts.scale), poses, atol=1e-12)
    assert (parts.scale[0] < 0).all() and (parts.scale[1] > 0).all()


def test_an_object_that_moves_carries_its_bones():
    take, path = random_take(), random_poses()[:, 0]
    above = path_channels(path)
    columns = (np.concatenate([getattr(above, name)[:, None], getattr(take, name)], axis=1) for name in CHANNELS)
    carried = carry_by_object(take, "Rig (object)", path[0], True, Channels(*columns))
    np.testing.assert_allclose(world_matrices(carried)[:, 1:], path[:, None] @ pose_matrices(take), atol=1e-9)
    np.testing.assert_allclose(carried.world_from_armature, path[0])
    assert carried.movable.tolist() == [True, True, False, True, False]
    assert find_stand_ins(carried).tolist() == [True, False, False, False, False]


def test_any_pose_is_a_plain_tree_with_stand_ins_and_bones_keep_their_channels():
    take, poses = random_take(), random_poses()
    carried = carry_by_frames(take, poses)
    bones = ~find_stand_ins(carried)
    np.testing.assert_allclose(pose_matrices(carried)[:, bones], poses, atol=1e-9)
    for name in CHANNELS:
        np.testing.assert_array_equal(getattr(carried, name)[:, bones], getattr(take, name))
    assert [name for name, bone in zip(carried.names, bones, strict=True) if bone] == list(take.names)
    assert not carried.movable[~bones].any()


def test_stand_ins_of_plain_children_rest():
    take = random_take()
    carried = carry_by_frames(take, pose_matrices(take))
    offsets = ~np.array([name in take.names for name in carried.names])
    np.testing.assert_allclose(carried.location[:, offsets], 0.0, atol=1e-9)
    np.testing.assert_allclose(np.abs(carried.rotation[:, offsets, 0]), 1.0, atol=1e-9)
    np.testing.assert_allclose(carried.rest[::2], carried.rest[1::2])
    np.testing.assert_allclose(rest_from_parent(carried)[1::2], np.tile(np.eye(4), (BONES, 1, 1)), atol=1e-9)


def test_free_bones_are_aimed_and_others_stay():
    carried = carry_by_frames(random_take(), random_poses())
    other = carry_by_frames(random_take(), random_poses(2))
    free = np.array([name in "abc" for name in carried.names])
    aimed = aim(carried, pose_matrices(other), free)
    np.testing.assert_array_equal(aimed.rotation[:, ~free], carried.rotation[:, ~free])
    np.testing.assert_array_equal(aimed.scale, carried.scale)
    found, wanted = pose_matrices(aimed), pose_matrices(other)
    for entry in np.flatnonzero(free):
        axes = [matrices[:, entry, :3, :3] for matrices in (found, wanted)]
        axes = [each / np.linalg.norm(each, axis=-2, keepdims=True) for each in axes]
        np.testing.assert_allclose(*axes, atol=1e-9)
    movable = free & carried.movable
    np.testing.assert_allclose(found[:, movable, :3, 3], wanted[:, movable, :3, 3], atol=1e-9)
    scaled = aim(carried, wanted, free, free)
    np.testing.assert_allclose(pose_matrices(scaled)[:, movable], wanted[:, movable], atol=1e-9)


def test_nothing_to_aim_changes_nothing():
    carried = carry_by_frames(random_take(), random_poses())
    aimed = aim(carried, pose_matrices(carried), ~find_stand_ins(carried))
    np.testing.assert_allclose(aimed.rotation, carried.rotation, atol=1e-9)
    np.testing.assert_allclose(aimed.location, carried.location, atol=1e-9)
