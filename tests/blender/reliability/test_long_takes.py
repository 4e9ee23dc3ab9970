"""A long take is read and written in parts between which the window lives; what happens there breaks nothing."""

from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np
import pytest

from pads_blender.blender import operators_in_between, parts, results
from pads_blender.blender.files import import_bvh
from pads_blender.blender.rig_reader import find_curves, read_take, read_take_in_parts
from pads_blender.blender.snapshot import apply_result, snapshot_in_parts, take_snapshot
from pads_blender.core import rotations as rot
from pads_blender.core.bvh import parse_bvh
from pads_blender.core.rig import world_matrices
from pads_blender.errors import TakeError
from tests.reliability.long_writes import long_rig as build_long_rig
from tests.reliability.long_writes import place
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


def test_an_object_that_moves_carries_its_bones_in_parts():
    armature = build_long_rig(FRAMES, is_moving=True)
    reading, places = read_take_in_parts(armature), []
    with pytest.raises(StopIteration) as over:
        while True:
            next(reading)
            places.append(place(reading).partition(":")[0])
    assert places.count("evaluation.evaluate_in_parts") == FRAMES
    assert places[-4:] == ["rig_reader.carried", *["rig_reader._stacked"] * 3]
    carried = over.value.value
    bpy.context.scene.frame_set(int(carried.frames[700]))
    posed = [armature.matrix_world @ armature.pose.bones[name].matrix for name in carried.names[1:]]
    np.testing.assert_allclose(world_matrices(carried.rows(slice(700, 701)))[0, 1:], posed, atol=1e-4)


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


def test_writing_notices_keys_that_come_between_two_curves_of_a_bone(long_rig, monkeypatch):
    monkeypatch.setattr(parts, "_VALUES_A_PART", 1)
    original, writing = long_rig.animation_data.action, written_in_part(take_snapshot(long_rig))
    for _ in range(2):  # what differs in the first bone, and what its curves are to get
        next(writing)
    for curve in find_curves(long_rig).fcurves:
        curve.keyframe_points.insert(FRAMES + 10.0, 0.0)
    with pytest.raises(TakeError, match="edited while the result was written"):
        list(writing)
    assert list(bpy.data.actions) == [original] and long_rig.animation_data.action == original


def test_in_between_that_is_cancelled_at_its_last_parts_is_taken_back(long_rig, monkeypatch):
    monkeypatch.setattr(parts, "_VALUES_A_PART", 1)
    snapshot, original = take_snapshot(long_rig), long_rig.animation_data.action
    writing = operators_in_between._deliver(snapshot, turned(snapshot.take), snapshot.take.frames[[0, -1]])
    while next(writing) is not None and writing.gi_yieldfrom.__name__ != "_mark_posed":
        pass
    assert long_rig.animation_data.action != original
    writing.close()
    assert list(bpy.data.actions) == [original] and long_rig.animation_data.action == original


def test_a_result_that_changes_nothing_is_refused_and_one_that_is_no_number_counts(long_rig):
    snapshot = take_snapshot(long_rig)
    with pytest.raises(TakeError, match="nothing to change"):
        list(results.deliver(snapshot, snapshot.take))
    broken = snapshot.take.rotation.copy()
    broken[-1, -1] = np.nan
    with pytest.raises(TakeError, match="not numbers"):
        list(results.deliver(snapshot, replace(snapshot.take, rotation=broken)))
