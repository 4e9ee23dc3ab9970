"""A limb that is filled in turns about itself so that elbow and knee bend where they do in the measured frames."""

from dataclasses import replace

import numpy as np
import pytest

from pads_blender.core import rotations as rot
from pads_blender.core.retarget import apply_motion, to_model, unscaled
from pads_blender.core.rig import world_matrices
from pads_blender.core.skeleton import JOINTS, MODEL
from pads_blender.tasks.complete import interpolate_rotations
from pads_blender.tasks.hinges import hinge_twists, lay_bending
from pads_blender.tasks.twist import lay_on_rig

from ..core.bodies import build_take, random_motion

FRAMES, HIDDEN = 90, slice(25, 60)
LIMBS = {"left_shoulder": "left_elbow", "right_hip": "right_knee"}
UPPER, LOWER = list(LIMBS), list(LIMBS.values())
AXES = {"left_elbow": np.array([0.0, 0.0, 1.0]), "right_knee": np.array([1.0, 0.0, 0.0])}


def hinged_take(bend: np.ndarray | None = None):
    """A rig whose elbow and knee bend (F,) about one axis alone while all joints above them move freely."""
    local, root = random_motion(FRAMES, seed=2, degrees=45.0)
    bend = 0.9 + 0.7 * np.sin(np.linspace(0.0, 9.0, FRAMES)) if bend is None else bend
    for joint, axis in AXES.items():
        local[:, JOINTS.index(joint)] = rot.from_rotation_vector(bend[:, None] * axis)
    return build_take(local, root, yaw=1.1)


def hide(take, *joints: str, rows: slice = HIDDEN) -> np.ndarray:
    hidden = np.zeros(take.rotation.shape[:2], bool)
    hidden[rows, [[take.names.index(joint)] for joint in joints]] = True
    return hidden


def turns_of(take, joints: list[str]) -> np.ndarray:
    bones = np.array([take.names.index(joint) for joint in joints])
    return rot.from_matrix(unscaled(world_matrices(take, bones)[..., :3, :3]))


def away(take, truth, joints: list[str], rows: slice = HIDDEN) -> float:
    """Mean angle in degrees between the bones of two takes."""
    return float(np.degrees(rot.angle_between(turns_of(take, joints), turns_of(truth, joints)))[rows].mean())


def filled_in(take, mapping, hidden):
    """The take with hidden rotations bridged, as a residual, and the places where the joints truly are."""
    _, residual = to_model(interpolate_rotations(take, hidden), mapping)
    return residual, to_model(take, mapping)[0].positions


def test_the_twist_of_a_hidden_limb_follows_the_bend_below_it():
    take, mapping = hinged_take()
    hidden = hide(take, *UPPER, *LOWER)
    residual, places = filled_in(take, mapping, hidden)
    swung, found = apply_motion(residual, places), lay_on_rig(residual, places, hidden, 0.0)
    assert away(swung, take, UPPER) > 8.0
    assert away(found, take, UPPER) < 0.3 * away(swung, take, UPPER)
    assert away(found, take, LOWER) < 0.7 * away(swung, take, LOWER)  # what hangs on it goes along
    moved = to_model(found, mapping)[0].positions - places
    assert np.abs(moved).max() < 1e-6  # a twist moves no joint


@pytest.mark.parametrize("hidden_joints", [(), tuple(LOWER)])
def test_nothing_turns_where_the_upper_bone_is_measured(hidden_joints):
    take, mapping = hinged_take()
    hidden = hide(take, *hidden_joints)
    residual, places = filled_in(take, mapping, hidden)
    assert not hinge_twists(residual, apply_motion(residual, places), places, hidden).any()


def test_nothing_turns_beside_the_gap_nor_in_other_limbs_nor_in_one_that_is_never_seen():
    take, mapping = hinged_take()
    hidden = hide(take, *UPPER, *LOWER) | hide(take, "right_shoulder", "right_elbow", rows=slice(0, FRAMES))
    residual, places = filled_in(take, mapping, hidden)
    twists = hinge_twists(residual, apply_motion(residual, places), places, hidden)
    assert (np.abs(twists[HIDDEN][:, MODEL.indices(*UPPER)]).max(axis=0) > 0.05).all()
    twists[HIDDEN, MODEL.indices(*UPPER, *LOWER, "right_ankle")] = 0.0  # and what goes along
    assert not twists.any()


