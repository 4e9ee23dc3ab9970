"""What the demo measures on BVH files: errors to a known truth, or jitter and change where there is none; as tables."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..core import metrics
from ..core import rotations as rot
from ..core.bvh import ARMATURE_FROM_BVH, Bvh, local_rotations, read_bvh, world_positions
from ..core.skeleton import JOINTS, LEG_LENGTH
from .demo_damage import Damage

LIMBS = {
    "trunk and head": ("pelvis", "spine", "chest", "neck", "head"),
    "left arm": ("left_collar", "left_shoulder", "left_elbow", "left_wrist"),
    "right arm": ("right_collar", "right_shoulder", "right_elbow", "right_wrist"),
    "left leg": ("left_hip", "left_knee", "left_ankle", "left_toe"),
    "right leg": ("right_hip", "right_knee", "right_ankle", "right_toe"),
}


@dataclass(frozen=True)
class Version:
    """One BVH file as numbers: joints, then their end sites; positions (F, N, 3) in metres and Blender's axes."""

    parents: tuple[int, ...]
    positions: np.ndarray
    rotations: np.ndarray  # (F, N, 4) local
    bones: dict[str, int]  # index of each mapped model joint's bone
    fps: float

    @property
    def mapped(self) -> list[int]:
        """Indices of the mapped bones."""
        return list(self.bones.values())


def read_version(path: Path, report: dict, is_metres: bool = False) -> Version:
    """A file of the take that the report of the command line is about.

    Where its unit is not known to be the metre, it is scaled to legs as long as the model's.
    """
    bvh = with_ends(read_bvh(path))
    names = {joint: entry["bone"] for joint, entry in report["mapping"]["joints"].items() if entry}
    bones = {joint: bvh.names.index(names[joint]) for joint in JOINTS if joint in names}
    positions = world_positions(bvh) @ ARMATURE_FROM_BVH.T
    scale = 1.0 if is_metres else LEG_LENGTH / _leg_length(positions[0], bones)
    return Version(tuple(map(int, bvh.parents)), scale * positions, local_rotations(bvh), bones, 1.0 / bvh.frame_time)


def with_ends(bvh: Bvh) -> Bvh:
    """The file with each End Site as one more joint without channels."""
    carriers = np.flatnonzero(~np.isnan(bvh.ends).any(axis=1))
    return replace(
        bvh,
        names=(*bvh.names, *(f"{bvh.names[joint]} end" for joint in carriers)),
        parents=np.concatenate([bvh.parents, carriers]),
        offsets=np.concatenate([bvh.offsets, bvh.ends[carriers]]),
        channels=(*bvh.channels, *[()] * len(carriers)),
    )


def turn_to_front(version: Version) -> np.ndarray:
    """The rotation (4,) that stands the body up along Z and has it face -Y in the first frame."""
    first = version.positions[0]
    hips, feet = ([version.bones[f"{side}_{joint}"] for side in ("left", "right")] for joint in ("hip", "ankle"))
    body = version.positions[:, hips].mean(axis=(0, 1)) - version.positions[:, feet].mean(axis=(0, 1))
    up = np.where(np.arange(3) == np.argmax(np.abs(body)), np.sign(body), 0.0)
    upright = rot.swing_between(up, np.array([0.0, 0.0, 1.0]))
    left = rot.rotate(upright, first[hips[0]] - first[hips[1]])
    return rot.multiply(rot.from_rotation_vector(np.array([0.0, 0.0, -np.arctan2(left[1], left[0])])), upright)


def _leg_length(positions: np.ndarray, bones: dict[str, int]) -> float:
    chains = positions[[[bones[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle")] for side in ("left", "right")]]
    return max(float(np.linalg.norm(np.diff(chains, axis=1), axis=-1).sum(axis=1).mean()), 1e-6)


def errors(version: Version, truth: Version, damage: Damage) -> dict[str, float]:
    """How far a version of the demo's own take is from its truth, over the mapped bones; damage is per joint (F, J)."""
    bones = truth.mapped
    found, wanted = version.positions[:, bones], truth.positions[:, bones]
    turned = rot.angle_between(version.rotations[:, bones], truth.rotations[:, bones])
    return {
        "joint positions, mm": metrics.mpjpe(found, wanted),
        "joint accelerations, mm/frame²": metrics.acceleration_error(found, wanted),
        "bone rotations, degrees": float(np.degrees(turned).mean()),
        "frozen arm while frozen, mm": metrics.mpjpe(found, wanted, damage.frozen[:, bones]),
        "popped limbs while popped, mm": metrics.mpjpe(found, wanted, damage.popped[:, bones]),
    }


def jitter(version: Version) -> float:
    """What the eye sees as shaking: mean jerk of the mapped bones in m/s³; 0 for a take too short to have any."""
    if len(version.positions) < 4:
        return 0.0
    return metrics.jitter(version.positions[:, version.mapped], version.fps)


def changes(report: dict) -> dict[str, dict[str, float]]:
    """Mean change by the cleaning, and the noise found, as columns over the limbs, from the command line's report."""
    columns = {"moved, mm": "mm_mean", "turned, degrees": "degrees_mean", "noise found, mm": "noise_mm"}
    limbs = {limb: [report["joints"][j] for j in joints if j in report["joints"]] for limb, joints in LIMBS.items()}
    return {
        title: {limb: float(np.mean([entry[key] for entry in entries])) for limb, entries in limbs.items() if entries}
        for title, key in columns.items()
    }


def completed(report: dict) -> dict[str, int]:
    """Bones that were found held still and were filled in anew, with their number of frames."""
    frames = {entry["bone"]: entry["completed_frames"] for entry in report["joints"].values()}
    return {bone: count for bone, count in frames.items() if count}


def table(columns: Mapping[str, Mapping[str, float]]) -> str:
    """Columns of named numbers as text, one row for each name."""
    rows = list(next(iter(columns.values())))
    first = max(map(len, rows))
    width = max(9, *map(len, columns))
    lines = [" " * first + "".join(f"  {name:>{width}}" for name in columns)]
    lines += [f"{row:<{first}}" + "".join(f"  {column[row]:{width}.1f}" for column in columns.values()) for row in rows]
    return "\n".join(lines)
