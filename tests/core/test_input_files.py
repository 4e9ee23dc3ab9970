"""Files from outside: what is refused before it is read, and how their words get into a message."""

import os
import time

import pytest

from pads_blender.core.bvh import bone_names, parse_bvh, read_bvh
from pads_blender.core.input_files import plain, read_data, read_json
from pads_blender.core.keypoint_files import read_keypoints
from pads_blender.errors import BadFileError

from ..shaky_takes import shaky_take


def test_a_file_of_gigabytes_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "spaces.bvh"
    with path.open("wb") as file:
        file.truncate(2 << 30)  # of zeros that take no room on the disk
    with pytest.raises(BadFileError, match="too large: it has 2147 MB, and 1074 MB are the most"):
        read_bvh(path)


def test_spaces_without_end_are_no_bvh(tmp_path):
    path = tmp_path / "spaces.bvh"
    path.write_bytes(b" " * (1 << 17) + b"HIERARCHY")
    with pytest.raises(BadFileError, match="line 1: this is not a BVH file"):
        read_bvh(path)


@pytest.mark.parametrize("blank", [" ", "\n", " \n", "\t", "\r\n"])
@pytest.mark.parametrize("end", [0, 30, -1])
def test_pages_of_blanks_are_refused_before_they_are_taken_apart(blank, end, tmp_path):
    text = shaky_take(2)
    (tmp_path / "a.bvh").write_text(text[:end] + blank * (1 << 16) + text[end:], newline="")
    with pytest.raises(BadFileError, match=r"line \d+: .*blanks follow one another|not a BVH file"):
        read_bvh(tmp_path / "a.bvh")
    for name in ("a.json", "a.csv"):
        (tmp_path / name).write_text(blank * (1 << 16), newline="")
        with pytest.raises(BadFileError, match=r"line 1: .*blanks follow one another"):
            read_keypoints(tmp_path / name)


@pytest.mark.parametrize("name", ["a.bvh", "a.csv"])
def test_more_lines_than_any_take_has_are_refused_before_they_are_taken_apart(name, tmp_path):
    (tmp_path / name).write_bytes(b"HIERARCHY\n" + b"}\n" * (1 << 24))
    began = time.process_time()
    with pytest.raises(BadFileError, match="line 16777216: 16777217 lines"):
        (read_bvh if name == "a.bvh" else read_keypoints)(tmp_path / name)
    assert time.process_time() - began < 2.0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "take.bvh")
    with pytest.raises(BadFileError, match="no plain file"):
        read_bvh(tmp_path / "take.bvh")


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"[" * 100_000, "nested too deeply"), (b"\xff{}", "byte 1 is no UTF-8 text"), (b"{", "no JSON file")],
)
def test_json_that_cannot_be_read_says_so(tmp_path, data, said):
    (tmp_path / "a.json").write_bytes(data)
    with pytest.raises(BadFileError, match=said):
        read_json(tmp_path / "a.json", 1 << 20)


def test_names_that_no_file_can_have_are_refused():
    with pytest.raises(BadFileError, match="cannot be read"):
        read_data("a\0b", 10)


def test_words_of_a_file_are_short_and_printable():
    assert plain("Hips") == "Hips"
    assert plain("x" * 100) == "x" * 30 + "..."
    assert plain("a\x1b[31m\n") == "a\\x1b[31m\\n"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("JOINT Head", "JOINT \x00Head", "zero byte"),
        ("JOINT Head\n{", "JOINT JOINT" + "y" * 999 + "\nJOINT" + "z" * 999, "out of place"),
        ("CHANNELS 3 Zrot", "CHANNELS 3 \x1bZrot", r'\\x1bZrotation is not a channel'),
        ("CHANNELS 3", "CHANNELS " + "9" * 5000, "needs their number"),
        ("Frame Time: 0.0333333", "Frame Time: 1e-9", "between 0.00001 and 100 seconds"),
        ("Frame Time: 0.0333333", "Frame Time: 1e6", "between 0.00001 and 100 seconds"),
    ],
)  # fmt: skip
def test_what_a_broken_bvh_says_is_short_and_printable(old, new, words):
    text = shaky_take(2)
    assert old in text
    with pytest.raises(BadFileError, match=words) as caught:
        parse_bvh(text.replace(old, new, 1))
    assert str(caught.value).isprintable() and len(str(caught.value)) < 200


def test_thousands_of_joints_of_one_name_are_numbered_at_once():
    lines = "".join("JOINT " + "x" * 70 + "\n{\nOFFSET 0 1 0\nCHANNELS 1 Xrotation\n}\n" for _ in range(20_000))
    text = f"HIERARCHY\nROOT r\n{{\nOFFSET 0 0 0\nCHANNELS 1 Xrotation\n{lines}}}\nMOTION\nFrames: 1\nFrame Time: .1\n"
    names = bone_names(parse_bvh(text + " 0" * 20_001))
    assert len(set(names)) == 20_001 and max(len(name.encode()) for name in names) == 63
    assert names[1002] == "x" * 58 + ".1001"
