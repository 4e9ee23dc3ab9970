"""Reports of generation, completion and in-betweens measure what they say, on poses and files made here."""

import dataclasses
import shutil

import numpy as np
import pytest

pytest.importorskip("scipy")

from pads_blender.core import rotations as rot
from pads_blender.core.bvh_plain import importable_text
from pads_blender.core.skeleton import MODEL
from pads_blender.errors import BadFileError
from pads_blender.training import (
    completion_report,
    data,
    evaluate,
    gap_suites,
    generate_report,
    generate_study,
    inbetween_suites,
    key_suites,
    lafan1,
    pin_study,
    scores,
)
from pads_blender.training.bounded_prior import BoundedPrior
from pads_blender.training.bvh_clips import bvh_of

from . import clips
from .test_evaluate import Setup, SlowMotion


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = clips.write_folder(tmp_path_factory.mktemp("keys"), (200, 100))
    shutil.copy(made / "dev/cmu_900.npz", made / "train/cmu_901.npz")
    return made


# --- generation -------------------------------------------------------------------------------------------------------


def test_the_nearest_pose_of_a_set_is_not_itself():
    poses = MODEL.rest_positions + np.array([0.0, 0.01, 0.03])[:, None, None] * np.array([1.0, 0.0, 0.0])
    assert generate_report.nearest_distances(poses[:1], poses) == pytest.approx([0.0])
    assert generate_report.nearest_distances(poses, poses, is_own=True) == pytest.approx([10.0, 10.0, 20.0])


