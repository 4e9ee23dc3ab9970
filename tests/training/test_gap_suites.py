"""Gaps and in-betweens are measured as they say: fills with known answers, pieces that lie in clips, nothing leaks."""

import shutil

import numpy as np
import pytest

pytest.importorskip("scipy")

from pads_blender.core import rotations as rot
from pads_blender.core.skeleton import MODEL
from pads_blender.training import bench, gap_baselines, gap_study, gap_suites, inbetween_suites, scores, suites

from . import clips
from .test_evaluate import Setup

FRAMES = 200


@pytest.fixture(scope="module")
def setup(tmp_path_factory) -> Setup:
    """Two long clips, and for the spread a training subject."""
    folder = clips.write_folder(tmp_path_factory.mktemp("gaps"), (FRAMES, 100))
    shutil.copy(folder / "dev/cmu_900.npz", folder / "train/cmu_901.npz")
    return Setup(folder, seeds=2)


def gap(shape: tuple[int, int], rows: slice, joints: list[int]) -> np.ndarray:
    visible = np.ones(shape, bool)
    visible[rows, joints] = False
    return visible


# --- fills ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fill", "power"), [("linear", 1), ("pchip", 1), ("cubic", 3)])
def test_a_curve_goes_on_across_its_gap(fill, power):
    frames = np.arange(30.0)[:, None, None]
    path = (frames / 10) ** power * np.array([1.0, -2.0, 0.5]) + np.zeros((30, 2, 1))
    visible = gap((30, 2), slice(10, 20), [1])
    filled = getattr(gap_baselines, fill)(np.where(visible[..., None], path, 99.0), visible)
    assert np.abs(filled - path).max() < 1e-9


def test_slerp_turns_evenly_and_the_root_travels_straight(setup):
    take = setup.rig_clips[0].take
    hidden = np.zeros(take.rotation.shape[:2], bool)
    hidden[50:59] = True  # nine frames between 49 and 59
    filled = gap_baselines.slerp(take, hidden)
    middle = rot.slerp(take.rotation[49], take.rotation[59], np.full(len(take.names), 0.5))
    assert np.abs(np.sum(filled.rotation[54] * middle, axis=-1)).min() > 1 - 1e-9
    assert np.allclose(filled.location[54, 0], (take.location[49, 0] + take.location[59, 0]) / 2)
    assert np.array_equal(filled.rotation[:50], take.rotation[:50])


def swinging(rng: np.random.Generator, frames: int = 120) -> np.ndarray:
    """Six joints (F, 6, 3) that all follow two hidden angles, so that any of them tells where the others are."""
    seconds = np.arange(frames) / 30
    angles = np.stack([np.sin(2 * seconds), np.cos(3.1 * seconds)], axis=-1)
    return rng.normal(0, 0.3, (6, 3)) + np.einsum("fk,kji->fji", 0.2 * angles, rng.normal(0, 1, (2, 6, 3)))


@pytest.mark.parametrize(("fill", "share"), [(gap_baselines.pca, 0.05), (gap_baselines.low_rank, 0.7)])
def test_joints_that_move_together_tell_each_other(fill, share):
    """The straight line across forty frames of a swing is far off; joints that follow the same angles are not."""
    path = swinging(np.random.default_rng(0))
    visible = gap(path.shape[:2], slice(40, 80), [2, 4])
    broken = np.where(visible[..., None], path, 99.0)
    error = np.abs(fill(broken, visible) - path)[~visible].mean()
    assert error < share * np.abs(gap_baselines.linear(broken, visible) - path)[~visible].mean()
    assert np.array_equal(fill(broken, visible)[visible], path[visible])


def test_pca_leaves_out_what_is_missing_at_the_same_time():
    """Joint 4 is wrong where joint 2 is hidden, but is hidden there itself: it cannot mislead."""
    path = swinging(np.random.default_rng(1))
    visible = gap(path.shape[:2], slice(40, 80), [2, 4])
    here, there = (np.where(visible[..., None], path, value) for value in (0.0, 50.0))
    assert np.array_equal(gap_baselines.pca(here, visible), gap_baselines.pca(there, visible))


def test_without_a_whole_joint_all_that_is_left_is_the_line():
    path = swinging(np.random.default_rng(2))
    visible = gap(path.shape[:2], slice(40, 80), list(range(6)))
    for fill in (gap_baselines.pca, gap_baselines.low_rank):
        assert np.array_equal(fill(path, visible), gap_baselines.linear(path, visible))


# --- suites -----------------------------------------------------------------------------------------------------------


def test_pieces_lie_in_clips_with_margins_and_are_spread(setup):
    found = gap_suites.pieces(setup, 5, 100)
    length = 5 + 2 * gap_suites.MARGIN
    assert all(len(piece.take.frames) == length for piece in found)
    assert [piece.name for piece in found][:3] == ["0_one from 0", "0_one from 36", "0_one from 72"]
    few = gap_suites.pieces(setup, 5, 2)
    assert [piece.name for piece in few] == [found[0].name, found[-1].name]
    assert gap_suites.pieces(setup, 190, 5) == []


@pytest.mark.parametrize("measure", [gap_suites.position_errors, gap_suites.rotation_errors])
def test_an_arm_that_moves_with_the_body_is_hidden_and_found(setup, measure):
    """The left arm keeps its rotations in these clips: slerp is exact by rotation, and by position to a hair."""
    part = gap_suites.Part("left arm", (("left_elbow", "left_wrist"),))
    (piece,) = gap_suites.pieces(setup, 30, 1)
    values = measure(setup, piece, part, 30, 0)
    assert values[gap_suites.SLERP] < 0.5 < values["linear"]
    assert 0.0 < values[scores.OURS] < values["linear"]
    assert values == measure(setup, piece, part, 30, 0)


