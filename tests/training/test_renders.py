"""Renders: the person in view, moved joints marked, sides coloured, files small; the command on a short take."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("matplotlib")

from pads_blender.core.bvh import read_bvh
from pads_blender.core.mapping_guess import guess_mapping
from pads_blender.training import demo_body, demo_take, stick_figures
from pads_blender.training.data import bvh_take
from pads_blender.training.demo_body import FPS, Performance
from pads_blender.training.demo_damage import SEED, corrupt
from pads_blender.training.demo_measures import Version, read_version
from pads_blender.training.renders import Compared, draw, figure_of, in_words, main
from pads_blender.training.stick_figures import MARK_MM, Pair, draw_animation, draw_sheet

ROOT = Path(__file__).resolve().parents[2]
ORANGE, RED, BLUE = (240, 154, 26), (200, 50, 60), (40, 98, 192)


@pytest.fixture(scope="module")
def performance() -> Performance:
    return demo_take.perform()


@pytest.fixture(scope="module")
def walked(performance, tmp_path_factory) -> Version:
    """The demo's own take as it should be: it walks some metres."""
    path = tmp_path_factory.mktemp("take") / "walk.bvh"
    path.write_text(demo_body.bvh_text(performance))
    take = bvh_take(read_bvh(path))
    mapping = guess_mapping(take.names, take.parents, (take.world_from_armature @ take.rest)[:, :3, 3])
    return read_version(path, {"mapping": mapping.to_json()}, is_metres=True)


def moved(version: Version, joint: str, metres: float, rows: slice) -> Version:
    positions = version.positions.copy()
    positions[rows, version.bones[joint], 2] += metres
    return replace(version, positions=positions)


def near(picture: Image.Image, colour: tuple[int, int, int]) -> int:
    return int((np.abs(np.asarray(picture.convert("RGB")).astype(int) - colour).max(axis=-1) < 25).sum())


def pair_of(before: Version, after: Version, rows: slice = slice(0, 60)) -> Pair:
    return Compared("take", before, after, {}).pair(rows)


def test_sticks_join_the_body_and_nothing_else(walked):
    figure = figure_of(walked)
    names = {bone: joint for joint, bone in walked.bones.items()}
    sided = zip(figure.sticks, figure.sides, strict=True)
    joined = {frozenset(names.get(bone) for bone in stick): side for stick, side in sided}
    assert (
        joined[frozenset(("left_elbow", "left_wrist"))] == 1 and joined[frozenset(("right_knee", "right_ankle"))] == -1
    )
    assert joined[frozenset(("neck", "head"))] == 0
    below = [stick[1] for stick in figure.sticks]
    assert len(below) == len(set(below)) and set(names) - {walked.bones["pelvis"]} <= set(below)


def test_bones_above_the_pelvis_and_further_fingers_are_no_part_of_the_figure():
    bones = {"pelvis": 1, "left_hip": 2, "left_knee": 3, "left_ankle": 4, "left_wrist": 5}
    parents = (-1, 0, 1, 2, 3, 1, 5, 5, 6)  # 0 carries the pelvis; 6 and 7 are fingers, 8 the next bone of one
    version = Version(parents, np.zeros((1, 9, 3)), np.zeros((1, 9, 4)), bones, 30.0)
    assert figure_of(version).sticks == [(1, 2), (2, 3), (3, 4), (1, 5), (5, 6)]


def test_the_whole_walk_is_in_view(walked):
    pair = pair_of(walked, walked, slice(0, len(walked.positions)))
    size = (213, 338)
    camera = stick_figures._place_camera(pair, size)
    offset = stick_figures._project(pair.before[:, pair.figure.joints]) - camera.centre[:, None]
    assert np.abs(offset[..., 0]).max() < 0.5 * camera.width
    assert np.abs(offset[..., 1]).max() < 0.5 * camera.width * size[1] / size[0]
    assert camera.width < 2.0 and np.ptp(camera.centre, axis=0).max() > 1.0  # near enough, and so it travels


def test_who_stays_is_shown_by_a_camera_that_stays(walked):
    pair = pair_of(walked, walked, slice(120, 150))
    assert (np.ptp(stick_figures._place_camera(pair, (213, 338)).centre, axis=0) == 0.0).all()


