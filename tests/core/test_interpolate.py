"""The classical fill: exact where seen, straight where hidden, on the model's bone lengths."""

import numpy as np

from pads_blender.core import rotations as rot
from pads_blender.core.interpolate import bracket, fill_hidden, interpolate_hidden
from pads_blender.core.metrics import bone_length_errors
from pads_blender.core.skeleton import MODEL

ARM = MODEL.indices("left_elbow", "left_wrist")


def turning_body(frames: int, turn_radians: float) -> np.ndarray:
    """The rest pose walking ahead and turning about the vertical, (F, J, 3)."""
    t = np.linspace(0.0, 1.0, frames)
    yaw = rot.from_rotation_vector(np.stack([0 * t, 0 * t, turn_radians * t], axis=-1))
    return rot.rotate(yaw[:, None], MODEL.rest_positions) + np.stack([t, 2 * t, 0 * t + 0.9], axis=-1)[:, None]


def test_bracket_names_the_nearest_visible_frames():
    visible = np.array([[0], [1], [0], [0], [1], [0]], bool)
    before, after = bracket(visible)
    assert before[:, 0].tolist() == [-1, 1, 1, 1, 4, 4]
    assert after[:, 0].tolist() == [1, 1, 4, 4, 4, 6]


def test_hidden_values_are_linear_between_and_held_at_the_ends():
    values = np.array([9.0, 1.0, 9.0, 9.0, 4.0, 9.0])[:, None, None]
    visible = np.array([0, 1, 0, 0, 1, 0], bool)[:, None]
    np.testing.assert_allclose(interpolate_hidden(values, visible)[:, 0, 0], [1, 1, 2, 3, 4, 4])


def test_values_that_are_never_seen_stay():
    values = np.random.default_rng(0).standard_normal((4, 2, 3))
    assert np.array_equal(interpolate_hidden(values, np.zeros((4, 2), bool)), values)


def test_a_hidden_arm_turns_with_the_body():
    truth = turning_body(40, np.radians(170.0))
    visible = np.ones(truth.shape[:2], bool)
    visible[8:32, ARM] = False
    broken = np.where(visible[..., None], truth, 77.0)
    filled = fill_hidden(broken, visible)
    np.testing.assert_allclose(filled, truth, atol=1e-9)
    assert np.array_equal(broken[10, ARM], np.full((2, 3), 77.0))  # the input is not touched


def test_bones_keep_the_models_length_in_a_gap():
    rng = np.random.default_rng(0)
    x = turning_body(30, 0.5) + 0.1 * rng.standard_normal((30, 1, 3))
    x[20:, ARM] += [0.3, 0.2, 0.1]
    visible = np.ones(x.shape[:2], bool)
    visible[5:25, ARM] = False
    filled = fill_hidden(x, visible)
    length = np.linalg.norm(filled[5:25, ARM[1]] - filled[5:25, ARM[0]], axis=-1)
    np.testing.assert_allclose(length, np.linalg.norm(MODEL.offsets[ARM[1]]), atol=1e-9)


def test_a_body_that_is_never_seen_stands_with_its_arms_down():
    filled = fill_hidden(np.zeros((3, len(MODEL), 3)), np.zeros((3, len(MODEL)), bool))
    arms = MODEL.indices("left_elbow", "left_wrist", "right_elbow", "right_wrist")
    others = [joint for joint in range(len(MODEL)) if joint not in arms]
    np.testing.assert_allclose(filled[:, others], np.tile(MODEL.rest_positions[others], (3, 1, 1)), atol=1e-12)
    np.testing.assert_allclose(bone_length_errors(filled, MODEL.parents, MODEL.offsets), 0.0, atol=3.0)  # mm
    left, right = filled[:, arms[:2]], filled[:, arms[2:]]
    np.testing.assert_allclose(left, right * [-1.0, 1.0, 1.0], atol=1e-12)
    assert (left[..., 2] < MODEL.rest_positions[MODEL.index("left_shoulder"), 2] - 0.2).all()
