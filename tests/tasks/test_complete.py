"""Hiding bones: the right frames and joints, slerp between what is measured, clear refusals."""

import numpy as np
import pytest

from pads_blender.core import rotations as rot
from pads_blender.core.skeleton import JOINTS
from pads_blender.errors import TakeError
from pads_blender.tasks.complete import (
    HiddenBones,
    bridge_rotations,
    hidden_joints,
    hidden_rows,
    interpolate_rotations,
)

from ..core.bodies import build_take, random_motion


@pytest.fixture
def take():
    return build_take(*random_motion(40))[0]


def test_ranges_are_scene_frames_with_both_ends(take):
    hidden = hidden_rows(take, (HiddenBones(("left_elbow",), 10, 12), HiddenBones(("neck",))))
    assert np.flatnonzero(hidden[:, take.names.index("left_elbow")]).tolist() == [9, 10, 11]
    assert hidden[:, take.names.index("neck")].all()
    assert hidden.sum() == 3 + 40


def test_an_unknown_bone_is_refused(take):
    with pytest.raises(TakeError, match="no bone called LeftArm"):
        hidden_rows(take, (HiddenBones(("LeftArm",)),))


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [(100, 120, "lies in 100 to 120"), (100, None, "lies from 100 on"), (None, 0, "lies up to 0")],
)
def test_an_empty_range_is_refused_with_open_ends_too(take, first, last, words):
    with pytest.raises(TakeError, match=f"No frame of the chosen range {words}:"):
        hidden_rows(take, (HiddenBones(("neck",), first, last),))


def test_a_hidden_bone_loses_the_joints_below_it(take):
    hidden = hidden_rows(take, (HiddenBones(("left_shoulder",), 3, 3),))
    lost = hidden_joints(hidden, np.array([take.names.index(j) for j in JOINTS]))
    assert [JOINTS[j] for j in np.flatnonzero(lost[2])] == ["left_elbow", "left_wrist"]
    assert not lost[[1, 3]].any()


def test_hidden_rotations_are_slerped_and_others_kept(take):
    hidden = hidden_rows(take, (HiddenBones(("left_elbow",), 10, 14),))
    filled = interpolate_rotations(take, hidden)
    bone = take.names.index("left_elbow")
    middle = rot.slerp(take.rotation[8, bone], take.rotation[14, bone], np.array(0.5))
    np.testing.assert_allclose(rot.angle_between(filled.rotation[11, bone], middle), 0.0, atol=1e-9)
    assert np.array_equal(filled.rotation[~hidden], take.rotation[~hidden])


def test_ends_are_held_and_a_bone_never_seen_rests(take):
    hidden = hidden_rows(take, (HiddenBones(("left_elbow",), 31), HiddenBones(("neck",))))
    filled = interpolate_rotations(take, hidden)
    elbow, neck = take.names.index("left_elbow"), take.names.index("neck")
    assert rot.angle_between(filled.rotation[30:, elbow], take.rotation[29, elbow]).max() < 1e-9
    assert np.array_equal(filled.rotation[:, neck], np.tile(rot.IDENTITY, (40, 1)))


AXIS = np.array([0.0, 0.6, 0.8])


@pytest.mark.parametrize("degrees", [9.0, 3.0, -9.0])
def test_a_bone_that_spins_about_itself_on_both_sides_of_a_gap_spins_on(degrees):
    spin = rot.from_rotation_vector(np.radians(degrees) * np.arange(60.0)[:, None, None] * AXIS)
    hidden = np.zeros((60, 1), bool)
    hidden[20:45] = True
    bridged = bridge_rotations(spin, hidden, AXIS[None], 30.0)
    assert np.degrees(rot.angle_between(bridged, spin)).max() < 1e-6


@pytest.mark.parametrize(("axis", "speed"), [(AXIS, 0.0), (np.array([1.0, 0.0, 0.0]), -4.0)])
def test_a_bone_at_rest_and_a_hinge_take_the_short_way(axis, speed):
    """Jitter of 3 degrees is no spin, nor is an elbow that swings out on one side and in again on the other."""
    angle = np.concatenate([-60.0 + speed * np.arange(-19, 1), np.full(25, np.nan), 60.0 + speed * np.arange(15)])
    swing = rot.from_rotation_vector(np.radians(np.nan_to_num(angle))[:, None, None] * AXIS)
    noise = rot.from_rotation_vector(np.random.default_rng(0).normal(0.0, np.radians(3.0), (60, 1, 3)))
    bridged = bridge_rotations(rot.multiply(noise, swing), np.isnan(angle)[:, None], axis[None], 30.0)
    assert np.degrees(rot.angle_between(bridged[20:45], rot.IDENTITY)).min() < 20.0
