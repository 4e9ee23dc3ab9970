"""The model body: a consistent tree, symmetric, of an adult's size."""

import numpy as np

from pads_blender.core.skeleton import JOINTS, LEG_LENGTH, MODEL


def test_parents_come_first_and_the_pelvis_is_the_only_root():
    assert all(parent < joint for joint, parent in enumerate(MODEL.parents))
    assert [JOINTS[j] for j, parent in enumerate(MODEL.parents) if parent < 0] == ["pelvis"]


def test_the_body_is_symmetric_and_stands_facing_minus_y():
    rest = MODEL.rest_positions
    mirrored = rest[MODEL.mirrored] * [-1.0, 1.0, 1.0]
    np.testing.assert_allclose(mirrored, rest, atol=1e-12)
    assert rest[MODEL.index("left_wrist"), 0] > 0.5
    assert rest[MODEL.index("left_toe"), 1] < rest[MODEL.index("left_ankle"), 1]


def test_height_and_leg_length_are_an_adults():
    rest = MODEL.rest_positions
    assert 1.5 < rest[MODEL.index("head_top"), 2] - rest[MODEL.index("left_ankle"), 2] < 1.75
    assert np.linalg.norm(MODEL.offsets[MODEL.indices("left_knee", "left_ankle")], axis=-1).sum() == LEG_LENGTH
