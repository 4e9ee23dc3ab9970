"""BVH into Blender and back to text: real files of every convention, and the odd ones that Blender alone refuses."""

import subprocess
import sys
from pathlib import Path

import bpy
import numpy as np
import pytest

from pads_blender.blender.files import import_bvh, open_empty_scene, save_blend, written_whole
from pads_blender.blender.rig_checks import check_bones
from pads_blender.blender.rig_reader import read_take
from pads_blender.core.bvh import (
    ARMATURE_FROM_BVH,
    bone_names,
    channel_columns,
    local_rotations,
    parse_bvh,
    read_bvh,
    replace_motion,
    world_positions,
)
from pads_blender.core.rig import Changes, pose_matrices
from pads_blender.core.rotations import angle_between
from pads_blender.errors import PadsError

TEXT = """HIERARCHY
ROOT Hips
{
  OFFSET 0.0 10.0 0.0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Spine
  {
    OFFSET 0.0 5.00 0.0
    CHANNELS 3 Yrotation Xrotation Zrotation
    End Site
    {
      OFFSET 0.0 4.0 0.0
    }
  }
  JOINT Leg
  {
    OFFSET 1.0 -1.0 0.0
    CHANNELS 3 Xrotation Yrotation Zrotation
    End Site
    {
      OFFSET 0.0 -8.0 0.0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.0083333
0 10.000 0 10 20 30  1 2 3  4 5 6
0 10.100 1  11 21 31  1 2 3  4 5 7
"""


def model_height(bvh) -> float:
    """Rest height of the figure in file units; 1.7 m stands for it in the tolerances."""
    heads = np.zeros((len(bvh.names), 3))
    for joint, parent in enumerate(bvh.parents):
        heads[joint] = bvh.offsets[joint] + (heads[parent] if parent >= 0 else 0)
    return np.linalg.norm(np.ptp(heads, axis=0))


def everything(bvh, take) -> Changes:
    moved = [any(name.endswith("position") for name in columns) for columns in channel_columns(bvh)]
    rotation = np.ones(take.rotation.shape[:2], bool)
    return Changes(rotation=rotation, location=rotation & moved)


def round_trip(bvh, path: Path) -> tuple[float, float, float]:
    """Largest errors, file to armature and to file: world position in mm of a 1.7 m figure, rotation in degrees."""
    armature = import_bvh(bvh, path)
    take = read_take(armature)
    check_bones(armature, take.names)
    assert take.names == bone_names(bvh)
    millimetres = 1700.0 / model_height(bvh)
    pose = pose_matrices(take)[..., :3, 3] @ ARMATURE_FROM_BVH
    again = replace_motion(bvh, take, everything(bvh, take))
    assert again.header == bvh.header
    return (
        np.abs(pose - world_positions(bvh)).max() * millimetres,
        np.abs(world_positions(again) - world_positions(bvh)).max() * millimetres,
        np.degrees(angle_between(local_rotations(again), local_rotations(bvh)).max()),
    )


def test_every_convention_goes_through_blender_and_back(shared_data):
    paths = sorted((shared_data / "rigs").glob("*.bvh"))
    assert len(paths) >= 14
    for path in paths:
        open_empty_scene()
        bvh = read_bvh(path)
        in_blender, in_file, degrees = round_trip(bvh, path)
        assert in_blender < 0.1, path.name
        assert in_file < 0.1, path.name
        assert degrees < 0.1, path.name
        scene = bpy.context.scene
        assert scene.render.fps / scene.render.fps_base == pytest.approx(1 / bvh.frame_time, rel=1e-5)
        assert (scene.frame_start, scene.frame_end) == (1, len(bvh.motion))


