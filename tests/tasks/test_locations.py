"""Rigs whose every bone is moved: a location that makes up for the noise of the turns above it shakes no joint."""

from dataclasses import replace

import numpy as np
import pytest

from pads_blender.core import rotations as rot
from pads_blender.core.metrics import jitter
from pads_blender.core.retarget import Residual, to_model
from pads_blender.core.rig import RigTake, pose_matrices, rest_from_parent
from pads_blender.tasks.locations import steady_locations

from ..core.bodies import build_take, random_motion

FRAMES, UNIT = 240, 0.01  # the rig is in centimetres
ROWS = slice(100, 102)


@pytest.fixture(scope="module")
def performed() -> tuple[RigTake, Residual]:
    take, mapping = build_take(*random_motion(FRAMES, degrees=10.0), unit=UNIT)
    return take, to_model(take, mapping)[1]


def heads(take: RigTake) -> np.ndarray:
    """Metres (F, B, 3)."""
    return UNIT * pose_matrices(take)[..., :3, 3]


def shaken(take: RigTake, degrees: float = 0.3) -> RigTake:
    noise = np.random.default_rng(0).normal(0.0, np.radians(degrees), (*take.rotation.shape[:2], 3))
    return replace(take, rotation=rot.multiply(take.rotation, rot.from_rotation_vector(noise)))


def popped(take: RigTake, bone: int, degrees: float = 30.0) -> RigTake:
    rotation = take.rotation.copy()
    turn = rot.from_rotation_vector(np.radians([0.0, degrees, 0.0]))
    rotation[ROWS, bone] = rot.multiply(rotation[ROWS, bone], turn)
    return replace(take, rotation=rotation)


def made_up_for(take: RigTake, turned: RigTake) -> RigTake:
    """The turned take with locations that leave every head where the first take has it."""
    wanted, local = pose_matrices(take)[..., :3, 3], rest_from_parent(take)
    location, pose = turned.location.copy(), np.zeros((len(wanted), len(take.names), 4, 4))
    for bone, parent in enumerate(take.parents):
        frame = np.broadcast_to(local[bone], (len(wanted), 4, 4)) if parent < 0 else pose[:, parent] @ local[bone]
        offset = (wanted[:, bone] - frame[:, :3, 3])[..., None]
        location[:, bone] = np.linalg.solve(frame[:, :3, :3], offset)[..., 0]
        pose[:, bone] = frame
        pose[:, bone, :3, :3] = frame[:, :3, :3] @ rot.to_matrix(turned.rotation[:, bone])
        pose[:, bone, :3, 3] = wanted[:, bone]
    return replace(turned, location=location)


def steadied_by(residual: Residual, before: RigTake, after: RigTake, *held: str) -> RigTake:
    """What becomes of the second take, these bones held; all locations but the pelvis's are as they were found."""
    names = np.array(before.names)
    result = steady_locations(residual, before, after, np.isin(names, held))
    others = names != "pelvis"
    np.testing.assert_array_equal(result.location[:, others], after.location[:, others])
    return result


def stretched(take: RigTake) -> RigTake:
    """Bones that grow and shrink a little: locations that make up for nothing."""
    wave = 1.0 + np.sin(np.linspace(0.0, 12.0, len(take.frames)))[:, None, None]
    far = np.array(take.parents >= 0)[:, None] * np.array([0.3, 0.2, -0.1])
    return replace(take, location=take.location + wave * far)


def test_the_builder_leaves_every_head_where_it_was(performed):
    take, _ = performed
    before = made_up_for(take, shaken(take))
    np.testing.assert_allclose(heads(before), heads(take), atol=1e-9)
    assert jitter(heads(replace(before, rotation=take.rotation)), 30.0) > 3.0 * jitter(heads(take), 30.0)


def test_turns_made_quiet_do_not_shake_joints_that_were_quiet(performed):
    take, residual = performed
    before = made_up_for(take, shaken(take))
    after = replace(before, rotation=take.rotation)
    steadied = steadied_by(residual, before, after)
    for bone in range(len(take.names)):
        old, shaking, new = (jitter(heads(each)[:, [bone]], 30.0) for each in (before, after, steadied))
        assert new - old <= 0.01 * shaking, take.names[bone]


def test_a_leap_that_locations_made_up_for_does_not_move_the_joint(performed):
    take, residual = performed
    bone = take.names.index("left_shoulder")
    before = made_up_for(take, popped(take, bone))
    after = replace(before, rotation=take.rotation)
    both = after, steadied_by(residual, before, after)
    leap, left = (np.abs(heads(each) - heads(take)).max() for each in both)
    assert leap > 0.1 and left < 0.05 * leap


def test_where_locations_make_up_for_nothing_all_that_clean_did_stays(performed):
    take, residual = performed
    truth = stretched(take)
    for broken in (shaken(truth, 2.0), popped(truth, truth.names.index("left_shoulder"))):
        kept = steadied_by(residual, broken, truth)
        wrong, left = (np.linalg.norm(heads(each) - heads(truth), axis=-1) for each in (broken, kept))
        assert left.mean() < 0.15 * wrong.mean() and left.max() < 0.25 * wrong.max()


def test_a_slow_change_reaches_the_joints(performed):
    take, residual = performed
    before = made_up_for(take, shaken(take))
    bone = take.names.index("left_shoulder")
    swing = np.zeros((FRAMES, 3))
    swing[:, 1] = np.radians(20.0) * np.sin(np.linspace(0.0, np.pi, FRAMES))
    rotation = take.rotation.copy()
    rotation[:, bone] = rot.multiply(rotation[:, bone], rot.from_rotation_vector(swing))
    after = replace(before, rotation=rotation)
    truth, wrist = heads(replace(take, rotation=rotation)), take.names.index("left_wrist")
    far = np.linalg.norm(truth - heads(take), axis=-1)[:, wrist].max()
    apart = np.linalg.norm(heads(steadied_by(residual, before, after)) - truth, axis=-1)[:, wrist]
    assert far > 0.1 and apart.mean() < 0.05 * far


def test_a_rig_of_which_only_the_pelvis_is_moved_stays_as_clean_left_it(performed):
    take, residual = performed
    after = shaken(take)
    assert steadied_by(residual, take, after) is after


def test_held_bones_stay(performed):
    take, residual = performed
    before = made_up_for(take, shaken(take))
    after = replace(before, rotation=take.rotation)
    steadied = steadied_by(residual, before, after, "left_shoulder", "pelvis")
    for name in ("left_shoulder", "pelvis"):
        bone = take.names.index(name)
        np.testing.assert_array_equal(steadied.rotation[:, bone], after.rotation[:, bone])
    np.testing.assert_array_equal(steadied.location, after.location)
    assert (steadied.rotation != after.rotation).any()


def test_what_the_body_carries_turns_with_it(performed):
    take, residual = performed
    before = made_up_for(take, shaken(take))
    prop = take.names.index("left_wrist")  # as if no joint were mapped to it
    bones = np.where(residual.bones == prop, -1, residual.bones)
    after = replace(before, rotation=take.rotation)
    steadied = steadied_by(replace(residual, bones=bones), before, after)
    np.testing.assert_array_equal(steadied.rotation[:, prop], after.rotation[:, prop])
    between = take.names.index("between")
    assert (steadied.rotation[:, between] != after.rotation[:, between]).any()
