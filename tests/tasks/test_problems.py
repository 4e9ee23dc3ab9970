"""Problems of a rig's take: damage is found where it is, and what a performer does is not taken for damage."""

import json
from dataclasses import replace

import numpy as np
import pytest

from pads_blender.core import rotations as rot
from pads_blender.core.mapping import Mapping
from pads_blender.core.motion import Motion
from pads_blender.core.retarget import to_model
from pads_blender.core.rig import RigTake
from pads_blender.core.skeleton import JOINTS, MODEL
from pads_blender.tasks.problems import find_problems
from pads_blender.tasks.repair import bridge_leaps, exchange_sides_back, find_lost_bones
from pads_blender.tasks.scoring import KINDS, THRESHOLDS, score_problems

from ..core.bodies import build_take, random_motion

ARM = ["left_shoulder", "left_elbow", "left_wrist"]
LEGS = ["hip", "knee", "ankle", "toe"]


@pytest.fixture(scope="module")
def moving() -> tuple[RigTake, Mapping]:
    """Every bone of a rig in smooth motion for 240 frames."""
    return build_take(*random_motion(240, seed=2, degrees=60.0))


def columns(take: RigTake, names: list[str]) -> list[int]:
    return [take.names.index(name) for name in names]


def with_rotation(take: RigTake, rows: slice, names: list[str], value: np.ndarray) -> RigTake:
    rotation = take.rotation.copy()
    rotation[rows, columns(take, names)] = value
    return replace(take, rotation=rotation)


def shaken(value: np.ndarray, frames: int, degrees: float) -> np.ndarray:
    """The rotations (N, 4) for so many frames, with white noise."""
    noise = np.radians(degrees) * np.random.default_rng(0).standard_normal((frames, len(value), 3))
    return rot.multiply(value, rot.from_rotation_vector(noise))


def spans(take: RigTake, mapping: Mapping, kind: str) -> list[tuple[str, float, float]]:
    return [(p.joint, p.first, p.last) for p in find_problems(take, mapping) if p.kind == kind]


def bones_of(take: RigTake, mapping: Mapping) -> np.ndarray:
    return to_model(take, mapping)[1].bones


def test_smooth_motion_has_no_problem_of_the_rig(moving):
    kinds = {problem.kind for problem in find_problems(*moving)}
    assert not kinds - {"slide", "penetration"}  # these random legs know no floor


@pytest.mark.parametrize("degrees", [0.0, 0.5])
@pytest.mark.parametrize("kind", ["frozen", "missing"])
def test_a_held_arm_is_found_with_noise_and_without(moving, kind, degrees):
    take, mapping = moving
    value = take.rotation[100, columns(take, ARM)] if kind == "frozen" else np.tile(rot.IDENTITY, (3, 1))
    broken = with_rotation(take, slice(100, 140), ARM, shaken(value, 40, degrees))
    ((joint, first, last),) = spans(broken, mapping, kind)
    assert joint == "left_shoulder"
    assert abs(first - 101) <= 2 and abs(last - 140) <= 2  # a frame beside the hold may look like its noise
    lost = find_lost_bones(broken, bones_of(take, mapping))
    assert lost[102:138, columns(take, ARM)].all()
    assert lost.sum() == lost[:, columns(take, ARM)].sum()


def test_an_arm_that_comes_to_rest_and_starts_again_is_not_lost(moving):
    take, mapping = moving
    ease = 0.5 * (1.0 - np.cos(np.linspace(0.0, np.pi, 40)))
    angle = np.concatenate([ease, np.ones(160), 1.0 + ease])
    resting = rot.from_rotation_vector(angle[:, None, None] * np.array([0.9, 0.2, 0.0]))
    still = with_rotation(take, slice(None), ARM, np.broadcast_to(resting, (240, 3, 4)))
    assert not find_lost_bones(still, bones_of(take, mapping)).any()


def test_a_bone_that_holds_alone_is_not_lost(moving):
    take, mapping = moving
    straight = with_rotation(take, slice(100, 140), ["left_knee"], take.rotation[100, columns(take, ["left_knee"])])
    assert not find_lost_bones(straight, bones_of(take, mapping)).any()


def test_a_take_that_is_padded_with_its_last_pose_is_left_and_a_lost_arm_at_the_end_is_not(moving):
    take, mapping = moving
    padded = take.rotation.copy()
    padded[210:] = padded[210]
    assert not find_lost_bones(replace(take, rotation=padded), bones_of(take, mapping)).any()
    broken = with_rotation(take, slice(210, 240), ARM, rot.IDENTITY)
    assert find_lost_bones(broken, bones_of(take, mapping))[212:, columns(take, ARM)].all()


def test_an_arm_that_was_never_captured_is_listed_and_left(moving):
    take, mapping = moving
    broken = with_rotation(take, slice(None), ARM, rot.IDENTITY)
    found = [(p.joint, p.first, p.last) for p in find_problems(broken, mapping) if p.kind == "missing"]
    assert ("left_shoulder", 1.0, 240.0) in found
    assert not find_lost_bones(broken, bones_of(take, mapping)).any()