@pytest.mark.parametrize(
    ("name", "text", "encoding"),
    [
        ("plain", TEXT, "utf-8"),
        ("bom and CRLF", "\ufeff" + TEXT.replace("\n", "\r\n"), "utf-8"),
        ("latin-1", TEXT.replace("Spine", "Rücken"), "latin-1"),
        ("old mac", TEXT.replace("\n", "\r"), "utf-8"),
        ("twice the same name", TEXT.replace("JOINT Leg", "JOINT Spine"), "utf-8"),
        ("spaces and quotes", TEXT.replace("JOINT Leg", 'JOINT my "left" Leg\\'), "utf-8"),
        ("long names", TEXT.replace("Leg", "L" * 80).replace("Spine", "L" * 70 + "S"), "utf-8"),
        ("one rotation channel", TEXT.replace("CHANNELS 3 Xrotation Yrotation Zrotation", "CHANNELS 1 Yrotation")
            .replace("4 5 6", "5").replace("4 5 7", "5"), "utf-8"),
        ("one position channel", TEXT.replace("CHANNELS 6 Xposition Yposition Zposition", "CHANNELS 4 Yposition")
            .replace("0 10.000 0 ", "10 ").replace("0 10.100 1 ", "10.1 "), "utf-8"),
        ("no length", TEXT.replace("OFFSET 0.0 5.00 0.0", "OFFSET 0 0 0").replace("0.0 4.0 0.0", "0 0 0"), "utf-8"),
        ("no end site", TEXT.replace("""    End Site
    {
      OFFSET 0.0 -8.0 0.0
    }
""", ""), "utf-8"),
        ("brace on the line", TEXT.replace("\n  {", " {").replace("\n{", "{"), "utf-8"),
        ("in metres", TEXT.replace("10.0 ", "0.010 ").replace("5.00", "0.002").replace("-8.0", "-0.0005"), "utf-8"),
    ],
)  # fmt: skip
def test_odd_files(tmp_path, name, text, encoding):
    path = tmp_path / f"{name}.bvh"
    path.write_bytes(text.encode(encoding))
    bvh = read_bvh(path)
    in_blender, in_file, degrees = round_trip(bvh, path)
    assert in_blender < 0.1 and in_file < 0.1 and degrees < 0.1


def test_nothing_is_left_open_and_the_names_are_the_files(tmp_path, capfd):
    path = tmp_path / "My Walk.bvh"
    for _ in range(2):
        open_empty_scene()
        assert len(bpy.data.objects) == len(bpy.data.actions) == 0
        armature = import_bvh(parse_bvh(TEXT), path)
        assert armature.name == armature.animation_data.action.name == "My Walk"
    assert capfd.readouterr().out == ""  # the importer's chatter


@pytest.mark.skipif(sys.platform == "win32", reason="a file size cannot be limited here")
@pytest.mark.parametrize("kilobytes", [1, 16])
def test_a_blend_for_which_there_is_no_room_is_refused(tmp_path, kilobytes):
    """Blender 5.2 notices it at times, with an error of its own: with the least room always, as far as was seen."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, before[1]))
    try:
        with pytest.raises(PadsError, match=r"scene\.blend: (cannot be written in full|Blender says: File too large)"):
            save_blend(tmp_path / "scene.blend")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_save_blend_leaves_the_open_file_alone(tmp_path, capfd):
    import_bvh(parse_bvh(TEXT), tmp_path / "walk.bvh")
    save_blend(tmp_path / "new" / "scene.blend")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["scene.blend"]
    assert bpy.data.filepath == ""
    assert capfd.readouterr().out == ""
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "new" / "scene.blend"))
    assert len(read_take(bpy.data.objects["walk"]).frames) == 2


def test_written_whole_or_not_at_all(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), written_whole(target) as partial:
        partial.write_text("half")
        raise ZeroDivisionError
    assert target.read_text() == "old"
    with written_whole(target) as partial:
        partial.write_text("new")
    assert target.read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["out.txt"]


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PadsError, match="cannot be written"), written_whole(tmp_path / "file" / "out.bvh") as partial:
        partial.write_text("never")


def test_it_loads_before_anything_of_blender():
    """addon_utils is on the path only once bpy is loaded."""
    script = "import os, pads_blender.blender.files; os._exit(0)"
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", script], cwd=root, timeout=120).returncode == 0
