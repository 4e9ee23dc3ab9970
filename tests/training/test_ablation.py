"""The ablation on made-up clips: its fairness between window lengths, its variants, its table, and that it goes on."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pads_blender.core.skeleton import MODEL

torch = pytest.importorskip("torch", reason="torch is not installed for this Python: it is only pinned for 3.11")

from pads_blender.training import ablation, objectives  # noqa: E402
from pads_blender.training import ablation_variants as variants  # noqa: E402
from pads_blender.training.network import NetworkSettings  # noqa: E402

from .clips import write_folder  # noqa: E402

TINY = NetworkSettings(width=16, layers=1, heads=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = write_folder(tmp_path_factory.mktemp("mocap"), (200, 300))
    shutil.copy(folder / "dev/cmu_900.npz", folder / "train/cmu_901.npz")
    return folder


@pytest.fixture(scope="module")
def truth(folder: Path) -> np.ndarray:
    return objectives.validation_windows(folder, "validation", ablation.PIECE)


def small(variant: variants.Variant) -> variants.Variant:
    return replace(variant, network=replace(TINY, frames=variant.network.frames), batch=4)


@pytest.mark.parametrize("variant", [variants.BASE, *variants.VARIANTS], ids=lambda variant: variant.name)
def test_untrained_every_variant_answers_with_exact_measurements(folder, truth, variant):
    """Whatever a variant feeds the network, and however long its windows, out come positions as exact as the input."""
    objective = variant.objective(folder, replace(TINY, frames=variant.network.frames), 4)
    answer = ablation.denoise_pieces(objective, truth, np.full(truth.shape[:3], 1e-4, np.float32))
    np.testing.assert_allclose(answer[:, ablation.MEASURED], truth[:, ablation.MEASURED], atol=1e-4)


def test_gaps_are_measured_where_joints_are_hidden_only(truth):
    case = {case.name: case for case in ablation.make_cases(truth)}["arm 30"]
    assert np.isinf(case.sigma).sum() == len(truth) * 30 * 2
    far_off_elsewhere = np.where(np.isinf(case.sigma)[..., None], truth + 0.01, truth + 9.0)
    assert case.error(far_off_elsewhere, truth) == pytest.approx(10.0 * np.sqrt(3), rel=1e-3)


@pytest.mark.parametrize("kind", [variants.Postures, variants.Recombined])
def test_augmented_bodies_keep_their_bones_and_the_rest_of_the_body(folder, kind):
    plain, known = objectives.WindowObjective(folder, TINY, 16).windows(np.random.default_rng(0), 16)
    changed, also_known = kind(folder, TINY, 16).windows(np.random.default_rng(0), 16)
    moved = np.linalg.norm(changed - plain, axis=-1).max(axis=1) > 1e-3
    assert 0 < moved.any(axis=1).sum() < 16
    assert {MODEL.names[j] for j in np.flatnonzero(moved.any(axis=0))} <= {
        "head", "head_top", "left_elbow", "left_wrist", "right_elbow", "right_wrist",
    }  # fmt: skip
    lengths = np.linalg.norm(changed[:, :, 1:] - changed[:, :, list(MODEL.parents[1:])], axis=-1)
    expected = np.broadcast_to(np.linalg.norm(MODEL.offsets[1:], axis=-1), lengths.shape)
    np.testing.assert_allclose(lengths, expected, atol=2e-3)  # between frames, positions are interpolated linearly
    assert np.array_equal(known, also_known)


def test_the_table_has_the_base_first_and_a_second_run_trains_nothing(folder, tmp_path, monkeypatch):
    chosen = [v for v in variants.VARIANTS if v.name in ("AdamW alone", "windows of 32 frames")]
    monkeypatch.setattr(ablation, "BASE", small(variants.BASE))
    rows = ablation.study(folder, tmp_path, 3, tuple(map(small, chosen))).splitlines()
    assert [row.split("|")[1].strip() for row in rows if row.startswith("|")] == [
        "mm", "---", "**as chosen**", "its seeds, standard deviation",
        "windows of 32 frames", "AdamW alone", "what the network is given",
    ]  # fmt: skip
    monkeypatch.setattr(objectives.WindowObjective, "loss", lambda *_: pytest.fail("trained again"))
    assert ablation.study(folder, tmp_path, 3, tuple(map(small, chosen))).splitlines() == rows


def test_a_difference_counts_against_the_spread_of_the_seeds():
    bases = [{"noise": value, "CPU seconds": 1.0} for value in (9.9, 10.0, 10.1)]
    text = ablation.markdown({"noise": 30.0}, bases, {"far": bases[0] | {"noise": 11.0}, "near": bases[0]}, 5, 7)
    assert "| **11.0 (+10.0 %)** |" in text and "| 9.9 (-1.0 %) |" in text and "| 1.0 % |" in text
