"""Loaders of motion sets, each on a small file in the set's own format that the test writes."""

from pathlib import Path

import numpy as np
import pytest

from pads_blender.core.skeleton import JOINTS, MODEL
from pads_blender.errors import BadFileError
from pads_blender.training import amass, asf_amc, data, position_sets, takes
from pads_blender.training.demo_body import bvh_text
from pads_blender.training.demo_take import perform

from . import clips as own_files
from .test_human36m import truth as human36m_truth
from .test_human36m import written as write_human36m
from .test_mpi_inf_3dhp import in_camera

FRAMES = 240  # two seconds at 120 frames a second


def read(folder: Path) -> takes.Library:
    return takes.read_library(folder, folder / "kept", lambda text: None)


def angle_at(clip: data.Clip, joint: str) -> np.ndarray:
    """Degrees (F,) between the segments above and below a joint with a single child."""
    at = MODEL.index(joint)
    upper = clip.positions[:, at] - clip.positions[:, MODEL.parents[at]]
    lower = clip.positions[:, MODEL.parents.index(at)] - clip.positions[:, at]
    lengths = np.linalg.norm(upper, axis=-1) * np.linalg.norm(lower, axis=-1)
    return np.degrees(np.arccos(np.clip(np.sum(upper * lower, axis=-1) / lengths, -1.0, 1.0)))


# --- AMASS --------------------------------------------------------------------------------------------------------


def write_amass(path: Path, joints: int, rate_name: str, **more) -> np.ndarray:
    """Somebody who walks along world Y with the left elbow bending to 90 degrees: the bend (F,) in degrees."""
    bend = np.linspace(0.0, 90.0, FRAMES)
    poses = np.zeros((FRAMES, joints, 3))
    poses[:, 0, 0] = np.pi / 2  # from Y up to Z up
    elbow = amass.TREE.names.index("left_elbow")
    poses[:, elbow, 1] = -np.radians(bend)
    travel = np.stack([np.zeros(FRAMES), np.linspace(0.0, 2.0, FRAMES), np.full(FRAMES, 0.95)], axis=1)
    fields = {"poses": poses.reshape(FRAMES, -1), "trans": travel, "betas": np.zeros(16), "gender": np.array("female")}
    np.savez(path, **{rate_name: np.array(120.0)}, **fields, **more)
    return bend


@pytest.mark.parametrize(("joints", "rate_name"), [(52, "mocap_framerate"), (55, "mocap_frame_rate")])
def test_amass_of_both_body_models(tmp_path, joints, rate_name):
    (tmp_path / "KIT" / "3").mkdir(parents=True)
    bend = write_amass(tmp_path / "KIT" / "3" / "walk_poses.npz", joints, rate_name)
    (clip,) = read(tmp_path).clips
    assert (clip.subject, clip.name) == ("KIT/3", "walk_poses") and len(clip.positions) == FRAMES // 4
    assert [j for j, seen in zip(JOINTS, clip.visible, strict=True) if not seen] == []
    change = angle_at(clip, "left_elbow") - angle_at(clip, "left_elbow")[0]
    assert np.abs(change[-1] - bend[-1]) < 12.0  # the template's arm is not quite straight at rest
    assert angle_at(clip, "right_elbow").std() < 1e-3
    head, pelvis = MODEL.indices("head", "pelvis")
    assert (clip.positions[:, head] - clip.positions[:, pelvis])[:, 2].min() > 0.3  # upright
    scale = 0.81 / 0.813
    assert clip.positions[-1, pelvis, 1] - clip.positions[0, pelvis, 1] == pytest.approx(2.0 * scale, abs=0.05)


def test_shapes_alone_and_damaged_files_are_left_out(tmp_path):
    write_amass(tmp_path / "a_poses.npz", 52, "mocap_framerate")
    np.savez(tmp_path / "shape.npz", betas=np.zeros(16), gender="male")
    whole = (tmp_path / "a_poses.npz").read_bytes()
    for name, held in {"cut.npz": whole[:-30], "empty.npz": b"", "annot.mat": b"nothing"}.items():
        (tmp_path / name).write_bytes(held)
    library = read(tmp_path)
    assert len(library.clips) == 1 and "of no known kind" in dict(library.left_out)["shape.npz"]
    assert {"cut.npz", "empty.npz", "annot.mat"} < set(dict(library.left_out))


# --- BVH ----------------------------------------------------------------------------------------------------------

