import pytest

from pads_blender.diffusion.prior import load_prior
from pads_blender.errors import TakeError
from pads_blender.tasks.estimate import EstimateSettings
from pads_blender.tasks.estimate_size import scale_above_floor

from .filmed import SIDE, WALK, camera_at, filmed
from .walks import FPS

QUICK = EstimateSettings(steps=6)
FLOOR = float(WALK[..., 2].min())


@pytest.fixture(scope="module")
def motion_prior():
    return load_prior("motion", threads=1, backend="cpu")


@pytest.mark.parametrize("scale", [0.8, 1.15])
def test_who_stands_on_the_floor_is_as_large_as_they_are(motion_prior, scale):
    assert scale_above_floor(
        [filmed(scale * WALK, SIDE, 2.0)], FPS, QUICK, motion_prior, scale * FLOOR
    ) == pytest.approx(scale, rel=0.06)


def test_a_higher_floor_makes_a_smaller_person(motion_prior):
    shot = filmed(WALK, SIDE)
    low, high = (scale_above_floor([shot], FPS, QUICK, motion_prior, FLOOR + up) for up in (0.0, 0.2))
    above = SIDE.centre[2] - FLOOR
    assert high / low == pytest.approx((above - 0.2) / above, rel=1e-6)


def test_a_camera_on_the_floor_tells_nothing(motion_prior):
    low = camera_at([2.2, -3.2, FLOOR + 0.05])
    with pytest.raises(TakeError, match="state a stature"):
        scale_above_floor([filmed(WALK, low)], FPS, QUICK, motion_prior, FLOOR)


def test_nobody_is_a_giant(motion_prior):
    with pytest.raises(TakeError, match="m tall"):
        scale_above_floor([filmed(WALK, SIDE)], FPS, QUICK, motion_prior, FLOOR - 3.0)