def test_a_leap_is_found_in_just_its_frames_with_its_size(moving):
    take, mapping = moving
    turn = rot.from_rotation_vector(np.radians([0.0, 35.0, 0.0]))
    popped = rot.multiply(take.rotation[60:62, columns(take, ["left_elbow"])], turn)
    broken = with_rotation(take, slice(60, 62), ["left_elbow"], popped)
    (problem,) = [p for p in find_problems(broken, mapping) if p.kind == "pop"]
    assert (problem.joint, problem.bone, problem.first, problem.last) == ("left_elbow", "left_elbow", 61.0, 62.0)
    assert problem.severity == pytest.approx(1000 * np.radians(35.0) * 0.26, rel=0.1)  # of the forearm
    assert problem.reason.startswith("left_elbow leaps") and problem.reason.endswith("away and back in frames 61 to 62")


def test_a_leap_of_six_frames_is_found_at_120_frames_a_second():
    take, mapping = build_take(*random_motion(960, seed=2, degrees=60.0))
    take = replace(take, fps=120.0)
    turn = rot.from_rotation_vector(np.radians([0.0, 35.0, 0.0]))
    popped = rot.multiply(take.rotation[300:306, columns(take, ["left_elbow"])], turn)
    assert spans(take, mapping, "pop") == []
    ((joint, first, last),) = spans(with_rotation(take, slice(300, 306), ["left_elbow"], popped), mapping, "pop")
    assert joint == "left_elbow"
    assert abs(first - 301) <= 2 and abs(last - 306) <= 2  # a frame beside it may be as far from every fourth frame


def test_a_shaking_wrist_is_found(moving):
    take, mapping = moving
    value = take.rotation[80:130, columns(take, ["right_wrist"])]
    noise = rot.from_rotation_vector(np.radians(4.0) * np.random.default_rng(0).standard_normal((50, 1, 3)))
    broken = with_rotation(take, slice(80, 130), ["right_wrist"], rot.multiply(value, noise))
    ((joint, first, last),) = spans(broken, mapping, "jitter")
    assert joint == "right_wrist"
    assert abs(first - 81) < 8 and abs(last - 130) < 8  # half of the window that noise is measured in


def test_exchanged_legs_are_found_and_put_back(moving):
    take, mapping = moving
    left, right = ([f"{side}_{name}" for name in LEGS] for side in ("left", "right"))
    broken = with_rotation(take, slice(90, 120), left, take.rotation[90:120, columns(take, right)])
    broken = with_rotation(broken, slice(90, 120), right, take.rotation[90:120, columns(take, left)])
    assert spans(broken, mapping, "swap") == [("left_hip", 91.0, 120.0), ("right_hip", 91.0, 120.0)]
    kept = np.zeros(take.rotation.shape[:2], bool)
    repaired, exchanged = exchange_sides_back(broken, bones_of(take, mapping), kept)
    assert np.array_equal(repaired.rotation, take.rotation)
    assert np.flatnonzero(exchanged.any(axis=1)).tolist() == list(range(90, 120))
    kept[100] = True
    assert np.array_equal(
        exchange_sides_back(broken, bones_of(take, mapping), kept)[0].rotation[100], broken.rotation[100]
    )


def walking_feet(frames: int = 300) -> np.ndarray:
    """Positions (F, J, 3) of a body that strides: each foot stands for half a second, then swings forward."""
    positions = np.tile(MODEL.rest_positions + np.array([0.0, 0.0, 0.95]), (frames, 1, 1))
    t = np.arange(frames) / 30.0
    positions[..., 1] -= t[:, None]
    for side, start in (("left", 0.0), ("right", 0.5)):
        phase = (t + start) % 1.0
        swing = np.clip(2.0 * phase - 1.0, 0.0, 1.0)
        strides = np.floor(t + start) + swing * swing * (3.0 - 2.0 * swing) - start
        for joint in MODEL.indices(f"{side}_ankle", f"{side}_toe"):
            positions[:, joint, 1] = MODEL.rest_positions[joint, 1] - strides
            positions[:, joint, 2] += 0.15 * np.sin(np.pi * swing)
    return positions


def test_a_foot_that_slides_is_told_from_one_that_stands_and_swings():
    positions = walking_feet()
    motion = Motion(positions, np.ones(positions.shape[:2], bool), 30.0)
    ankle = JOINTS.index("left_ankle")
    stands = np.zeros(300, bool)
    for second in range(10):
        stands[30 * second + 4 : 30 * second + 12] = True
    assert score_problems(motion)["slide"][stands, ankle].max() < THRESHOLDS["slide"]
    drift = np.zeros((300, 1, 3))
    drift[120:240, 0, 0] = np.arange(120) / 30.0 * 0.3
    drift[240:] = drift[239]
    score = score_problems(replace(motion, positions=positions + drift))["slide"][:, ankle]
    rows = np.arange(300)
    assert (score[stands & (rows > 120) & (rows < 240)] > THRESHOLDS["slide"]).all()
    assert (score[stands & (rows < 120)] < THRESHOLDS["slide"]).all()