# Names and offsets (Y up, centimetres) as the sets have them; the first column is the depth in the tree.
_STYLE_100 = """
0 Hips 0 0 0 | 1 Chest 0 10 -1 | 2 Chest2 0 8 -1 | 3 Chest3 0 8 0 | 4 Chest4 0 8 0 | 5 Neck 0 12 1 | 6 Head 0 8 1
5 RightCollar -3 8 1 | 6 RightShoulder -12 0 0 | 7 RightElbow -28 0 0 | 8 RightWrist -24 0 0
5 LeftCollar 3 8 1 | 6 LeftShoulder 12 0 0 | 7 LeftElbow 28 0 0 | 8 LeftWrist 24 0 0
1 RightHip -9 0 0 | 2 RightKnee 0 -42 0 | 3 RightAnkle 0 -42 0 | 4 RightToe 0 -6 14
1 LeftHip 9 0 0 | 2 LeftKnee 0 -42 0 | 3 LeftAnkle 0 -42 0 | 4 LeftToe 0 -6 14
"""
_LAFAN1 = """
0 Hips 0 0 0 | 1 LeftUpLeg 0.1 1.5 10 | 2 LeftLeg 43 0 0 | 3 LeftFoot 42 0 0 | 4 LeftToe 17 0 0
1 RightUpLeg 0.1 1.5 -10 | 2 RightLeg 43 0 0 | 3 RightFoot 42 0 0 | 4 RightToe 17 0 0
1 Spine 7 0 0 | 2 Spine1 12 0 0 | 3 Spine2 12 0 0 | 4 Neck 24 0 0 | 5 Head 12 0 0
4 LeftShoulder 18 -3 4 | 5 LeftArm 11 0 0 | 6 LeftForeArm 33 0 0 | 7 LeftHand 25 0 0
4 RightShoulder 18 -3 -4 | 5 RightArm 11 0 0 | 6 RightForeArm 33 0 0 | 7 RightHand 25 0 0
"""


def bvh_of_table(table: str, angles: dict[str, tuple[float, float, float]], fps: float, frames: int) -> str:
    """BVH text in which every frame has the same angles Z, Y, X in degrees, and the hips walk along Z."""
    rows = [row.split() for line in table.strip().splitlines() for row in line.split("|")]
    text, depth = ["HIERARCHY"], -1
    for row in rows:
        level, name, *offset = int(row[0]), *row[1:]
        while depth >= level:
            text.append("}")
            depth -= 1
        position = "6 Xposition Yposition Zposition" if level == 0 else "3"
        text += [f"{'JOINT' if level else 'ROOT'} {name}", "{", f"OFFSET {' '.join(offset)}"]
        text.append(f"CHANNELS {position} Zrotation Yrotation Xrotation")
        depth = level
    text += ["}"] * (depth + 1) + ["MOTION", f"Frames: {frames}", f"Frame Time: {1.0 / fps:.8f}"]
    turned = " ".join(f"{a:g}" for row in rows for a in angles.get(row[1], (0.0, 0.0, 0.0)))
    return "\n".join([*text, *(f"0 90 {100.0 * frame / fps:.6f} {turned}" for frame in range(frames))]) + "\n"


def test_100style_by_style_folder(tmp_path):
    (tmp_path / "Aeroplane").mkdir()
    text = bvh_of_table(_STYLE_100, {"LeftElbow": (0.0, -40.0, 0.0)}, 60.0, 120)
    (tmp_path / "Aeroplane" / "Aeroplane_FW.bvh").write_text(text)
    (clip,) = read(tmp_path).clips
    assert clip.subject == "Aeroplane" and len(clip.positions) == 60
    assert angle_at(clip, "left_elbow") == pytest.approx(40.0, abs=0.5)
    assert angle_at(clip, "right_elbow") == pytest.approx(0.0, abs=0.5)


def test_lafan1_with_its_rest_pose_along_x_and_its_subjects(tmp_path):
    # Standing: the whole body turned up, the legs turned back down, arms to the sides.
    angles = {"Hips": (90.0, 0.0, 0.0), "LeftUpLeg": (180.0, 0.0, 0.0), "RightUpLeg": (180.0, 0.0, 0.0)}
    angles |= {"LeftFoot": (90.0, 0.0, 0.0), "RightFoot": (90.0, 0.0, 0.0), "LeftLeg": (-30.0, 0.0, 0.0)}
    angles |= {"LeftShoulder": (0.0, -90.0, 0.0), "RightShoulder": (0.0, 90.0, 0.0)}
    (tmp_path / "walk1_subject5.bvh").write_text(bvh_of_table(_LAFAN1, angles, 30.0, 90))
    (clip,) = read(tmp_path).clips
    assert clip.subject == "subject5" and len(clip.positions) == 90
    assert angle_at(clip, "left_knee") == pytest.approx(30.0, abs=0.5)
    height = clip.positions[0, :, 2]
    assert height[MODEL.index("head")] > height[MODEL.index("pelvis")] > height[MODEL.index("left_knee")]


# --- ASF and AMC --------------------------------------------------------------------------------------------------

