"""What is no number, or nothing at all: every task says so, the algebra hands it on, and no file takes it."""

from dataclasses import replace

import numpy as np
import pytest

from pads_blender.core import channels, rotations
from pads_blender.core.bvh import parse_bvh, with_motion
from pads_blender.core.motion import Motion
from pads_blender.core.skeleton import JOINTS, MODEL
from pads_blender.errors import TakeError
from pads_blender.tasks.clean import CleanSettings, clean_motion, clean_take
from pads_blender.tasks.cleaned import clean_rig
from pads_blender.tasks.contacts import ContactRange
from pads_blender.tasks.estimate import EstimateSettings
from pads_blender.tasks.estimate_rig import estimate_rig
from pads_blender.tasks.foot_lock import list_contacts, lock_feet_at
from pads_blender.tasks.generate import GenerateSettings
from pads_blender.tasks.in_between import InBetweenSettings, in_between_take
from pads_blender.tasks.kept import Kept
from pads_blender.tasks.problems import find_problems
from pads_blender.tasks.rig_poses import completed, generated, varied
from pads_blender.tasks.take_warnings import find_warnings

from ..core.bodies import build_take, random_motion
from ..shaky_takes import shaky_take

FRAMES = 40


class Smoothing:
    """A prior that must never be asked: what is wrong is found before any time is spent."""

    kind = "motion"

    def denoise(self, x, sigma):
        raise AssertionError("the prior was asked about a take that cannot be")


def spoiled(array: np.ndarray, value: float) -> np.ndarray:
    result = np.array(array, float)
    result[tuple(size // 2 for size in result.shape)] = value
    return result


def nothing(take):
    return take.rows(slice(0, 0))


def middle(take):
    """The pose that spoiled spoils."""
    return take.rows(slice(FRAMES // 2, FRAMES // 2 + 1))


SPOIL = {
    "nan rotation": lambda take: replace(take, rotation=spoiled(take.rotation, np.nan)),
    "infinite location": lambda take: replace(take, location=spoiled(take.location, np.inf)),
    "nan scale": lambda take: replace(take, scale=spoiled(take.scale, np.nan)),
    "nan frame": lambda take: replace(take, frames=spoiled(take.frames, np.nan)),
    "nan rest pose": lambda take: replace(take, rest=spoiled(take.rest, np.nan)),
    "infinite object": lambda take: replace(take, world_from_armature=spoiled(take.world_from_armature, -np.inf)),
    "no frame rate": lambda take: replace(take, fps=0.0),
    "nan frame rate": lambda take: replace(take, fps=np.nan),
    "no frames": nothing,
}
TASKS = {
    "clean_take": lambda take, mapping: clean_take(take, mapping, CleanSettings(), Smoothing()),
    "clean_rig": lambda take, mapping: clean_rig(take, mapping, Kept.nothing(take), CleanSettings(), Smoothing()),
    "find_problems": find_problems,
    "find_warnings": find_warnings,
    "list_contacts": list_contacts,
    "lock_feet_at": lambda take, mapping: lock_feet_at(
        take, mapping, Kept.nothing(take), [ContactRange(0, 5, 20)], 1.0
    ),
    "in_between_take": lambda take, mapping: in_between_take(
        take, mapping, np.arange(len(take.frames)) % 10 == 0, InBetweenSettings(), Smoothing()
    ),
    "estimate_rig": lambda take, mapping: estimate_rig([], take, mapping, EstimateSettings(), Smoothing()),
    "generated": lambda take, mapping: generated(middle(take), mapping, GenerateSettings(), Smoothing()),
    "varied": lambda take, mapping: varied(middle(take), mapping, 0.1, GenerateSettings(), Smoothing()),
    "completed": lambda take, mapping: completed(middle(take), mapping, ("left_wrist",), Smoothing()),
}


@pytest.mark.parametrize("spoil", SPOIL.values(), ids=SPOIL)
@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_every_task_refuses_a_take_that_is_none(task, spoil):
    take, mapping = build_take(*random_motion(FRAMES))
    with np.errstate(all="raise"), pytest.raises(TakeError, match=r"not numbers|has no frames|not a number above 0"):
        task(spoil(take), mapping)


@pytest.mark.parametrize(
    "fields",
    [
        {"positions": np.full((FRAMES, len(JOINTS), 3), np.nan)},
        {"noise": np.full((FRAMES, len(JOINTS)), np.nan)},
        {"noise": np.full((FRAMES, len(JOINTS)), -1.0)},
        {"fps": -30.0},
        {"positions": np.zeros((0, len(JOINTS), 3)), "visible": np.ones((0, len(JOINTS)), bool)},
        {"visible": np.zeros((FRAMES, len(JOINTS)), bool)},
    ],
)
def test_a_motion_of_the_model_that_is_none_is_refused(fields):
    still = np.tile(MODEL.rest_positions, (FRAMES, 1, 1))
    motion = Motion(still, np.ones(still.shape[:2], bool), 30.0)
    with pytest.raises(TakeError):
        clean_motion(replace(motion, **fields), CleanSettings(), Smoothing())


@pytest.mark.parametrize(
    "function",
    [
        rotations.normalise,
        rotations.to_matrix,
        rotations.inverse,
        rotations.to_rotation_vector,
        lambda q: rotations.multiply(q, rotations.IDENTITY),
        lambda q: rotations.rotate(q, np.ones(3)),
        lambda q: rotations.slerp(q, rotations.IDENTITY, np.array(0.5)),
        lambda q: rotations.to_euler(q, "XYZ"),
        lambda q: rotations.swing_between(q[..., 1:], np.ones(3)),
        lambda q: channels.quaternions_from_channels(q, "QUATERNION"),
        lambda q: channels.quaternions_from_channels(q, "AXIS_ANGLE"),
        lambda q: channels.quaternions_from_channels(q[..., 1:], "ZXY"),
        lambda q: channels.channels_from_quaternions(q, "AXIS_ANGLE", np.ones(4)),
    ],
)
def test_the_algebra_of_rotations_never_makes_a_number_of_what_is_none(function):
    """A broken key must reach the check that names its bone and frame, and not become a rest pose on the way."""
    q = np.tile(np.array([0.5, 0.5, 0.5, 0.5]), (3, 1))
    q[1] = np.nan
    result = function(q)
    assert np.isnan(result[1]).any() and np.isfinite(result[[0, 2]]).all()


def test_no_bvh_takes_what_is_no_number():
    bvh = parse_bvh(shaky_take(3))
    with pytest.raises(TakeError, match="nothing was written"):
        with_motion(bvh, spoiled(bvh.motion, np.nan))
