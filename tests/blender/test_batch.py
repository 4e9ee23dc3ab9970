"""The command line from file to file, in this process and as a program of its own, on a small take made here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import bpy
import numpy as np
import pytest

from pads_blender.blender import addon, batch, batch_clean, file_jobs
from pads_blender.blender.batch_options import hidden_bones
from pads_blender.blender.rig_reader import read_take
from pads_blender.blender.rig_writer import toggle_original
from pads_blender.core.bvh import channel_columns, local_rotations, read_bvh, with_motion, world_positions, write_bvh
from pads_blender.core.rotations import angle_between

ROOT = Path(__file__).resolve().parents[2]
FRAMES = 40


@pytest.fixture
def take(tmp_path, dirty_text) -> Path:
    path = tmp_path / "walk.bvh"
    path.write_bytes(dirty_text().encode())
    return path


def run(*arguments: object) -> int:
    return batch.main([str(argument) for argument in arguments])


def rows_of(path: Path) -> tuple[bytes, list[bytes]]:
    """The text before the values, and each row of values."""
    head, _, rows = path.read_bytes().partition(b"0.0333\r\n")
    return head, rows.splitlines()


def test_clean_keeps_the_file_and_lowers_the_jitter(take, tmp_path, capfd):
    out, report_path = tmp_path / "new" / "clean.bvh", tmp_path / "report.json"
    before = take.read_bytes()
    assert run("clean", take, "-o", out, "--report", report_path) == 0
    assert take.read_bytes() == before
    assert rows_of(out)[0] == rows_of(take)[0]
    assert len(rows_of(out)[1]) == FRAMES and out.read_bytes().endswith(b"\r\n")
    jitter = [np.abs(np.diff(world_positions(read_bvh(path)), 3, axis=0)).mean() for path in (take, out)]
    assert jitter[1] < 0.5 * jitter[0]
    report = json.loads(report_path.read_text())
    assert report["frames"] == FRAMES and report["fps"] == pytest.approx(1 / 0.0333, rel=1e-6)
    assert report["mapping"]["joints"]["left_elbow"]["bone"] == "LeftForeArm"
    assert report["joints"]["left_elbow"]["degrees_mean"] > 0.1 and report["joints"]["left_elbow"]["mm_max"] > 0.1
    assert report["seconds"] > 0 and report["frames_per_second"] > 0 and "CPU" in report["device"]
    output = capfd.readouterr()
    assert output.out == ""
    assert "pads: walk.bvh: 100 %" in output.err and "done, 40 frames" in output.err
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["clean.bvh", "new", "report.json", "walk.bvh"]


def test_the_report_is_what_the_file_says(take, tmp_path):
    out, report_path = tmp_path / "clean.bvh", tmp_path / "report.json"
    run("clean", take, "-o", out, "--report", report_path)
    old, new = read_bvh(take), read_bvh(out)
    elbow = old.names.index("LeftForeArm")
    degrees = np.degrees(angle_between(local_rotations(old)[:, elbow], local_rotations(new)[:, elbow]))
    reported = json.loads(report_path.read_text())["joints"]["left_elbow"]
    assert reported["degrees_max"] == pytest.approx(degrees.max(), abs=0.01)
    assert reported["degrees_mean"] == pytest.approx(degrees.mean(), abs=0.01)


def test_a_bad_file_is_named_with_its_line_and_the_others_are_done(take, dirty_text, tmp_path, capfd):
    broken, other = tmp_path / "broken.bvh", tmp_path / "other.bvh"
    broken.write_bytes(take.read_bytes().replace(b"Frames: 40", b"Frames: 4o"))
    other.write_bytes(dirty_text(seed=1).encode())
    line = 1 + broken.read_bytes().splitlines().index(b"Frames: 4o")
    report_path, missing = tmp_path / "report.json", tmp_path / "missing.bvh"
    out = tmp_path / "out"
    assert run("clean", broken, take, missing, other, "-o", out, "--report", report_path) == 1
    error = capfd.readouterr().err
    assert f'pads: {broken}: line {line}: Frames: "4o" is not a number.\n' in error
    assert f"pads: {missing}: cannot be read" in error
    assert sorted(path.name for path in out.iterdir()) == ["other.bvh", "walk.bvh"]
    assert [("error" in report) for report in json.loads(report_path.read_text())] == [True, False, True, False]


def test_files_after_one_another_are_as_alone(take, dirty_text, tmp_path):
    other = tmp_path / "other.bvh"
    other.write_bytes(dirty_text(seed=1).encode())
    assert run("clean", other, take, "-o", tmp_path / "together") == 0
    assert run("clean", take, "-o", tmp_path / "alone.bvh") == 0
    assert (tmp_path / "together" / "walk.bvh").read_bytes() == (tmp_path / "alone.bvh").read_bytes()


def test_frames_outside_of_the_range_keep_their_text(take, tmp_path):
    out = tmp_path / "out.bvh"
    assert run("clean", take, "-o", out, "--start", 10, "--end", 25) == 0
    (_, old), (_, new) = rows_of(take), rows_of(out)
    changed = [frame for frame, (a, b) in enumerate(zip(old, new, strict=True), start=1) if a != b]
    assert changed == list(range(10, 26))


def test_complete_fills_bones_in_their_frames(take, tmp_path):
    plain, out, report = tmp_path / "plain.bvh", tmp_path / "out.bvh", tmp_path / "report.json"
    assert run("clean", take, "-o", plain, "--strength", 0.01) == 0
    arguments = ("--strength", 0.01, "--complete", "LeftArm,LeftForeArm:12-30", "--report", report)
    assert run("clean", take, "-o", out, *arguments) == 0
    old, new = local_rotations(read_bvh(plain)), local_rotations(read_bvh(out))
    names = read_bvh(take).names
    changed = angle_between(old, new) > np.radians(0.01)
    assert {names[bone] for bone in np.flatnonzero(changed.any(axis=0))} >= {"LeftArm", "LeftForeArm"}
    arm = names.index("LeftForeArm")
    assert changed[11:30, arm].sum() > 15
    assert json.loads(report.read_text())["joints"]["left_elbow"]["completed_frames"] == 19


def test_feet_are_held_unless_told_otherwise(take, tmp_path):
    held, free, report = tmp_path / "held.bvh", tmp_path / "free.bvh", tmp_path / "report.json"
    assert run("clean", take, "-o", held, "--report", report) == 0
    assert run("clean", take, "-o", free, "--feet", 0) == 0
    turned = angle_between(local_rotations(read_bvh(held)), local_rotations(read_bvh(free))).max(axis=0)
    names = np.array(read_bvh(take).names)
    assert set(names[turned > np.radians(0.01)]) <= {
        f"{s}{b}" for s in ("Left", "Right") for b in ("UpLeg", "Leg", "Foot")
    }
    told = json.loads(report.read_text())
    assert told["settings"]["feet"] == 1.0
    assert set(told["feet"]) == {"skate_before", "skate_after", "contacts"}
    assert all(told["first_frame"] <= c["first"] <= c["last"] <= told["last_frame"] for c in told["feet"]["contacts"])


def test_strength_zero_changes_nothing(take, tmp_path):
    out = tmp_path / "out.bvh"
    assert run("clean", take, "-o", out, "--strength", 0) == 0
    assert out.read_bytes() == take.read_bytes()


def test_the_same_seed_gives_the_same_file(take, tmp_path):
    outs = [tmp_path / f"{i}.bvh" for i in range(2)]
    for out in outs:
        assert run("clean", take, "-o", out, "--seed", 7, "--steps", 3) == 0
    assert outs[0].read_bytes() == outs[1].read_bytes()


def test_the_blend_holds_both_actions(take, tmp_path):
    blend, out = tmp_path / "rig.blend", tmp_path / "out.bvh"
    assert run("clean", take, "-o", out, "--blend", blend) == 0
    bpy.ops.wm.open_mainfile(filepath=str(blend))
    armature = bpy.data.objects["walk"]
    assert armature.animation_data.action.name == "walk.pads"
    cleaned = read_take(armature)
    assert toggle_original(armature) == "walk"
    original = read_take(armature)
    # What the file says is what the rig does: same change from one to the other, bone by bone.
    expected = angle_between(local_rotations(read_bvh(take)), local_rotations(read_bvh(out)))
    order = [cleaned.names.index(name) for name in read_bvh(take).names]
    found = angle_between(original.rotation, cleaned.rotation)[:, order]
    np.testing.assert_allclose(np.degrees(found), np.degrees(expected), atol=0.01)


@pytest.mark.parametrize(
    "arguments",
    [
        ["clean", "{take}"],
        ["clean", "-o", "{out}"],
        ["clean", "{take}", "-o", "{take}"],
        ["clean", "{take}", "-o", "{folder}"],
        ["clean", "{take}", "{take}", "-o", "{folder}/new"],
        ["clean", "{take}", "{folder}/other.bvh", "-o", "{out}"],
        ["clean", "{take}", "{folder}/other.bvh", "-o", "{folder}/new", "--blend", "{folder}/a.blend"],
        ["clean", "{take}", "-o", "{out}", "--report", "{take}"],
        ["clean", "{take}", "-o", "{folder}/out.vrma"],
        ["map", "{take}", "--save", "{take}"],
        ["clean", "{take}", "-o", "{out}", "--strength", "1.5"],
        ["clean", "{take}", "-o", "{out}", "--feet", "2"],
        ["clean", "{take}", "-o", "{out}", "--steps", "0"],
        ["clean", "{take}", "-o", "{out}", "--samples", "1"],
        ["clean", "{take}", "-o", "{out}", "--samples", "4", "--prior", "pose"],
        ["clean", "{take}", "-o", "{out}", "--start", "20", "--end", "10"],
        ["clean", "{take}", "-o", "{out}", "--complete", "LeftArm:20-10"],
        ["clean", "{take}", "-o", "{out}", "--complete", ","],
        ["clean", "{take}", "-o", "{out}", "--sampler", "magic"],
        ["polish", "{take}"],
        [],
    ],
)
def test_wrong_use_is_said_and_writes_nothing(take, tmp_path, capfd, arguments):
    before = take.read_bytes()
    out = tmp_path / "out.bvh"
    assert run(*(argument.format(take=take, out=out, folder=tmp_path) for argument in arguments)) == 2
    assert "pads" in capfd.readouterr().err
    assert take.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["walk.bvh"]


def test_an_input_behind_a_link_is_not_overwritten(take, tmp_path):
    before = take.read_bytes()
    (tmp_path / "link.bvh").symlink_to(take)
    os.link(take, tmp_path / "hard.bvh")
    for name in ("link.bvh", "hard.bvh"):
        assert run("clean", take, "-o", tmp_path / name) == 2
    assert take.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--complete", "LeftForearm"), "no bone called LeftForearm: did you mean LeftForeArm?"),
        (("--complete", "LeftArm:90-95"), "frames 1 to 40"),
        (("--start", 41), "frames 1 to 40"),
        (("--end", 0), "frames 1 to 40"),
    ],
)
def test_what_the_take_does_not_have(take, tmp_path, capfd, arguments, words):
    assert run("clean", take, "-o", tmp_path / "out.bvh", *arguments) == 1
    assert words in capfd.readouterr().err
    assert not (tmp_path / "out.bvh").exists()


def test_bone_names_may_hold_colons():
    parsed = hidden_bones("mixamorig:LeftArm,mixamorig:LeftHand:30-90")
    assert parsed.bones == ("mixamorig:LeftArm", "mixamorig:LeftHand")
    assert (parsed.first, parsed.last) == (30, 90)
    assert hidden_bones("mixamorig:LeftArm").bones == ("mixamorig:LeftArm",)
    assert hidden_bones("Arm:-5-10").first == -5


def test_a_rig_that_is_no_body_is_refused(tmp_path, capfd):
    path = tmp_path / "prop.bvh"
    path.write_text(
        "HIERARCHY\nROOT Cube {\nOFFSET 0 0 0\nCHANNELS 3 Xrotation Yrotation Zrotation\n}\n"
        "MOTION\nFrames: 1\nFrame Time: 0.1\n0 0 0\n"
    )
    assert run("clean", path, "-o", tmp_path / "out.bvh") == 1
    assert run("map", path) == 1
    assert capfd.readouterr().err.count(f"pads: {path}: No bone") == 2


def test_a_bug_in_one_file_does_not_end_the_batch(take, dirty_text, tmp_path, capfd, monkeypatch):
    other = tmp_path / "other.bvh"
    other.write_bytes(dirty_text(seed=1).encode())
    real = batch_clean.clean_file

    def fail_on_walk(job, prior, on_step):
        if job.source.path == take:
            raise ZeroDivisionError("division by zero")
        return real(job, prior, on_step)

    monkeypatch.setattr(batch_clean, "clean_file", fail_on_walk)
    assert run("clean", take, other, "-o", tmp_path / "out") == 1
    error = capfd.readouterr().err
    assert "Traceback" in error and "unexpected error" in error
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["other.bvh"]


def test_an_interrupt_leaves_the_old_output(take, tmp_path, monkeypatch):
    out = tmp_path / "out.bvh"
    out.write_text("old")

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(file_jobs, "write_bvh", interrupt)
    assert run("clean", take, "-o", out) == 130
    assert out.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.bvh", "walk.bvh"]


def test_map_prints_json_and_nothing_else(take, capfd):
    assert run("map", take) == 0
    mapping = json.loads(capfd.readouterr().out)
    assert mapping["joints"]["right_knee"]["bone"] == "RightLeg"
    assert mapping["joints"]["head_top"] is None
    assert 0.5 < mapping["joints"]["pelvis"]["confidence"] <= 1.0


def test_find_lists_what_is_broken_and_writes_it(take, tmp_path, capfd):
    out, lines = tmp_path / "found.json", take.read_bytes().split(b"\r\n")
    row = lines[-1 - FRAMES + 20].split()
    lines[-1 - FRAMES + 20] = b" ".join([*row[:6], *(b"%.3f" % (float(value) + 40.0) for value in row[6:])])
    take.write_bytes(b"\r\n".join(lines))  # every joint but the hips leaps for one frame
    assert run("find", take, "--json", out) == 0
    found, said = json.loads(out.read_text()), capfd.readouterr()
    pops = [problem for problem in found if problem["kind"] == "pop"]
    assert len(pops) >= 4 and {(p["first"], p["last"]) for p in pops} == {(21.0, 21.0)}
    assert len(said.out.splitlines()) == len(found) and "leaps" in said.out
    assert f"pads: {take}: {len(found)} problem" in said.err
    assert take.read_bytes() == b"\r\n".join(lines)
    assert run("find", take, "--json", take) == 2
    assert run("find", tmp_path / "missing.bvh") == 1


def test_as_a_program_of_its_own(take, tmp_path):
    def program(*arguments):
        command = [sys.executable, "-m", "pads_blender", *map(str, arguments)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)

    done = program("clean", take, "-o", tmp_path / "out.bvh")
    assert done.returncode == 0 and "100 %" in done.stderr
    assert run("clean", take, "-o", tmp_path / "here.bvh") == 0
    assert (tmp_path / "out.bvh").read_bytes() == (tmp_path / "here.bvh").read_bytes()
    assert json.loads(program("map", take).stdout)["joints"]["pelvis"]["bone"] == "Hips"
    assert program("clean", take).returncode == 2
    assert program("clean", tmp_path / "missing.bvh", "-o", tmp_path / "x.bvh").returncode == 1


def test_the_addon_leaves_nothing_behind():
    before = set(dir(bpy.types))
    for _ in range(2):
        addon.register()
        assert len(addon._commands) == 1
        addon.unregister()
        assert addon._commands == []
    assert set(dir(bpy.types)) == before
    assert addon._run_command(["map", "/nowhere.bvh"]) == 1


def test_a_t_pose_in_front_is_said_and_left_out_when_asked(take, tmp_path, capfd):
    bvh = read_bvh(take)
    motion = bvh.motion.copy()
    for name, degrees in (("LeftArm", -70.0), ("RightArm", 70.0)):
        motion[:, channel_columns(bvh)[bvh.names.index(name)]["Zrotation"]] += degrees
    motion[0, 3:] = 0.0
    write_bvh(with_motion(bvh, motion), take)
    out, report = tmp_path / "out.bvh", tmp_path / "report.json"
    assert run("clean", take, "-o", out, "--leave-out-t-pose", "--report", report) == 0
    assert "Frame 1 shows a T-pose or the rest pose" in capfd.readouterr().err
    (warning,) = json.loads(report.read_text())["warnings"]
    assert (warning["kind"], warning["first"], warning["last"]) == ("reference_pose", 1.0, 1.0)
    assert rows_of(out)[1][0] == rows_of(take)[1][0]
    assert rows_of(out)[1][20] != rows_of(take)[1][20]
    assert run("find", take) == 0
    assert "Frame 1 shows" in capfd.readouterr().err
