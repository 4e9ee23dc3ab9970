"""Where keys may live: slots shared by several objects, NLA, layers, linked and overridden rigs."""

from dataclasses import replace

import bpy
import numpy as np
import pytest

from pads_blender.blender.rig_reader import read_take
from pads_blender.blender.rig_writer import toggle_original, write_take
from pads_blender.core.rig import pose_matrices
from pads_blender.core.rotations import angle_between, from_rotation_vector, multiply
from pads_blender.errors import TakeError

FRAMES = np.arange(1.0, 21.0)


def turned(take, bone="leg"):
    rotation, number = take.rotation.copy(), take.names.index(bone)
    rotation[5:9, number] = multiply(from_rotation_vector(np.array([0.3, 0.1, 0.0])), rotation[5:9, number])
    return replace(take, rotation=rotation)


def assert_reads(armature, take):
    assert angle_between(read_take(armature).rotation, take.rotation).max() < 2e-6


def share_action(owner, other):
    """A second slot on the owner's action with keys for the other armature."""
    action = owner.animation_data.action
    slot = action.slots.new("OBJECT", other.name)
    bag = action.layers[0].strips[0].channelbag(slot, ensure=True)
    for frame, value in ((3, 0.0), (8, 1.0)):
        fcurve = bag.fcurves.find('pose.bones["leg"].rotation_euler', index=1)
        fcurve = fcurve or bag.fcurves.new('pose.bones["leg"].rotation_euler', index=1)
        fcurve.keyframe_points.insert(frame, value)
    animation = other.animation_data_create()
    animation.action, animation.action_slot = action, slot


def test_two_armatures_in_one_action_each_have_their_own_slot(build_rig, key_rig, evaluated_matrices):
    first, second = build_rig(), build_rig(name="Other")
    key_rig(first, FRAMES)
    share_action(first, second)
    takes = {rig: read_take(rig) for rig in (first, second)}
    assert takes[second].frames.tolist() == list(range(3, 9))
    for rig, take in takes.items():
        np.testing.assert_allclose(pose_matrices(take), evaluated_matrices(rig, take.frames), atol=2e-5)
    original = first.animation_data.action
    after = turned(takes[first])
    write_take(first, takes[first], after)
    assert second.animation_data.action == original != first.animation_data.action
    assert_reads(first, after)
    assert_reads(second, takes[second])
    write_take(second, takes[second], replace(takes[second], rotation=turned_slightly(takes[second])))
    assert first.animation_data.action != second.animation_data.action
    assert_reads(first, after)
    toggle_original(first)
    toggle_original(second)
    for rig, take in takes.items():
        assert rig.animation_data.action == original
        assert_reads(rig, take)
    toggle_original(first)  # its own cleaned action, though the other's is newer
    assert_reads(first, after)


def turned_slightly(take):
    rotation, leg = take.rotation.copy(), take.names.index("leg")
    rotation[:, leg] = multiply(from_rotation_vector(np.array([0.0, 0.1, 0.0])), rotation[:, leg])
    return rotation


def test_nla_is_refused_unless_it_is_switched_off(build_rig, key_rig):
    armature = build_rig()
    action = key_rig(armature, FRAMES)
    animation = armature.animation_data
    track = animation.nla_tracks.new()
    track.strips.new("strip", 1, action)
    with pytest.raises(TakeError, match=r"NLA strips.*bake"):
        read_take(armature)
    animation.use_nla = False
    assert len(read_take(armature).frames) == 20
    animation.use_nla, track.mute = True, True
    assert len(read_take(armature).frames) == 20


def test_influence_without_strips_means_nothing(build_rig, key_rig, evaluated_matrices):
    armature = build_rig()
    key_rig(armature, FRAMES)
    armature.animation_data.action_influence = 0.5
    armature.animation_data.nla_tracks.new().mute = True
    pose = pose_matrices(read_take(armature))
    np.testing.assert_allclose(pose, evaluated_matrices(armature, FRAMES), atol=2e-5)


def test_drivers_and_constraints_elsewhere_do_not_matter(build_rig, key_rig, evaluated_matrices):
    armature = build_rig()
    key_rig(armature, FRAMES)
    armature.pose.bones["hand"]["grip"] = 0.0
    armature.driver_add('pose.bones["hand"]["grip"]').driver.expression = "frame * 0.1"
    take = read_take(armature)
    np.testing.assert_allclose(pose_matrices(take), evaluated_matrices(armature, FRAMES), atol=2e-5)
    after = turned(take)
    write_take(armature, take, after)
    assert_reads(armature, after)
    assert len(armature.animation_data.drivers) == 1


@pytest.fixture
def linked_rig(build_rig, tmp_path):
    """A character from a library file, linked; the animation comes along if there is any."""

    def link(armature):
        path, collection = str(tmp_path / "character.blend"), bpy.data.collections.new("Character")
        bpy.context.scene.collection.children.link(collection)
        collection.objects.link(armature)
        bpy.data.libraries.write(path, {collection})
        bpy.ops.wm.read_factory_settings(use_empty=True)
        with bpy.data.libraries.load(path, link=True) as (_, wanted):
            wanted.collections = ["Character"]
        linked = bpy.data.collections["Character"]
        bpy.context.scene.collection.children.link(linked)
        return linked

    return link


def override(collection, editable=True):
    collection.override_hierarchy_create(bpy.context.scene, bpy.context.view_layer, do_fully_editable=editable)
    return next(each for each in bpy.data.objects if each.override_library)


def test_a_linked_armature_is_refused(build_rig, key_rig, linked_rig):
    armature = build_rig()
    key_rig(armature, FRAMES)
    armature = linked_rig(armature).objects["Rig"]
    with pytest.raises(TakeError, match="linked"):
        read_take(armature)


@pytest.mark.parametrize("animated_in_library", [True, False])
def test_a_library_override_is_read_written_and_kept_in_the_file(
    build_rig, key_rig, linked_rig, tmp_path, animated_in_library
):
    armature = build_rig()
    if animated_in_library:
        key_rig(armature, FRAMES)
    armature = override(linked_rig(armature))
    if not animated_in_library:
        key_rig(armature, FRAMES)
    assert bool(armature.animation_data.action.library) == animated_in_library
    take = read_take(armature)
    after = turned(take)
    assert write_take(armature, take, after).keyed_bones == ("leg",)
    assert_reads(armature, after)
    path = str(tmp_path / "shot.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    armature = next(each for each in bpy.data.objects if each.override_library)
    assert_reads(armature, after)
    toggle_original(armature)
    assert_reads(armature, take)


def test_an_override_that_is_not_editable_is_refused(build_rig, key_rig, linked_rig):
    armature = build_rig()
    key_rig(armature, FRAMES)
    armature = override(linked_rig(armature), editable=False)
    if not armature.override_library.is_system_override:
        armature.override_library.is_system_override = True
    with pytest.raises(TakeError, match="make it editable"):
        read_take(armature)


def test_layers_and_strips_beyond_the_first_are_refused_where_blender_has_them(build_rig, key_rig):
    """Up to 5.2 Blender itself refuses a second layer: the day it does not, this test says so."""
    armature = build_rig()
    action = key_rig(armature, FRAMES)
    with pytest.raises(RuntimeError):
        action.layers.new("Second")
    with pytest.raises(RuntimeError):
        action.layers[0].strips.new(type="KEYFRAME")
