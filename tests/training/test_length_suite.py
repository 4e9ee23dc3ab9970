"""The benchmark of long takes: each length measured in its own process, memory counted beside the result's arrays."""

import numpy as np
import pytest

pytest.importorskip("scipy")
pytest.importorskip("resource", reason="Windows does not say how much memory was used")

from pads_blender.training import data, length_suite
from pads_blender.training.bench import Setup

from .clips import write_folder


def test_every_length_is_measured_in_a_process_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(length_suite, "LENGTHS", (200, 400))
    scores = length_suite.length(Setup(write_folder(tmp_path)))
    assert [score.case for score in scores] == ["200 frames", "400 frames"]
    small, large = (score.values for score in scores)
    assert large["MB of the result"] == pytest.approx(2.0 * small["MB of the result"])
    assert all(score.values["frames a second"] > 0 and 0 < score.values["MB besides"] < 500 for score in scores)


def test_idle_bones_rest_and_the_others_stay(tmp_path):
    take = data.load_rig_clips(write_folder(tmp_path) / "dev" / "cmu_900.npz")[0].take
    larger, own = length_suite.with_idle_bones(take, 60), len(take.names)
    assert len(larger.names) == len(larger.parents) == len(larger.rest) == larger.rotation.shape[1] == 60
    np.testing.assert_array_equal(larger.rotation[:, :own], take.rotation)
    assert (larger.rotation[:, own:] == [1.0, 0.0, 0.0, 0.0]).all() and (larger.scale[:, own:] == 1.0).all()
