"""Poses from the prior: on the model's bones, by seed, near what they start from; given joints stay where they are."""

import time
from dataclasses import replace

import numpy as np
import pytest

from pads_blender.core import rotations as rot
from pads_blender.core.heading import headings
from pads_blender.core.metrics import bone_length_errors, mpjpe
from pads_blender.core.retarget import to_model
from pads_blender.core.rig import RigTake, world_matrices
from pads_blender.core.self_contact import self_intersecting
from pads_blender.core.skeleton import MODEL
from pads_blender.diffusion.prior import load_prior
from pads_blender.diffusion.schedule import karras_schedule
from pads_blender.errors import TakeError
from pads_blender.tasks import generate, pinned_pose, rig_poses
from pads_blender.tasks.generate import GenerateSettings

from ..core.bodies import one_pose

TWO = GenerateSettings(2, 5)


@pytest.fixture(scope="module")
def prior():
    return load_prior("pose", threads=1)


def positions_of(take: RigTake, mapping) -> np.ndarray:
    return to_model(take, mapping)[0].positions


class Gaussian:
    """A prior that knows poses of 0.2 m about rest, all coordinates for themselves."""

    def denoise(self, x: np.ndarray, sigma: float) -> np.ndarray:
        return MODEL.rest_positions + 0.04 / (0.04 + sigma**2) * (x - MODEL.rest_positions)


@pytest.mark.parametrize(("steps", "narrow"), [(60, 0.939), (80, 0.954)])
def test_samples_have_mean_and_spread_of_the_prior(steps, narrow):
    """Up to what ancestral sampling loses in few steps; the shares are its recursion for a Gaussian, by hand."""
    rng = np.random.default_rng(0)
    x = 5.0 * rng.standard_normal((300, len(MODEL), 3))
    drawn = generate.draw(Gaussian(), x, karras_schedule(steps, 5.0, 0.004), rng)
    assert np.abs(drawn.mean(axis=0) - MODEL.rest_positions).max() < 0.05
    assert drawn.std(axis=0).mean() == pytest.approx(0.2 * narrow, rel=0.015)


def test_poses_are_kept_unless_they_intersect_or_the_prior_would_move_them_far():
    poses = np.stack([MODEL.rest_positions] * 5)
    poses += np.array([0.02, 0.0, 0.0, 0.01, 0.03])[:, None, None]
    shoulder, elbow, wrist, chest = MODEL.indices("left_shoulder", "left_elbow", "left_wrist", "chest")
    poses[1, wrist] = poses[1, chest]  # a hand in the chest: dropped first, near as it is to the prior's mean
    poses[1, elbow] = 0.5 * (poses[1, shoulder] + poses[1, wrist])
    assert generate.likeliest(poses, 4, Gaussian(), 0.1).tolist() == [0, 2, 3, 4]
    assert generate.likeliest(poses, 2, Gaussian(), 0.1).tolist() == [2, 3]
    assert generate.likeliest(poses[::-1], 2, Gaussian(), 0.1).tolist() == [1, 2]


def test_hands_and_feet_go_through_the_body_less_often_than_in_all_that_is_drawn(prior):
    few = generate.Drawing(steps=15)
    kept = generate.generate_poses(GenerateSettings(100, 2), prior, drawing=few)
    every = generate.generate_poses(GenerateSettings(140, 2), prior, drawing=replace(few, surplus=1.0))
    assert len(kept) == 100
    assert not self_intersecting(kept).any()
    assert self_intersecting(every).any()
    assert all(np.abs(every - pose).max(axis=(1, 2)).min() < 1e-4 for pose in kept)  # those very ones


def test_generated_poses_are_bodies_that_face_forwards(prior):
    poses = generate.generate_poses(GenerateSettings(12, 1), prior)
    assert bone_length_errors(poses, MODEL.parents, MODEL.offsets).max() < 1e-6
    assert np.abs(poses[:, 0]).max() == 0.0
    assert np.abs(headings(poses)).max() < 1e-9
    apart = np.linalg.norm(poses[:, None] - poses[None], axis=-1).mean(axis=-1)[~np.eye(12, dtype=bool)]
    assert apart.min() > 0.03
    assert np.array_equal(poses, generate.generate_poses(GenerateSettings(12, 1), prior))
    assert not np.allclose(poses, generate.generate_poses(GenerateSettings(12, 2), prior))


def test_variations_go_further_with_the_noise(prior):
    take, mapping = one_pose()
    pose = positions_of(take, mapping)[0]
    far = [mpjpe(generate.vary_pose(pose, noise, TWO, prior), pose - pose[:1]) for noise in (0.02, 0.1, 0.5)]
    assert far[0] < far[1] < far[2]
    assert far[0] < 40.0


@pytest.mark.parametrize("names", [("left_wrist", "right_ankle"), ("pelvis", "head"), MODEL.names[:-4]])
def test_given_joints_stay_and_the_pelvis_need_not_be_given(prior, names):
    take, mapping = one_pose()
    truth = positions_of(take, mapping)
    given = np.isin(MODEL.names, names)
    found = pinned_pose.complete_pose(np.where(given[:, None], truth, np.nan), given, prior)
    assert mpjpe(found[:, given], truth[:, given]) < 3.0
    assert bone_length_errors(found, MODEL.parents, MODEL.offsets).mean() < 10.0