@pytest.mark.parametrize("degrees", [5.0, 10.0, 20.0])
def test_a_key_that_is_overstretched_tells_nothing_of_the_frames_between(degrees):
    bend = np.full(FRAMES, 0.8)
    bend[[HIDDEN.start - 1, HIDDEN.stop]] = -np.radians(degrees)
    take, mapping = hinged_take(bend)
    hidden = hide(take, *UPPER, *LOWER)
    residual, places = filled_in(take, mapping, hidden)
    assert away(lay_on_rig(residual, places, hidden, 0.0), take, UPPER) < away(
        apply_motion(residual, places), take, UPPER
    )


def test_a_limb_beyond_straight_does_not_turn_round():
    """Where a knee is overstretched its bend points the other way: half a turn would be the twist that explains it."""
    bend = 0.45 + 0.65 * np.cos(np.linspace(0.0, 2.0 * np.pi, FRAMES))  # straight at two places, -0.2 in the middle
    take, mapping = hinged_take(bend)
    hidden = hide(take, *UPPER, *LOWER)
    residual, places = filled_in(take, mapping, hidden)
    twists = hinge_twists(residual, apply_motion(residual, places), places, hidden)
    assert np.degrees(np.abs(np.diff(twists, axis=0)).max()) < 6.0
    assert away(lay_on_rig(residual, places, hidden, 0.0), take, UPPER) < away(
        apply_motion(residual, places), take, UPPER
    )


def test_the_frame_rate_changes_nothing():
    """Every fourth frame of a take at 120 frames a second turns as the take at 30 does."""
    take, mapping = hinged_take()
    at = np.arange(4 * (FRAMES - 1) + 1) / 4
    low, share = np.minimum(at.astype(int), FRAMES - 2), at - np.minimum(at.astype(int), FRAMES - 2)
    rotation = rot.slerp(take.rotation[low], take.rotation[low + 1], share[:, None])
    location = take.location[low] + share[:, None, None] * (take.location[low + 1] - take.location[low])
    still = {"scale": np.ones(location.shape), "frames": np.arange(1.0, len(at) + 1)}
    fast = replace(take, rotation=rotation, location=location, fps=120.0, **still)
    found = []
    for each, rows in ((take, HIDDEN), (fast, slice(4 * HIDDEN.start - 3, 4 * HIDDEN.stop - 4))):
        hidden = hide(each, *UPPER, *LOWER, rows=rows)
        residual, places = filled_in(each, mapping, hidden)
        found.append(hinge_twists(residual, apply_motion(residual, places), places, hidden)[:, MODEL.indices(*UPPER)])
    assert np.degrees(np.abs(found[0] - found[1][::4]).max()) < 3.0


USUAL = {"left_elbow": [0, 0, -1], "right_elbow": [0, 0, 1], "left_knee": [1, 0, 0], "right_knee": [1, 0, 0]}
BODY = ["left_shoulder", "right_shoulder", *USUAL, "left_hip", "right_hip", "left_ankle", "right_ankle"]


def bending_take(axes: dict[str, list[float]], bend: float = 1.2, **rig):
    """A rig whose elbows and knees are bent by so many radians about these axes, all else moves freely."""
    local, root = random_motion(FRAMES, seed=5, degrees=60.0)
    for joint, axis in axes.items():
        local[:, JOINTS.index(joint)] = rot.from_rotation_vector(bend * np.array(axis, float))
    return build_take(local, root, **rig)


def at_rest(take):
    return replace(take, rotation=np.tile(rot.IDENTITY, (*take.rotation.shape[:2], 1)))


def all_like(take, frame: int):
    """The take with its pose of one frame in all frames."""
    return replace(take, rotation=np.repeat(take.rotation[frame : frame + 1], len(take.frames), axis=0))


