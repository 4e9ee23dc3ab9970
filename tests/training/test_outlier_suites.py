"""Joints far off or never seen: the damage is as stated, the fills do what they say, the mixture is a prior."""

import numpy as np
import pytest

pytest.importorskip("scipy")
pytest.importorskip("sklearn")

from pads_blender.core import metrics
from pads_blender.core.heading import turned
from pads_blender.core.motion import Motion
from pads_blender.core.skeleton import JOINTS, MODEL
from pads_blender.tasks.clean import CleanSettings, clean_motion
from pads_blender.training import baselines, bench, data, mixture_prior, noise_suites, outlier_suites
from pads_blender.training.scores import OURS, RAW

from . import clips
from .test_evaluate import SlowMotion


class Setup(bench.Setup):
    """The real setup with a prior whose answers are known."""

    def open_prior(self, threads=None) -> SlowMotion:
        return SlowMotion()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = clips.write_folder(tmp_path_factory.mktemp("mocap"))
    (folder / "train" / "cmu_901.npz").write_bytes((folder / "dev" / "cmu_900.npz").read_bytes())
    return folder


@pytest.fixture(scope="module")
def fitted(folder):
    return mixture_prior.mixture_prior(folder, 1)


def truth_of(folder) -> np.ndarray:
    return data.load_split(folder, "dev")[0].positions.astype(float)


def test_broken_segments_are_noisy_shifted_and_gapped(folder):
    (segment,) = bench.Setup(folder, limit=1).segments(90)
    motion = outlier_suites.broken(segment, 0)
    away = np.linalg.norm(motion.positions - segment.positions, axis=-1)
    assert (~motion.visible).mean() == pytest.approx(0.1, abs=0.02)
    assert (away > 0.06).mean() == pytest.approx(0.1, abs=0.02)  # beyond three deviations of the noise
    assert np.sqrt(np.mean(away[away < 0.06] ** 2)) == pytest.approx(0.01 * np.sqrt(3), rel=0.05)
    assert motion.noise is None  # to be estimated


def test_outliers_are_measured_against_hampel_at_its_best(folder):
    for each in outlier_suites.outliers(Setup(folder, limit=1)):
        values = each.values
        assert values[outlier_suites.HAMPEL] < 0.6 * values[RAW]
        assert values[outlier_suites.HAMPEL] <= values[outlier_suites.ONCE]
        assert set(each.chosen) == {outlier_suites.HAMPEL, outlier_suites.LOW_RANK, outlier_suites.ONCE}
        assert each.measures["jerk, m/s^3"][RAW] > each.measures["jerk, m/s^3"][outlier_suites.HAMPEL]


def test_hidden_limbs_are_told_by_the_training_poses(folder, monkeypatch):
    """In these clips, which are the training clips too, regression beats what knows nothing of the pose."""
    real = mixture_prior.mixture_prior
    monkeypatch.setattr(outlier_suites, "mixture_prior", lambda data, components=2: real(data, min(components, 2)))
    scores = {s.case: s for s in outlier_suites.hidden(Setup(folder, limit=1))}
    arm = scores["left arm"]
    assert arm.values[outlier_suites.REGRESSION] < 0.8 * arm.values[outlier_suites.REST]
    assert arm.values[outlier_suites.FILL] == min(
        arm.values[m] for m in (outlier_suites.REST, outlier_suites.POSTURE, outlier_suites.REGRESSION)
    )
    seen = {case: s.measures["MPJPE of what is seen, mm"][outlier_suites.REST] for case, s in scores.items()}
    assert seen["left arm"] == 0.0 < seen["both legs, 20 mm of noise"] < 20 * np.sqrt(8 / np.pi)
    every = arm.measures["MPJPE of all, mm"]
    assert every[outlier_suites.REST] == pytest.approx(arm.values[outlier_suites.REST] * 2 / len(JOINTS))
    assert every[OURS] > 0.0


def test_hidden_joints_hang_by_the_mean_offset(folder):
    truth = truth_of(folder)
    visible = np.ones(truth.shape[:2], bool)
    lost = MODEL.indices("left_elbow", "left_wrist")
    visible[:, lost] = False
    offsets = np.tile(MODEL.offsets, (len(truth), 1, 1))
    hung = outlier_suites._hung(truth, visible, offsets)
    shoulder = truth[:, MODEL.index("left_shoulder")]
    assert np.allclose(hung[:, lost[1]], shoulder + MODEL.offsets[lost].sum(axis=0))
    assert np.array_equal(hung[visible], truth[visible])


def test_the_mixture_takes_noise_off_whatever_the_heading(folder, fitted):
    truth = truth_of(folder)
    relative = truth - truth[:, :1]
    noisy = relative + 0.03 * np.random.default_rng(0).standard_normal(relative.shape)
    away = turned(noisy, np.full(len(noisy), 2.0))
    denoised = fitted.denoise(noisy, 0.03)
    assert metrics.mpjpe(denoised[:, 1:], relative[:, 1:]) < 0.92 * metrics.mpjpe(noisy[:, 1:], relative[:, 1:])
    assert np.abs(fitted.denoise(away, 0.03) - turned(denoised, np.full(len(noisy), 2.0))).max() < 1e-9
    assert not denoised[:, 0].any()


def test_the_mixture_tells_a_hidden_limb_from_the_others(folder, fitted):
    truth = truth_of(folder)
    motion = Motion(truth, np.ones(truth.shape[:2], bool), 30.0).hide(MODEL.indices("left_knee", "left_ankle"))
    filled = fitted.fill(np.where(motion.visible[..., None], truth, 7.0), motion.visible, 0.0)
    assert metrics.mpjpe(filled, truth, motion.visible) < 3.0
    knee = ~motion.visible
    assert metrics.mpjpe(filled, truth, knee) < 0.5 * metrics.mpjpe(fitted.mean_pose(truth) + truth[:, :1], truth, knee)


def test_the_mixture_is_a_prior_for_the_sampler(folder, fitted):
    truth = truth_of(folder)
    noisy = truth + 0.03 * np.random.default_rng(0).standard_normal(truth.shape)
    cleaned = clean_motion(Motion(noisy, np.ones(truth.shape[:2], bool), 30.0), CleanSettings(), fitted).positions
    assert metrics.mpjpe(cleaned, truth) < 0.5 * metrics.mpjpe(noisy, truth)


def test_priors_are_compared_on_the_same_noise(folder, fitted, monkeypatch):
    monkeypatch.setattr(noise_suites, "mixture_prior", lambda data: fitted)
    monkeypatch.setattr(noise_suites, "load_prior", lambda kind, models: SlowMotion())
    scores = noise_suites.priors(Setup(folder, limit=1))
    assert [s.case for s in scores] == ["20 mm", "40 mm", "100 mm"]
    for each in scores:
        assert each.values[noise_suites.POSE] == each.values[OURS] < each.values[RAW]  # one prior under two names
        assert each.values[noise_suites.MIXTURE] < 0.6 * each.values[RAW]


def test_low_rank_answers_for_what_hampel_takes_out(folder):
    (segment,) = bench.Setup(folder, limit=1).segments(90)
    motion, truth = outlier_suites.broken(segment, 0), segment.positions.astype(float)
    errors = outlier_suites._low_rank_sweep(motion, truth)
    assert {int(name.split("rank ")[1].split(",")[0]) for name in errors} == set(baselines.RANKS)
    assert min(errors.values()) < 0.5 * metrics.mpjpe(motion.positions, truth)
