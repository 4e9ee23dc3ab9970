"""RigTake's forward kinematics against hand-made rigs; tests/blender compares it with Blender itself."""

from dataclasses import replace

import numpy as np

from pads_blender.core.rig import (
    RigTake,
    basis_matrices,
    carriers,
    carry_travel,
    find_changes,
    pose_matrices,
    rest_from_parent,
    world_matrices,
)


def chain(frames: int = 3, bones: int = 3) -> RigTake:
    """Bones up the Z axis, 1 m apart, bone Y axis pointing up as in Blender."""
    rest = np.tile(np.eye(4), (bones, 1, 1))
    rest[:, :3, :3] = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]
    rest[:, 2, 3] = np.arange(bones)
    return RigTake(
        names=tuple(f"bone{i}" for i in range(bones)),
        parents=np.arange(bones) - 1,
        rest=rest,
        location=np.zeros((frames, bones, 3)),
        rotation=np.tile([1.0, 0, 0, 0], (frames, bones, 1)),
        scale=np.ones((frames, bones, 3)),
        world_from_armature=np.eye(4),
        frames=np.arange(1.0, frames + 1),
        fps=30.0,
    )


def with_rotation(take: RigTake, bone: int, quaternion: list[float]) -> RigTake:
    rotation = take.rotation.copy()
    rotation[:, bone] = quaternion
    return replace(take, rotation=rotation)


def test_rest_pose_without_motion():
    take = chain()
    np.testing.assert_allclose(pose_matrices(take), np.tile(take.rest, (3, 1, 1, 1)), atol=1e-15)
    assert np.allclose(rest_from_parent(take)[1:, :3, 3], [0, 1, 0])


def test_quarter_turn_lays_the_chain_down():
    take = with_rotation(chain(), 0, [np.sqrt(0.5), np.sqrt(0.5), 0, 0])  # +90 degrees about the bone's x = world x
    heads = pose_matrices(take)[..., :3, 3]
    np.testing.assert_allclose(heads[0], [[0, 0, 0], [0, -1, 0], [0, -2, 0]], atol=1e-12)


def test_unnormalised_quaternion_is_a_rotation():
    take = with_rotation(chain(), 0, [3.0, 3.0, 0, 0])
    np.testing.assert_allclose(np.linalg.det(pose_matrices(take)[..., :3, :3]), 1.0, atol=1e-12)


def test_scale_and_location_act_in_bone_space_and_are_inherited():
    take = chain()
    location, scale = take.location.copy(), take.scale.copy()
    location[:, 0, 1] = 0.5  # along the bone, world up
    scale[:, 0] = 2.0
    take = replace(take, location=location, scale=scale)
    np.testing.assert_allclose(pose_matrices(take)[0, :, 2, 3], [0.5, 2.5, 4.5])
    np.testing.assert_allclose(basis_matrices(take)[0, 0, :3, :3], 2 * np.eye(3))


def test_some_bones_are_posed_without_the_rest():
    """Two branches on one root, posed at random: each subset, in any order, as in the whole."""
    rng, take = np.random.default_rng(0), chain(frames=4, bones=6)
    take = replace(take, parents=np.array([-1, 0, 1, 0, 3, 4]), rotation=rng.normal(size=take.rotation.shape))
    for bones in ([5, 1], [2], [0, 4, 3, 2]):
        np.testing.assert_array_equal(world_matrices(take, np.array(bones)), world_matrices(take)[:, bones])
    np.testing.assert_array_equal(carriers(take.parents, np.array([4, -1])), [True, False, False, True, True, False])


def test_world_matrices_apply_the_object_transform():
    take = chain()
    world_from_armature = np.diag([0.01, 0.01, 0.01, 1.0])
    world_from_armature[:3, 3] = [1, 2, 3]
    take = replace(take, world_from_armature=world_from_armature)
    np.testing.assert_allclose(world_matrices(take)[0, 2, :3, 3], [1, 2, 3.02])


def test_changes_are_found_where_they_are():
    take = chain()
    rotation, location = take.rotation.copy(), take.location.copy()
    rotation[1, 2] = [1, 1e-5, 0, 0]
    rotation[2, 1] *= -1.0  # the same rotation
    location[0, 0, 2] = 1e-3
    changes = find_changes(take, replace(take, rotation=rotation, location=location))
    assert np.argwhere(changes.rotation).tolist() == [[1, 2]]
    assert np.argwhere(changes.location).tolist() == [[0, 0]]


def moved_hips(movable: list[bool]) -> tuple[RigTake, RigTake]:
    """A chain whose root turns and leans, and the same with its last bone moved."""
    turns = np.array([[1, 0.1, 0.2, 0.3], [1, -0.4, 0, 0], [1, 0, 0, 0.5]])
    take = chain()
    rotation = take.rotation.copy()
    rotation[:, 0] = turns / np.linalg.norm(turns, axis=1, keepdims=True)
    rotation[:, 1] = rotation[::-1, 0]
    take = replace(take, rotation=rotation, scale=np.full_like(take.scale, 1.1), movable=np.array(movable))
    location = take.location.copy()
    location[:, 2] = [[0.1, 0.2, 0.3], [0, 0, 0], [0.3, -0.1, 0]]
    return take, replace(take, location=location)


def test_travel_goes_to_the_bone_that_may_carry_it():
    before, after = moved_hips([False, True, False])
    carried = carry_travel(before, after)
    assert np.argwhere(find_changes(before, carried).location.any(axis=0)).tolist() == [[1]]
    np.testing.assert_allclose(pose_matrices(carried)[:, 2], pose_matrices(after)[:, 2], atol=1e-12)
    assert not find_changes(before, carried).location[1].any()


def test_travel_stays_where_it_may_be_and_is_dropped_where_nothing_may_carry_it():
    before, after = moved_hips([True, True, True])
    np.testing.assert_array_equal(carry_travel(before, after).location, after.location)
    before, after = moved_hips([False, False, False])
    np.testing.assert_array_equal(carry_travel(before, after).location, before.location)
