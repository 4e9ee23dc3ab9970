import json

import pytest

from pads_blender.blender import batch
from pads_blender.core.bvh import read_bvh, world_positions

from ..films import write_film

FRAMES = 24


@pytest.fixture
def film(tmp_path):
    """A camera file and COCO keypoints."""
    write_film(tmp_path, FRAMES)
    return tmp_path


def run(folder, *words):
    return batch.main(["estimate", str(folder / "keypoints.json"), "-o", str(folder / "out.bvh"), *words])


def test_keypoints_become_a_bvh(film, capsys):
    code = run(film, "--fps", "30", "--camera", str(film / "camera.json"), "--report", str(film / "r.json"))
    assert code == 0, capsys.readouterr().err
    bvh = read_bvh(film / "out.bvh")
    assert len(bvh.motion) == FRAMES and 1.0 / bvh.frame_time == pytest.approx(30.0)
    places = dict(zip(bvh.names, world_positions(bvh).swapaxes(0, 1) / 100.0, strict=True))
    assert places["head"][:, 1].mean() == pytest.approx(1.45, abs=0.15)  # Y is up in the file
    assert places["left_shoulder"][:, 0].mean() > places["right_shoulder"][:, 0].mean() + 0.2
    assert json.loads((film / "r.json").read_text())["frames"] == FRAMES


def test_hypotheses_are_numbered(film):
    words = (
        "--fps",
        "30",
        "--camera",
        str(film / "camera.json"),
        "--hypotheses",
        "2",
        "--report",
        str(film / "r.json"),
    )
    assert run(film, *words) == 0
    report = json.loads((film / "r.json").read_text())
    assert (film / "out-2.bvh").exists() and len(report["outputs"]) == 2
    assert sum(output["likelihood"] for output in report["outputs"]) == pytest.approx(1.0)
    assert len(report["spread_mm"]) == FRAMES


def test_what_is_missing_is_said(film, capsys):
    assert run(film, "--fps", "30") == 1
    assert "--camera" in capsys.readouterr().err
    (film / "keypoints.json").write_text("{}")
    assert run(film, "--fps", "30", "--size", "1000x1000") == 1
    assert "keypoints.json" in capsys.readouterr().err
    assert not (film / "out.bvh").exists()


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (("--fps", "0"), "between 1 and 1000"),
        (("--fps", "nan"), "'nan' is no number between 1 and 1000"),
        (("--fps", "fast"), "'fast' is no number between"),
        (("--fps", "30", "--hypotheses", "0"), "between 1 and 100"),
        (("--fps", "30", "--fov", "180"), "between 1 and 170"),
        (("--fps", "30", "--size", "0x100"), "no image size"),
        (("--fps", "30", "--stature", "1.8", "--floor", "0"), "not allowed with"),
        (("--fps", "30", "-o", "out.fbx"), "a .bvh file is written"),
        (("--fps", "30", "--report", "{folder}/keypoints.json"), "is an input"),
        (("--fps", "30", "--report", "{folder}/out.bvh"), "would be written twice"),
    ],
)
def test_wrong_use_is_said_before_anything_is_done(film, capsys, words, match):
    before = sorted(film.iterdir())
    assert run(film, *(word.format(folder=film) for word in words)) == 2
    assert match in capsys.readouterr().err
    assert sorted(film.iterdir()) == before


def test_a_floor_tells_the_size(film):
    """Feet 0.95 m below the pelvis stand at about -0.06 m; a floor above them makes a shorter person."""
    statures = []
    for floor in ("-0.06", "0.2"):
        words = ("--fps", "30", "--camera", str(film / "camera.json"), "--report", str(film / "r.json"))
        assert run(film, *words, "--floor", floor) == 0
        statures.append(json.loads((film / "r.json").read_text())["stature_m"])
    assert statures[0] == pytest.approx(1.66, abs=0.15) and statures[1] < statures[0] - 0.1
