"""Blender's own smoothing, which PADS is measured against, really is a low-pass of every F-curve."""

import numpy as np
import pytest

from pads_blender.blender import butterworth
from pads_blender.core.bvh import local_rotations, parse_bvh, read_bvh, write_bvh
from pads_blender.core.rotations import to_rotation_vector

HEADER = """HIERARCHY
ROOT Hips
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Head
  {
    OFFSET 0 1 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 0 1 0
    }
  }
}
MOTION
Frames: 240
Frame Time: 0.033333333
"""


def test_slow_motion_stays_and_fast_motion_goes(tmp_path):
    """An order 4 filter, run forth and back, at 4 Hz: 0.5 Hz passes, 9 Hz is gone, 4 Hz keeps half."""
    seconds = np.arange(240) / 30.0
    slow, fast, half = (10.0 * np.sin(2 * np.pi * hertz * seconds) for hertz in (0.5, 9.0, 4.0))
    still = np.zeros(240)
    rows = np.stack([0.1 * slow, 1 + 0.1 * fast, 0.1 * half, slow, fast, still, still, slow + fast, still], axis=1)
    text = HEADER + "\n".join(" ".join(f"{value:.6f}" for value in row) for row in rows) + "\n"
    write_bvh(parse_bvh(text), tmp_path / "in.bvh")
    assert butterworth.main([str(tmp_path / "in.bvh"), str(tmp_path), "4", "14"]) == 0
    before, after = (read_bvh(tmp_path / name) for name in ("in.bvh", "butterworth_4.bvh"))
    assert after.header == before.header and len(after.rows) == 240
    inside = slice(40, 200)  # the ends are extended in Blender's own way
    turns = np.degrees(to_rotation_vector(local_rotations(after)))[inside]
    assert turns[:, 1, 0] == pytest.approx(slow[inside], abs=0.2)
    x, y, z = after.motion[inside, :3].T
    assert x == pytest.approx(0.1 * slow[inside], abs=0.01)
    assert y == pytest.approx(1.0, abs=0.01)
    assert 0.3 < np.abs(z).max() < 0.8
    untouched = read_bvh(tmp_path / "butterworth_14.bvh").motion[inside, 1]
    assert np.ptp(untouched) == pytest.approx(np.ptp(before.motion[inside, 1]), rel=0.15)
