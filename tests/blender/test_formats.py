"""FBX, glTF, .blend and BVH through the command line: what goes in and what comes out, and what is refused."""

import json
from pathlib import Path

import bpy
import numpy as np
import pytest

from pads_blender.blender import batch, file_jobs
from pads_blender.blender.exports import export_motion
from pads_blender.blender.files import open_motion
from pads_blender.blender.rig_reader import read_take
from pads_blender.core import rotations as rot
from pads_blender.core.gltf import frame_rate, read_gltf
from pads_blender.core.retarget import unscaled
from pads_blender.core.rig import world_matrices

MILLIMETRES, DEGREES = 0.1, 0.1
OUTPUTS = (".fbx", ".glb", ".gltf", ".blend", ".bvh")


def run(*arguments: object) -> int:
    return batch.main([str(argument) for argument in arguments])


@pytest.fixture
def take(tmp_path, dirty_text) -> Path:
    path = tmp_path / "walk.bvh"
    path.write_bytes(dirty_text().encode())
    return path


def two_characters(path: Path, dirty_text) -> None:
    """A .blend with two dirty figures side by side, and a prop with keys that is no body."""
    from pads_blender.blender.files import import_bvh, open_empty_scene, save_blend
    from pads_blender.core.bvh import parse_bvh

    open_empty_scene()
    for number in range(2):
        armature = import_bvh(parse_bvh(dirty_text(seed=number)), Path(f"Actor{number}.bvh"))
        armature.location.x = 100.0 * number
    bpy.ops.object.armature_add()
    prop = bpy.context.object
    prop.name = "Prop"
    for frame in (1, 40):
        prop.pose.bones[0].keyframe_insert("location", frame=frame)
    save_blend(path)


def _millimetres(heads: np.ndarray) -> np.ndarray:
    """Heads (F, B, 3) in millimetres of a figure whose first pose spans 1.7 m."""
    return heads * 1700.0 / np.linalg.norm(np.ptp(heads[0], axis=0))


class Track:
    """What a file shows: heads (F, B, 3) in millimetres of a figure of 1.7 m, and turns (F, B, 4) from rest, world."""

    def __init__(self, path: Path) -> None:
        (armature,) = open_motion(path).armatures
        take = read_take(armature)
        world, rest = world_matrices(take), take.world_from_armature @ take.rest
        self.names, self.frames, self.fps = take.names, take.frames, take.fps
        self.turns = rot.multiply(
            rot.from_matrix(unscaled(world[..., :3, :3])), rot.inverse(rot.from_matrix(unscaled(rest[:, :3, :3])))
        )
        self.heads, self.rest = (_millimetres(heads) for heads in (world[..., :3, 3], rest[None, :, :3, 3]))

    def errors(self, other: "Track") -> tuple[float, float, float]:
        """Largest differences of heads, turns and rest heads to another file of the same bones, by their names."""
        order = [other.names.index(name) for name in self.names]
        return (
            float(np.abs(self.heads - other.heads[:, order]).max()),
            float(np.degrees(rot.angle_between(self.turns, other.turns[:, order])).max()),
            float(np.abs(self.rest - other.rest[:, order]).max()),
        )


def check_same(before: Track, after: Track) -> None:
    assert set(before.names) == set(after.names)
    assert len(before.frames) == len(after.frames) and after.fps == pytest.approx(before.fps, rel=1e-4)
    assert np.ptp(before.heads, axis=0).max() > 10.0  # it moves at all
    millimetres, degrees, rest = before.errors(after)
    assert millimetres < MILLIMETRES and degrees < DEGREES and rest < MILLIMETRES


@pytest.mark.parametrize("suffix", OUTPUTS)
@pytest.mark.parametrize(
    "name", ["cmu_amp.fbx", "cmu_unity_humanoid.fbx", "mixamo.bvh", "hik_spine3_24.bvh", "vrm_idle_loop.vrma"]
)
def test_a_file_written_anew_shows_the_same_motion(shared_data, tmp_path, name, suffix):
    """Unit scale, axes, rest pose and baked keys: what exporter and importer make of them together."""
    source, target = shared_data / "rigs" / name, tmp_path / f"out{suffix}"
    before = Track(source)
    export_motion(target, open_motion(source).armatures, (int(before.frames[0]), int(before.frames[-1])))
    check_same(before, Track(target))
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".pads")]