def test_hidden_joints_give_way_until_bones_have_their_lengths():
    poses = MODEL.rest_positions + 0.01 * np.random.default_rng(0).standard_normal((3, len(MODEL), 3))
    free = np.isin(MODEL.names, ("left_knee", "left_ankle", "left_toe"))
    leg = MODEL.indices("left_knee", "left_ankle", "left_toe")

    def errors(each: np.ndarray) -> np.ndarray:
        length = np.linalg.norm(each[:, 1:] - each[:, MODEL.parents[1:]], axis=-1)
        return np.abs(length - np.linalg.norm(MODEL.offsets[1:], axis=-1))[:, np.array(leg) - 1]

    after = pinned_pose.with_lengths(poses, np.tile(free, (3, 1)), rounds=200)
    assert np.array_equal(after[:, ~free], poses[:, ~free])
    assert errors(poses).max() > 5e-3
    assert errors(after).max() < 1e-4


def test_seed_nought_gives_the_calmest_answer_and_others_differ(prior):
    take, mapping = one_pose()
    truth, given = positions_of(take, mapping), ~np.isin(MODEL.names, ("left_knee", "left_ankle", "left_toe"))
    found = [pinned_pose.complete_pose(truth, given, prior, seed) for seed in range(6)]
    middle = np.mean(found[1:], axis=0)
    far = [mpjpe(each[:, ~given], middle[:, ~given]) for each in found]
    assert far[0] < np.mean(far[1:])
    assert min(mpjpe(found[i][:, ~given], found[j][:, ~given]) for i in range(6) for j in range(i)) > 1.0


def test_answers_are_the_calmest_and_centres_of_draws_that_differ(prior):
    take, mapping = one_pose()
    truth, given = positions_of(take, mapping), ~np.isin(MODEL.names, ("left_knee", "left_ankle", "left_toe"))
    found = pinned_pose.complete_poses(truth, given, prior, 4)
    assert found.shape == (4, *truth.shape)
    assert np.array_equal(found[0], pinned_pose.complete_pose(truth, given, prior))
    assert min(mpjpe(found[i][:, ~given], found[j][:, ~given]) for i in range(4) for j in range(i)) > 5.0
    assert max(mpjpe(each[:, given], truth[:, given]) for each in found) < 3.0
    assert max(bone_length_errors(each, MODEL.parents, MODEL.offsets).mean() for each in found) < 10.0


def test_completing_a_pose_is_quick_enough_to_drag(prior):
    """Below 150 ms of one core; the quickest of a few, since others may be at work on the machine."""
    take, mapping = one_pose()
    seconds = []
    for _ in range(5):
        began = time.process_time()
        rig_poses.completed(take, mapping, ("left_wrist", "right_ankle"), prior)
        seconds.append(time.process_time() - began)
    assert min(seconds) < 0.15


@pytest.mark.parametrize(("body", "unit", "yaw"), [("adult", 1.0, 0.0), ("child", 0.01, 2.0), ("giant", 1.0, 1.0)])
def test_poses_stand_where_the_rig_stands(prior, body, unit, yaw):
    take, mapping = one_pose(body, unit, yaw)
    was, found = positions_of(take, mapping), positions_of(rig_poses.generated(take, mapping, TWO, prior), mapping)
    hips = MODEL.indices("left_hip", "right_hip")
    assert np.abs(found[:, hips, :2].mean(axis=1) - was[:, hips, :2].mean(axis=1)).max() < 0.1
    assert np.abs(found[..., 2].min(axis=1) - was[..., 2].min()).max() < 0.01
    turn = headings(found - found[:, :1]) - headings(was - was[:, :1])
    assert np.abs(np.angle(np.exp(1j * turn))).max() < np.radians(5.0)


def test_variations_of_a_rigs_pose_come_as_frames(prior):
    take, mapping = one_pose("long_arms")
    found = rig_poses.varied(take, mapping, 0.05, GenerateSettings(3), prior)
    assert len(found.frames) == 3
    assert 2.0 < mpjpe(positions_of(found, mapping), positions_of(take, mapping)) < 150.0


@pytest.mark.parametrize("body", ["adult", "child", "long_arms", "short_legs"])
@pytest.mark.parametrize("given", [("left_wrist", "right_ankle"), ("left_ankle", "right_ankle"), ("pelvis", "chest")])
def test_given_bones_of_a_rig_stay_where_they_are(prior, body, given):
    take, mapping = one_pose(body, yaw=0.5)
    after = rig_poses.completed(take, mapping, given, prior, seed=2)
    columns = [take.names.index(name) for name in given if name.endswith(("wrist", "ankle"))]
    old, new = (world_matrices(each)[:, columns] for each in (take, after))
    if columns:
        assert np.abs(new - old)[..., :3, 3].max() < 1e-3 * np.ptp(take.rest[:, :3, 3])
        assert (
            np.degrees(rot.angle_between(rot.from_matrix(old[..., :3, :3]), rot.from_matrix(new[..., :3, :3]))).max()
            < 0.01
        )
    free = take.names.index("right_elbow")
    assert np.degrees(rot.angle_between(after.rotation[:, free], take.rotation[:, free])).min() > 1.0


@pytest.mark.parametrize(("given", "said"), [((), "Select the bones"), (MODEL.names, "nothing is left")])
def test_what_cannot_be_completed_is_said(prior, given, said):
    take, mapping = one_pose()
    with pytest.raises(TakeError, match=said):
        rig_poses.completed(take, mapping, given, prior)
