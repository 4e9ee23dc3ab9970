"""What the take's own frames tell of a hidden joint: right where poses recur, and honest where they do not."""

import numpy as np
import pytest

from pads_blender.core.interpolate import fill_hidden
from pads_blender.core.motion import Motion
from pads_blender.core.skeleton import MODEL
from pads_blender.tasks.evidence import SamplerSettings, gather_evidence
from pads_blender.tasks.like_poses import Gap, find_gaps, recall_hidden
from pads_blender.tasks.windows import reconstruct

ARM = MODEL.indices("left_elbow", "left_wrist")
LEGS = MODEL.indices(*[f"{s}_{j}" for s in ("left", "right") for j in ("knee", "ankle", "toe")])
NOISE = np.full(len(MODEL), 0.002)


def swing(frames: int, fps: float = 30.0) -> np.ndarray:
    """A body that walks along a curve and swings both arms against each other, 1.1 times a second."""
    seconds = np.arange(frames) / fps
    angle = 0.6 * np.sin(2 * np.pi * 1.1 * seconds)
    positions = np.tile(MODEL.rest_positions, (frames, 1, 1))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        shoulder, below = MODEL.index(f"{side}_shoulder"), MODEL.indices(f"{side}_elbow", f"{side}_wrist")
        reach = np.arange(1, 3) * 0.27
        down = np.stack([0 * angle, -np.sin(sign * angle), -np.cos(angle)], axis=-1)
        positions[:, below] = positions[:, [shoulder]] + reach[:, None] * down[:, None]
    turned = 0.3 * seconds
    c, s, zero, one = np.cos(turned), np.sin(turned), 0 * turned, 0 * turned + 1
    matrix = np.stack([c, -s, zero, s, c, zero, zero, zero, one], axis=-1).reshape(-1, 3, 3)
    travel = np.stack([2 * np.sin(turned), -2 * np.cos(turned), 0 * turned + 0.95], axis=-1)
    return np.einsum("fij,fkj->fki", matrix, positions) + travel[:, None]


def hide(frames: int, rows: slice, joints: list[int]) -> np.ndarray:
    visible = np.ones((frames, len(MODEL)), bool)
    visible[rows, joints] = False
    return visible


def misses(positions: np.ndarray, truth: np.ndarray, visible: np.ndarray) -> float:
    """Mean distance of the hidden joints from where they were."""
    return float(np.linalg.norm(positions - truth, axis=-1)[~visible].mean())


def test_an_arm_that_swings_against_the_other_is_where_it_always_was():
    """Over a second of swing the interpolated arm hangs still; the other arm tells where it was."""
    truth, visible = swing(150), hide(150, slice(60, 90), ARM)
    filled = fill_hidden(np.where(visible[..., None], truth, 0.0), visible)
    recalled, error = recall_hidden(filled, visible, NOISE, 30.0)
    assert misses(recalled, truth, visible) < 0.15 * misses(filled, truth, visible)
    assert np.array_equal(recalled[visible], filled[visible])
    assert np.isinf(error[visible]).all() and error[~visible].max() < 0.05


@pytest.mark.parametrize("fps", [30.0, 60.0, 120.0])
def test_the_rate_does_not_matter(fps):
    step = round(fps / 30)
    truth, visible = swing(150 * step, fps), hide(150 * step, slice(60 * step, 90 * step), ARM)
    filled = fill_hidden(np.where(visible[..., None], truth, 0.0), visible)
    recalled, _ = recall_hidden(filled, visible, NOISE, fps)
    assert misses(recalled, truth, visible) < 0.15 * misses(filled, truth, visible)


def test_an_unknown_pose_is_said_to_be_unknown():
    """In the gap the other arm is raised as it never was before: the error grows to that of a mere guess."""
    truth, visible = swing(150), hide(150, slice(60, 90), ARM)
    _, usual = recall_hidden(truth, visible, NOISE, 30.0)
    raised = truth.copy()
    raised[60:90, MODEL.indices("right_elbow", "right_wrist")] += (0.0, 0.0, 0.9)
    _, strange = recall_hidden(raised, visible, NOISE, 30.0)
    assert strange[70:80, ARM].min() > 5 * usual[70:80, ARM].max()
    assert strange[70:80, ARM[1]].min() > 0.1


@pytest.mark.parametrize(
    ("joints", "rows"),
    [
        (list(range(len(MODEL))), slice(60, 90)),  # whole poses: nothing is left to go by
        (LEGS, slice(60, 90)),  # both legs: left to the prior
        (ARM, slice(60, 62)),  # short: any interpolation will do
        (ARM, slice(10, 150)),  # hardly anything to learn from
    ],
)
def test_where_the_take_tells_nothing_nothing_changes(joints, rows):
    truth, visible = swing(150), hide(150, rows, joints)
    recalled, error = recall_hidden(truth, visible, NOISE, 30.0)
    assert np.isinf(error).all() and np.array_equal(recalled, truth)


def test_one_leg_is_asked_for():
    truth, visible = swing(150), hide(150, slice(60, 90), LEGS[:3])
    assert np.isfinite(recall_hidden(truth, visible, NOISE, 30.0)[1][~visible]).all()


def test_gaps_that_coincide_are_one():
    visible = hide(50, slice(10, 20), ARM)
    visible[30:50, 5] = visible[0:3, 5] = False
    assert find_gaps(visible, 5) == [Gap([5], 30, 50), Gap(ARM, 10, 20)]
    assert find_gaps(visible, 3)[0] == Gap([5], 0, 3)


def test_the_second_look_takes_it_for_a_measurement():
    """A prior that believes every number: what it is given of the hidden arm is what comes out."""
    levels = []

    class Unmoved:
        def denoise(self, x, sigma):
            levels.append(sigma[..., ARM])
            return x

    truth, visible = swing(150), hide(150, slice(60, 90), ARM)
    broken = np.where(visible[..., None], truth, 0.0)
    evidence = gather_evidence(Motion(broken, visible, 30.0, np.full(visible.shape, 0.002)))
    off = np.linalg.norm(reconstruct(evidence, SamplerSettings(), Unmoved(), None).positions - truth, axis=-1)[~visible]
    assert off.mean() < 0.4 * np.linalg.norm(fill_hidden(broken, visible) - truth, axis=-1)[~visible].mean()
    unsure = [np.sum((given > 0.003) & np.isfinite(given)) for given in levels]
    assert unsure == [0, 2 * 2 * 30]  # in the second look: two joints, thirty frames, each in two windows