_ASF_BONES = """
lhipjoint root 0.65 -0.7 0.25 2.4
lfemur lhipjoint 0.34 -0.94 0 7.1 20 rx,ry,rz
ltibia lfemur 0.34 -0.94 0 7.4 20 rx
lfoot ltibia 0 -0.3 0.95 2.2 0 rx,rz
ltoes lfoot 0 0 1 1.1 0 rx
rhipjoint root -0.65 -0.7 0.25 2.4
rfemur rhipjoint -0.34 -0.94 0 7.1 -20 rx,ry,rz
rtibia rfemur -0.34 -0.94 0 7.4 -20 rx
rfoot rtibia 0 -0.3 0.95 2.2 0 rx,rz
rtoes rfoot 0 0 1 1.1 0 rx
lowerback root 0 1 0 2 0 rx,ry,rz
upperback lowerback 0 1 0 2 0 rx,ry,rz
thorax upperback 0 1 0 2 0 rx,ry,rz
lowerneck thorax 0 1 0 1.5 0 rx,ry,rz
upperneck lowerneck 0 1 0 1.5 0 rx,ry,rz
head upperneck 0 1 0 1.5 0 rx,ry,rz
lclavicle thorax 0.94 0.34 0 3.5 0 ry,rz
lhumerus lclavicle 1 0 0 4.7 180 rx,ry,rz
lradius lhumerus 1 0 0 3.2 180 rx
lwrist lradius 1 0 0 1.6 180 ry
lhand lwrist 1 0 0 0.7 180 rx,rz
rclavicle thorax -0.94 0.34 0 3.5 0 ry,rz
rhumerus rclavicle -1 0 0 4.7 180 rx,ry,rz
rradius rhumerus -1 0 0 3.2 180 rx
rwrist rradius -1 0 0 1.6 180 ry
rhand rwrist -1 0 0 0.7 180 rx,rz
"""
_BONES = [row.split() for row in _ASF_BONES.strip().splitlines()]


def asf_text() -> str:
    text = [":version 1.10", ":name VICON", ":units", "  mass 1.0", "  length 0.45", "  angle deg", ":documentation"]
    text += ["   .ast/.asf automatically generated", ":root", "   order TX TY TZ RX RY RZ", "   axis XYZ"]
    text += ["   position 0 0 0", "   orientation 0 0 0", ":bonedata"]
    for number, (name, _, x, y, z, length, *rest) in enumerate(_BONES):
        text += ["  begin", f"     id {number + 1}", f"     name {name}", f"     direction {x} {y} {z}"]
        text += [f"     length {length}", f"     axis 0 0 {rest[0] if rest else 0} XYZ"]
        if rest:
            text += [f"    dof {' '.join(rest[1].split(','))}", "    limits (-160.0 20.0)"]
            text += ["           (-70.0 70.0)"] * rest[1].count(",")
        text.append("  end")
    text += [":hierarchy", "  begin"]
    for parent in ("root", *(row[0] for row in _BONES)):
        children = [row[0] for row in _BONES if row[1] == parent]
        text += [f"    {parent} {' '.join(children)}"] if children else []
    return "\n".join([*text, "  end"]) + "\n"


def amc_text(knee: float, frames: int = FRAMES) -> str:
    """The right knee bent by so many degrees while the body moves along Z."""
    text = ["#!OML:ASF F:\\VICON\\USERDATA\\02.ASF", ":FULLY-SPECIFIED", ":DEGREES"]
    for frame in range(frames):
        text += [str(frame + 1), f"root 0 17 {0.1 * frame:.4f} 0 0 0", f"rtibia {knee}"]
        others = [row for row in _BONES if len(row) > 7 and row[0] != "rtibia"]
        text += [f"{row[0]} {' '.join(['0'] * (row[7].count(',') + 1))}" for row in others]
    return "\n".join(text) + "\n"


def test_cmu_asf_and_amc(tmp_path):
    (tmp_path / "02").mkdir()
    (tmp_path / "02" / "02.asf").write_text(asf_text())
    (tmp_path / "02" / "02_01.amc").write_text(amc_text(50.0))
    library = read(tmp_path)
    (clip,) = library.clips
    assert (clip.subject, clip.name) == ("02", "02_01") and len(clip.positions) == FRAMES // 4
    assert angle_at(clip, "right_knee") == pytest.approx(50.0, abs=0.1)
    assert angle_at(clip, "left_knee") == pytest.approx(0.0, abs=0.1)
    assert library.left_out == ()
    take = asf_amc.read_take(tmp_path / "02" / "02_01.amc")
    assert take.location[-1, 0, 1] == pytest.approx(17 * 0.0254 / 0.45)


def test_an_amc_without_its_skeleton_is_left_out_with_the_reason(tmp_path):
    (tmp_path / "walk.amc").write_text(amc_text(10.0, 60))
    with pytest.raises(BadFileError, match=r"put its \.asf beside it"):
        read(tmp_path)