@pytest.mark.parametrize("rig", [{}, {"unit": 0.01, "yaw": 2.0}, {"body": "long_arms", "seed": 3}])
def test_a_rig_at_rest_is_posed_with_elbows_and_knees_bent_as_they_do(rig):
    take, mapping = bending_take(USUAL, **rig)
    _, residual = to_model(at_rest(take), mapping)
    places = to_model(take, mapping)[0].positions
    swung, found = apply_motion(residual, places), lay_bending(residual, places)
    everywhere = slice(0, FRAMES)
    assert away(swung, take, BODY, everywhere) > 15.0
    assert away(found, take, BODY, everywhere) < 0.4 * away(swung, take, BODY, everywhere)
    moved = to_model(found, mapping)[0].positions - to_model(swung, mapping)[0].positions
    assert np.abs(moved).max() < 1e-6


def test_a_pose_keeps_the_axis_about_which_it_bends():
    """Palms up, elbows bend upwards: so they go on, though those of most rigs bend to the front."""
    palms_up = USUAL | {"left_elbow": [0, -1, 0], "right_elbow": [0, 1, 0]}
    take, mapping = bending_take(palms_up)
    _, residual = to_model(all_like(take, 10), mapping)
    places = to_model(take, mapping)[0].positions
    swung, found = apply_motion(residual, places), lay_bending(residual, places)
    assert away(found, take, BODY) < 0.6 * away(swung, take, BODY)


def test_a_pose_that_does_not_change_keeps_its_rotations():
    """Even one that is bent sideways."""
    take, mapping = bending_take({"left_elbow": [0, 1, 0], "right_knee": [0, 1, 0]})
    _, residual = to_model(take, mapping)
    found = lay_bending(residual, residual.positions)
    assert np.degrees(rot.angle_between(found.rotation, take.rotation).max()) < 1e-3


def test_a_small_move_turns_little():
    take, mapping = bending_take({"left_elbow": [0, 1, 0], "right_knee": [0, 1, 0]}, bend=0.8)
    _, residual = to_model(take, mapping)
    moved = residual.positions.copy()
    moved[:, MODEL.index("left_wrist"), 1] += 0.002
    moved[:, MODEL.index("right_ankle"), 2] += 0.002
    found = lay_bending(residual, moved)
    assert np.degrees(rot.angle_between(found.rotation, take.rotation).max()) < 3.0


def test_a_rest_pose_that_is_not_human_is_posed_from_the_pose_before():
    take, mapping = bending_take(USUAL)
    lying = take.rest.copy()
    lying[:, :3, 3] = np.arange(len(take.names))[:, None] * np.array([0.1, 0.0, 0.0])  # all bones in one line
    heap = replace(take, rest=lying)
    _, residual = to_model(heap, mapping)
    found = lay_bending(residual, residual.positions)
    assert np.isfinite(found.rotation).all()
    assert np.degrees(rot.angle_between(found.rotation, take.rotation).max()) < 1e-3


def test_a_pose_beyond_straight_does_not_turn_round():
    take, mapping = bending_take(USUAL, bend=-0.3)
    _, residual = to_model(at_rest(take), mapping)
    places = to_model(take, mapping)[0].positions
    swung, found = apply_motion(residual, places), lay_bending(residual, places)
    assert away(found, take, BODY) < 1.5 * away(swung, take, BODY)


@pytest.mark.parametrize("noise", [0.0, 1e-9, 1e-3, 0.02])
@pytest.mark.parametrize("yaw", [0.3, 1.1])
def test_straight_limbs_beside_a_gap_tell_nothing_of_their_axis(noise, yaw):
    """The rest pose tells it then, not what rounding makes of a straight limb."""
    bend = np.random.default_rng(0).normal(0.0, noise, FRAMES)
    bend[HIDDEN] = 1.2 * np.sin(np.linspace(0.0, np.pi, HIDDEN.stop - HIDDEN.start))
    local, root = random_motion(FRAMES, seed=2, degrees=20.0)
    for joint in LOWER:
        local[:, JOINTS.index(joint)] = rot.from_rotation_vector(bend[:, None] * np.array(USUAL[joint], float))
    take, mapping = build_take(local, root, yaw=yaw)
    hidden = hide(take, *UPPER, *LOWER)
    residual, places = filled_in(take, mapping, hidden)
    swung, found = apply_motion(residual, places), lay_on_rig(residual, places, hidden, 0.0)
    assert away(found, take, UPPER) < away(swung, take, UPPER) + 1.0


