"""Short gaps come from the frames around them, long ones from the prior, at any frame rate."""

import numpy as np
import pytest

from pads_blender.core.retarget import to_model
from pads_blender.core.skeleton import MODEL
from pads_blender.tasks.short_gaps import bridge_short

from ..core.bodies import build_take, random_motion

WRIST = MODEL.index("left_wrist")


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return to_model(*build_take(*random_motion(240)))[0].positions


def bridged_shares(truth: np.ndarray, gap: int, fps: float) -> np.ndarray:
    """How much (gap,) of an answer 0.3 m off is left in a gap of the wrist."""
    wrong, visible = truth.copy(), np.ones(truth.shape[:2], bool)
    rows = slice(100, 100 + gap)
    visible[rows, WRIST] = False
    wrong[rows, WRIST] += [0.3, 0.0, 0.0]
    result = bridge_short(wrong, visible, fps)
    assert np.array_equal(result[visible], truth[visible])
    return np.linalg.norm(result - truth, axis=-1)[rows, WRIST] / 0.3


@pytest.mark.parametrize(("gap", "fps"), [(1, 30.0), (4, 30.0), (16, 120.0)])
def test_a_short_gap_is_bridged(truth, gap, fps):
    assert bridged_shares(truth, gap, fps).max() < 0.05


@pytest.mark.parametrize(("gap", "fps"), [(12, 30.0), (30, 30.0), (48, 120.0)])
def test_in_a_long_gap_the_prior_decides_but_for_the_borders(truth, gap, fps):
    shares = bridged_shares(truth, gap, fps)
    assert shares[gap // 2] == pytest.approx(1.0, abs=0.01)
    assert shares[0] < 0.6 and shares[-1] < 0.6


def test_what_is_hidden_to_an_end_or_throughout_is_left_to_the_prior(truth):
    visible = np.ones(truth.shape[:2], bool)
    visible[:2, WRIST] = visible[-1, WRIST] = False
    visible[:, MODEL.index("head")] = False
    wrong = np.where(visible[..., None], truth, truth + 0.3)
    np.testing.assert_array_equal(bridge_short(wrong, visible, 30.0), wrong)
