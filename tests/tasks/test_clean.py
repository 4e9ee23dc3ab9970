"""Clean below Blender, with the shipped priors: better than its input, harmless to a clean take, within its limits."""

from dataclasses import replace

import numpy as np
import pytest

from pads_blender.core import rotations as rot
from pads_blender.core.mapping import Mapping
from pads_blender.core.mapping_guess import guess_mapping
from pads_blender.core.metrics import mpjpe
from pads_blender.core.motion import Motion
from pads_blender.core.retarget import to_model
from pads_blender.core.rig import RigTake
from pads_blender.core.skeleton import JOINTS, MODEL
from pads_blender.diffusion.prior import load_prior
from pads_blender.errors import CancelledError, TakeError
from pads_blender.tasks.clean import CleanSettings, _find_hidden, clean_motion, clean_take
from pads_blender.tasks.complete import HiddenBones
from pads_blender.tasks.running import find_runs
from pads_blender.training.demo_body import NAMES, OFFSETS, PARENTS
from pads_blender.training.demo_take import perform

SETTINGS = CleanSettings()


@pytest.fixture(scope="module", params=["motion", "pose"])
def prior(request):
    return load_prior(request.param, threads=1)


@pytest.fixture(scope="module")
def motion_prior():
    return load_prior("motion", threads=1)


@pytest.fixture(scope="module")
def performed() -> tuple[RigTake, Mapping]:
    """The demo's walk, wave and reach as a rig's take: 300 frames whose truth is known."""
    performance = perform()
    frames, offsets = len(performance.root), np.asarray(OFFSETS, float)
    rest = np.tile(np.eye(4), (len(NAMES), 1, 1))
    for bone, parent in enumerate(PARENTS):
        rest[bone, :3, 3] = offsets[bone] + (rest[parent, :3, 3] if parent >= 0 else 0.0)
    location = np.zeros((frames, len(NAMES), 3))
    location[:, 0] = performance.root - rest[0, :3, 3]
    world = np.eye(4)
    world[:3, :3] = rot.to_matrix(rot.from_rotation_vector(np.array([np.pi / 2, 0.0, 0.0])))  # Y up
    heads = (world @ rest)[:, :3, 3]
    take = RigTake(
        tuple(NAMES), np.asarray(PARENTS), rest, location, performance.rotations,
        np.ones(location.shape), world, np.arange(1.0, frames + 1), 30.0,
    )  # fmt: skip
    return take, guess_mapping(take.names, PARENTS, heads, None)


def jittered(take: RigTake, degrees: float = 3.0) -> RigTake:
    noise = np.random.default_rng(0).normal(0.0, np.radians(degrees), (*take.rotation.shape[:2], 3))
    return replace(take, rotation=rot.multiply(take.rotation, rot.from_rotation_vector(noise)))


def error(take: RigTake, truth: RigTake, mapping: Mapping, where: np.ndarray | None = None) -> float:
    return mpjpe(to_model(take, mapping)[0].positions, to_model(truth, mapping)[0].positions, where)


def test_position_noise_is_more_than_halved(performed, prior):
    truth = to_model(*performed)[0].positions
    noisy = truth + 0.03 * np.random.default_rng(0).standard_normal(truth.shape)
    cleaned = clean_motion(Motion(noisy, np.ones(noisy.shape[:2], bool), 30.0), SETTINGS, prior)
    assert mpjpe(cleaned.positions, truth) < 0.5 * mpjpe(noisy, truth)
    np.testing.assert_allclose(cleaned.noise, 0.03, rtol=0.15)


def test_a_clean_take_comes_back_almost_unchanged(performed, prior):
    truth = to_model(*performed)[0].positions
    cleaned = clean_motion(Motion(truth, np.ones(truth.shape[:2], bool), 30.0), SETTINGS, prior).positions
    change = 1000 * np.linalg.norm(cleaned - truth, axis=-1)
    assert change.mean() < 3.0 and np.percentile(change, 99) < 15.0  # what is promised


def test_rotation_jitter_on_a_rig_is_more_than_halved(performed, motion_prior):
    take, mapping = performed
    dirty = jittered(take)
    cleaned, report = clean_take(dirty, mapping, SETTINGS, motion_prior)
    assert error(cleaned, take, mapping) < 0.5 * error(dirty, take, mapping)
    degrees = [np.degrees(rot.angle_between(t.rotation, take.rotation)).mean() for t in (dirty, cleaned)]
    assert degrees[1] < 0.7 * degrees[0]
    assert report["joints"]["left_wrist"]["mm_mean"] > 10.0