def test_poses_of_a_manifold_lie_half_a_second_apart(folder):
    every = [c for c in data.load_split(folder, "train") if c.subject.startswith("cmu")]
    assert len(generate_report.spaced_poses(folder, "train")) == sum(-(-len(c.positions) // 15) for c in every)


def test_generate_writes_its_table(folder, tmp_path):
    words = ["generate", "--data", str(folder), "--out", str(tmp_path), "--count", "6", "--manifold", "8"]
    evaluate.main(words)
    text = (tmp_path / "generate.md").read_text()
    assert all(word in text for word in ("| generated | 8 |", "| real, dev | 8 |", "| real, train | 8 |"))


def test_settings_are_tried_one_by_one(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(generate_study, "GRID", {"steps": (5,), "surplus": (1.0,)})
    evaluate.main(["drawing", "--data", str(folder), "--out", str(tmp_path), "--count", "6"])
    text = (tmp_path / "drawing.md").read_text()
    assert all(f"| {name} | " in text for name in ("real, validation", "as chosen", "steps 5", "surplus 1"))


def test_settings_of_pins_are_tried_one_by_one(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(pin_study, "DESCENTS", {"steps": (2,)})
    monkeypatch.setattr(pin_study, "DRAGS", {"steps": (3,)})
    monkeypatch.setattr(pin_study, "HYPOTHESES", 2)
    monkeypatch.setattr(pin_study, "_RESTING_METRES", 9.0)  # the clips made here walk all the time
    words = ["pins", "--data", str(folder), "--out", str(tmp_path), "--poses", "2", "--pairs", "1"]
    evaluate.main(words)
    text = (tmp_path / "pins.md").read_text()
    assert text.count("| as chosen | ") == 2 and "steps 28" in text
    assert all(f"| {name} | " in text for name in ("steps 2", "steps 3", "left as it was", "completed afresh"))


def test_pairs_are_poses_whose_feet_rest_while_a_hand_moves():
    clip = np.tile(MODEL.rest_positions, (40, 1, 1))
    clip[20:, MODEL.index("left_wrist"), 1] -= 0.1
    found = pin_study._pairs_of(clip)
    assert {pair.hand for pair in found} == {MODEL.index("left_wrist")}
    np.testing.assert_allclose([pair.way for pair in found], [(0.0, -0.1, 0.0)] * len(found))
    assert found[0].pinned.sum() == 5
    clip[20:, MODEL.index("left_ankle"), 1] -= 0.1
    assert not pin_study._pairs_of(clip)


# --- completion -------------------------------------------------------------------------------------------------------


def test_only_hidden_joints_count_and_the_pelvis_is_put_together():
    real = np.stack([MODEL.rest_positions] * 2)
    given = ~np.isin(MODEL.names, ("left_knee", "left_toe"))
    found = real + 5.0
    found[0, MODEL.index("left_knee")] += [0.03, 0.0, 0.04]
    found[1, MODEL.index("head")] += 1.0
    assert completion_report.hidden_errors(found, real, given) == pytest.approx([25.0, 0.0])


def test_one_best_and_mean_of_several_answers():
    found = completion_report.summary(np.array([[10.0, 20.0], [30.0, 4.0]]))
    assert found == {"one": 15.0, "best": 7.0, "mean": 16.0, "diverged": 0}


def test_answers_that_run_off_do_not_count():
    found = completion_report.summary(np.array([[1e9, 20.0], [30.0, np.nan], [10.0, 4.0]]))
    assert found == {"one": 25.0, "best": 7.0, "mean": 16.0, "diverged": 2}


class Echo:
    """A prior that answers with what it was asked."""

    def denoise(self, x, sigma):
        return x

    def vjp(self, x, sigma, cotangent):
        return x, cotangent


def test_a_sampler_that_runs_off_asks_about_numbers_alone():
    bounded, x = BoundedPrior(Echo()), np.array([1.0, 1e9, -np.inf, np.nan])
    assert bounded.denoise(x, 1.0).tolist() == [1.0, 100.0, -100.0, 100.0]
    assert [each.tolist() for each in bounded.vjp(x, 1.0, -x)] == [[1, 100, -100, 100], [-1, -100, 100, 100]]


# --- in-between -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("context", [key_suites.CAPTURED, key_suites.LAFAN, key_suites.KEYS])
def test_all_methods_are_measured_on_the_same_frames(folder, context):
    setup = Setup(folder)
    (piece,) = gap_suites.pieces(setup, 15, 1)
    truth, found = key_suites.key_answers(setup, piece, context, 15, 0)
    whole, _ = inbetween_suites.answers(setup, piece, 15, 0)
    assert np.abs(truth.positions - whole.positions).max() < 1e-9
    assert {answer.positions.shape for answer in found.values()} == {truth.positions.shape}
    errors = inbetween_suites.l2q_of(truth, found | {"truth": truth})
    assert errors.pop("truth") == 0.0
    assert 0.0 < errors[inbetween_suites.SLERP] < errors[inbetween_suites.HELD]


def test_what_lies_between_does_not_leak_and_surroundings_end_where_they_should(folder):
    setup = Setup(folder)
    (piece,) = gap_suites.pieces(setup, 15, 1)
    changed = np.r_[0 : gap_suites.MARGIN - 10, gap_suites.MARGIN : gap_suites.MARGIN + 15, -gap_suites.MARGIN + 1 : 0]
    rotation = piece.take.rotation.copy()
    rotation[changed] = rotation[gap_suites.MARGIN - 1]
    other = dataclasses.replace(piece, take=dataclasses.replace(piece.take, rotation=rotation))
    one, two = (key_suites.key_answers(setup, each, key_suites.LAFAN, 15, 0)[1][scores.OURS] for each in (piece, other))
    assert rot.angle_between(one.rotations, two.rotations).max() < 1e-6


# --- LaFAN1 -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lafan_folder(folder, tmp_path_factory):
    """Takes as BVH files, named as those of the data set."""
    made, takes = tmp_path_factory.mktemp("lafan1"), data.load_rig_clips(folder / "dev/cmu_900.npz")
    for name, clip in zip(("walk1_subject1", "walk1_subject5"), (takes[0], takes[0]), strict=True):
        (made / f"{name}.bvh").write_text(importable_text(bvh_of(clip.take)))
    return made


def test_windows_are_those_of_the_protocol(lafan_folder):
    found = list(lafan1.windows(lafan_folder, lafan1.WINDOW, lafan1.STEP, is_test=True))
    assert [len(take.frames) for take, _ in found] == [65] * len(range(0, 200 - 65 + 1, 40))
    assert found[1][0].frames[0] == 41.0


def test_interpolation_lies_between_the_truth_and_a_held_pose(lafan_folder):
    spread = lafan1.training_spread(lafan_folder)
    found = list(lafan1.windows(lafan_folder, lafan1.WINDOW, lafan1.STEP, is_test=True))[:2]
    values = lafan1.measure(found, 15, SlowMotion(), spread)
    assert set(values) == {scores.OURS, "interpolation", "zero velocity"}
    assert all(0.0 < a < b for a, b in zip(values["interpolation"], values["zero velocity"], strict=True))


def test_a_turned_and_moved_take_scores_the_same(lafan_folder):
    """Windows are centred and face the same way, so that where they were recorded does not count."""
    (take, _), *_ = lafan1.windows(lafan_folder, lafan1.WINDOW, lafan1.STEP, is_test=True)
    turned = np.array([[0.0, -1.0, 0.0, 3.0], [1.0, 0.0, 0.0, -2.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    moved = dataclasses.replace(take, world_from_armature=turned @ take.world_from_armature)
    one, other = (lafan1._canonical(lafan1._answer(each), each)[0] for each in (take, moved))
    assert np.abs(one - other).max() < 1e-9


def test_windows_face_along_x_where_the_roots_own_y_axis_points_before_the_gap(lafan_folder):
    (take, _), *_ = lafan1.windows(lafan_folder, lafan1.WINDOW, lafan1.STEP, is_test=True)
    _, rotations = lafan1._canonical(lafan1._answer(take), take)
    forward = rot.rotate(rotations[lafan1.PAST - 1, 0], np.array([0.0, 1.0, 0.0]))
    assert abs(forward[1]) < 1e-9 < forward[0]


def test_a_folder_without_the_test_subject_is_refused(tmp_path):
    with pytest.raises(BadFileError, match="subject5"):
        next(lafan1.windows(tmp_path, 65, 40, is_test=True))
