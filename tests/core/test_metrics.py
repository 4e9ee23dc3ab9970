"""Metrics against numbers worked out by hand."""

import numpy as np
import pytest

from pads_blender.core import metrics
from pads_blender.core.skeleton import MODEL


def test_mpjpe_is_the_mean_distance_in_millimetres():
    truth = np.zeros((2, 2, 3))
    moved = truth.copy()
    moved[0, 0] = (0.003, 0.004, 0.0)  # 5 mm
    moved[1, 1] = (0.0, 0.0, 0.011)  # 11 mm
    assert metrics.mpjpe(moved, truth) == pytest.approx((5 + 11) / 4)
    assert metrics.mpjpe(moved, truth, np.array([[True, False], [False, True]])) == pytest.approx(8.0)


def test_acceleration_error_is_that_of_the_second_differences():
    frames = np.arange(5.0)[:, None, None]
    still = np.zeros((5, 1, 3))
    falling = still + 0.002 * frames**2 * np.array([0.0, 0.0, 1.0])  # second difference 4 mm in every frame
    assert metrics.acceleration_error(falling, still) == pytest.approx(4.0)
    assert metrics.acceleration_error(still + frames, still) == pytest.approx(0.0, abs=1e-9)


def test_jitter_is_the_third_derivative():
    frames = np.arange(6.0)[:, None, None]
    cubic = frames**3 * np.array([0.001, 0.0, 0.0])  # third difference 6 mm
    assert metrics.jitter(cubic, 10.0) == pytest.approx(0.006 * 1000)


def test_bone_length_drift_is_the_spread_in_time():
    poses = np.tile(MODEL.rest_positions, (2, 1, 1))
    poses[1, MODEL.indices("left_ankle", "left_toe")] += (0.0, 0.0, -0.02)  # the shin 20 mm longer in one of two frames
    assert metrics.bone_length_drift(poses, MODEL.parents) == pytest.approx(10.0 / 21)


def test_bone_length_errors_of_a_stretched_shin():
    pose = MODEL.rest_positions.copy()
    assert metrics.bone_length_errors(pose, MODEL.parents, MODEL.offsets).max() < 1e-9
    pose[MODEL.indices("left_ankle", "left_toe")] += (0.0, 0.0, -0.02)
    errors = metrics.bone_length_errors(pose, MODEL.parents, MODEL.offsets)
    assert errors[MODEL.index("left_ankle") - 1] == pytest.approx(20.0)
    assert np.delete(errors, MODEL.index("left_ankle") - 1).max() < 1e-9


def test_contact_speed_counts_only_what_rests():
    feet = np.zeros((4, 2, 3))
    feet[:, 0, 0] = 0.003 * np.arange(4)  # 3 mm a frame
    feet[:, 1, 1] = np.arange(4.0)  # a leap, not in contact
    feet[:, 0, 2] = np.arange(4.0)  # heights do not count
    resting = np.array([[True, False]] * 4)
    assert metrics.contact_speed(feet, resting, 30.0) == pytest.approx(90.0)
    assert metrics.contact_speed(feet, ~resting & False, 30.0) == 0.0


def test_skate_ratio_counts_frames_in_which_both_feet_slide_low():
    feet = np.zeros((11, 4, 3))
    feet[:, ::2, 2] = 0.08  # ankles
    feet[:, :, 0] = 0.004 * np.arange(11)[:, None]  # 0.12 m/s at 30 frames a second
    assert metrics.skate_ratio(feet, 30.0) == 1.0
    assert metrics.skate_ratio(feet + 5.0, 30.0) == 1.0  # on a roof
    assert metrics.skate_ratio(feet, 20.0) == 0.0  # 0.08 m/s
    one_stands = feet.copy()
    one_stands[6:, 2:, 0] = one_stands[6, 2:, 0]
    assert metrics.skate_ratio(one_stands, 30.0) == pytest.approx(0.6)
    one_is_up = feet.copy()
    one_is_up[:5, :2, 2] += 0.2
    assert metrics.skate_ratio(one_is_up, 30.0) == pytest.approx(0.5)


def test_average_pairwise_distance_of_three_poses():
    poses = np.zeros((3, 2, 3))
    poses[1, 0] = (0.03, 0.04, 0.0)  # 50 mm from the others at one joint of two
    # pairs: 0-1 and 1-2 have 25 mm a joint, 0-2 has none
    assert metrics.average_pairwise_distance(poses) == pytest.approx((25 + 0 + 25) / 3)


def test_precision_and_recall_of_a_line_of_points():
    """Points 0 to 9; the ball of each reaches to its third neighbour: 2 inside, 3 at the ends."""
    real = np.arange(10.0)[:, None]
    assert metrics.precision_recall(real, real) == (1.0, 1.0)
    assert metrics.precision_recall(real + 100.0, real) == (0.0, 0.0)
    half = np.concatenate([np.arange(5.0), np.arange(50.0, 55.0)])[:, None]
    precision, recall = metrics.precision_recall(half, real)
    assert precision == 0.5  # 50 to 54 are far from all
    assert recall == 0.8  # the ball about 4 reaches to 7


def test_l2_positions_is_the_length_of_a_standardised_frame():
    truth = np.zeros((2, 2, 3))
    moved = truth.copy()
    moved[0, 0] = (0.3, 0.0, 0.0)  # 3 spreads of its own
    moved[0, 1] = (0.0, 0.8, 0.0)  # 4 spreads
    spread = np.array([[0.1, 1.0, 1.0], [1.0, 0.2, 1.0]])
    assert metrics.l2_positions(moved, truth, np.ones((2, 3)), spread) == pytest.approx((5.0 + 0.0) / 2)


def test_l2_rotations_is_the_length_of_a_frames_difference_whatever_the_signs():
    truth = np.zeros((1, 2, 2, 4))
    truth[..., 0] = 1.0
    turned = -truth
    assert metrics.l2_rotations(turned, truth) == 0.0
    half = np.radians(60.0) / 2
    turned[0, 0, :] = (np.cos(half), np.sin(half), 0.0, 0.0)  # chord 2 sin(15 degrees) at both joints of one frame
    assert metrics.l2_rotations(turned, truth) == pytest.approx(np.sqrt(2) * 2 * np.sin(np.radians(15)) / 2)


def test_npss_of_single_waves():
    """Eight frames: a cosine of frequency 1 has half its power in bin 1 and half in 7; of frequency 2, in 2 and 6."""
    frames = np.arange(8)
    slow, quick = (np.cos(2 * np.pi * k * frames / 8)[None, :, None] for k in (1, 2))
    assert metrics.npss(slow, slow) == pytest.approx(0.0, abs=1e-12)
    # running sums differ by a half in bin 1 and in bin 6
    assert metrics.npss(quick, slow) == pytest.approx(1.0)
    assert metrics.npss(3.0 * slow, slow) == pytest.approx(0.0, abs=1e-12)  # how much is not asked, only how quick


def test_npss_weighs_channels_by_their_true_power():
    frames = np.arange(8)
    slow, quick = (np.cos(2 * np.pi * k * frames / 8) for k in (1, 2))
    truth = np.stack([slow, 2.0 * slow], axis=-1)[None]
    wrong_small, wrong_large = np.stack([quick, slow], axis=-1)[None], np.stack([slow, quick], axis=-1)[None]
    assert metrics.npss(wrong_small, truth) == pytest.approx(1.0 / 5.0)
    assert metrics.npss(wrong_large, truth) == pytest.approx(4.0 / 5.0)
