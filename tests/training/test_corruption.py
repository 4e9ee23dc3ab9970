"""Damage has the size that it says, and its labels lie where it is."""

import numpy as np
import pytest

from pads_blender.core import rotations as rot
from pads_blender.core.skeleton import JOINTS, MODEL
from pads_blender.training import corruption
from pads_blender.training.bvh_clips import joint_positions
from pads_blender.training.data import load_rig_clips

from . import clips


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    folder = clips.write_folder(tmp_path_factory.mktemp("mocap"), (400, 40))
    return load_rig_clips(folder / "dev" / "cmu_900.npz")[0]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def turned_degrees(before, after) -> np.ndarray:
    return np.degrees(rot.angle_between(rot.normalise(before.rotation), rot.normalise(after.rotation)))


def run_lengths(column: np.ndarray) -> np.ndarray:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], column.astype(int), [0]])))
    return edges[1::2] - edges[::2]


def test_pops_have_their_angle_share_and_length(clip):
    damaged = corruption.rotation_pops(clip.take, 35.0, 0.01, 3, rng())
    degrees = turned_degrees(clip.take, damaged.take)
    assert degrees[damaged.hit] == pytest.approx(35.0, abs=0.01)
    assert degrees[~damaged.hit].max() < 0.01
    assert damaged.hit.mean() == pytest.approx(0.02, abs=0.003)  # one in a hundred starts, two frames on average
    lengths = np.concatenate([run_lengths(column) for column in damaged.hit.T])
    assert set(lengths[lengths <= 3]) == {1, 2, 3}
    assert (lengths > 3).mean() < 0.06  # one pop right after another
    assert np.array_equal(damaged.hit, damaged.shows)


def test_only_chosen_bones_pop(clip):
    chosen = np.array([2, 5])
    damaged = corruption.rotation_pops(clip.take, 35.0, 0.05, 3, rng(), chosen)
    assert set(np.flatnonzero(damaged.hit.any(axis=0))) == {2, 5}


def test_a_pop_keeps_its_axis(clip):
    damaged = corruption.rotation_pops(clip.take, 35.0, 0.01, 3, rng())
    turn = rot.multiply(rot.inverse(clip.take.rotation), damaged.take.rotation)
    bone = int(np.argmax([(run_lengths(c) == 3).any() for c in damaged.hit.T]))
    last = np.flatnonzero(damaged.hit[2:, bone] & damaged.hit[1:-1, bone] & damaged.hit[:-2, bone])[0] + 2
    assert np.allclose(turn[last - 2, bone], turn[last, bone], atol=1e-6)


@pytest.mark.parametrize("degrees", [0.0, 0.5])
def test_held_and_zeroed_channels(clip, degrees):
    spans = corruption.random_spans(clip.take.rotation.shape[:2], 0.004, (20, 60), rng())
    first = corruption.first_of_span(spans)
    held = corruption.hold_rotations(clip.take, spans, degrees, rng())
    zeroed = corruption.zero_rotations(clip.take, spans, degrees, rng())
    frame, bone = np.nonzero(spans)
    for damaged, value in ((held, clip.take.rotation[first[frame, bone], bone]), (zeroed, rot.IDENTITY)):
        away = np.degrees(rot.angle_between(damaged.take.rotation[frame, bone], value))
        assert np.sqrt(np.mean(away**2)) == pytest.approx(np.sqrt(3) * degrees, rel=0.05, abs=1e-4)
        assert turned_degrees(clip.take, damaged.take)[~spans].max() < 1e-4
        assert np.array_equal(damaged.hit, spans)


