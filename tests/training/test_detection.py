"""The detection suite counts what it says: labels, thresholds, areas, and the classic detectors beside ours."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("sklearn")

from pads_blender.tasks.scoring import KINDS, THRESHOLDS
from pads_blender.training import bench, detection
from pads_blender.training.detection_damage import CASES

from . import clips


@pytest.fixture(scope="module")
def setup(tmp_path_factory) -> bench.Setup:
    return bench.Setup(clips.write_folder(tmp_path_factory.mktemp("mocap"), frames=(350, 450)))


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_only_what_is_broken_differs_from_the_clip(setup, case):
    clip = setup.rig_clips[0]
    damaged, whole = case.damage(clip, rng()), detection.undamaged(clip)
    assert damaged.broken.any() and not damaged.broken.all()
    if case.kind == "slide":
        return  # the whole body drifts
    same = damaged.motion.positions if damaged.rotation is None else damaged.rotation
    before = whole.motion.positions if damaged.rotation is None else whole.rotation
    changed = np.abs(same - before).max(axis=-1) > 1e-6
    assert not (changed & damaged.counted & ~damaged.broken).any()
    assert (changed & damaged.broken).sum() > 0.5 * damaged.broken.sum()


def test_areas_and_thresholds_are_those_of_a_perfect_and_a_blind_detector():
    broken = np.arange(100) % 4 == 0
    pool = detection.Pool(broken, broken * 2.0 + np.arange(100) / 200.0, np.zeros(100), np.arange(100) // 10)
    assert pool.auroc(pool.ours) == 1.0
    assert pool.auroc(pool.classic) == 0.5
    assert pool.interval() == pytest.approx((1.0, 1.0))
    threshold = detection.best_threshold(broken, pool.ours)
    assert detection.f1(broken, pool.ours, threshold) == 1.0
    assert detection.f1(broken, pool.ours, 10.0) == 0.0


def test_the_constant_channel_test_finds_six_still_frames_and_not_five(setup):
    whole = detection.undamaged(setup.rig_clips[0])
    rotation = whole.rotation.copy()
    rotation[50:57, 0] = rotation[50, 0]
    rotation[80:85, 0] = rotation[80, 0]
    held = detection.classic_scores(replace(whole, rotation=rotation), "frozen")[:, 0]
    assert np.flatnonzero(held).tolist() == list(range(51, 57))


def test_every_case_is_scored_and_clean_clips_last(setup, monkeypatch):
    monkeypatch.setattr(detection, "_RESAMPLES", 10)  # of two clips there are three kinds of draws
    scores = detection.detection(setup)
    assert [s.case for s in scores[: len(CASES)]] == [case.name for case in CASES]
    assert all(s.values["from"] <= s.values["AUROC"] <= s.values["to"] for s in scores[: len(CASES)])
    assert set(scores[-1].values) == set(KINDS) == set(THRESHOLDS)
