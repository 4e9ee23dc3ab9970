"""BVH text in and out: what is refused, what is kept to the letter, and what the numbers mean."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pads_blender.core.bvh import (
    ARMATURE_FROM_BVH,
    bone_names,
    local_positions,
    local_rotations,
    parse_bvh,
    read_bvh,
    replace_motion,
    rotation_order,
    with_motion,
    world_positions,
    write_bvh,
)
from pads_blender.core.bvh_plain import importable_text
from pads_blender.core.rig import Changes, RigTake, find_changes
from pads_blender.core.rotations import angle_between, from_matrix, from_rotation_vector, inverse, multiply
from pads_blender.errors import BadFileError

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
Frames: 3
Frame Time: 0.0083333
0 10.000 0\t10 20 30  1 2 3  4 5 6
0 10.100 1  11 21 31  1 2 3  4 5 +6.50
0 10.2 2.  12 22 32  1 2 3  4 5 -.5e1
"""


def save(tmp_path: Path, text: str | bytes, name: str = "take.bvh") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def imported(bvh, rng: np.random.Generator) -> RigTake:
    """The armature as Blender's importer would make it, with bones of any roll (tests/blender uses the real one)."""
    turn = np.linalg.qr(rng.normal(size=(len(bvh.names), 3, 3)))[0]
    turn *= np.linalg.det(turn)[:, None, None]
    rest = np.tile(np.eye(4), (len(bvh.names), 1, 1))
    rest[:, :3, :3] = ARMATURE_FROM_BVH @ turn
    turned = from_matrix(turn)
    basis = multiply(multiply(inverse(turned), local_rotations(bvh)), turned)
    location = np.einsum("jba,fjb->fja", turn, local_positions(bvh) - bvh.offsets)
    return RigTake(
        names=bone_names(bvh),
        parents=bvh.parents,
        rest=rest,
        location=location,
        rotation=basis,
        scale=np.ones_like(location),
        world_from_armature=np.eye(4),
        frames=1.0 + np.arange(len(bvh.motion)),
        fps=1 / bvh.frame_time,
    )


def everything(take: RigTake) -> Changes:
    """Every rotation, and the root's location."""
    moved = np.zeros(take.rotation.shape[:2], bool)
    moved[:, 0] = True
    return Changes(rotation=np.ones_like(moved), location=moved)


def test_numbers_and_names():
    bvh = parse_bvh(TEXT)
    assert bvh.names == ("Hips", "Spine", "Leg")
    assert bvh.parents.tolist() == [-1, 0, 0]
    assert bvh.channels[1] == ("Yrotation", "Xrotation", "Zrotation")
    assert bvh.frame_time == 0.0083333
    assert bvh.motion.shape == (3, 12)
    assert bvh.motion[2].tolist() == [0, 10.2, 2, 12, 22, 32, 1, 2, 3, 4, 5, -5]
    assert bvh.ends.tolist() == [pytest.approx([np.nan] * 3, nan_ok=True), [0, 4, 0], [0, -8, 0]]


def test_rotation_order_multiplies_as_written():
    bvh = parse_bvh(TEXT)
    x, y, z = np.diag(np.radians([20.0, 30.0, 10.0]))
    expected = multiply(from_rotation_vector(z), multiply(from_rotation_vector(x), from_rotation_vector(y)))
    assert angle_between(local_rotations(bvh)[0, 0], expected) < 1e-12
    assert rotation_order(("Zrotation", "Xrotation", "Yrotation")) == "YXZ"
    assert rotation_order(("Yrotation",)) == "ZXY"


def test_world_positions_by_hand():
    text = TEXT.replace("0 10.000 0\t10 20 30  1 2 3  4 5 6", "1 2 3 90 0 0  0 0 0  0 0 0")
    positions = world_positions(parse_bvh(text))[0]  # the root turned a quarter about z: up becomes -x
    np.testing.assert_allclose(positions, [[1, 2, 3], [-4, 2, 3], [2, 3, 3]], atol=1e-12)


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.replace("Spine", "Rücken").encode("latin-1"),
        ("\ufeff" + TEXT).encode("utf-16-le"),
        TEXT.replace("    ", "\t").replace("  ", "\t").encode(),
        TEXT.replace("MOTION\n", "MOTION\n\n").replace("Time: ", "Time:\t").encode() + b"\n \n",
        TEXT.rstrip().encode(),
        TEXT.replace("\n  {", " {").replace("\n{", "{").encode(),
    ],
    ids=["plain", "crlf", "cr", "bom", "latin-1", "utf-16", "tabs", "blank-lines", "no-last-line-end", "brace-on-line"],
)
def test_a_file_is_written_back_byte_for_byte(tmp_path, data):
    path = save(tmp_path, data)
    bvh = read_bvh(path)
    assert bvh.motion.shape == (3, 12)
    write_bvh(bvh, tmp_path / "out.bvh")
    assert (tmp_path / "out.bvh").read_bytes() == data


