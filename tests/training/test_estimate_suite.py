import numpy as np
import pytest

from pads_blender.core.keypoints import HUMAN36M_17
from pads_blender.diffusion.prior import load_prior
from pads_blender.tasks import estimate_poses, estimate_takes
from pads_blender.training import estimate_rivals, estimate_suite, estimate_tuning
from pads_blender.training.bench import Setup
from pads_blender.training.synthetic_cameras import EXACT, NOISY, Detector, draw_camera, film

from ..tasks.walks import walk
from .clips import write_folder

WALK = walk(steps=4).positions


def test_cameras_come_from_the_stated_distribution():
    middle = WALK.mean(axis=(0, 1))
    for seed in range(20):
        camera = draw_camera(WALK, np.random.default_rng(seed))
        assert 700.0 <= camera.focal <= 1400.0
        assert 2.0 <= np.linalg.norm((camera.centre - middle)[:2]) <= 6.0 and 0.5 <= camera.centre[2] <= 2.5
        assert camera.project(np.tile(middle, (1, 1, 1)))[0, 0] == pytest.approx([500.0, 500.0], abs=1e-6)
    one, other = (draw_camera(WALK, np.random.default_rng(s)) for s in (0, 1))
    assert not np.allclose(one.centre, other.centre)


def test_the_detector_errs_as_stated():
    frames = np.tile(WALK, (8, 1, 1))
    camera = draw_camera(frames, np.random.default_rng(0))
    exact = film(frames, camera, EXACT, np.random.default_rng(1)).keypoints
    noisy = film(frames, camera, Detector(5.0, 0.1), np.random.default_rng(1)).keypoints
    assert exact.confidence.min() == 1.0
    assert (noisy.points - exact.points).std() == pytest.approx(5.0, rel=0.05)
    assert (noisy.confidence == 0.0).mean() == pytest.approx(0.1, abs=0.015)
    swapped = film(frames, camera, Detector(swaps=0.02), np.random.default_rng(1)).keypoints
    moved = np.linalg.norm(swapped.points - exact.points, axis=-1) > 1e-9
    for limb in HUMAN36M_17.groups:
        assert moved[:, limb].any(axis=1).mean() == pytest.approx(0.02, abs=0.012)
        assert (moved[:, limb].all(axis=1) == moved[:, limb].any(axis=1)).all()


def test_zedo_like_fits_the_keypoints():
    few = WALK[:4]
    shot = film(few, draw_camera(few, np.random.default_rng(2)), EXACT, np.random.default_rng(0))
    filmed = estimate_rivals.Filmed.of(shot)
    found = estimate_rivals.zedo_like(filmed, load_prior("pose", threads=1), estimate_rivals.Zedo(steps=6))
    points = shot.camera.project(np.einsum("kj,fja->fka", HUMAN36M_17.joints, found))
    assert np.linalg.norm(points - shot.keypoints.points, axis=-1).mean() < 60.0


def test_smoothing_is_the_best_of_its_widths():
    noisy = WALK + 0.05 * np.random.default_rng(0).standard_normal(WALK.shape)
    found = estimate_rivals.smoothed(noisy, lambda x: float(np.linalg.norm(x - WALK, axis=-1).mean()))
    assert np.linalg.norm(found - WALK, axis=-1).mean() < 0.7 * np.linalg.norm(noisy - WALK, axis=-1).mean()


def test_the_suite_scores_every_method_under_every_case(tmp_path, monkeypatch):
    monkeypatch.setattr(estimate_suite, "SEGMENT_FRAMES", 16)
    monkeypatch.setattr(estimate_poses, "DEFAULT_STEPS", {"dps": 2, "prox": 2})
    monkeypatch.setattr(estimate_takes, "DEFAULT_STEPS", 2)
    monkeypatch.setattr(estimate_suite, "mixture_prior", lambda folder: None)
    monkeypatch.setattr(estimate_rivals, "mixture", lambda filmed, prior: np.zeros((8, 22, 3)))
    setup = Setup(write_folder(tmp_path), limit=1)
    (score,) = estimate_suite.estimate(setup, [estimate_suite.Case("noisy", NOISY, False)])
    assert set(score.values) == {
        "PADS", estimate_rivals.DPS, estimate_rivals.CONSTANT, estimate_rivals.ZEDO, estimate_rivals.MIXTURE,
        estimate_rivals.SMOOTHED, estimate_rivals.PROX,
    }  # fmt: skip
    assert all(np.isfinite(list(m.values())).all() for m in score.measures.values())


def test_rivals_get_some_frames_of_the_whole_takes_start_and_noise():
    seen = estimate_suite.see(WALK, estimate_suite.Case("noisy", NOISY, True), 0, 0)
    every = estimate_rivals.Filmed.of(seen.shot, WALK[:, 0])
    assert np.array_equal(seen.frames.start, every.start[:: estimate_suite.RIVAL_STRIDE])
    assert np.array_equal(seen.frames.view.sigma, every.view.sigma[:: estimate_suite.RIVAL_STRIDE])
    assert np.array_equal(seen.frames.pelvis, WALK[:: estimate_suite.RIVAL_STRIDE, 0])


def test_few_and_many_steps_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(estimate_suite, "SEGMENT_FRAMES", 16)
    monkeypatch.setattr(estimate_poses, "DEFAULT_STEPS", {"dps": 3})
    monkeypatch.setattr(estimate_suite, "SHORT_DPS", 1)
    monkeypatch.setattr(estimate_suite, "LONG_DPS", 4)
    monkeypatch.setattr(estimate_suite, "LONG_PADS", 13)
    (score,) = estimate_suite.equal_seconds(Setup(write_folder(tmp_path), limit=1))
    assert list(score.values) == [
        "PADS",
        "PADS, 13 steps",
        "DPS, constant rho, 1 steps",
        "DPS, 3 steps",
        "DPS, 4 steps",
    ]
    assert len(set(score.values.values())) == 5


def test_settings_are_tried_on_validation_takes_each_by_its_name(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(estimate_suite, "SEGMENT_FRAMES", 16)
    monkeypatch.setattr(estimate_tuning, "RHOS", (0.25, 0.5))
    monkeypatch.setattr(estimate_poses, "DEFAULT_STEPS", {"dps": 2})
    monkeypatch.setattr("sys.argv", ["tuning", "--data", str(write_folder(tmp_path)), "--what", "rho", "--limit", "1"])
    estimate_tuning.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [["rho", "rho 0.25"], ["rho", "rho 0.5"]]
    assert all(0.0 < float(line.split()[-2]) < 1e4 for line in lines)