def test_what_is_hidden_does_not_leak(setup):
    """Another truth in the gap changes the errors' reference and nothing that a method sees."""
    seen = []

    class Watching:
        kind = "motion"

        def denoise(self, x, sigma):
            seen.append(np.where(np.isfinite(sigma)[..., None], x, 0.0))
            return x

    (piece,) = gap_suites.pieces(setup, 30, 1)
    rotation = piece.take.rotation.copy()
    rotation[50, piece.take.names.index("LeftArm")] = rot.from_rotation_vector(np.array([0.0, 1.5, 0.0]))
    other = bench.replace(piece, take=bench.replace(piece.take, rotation=rotation))
    part = gap_suites.Part("left arm", (("left_elbow", "left_wrist"),))
    for clip in (piece, other):
        watched = Setup(setup.data)
        watched.__dict__["loaded_prior"] = Watching()
        gap_suites.position_errors(watched, clip, part, 30, 0)
    first, second = seen[: len(seen) // 2], seen[len(seen) // 2 :]
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_parts_are_drawn_from_what_they_name():
    rng = np.random.default_rng(0)
    sides = {tuple(gap_suites.ARM.draw(rng)) for _ in range(30)}
    assert sides == {tuple(MODEL.indices(f"{s}_elbow", f"{s}_wrist")) for s in ("left", "right")}
    eight = gap_suites.EIGHT.draw(rng)
    assert len(set(eight)) == 8 and 0 not in eight
    assert eight != gap_suites.EIGHT.draw(rng)


def test_the_rival_is_the_better_of_two_in_the_mean(setup, monkeypatch):
    monkeypatch.setattr(gap_suites, "pieces", lambda *_: setup.rig_clips)
    numbers = {
        "0_one": {gap_suites.SLERP: 1.0, gap_suites.PCA: 5.0},
        "0_two": {gap_suites.SLERP: 4.0, gap_suites.PCA: 1.0},
    }
    scores = gap_suites._case(setup, "case", gap_suites.ARM, 30, lambda _, clip, *__: numbers[clip.name])
    assert {score.chosen[gap_suites.BETTER] for score in scores} == {gap_suites.SLERP}
    assert [score.values[gap_suites.BETTER] for score in scores] == [1.0, 4.0, 1.0, 4.0]


def test_inbetweens_have_every_measure_and_stand_in_the_register(setup, monkeypatch):
    for name in ("PIECES", "LENGTHS"):
        monkeypatch.setattr(inbetween_suites, name, {"PIECES": 2, "LENGTHS": (5,)}[name])
    positions, others = (suites.SUITES[name].run(setup) for name in ("inbetween", "lafan"))
    assert {s.case for s in positions} == {"5 frames"} and len(positions) == 4
    assert {s.case for s in others} == {f"5 frames, {m}" for m in ("L2P", "L2Q", "NPSS")}
    for s in positions + others:
        assert 0.0 < s.values[inbetween_suites.SLERP] < s.values[inbetween_suites.HELD]
    text = bench.markdown(suites.SUITES["lafan"], others)
    assert "different data: same protocol shape, not a ranking" in text and "| 5 frames, NPSS |" in text


def test_the_truth_itself_has_no_error(setup):
    (piece,) = gap_suites.pieces(setup, 5, 1)
    truth, _ = inbetween_suites.answers(setup, piece, 5, 0)
    found = {scores.OURS: truth, inbetween_suites.SLERP: truth, inbetween_suites.HELD: truth}
    for measured in (
        inbetween_suites._position_errors(truth, found),
        inbetween_suites.l2p_of(setup, truth, found),
        inbetween_suites.l2q_of(truth, found),
        inbetween_suites.npss_of([(truth, found)]),
    ):
        assert max(measured.values()) < 1e-9


def test_poses_are_turned_to_the_front():
    turned = rot.rotate(rot.from_rotation_vector(np.array([0.0, 0.0, 2.0])), MODEL.rest_positions)
    assert np.abs(rot.rotate(inbetween_suites.turn_to_front(turned), turned) - MODEL.rest_positions).max() < 1e-9


def test_the_study_ranks_settings_on_the_same_gaps(setup, monkeypatch):
    """One line a setting, best first; a gap is as long in a piece as in the clip that it was cut from."""
    monkeypatch.setattr(gap_study, "CASES", ((gap_suites.JOINT, 30),))
    monkeypatch.setattr(gap_study, "PIECES", 2)
    monkeypatch.setattr(gap_study, "PCA_GRID", gap_study.PCA_GRID[:2])
    text = gap_study.study(bench.replace(setup, seeds=1))
    assert text.count("| mm | one joint 30 | mean |") == 3
    ours = [line.split(" | ") for line in text.split("Like poses")[1].splitlines()[4:]]
    means = [float(cells[-1].strip(" |")) for cells in ours]
    assert means == sorted(means) and len(means) == 1 + sum(map(len, gap_study.LIKENESS_GRID.values()))
    (pieces, whole) = (gap_study.samples(setup, gap_suites.JOINT, 30, kind) for kind in (False, True))
    assert [len(m) for m, _ in pieces] == [98, 98] and {len(m) for m, _ in whole} == {FRAMES, 100}
    assert all((~m.visible).sum() == 30 for m, _ in pieces + whole)
