"""Rigs and takes that nobody wants: each button does its work or says in one sentence why not, and nothing breaks.

Every button is pressed, in Object Mode and in Pose Mode with all bones selected; on heavy rigs some of them.
"""

from pathlib import Path

import bpy
import numpy as np
import pytest

from pads_blender.blender.files import import_bvh, open_motion
from pads_blender.core.bvh import parse_bvh
from pads_blender.errors import PadsError
from tests.reliability.buttons import FEW, GREY, press_each, press_everything
from tests.reliability.leftovers import keys_of
from tests.shaky_takes import shaky_take

pytestmark = pytest.mark.usefixtures("registered")


@pytest.fixture(autouse=True)
def _nothing_broke_unseen(capfd):
    """Blender prints what breaks in a poll, or in drawing, and goes on."""
    yield
    assert "Traceback" not in "".join(capfd.readouterr())


def take(frames: int = 24) -> bpy.types.Object:
    return import_bvh(parse_bvh(shaky_take(frames)), Path("take.bvh"))


def curves(armature):
    return list(armature.animation_data.action.layers[0].strips[0].channelbags[0].fcurves)


def test_on_a_sound_take_all_buttons_can_be_pressed():
    """Or else the rest would prove little."""
    take(40)
    said = press_everything()
    grey = {name for name, text in said.items() if text == GREY}
    assert grey == {"cancel", "keep_back", "estimate"}  # nothing goes on, there is no window and no film
    assert len([text for text in said.values() if not text]) > 15, said


def test_nothing_and_no_armature(build_rig):
    assert set(press_each(FEW).values()) == {GREY}
    press_everything()
    mesh = bpy.data.objects.new("Mesh", bpy.data.meshes.new("Mesh"))
    bpy.context.scene.collection.objects.link(mesh)
    bpy.context.view_layer.objects.active = mesh
    assert set(press_each(FEW).values()) == {GREY}
    press_everything()


def test_no_bones_and_two_bones(build_rig, chain, key_rig):
    build_rig(chain(0), "Empty")
    said = press_everything()
    assert said["clean"] and said["vary_pose"], said
    key_rig(build_rig(chain(2), "Two"), np.arange(20.0))
    said = press_everything()
    assert "Error" in said["clean"]


@pytest.mark.parametrize("scale", [(0.0, 0.0, 0.0), (-1.0, -1.0, -1.0), (1.0, -1.0, 1.0), (1e-8,) * 3, (1e8,) * 3])
def test_an_object_of_any_scale(scale):
    armature = take()
    armature.scale = scale
    press_everything()


def test_bones_scaled_to_nothing():
    armature = take()
    for name in ("LeftLeg", "Chest"):
        armature.pose.bones[name].scale = (0.0, 0.0, 0.0)
    press_everything()


def test_bones_of_hardly_any_length():
    armature = take()
    bpy.ops.object.mode_set(mode="EDIT")
    for bone in armature.data.edit_bones:
        if bone.name in ("LeftLeg", "LeftFoot", "Neck"):
            bone.tail = bone.head + 1e-5 * (bone.tail - bone.head)
    bpy.ops.object.mode_set(mode="OBJECT")
    press_everything()


def test_constraints_in_a_circle():
    armature = take()
    for one, other in (("LeftArm", "RightArm"), ("RightArm", "LeftArm")):
        constraint = armature.pose.bones[one].constraints.new("COPY_LOCATION")
        constraint.target, constraint.subtarget, constraint.influence = armature, other, 0.5
    press_everything()


def test_a_library_that_is_gone(tmp_path):
    take()
    path = tmp_path / "library.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    bpy.ops.wm.read_homefile(use_empty=True)
    with bpy.data.libraries.load(str(path), link=True) as (found, wanted):
        wanted.objects = found.objects
    for item in wanted.objects:
        bpy.context.scene.collection.objects.link(item)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "user.blend"))
    path.unlink()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "user.blend"))
    for item in bpy.context.scene.objects:
        bpy.context.view_layer.objects.active = item
    press_everything()
    with pytest.raises(PadsError):
        open_motion(tmp_path / "library.blend")


def test_five_thousand_bones():
    """All on the head, as a face rig has them."""
    text = shaky_take(4)
    end = text.index("End Site")
    bones = "".join(f"JOINT extra{i}\n{{\nOFFSET 0 1 0\nCHANNELS 0\n}}\n" for i in range(5000))
    armature = import_bvh(parse_bvh(text[:end] + bones + text[end:]), Path("take.bvh"))
    assert len(armature.data.bones) > 5000
    assert press_each(FEW)["clean"] == ""


def test_no_keys_and_keys_on_one_frame():
    armature = take()
    for curve in curves(armature):
        curve.keyframe_points.clear()
    assert "clean" in press_everything()
    bpy.ops.wm.read_homefile(use_empty=True)
    armature = take(1)
    assert all(len(curve.keyframe_points) == 1 for curve in curves(armature))
    press_everything()


@pytest.mark.parametrize("fps", [1, 1000])
def test_any_frame_rate(fps):
    take(60)
    bpy.context.scene.render.fps, bpy.context.scene.render.fps_base = fps, 1.0
    assert press_everything()["clean"] == ""


def test_keys_between_frames_stay_there():
    armature = take(40)
    for curve in curves(armature):
        for key in curve.keyframe_points:
            key.co[0] = 1.0 + 0.37 * (key.co[0] - 1.0)
        curve.update()
    times = keys_of(armature.animation_data.action)[:, 0]
    assert press_each(FEW)["clean"] == ""
    cleaned = armature.animation_data.action
    assert cleaned.name == "take.pads"
    np.testing.assert_array_equal(keys_of(cleaned)[:, 0], times)
    press_everything()


@pytest.mark.parametrize(
    ("path", "value"), [("rotation", np.nan), ("location", np.nan), ("location", np.inf), ("location", -1e30)]
)
def test_a_key_that_is_no_number_is_named_with_its_bone_and_frame(path, value):
    armature = take()
    (curve, *_) = [each for each in curves(armature) if path in each.data_path]
    curve.keyframe_points[5].co[1] = value
    curve.update()
    said = {}
    for name in FEW[1:]:
        with pytest.raises(RuntimeError) as caught:
            getattr(bpy.ops.pads, name)()
        said[name] = str(caught.value)
    assert all("not a number: bone Hips, frame" in text for text in said.values()), said
    assert [action.name for action in bpy.data.actions] == ["take"]


def test_a_key_that_went_astray_does_not_fill_the_memory():
    armature = take()
    curve = curves(armature)[0]
    curve.keyframe_points.insert(5e6, 0.0)
    with pytest.raises(RuntimeError, match="delete those that went astray"):
        bpy.ops.pads.clean()
