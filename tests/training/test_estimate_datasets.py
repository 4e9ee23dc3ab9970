import numpy as np
import pytest

from pads_blender.training import estimate_datasets, evaluate, mpi_inf_3dhp

from .test_human36m import written


def test_h36m_prints_the_table_beside_the_published_rows(tmp_path, capsys):
    folder = written(tmp_path)
    words = ["h36m", "--data", str(folder), "--out", str(tmp_path / "out"), "--detections", "cpn_ft_h36m_dbb"]
    evaluate.main([*words, "--limit", "1"])
    said = capsys.readouterr().out
    assert "S9 Walking 1 camera 1:" in said and "| PADS (paper), ground-truth 2D | 41.5 | 33.1 |" in said
    assert "2D cpn_ft_h36m_dbb" in (tmp_path / "out" / "estimate-h36m.md").read_text()


def test_3dhp_scores_joints_about_the_pelvis():
    rng = np.random.default_rng(0)
    truth = rng.standard_normal((4, 17, 3))
    found = truth + np.array([1.0, 2.0, 3.0])  # the same about the pelvis
    assert estimate_datasets.score_3dhp(found, truth)[1] == 100.0
    found[:, mpi_inf_3dhp.SCORED[0]] += 0.2  # one of 14 joints is 346 mm off
    assert estimate_datasets.score_3dhp(found, truth)[1] == pytest.approx(100.0 * 13 / 14)
    found[:, 0] += 9.0  # the top of the head does not count
    assert estimate_datasets.score_3dhp(found, truth)[1] == pytest.approx(100.0 * 13 / 14)


def test_means_count_frames():
    assert estimate_datasets._weighted([(10.0, 1.0, 1), (40.0, 4.0, 3)]) == pytest.approx((32.5, 3.25))