def test_what_hardly_moves_does_not_show(clip):
    """The left arm keeps one rotation throughout: holding it changes nothing that could be seen."""
    spans = np.zeros(clip.take.rotation.shape[:2], bool)
    still, moving = clip.take.names.index("LeftArm"), clip.take.names.index("RightArm")
    spans[100:160, [still, moving]] = True
    damaged = corruption.hold_rotations(clip.take, spans, 0.0, rng())
    assert damaged.shows[100:160, moving].all()
    assert not damaged.shows[:, still].any()
    # as far as the elbow, 28 cm away, swings about the shoulder meanwhile
    tips = rot.rotate(clip.take.rotation[100:160, moving], np.array([-0.28, 0.0, 0.0]))
    expected = np.linalg.norm(tips - tips[0], axis=-1).max()
    assert corruption.span_movement(clip.take, spans)[130, moving] == pytest.approx(expected)


def test_labels_of_bones_become_those_of_joints(clip):
    where = np.zeros(clip.take.rotation.shape[:2], bool)
    where[7, clip.take.names.index("LeftForeArm")] = True
    labels = corruption.on_joints(where, clip.take, clip.mapping)
    assert list(np.argwhere(labels)[0]) == [7, JOINTS.index("left_elbow")]
    assert labels.sum() == 1


def test_swapped_sides_stand_in_each_others_places(clip):
    truth = joint_positions(clip.take, clip)
    frames = np.zeros(len(truth), bool)
    frames[50:80] = True
    swapped, shows = corruption.swap_sides(truth, frames, corruption.ARMS)
    left, right, knee = MODEL.indices("left_wrist", "right_wrist", "left_knee")
    assert np.array_equal(swapped[50:80, left], truth[50:80, right])
    assert np.array_equal(swapped[50:80, right], truth[50:80, left])
    assert np.array_equal(swapped[~frames], truth[~frames])
    assert shows[50:80, left].all()
    assert not shows[~frames].any()
    assert not shows[:, [0, knee]].any()


def test_a_shifted_take_is_moved_as_a_whole(clip):
    shift = np.cumsum(rng().standard_normal((len(clip.take.frames), 3)), axis=0)
    before = joint_positions(clip.take, clip)
    after = joint_positions(corruption.shifted(clip.take, shift), clip)
    assert np.abs(after - before - shift[:, None]).max() < 1e-9


def test_root_jitter_has_its_size(clip):
    before = joint_positions(clip.take, clip)
    moved = joint_positions(corruption.root_jitter(clip.take, 0.01, rng()), clip) - before
    assert moved[:, 0].std(axis=0) == pytest.approx([0.01] * 3, rel=0.1)
    assert np.abs(moved - moved[:, :1]).max() < 1e-9


def test_slide_scales_the_travel_and_labels_standing_feet():
    """A body that walks 1 m/s with its left foot standing in frames 20 to 39."""
    truth = np.zeros((60, len(JOINTS), 3))
    truth[..., 0] = np.arange(60)[:, None] / 30.0
    left = MODEL.indices("left_ankle", "left_toe")
    truth[20:40, left, 0] = truth[20, 0, 0]
    sliding = np.zeros(60, bool)
    sliding[30:50] = True
    shift = corruption.slide_shift(truth, sliding, 1.1)
    assert np.allclose(np.diff(shift[29:50, 0]) * 30.0, 0.1)
    assert np.allclose(shift[:30], 0.0) and np.allclose(shift[49:], shift[49])
    labels = corruption.sliding_feet(truth, shift, 30.0)
    assert labels[30:40][:, left].all()
    assert labels.sum() == 2 * 10


def test_drift_is_steady_and_level():
    drifting = np.zeros(50, bool)
    drifting[10:30] = True
    shift = corruption.drift_shift(drifting, 0.025, rng())
    steps = np.linalg.norm(np.diff(shift, axis=0), axis=1)
    assert np.allclose(steps[9:29], 0.025) and np.allclose(np.delete(steps, np.s_[9:29]), 0.0)
    assert np.allclose(shift[:, 2], 0.0)


def test_outliers_have_their_share_and_reach():
    moved, where = corruption.position_outliers(np.zeros((500, 22, 3)), 0.1, 0.5, rng())
    assert where.mean() == pytest.approx(0.1, abs=0.01)
    assert np.abs(moved[where]).max() == pytest.approx(0.5, abs=0.01)
    assert not moved[~where].any()