def test_a_punch_keeps_its_peak(performed, motion_prior):
    take, mapping = performed
    bone = take.names.index(mapping.joints["left_shoulder"].bone)
    swing = np.radians(70.0) * np.sin(np.linspace(0.0, np.pi, 9)) ** 2  # out and back in a quarter of a second
    rotation = take.rotation.copy()
    rotation[146:155, bone] = rot.multiply(
        rot.from_rotation_vector(swing[:, None] * np.array([-1.0, 0.0, 0.0])), rotation[146:155, bone]
    )
    punch, where = replace(take, rotation=rotation), np.zeros((300, len(JOINTS)), bool)
    where[146:155, [JOINTS.index("left_elbow"), JOINTS.index("left_wrist")]] = True
    cleaned, _ = clean_take(punch, mapping, SETTINGS, motion_prior)
    assert error(punch, take, mapping, where) > 100.0
    assert error(cleaned, punch, mapping, where) < 25.0


def test_a_t_pose_in_the_first_frame_stays_and_drags_nothing(performed, prior):
    truth = to_model(*performed)[0].positions[100:200]  # from the middle of a wave
    marked = truth.copy()
    marked[0] = MODEL.rest_positions + truth[0, 0]
    cleaned = clean_motion(Motion(marked, np.ones(truth.shape[:2], bool), 30.0), SETTINGS, prior).positions
    arms = MODEL.indices("left_elbow", "left_wrist", "right_elbow", "right_wrist")
    np.testing.assert_allclose(cleaned[0, arms], marked[0, arms], atol=1e-3)
    assert np.linalg.norm(cleaned[1:8] - truth[1:8], axis=-1).max() < 0.02


def test_a_popped_arm_is_put_back(performed, motion_prior):
    take, mapping = performed
    rotation, bone = take.rotation.copy(), take.names.index(mapping.joints["left_shoulder"].bone)
    rotation[150:152, bone] = rot.multiply(rotation[150:152, bone], rot.from_rotation_vector(np.radians([0, 0, 40.0])))
    popped, where = replace(take, rotation=rotation), np.zeros((300, len(JOINTS)), bool)
    where[150:152, [JOINTS.index("left_elbow"), JOINTS.index("left_wrist")]] = True
    cleaned, _ = clean_take(popped, mapping, SETTINGS, motion_prior)
    assert error(cleaned, take, mapping, where) < 0.25 * error(popped, take, mapping, where)


def test_a_frozen_arm_is_found_and_moves_again(performed, motion_prior):
    take, mapping = performed
    rotation = take.rotation.copy()
    bones = [take.names.index(mapping.joints[j].bone) for j in ("left_shoulder", "left_elbow")]
    rotation[40:70, bones] = rotation[40, bones]
    cleaned, report = clean_take(replace(take, rotation=rotation), mapping, SETTINGS, motion_prior)
    assert report["joints"]["left_shoulder"]["completed_frames"] >= 25
    assert rot.angle_between(cleaned.rotation[54, bones[0]], cleaned.rotation[55, bones[0]]) > 1e-4


def test_an_arm_frozen_for_longer_than_a_piece_is_filled_as_one(performed):
    take, mapping = performed
    there_and_back = np.abs((np.arange(6000) + 299) % 598 - 299)
    channels = {name: getattr(take, name)[there_and_back] for name in ("rotation", "location", "scale")}
    arm = [take.names.index(mapping.joints[j].bone) for j in ("left_shoulder", "left_elbow")]
    channels["rotation"][1000:5000, arm] = channels["rotation"][1000, arm]
    long = replace(take, **channels, frames=np.arange(1.0, 6001.0))
    bones = to_model(take.rows(slice(0, 1)), mapping)[1].bones
    hidden = _find_hidden(long, bones, slice(0, 6000), SETTINGS)
    for bone in arm:
        (first, last), *others = [run for run in find_runs(hidden[:, bone]) if run[1] >= 990 and run[0] < 5010]
        assert not others and abs(first - 1000) < 10 and abs(last - 4999) < 10


def test_a_straight_knee_is_not_a_frozen_leg(performed, motion_prior):
    take, mapping = performed
    rotation = take.rotation.copy()
    knee = take.names.index(mapping.joints["left_knee"].bone)
    rotation[40:60, knee] = rotation[40, knee]
    _, report = clean_take(replace(take, rotation=rotation), mapping, SETTINGS, motion_prior)
    assert report["joints"]["left_knee"]["completed_frames"] == 0