def test_straight_limbs_of_a_rig_without_a_human_rest_pose_are_swung():
    take, mapping = hinged_take(np.zeros(FRAMES))
    hidden = hide(take, *UPPER, *LOWER)
    _, residual = to_model(interpolate_rotations(take, hidden), mapping)
    bend = np.zeros(FRAMES)
    bend[HIDDEN] = 1.2 * np.sin(np.linspace(0.0, np.pi, HIDDEN.stop - HIDDEN.start))
    places = to_model(hinged_take(bend)[0], mapping)[0].positions
    lying = residual.take.rest.copy()
    lying[:, :3, 3] = np.arange(len(take.names))[:, None] * np.array([0.1, 0.0, 0.0])
    heap = replace(residual, take=replace(residual.take, rest=lying))
    twists = hinge_twists(heap, apply_motion(residual, places), places, hidden)
    assert np.degrees(np.abs(twists).max()) < 0.1


@pytest.mark.parametrize("bend", [0.3, 0.5, 0.9])
def test_to_straighten_a_limb_does_not_turn_it_about_itself(bend):
    """However it was bent."""
    sideways = {"left_elbow": [0, -1, 0], "right_knee": [0, 1, 0]}
    bent, mapping = bending_take(sideways, bend)
    straight, _ = bending_take(sideways, 0.0)
    _, residual = to_model(bent, mapping)
    found = lay_bending(residual, to_model(straight, mapping)[0].positions)
    assert away(found, straight, UPPER, slice(0, FRAMES)) < 0.5


def test_a_folded_limb_is_turned_as_far_as_one_bent_by_a_right_angle():
    """Where the elbow bends upwards in truth and to the front on most rigs: the upper arm turns by nearly a quarter."""
    turns = []
    for bend in (1.5, 2.0, 2.6):
        take, mapping = bending_take({"left_elbow": [0, -1, 0]}, bend)
        _, residual = to_model(at_rest(take), mapping)
        places = to_model(take, mapping)[0].positions
        pair = apply_motion(residual, places), lay_bending(residual, places)
        turns.append(away(*pair, ["left_shoulder"], slice(0, FRAMES)))
    assert min(turns) > 0.85 * max(turns) > 35.0


def test_a_given_bone_is_not_turned_about_itself():
    take, mapping = bending_take(USUAL, 0.6)
    _, residual = to_model(at_rest(take), mapping)
    places = to_model(take, mapping)[0].positions
    given = np.zeros(len(MODEL), bool)
    given[MODEL.indices("left_shoulder", "right_knee")] = True
    pair = apply_motion(residual, places), lay_bending(residual, places, given)
    assert away(*pair, ["left_shoulder", "right_knee"], slice(0, FRAMES)) < 1e-3
    assert away(*pair, ["right_shoulder"], slice(0, FRAMES)) > 2.0


@pytest.mark.parametrize("lost", [("left_elbow", "left_wrist"), ("left_toe", "right_toe"), ("left_shoulder",)])
def test_limbs_that_a_rig_lacks_are_left_out(lost):
    take, mapping = bending_take(USUAL)
    mapping = replace(mapping, joints=mapping.joints | dict.fromkeys(lost))
    one = take.rows(slice(40, 41))
    _, residual = to_model(at_rest(one), mapping)
    places = to_model(one, mapping)[0].positions
    found = lay_bending(residual, places)
    assert np.isfinite(found.rotation).all()
    hidden = hide(one, "right_shoulder", "right_elbow", rows=slice(0, 1))
    assert not hinge_twists(residual, found, places, hidden).any()
