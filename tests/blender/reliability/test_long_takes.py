"""A long take is read and written in parts between which the window lives; what happens there breaks nothing."""

from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np
import pytest

from pads_blender.blender.files import import_bvh
from pads_blender.blender.rig_reader import read_take
from pads_blender.blender.snapshot import apply_result, snapshot_in_parts, take_snapshot
from pads_blender.core import rotations as rot
from pads_blender.core.bvh import parse_bvh
from pads_blender.errors import TakeError
from tests.shaky_takes import shaky_take

FRAMES = 3000


@pytest.fixture
def long_rig():
    return import_bvh(parse_bvh(shaky_take(FRAMES)), Path("long.bvh"))


def turned(take):
    turn = rot.from_rotation_vector(np.full((*take.rotation.shape[:2], 3), 0.01))
    return replace(take, rotation=rot.multiply(take.rotation, turn))


def test_reading_pauses_and_reads_the_same(long_rig):
    parts, shares = snapshot_in_parts(long_rig), []
    with pytest.raises(StopIteration) as over:
        while True:
            shares.append(next(parts))
    assert len(shares) > 3 and all(0.0 <= share <= 1.0 for share in shares)
    np.testing.assert_array_equal(over.value.value.take.rotation, read_take(long_rig).rotation)


def test_reading_notices_what_is_deleted_meanwhile(long_rig):
    parts = snapshot_in_parts(long_rig)
    next(parts)
    bag = long_rig.animation_data.action.layers[0].strips[0].channelbags[0]
    bag.fcurves.remove(bag.fcurves[-1])
    with pytest.raises(TakeError, match="edited in the meantime"):
        list(parts)


def written_in_part(snapshot):
    """The parts of writing after the first in which the new action is there."""
    parts = apply_result(snapshot, turned(snapshot.take))
    while len(bpy.data.actions) < 2:
        next(parts)
    return parts


def test_a_result_half_written_is_taken_back(long_rig):
    snapshot, original = take_snapshot(long_rig), long_rig.animation_data.action
    written_in_part(snapshot).close()
    assert list(bpy.data.actions) == [original] and long_rig.animation_data.action == original
    np.testing.assert_array_equal(read_take(long_rig).rotation, snapshot.take.rotation)


def test_writing_notices_that_another_action_is_shown(long_rig):
    snapshot, original = take_snapshot(long_rig), long_rig.animation_data.action
    parts = written_in_part(snapshot)
    long_rig.animation_data.action = original
    with pytest.raises(TakeError, match="edited while the result was written"):
        list(parts)
    assert list(bpy.data.actions) == [original] and long_rig.animation_data.action == original