def test_completed_bones_ignore_what_was_measured(performed, motion_prior):
    take, mapping = performed
    settings = replace(SETTINGS, complete=(HiddenBones((mapping.joints["left_shoulder"].bone,), 100, 120),))
    rotation = take.rotation.copy()
    rotation[99:120, take.names.index(mapping.joints["left_shoulder"].bone)] = rot.IDENTITY
    first, _ = clean_take(take, mapping, settings, motion_prior)
    second, _ = clean_take(replace(take, rotation=rotation), mapping, settings, motion_prior)
    np.testing.assert_allclose(first.rotation, second.rotation, atol=1e-9)


def test_only_the_chosen_range_changes_and_its_borders_do_not_jump(performed, motion_prior):
    take, mapping = performed
    dirty = jittered(take)
    cleaned, _ = clean_take(dirty, mapping, replace(SETTINGS, start=101, end=200), motion_prior)
    change = rot.angle_between(cleaned.rotation, dirty.rotation).mean(axis=1)
    outside = np.r_[0:100, 200:300]
    assert np.array_equal(cleaned.rotation[outside], dirty.rotation[outside])
    assert 0 < change[100] < 0.5 * change[110:190].mean() > change[199] > 0


def test_strength_scales_the_correction(performed, motion_prior):
    take, mapping = performed
    dirty = jittered(take)
    half, _ = clean_take(dirty, mapping, replace(SETTINGS, strength=0.5), motion_prior)
    whole, _ = clean_take(dirty, mapping, SETTINGS, motion_prior)
    assert error(whole, take, mapping) < error(half, take, mapping) < error(dirty, take, mapping)


def test_at_no_strength_nothing_changes_whatever_is_broken_or_asked_for(performed, motion_prior):
    take, mapping = performed
    arm = [take.names.index(mapping.joints[j].bone) for j in ("left_shoulder", "left_elbow")]
    frozen = jittered(take)
    frozen.rotation[40:70, arm] = frozen.rotation[40, arm]
    settings = replace(SETTINGS, strength=0.0, complete=(HiddenBones((mapping.joints["right_elbow"].bone,), 100, 120),))
    same, report = clean_take(frozen, mapping, settings, motion_prior)
    assert np.array_equal(same.rotation, frozen.rotation) and np.array_equal(same.location, frozen.location)
    assert all(entry["degrees_max"] == entry["completed_frames"] == 0 for entry in report["joints"].values())
    assert report["joints"]["left_wrist"]["noise_mm"] > 5.0


@pytest.mark.parametrize("strength", [0.25, 0.5, 0.75])
def test_a_leap_is_taken_back_as_far_as_the_strength_says(performed, motion_prior, strength):
    take, mapping = performed
    rotation, bone = take.rotation.copy(), take.names.index(mapping.joints["left_shoulder"].bone)
    leap = rot.from_rotation_vector(np.radians([0, 0, 40.0]))
    rotation[150:152, bone] = rot.multiply(rotation[150:152, bone], leap)
    leapt = replace(take, rotation=rotation)
    whole, part = (clean_take(leapt, mapping, replace(SETTINGS, strength=s), motion_prior)[0] for s in (1.0, strength))
    off = [np.degrees(rot.angle_between(t.rotation, whole.rotation))[150:152, bone].mean() for t in (part, leapt)]
    assert off[1] > 35.0
    assert off[0] == pytest.approx((1.0 - strength) * off[1], abs=2.0)


def test_the_same_seed_gives_the_same_keys(performed, prior):
    take, mapping = performed
    dirty = jittered(take)
    first, second = (clean_take(dirty, mapping, SETTINGS, prior)[0] for _ in range(2))
    assert np.array_equal(first.rotation, second.rotation) and np.array_equal(first.location, second.location)


def test_the_input_is_not_modified_and_bones_without_a_joint_stay(performed, motion_prior):
    take, mapping = performed
    dirty = with_blinking_jaw(jittered(take), take.names.index(mapping.joints["head"].bone))
    channels = ("rotation", "location", "scale", "frames", "rest", "parents")
    before = {name: getattr(dirty, name).copy() for name in channels}
    cleaned, _ = clean_take(dirty, mapping, SETTINGS, motion_prior)
    assert all(np.array_equal(getattr(dirty, name), before[name]) for name in channels)
    np.testing.assert_array_equal(cleaned.rotation[:, -1], before["rotation"][:, -1])
    np.testing.assert_array_equal(cleaned.location[:, -1], before["location"][:, -1])
    np.testing.assert_array_equal(cleaned.scale, before["scale"])