def test_an_amc_that_does_not_fit_its_skeleton(tmp_path):
    (tmp_path / "02.asf").write_text(asf_text())
    (tmp_path / "02_01.amc").write_text(amc_text(10.0, 60).replace("rtibia 10.0", "rtibia ten"))
    with pytest.raises(BadFileError, match="does not fit its skeleton"):
        read(tmp_path)


# --- positions alone ----------------------------------------------------------------------------------------------


def test_human36m_as_videopose3d_writes_it(tmp_path):
    write_human36m(tmp_path)
    clips = position_sets.read_human36m(tmp_path / "data_3d_h36m.npz")
    assert [clip.subject for clip in clips] == ["S1", "S9", "S11"] and clips[0].name == "S1 Walking 1"
    elbow, hip = MODEL.indices("left_elbow", "left_hip")
    assert clips[0].visible[[elbow, hip]].all() and not clips[0].visible[MODEL.index("left_toe")]
    assert len(clips[0].positions) == 1 + int((len(human36m_truth()) - 1) * 30 / 50)
    lengths = np.linalg.norm(clips[0].positions[:, elbow] - clips[0].positions[:, elbow - 1], axis=-1)
    assert lengths == pytest.approx(np.linalg.norm(MODEL.offsets[elbow]), abs=1e-4)


def test_3dhp_training_sequences(tmp_path):
    savemat = pytest.importorskip("scipy.io").savemat
    joints, order = 1000.0 * in_camera(), list(position_sets._TRAINED_JOINTS)
    all_28 = np.zeros((len(joints), 28, 3))
    all_28[:, order] = joints
    cameras = np.empty((14, 1), object)
    for camera in range(14):
        cameras[camera, 0] = all_28.reshape(len(joints), 84)
    place = tmp_path / "S1" / "Seq2"
    place.mkdir(parents=True)
    savemat(place / "annot.mat", {"annot3": cameras, "frames": np.arange(len(joints))})
    (clip,) = position_sets.read_3dhp(place / "annot.mat")
    assert (clip.subject, clip.name) == ("S1", "S1/Seq2") and len(clip.positions) == 3  # 5 frames at 50 a second
    assert clip.positions[0, MODEL.index("neck"), 2] > clip.positions[0, MODEL.index("left_ankle"), 2] + 1.0


# --- the folder ---------------------------------------------------------------------------------------------------


def test_own_npz_files_and_what_is_kept(tmp_path):
    own_files.write_folder(tmp_path / "set")
    read(tmp_path / "set")
    said = []
    kept = sorted((tmp_path / "set" / "kept").iterdir())
    library = takes.read_library(tmp_path / "set", tmp_path / "set" / "kept", said.append)
    assert {clip.subject for clip in library.clips} == {"dev", "train"} and len(library.clips) == 6
    assert sorted((tmp_path / "set" / "kept").iterdir()) == kept and len(kept) == 3 and said == []


def test_blender_reads_a_file_as_the_core_does(tmp_path):
    pytest.importorskip("importlib.metadata").version("bpy")
    (tmp_path / "walk.bvh").write_text(bvh_text(perform()))
    read_there = takes.read_with_blender(tmp_path / "walk.bvh", "one")
    here = data.load_bvh(tmp_path / "walk.bvh", "one")
    (clip,) = read_there.clips
    np.testing.assert_allclose(clip.positions, here.positions, atol=2e-4)  # Blender holds keys in single precision
    assert np.array_equal(clip.visible, here.visible)


def test_what_blender_refuses_is_said(tmp_path):
    (tmp_path / "broken.fbx").write_bytes(b"this is no FBX")
    with pytest.raises(BadFileError, match=r"broken\.fbx: Blender says"):
        read(tmp_path)


def test_a_take_is_cut_where_it_jumps():
    positions = np.tile(MODEL.rest_positions, (120, 1, 1)).astype(np.float32)
    positions[10:] += np.float32(2.0)
    clip = data.Clip(positions, np.ones(len(JOINTS), bool), "a", "b")
    (piece,), reason = takes.usable_pieces(clip)
    assert len(piece.positions) == 110 and reason == "10 of 120 frames, in pieces shorter than 1 s, cut at 1 jump"
    assert takes.usable_pieces(data.Clip(positions[10:], clip.visible, "a", "b"))[1] == ""
    broken = data.Clip(np.where(positions > 2, np.nan, positions), clip.visible, "a", "b")
    assert takes.usable_pieces(broken) == ([], "holds positions that are not numbers")


def test_other_files_are_counted(tmp_path):
    (tmp_path / "walk.bvh").write_text(bvh_text(perform()))
    for name in ("a.c3d", "b.c3d", "notes.txt"):
        (tmp_path / name).write_text("")
    assert [name for name, _ in read(tmp_path).left_out] == ["2 x .c3d", "1 x .txt"]
