"""The demo: its authored take is a human motion with the damage that it claims, its figures are right, and it runs."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pads_blender.core import rotations as rot
from pads_blender.core.bvh import local_rotations, parse_bvh, world_positions
from pads_blender.core.mapping_guess import guess_mapping
from pads_blender.training import demo_body, demo_damage, demo_measures, demo_picture, demo_take
from pads_blender.training.demo_body import FPS, NAMES, OFFSETS, PARENTS
from pads_blender.training.demo_measures import Version

ROOT = Path(__file__).resolve().parents[2]
GREEN = np.array([10, 126, 140])  # demo_picture.PADS


@pytest.fixture(scope="module")
def performance():
    return demo_take.perform()


@pytest.fixture(scope="module")
def positions(performance) -> np.ndarray:
    return demo_body.pose_positions(performance)


@pytest.fixture(scope="module")
def broken(performance):
    return demo_damage.corrupt(performance, np.random.default_rng(demo_damage.SEED))


def joint(name: str) -> int:
    return NAMES.index(name)


def at(seconds: float) -> int:
    return round(seconds * FPS)


# --- the authored take ------------------------------------------------------------------------------------------------


def test_the_body_walks_waves_reaches_and_walks_on(positions):
    assert len(positions) == 300
    speed = np.linalg.norm(np.diff(positions[:, joint("Hips")], axis=0), axis=-1) * FPS
    assert 0.9 < speed[: at(1.8)].mean() < 1.4 and 0.9 < speed[at(9.0) :].mean() < 1.4
    assert speed[at(3.6) : at(4.6)].max() < 0.1
    wave = positions[at(3.5) : at(4.6), joint("RightHand")] - positions[at(3.5) : at(4.6), joint("RightArm")]
    assert wave[:, 1].min() > 0.1
    turns = np.flatnonzero(np.diff(np.sign(np.diff(wave[:, 0]))))
    assert len(turns) >= 4 and np.ptp(wave[:, 0]) > 0.15
    reach = positions[at(6.25), joint("LeftHand")]
    assert np.linalg.norm(reach - (0.17, 0.47, 0.40)) < 0.02
    assert positions[-1, joint("Hips"), 0] > 0.3  # the way bends to the left


def test_the_feet_neither_slide_nor_sink_nor_leave_the_leg(positions):
    for side in ("Left", "Right"):
        ball, ankle, hip = (positions[:, joint(side + name)] for name in ("ToeBase", "Foot", "UpLeg"))
        assert ball[:, 1].min() > 0.0 and ankle[:, 1].min() > 0.05
        stands = np.linalg.norm(np.diff(ball, axis=0), axis=-1) < 0.5 / FPS
        assert stands.mean() > 0.5
        planted = np.flatnonzero(np.diff(np.concatenate([[False], stands, [False]]).astype(int))).reshape(-1, 2)
        for start, stop in planted:
            slide = np.ptp(ball[start : stop + 1, ::2], axis=0).max()
            assert slide < 0.03, (side, start, stop)
        assert np.linalg.norm(hip - ankle, axis=-1).max() < 0.8500001


def test_joints_bend_the_human_way_and_smoothly(performance, positions):
    acceleration = np.linalg.norm(np.diff(positions, 2, axis=0), axis=-1) * FPS**2
    assert acceleration.max() < 80.0  # m/s²: a foot that swings reaches some 50
    assert acceleration[:, joint("Head")].max() < 15.0
    for side in ("Left", "Right"):
        knee = rot.to_rotation_vector(performance.rotations[:, joint(f"{side}Leg")])
        assert knee[:, 0].min() > -0.02 and np.abs(knee[:, 1:]).max() < 0.02
        elbow = rot.to_rotation_vector(performance.rotations[:, joint(f"{side}ForeArm")])
        assert (elbow[:, 1] * (1 if side == "Right" else -1)).min() > 0.0


def test_nothing_stands_perfectly_still(performance):
    """Else a clean take would hold what looks like frozen bones."""
    change = rot.angle_between(performance.rotations[:-1], performance.rotations[1:])
    moving = [name for name in NAMES if name.endswith(("Arm", "ForeArm", "Head", "Hips", "Spine", "Spine1", "Spine2"))]
    assert (change[:, [joint(name) for name in moving]] > 1e-5).mean() > 0.97


def test_the_bvh_text_says_what_was_performed(performance, positions):
    bvh = parse_bvh(demo_body.bvh_text(performance))
    assert bvh.names == NAMES and bvh.parents.tolist() == list(PARENTS)
    assert np.allclose(bvh.offsets, OFFSETS, atol=1e-6)
    assert 1.0 / bvh.frame_time == pytest.approx(FPS, rel=1e-6)
    assert np.abs(world_positions(bvh) - positions).max() < 1e-5
    assert rot.angle_between(local_rotations(bvh), performance.rotations).max() < 1e-6
    assert np.abs(np.diff(bvh.motion[:, 3:], axis=0)).max() < 180.0  # angles go on where they were


def test_every_joint_but_the_spare_spine_bone_is_recognised():
    heads = positions_at_rest() @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
    mapping = guess_mapping(NAMES, PARENTS, heads)
    assert mapping.missing() == ("head_top",)
    assert mapping.bone("left_elbow") == "LeftForeArm" and mapping.bone("chest") == "Spine2"


def positions_at_rest() -> np.ndarray:
    heads = OFFSETS.copy()
    for index, parent in enumerate(PARENTS):
        if parent >= 0:
            heads[index] += heads[parent]
    return heads


# --- the damage -------------------------------------------------------------------------------------------------------


def test_the_damage_is_what_it_is_said_to_be(performance, broken):
    dirty, damage = broken
    turns = rot.to_rotation_vector(rot.multiply(rot.inverse(performance.rotations), dirty.rotations))
    own = np.zeros(damage.popped.shape, bool)  # frames and joints that only jitter
    own[:, joint("LeftHand")] = True
    degrees = np.degrees(turns[own])
    assert degrees.std() == pytest.approx(demo_damage.JITTER_DEGREES, rel=0.06)  # 900 numbers: 2.4 % is one deviation
    size = np.degrees(np.linalg.norm(turns, axis=-1))
    size[demo_damage.FROZEN_FRAMES, [joint(name) for name in demo_damage.FROZEN]] = 0.0
    popping = size > 20.0  # jitter reaches 16
    assert popping.sum() == pytest.approx(demo_damage.POPS * 2, abs=demo_damage.POPS)
    assert 1 <= popping.sum(axis=0).max() <= 2 * demo_damage.LONGEST_POP_FRAMES
    root = dirty.root - performance.root
    assert root.std() == pytest.approx(demo_damage.ROOT_JITTER_METRES, rel=0.1)


def test_the_frozen_arm_is_held_exactly_in_the_file(broken):
    bvh = parse_bvh(demo_body.bvh_text(broken[0]))
    columns = slice(3 + 3 * joint("RightArm"), 3 + 3 * (joint("RightHand") + 1))
    values = bvh.motion[demo_damage.FROZEN_FRAMES, columns]
    assert (values == values[0]).all()
    frames = demo_damage.FROZEN_FRAMES
    assert not (bvh.motion[frames.start - 1, columns] == values[0]).any()
    assert not (bvh.motion[frames.stop, columns] == values[0]).any()


def test_the_masks_name_the_joints_that_the_damage_moves(performance, broken):
    """Where nothing is marked, only jitter is at work."""
    dirty, damage = broken
    assert damage.frozen[demo_damage.FROZEN_FRAMES, joint("RightForeArm")].all()
    assert not damage.frozen[:, joint("RightArm")].any() and damage.frozen.sum() == 2 * 30
    size = np.degrees(rot.angle_between(dirty.rotations, performance.rotations))
    for index, parent in enumerate(PARENTS):
        if parent >= 0:
            thrown = (size[:, parent] > 20.0) & ~damage.frozen[:, index]
            assert damage.popped[thrown, index].all()


def test_the_same_seed_does_the_same_damage(performance, broken):
    again, _ = demo_damage.corrupt(performance, np.random.default_rng(demo_damage.SEED))
    assert np.array_equal(again.rotations, broken[0].rotations) and np.array_equal(again.root, broken[0].root)


# --- the figures ------------------------------------------------------------------------------------------------------


LIMB = {"hip": "UpLeg", "knee": "Leg", "ankle": "Foot", "elbow": "ForeArm", "wrist": "Hand"}
BONES = {
    "pelvis": joint("Hips"),
    "head": joint("Head"),
    **{f"{side.lower()}_{name}": joint(side + bone) for side in ("Left", "Right") for name, bone in LIMB.items()},
}


def report_on(bones: dict[str, int]) -> dict:
    entries = {name: {"bone": NAMES[index]} for name, index in bones.items()}
    return {"mapping": {"joints": {**entries, "head_top": None}}}


@pytest.fixture
def truth(performance, tmp_path) -> Version:
    path = tmp_path / "truth.bvh"
    path.write_text(demo_body.bvh_text(performance))
    return demo_measures.read_version(path, report_on(BONES), is_metres=True)


def test_a_version_is_read_with_its_ends_in_the_axes_of_blender(truth, positions):
    blender = positions @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
    assert np.abs(truth.positions[:, : len(NAMES)] - blender).max() < 1e-5
    assert len(truth.parents) == len(NAMES) + 5
    top = truth.parents.index(joint("Head"))
    length = np.linalg.norm(truth.positions[:, top] - truth.positions[:, joint("Head")], axis=-1)
    assert np.allclose(length, np.linalg.norm((0.185, 0.01)), atol=1e-5)


def test_the_unit_of_a_file_does_not_matter(performance, tmp_path):
    text = demo_body.bvh_text(performance)
    (tmp_path / "metres.bvh").write_text(text)
    (tmp_path / "inches.bvh").write_text("\n".join(map(in_inches, text.splitlines())))
    metres, other = (
        demo_measures.read_version(tmp_path / f"{unit}.bvh", report_on(BONES)) for unit in ("metres", "inches")
    )
    assert np.abs(metres.positions - other.positions).max() < 1e-3
    assert demo_measures.jitter(metres) == pytest.approx(demo_measures.jitter(other), rel=1e-3)


def in_inches(line: str) -> str:
    """A BVH line with its lengths in inches."""
    words = line.split()
    if words[:1] == ["OFFSET"]:
        return " ".join(["OFFSET", *(f"{float(word) / 0.0254:.6f}" for word in words[1:])])
    if len(words) == 3 + 3 * len(NAMES):
        return " ".join([*(f"{float(word) / 0.0254:.6f}" for word in words[:3]), *words[3:]])
    return line


def test_errors_are_counted_where_they_are(truth):
    moved = truth.positions.copy()
    damage = demo_damage.Damage(*np.zeros((2, len(truth.positions), len(NAMES)), bool))
    damage.frozen[100:130, joint("RightHand")] = True
    damage.popped[50, joint("RightHand")] = True
    moved[100:130, joint("RightHand"), 0] += 0.012
    moved[50, joint("RightHand"), 2] -= 0.1
    turned = truth.rotations.copy()
    turned[:, joint("Head")] = rot.multiply(
        turned[:, joint("Head")], rot.from_rotation_vector(np.radians([0.0, 10.0, 0.0]))
    )
    version = Version(truth.parents, moved, turned, truth.bones, truth.fps)
    found = demo_measures.errors(version, truth, damage)
    assert found["frozen arm while frozen, mm"] == pytest.approx(12.0)
    assert found["popped limbs while popped, mm"] == pytest.approx(100.0)
    assert found["joint positions, mm"] == pytest.approx((30 * 12.0 + 100.0) / (300 * len(BONES)))
    assert found["bone rotations, degrees"] == pytest.approx(10.0 / len(BONES))
    assert all(value < 1e-9 for value in demo_measures.errors(truth, truth, damage).values())


def test_the_body_is_stood_up_and_turned_to_the_front(truth):
    tipped = rot.from_rotation_vector(np.array([np.pi / 2, 0.0, 0.0]))
    lying = Version(truth.parents, rot.rotate(tipped, truth.positions), truth.rotations, truth.bones, truth.fps)
    turned = rot.rotate(demo_measures.turn_to_front(lying), lying.positions)
    hips = turned[0, joint("LeftUpLeg")] - turned[0, joint("RightUpLeg")]
    assert hips[0] > 0.1 and abs(hips[1]) < 1e-9
    assert np.abs(turned[..., 2] - truth.positions[..., 2]).max() < 1e-9


def test_changes_are_means_by_limb_and_the_frozen_bones_are_named():
    entry = {"mm_mean": 2.0, "degrees_mean": 3.0, "noise_mm": 5.0, "completed_frames": 0}
    joints = {
        "left_hip": {**entry, "bone": "a"},
        "left_knee": {**entry, "bone": "b", "mm_mean": 4.0, "completed_frames": 7},
    }
    found = demo_measures.changes({"joints": joints})
    assert found["moved, mm"] == {"left leg": 3.0} and found["turned, degrees"] == {"left leg": 3.0}
    assert demo_measures.completed({"joints": joints}) == {"b": 7}


def test_a_table_has_a_column_for_each_version():
    lines = demo_measures.table(
        {"dirty": {"a": 1.25, "long name": 2.0}, "PADS": {"a": 0.5, "long name": 10.0}}
    ).splitlines()
    assert [line.split() for line in lines] == [["dirty", "PADS"], ["a", "1.2", "0.5"], ["long", "name", "2.0", "10.0"]]
    assert len({len(line) for line in lines}) == 1


# --- the picture and the whole ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("frames", [1, 5, 300])
def test_the_picture_is_small_and_shows_every_version(truth, tmp_path, frames):
    positions = truth.positions[:frames]
    scene = demo_picture.Scene(
        truth.parents, FPS, joint("RightHand"), "wrist", (joint("Head"), 22), demo_picture.Close(0.0, 0.1, "close")
    )
    before = demo_picture.Shown(positions + 0.05, "before", demo_picture.DIRTY)
    after = demo_picture.Shown(positions, "after", demo_picture.PADS)
    path = tmp_path / "picture.png"
    demo_picture.draw(path, scene, [before, after], [before, after])
    assert path.stat().st_size < 300_000
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    green = np.abs(pixels - GREEN).max(axis=-1) < 30
    first, second, curves = np.split(green, [round(0.3 * len(green)), round(0.63 * len(green))])
    assert not first.any() and second.sum() > 500 and curves.any()


def run_demo(folder: Path, *arguments: object) -> subprocess.CompletedProcess:
    code = "import sys; from pathlib import Path; from pads_blender.training import demo; "
    code += "sys.exit(demo.main(sys.argv[2:], Path(sys.argv[1])))"
    command = [sys.executable, "-c", code, str(folder), *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})


def test_the_demo_cleans_its_own_take_and_says_how_well(tmp_path):
    result = run_demo(tmp_path)
    assert result.returncode == 0, result.stderr
    rows = {line[:30].strip(): line[30:].split() for line in result.stdout.splitlines()}
    assert len(rows["bone rotations, degrees"]) == 4
    dirty, *_, cleaned = map(float, rows["joint positions, mm"])
    assert cleaned < 0.75 * dirty
    dirty, *_, cleaned = map(float, rows["joint accelerations, mm/frame²"])
    assert cleaned < 0.5 * dirty
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"dirty.bvh", "truth.bvh", "cleaned.bvh", "demo.blend", "report.json", "before_after.png"}
    assert json.loads((tmp_path / "report.json").read_text())["frames"] == 300


def test_the_demo_cleans_a_users_take(broken, tmp_path):
    take = tmp_path / "My take.bvh"
    take.write_text(demo_body.bvh_text(broken[0]))
    result = run_demo(tmp_path / "out", take)
    assert result.returncode == 0, result.stderr
    jitter = next(line for line in result.stdout.splitlines() if line.startswith("jitter")).split()[-2:]
    assert float(jitter[1]) < 0.5 * float(jitter[0])
    assert "right arm" in result.stdout
    (frozen,) = re.findall(r"RightArm \((\d+) frames\)", result.stdout)
    assert 28 <= int(frozen) <= 30  # the first frame of a hold was still measured
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"cleaned.bvh", "demo.blend", "report.json", "before_after.png"}


def test_a_take_that_cannot_be_read_ends_the_demo_with_its_message(tmp_path):
    take = tmp_path / "broken.bvh"
    take.write_text("HIERARCHY\nROOT Hips\n")
    result = run_demo(tmp_path / "out", take)
    assert result.returncode == 1
    assert "broken.bvh: line 2" in result.stderr and "Traceback" not in result.stderr