def with_blinking_jaw(take: RigTake, head: int) -> RigTake:
    """The take of a rig with one more bone below the head, no joint of the body: five times it opens for two frames."""
    jaw, at = np.tile(rot.IDENTITY, (300, 1, 1)), 0.001 * np.random.default_rng(1).standard_normal((300, 1, 3))
    jaw[[30, 31, 80, 81, 130, 131, 180, 181, 230, 231]] = rot.from_rotation_vector(np.radians([50.0, 0.0, 0.0]))
    return replace(
        take,
        names=(*take.names, "Jaw"),
        parents=np.append(take.parents, head),
        rest=np.concatenate([take.rest, take.rest[[head]]]),
        rotation=np.concatenate([take.rotation, jaw], axis=1),
        location=np.concatenate([take.location, at], axis=1),
        scale=np.concatenate([take.scale, np.ones(at.shape)], axis=1),
    )


@pytest.mark.parametrize("frames", [1, 2, 5])
def test_very_short_takes_pass(performed, prior, frames):
    take, mapping = performed
    few = replace(take, **{name: getattr(take, name)[:frames] for name in ("location", "rotation", "scale", "frames")})
    cleaned, _ = clean_take(few, mapping, SETTINGS, prior)
    assert error(cleaned, few, mapping) < 3.0


@pytest.mark.parametrize("sampler", ["dps", "prox"])
def test_both_samplers_clean_with_the_pose_prior(performed, sampler):
    truth = to_model(*performed)[0].positions[::6]
    noisy = truth + 0.03 * np.random.default_rng(0).standard_normal(truth.shape)
    settings = replace(SETTINGS, sampler=sampler, steps=8)
    motion = Motion(noisy, np.ones(noisy.shape[:2], bool), 5.0)
    cleaned = clean_motion(motion, settings, load_prior("pose", threads=1))
    assert mpjpe(cleaned.positions, truth) < 0.85 * mpjpe(noisy, truth)


def test_cancelling_stops_at_the_next_step(performed, prior):
    def stop(step: int, steps: int) -> None:
        raise CancelledError("Stopped.")

    with pytest.raises(CancelledError):
        clean_take(*performed, SETTINGS, prior, stop)


def test_what_cannot_be_cleaned_is_said(performed, motion_prior):
    take, mapping = performed
    with pytest.raises(TakeError, match="400 to 500"):
        clean_take(take, mapping, replace(SETTINGS, start=400, end=500), motion_prior)
    positions = to_model(take, mapping)[0].positions
    visible = np.ones(positions.shape[:2], bool)
    with pytest.raises(TakeError, match="lies from 400 on"):
        clean_take(take, mapping, replace(SETTINGS, start=400), motion_prior)
    bodiless = (HiddenBones(tuple(entry.bone for entry in mapping.joints.values() if entry)),)
    with pytest.raises(TakeError, match="Nothing of the body"):
        clean_take(take, mapping, replace(SETTINGS, complete=bodiless), motion_prior)
    with pytest.raises(TakeError, match="not numbers"):
        clean_motion(Motion(positions * np.nan, visible, 30.0), SETTINGS, motion_prior)
    with pytest.raises(TakeError, match="Nothing of the body"):
        clean_motion(Motion(positions, ~visible, 30.0), SETTINGS, motion_prior)


@pytest.mark.parametrize("channel", ["rotation", "location"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_keys_that_are_no_numbers_are_refused(performed, motion_prior, channel, value):
    take, mapping = performed
    broken = getattr(take, channel).copy()
    broken[7, -1, 0] = value
    with pytest.raises(TakeError, match="not numbers"):
        clean_take(replace(take, **{channel: broken}), mapping, SETTINGS, motion_prior)


@pytest.mark.parametrize(("kind", "samples", "words"), [("pose", 4, "prior of motion"), ("motion", 1, "2 samples")])
def test_samples_that_have_no_spread_are_refused(performed, kind, samples, words):
    with pytest.raises(TakeError, match=words):
        clean_take(*performed, replace(SETTINGS, samples=samples), load_prior(kind, threads=1))