@pytest.mark.parametrize("first", [".fbx", ".glb", ".gltf", ".blend"])
def test_strength_zero_in_every_format_changes_nothing(take, tmp_path, first):
    made, again = tmp_path / f"made{first}", tmp_path / "again" / f"again{first}"
    assert run("clean", take, "-o", made, "--strength", 0) == 0
    assert run("clean", made, "-o", again, "--strength", 0) == 0
    assert run("clean", again, "-o", tmp_path / "back.bvh", "--strength", 0) == 0
    source = Track(take)
    for path in (made, again, tmp_path / "back.bvh"):
        check_same(source, Track(path))


@pytest.mark.parametrize("suffix", [".fbx", ".glb"])
def test_the_frame_rate_is_the_files_own(take, tmp_path, suffix):
    """30.03 frames a second: Blender's glTF add-on takes the base of the rate the wrong way round."""
    assert run("clean", take, "-o", tmp_path / f"out{suffix}", "--strength", 0) == 0
    assert Track(tmp_path / f"out{suffix}").fps == pytest.approx(1 / 0.0333, rel=1e-5)
    if suffix == ".glb":
        assert frame_rate(read_gltf(tmp_path / "out.glb")) == pytest.approx(1 / 0.0333, rel=1e-5)


def test_an_fbx_is_cleaned_as_the_bvh_that_it_was_made_of(take, tmp_path):
    fbx, out = tmp_path / "walk.fbx", tmp_path / "out.fbx"
    assert run("clean", take, "-o", fbx, "--strength", 0) == 0
    assert run("clean", take, "-o", tmp_path / "straight.bvh") == 0
    assert run("clean", fbx, "-o", out, "--report", tmp_path / "report.json") == 0
    straight, around = Track(tmp_path / "straight.bvh"), Track(out)
    millimetres, degrees, _ = straight.errors(around)
    assert millimetres < 5.0 and degrees < 2.0  # of single precision, which the seeded sampler sees as another take
    assert straight.errors(Track(take))[1] > 3.0  # what Clean changed
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["mapping"]["joints"]["left_elbow"]["bone"] == "LeftForeArm" and report["frames"] == 40


def test_each_armature_is_cleaned_with_its_own_mapping(dirty_text, tmp_path, capfd):
    scene, out = tmp_path / "scene.blend", tmp_path / "out.blend"
    two_characters(scene, dirty_text)
    assert run("clean", scene, "-o", out, "--report", tmp_path / "report.json") == 0
    report = json.loads((tmp_path / "report.json").read_text())
    first, second, prop = report["armatures"]
    assert (first["armature"], second["armature"], prop["armature"]) == ("Actor0", "Actor1", "Prop")
    assert first["joints"]["left_elbow"]["degrees_mean"] > 0.1 and second["joints"]["left_elbow"]["degrees_mean"] > 0.1
    assert "No bone was recognised" in prop["error"] and report["frames"] == 80
    assert "Prop: No bone was recognised" in capfd.readouterr().err
    bpy.ops.wm.open_mainfile(filepath=str(out))
    names = [bpy.data.objects[name].animation_data.action.name for name in ("Actor0", "Actor1", "Prop")]
    assert names[:2] == ["Actor0.pads", "Actor1.pads"] and not names[2].endswith(".pads")


def test_one_of_several_armatures_can_be_chosen(dirty_text, tmp_path, capfd):
    scene, out = tmp_path / "scene.blend", tmp_path / "out.bvh"
    two_characters(scene, dirty_text)
    assert run("clean", scene, "-o", out) == 1
    assert "choose one with --armature: Actor0, Actor1, Prop" in capfd.readouterr().err
    assert run("clean", scene, "-o", out, "--armature", "Actor1") == 0
    assert len(Track(out).frames) == 40
    assert run("clean", scene, "-o", out, "--armature", "Nobody") == 1
    assert "no armature called Nobody" in capfd.readouterr().err
    assert run("map", scene, "--armature", "Actor0") == 0
    assert json.loads(capfd.readouterr().out)["joints"]["head"]["bone"] == "Head"
    assert run("find", scene, "--armature", "Actor0", "--json", tmp_path / "found.json") == 0
    assert json.loads((tmp_path / "found.json").read_text())


