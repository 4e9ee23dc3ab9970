import numpy as np
import pytest

from pads_blender.core.film import Film
from pads_blender.core.keypoints import COCO_17, Keypoints
from pads_blender.errors import TakeError


def film(frames, x, seen=None):
    """All points of a row at x (F,)."""
    points = np.broadcast_to(np.asarray(x, float)[:, None, None], (len(frames), 17, 2))
    confidence = np.ones((len(frames), 17)) if seen is None else np.tile(np.asarray(seen, float)[:, None], 17)
    return Film(Keypoints(np.where(confidence[..., None] > 0, points, np.nan), confidence, COCO_17), np.array(frames))


def x_of(keypoints):
    return np.where(keypoints.confidence[:, 0] > 0, keypoints.points[:, 0, 0], -1.0)


def test_its_own_frames_come_back():
    shown = film([1.0, 2.0, 3.0], [5.0, 9.0, 2.0], [1, 0, 0.5])
    found = shown.at(np.array([1.0, 2.0, 3.0]))
    assert x_of(found) == pytest.approx([5.0, -1.0, 2.0])
    assert found.confidence[:, 3] == pytest.approx([1.0, 0.0, 0.5])


def test_a_slower_film_is_interpolated():
    shown = film([1.0, 3.0, 5.0, 7.0], [0.0, 4.0, 8.0, 0.0], [1, 1, 1, 0])
    assert x_of(shown.at(np.arange(1.0, 8.0))) == pytest.approx([0, 2, 4, 6, 8, -1, -1])
    assert list(shown.whole_frames()) == list(range(1, 8))


def test_a_quicker_film_is_averaged():
    frames = 1.0 + np.arange(41) / 4
    rng = np.random.default_rng(0)
    shown = film(frames, 10.0 * frames + rng.normal(0.0, 1.0, 41))
    assert np.abs(x_of(shown.at(np.arange(2.0, 11.0))) - 10.0 * np.arange(2.0, 11.0)).max() < 2.0
    assert np.abs(x_of(shown.at(np.arange(2.0, 11.0))) - 10.0 * np.arange(2.0, 11.0)).std() < 0.7


def test_outside_nothing_is_seen():
    assert x_of(film([1.0, 2.0], [5.0, 6.0]).at(np.array([-3.0, 0.0, 2.0, 9.0]))) == pytest.approx([-1, -1, 6, -1])


def test_a_range_cuts_it():
    cut = film([1.0, 2.0, 3.0], [5.0, 6.0, 7.0]).within(2.0, 9.0)
    assert list(cut.frames) == [2.0, 3.0] and x_of(cut.keypoints) == pytest.approx([6.0, 7.0])


def test_a_film_of_no_frames_is_refused():
    with pytest.raises(TakeError, match="no frames"):
        film([1.0, 2.0], [5.0, 6.0]).within(7.0, 9.0)
