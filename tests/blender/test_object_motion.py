"""Armatures whose object moves: by its own keys, by a parent, by constraints; as Blender has it, and written back."""

from dataclasses import replace

import bpy
import numpy as np
import pytest

from pads_blender.blender.compat import find_channelbag
from pads_blender.blender.rig_reader import object_entry, read_take
from pads_blender.blender.rig_writer import toggle_original, write_take, write_take_in_parts
from pads_blender.core.rig import carry_travel, world_matrices
from pads_blender.core.stand_ins import find_stand_ins

FRAMES = np.arange(1.0, 21.0)
METRES = 2e-5  # Blender computes in single precision, some metres from the origin


@pytest.fixture
def fixed_rig(build_rig, key_rig):
    """A rig whose bones only turn; no bone of it can travel."""
    armature = build_rig()
    key_rig(armature, FRAMES, properties=("rotation",))
    return armature


def fcurves_of(item):
    animation = item.animation_data
    return find_channelbag(animation.action, animation.action_slot).fcurves


def key_object(item, name, size, seed=0, times=FRAMES):
    rng, start = np.random.default_rng(seed), np.array(getattr(item, name))
    for frame in times:
        setattr(item, name, start + rng.normal(0.0, 0.5, size))
        item.keyframe_insert(name, frame=frame)
    setattr(item, name, start)


def evaluated_world(armature, frames):
    """Posed bones in the world as Blender has them, (F, B, 4, 4)."""
    matrices = []
    for frame in frames:
        bpy.context.scene.frame_set(int(frame))
        each = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        matrices.append([np.array(each.matrix_world @ each.pose.bones[b.name].matrix) for b in armature.data.bones])
    return np.array(matrices)


def assert_read_like_blender(armature):
    take = read_take(armature)
    assert take.names[0] == object_entry(armature) and find_stand_ins(take).sum() == 1
    expected = evaluated_world(armature, take.frames)
    assert np.ptp(expected[..., :3, 3], axis=0).max() > 0.5  # it moves
    np.testing.assert_allclose(world_matrices(take)[:, 1:], expected, atol=METRES)
    return take


def add_empty(name="Cart"):
    empty = bpy.data.objects.new(name, None)
    bpy.context.scene.collection.objects.link(empty)
    return empty


@pytest.mark.parametrize("names", [("location",), ("rotation_euler", "location"), ("delta_location", "delta_scale")])
def test_keys_of_the_object(fixed_rig, names):
    for number, name in enumerate(names):
        key_object(fixed_rig, name, 1 if name == "delta_scale" else 3, number)
    bpy.context.scene.frame_set(11, subframe=0.5)
    assert_read_like_blender_and_frame_kept(fixed_rig)


def assert_read_like_blender_and_frame_kept(armature):
    read_take(armature)
    assert (bpy.context.scene.frame_current, bpy.context.scene.frame_subframe) == (11, 0.5)
    assert_read_like_blender(armature)


def test_an_animated_parent_a_bone_as_parent_and_a_constraint(build_rig, key_rig, fixed_rig):
    cart = add_empty()
    cart.rotation_euler, cart.scale = (0.2, 0.1, 0.5), (2, 2, 2)
    fixed_rig.parent = cart
    fixed_rig.matrix_parent_inverse = cart.matrix_world.inverted()
    key_object(cart, "location", 3)
    assert_read_like_blender(fixed_rig)
    cart.animation_data_clear()
    horse = build_rig(name="Horse")
    horse.scale = (1, 1, 1)
    key_rig(horse, FRAMES)
    fixed_rig.parent, fixed_rig.parent_type, fixed_rig.parent_bone = horse, "BONE", "spine"
    assert_read_like_blender(fixed_rig)
    fixed_rig.parent = None
    key_object(cart, "location", 3)
    fixed_rig.constraints.new("COPY_LOCATION").target = cart
    assert_read_like_blender(fixed_rig)
    assert not read_take(fixed_rig).movable[0]  # its own location would move nothing


def test_a_driver_on_the_object(fixed_rig):
    driver = fixed_rig.driver_add("location", 2).driver
    driver.expression = "frame * 0.1"
    assert_read_like_blender(fixed_rig)


def test_an_object_that_rests_is_no_entry(fixed_rig):
    fixed_rig.keyframe_insert("location", frame=1)
    fixed_rig.keyframe_insert("location", frame=20)
    fixed_rig.parent = add_empty()
    fixed_rig.parent.keyframe_insert("location", frame=3)
    take = read_take(fixed_rig)
    assert take.names[0] == "root" and take.stand_in is None
    np.testing.assert_allclose(world_matrices(take), evaluated_world(fixed_rig, FRAMES), atol=METRES)


@pytest.mark.parametrize("parented", [False, True])
def test_travel_goes_onto_the_object_that_carries_it(fixed_rig, parented):
    if parented:
        fixed_rig.parent = add_empty()
        fixed_rig.parent.rotation_euler, fixed_rig.parent.scale = (0.2, 0.1, 0.5), (2, 2, 2)
        key_object(fixed_rig.parent, "rotation_euler", 3, 5)
    key_object(fixed_rig, "location", 3)
    fixed_rig.delta_location = (0.1, 0.2, 0.3)
    original = fixed_rig.animation_data.action
    before = read_take(fixed_rig)
    root, rows = before.names.index("root"), slice(5, 9)
    location = before.location.copy()
    location[rows, root] += [10.0, 20.0, 30.0]  # the rig is built at a hundredth of the scale
    wanted = world_matrices(replace(before, location=location))
    written = write_take(fixed_rig, before, carry_travel(before, replace(before, location=location)))
    assert written.keyed_bones == (object_entry(fixed_rig),)
    found = evaluated_world(fixed_rig, FRAMES)
    np.testing.assert_allclose(found, wanted[:, 1:], atol=METRES)
    assert np.abs(found - world_matrices(before)[:, 1:])[rows, :, :3, 3].min(axis=(0, 1)).max() > 0.1
    paths = {
        curve.data_path for curve in fcurves_of(fixed_rig) if any(k.type == "GENERATED" for k in curve.keyframe_points)
    }
    assert paths == {"location"}
    toggle_original(fixed_rig)
    assert fixed_rig.animation_data.action == original
    np.testing.assert_allclose(evaluated_world(fixed_rig, FRAMES), world_matrices(before)[:, 1:], atol=METRES)


def carried_off(rig):
    """The rig's take, and one whose root is moved, which the object has to carry."""
    key_object(rig, "location", 3)
    before = read_take(rig)
    location = before.location + np.where(np.array(before.names) == "root", 10.0, 0.0)[:, None]
    return before, carry_travel(before, replace(before, location=location))


def test_an_object_that_got_another_name_meanwhile_carries_the_travel(fixed_rig):
    before, after = carried_off(fixed_rig)
    fixed_rig.name = "Renamed"
    assert write_take(fixed_rig, before, after).keyed_bones == before.names[:1]


def test_the_window_lives_while_travel_goes_onto_the_object(fixed_rig):
    before, after = carried_off(fixed_rig)
    assert len(list(write_take_in_parts(fixed_rig, before, after))) >= len(FRAMES)


def test_hips_that_travel_keep_the_objects_own_path(build_rig, key_rig):
    armature = build_rig()
    key_rig(armature, FRAMES)
    key_object(armature, "location", 3)
    before = read_take(armature)
    location = before.location.copy()
    location[:, before.names.index("root")] += 5.0
    written = write_take(armature, before, carry_travel(before, replace(before, location=location)))
    assert written.keyed_bones == ("root",)
