"""Mocap clips for training: npz files or folders of BVH as positions of the model skeleton at 30 fps, split by subject.

The layout of the npz files is described in the README beside them.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..core import normalise
from ..core import rotations as rot
from ..core.bvh import Bvh, local_positions, local_rotations, read_bvh
from ..core.mapping import JointBone, Mapping
from ..core.mapping_guess import guess_mapping
from ..core.retarget import to_model
from ..core.rig import RigTake
from ..core.skeleton import JOINTS, MODEL
from ..errors import BadFileError

FPS = 30.0
# Files have Y up and face +Z; the model's world has Z up and faces -Y.
WORLD_FROM_FILE = rot.from_rotation_vector(np.array([np.pi / 2, 0.0, 0.0]))
# Chosen by us for validation: settings are picked on these, `dev` is for reporting only.
VALIDATION_SUBJECTS = ("cmu_002", "cmu_016", "cmu_035", "cmu_137")

_MIDDLE = ("pelvis", "spine", "chest", "neck", "head", "head_top")
_SIDED = ("collar", "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "toe")


@dataclass(frozen=True)
class Clip:
    """One piece of motion: positions (F, J, 3) metres of the model skeleton, visible (J,) bool."""

    positions: np.ndarray
    visible: np.ndarray
    subject: str
    name: str


def _table(middle: str, sided: str, sides: tuple[str, str]) -> dict[str, str]:
    """Joint -> file name, from names in the order of _MIDDLE and _SIDED; '-' for a joint that the skeleton lacks."""
    table = dict(zip(_MIDDLE, middle.split(), strict=True))
    for side, token in zip(("left", "right"), sides, strict=True):
        names = sided.replace("@", token).split()
        table |= {f"{side}_{joint}": name for joint, name in zip(_SIDED, names, strict=True)}
    return {joint: name for joint, name in table.items() if name != "-"}


# Recognised by the name of a joint that only this skeleton has. CMU: the forearm is split, FingerBase is the wrist.
_SKELETONS = {
    "LHipJoint": _table(
        "Hips Spine Spine1 Neck Head Head_tip",
        "@Shoulder @Arm @ForeArm @FingerBase @UpLeg @Leg @Foot @ToeBase",
        ("Left", "Right"),
    ),
    "lButtock": _table(
        "hip abdomen chest neck head head_tip",
        "@Collar @Shldr @ForeArm @Hand @Thigh @Shin @Foot @Foot_tip",
        ("l", "r"),
    ),
    "left_ankle_tip": _table(
        "root - chest neck - neck_tip",
        "- @_shoulder @_elbow @_wrist @_hip @_knee @_ankle @_ankle_tip",
        ("left", "right"),
    ),
    "ToSpine": _table(
        "Hips Spine Spine1 Neck Head Head_tip",
        "@Shoulder @Arm @ForeArm @Hand @UpLeg @Leg @Foot @ToeBase",
        ("Left", "Right"),
    ),
    "DEF-hips": _table(
        "DEF-hips DEF-spine.002 DEF-spine.003 DEF-neck DEF-head DEF-head_tip",
        "DEF-shoulder.@ DEF-upper_arm.@ DEF-forearm.@ DEF-hand.@ DEF-thigh.@ DEF-shin.@ DEF-foot.@ DEF-toe.@",
        ("L", "R"),
    ),
    "spine_01": _table(
        "pelvis spine_02 spine_03 neck_01 head head_tip",
        "clavicle_@ upperarm_@ lowerarm_@ hand_@ thigh_@ calf_@ foot_@ ball_@",
        ("l", "r"),
    ),
    "LeftHand_tip": _table(
        "Hips - Spine1 Neck Head -",
        "- @Arm @ForeArm @Hand @UpLeg @Leg @Foot @ToeBase",
        ("Left", "Right"),
    ),
}


def _skeleton_table(names: list[str]) -> dict[str, str]:
    for mark, table in _SKELETONS.items():
        if mark in names:
            return table
    raise ValueError(f"none of the known skeletons has the joints {names[:4]} ...")


def load_npz(path: Path) -> list[Clip]:
    """All clips of one subject's file."""
    with np.load(path) as z:
        track = _marker_track(z) if "pos_rel" in z else _rotation_track(z)
        starts, names = z["clip_start"], z["clip_names"]
    positions, visible = normalise.model_positions(track).astype(np.float32), normalise.visible_joints(track.known)
    return [
        Clip(positions[a:b], visible, path.stem, str(name))
        for a, b, name in zip(starts[:-1], starts[1:], names, strict=True)
    ]


