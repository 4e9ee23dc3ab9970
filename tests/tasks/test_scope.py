"""Less than everything: only some limbs, only leaps, only gaps; the rest of the take comes back to the letter."""

from dataclasses import replace

import numpy as np
import pytest

from pads_blender.core import rotations as rot
from pads_blender.core.rig import RigTake
from pads_blender.diffusion.prior import load_prior
from pads_blender.errors import TakeError
from pads_blender.tasks.clean import CleanSettings, clean_take
from pads_blender.tasks.complete import HiddenBones
from pads_blender.tasks.kept import Kept
from pads_blender.tasks.scope import joints_of, keep_left_out, keep_unbroken

from ..core.bodies import build_take, random_motion

LEFT_ARM = ("left_collar", "left_shoulder", "left_elbow", "left_wrist")


@pytest.fixture(scope="module")
def prior():
    return load_prior("motion", threads=1)


@pytest.fixture(scope="module")
def dirty():
    take, mapping = build_take(*random_motion(90))
    noise = np.random.default_rng(0).normal(0.0, np.radians(2.0), (*take.rotation.shape[:2], 3))
    return replace(take, rotation=rot.multiply(take.rotation, rot.from_rotation_vector(noise))), mapping


def turned(before: RigTake, after: RigTake) -> dict[str, np.ndarray]:
    """By how many degrees each bone turned in each frame."""
    return dict(zip(before.names, np.degrees(rot.angle_between(before.rotation, after.rotation)).T, strict=True))


def test_only_the_chosen_limbs_change(dirty, prior):
    take, mapping = dirty
    after, _ = clean_take(take, mapping, CleanSettings(joints=joints_of(("left_arm",))), prior)
    degrees = turned(take, after)
    assert min(degrees[bone].max() for bone in ("left_shoulder", "left_elbow")) > 1.0
    assert max(degrees[bone].max() for bone in take.names if bone not in LEFT_ARM) < 1e-6
    np.testing.assert_allclose(after.location, take.location, atol=1e-12)


def test_without_jitter_only_what_leaps_is_put_right(dirty, prior):
    take, mapping = dirty
    elbow, rotation = take.names.index("left_elbow"), take.rotation.copy()
    rotation[40, elbow] = rot.multiply(rotation[40, elbow], rot.from_rotation_vector(np.array([1.5, 0.0, 0.0])))
    popped = replace(take, rotation=rotation)
    after, _ = clean_take(popped, mapping, CleanSettings(jitter=False, gaps=False, feet=0.0), prior)
    degrees = turned(popped, after)
    assert degrees["left_elbow"][40] > 60.0
    far = [frame for frame in range(90) if abs(frame - 40) > 3]
    assert max(column[far].max() for column in degrees.values()) < 1e-6
    left, _ = clean_take(popped, mapping, CleanSettings(pops=False, gaps=False, feet=0.0), prior)
    assert turned(popped, left)["left_elbow"][40] < 1e-6


def test_without_gaps_only_what_is_named_is_filled(dirty, prior):
    take, mapping = dirty
    rotation = take.rotation.copy()
    arm = [take.names.index(bone) for bone in ("right_shoulder", "right_elbow", "right_wrist")]
    rotation[30:60, arm] = rotation[30, arm]
    held = replace(take, rotation=rotation)
    completed = [
        clean_take(held, mapping, settings, prior)[1]["joints"]["right_elbow"]["completed_frames"]
        for settings in (CleanSettings(), CleanSettings(gaps=False))
    ]
    assert completed[0] >= 25
    assert completed[1] == 0
    named = (HiddenBones(("right_shoulder", "right_elbow"), 35.0, 50.0),)
    only = CleanSettings(complete=named, jitter=False, pops=False, gaps=False, feet=0.0)
    degrees = turned(held, clean_take(held, mapping, only, prior)[0])
    assert degrees["right_elbow"][34:50].max() > 1.0
    assert max(degrees[bone].max() for bone in held.names if bone not in ("right_shoulder", "right_elbow")) < 1e-6


def test_asking_for_nothing_is_said(dirty, prior):
    take, mapping = dirty
    with pytest.raises(TakeError, match="Nothing is left to do"):
        clean_take(take, mapping, CleanSettings(jitter=False, pops=False, gaps=False, feet=0.0), prior)
    with pytest.raises(TakeError, match="switch on at least one limb"):
        clean_take(take, mapping, CleanSettings(joints=()), prior)


def test_bones_without_a_joint_belong_to_the_one_above(dirty):
    take, mapping = dirty
    bones = np.array([take.names.index(mapping.bone(joint)) for joint in mapping.joints])
    kept = keep_left_out(take, Kept.nothing(take), bones, joints_of(("torso",)))
    assert not kept.held[take.names.index("between")]
    assert kept.held[take.names.index("left_knee")]


def test_frames_beside_what_is_broken_may_change_with_it():
    broken = np.zeros((9, 2), bool)
    broken[4, 1] = True
    kept = keep_unbroken(Kept(np.zeros((9, 2), bool), np.zeros((9, 2), bool)), broken)
    assert kept.rotation[:, 0].all()
    assert np.flatnonzero(~kept.rotation[:, 1]).tolist() == [3, 4, 5]