def test_the_animation_is_small_and_marks_what_moved_while_it_moved(walked, tmp_path):
    after = moved(walked, "left_wrist", 2.0 * MARK_MM / 1000.0, slice(30, 60))
    draw_animation(tmp_path / "walk.gif", pair_of(walked, after, slice(0, 120)))
    assert (tmp_path / "walk.gif").stat().st_size < 600_000
    with Image.open(tmp_path / "walk.gif") as animation:
        assert animation.size == (640, 360) and animation.info["loop"] == 0
        shown = [near(_seek(animation, number), ORANGE) for number in range(animation.n_frames)]
        milliseconds = sum(_seek(animation, number).info["duration"] for number in range(animation.n_frames))
        assert near(_seek(animation, 2), RED) > 50 and near(_seek(animation, 2), BLUE) > 50
    assert milliseconds == 1000.0 * 120 / FPS
    marked = np.arange(len(shown)) * 120 / len(shown)
    assert [count > 20 for count in shown] == [30 <= frame < 60 for frame in marked]


def _seek(animation: Image.Image, number: int) -> Image.Image:
    animation.seek(number)
    return animation


def test_small_changes_are_not_marked(walked, tmp_path):
    after = moved(walked, "left_wrist", 0.5 * MARK_MM / 1000.0, slice(0, 60))
    draw_sheet(tmp_path / "sheet.png", pair_of(walked, after), [0, 30])
    assert near(Image.open(tmp_path / "sheet.png"), ORANGE) == 0


@pytest.mark.parametrize(("asked", "first"), [(None, 100), (slice(0, 20), 0)])
def test_the_sheet_is_about_the_largest_change_of_the_frames_asked_for(walked, tmp_path, monkeypatch, asked, first):
    after = moved(moved(walked, "left_wrist", 0.3, slice(108, 109)), "head", 0.1, slice(8, 9))
    seen = {}
    monkeypatch.setattr("pads_blender.training.renders.draw_sheet", lambda path, pair, rows: seen.update(pair=pair))
    draw(Compared("take", walked, after, {}), tmp_path, asked)
    assert seen["pair"].first == first + 1 and len(seen["pair"].before) == 16
    assert {path.name for path in tmp_path.iterdir()} == {"take.gif", "take_speed.png"}


def test_the_words_say_which_joint_moved_where_and_what_shakes(walked):
    rng = np.random.default_rng(0)
    shaken = walked.positions.copy()
    shaken[:, walked.bones["left_ankle"]] += rng.normal(0.0, 0.002, (len(shaken), 3))
    after = moved(replace(walked, positions=shaken), "right_wrist", 0.05, slice(41, 42))
    table = [line.split("|")[1:-1] for line in in_words(Compared("t", walked, after, {})).splitlines() if "|" in line]
    rows = {cells[0].strip(): cells[1:] for cells in table}
    assert float(rows["right wrist"][1]) == 50.0 and int(rows["right wrist"][2]) == 42
    assert float(rows["left ankle"][5]) > 3.0 and float(rows["head"][5]) == 1.0


@pytest.mark.parametrize("words", [["--frames", "9-3"], ["--frames", "0-3"], ["--frames", "3"]])
def test_a_range_that_is_none_is_refused(words, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["take.bvh", "--out", str(tmp_path), *words])
    assert "no range of frames" in capsys.readouterr().err


def test_the_command_cleans_a_take_and_draws_it_and_goes_on_after_a_bad_one(performance, tmp_path):
    pytest.importorskip("onnxruntime")
    broken, _ = corrupt(performance, np.random.default_rng(SEED))
    good, bad = tmp_path / "good.bvh", tmp_path / "bad.bvh"
    good.write_text(demo_body.bvh_text(Performance(broken.rotations[:40], broken.root[:40])))
    bad.write_text("HIERARCHY\nROOT Hips\n")
    command = [sys.executable, "-m", "pads_blender.training.renders", bad, good, "--out", tmp_path / "out"]
    done = subprocess.run([*map(str, command), "--frames", "5-20"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and "bad.bvh: line 2" in done.stderr and "Traceback" not in done.stderr
    assert re.search(r"^good: 40 frames", done.stdout, re.MULTILINE)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"bad.json", "good.bvh", "good.json", "good.gif", "good_sheet.png", "good_speed.png"}
