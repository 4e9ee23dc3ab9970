"""The suite of feet measures what it says, on a walk whose contacts are known."""

import numpy as np
import pytest

pytest.importorskip("scipy")

from pads_blender.core import metrics
from pads_blender.core import rotations as rot
from pads_blender.core.retarget import apply_motion, to_model
from pads_blender.core.skeleton import JOINTS
from pads_blender.tasks.contacts import COLUMNS
from pads_blender.training import bench, data, foot_suite
from pads_blender.training.foot_suite import FILTER, FREE, LIMIT, TRUTH
from pads_blender.training.scores import OURS, RAW
from tests.core.bodies import build_take
from tests.tasks.walks import FPS, walk

from .test_evaluate import SlowMotion

SEEN = np.ones(len(JOINTS), bool)
WALK = walk(steps=4, stride=0.5)


class Setup(bench.Setup):
    """The walk on the model and on a rig, and a prior whose answers are known."""

    def open_prior(self, threads=None) -> SlowMotion:
        return SlowMotion()

    def segments(self, frames: int) -> list[data.Clip]:
        clip = data.Clip(WALK.positions, SEEN, "cmu_900", "walk from 0")
        uneven = data.Clip(WALK.positions, SEEN, foot_suite.UNEVEN, "hill from 0")
        hanging = WALK.positions + 0.3 * np.arange(len(WALK.positions))[:, None, None]
        return [clip, uneven, data.Clip(hanging, SEEN, "cmu_900", "flight from 0")]

    def rig_segments(self, frames: int, most: int) -> list[data.RigClip]:
        still = np.broadcast_to(rot.IDENTITY, (len(WALK.positions), len(JOINTS), 4)).copy()
        take, mapping = build_take(still, np.tile([0.0, 0.0, 1.0], (len(still), 1)))
        return [
            data.RigClip(apply_motion(to_model(take, mapping)[1], WALK.positions), mapping, "cmu_900", "walk from 0")
        ]


@pytest.fixture(scope="module")
def scores(tmp_path_factory) -> list[bench.Score]:
    return foot_suite.feet(Setup(tmp_path_factory.mktemp("none")))


def test_segments_without_contacts_and_uneven_ground_do_not_count(scores):
    assert [(s.case, s.clip) for s in scores] == [
        ("20 mm", "walk from 0"),
        ("20 mm, uneven ground", "hill from 0"),
        ("3 degrees", "walk from 0"),
    ]


def test_the_limit_follows_the_truth_and_the_truth_is_what_was_made(scores):
    true_speed = metrics.contact_speed(WALK.positions[:, COLUMNS], WALK.resting, FPS)
    for score in scores:
        assert score.values[LIMIT] == pytest.approx(1.2 * score.values[TRUTH] + 10.0)
        assert score.values[TRUTH] == pytest.approx(true_speed, abs=20.0)  # borders of the contacts differ
        assert score.measures["MPJPE, mm"][TRUTH] == 0.0 and score.measures["contacts found, F1"][TRUTH] == 1.0


def test_noise_is_as_stated_and_held_feet_are_slower_than_free_ones(scores):
    noisy, _, jittered = scores
    assert noisy.measures["MPJPE, mm"][RAW] == pytest.approx(20.0 * np.sqrt(8 / np.pi), rel=0.05)
    assert noisy.values[RAW] > 800.0
    for score in scores:
        assert score.values[OURS] < score.values[FREE] < score.values[RAW]
        assert score.values[FILTER] < score.values[RAW]
    assert jittered.values[OURS] < 0.7 * jittered.values[FREE]


def test_the_filter_is_the_best_of_its_family(scores):
    for score in scores:
        assert score.measures["MPJPE, mm"][FILTER] < score.measures["MPJPE, mm"][RAW]
