"""Rigs in which every bone is moved as well as turned, as some capture systems write them: their joints stay quiet.

There a bone's location makes up for the noise in the turns of the bones above it. Once those turns are clean, the
location would shake the joint instead.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..core.retarget import Residual
from ..core.rig import RigTake, location_axes, pose_matrices, rest_from_parent
from . import temporal
from .noise import estimate_noise, fourth_differences
from .pops import find_pops
from .running import running_sum

_STILL = 1e-6  # of the rig's size: locations that vary less are constant
_REACH_SECONDS = 0.1  # on either side: over which it is decided how much of a quick change serves


def steady_locations(residual: Residual, before: RigTake, after: RigTake) -> RigTake:
    """The second take with the joints' animated locations such that none shakes for the turns of the bones above it.

    Each joint keeps its path of the first take, with the slow part of what Clean changed about it, and as much of the
    quick part as makes it smoother. Where only the pelvis and what carries it are moved, nothing changes.
    """
    moved = _animated(before) & _carriers(before, residual.bones)  # props and fingers stay
    if not (moved & ~_carriers(before, residual.bones[:1])).any():
        return after
    bones, metres = np.flatnonzero(moved), residual.scale * np.linalg.norm(residual.world_from_armature[:3, 0])
    pose = pose_matrices(after)
    old, new = (metres * matrices[..., :3, 3][:, bones] for matrices in (pose_matrices(before), pose))
    wanted = dict(zip(bones.tolist(), np.moveaxis(_steadied(old, new, before.fps) - new, 1, 0) / metres, strict=True))
    return replace(after, location=after.location + _own_shifts(after, pose, wanted))


def _own_shifts(take: RigTake, pose: np.ndarray, wanted: dict[int, np.ndarray]) -> np.ndarray:
    """Changes (F, B, 3) of locations that move the heads of some bones by so much (F, 3); others are carried along."""
    local, location, moved = rest_from_parent(take), np.zeros(take.location.shape), np.zeros(take.location.shape)
    for bone, parent in enumerate(take.parents):
        carried = moved[:, parent] if parent >= 0 else np.zeros(len(moved))[:, None]
        moved[:, bone] = wanted.get(bone, carried)
        if bone in wanted:
            own = (wanted[bone] - carried)[..., None]
            location[:, bone] = np.linalg.solve(location_axes(take, pose, local, bone), own)[..., 0]
    return location


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


def _carriers(take: RigTake, bones: np.ndarray) -> np.ndarray:
    """Some bones and all above them, (B,) bool; -1 is none."""
    found = np.zeros(len(take.names), bool)
    for bone in bones.tolist():
        while bone >= 0:
            found[bone], bone = True, int(take.parents[bone])
    return found


def _serving(path: np.ndarray, quick: np.ndarray, fps: float) -> np.ndarray:
    """Share (F, N, 1), 0 to 1, of a quick change (F, N, 3) that makes the path about a frame smoothest: regression."""
    rough, added = (_bend(values) for values in (path, quick))
    reach = max(2, round(_REACH_SECONDS * fps))
    against, power = (running_sum(np.sum(a * added, axis=-1), reach) for a in (rough, added))
    return np.clip(-against / np.maximum(power, 1e-18), 0.0, 1.0)[..., None]


def _bend(values: np.ndarray) -> np.ndarray:
    """Fourth differences (F, N, 3) about each frame, the paths going on beyond their ends as they came."""
    return fourth_differences(np.pad(values, ((2, 2), (0, 0), (0, 0)), mode="reflect", reflect_type="odd"))
