import numpy as np
import pytest

from pads_blender.core import rotations as rot
from pads_blender.training import pose_metrics

TRUTH = np.array([[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]])


def test_mpjpe_puts_the_roots_together():
    found = TRUTH + np.array([5.0, 0.0, 0.0])
    assert pose_metrics.root_mpjpe(found, TRUTH) == 0.0
    found = TRUTH.copy()
    found[0, 1] += [0.030, 0.040, 0.0]  # 50 mm on one of four joints
    assert pose_metrics.root_mpjpe(found, TRUTH) == pytest.approx(12.5)
    found[0, 0] += [0.0, 0.0, 0.010]  # the root itself: 10 mm on all of the others, 51 mm on the one
    assert pose_metrics.root_mpjpe(found, TRUTH) == pytest.approx((0 + np.sqrt(30**2 + 40**2 + 10**2) + 10 + 10) / 4)


def test_procrustes_takes_out_a_similarity_but_no_mirror():
    turn = rot.from_rotation_vector(np.array([0.3, -0.8, 0.5]))
    moved = 2.5 * rot.rotate(turn, TRUTH) + np.array([1.0, 2.0, 3.0])
    assert pose_metrics.pa_mpjpe(moved, TRUTH) == pytest.approx(0.0, abs=1e-9)
    mirrored = TRUTH * np.array([-1.0, 1.0, 1.0])
    assert pose_metrics.pa_mpjpe(mirrored, TRUTH) > 100.0


def test_procrustes_of_a_hand_worked_stretch():
    # a segment of 1 m and of 2 m about their middles: the best scale is 1/2 and nothing is left
    short, long = np.array([[[-0.5, 0, 0], [0.5, 0, 0]]]), np.array([[[-1.0, 0, 0], [1.0, 0, 0]]])
    assert pose_metrics.procrustes(long, short) == pytest.approx(short)
    # three points in a line at -1, 0, 1 against -1, 0.3, 0.7: scale 1.7 / 2, so 0.85, and offsets 0.15, 0.3, 0.15
    line, bent = np.zeros((1, 3, 3)), np.zeros((1, 3, 3))
    line[0, :, 0], bent[0, :, 0] = [-1.0, 0.0, 1.0], [-1.0, 0.3, 0.7]
    assert pose_metrics.pa_mpjpe(line, bent) == pytest.approx(1000.0 * (0.15 + 0.3 + 0.15) / 3)


def test_pck_counts_joints_within_150_mm():
    found = TRUTH.copy()
    found[0, 1] += [0.149, 0.0, 0.0]
    found[0, 2] += [0.0, 0.151, 0.0]
    assert pose_metrics.pck(found, TRUTH) == pytest.approx(75.0)


def test_auc_of_a_hand_worked_error():
    found = TRUTH.copy()
    found[0, 1:] += [0.0, 0.0, 0.0525]  # past 11 of 31 thresholds (0 to 50 mm); the root only past the first
    share = (30 * 25.0 + 20 * 75.0) / 31
    assert pose_metrics.auc(found, TRUTH) == pytest.approx(share)
