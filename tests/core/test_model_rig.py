import numpy as np
import pytest

from pads_blender.core.mapping_guess import guess_mapping
from pads_blender.core.model_rig import BONES, MAPPING, bone_vector, model_take
from pads_blender.core.retarget import apply_motion, rig_positions, to_model
from pads_blender.core.rig import world_matrices
from pads_blender.core.skeleton import MODEL


@pytest.mark.parametrize("scale", [1.0, 1.3])
def test_it_is_the_model_on_the_floor(scale):
    take = model_take(scale, np.arange(3.0), 30.0)
    heads = world_matrices(take)[0, :, :3, 3]
    assert heads[:, 2].min() == pytest.approx(0.0, abs=1e-9)
    motion, residual = to_model(take, MAPPING)
    assert residual.scale == pytest.approx(1.0 / scale)
    shift = np.array([0.0, 0.0, -MODEL.rest_positions[:, 2].min()])
    assert motion.positions[0] == pytest.approx(MODEL.rest_positions + shift, abs=1e-6)


def test_bones_point_at_the_next_joint_and_turn_no_hand_over():
    take = model_take(1.0, np.arange(1.0), 30.0)
    for name, rest in zip(BONES, take.rest, strict=True):
        assert np.linalg.det(rest[:3, :3]) == pytest.approx(1.0)
        along = bone_vector(name)
        assert rest[:3, 1] == pytest.approx(along / np.linalg.norm(along))


def test_a_pose_of_the_model_is_taken_on():
    take = model_take(1.2, np.arange(4.0), 30.0)
    motion, residual = to_model(take, MAPPING)
    moved = motion.positions.copy()
    wrist, elbow = MODEL.indices("left_wrist", "left_elbow")
    moved[:, wrist] = moved[:, elbow] + np.linalg.norm(MODEL.offsets[wrist]) * np.array([0.0, -1.0, 0.0])
    moved = moved + np.array([0.5, -1.0, 0.2])
    found = rig_positions(residual, apply_motion(residual, moved))
    assert found[:, wrist] == pytest.approx(moved[:, wrist], abs=1e-6)
    assert found[:, 0] == pytest.approx(moved[:, 0], abs=1e-6)


def test_its_names_are_recognised_without_the_stored_mapping():
    take = model_take(1.0, np.arange(1.0), 30.0)
    heads = take.rest[:, :3, 3]
    tails = heads + np.array([bone_vector(name) for name in BONES])
    guessed = guess_mapping(BONES, take.parents.tolist(), heads, tails)
    assert {joint: guessed.bone(joint) for joint in MODEL.names if MAPPING.bone(joint)} == {
        name: name for name in BONES
    }