def test_a_preset_file_is_saved_and_taken(take, tmp_path, capfd):
    preset, plain, out = tmp_path / "hero.json", tmp_path / "plain.json", tmp_path / "out.bvh"
    assert run("map", take, "--save", preset) == 0
    guess = json.loads(capfd.readouterr().out)
    data = json.loads(preset.read_text())
    assert data["joints"] == guess["joints"]
    preset.write_text(json.dumps(data | {"joints": data["joints"] | {"left_elbow": None}}))
    assert run("map", take, "--preset", preset) == 0
    assert json.loads(capfd.readouterr().out)["joints"]["left_elbow"] is None
    assert run("clean", take, "-o", out, "--preset", preset, "--report", tmp_path / "report.json") == 0
    assert "left_elbow" not in json.loads((tmp_path / "report.json").read_text())["joints"]
    plain.write_text("{}")
    assert run("clean", take, "-o", out, "--preset", plain) == 1
    assert f"{plain}: this is no bone mapping of PADS." in capfd.readouterr().err


def test_vrma_maps_and_is_never_written(shared_data, tmp_path, capfd):
    source = shared_data / "rigs" / "vrm_idle_loop.vrma"
    assert run("map", source) == 0
    assert json.loads(capfd.readouterr().out)["joints"]["left_elbow"]["bone"] == "l_low_arm"
    assert run("clean", source, "-o", tmp_path / "out.vrma") == 2
    assert run("clean", source, "-o", tmp_path) == 2
    assert "can only be read" in capfd.readouterr().err


@pytest.mark.parametrize("suffix", [".fbx", ".glb", ".gltf", ".vrma", ".blend", ".xyz"])
def test_damaged_and_missing_files_are_named(tmp_path, capfd, suffix):
    broken, out = tmp_path / f"broken{suffix}", tmp_path / "out.bvh"
    broken.write_bytes(b"glTF this is nothing of the kind")
    assert run("clean", broken, tmp_path / f"missing{suffix}", "-o", tmp_path / "out") in (1, 2)
    said = capfd.readouterr().err
    assert "Traceback" not in said and f"{suffix}" in said
    assert run("map", broken) == 1
    assert str(broken) in capfd.readouterr().err
    assert not out.exists()


def test_the_switch_to_fk_is_passed_on(dirty_text, tmp_path, capfd, monkeypatch):
    """The option reaches reader and writer; what they do with it: test_rigify.py."""
    seen = []
    real = file_jobs.clean_armature
    monkeypatch.setattr(
        file_jobs, "clean_armature", lambda *given, switch_to_fk: seen.append(switch_to_fk) or real(*given)
    )
    path = tmp_path / "walk.bvh"
    path.write_bytes(dirty_text().encode())
    for words in ((), ("--switch-to-fk",)):
        assert run("clean", path, "-o", tmp_path / "out.bvh", "--strength", 0, *words) == 0
    assert seen == [False, True]


def test_a_gltf_without_a_skin_finds_its_buffers(shared_data, tmp_path):
    """A .vrma taken apart into text and buffer, in a folder with a blank in its name."""
    source, folder = shared_data / "rigs" / "vrm_idle_loop.vrma", tmp_path / "my takes"
    gltf = read_gltf(source)
    folder.mkdir()
    (folder / "my buffer.bin").write_bytes(gltf.chunks[8:])
    buffers = [gltf.data["buffers"][0] | {"uri": "my%20buffer.bin"}]
    (folder / "idle.gltf").write_text(json.dumps(gltf.data | {"buffers": buffers}))
    check_same(Track(source), Track(folder / "idle.gltf"))