def test_only_changed_numbers_get_new_text():
    bvh = parse_bvh(TEXT.replace("\n", "\r\n"))
    motion = bvh.motion.copy()
    motion[1, 3] = -0.0000001
    motion[2, 1] = 12.5
    motion[0, 0] = 1e-9  # below what is written: the source's own digits stay
    changed = with_motion(bvh, motion)
    assert changed.header == bvh.header
    assert changed.rows[0] == bvh.rows[0]
    assert changed.rows[1] == "0 10.100 1  0.000000 21 31  1 2 3  4 5 +6.50\r\n"
    assert changed.rows[2] == "0 12.500000 2.  12 22 32  1 2 3  4 5 -.5e1\r\n"
    again = parse_bvh(changed.header + "".join(changed.rows))
    np.testing.assert_array_equal(again.motion, changed.motion)


def test_leading_space_in_a_row():
    bvh = parse_bvh(TEXT.replace("0 10.1", " \t0 10.1"))
    motion = bvh.motion.copy()
    motion[1, 0] = 7
    assert with_motion(bvh, motion).rows[1].startswith(" \t7.000000 10.100 1")


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("HIERARCHY", "HIERARCHIE", 1, "not a BVH"),
        (TEXT, "", 1, "empty"),
        ("10.0 0.0\n", "ten 0.0\n", 4, "not a number"),
        ("OFFSET 0.0 5.00 0.0", "OFFSET 0.0 5.00", 8, "three numbers"),
        ("OFFSET 0.0 5.00 0.0", "OFFSET 0,0 5,00 0,0", 8, "decimal comma"),
        ("CHANNELS 3 Yrotation", "CHANNELS 3 Wrotation", 9, "Wrotation is not a channel"),
        ("CHANNELS 3 Yrotation Xr", "CHANNELS 3 Xrotation Xr", 9, "twice"),
        ("CHANNELS 3 Yrotation", "CHANNELS 4 Yrotation", 9, "announces 4"),
        ("    CHANNELS 3 Yrotation Xrotation Zrotation\n", "", 13, "joint Spine has no CHANNELS"),
        ("  JOINT Spine", "  JOINT", 6, "no name"),
        ("MOTION", "}\nMOTION", 25, "out of place"),
        ("  }\n}\nMOTION", "  }\nMOTION", 24, "not closed"),
        ("ROOT Hips", "JOINT Hips", 2, "out of place"),
        ("Frames: 3", "Frames: three", 26, "not a number"),
        ("Frames: 3", "Frames: 0", 26, "at least 1"),
        ("Frames: 3", "Frames: 2", 30, "more rows"),
        ("Frames: 3", "Frames: 400", 30, "ends after 3 of the 400"),
        ("Frame Time: 0.0083333", "Frame Time: 0", 27, "more than 0"),
        ("Frame Time: 0.0083333", "Frame Time: 0,0083333", 27, "decimal comma"),
        ("Frame Time: 0.0083333\n", "", 27, "Frame Time: is expected"),
        ("11 21 31", "11 nan 31", 29, '"nan" is not a usable number'),
        ("11 21 31", "11 1e40 31", 29, "not a usable number"),
        ("11 21 31", "11 1_0 31", 29, "not a number"),
        ("11 21 31", "11,5 21,0 31", 29, "decimal comma"),
        ("11 21 31", "11 21", 29, "11 values for 12 channels"),
        ("2 3  4 5 -.5e1\n", "2", 30, "file ends"),
    ],
)
def test_a_broken_file_is_named_with_its_line(tmp_path, old, new, line, words):
    assert old in TEXT
    path = save(tmp_path, TEXT.replace(old, new, 1))
    with pytest.raises(BadFileError) as caught:
        read_bvh(path)
    assert str(caught.value).startswith(f"{path}: line {line}: ")
    assert words in str(caught.value)


def test_text_that_ends_early_anywhere_is_refused():
    lines = TEXT.splitlines(keepends=True)
    for count in range(len(lines)):
        with pytest.raises(BadFileError, match=r"line \d+"):
            parse_bvh("".join(lines[:count]))


def test_binary_and_missing_files(tmp_path):
    with pytest.raises(BadFileError, match="line 1: this is not a BVH file"):
        read_bvh(save(tmp_path, b"Kaydara FBX Binary  \x00\x1a\x00\xff\xfe"))
    with pytest.raises(BadFileError, match="cannot be read"):
        read_bvh(tmp_path / "nowhere.bvh")


def test_names_as_blender_numbers_them():
    text = TEXT.replace("JOINT Leg", "JOINT Spine").replace("ROOT Hips", "ROOT The Hips " + "x" * 70)
    bvh = parse_bvh(text)
    assert bvh.names[0].startswith("The_Hips_xxx")
    assert bone_names(bvh)[1:] == ("Spine", "Spine.001")
    assert len(bone_names(bvh)[0]) == 63
    umlauts = parse_bvh(TEXT.replace("Hips", "ä" * 40))
    assert len(bone_names(umlauts)[0].encode()) == 62  # no half characters


