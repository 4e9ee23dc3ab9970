"""Damaged and unusual files: some thousand here, 100,000 and more with `python -m tests.reliability fuzz`."""

import numpy as np
import pytest

from pads_blender.core.bvh import (
    bone_names,
    parse_bvh,
    read_bvh,
    with_motion,
    world_positions,
    write_bvh,
)
from pads_blender.core.bvh_plain import importable_text
from pads_blender.errors import BadFileError

from ..shaky_takes import shaky_take
from .fuzz import KINDS, Tally, UnsoundError, damaged, fuzz, sound_files, try_input
from .page import replace_rows


@pytest.mark.parametrize("name", KINDS)
def test_damaged_files_are_read_or_refused(name, tmp_path):
    tally = fuzz(KINDS[name], range(300), tmp_path)
    assert tally.failures == []
    assert tally.tried == 300 and tally.refused > 100


@pytest.mark.parametrize("name", KINDS)
def test_the_sound_files_that_damage_begins_with_are_sound(name, tmp_path):
    """Or else the fuzzer would only ever see one refusal."""
    kind, tally = KINDS[name], Tally()
    for data in sound_files(kind, tmp_path):
        said = try_input(kind, data, tmp_path, tally)
        assert said is None
    assert tally.accepted == tally.tried


def test_the_same_seed_gives_the_same_damage(tmp_path):
    sound = sound_files(KINDS["bvh"], tmp_path)
    first, second, other = (damaged(KINDS["bvh"], sound, seed, 7) for seed in (3, 3, 4))
    assert first == second != other


@pytest.mark.parametrize(
    "error", [UnsoundError("x"), RecursionError("x"), KeyError("x"), MemoryError(), ValueError("line 1: x.")]
)
def test_the_fuzzer_notices_what_is_no_sentence_of_ours(error, tmp_path):
    def broken(path):
        raise error

    kind = KINDS["bvh"].__class__("bvh", ".bvh", list, lambda data, rng: data, broken)
    assert type(error).__name__ in try_input(kind, b"", tmp_path, Tally())


@pytest.mark.parametrize("error", [None, BadFileError("input.bvh: line 1: this is no motion file.")])
def test_the_fuzzer_notices_what_is_left_behind(error, tmp_path):
    def litters(path):
        path.with_name("left").touch()
        if error:
            raise error

    kind = KINDS["bvh"].__class__("bvh", ".bvh", list, lambda data, rng: data, litters)
    assert try_input(kind, b"", tmp_path, Tally()) == "leaves a file behind"


UNUSUAL = {
    "windows line ends": lambda text: text.replace("\n", "\r\n").encode(),
    "byte order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "utf-16": lambda text: text.encode("utf-16"),
    "latin-1 names": lambda text: text.replace("Head", "Köpfchen").encode("latin-1"),
    "names in any script": lambda text: text.replace("Head", "頭").encode(),
    "tabs": lambda text: text.replace(" ", "\t").replace("End\tSite", "End Site").replace("Frame\t", "Frame ").encode(),
    "no last line end": lambda text: text.rstrip().encode(),
}


@pytest.mark.parametrize("make", UNUSUAL.values(), ids=UNUSUAL)
@pytest.mark.parametrize("frames", [1, 2, 24])
def test_what_is_unusual_but_sound_is_read_and_written_back(make, frames, tmp_path):
    data = make(shaky_take(frames))
    (tmp_path / "in.bvh").write_bytes(data)
    bvh = read_bvh(tmp_path / "in.bvh")
    assert len(bvh.motion) == frames and np.isfinite(world_positions(bvh)).all()
    assert parse_bvh(importable_text(bvh)).names == bone_names(bvh)
    write_bvh(bvh, tmp_path / "out.bvh")
    assert (tmp_path / "out.bvh").read_bytes() == data


def test_a_thousand_joints_of_one_name():
    joint = "JOINT Bone\n{\nOFFSET 0 1 0\nCHANNELS 3 Zrotation Xrotation Yrotation\n}\n"
    head = "HIERARCHY\nROOT Bone\n{\nOFFSET 0 0 0\nCHANNELS 3 Zrotation Xrotation Yrotation\n"
    rows = (" ".join(["1.5"] * 3000) + "\n") * 3
    bvh = parse_bvh(f"{head}{joint * 999}}}\nMOTION\nFrames: 3\nFrame Time: 0.04\n{rows}")
    assert bone_names(bvh)[:3] == ("Bone", "Bone.001", "Bone.002") and bone_names(bvh)[-1] == "Bone.999"
    np.testing.assert_array_equal(with_motion(bvh, bvh.motion + 1.0).motion, 2.5)


def test_the_table_of_figures_keeps_the_rows_of_other_parts():
    page = "# Page\n<!-- figures: begin -->\n| What | x | y | z |\n|---|---|---|---|\n| a | 1 | ok | day |\n"
    page += "<!-- figures: end -->\nmore\n"
    page = replace_rows(page, {"b": ("2", "ok", "day")})
    page = replace_rows(page, {"a": ("3", "ok", "day")})
    assert [line for line in page.splitlines() if line[:4] in ("| a ", "| b ")] == [
        "| a | 3 | ok | day |",
        "| b | 2 | ok | day |",
    ]
    assert page.startswith("# Page\n<!--") and page.endswith("<!-- figures: end -->\nmore\n")
