"""Bones that no joint shows: freed from jitter, but not of leaps that make up for another bone's."""

from dataclasses import replace

import numpy as np
import pytest

from pads_blender.core import rotations as rot
from pads_blender.core.metrics import joint_errors
from pads_blender.core.retarget import to_model
from pads_blender.core.rig import world_matrices
from pads_blender.core.skeleton import JOINTS
from pads_blender.tasks.twist import smooth_unseen_rotations

from ..core.bodies import build_take, random_motion

LEAP = rot.from_rotation_vector(np.radians([25.0, 0.0, 0.0]))


@pytest.fixture(scope="module")
def moving():
    """A rig with an unmapped bone, called between, from spine to chest; which bone is which joint (J,)."""
    take, mapping = build_take(*random_motion(120, degrees=30.0), unit=0.01)
    return take, mapping, to_model(take, mapping)[1].bones


def with_leap(take, bone: str, turn: np.ndarray = LEAP):
    rotation = take.rotation.copy()
    column = take.names.index(bone)
    rotation[60, column] = rot.multiply(rotation[60, column], turn)
    return replace(take, rotation=rotation)


def test_a_leap_of_a_bone_between_others_is_taken_out(moving):
    take, _, bones = moving
    popped = with_leap(take, "between")
    column = take.names.index("between")
    steadied = smooth_unseen_rotations(popped, bones, 1.0)
    away = [np.degrees(rot.angle_between(t.rotation, take.rotation)[60, column]) for t in (popped, steadied)]
    assert away[0] == pytest.approx(25.0, abs=0.1) and away[1] < 2.0


def test_a_leap_that_makes_up_for_the_bone_above_stays(moving):
    """As in captured takes whose pelvis is measured with a leap and whose chest is not."""
    take, mapping, bones = moving
    column = take.names.index("between")
    popped = with_leap(take, "spine")
    before, after = (rot.from_matrix(100.0 * world_matrices(t)[60, column, :3, :3]) for t in (take, popped))
    own = take.rotation[60, column]
    frame = rot.multiply(after, rot.inverse(own))  # world from the bone's place at rest
    needed = rot.multiply(rot.inverse(frame), before)
    popped = with_leap(popped, "between", rot.multiply(rot.inverse(own), needed))
    chest = JOINTS.index("neck")
    steadied = smooth_unseen_rotations(popped, bones, 1.0)
    moved = joint_errors(*(to_model(t, mapping)[0].positions[55:66, chest] for t in (steadied, popped)))
    assert moved.max() < 8.0  # with the leap taken out of this bone alone: 57 mm
