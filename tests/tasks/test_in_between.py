"""In-betweens pass their keys, whatever the rig; what lies between comes from the prior, and is no leap."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from pads_blender.core import rotations as rot
from pads_blender.core.metrics import mpjpe
from pads_blender.core.motion import Motion
from pads_blender.core.retarget import to_model
from pads_blender.core.rig import RigTake, world_matrices
from pads_blender.diffusion.prior import load_prior
from pads_blender.errors import CancelledError, TakeError
from pads_blender.tasks.in_between import InBetweenSettings, in_between_motion, in_between_take

from ..core.bodies import build_take, random_motion

SETTINGS = InBetweenSettings()


@pytest.fixture(scope="module")
def prior():
    return load_prior("motion", threads=1)


class Nothing:
    """A prior that believes all that it is told, the interpolation of what is hidden included."""

    kind = "motion"

    def denoise(self, x: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        return x


class Lifting(Nothing):
    """A prior to which all that is hidden lies higher than it seems."""

    def denoise(self, x: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        return x + np.where(np.isinf(sigma)[..., None], np.array([0.0, 0.0, 0.1]), 0.0)


def keys_at(frames: int, *rows: int) -> np.ndarray:
    is_key = np.zeros(frames, bool)
    is_key[list(rows)] = True
    return is_key


def assert_keys_are_passed(before: RigTake, after: RigTake, is_key: np.ndarray) -> None:
    """Within 0.1 mm and 0.01 degrees on the rig itself."""
    old, new = (world_matrices(take)[is_key] for take in (before, after))
    size = np.linalg.norm(before.world_from_armature[:3, 0])
    assert np.abs(new - old)[..., :3, 3].max() < 1e-4
    turns = rot.angle_between(*(rot.from_matrix(each[..., :3, :3] / size) for each in (old, new)))
    assert np.degrees(turns.max()) < 0.01


@pytest.mark.parametrize(("body", "unit", "fps"), [("adult", 1.0, 30.0), ("child", 0.01, 24.0), ("giant", 1.0, 120.0)])
@pytest.mark.parametrize("seed", [0, 3])
def test_keys_come_out_exactly_and_the_rest_is_new(prior, body, unit, fps, seed):
    take, mapping = build_take(*random_motion(60), body, unit=unit, yaw=1.0)
    take, is_key = replace(take, fps=fps), keys_at(60, 0, 19, 44, 59)
    after = in_between_take(take, mapping, is_key, InBetweenSettings(seed), prior)
    assert_keys_are_passed(take, after, is_key)
    changed = np.abs(after.rotation - take.rotation).max(axis=(1, 2))
    assert changed[~is_key].min() > 1e-3


def test_no_leap_beside_a_key(prior):
    take, mapping = build_take(*random_motion(90))
    after = in_between_take(take, mapping, keys_at(90, 0, 30, 60, 89), SETTINGS, prior)
    steps = rot.angle_between(after.rotation[1:], after.rotation[:-1]).max(axis=1)
    own = rot.angle_between(take.rotation[1:], take.rotation[:-1]).max(axis=1)
    assert steps.max() < 3.0 * own.max()


def test_what_lies_outside_of_the_keys_stays_and_is_heeded(prior):
    take, mapping = build_take(*random_motion(120))
    is_key = keys_at(120, 40, 70)
    after = in_between_take(take, mapping, is_key, SETTINGS, prior)
    outside = np.r_[0:41, 70:120]
    assert np.array_equal(after.rotation[outside], take.rotation[outside])
    assert np.array_equal(after.location[outside], take.location[outside])
    alone = in_between_take(take.rows(slice(40, 71)), mapping, keys_at(31, 0, 30), SETTINGS, prior)
    assert np.abs(alone.rotation[1:-1] - after.rotation[41:70]).max() > 1e-3


def test_captured_surroundings_make_it_better_than_turning_evenly(prior):
    """Of a swing through the gap, the frames before and after tell more than the two keys."""
    take, mapping = build_take(*random_motion(120))
    is_key, truth = ~keys_at(120, *range(50, 70)), to_model(take, mapping)[0].positions
    errors = {}
    for name, chosen in (("prior", prior), ("interpolation", Nothing())):
        after = in_between_take(take, mapping, is_key, SETTINGS, chosen)
        errors[name] = mpjpe(to_model(after, mapping)[0].positions[~is_key], truth[~is_key])
    assert errors["prior"] < 0.8 * errors["interpolation"]


def test_seeds_give_variations_and_the_same_one_the_same(prior):
    take, mapping = build_take(*random_motion(50))
    is_key = keys_at(50, 0, 25, 49)
    first, again, other, likeliest = (
        in_between_take(take, mapping, is_key, InBetweenSettings(seed), prior).rotation for seed in (1, 1, 2, 0)
    )
    assert np.array_equal(first, again)
    assert min(np.abs(first - other).max(), np.abs(first - likeliest).max()) > 0.01


def test_short_gaps_keep_much_of_the_even_turning():
    take, mapping = build_take(*random_motion(60))
    is_key = ~np.isin(np.arange(60), [10, 11, 12, *range(30, 50)])
    even, lifted = (in_between_take(take, mapping, is_key, SETTINGS, prior) for prior in (Nothing(), Lifting()))
    height = (to_model(lifted, mapping)[0].positions - to_model(even, mapping)[0].positions)[:, 0, 2]
    assert 0.0 < height[11] < 0.4 * height[40]


def test_several_seconds_without_a_key_are_no_statue(prior):
    """Half-way between keys four seconds apart the mean of all that may have happened does not move at all."""
    still, mapping = build_take(*(channel[:1].repeat(150, axis=0) for channel in random_motion(150)))
    location = still.location + np.linspace(0.0, 3.0, 150)[:, None, None] * (np.arange(len(still.names)) == 0)[:, None]
    take = replace(still, location=location)
    after = in_between_take(take, mapping, keys_at(150, 0, 149), SETTINGS, prior)
    middle = to_model(after, mapping)[0].positions[60:90]
    relative = middle - middle[:, :1]
    assert relative.std(axis=0).max() > 0.01


def test_bones_without_a_joint_keep_their_motion(prior):
    take, mapping = build_take(*random_motion(40))
    finger = len(take.names)
    wagging = rot.from_rotation_vector(np.linspace(0, 3, 40)[:, None, None] * np.array([1.0, 0.0, 0.0]))
    take = replace(
        take,
        names=(*take.names, "finger"),
        parents=np.append(take.parents, take.names.index("left_wrist")),
        rest=np.concatenate([take.rest, take.rest[-1:]]),
        location=np.concatenate([take.location, np.zeros((40, 1, 3))], axis=1),
        rotation=np.concatenate([take.rotation, wagging], axis=1),
        scale=np.concatenate([take.scale, np.ones((40, 1, 3))], axis=1),
    )
    after = in_between_take(take, mapping, keys_at(40, 0, 39), SETTINGS, prior)
    assert rot.angle_between(after.rotation[:, finger], take.rotation[:, finger]).max() < 1e-6


def test_travel_stays_on_bones_that_move(prior):
    take, mapping = build_take(*random_motion(40))
    take = replace(take, movable=np.arange(len(take.names)) == 0)
    after = in_between_take(take, mapping, keys_at(40, 0, 20, 39), SETTINGS, prior)
    assert np.array_equal(after.location[:, 1:], take.location[:, 1:])


@pytest.mark.parametrize(("rows", "said"), [((3,), "two frames at least"), ((3, 4), "no frame between")])
def test_what_cannot_be_done_is_said(rows, said):
    take, mapping = build_take(*random_motion(10))
    with pytest.raises(TakeError, match=said):
        in_between_take(take, mapping, keys_at(10, *rows), SETTINGS, Nothing())


@pytest.mark.parametrize("seed", [0, 1])
def test_progress_ends_at_its_count_and_may_stop_the_work(seed):
    motion = Motion(to_model(*build_take(*random_motion(80)))[0].positions, np.zeros((80, 22), bool), 30.0)
    motion = replace(motion, visible=np.repeat(keys_at(80, 0, 79)[:, None], 22, axis=1))
    told = []
    in_between_motion(motion, InBetweenSettings(seed), Nothing(), lambda step, count: told.append((step, count)))
    assert told[-1][0] == told[-1][1]
    assert all(a[0] < b[0] for a, b in itertools.pairwise(told))

    def stop(step: int, count: int) -> None:
        raise CancelledError("")

    with pytest.raises(CancelledError):
        in_between_motion(motion, SETTINGS, Nothing(), stop)
