"""The commands inbetween and generate, files in and out."""

import bpy
import numpy as np
import pytest

from pads_blender.blender.batch import main
from pads_blender.core.bvh import local_rotations, read_bvh
from pads_blender.core.rotations import angle_between


@pytest.fixture
def take(dirty_text, tmp_path):
    path = tmp_path / "walk.bvh"
    path.write_text(dirty_text())
    return path


@pytest.mark.parametrize("suffix", [".bvh", ".glb"])
def test_keys_of_a_take_are_passed_and_the_rest_is_new(take, tmp_path, suffix):
    out = tmp_path / f"out{suffix}"
    assert main(["inbetween", str(take), "-o", str(out), "--keys", "1", "20", "40"]) == 0
    if suffix == ".bvh":
        before, after = (local_rotations(read_bvh(path)) for path in (take, out))
        assert np.degrees(angle_between(before, after)[[0, 19, 39]].max()) < 0.01
        assert np.degrees(angle_between(before, after)[5:15].max()) > 1.0
    assert out.stat().st_size > 1000


def test_poses_come_as_a_bvh_that_can_be_opened(tmp_path):
    out = tmp_path / "poses.bvh"
    assert main(["generate", "-o", str(out), "--count", "3", "--seed", "2"]) == 0
    assert len(read_bvh(out).motion) == 3
    assert bpy.ops.import_anim.bvh(filepath=str(out)) == {"FINISHED"}


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--keys", "1"], "two frames"), (["--keys", "1", "2"], "no frame between"), (["--keys", "500"], "two frames")],
)
def test_wrong_keys_are_one_sentence(take, tmp_path, capsys, words, said):
    assert main(["inbetween", str(take), "-o", str(tmp_path / "out.bvh"), *words]) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out.bvh").exists()


@pytest.mark.parametrize("other", ["walk.bvh", "linked.bvh"])
def test_an_input_is_never_overwritten(take, capsys, other):
    (take.parent / "linked.bvh").hardlink_to(take)
    assert main(["inbetween", str(take), "-o", str(take.parent / other), "--keys", "1", "40"]) == 2
    assert "inputs are never overwritten" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--count", "0"], ["--count", "many"], ["--seed", "-1"]])
def test_numbers_that_make_no_sense_are_wrong_use(tmp_path, capsys, words):
    assert main(["generate", "-o", str(tmp_path / "poses.bvh"), *words]) == 2
    assert f"argument {words[0]}: '{words[1]}' is no whole number of at least" in capsys.readouterr().err
