"""The mapping of an armature: stored on it, found among the presets, or guessed."""

import bpy
import pytest

from pads_blender.blender import rig_mapping
from pads_blender.blender.rig_mapping import (
    bone_tree,
    forget_mapping,
    map_bones,
    preset_folder,
    read_mapping,
    store_mapping,
)
from pads_blender.core.presets import save_preset
from pads_blender.errors import MappingError


@pytest.fixture(autouse=True)
def presets(tmp_path, monkeypatch):
    """A user folder of this test's own."""
    monkeypatch.setattr(rig_mapping, "preset_folder", lambda: tmp_path / "presets")
    return tmp_path / "presets"


def test_stored_before_preset_before_guess(armature, presets):
    guess = map_bones(armature)
    assert read_mapping(armature) == guess
    preset = guess.with_joint("left_toe", None)
    save_preset(presets / "walk.json", preset, *bone_tree(armature))
    read = read_mapping(armature)
    assert read.bone("left_toe") is None and read.bone("right_toe") == "RightToeBase"
    stored = guess.with_joint("head", "Neck")
    store_mapping(armature, stored)
    assert read_mapping(armature).bone("head") == "Neck" and read_mapping(armature).bone("left_toe") == "LeftToeBase"
    forget_mapping(armature)
    forget_mapping(armature)
    assert read_mapping(armature).bone("left_toe") is None


def test_a_stored_mapping_stays_in_the_file(armature, tmp_path):
    store_mapping(armature, map_bones(armature).with_joint("left_elbow", None))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "a.blend"))
    (again,) = (item for item in bpy.data.objects if item.type == "ARMATURE")
    assert read_mapping(again).bone("left_elbow") is None


def test_a_stored_mapping_that_names_bones_gone_says_so(armature):
    store_mapping(armature, map_bones(armature))
    armature.data.bones["LeftArm"].name = "Wing"
    with pytest.raises(MappingError, match=r"stored on walk names bones that the rig does not have \(LeftArm\)"):
        read_mapping(armature)
    armature.data[rig_mapping.STORED] = "{"
    with pytest.raises(MappingError, match="stored on walk is damaged"):
        read_mapping(armature)


def test_the_users_folder_is_outside_of_the_package(monkeypatch):
    monkeypatch.undo()
    assert preset_folder().parts[-2:] == ("pads_mocap", "presets")
    monkeypatch.setattr(rig_mapping, "ADD_ON", "bl_ext.user_default.pads_mocap")
    assert preset_folder().parts[-4:] == (".user", "user_default", "pads_mocap", "presets")