def test_everything_changed_gives_the_same_motion():
    bvh = parse_bvh(TEXT)
    take = imported(bvh, np.random.default_rng(1))
    again = replace_motion(bvh, take, everything(take))
    np.testing.assert_allclose(again.motion, bvh.motion, atol=2e-6)  # six decimals are written


def test_angles_stay_near_the_source():
    text = TEXT.replace("4 5 6\n", "364 5 6\n").replace("11 21 31", "191 159 211")  # the same poses, said otherwise
    bvh = parse_bvh(text)
    take = imported(bvh, np.random.default_rng(2))
    np.testing.assert_allclose(replace_motion(bvh, take, everything(take)).motion, bvh.motion, atol=2e-6)


def test_only_changed_joints_and_frames_are_written():
    bvh = parse_bvh(TEXT)
    take = imported(bvh, np.random.default_rng(3))
    rotation = take.rotation.copy()
    rotation[1, 2] = multiply(rotation[1, 2], from_rotation_vector(np.array([0.1, 0, 0])))
    after = replace(take, rotation=rotation)
    written = replace_motion(bvh, after, find_changes(take, after))
    assert written.rows[0] == bvh.rows[0] and written.rows[2] == bvh.rows[2]
    assert written.rows[1].startswith("0 10.100 1  11 21 31  1 2 3  ")
    assert angle_between(local_rotations(written)[1, 2], local_rotations(bvh)[1, 2]) == pytest.approx(0.1, abs=1e-7)


def test_moving_a_joint_without_position_channels_is_refused():
    bvh = parse_bvh(TEXT)
    take = imported(bvh, np.random.default_rng(3))
    location = take.location.copy()
    location[1, 2] += 1.0
    after = replace(take, location=location)
    with pytest.raises(BadFileError, match="Leg"):
        replace_motion(bvh, after, find_changes(take, after))


def test_a_joint_with_one_rotation_channel_keeps_to_it():
    text = TEXT.replace("CHANNELS 3 Xrotation Yrotation Zrotation", "CHANNELS 1 Yrotation")
    text = text.replace("4 5 6", "4").replace("4 5 +6.50", "5").replace("4 5 -.5e1", "6")
    bvh = parse_bvh(text)
    take = imported(bvh, np.random.default_rng(4))
    np.testing.assert_allclose(replace_motion(bvh, take, everything(take)).motion, bvh.motion, atol=2e-6)
    assert "CHANNELS 3 Yrotation Xrotation Zrotation" in importable_text(bvh)


def test_importable_text_means_the_same():
    bvh = parse_bvh(TEXT)
    again = parse_bvh(importable_text(bvh))
    np.testing.assert_allclose(world_positions(again), world_positions(bvh), atol=1e-6)
    assert again.names == bone_names(bvh) and again.frame_time == bvh.frame_time


def test_importable_text_completes_missing_position_channels():
    text = TEXT.replace("CHANNELS 6 Xposition Yposition Zposition", "CHANNELS 4 Yposition")
    for old, new in (("0 10.000 0\t", "10 "), ("0 10.100 1 ", "11 "), ("0 10.2 2. ", "12 ")):
        text = text.replace(old, new)
    bvh = parse_bvh(text)
    assert world_positions(bvh)[:, 0].tolist() == [[0, 10, 0], [0, 11, 0], [0, 12, 0]]
    again = parse_bvh(importable_text(bvh))
    assert len(again.channels[0]) == 6
    np.testing.assert_allclose(world_positions(again), world_positions(bvh), atol=1e-6)


def test_a_long_take_reads_and_writes_fast(tmp_path):
    frames, joints = 3000, 60
    rng = np.random.default_rng(0)
    lines = ["HIERARCHY"]
    for joint in range(joints):
        lines += [
            f"{'JOINT' if joint else 'ROOT'} j{joint} {{",
            "OFFSET 0 1 0",
            "CHANNELS 3 Zrotation Xrotation Yrotation",
        ]
    lines += ["End Site {", "OFFSET 0 1 0", "}"] + ["}"] * joints + ["MOTION", f"Frames: {frames}", "Frame Time: 0.01"]
    motion = rng.uniform(-180, 180, (frames, 3 * joints))
    path = save(tmp_path, "\n".join(lines + [" ".join(f"{v:.6f}" for v in row) for row in motion]))
    seconds = [time.process_time()]
    bvh = read_bvh(path)
    seconds.append(time.process_time())
    write_bvh(with_motion(bvh, bvh.motion + 1.0), path)
    seconds.append(time.process_time())
    np.testing.assert_allclose(read_bvh(path).motion, motion + 1.0, atol=1.1e-6)
    assert np.diff(seconds).max() < 2.0
