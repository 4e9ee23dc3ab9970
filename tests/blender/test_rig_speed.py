"""Read, map and write of a long take on a rig as game FBX files have them, beside the sampler's time."""

import time
from dataclasses import replace

import bpy
import numpy as np
import pytest

from pads_blender.blender.evaluated_reader import read_rig
from pads_blender.blender.rig_mapping import map_bones
from pads_blender.blender.rig_writer import write_take
from pads_blender.core.rotations import from_rotation_vector, multiply

FRAMES, BONES, SECONDS = 10_000, 75, 10.0


def add_fingers(armature, count):
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    bones = armature.data.edit_bones
    for number in range(count):
        hand = bones["LeftHand" if number % 2 else "RightHand"]
        bone = bones.new(f"{hand.name}Finger{number}")
        bone.parent, bone.head, bone.tail = hand, hand.tail, hand.tail + hand.vector * 0.1
    bpy.ops.object.mode_set(mode="OBJECT")


@pytest.mark.parametrize(("interpolation", "every"), [("LINEAR", 1), ("BEZIER", 5)])
def test_a_long_take_costs_seconds(armature, key_rig, capsys, interpolation, every):
    add_fingers(armature, BONES - len(armature.data.bones))
    armature.animation_data_clear()
    key_rig(armature, np.arange(1.0, FRAMES + 1, every), amount=0.02)
    code = bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items[interpolation].value
    for fcurve in armature.animation_data.action.layers[0].strips[0].channelbags[0].fcurves:
        count = len(fcurve.keyframe_points)
        fcurve.keyframe_points.foreach_set("interpolation", np.full(count, code, np.int32))
        fcurve.update()
    started = time.process_time()
    take = read_rig(armature, map_bones(armature))
    read = time.process_time() - started
    assert take.rotation.shape[1] == BONES and len(take.frames) > FRAMES - every
    turns = from_rotation_vector(np.random.default_rng(0).normal(0.0, 0.02, (*take.rotation.shape[:2], 3)))
    after = replace(take, rotation=multiply(turns, take.rotation), location=take.location + 0.1)
    started = time.process_time()
    write_take(armature, take, after)
    wrote = time.process_time() - started
    with capsys.disabled():
        print(f"\n{FRAMES} frames, {BONES} bones, {interpolation}: read and map {read:.1f} s, write {wrote:.1f} s")
    assert read + wrote < SECONDS
