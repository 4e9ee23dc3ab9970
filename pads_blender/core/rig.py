"""RigTake: one armature and its motion as plain arrays, in Blender's terms. Knows no bpy and no model skeleton."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .rotations import angle_between, normalise, to_matrix

CHANNELS = ("location", "rotation", "scale")  # the fields of a RigTake that move its bones, (F, B, ...) each


@dataclass(frozen=True)
class RigTake:
    """An armature at rest and the transform channels of every pose bone in every frame.

    rest are `bone.matrix_local` (armature space); location, rotation and scale together are the pose bones'
    `matrix_basis`, with the rotation as a quaternion (w first) whatever the bone's rotation mode is.
    """

    names: tuple[str, ...]  # bones, parents before children
    parents: np.ndarray  # (B,) int, -1 = none
    rest: np.ndarray  # (B, 4, 4)
    location: np.ndarray  # (F, B, 3)
    rotation: np.ndarray  # (F, B, 4)
    scale: np.ndarray  # (F, B, 3)
    world_from_armature: np.ndarray  # (4, 4)
    frames: np.ndarray  # (F,) float, scene frame of each row
    fps: float
    movable: np.ndarray | None = None  # (B,) bool, bones whose location is animated and so may be changed; None = all
    stand_in: np.ndarray | None = None  # (B,) bool, see stand_ins.py: what carries bones and is none; None = nothing

    def rows(self, rows: slice) -> RigTake:
        """Some of the frames."""
        channels = {name: getattr(self, name)[rows] for name in (*CHANNELS, "frames")}
        return replace(self, **channels)


@dataclass(frozen=True)
class Changes:
    """Where one take differs from another of the same rig and frames."""

    rotation: np.ndarray  # (F, B) bool
    location: np.ndarray  # (F, B) bool


def find_changes(before: RigTake, after: RigTake) -> Changes:
    """What the second take does differently; up to 1e-6 radians or 1e-6 of the rig's size nothing has changed.

    What is no number has changed, so that whoever writes it finds and refuses it.
    """
    turned, moved = (np.zeros(before.rotation.shape[:2], bool) for _ in range(2))
    for bone in range(len(before.names)):  # one at a time, so that a long take needs no more memory than it has
        turned[:, bone], moved[:, bone] = find_bone_changes(before, after, bone)
    return Changes(rotation=turned, location=moved)


def find_bone_changes(before: RigTake, after: RigTake, bone: int) -> tuple[np.ndarray, np.ndarray]:
    """Frames (F,) in which one bone turns, and in which it moves, otherwise than before: see find_changes."""
    size = max(float(np.ptp(before.rest[:, :3, 3], axis=0).max(initial=0.0)), 1e-6)
    old, new, turned = before.rotation[:, bone], after.rotation[:, bone], np.zeros(len(before.frames), bool)
    if not np.array_equal(old, new):
        turned = ~(angle_between(normalise(old), normalise(new)) <= 1e-6)
    shift = np.abs(after.location[:, bone] - before.location[:, bone]).max(axis=-1)
    return turned, ~(shift <= 1e-6 * size)


def transform_matrices(location: np.ndarray, rotation: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Transforms (..., 4, 4) of locations (..., 3), quaternions (..., 4) and scales (..., 3)."""
    matrices = np.zeros((*rotation.shape[:-1], 4, 4))
    matrices[..., :3, :3] = to_matrix(normalise(rotation)) * scale[..., None, :]
    matrices[..., :3, 3] = location
    matrices[..., 3, 3] = 1.0
    return matrices


def basis_matrices(take: RigTake) -> np.ndarray:
    """Each pose bone's own transform against its rest pose (`matrix_basis`), (F, B, 4, 4)."""
    return transform_matrices(take.location, take.rotation, take.scale)


def rest_from_parent(take: RigTake) -> np.ndarray:
    """Rest matrix of each bone in the space of its parent's rest, of a root in armature space, (B, 4, 4)."""
    parent_rest = np.where((take.parents < 0)[:, None, None], np.eye(4), take.rest[take.parents])
    return np.linalg.inv(parent_rest) @ take.rest


def carriers(parents: np.ndarray, bones: np.ndarray) -> np.ndarray:
    """The bones of this index (N,), -1 for none, and all that they hang on, (B,) bool; parents (B,)."""
    found = np.zeros(len(parents), bool)
    found[bones[bones >= 0]] = True
    for bone in range(len(parents) - 1, -1, -1):
        if found[bone] and parents[bone] >= 0:
            found[parents[bone]] = True
    return found


def pose_matrices(take: RigTake, bones: np.ndarray | None = None) -> np.ndarray:
    """Posed bones in armature space as Blender computes `pose_bone.matrix`, all transforms inherited, (F, B, 4, 4).

    bones (N,) asks for these alone by index, (F, N, 4, 4), without working out the rest; for -1 it is meaningless.
    """
    wanted = np.arange(len(take.names)) if bones is None else np.asarray(bones)
    needed = np.flatnonzero(carriers(take.parents, wanted))
    row_of = np.zeros(len(take.names), int)
    row_of[needed] = np.arange(len(needed))
    basis = transform_matrices(take.location[:, needed], take.rotation[:, needed], take.scale[:, needed])
    pose = rest_from_parent(take)[needed] @ basis
    for row, parent in enumerate(take.parents[needed]):
        if parent >= 0:
            pose[:, row] = pose[:, row_of[parent]] @ pose[:, row]
    return pose if bones is None else pose[:, row_of[wanted]]


def world_matrices(take: RigTake, bones: np.ndarray | None = None) -> np.ndarray:
    """Posed bones in world space, (F, B, 4, 4), or those of these indices alone (F, N, 4, 4): see pose_matrices."""
    return take.world_from_armature @ pose_matrices(take, bones)


def carry_travel(before: RigTake, after: RigTake) -> RigTake:
    """The second take with new locations only on movable bones: what others were moved by, the bone above carries.

    A rig whose hips are fixed to a root bone keeps its travel there; with no such bone the locations stay as before.
    """
    if before.movable is None:
        return after
    fixed = np.flatnonzero((after.location != before.location).any(axis=(0, 2)) & ~before.movable)
    if not len(fixed):
        return after
    pose, local = pose_matrices(after), rest_from_parent(after)
    location = after.location.copy()
    for bone in fixed:
        shift = location_axes(after, pose, local, bone) @ (after.location - before.location)[:, bone, :, None]
        location[:, bone] = before.location[:, bone]
        carrier = _movable_ancestor(before, bone)
        if carrier is not None:
            location[:, carrier] += np.linalg.solve(location_axes(after, pose, local, carrier), shift)[..., 0]
    return replace(after, location=location)


def location_axes(take: RigTake, pose: np.ndarray, local: np.ndarray, bone: int) -> np.ndarray:
    """Axes (F, 3, 3), in armature space, that the bone's location channels stand for in each frame."""
    parent = take.parents[bone]
    axes = local[bone] if parent < 0 else pose[:, parent] @ local[bone]
    return np.broadcast_to(axes, (len(pose), 4, 4))[:, :3, :3]


def _movable_ancestor(take: RigTake, bone: int) -> int | None:
    while bone >= 0 and not take.movable[bone]:
        bone = take.parents[bone]
    return int(bone) if bone >= 0 else None
