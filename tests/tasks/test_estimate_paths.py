import numpy as np
import pytest

from pads_blender.core.keypoints import HUMAN36M_17
from pads_blender.core.skeleton import MODEL
from pads_blender.diffusion.rays import View
from pads_blender.tasks.estimate_paths import likely_start, without_jumps

from .filmed import SIDE, WALK, camera_at, filmed

HIPS = MODEL.indices("left_hip", "right_hip")


def view_of(positions, camera, noise=3.0) -> View:
    shot = filmed(positions, camera, noise)
    return View(camera, shot.keypoints.points, np.full((len(positions), 17), max(noise, 1.0)), HUMAN36M_17)


def turned_away(found, truth) -> np.ndarray:
    """Degrees (F,) between the hips' axes."""
    across = [x[:, HIPS[0], :2] - x[:, HIPS[1], :2] for x in (found, truth)]
    a, b = (np.arctan2(v[:, 1], v[:, 0]) for v in across)
    return np.abs(np.degrees((a - b + np.pi) % (2.0 * np.pi) - np.pi))


@pytest.mark.parametrize("place", [[4.0, -0.5, 1.2], [-4.0, -0.5, 1.2], [0.0, 3.5, 1.2], [0.0, -4.5, 1.2]])
def test_a_walk_faces_where_it_goes_from_any_side(place):
    """Human3.6M's points have no toes; from the side the two ways of facing look nearly alike."""
    assert np.median(turned_away(likely_start([view_of(WALK, camera_at(place))]), WALK)) < 35.0


def test_one_frame_and_a_known_path():
    one = likely_start([view_of(WALK[:1], SIDE)])
    assert one.shape == (1, len(MODEL), 3) and np.isfinite(one).all()
    known = likely_start([view_of(WALK[:20], SIDE)], WALK[:20, 0])
    assert np.linalg.norm(known[:, 0] - WALK[:20, 0], axis=-1).max() < 0.02


def test_drawn_starts_differ_and_come_again():
    views = [view_of(WALK[:40], SIDE)]
    a, b, again = (likely_start(views, rng=np.random.default_rng(seed)) for seed in (1, 2, 1))
    assert np.array_equal(a, again) and np.abs(a - b).max() > 0.02


def test_keypoints_that_jump_are_left_out():
    view = view_of(WALK[:20], SIDE, noise=0.0)
    view.points[10, 5] += 300.0
    left_out = ~without_jumps(view, WALK[:20, :1]).seen
    assert left_out[10, 5] and left_out.sum() == 1
