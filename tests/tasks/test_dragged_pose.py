"""Drag Pose on rigs in code: what is dragged goes along, what stays stays, the rest follows without leaps, in time."""

import time
from dataclasses import replace

import numpy as np
import pytest

from pads_blender.core import rotations as rot
from pads_blender.core.metrics import mpjpe
from pads_blender.core.retarget import to_model
from pads_blender.core.rig import RigTake, world_matrices
from pads_blender.core.skeleton import MODEL
from pads_blender.diffusion.prior import load_prior
from pads_blender.errors import TakeError
from pads_blender.tasks.dragged_pose import begin_drag, dragged_pose
from pads_blender.tasks.pinned_pose import Descent, complete_pose

from ..core.bodies import one_pose

FEET = ("left_ankle", "right_ankle")
FORWARDS_DOWN = np.array([0.0, -0.8, -0.6])  # where a hand can go for half a metre with both feet where they are


@pytest.fixture(scope="module")
def prior():
    return load_prior("pose", threads=1)


def heads(take: RigTake, *names: str) -> np.ndarray:
    """Heads (N, 3) in the world of the first frame of these bones, or of all."""
    return world_matrices(take)[0, [take.names.index(name) for name in names or take.names], :3, 3]


def test_a_start_with_little_noise_is_kept(prior):
    take, mapping = one_pose()
    truth, given = to_model(take, mapping)[0].positions, np.isin(MODEL.names, ("left_wrist", "right_ankle"))
    far = [
        mpjpe(complete_pose(truth, given, prior, start=truth, descent=Descent(10, level)), truth)
        for level in (0.006, 0.1, 1.0)
    ]
    assert 3.0 * far[0] < far[1] < far[2]


@pytest.mark.parametrize(("body", "unit"), [("adult", 1.0), ("child", 0.01), ("long_arms", 1.0), ("short_legs", 1.0)])
@pytest.mark.parametrize("dragged", ["left_wrist", "right_wrist", "pelvis"])
def test_what_is_dragged_goes_along_and_what_stays_stays(prior, body, unit, dragged):
    take, mapping = one_pose(body, unit)
    way = 0.2 * FORWARDS_DOWN
    after = dragged_pose(begin_drag(take, mapping, (*FEET, dragged), dragged), way, prior)
    assert np.abs(heads(after, *FEET) - heads(take, *FEET)).max() < 1e-3
    assert np.linalg.norm(heads(after, dragged) - heads(take, dragged) - way) < (2e-3 if dragged != "pelvis" else 0.02)
    assert np.abs(after.rotation - take.rotation).max() > 0.01


def test_a_rig_that_lies_in_its_own_space_is_dragged_along_the_worlds_axes(prior):
    """The rest pose of a BVH or FBX file lies on its back, and stands only by its keys."""
    take, mapping = one_pose()
    lying = rot.from_rotation_vector(np.radians([90.0, 0.0, 0.0]))
    world = take.world_from_armature.copy()
    world[:3, :3] = rot.to_matrix(lying) @ world[:3, :3]
    turned, way = replace(take, world_from_armature=world), 0.2 * FORWARDS_DOWN
    after = dragged_pose(begin_drag(take, mapping, FEET, "left_wrist"), way, prior)
    same = dragged_pose(begin_drag(turned, mapping, FEET, "left_wrist"), rot.rotate(lying, way), prior)
    np.testing.assert_allclose(same.rotation, after.rotation, atol=1e-6)
    assert np.array_equal(same.world_from_armature, world)


@pytest.mark.parametrize("far", [1.0, 3.0])
@pytest.mark.parametrize("dragged", ["left_wrist", "pelvis"])
def test_what_is_dragged_out_of_reach_goes_as_far_as_the_feet_let_it(prior, far, dragged):
    take, mapping = one_pose()
    up = np.array([0.0, 0.0, far])
    after = dragged_pose(begin_drag(take, mapping, FEET, dragged), up, prior)
    assert np.abs(heads(after, *FEET) - heads(take, *FEET)).max() < 1e-3
    gone = heads(after, dragged) - heads(take, dragged)
    assert np.linalg.norm(gone - up) > 0.1
    assert (gone @ up).item() > 0.0


def test_the_body_goes_without_leaps_from_where_it_is(prior):
    """A centimetre of the hand moves no other joint by more than a few; the way back ends where it began."""
    take, mapping = one_pose()
    drag = begin_drag(take, mapping, FEET, "left_wrist")
    poses = [heads(dragged_pose(drag, 0.01 * step * FORWARDS_DOWN, prior)) for step in range(51)]
    leaps = np.linalg.norm(np.diff(poses, axis=0), axis=-1).max(axis=1)
    print(f"leaps of the furthest joint at each centimetre: median {np.median(leaps):.3f} m, most {leaps.max():.3f} m")
    assert np.median(leaps) < 0.02
    assert leaps.max() < 0.06
    assert np.array_equal(poses[0], heads(take))


def test_a_solve_is_quick_enough_to_drag(prior):
    """Below 150 ms of one core; the quickest of a few, since others may be at work on the machine."""
    take, mapping = one_pose()
    drag, seconds = begin_drag(take, mapping, FEET, "left_wrist"), []
    for step in range(1, 6):
        began = time.process_time()
        dragged_pose(drag, 0.1 * step * FORWARDS_DOWN, prior)
        seconds.append(time.process_time() - began)
    print(f"a solve takes {1000.0 * min(seconds):.0f} to {1000.0 * max(seconds):.0f} ms of processor time")
    assert min(seconds) < 0.15


@pytest.mark.parametrize(
    ("given", "dragged", "said"),
    [
        (("left_wrist",), "left_wrist", "Nothing stays"),
        (FEET, "between", "none of the body's joints"),
        (MODEL.names, "left_wrist", "nothing is left"),
    ],
)
def test_what_cannot_be_dragged_is_said(given, dragged, said):
    take, mapping = one_pose()
    with pytest.raises(TakeError, match=said):
        begin_drag(take, mapping, given, dragged)