def _joint_columns(names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Column of each model joint in the file (0 where it lacks one), and which ones it has, both (J,)."""
    table = _skeleton_table(names)
    columns = np.array([names.index(table[j]) if j in table else 0 for j in JOINTS])
    return columns, np.array([j in table for j in JOINTS])


def _rotation_track(z: np.lib.npyio.NpzFile) -> normalise.BodyTrack:
    names, parents, offsets = [str(n) for n in z["names"]], z["parents"], z["offsets"].astype(float)
    columns, known = _joint_columns(names)
    local = rot.normalise(z["quat"].astype(float))
    turns = np.broadcast_to(rot.IDENTITY, (len(local), len(names), 4)).copy()
    positions, rest = np.zeros((len(local), len(names), 3)), np.zeros((len(names), 3))
    for joint, parent in enumerate(parents):
        own = local[:, joint] if joint < int(z["n_rot"]) else rot.IDENTITY
        turns[:, joint] = own if parent < 0 else rot.multiply(turns[:, parent], own)
        rest[joint] = offsets[joint] + (rest[parent] if parent >= 0 else 0)
        moved = z["root"] if parent < 0 else positions[:, parent] + rot.rotate(turns[:, parent], offsets[joint])
        positions[:, joint] = moved
    world = rot.rotate(WORLD_FROM_FILE, positions[:, columns])
    turned = rot.multiply(rot.multiply(WORLD_FROM_FILE, turns[:, columns]), rot.inverse(WORLD_FROM_FILE))
    return normalise.BodyTrack(world, turned, known, normalise.leg_length(rest[columns]))


def _marker_track(z: np.lib.npyio.NpzFile) -> normalise.BodyTrack:
    """UI-PRMD: positions without a skeleton."""
    columns, known = _joint_columns([str(n) for n in z["names"]])
    file_positions = z["root"][:, None].astype(float) + z["pos_rel"] / 1e4
    return track_of_positions(rot.rotate(WORLD_FROM_FILE, file_positions[:, columns]), known)


def track_of_positions(world: np.ndarray, known: np.ndarray) -> normalise.BodyTrack:
    """A body of which only positions (F, J, 3) are known: pelvis and chest turn as the positions show, the head not."""
    pelvis, chest = normalise.torso_frames(world, known)
    turns = np.broadcast_to(pelvis[:, None], (len(world), len(JOINTS), 4)).copy()
    turns[:, MODEL.index("chest")] = chest
    torso_known = known & np.isin(JOINTS, ("neck", "head"), invert=True)
    length = float(np.median([normalise.leg_length(frame) for frame in world[:: max(1, len(world) // 200)]]))
    return normalise.BodyTrack(world, turns, torso_known, length)


@functools.cache
def load_split(folder: Path, split: str) -> tuple[Clip, ...]:
    """Clips of `train`, `validation` (subjects held out of train) or `dev`.

    Either a folder with train/ and dev/ of npz files, or any folder of BVH files: then every tenth subject is for
    validation and the one after it for dev.
    """
    if not (folder / "train").is_dir():
        return _load_bvh_split(folder, split)
    files = sorted((folder / ("dev" if split == "dev" else "train")).glob("*.npz"))
    if split != "dev":
        files = [f for f in files if (f.stem in VALIDATION_SUBJECTS) == (split == "validation")]
    return tuple(clip for file in files for clip in load_npz(file))


def _load_bvh_split(folder: Path, split: str) -> tuple[Clip, ...]:
    files = sorted(folder.rglob("*.bvh"))
    if not files:
        raise BadFileError(f"{folder}: holds no BVH files and no train folder: name a folder of takes.")
    subjects = {file: subject_of(file, folder) for file in files}
    number = {subject: i for i, subject in enumerate(sorted(set(subjects.values())))}
    part = {8: "validation", 9: "dev"}
    return tuple(load_bvh(f, subjects[f]) for f in files if part.get(number[subjects[f]] % 10, "train") == split)


def subject_of(file: Path, folder: Path) -> str:
    """Who is in a file: the sub-folder that it lies in, or the file itself where it lies in none."""
    return file.parent.relative_to(folder).as_posix() if file.parent != folder else file.stem


def load_bvh(path: Path, subject: str) -> Clip:
    """One BVH file, Y up, on the model's body at 30 frames a second; raises PadsError where it cannot be mapped."""
    return clip_of_rig(bvh_take(read_bvh(path)), subject, path.stem)


def clip_of_rig(take: RigTake, subject: str, name: str, mapping: Mapping | None = None) -> Clip:
    """A rig's take on the model's body, its bones mapped by guess unless a mapping is given; may raise MappingError."""
    heads = (take.world_from_armature @ take.rest)[:, :3, 3]
    motion, _ = to_model(take, mapping or guess_mapping(take.names, take.parents, heads))
    return Clip(at_model_rate(motion.positions, motion.fps), motion.visible[0], subject, name)


def at_model_rate(positions: np.ndarray, fps: float) -> np.ndarray:
    """Positions (F, J, 3) at 30 frames a second, float32: linear between frames."""
    at = np.arange(0.0, len(positions) - 0.99, fps / FPS)  # frame times in files are rounded
    low = np.minimum(at.astype(int), len(positions) - 1)
    t = (at - low)[:, None, None]
    return ((1 - t) * positions[low] + t * positions[np.minimum(low + 1, len(positions) - 1)]).astype(np.float32)


def bvh_take(bvh: Bvh) -> RigTake:
    """The file as a rig whose bones lie along the file's axes at rest."""
    tree = Tree(bvh.names, bvh.parents, bvh.offsets)
    return rig_along_axes(tree, local_positions(bvh) - bvh.offsets, local_rotations(bvh), 1.0 / bvh.frame_time)


@dataclass(frozen=True)
class Tree:
    """Bones, parents before children: names, parents (B,) with -1 for none, rest offsets (B, 3) from the parent."""

    names: tuple[str, ...]
    parents: np.ndarray
    offsets: np.ndarray


def rig_along_axes(tree: Tree, location: np.ndarray, rotation: np.ndarray, fps: float) -> RigTake:
    """A rig of a file with Y up whose bones lie along the axes at rest, with location (F, B, 3), rotation (F, B, 4)."""
    rest = np.tile(np.eye(4), (len(tree.names), 1, 1))
    for joint, parent in enumerate(tree.parents):
        rest[joint, :3, 3] = tree.offsets[joint] + (rest[parent, :3, 3] if parent >= 0 else 0.0)
    world, frames = np.eye(4), np.arange(1.0, len(location) + 1)
    world[:3, :3] = rot.to_matrix(WORLD_FROM_FILE)
    ones = np.ones(location.shape)
    return RigTake(tree.names, tree.parents, rest, location, rotation, ones, world, frames, fps)


def mirror(positions: np.ndarray) -> np.ndarray:
    """The motion (..., J, 3) as the mirror shows it: x negated, sides exchanged."""
    return positions[..., MODEL.mirrored, :] * np.array([-1.0, 1.0, 1.0], positions.dtype)


def pelvis_relative(clip: Clip) -> Clip:
    """The same clip with every pose moved so that its pelvis is at the origin."""
    return replace(clip, positions=clip.positions - clip.positions[:, :1])


def source_weight(subject: str) -> float:
    """How often a frame of this file is drawn: UI-PRMD (estimated joints, repetitive) and keyframed poses seldom."""
    if subject.startswith("uiprmd"):
        return 0.1
    return 0.5 if subject.startswith("kf_") else 1.0


@dataclass(frozen=True)
class RigClip:
    """A captured clip on the skeleton of its own file: the take, which bone is which joint, subject and name."""

    take: RigTake
    mapping: Mapping
    subject: str
    name: str


def load_rig_clips(path: Path) -> list[RigClip]:
    """Clips of one subject's file as takes of a rig: bones along the world's axes at rest, Y up inside the armature."""
    with np.load(path) as z:
        names, count = [str(n) for n in z["names"]], int(z["n_rot"])
        tree = Tree(tuple(names), z["parents"].astype(int), z["offsets"].astype(float))
        rotation = np.broadcast_to(rot.IDENTITY, (len(z["quat"]), len(names), 4)).copy()
        rotation[:, :count] = rot.normalise(z["quat"].astype(float))
        location = np.zeros((len(rotation), len(names), 3))
        location[:, 0] = z["root"].astype(float) - tree.offsets[0]
        starts, clips = z["clip_start"], z["clip_names"]
    table = _skeleton_table(names)
    mapping = Mapping(path.stem, {j: JointBone(table[j], 1.0) if j in table else None for j in JOINTS})
    takes = [rig_along_axes(tree, location[a:b], rotation[a:b], FPS) for a, b in itertools.pairwise(starts)]
    return [RigClip(take, mapping, path.stem, str(name)) for take, name in zip(takes, clips, strict=True)]
