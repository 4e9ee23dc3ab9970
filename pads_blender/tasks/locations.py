"""Rigs in which every bone is moved as well as turned, as some capture systems write them: their joints stay quiet.

There a bone's location makes up for the noise in the turns of the bones above it. Once those turns are clean, the
location would shake the joint instead. Locations stay as they were found; so the turns make up for them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..core import rotations as rot
from ..core.retarget import Residual, unscaled
from ..core.rig import RigTake, carriers, pose_matrices, rest_from_parent, transform_matrices
from . import temporal
from .noise import estimate_noise, fourth_differences
from .pops import find_pops
from .running import running_sum

_STILL = 1e-6  # of the rig's size: locations that vary less are constant
_REACH_SECONDS = 0.1  # on either side: over which it is decided how much of a quick change serves


def steady_locations(residual: Residual, before: RigTake, after: RigTake, held: np.ndarray) -> RigTake:
    """The second take, its bones turned such that no joint shakes for the animated locations of the bones below them.

    Each joint keeps its path of the first take, with the slow part of what Clean changed about it, and as much of the
    quick part as makes it smoother, as far as turns alone can do it. Only the pelvis is moved. held (B,): bones that
    stay as they are. Where only the pelvis and what carries it are moved, nothing changes.
    """
    trunk, body = carriers(before.parents, residual.bones[:1]), carriers(before.parents, residual.bones)
    if not find_moved_limbs(before, residual.bones).any():
        return after
    pelvis, metres = int(residual.bones[0]), residual.scale * np.linalg.norm(residual.world_from_armature[:3, 0])
    bones = np.concatenate([[pelvis], np.flatnonzero(body & ~trunk)])
    old, new = (metres * pose_matrices(take, bones)[..., :3, 3] for take in (before, after))
    paths = np.moveaxis(_steadied(old, new, before.fps), 1, 0) / metres
    return _aimed(after, dict(zip(bones.tolist(), paths, strict=True)), pelvis, held)


def find_moved_limbs(take: RigTake, bones: np.ndarray) -> np.ndarray:
    """Bones (B,) bool of the body below the pelvis whose location is animated; bones (J,) of the joints or -1."""
    return _animated(take) & carriers(take.parents, bones) & ~carriers(take.parents, bones[:1])


def _aimed(take: RigTake, wanted: dict[int, np.ndarray], pelvis: int, held: np.ndarray) -> RigTake:
    """The take with bones turned towards where the heads below them (F, 3) are wanted, and the pelvis moved there."""
    rotation, location, pose = take.rotation.copy(), take.location.copy(), pose_matrices(take)
    local, children = rest_from_parent(take), _children(take, wanted)
    for bone, parent in enumerate(take.parents):
        frame = np.broadcast_to(local[bone], pose[:, bone].shape) if parent < 0 else pose[:, parent] @ local[bone]
        if bone == pelvis and not held[bone]:
            away = (wanted[bone] - frame[:, :3, 3])[..., None]
            location[:, bone] = np.linalg.solve(frame[:, :3, :3], away)[..., 0]
        pose[:, bone] = frame @ transform_matrices(location[:, bone], rotation[:, bone], take.scale[:, bone])
        if children[bone] and not held[bone]:
            turn = _turn_to(pose[:, bone], [(local[c], take.location[:, c], wanted[c]) for c in children[bone]])
            rotation[:, bone] = _turned(frame, rotation[:, bone], turn)
            pose[:, bone] = frame @ transform_matrices(location[:, bone], rotation[:, bone], take.scale[:, bone])
    return replace(take, rotation=rotation, location=location)


def _children(take: RigTake, wanted: dict[int, np.ndarray]) -> list[list[int]]:
    """The wanted bones that hang on each of the wanted bones."""
    children: list[list[int]] = [[] for _ in take.names]
    for bone in wanted:
        if int(take.parents[bone]) in wanted:
            children[int(take.parents[bone])].append(bone)
    return children


def _turn_to(pose: np.ndarray, aims: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> np.ndarray:
    """The turn (F, 4) of a posed bone (F, 4, 4) that brings the heads on it nearest to where they are wanted.

    aims: rest from the bone (4, 4), location (F, 3) and wanted place (F, 3) of each head.
    """
    offsets = np.stack([rest[:3, 3] + place @ rest[:3, :3].T for rest, place, _ in aims], axis=1)
    present = np.einsum("fij,fnj->fni", pose[:, :3, :3], offsets)
    aimed = np.stack([goal for _, _, goal in aims], axis=1) - pose[:, None, :3, 3]
    if len(aims) == 1:
        return rot.swing_between(present[:, 0], aimed[:, 0])
    return rot.best_rotation(present, aimed)


def _turned(frame: np.ndarray, rotation: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Own rotations (F, 4) of a bone in a frame (F, 4, 4) after a turn (F, 4) in armature space; signs as before."""
    carried = rot.from_matrix(unscaled(frame[:, :3, :3]))
    result = rot.multiply(rot.inverse(carried), rot.multiply(turn, rot.multiply(carried, rot.normalise(rotation))))
    return np.where(np.sum(result * rotation, axis=-1, keepdims=True) < 0, -result, result)


def _steadied(old: np.ndarray, new: np.ndarray, fps: float) -> np.ndarray:
    """Paths (F, N, 3) in metres: the old ones, changed slowly as the new ones are, and quickly where that serves."""
    change = new - old
    noise = estimate_noise(change, np.ones(change.shape[:2], bool))
    slow = temporal.smooth(change, (~find_pops(change, noise)).astype(float), noise)
    return old + slow + _serving(old + slow, change - slow, fps) * (change - slow)


def _animated(take: RigTake) -> np.ndarray:
    """Bones (B,) bool whose location varies and may be changed."""
    size = max(float(np.ptp(take.rest[:, :3, 3], axis=0).max(initial=0.0)), 1e-6)
    varies = np.ptp(take.location, axis=0).max(axis=-1) > _STILL * size
    return varies if take.movable is None else varies & take.movable


def _serving(path: np.ndarray, quick: np.ndarray, fps: float) -> np.ndarray:
    """Share (F, N, 1), 0 to 1, of a quick change (F, N, 3) that makes the path about a frame smoothest: regression."""
    rough, added = (_bend(values) for values in (path, quick))
    reach = max(2, round(_REACH_SECONDS * fps))
    against, power = (running_sum(np.sum(a * added, axis=-1), reach) for a in (rough, added))
    return np.clip(-against / np.maximum(power, 1e-18), 0.0, 1.0)[..., None]


def _bend(values: np.ndarray) -> np.ndarray:
    """Fourth differences (F, N, 3) about each frame, the paths going on beyond their ends as they came."""
    return fourth_differences(np.pad(values, ((2, 2), (0, 0), (0, 0)), mode="reflect", reflect_type="odd"))