def test_a_foot_below_the_floor_is_found_and_none_where_the_floor_is_stairs():
    positions = walking_feet()
    toe = JOINTS.index("right_toe")
    sunk = positions.copy()
    sunk[135:140, toe, 2] -= 0.08
    visible = np.ones(positions.shape[:2], bool)
    score = score_problems(Motion(sunk, visible, 30.0))["penetration"]
    assert score[136:139, toe].min() > THRESHOLDS["penetration"] > score[:130].max()
    stairs = sunk + np.array([0.0, 0.0, 0.2]) * (np.arange(300) // 30)[:, None, None]
    assert not score_problems(Motion(stairs, visible, 30.0))["penetration"].any()


def test_positions_alone_show_swaps_leaps_and_what_was_not_seen(moving):
    motion, _ = to_model(*moving)
    positions, visible = motion.positions.copy(), motion.visible.copy()
    swapped = MODEL.indices("left_elbow", "left_wrist", "right_elbow", "right_wrist")
    positions[90:120, swapped] = positions[90:120, MODEL.mirrored[swapped]]
    positions[60, JOINTS.index("head")] += 0.4
    visible[150:160, JOINTS.index("left_toe")] = False
    scores = score_problems(Motion(positions, visible, 30.0))
    assert set(scores) == set(KINDS)
    wrist = scores["swap"][:, JOINTS.index("left_wrist")] > THRESHOLDS["swap"]
    assert np.flatnonzero(wrist).tolist() == list(range(90, 120))
    assert np.flatnonzero(scores["pop"][:, JOINTS.index("head")] > THRESHOLDS["pop"]).tolist() == [60]
    assert np.argwhere(scores["missing"] == np.inf)[:, 0].tolist() == list(range(150, 160))


def test_a_long_take_has_the_problems_of_its_parts(moving):
    """Long takes are looked at in pieces; what lies across a border is one problem."""
    take, mapping = moving
    rows = np.arange(5000) % 478
    rows = np.where(rows < 240, rows, 478 - rows)
    channels = {name: getattr(take, name)[rows] for name in ("location", "rotation", "scale")}
    long = replace(take, **channels, frames=np.arange(1.0, 5001.0))
    arm = columns(take, ARM)
    broken = with_rotation(long, slice(1500, 2300), ARM, long.rotation[1500, arm])
    (span,) = spans(broken, mapping, "frozen")
    assert span[0] == "left_shoulder" and abs(span[1] - 1501) <= 2 and abs(span[2] - 2300) <= 2


def test_problems_are_plain_data_in_the_order_of_time(moving):
    take, mapping = moving
    broken = with_rotation(take, slice(100, 140), ARM, take.rotation[100, columns(take, ARM)])
    turn = rot.from_rotation_vector(np.array([0.0, 0.0, 1.0]))
    head = rot.multiply(broken.rotation[20:21, columns(take, ["head"])], turn)
    broken = with_rotation(broken, slice(20, 21), ["head"], head)
    data = json.loads(json.dumps([problem.to_json() for problem in find_problems(broken, mapping)]))
    assert [d["first"] for d in data] == sorted(d["first"] for d in data)
    assert {"kind", "joint", "bone", "joints", "first", "last", "severity", "reason"} == set(data[0])


@pytest.mark.parametrize("frames", [1, 2, 4, 9])
@pytest.mark.parametrize("fps", [30.0, 240.0])
def test_very_short_takes_are_looked_at(moving, frames, fps):
    take, mapping = moving
    few = replace(take.rows(slice(0, frames)), fps=fps)
    assert [p for p in find_problems(few, mapping) if p.kind in ("pop", "frozen", "swap")] == []


def test_only_the_bones_of_the_body_are_bridged(moving):
    take, mapping = moving
    loose = take.names.index(mapping.joints["left_wrist"].bone)
    bones = bones_of(take, mapping)
    rotation = take.rotation.copy()
    rotation[100] = rot.multiply(rotation[100], rot.from_rotation_vector(np.array([0.9, 0.0, 0.0])))
    leaping, nothing = replace(take, rotation=rotation), np.zeros(take.rotation.shape[:2], bool)
    _, leapt = bridge_leaps(leaping, bones, nothing)
    assert leapt[100, loose] and leapt[100, take.names.index("between")]
    without = np.where(bones == loose, -1, bones)
    bridged, leapt = bridge_leaps(leaping, without, nothing)
    assert not leapt[:, loose].any()
    assert np.array_equal(bridged.rotation[:, loose], rotation[:, loose])
