"""Feet that rest stay where they are: held during contacts, legs bent to them, the pelvis moved where it must be.

Works on the legs alone, (F, 2, 4, 3): left and right, hip, knee, ankle, toe; of the model or of a rig, any lengths.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..core import rotations as rot
from ..core.motion import Motion
from ..core.retarget import Residual, rig_positions, turn_bones
from ..core.rig import RigTake
from ..core.skeleton import MODEL
from .contacts import CONTACT_JOINTS, Contacts, find_contacts
from .running import find_runs

LEG_JOINTS = np.array(
    [MODEL.indices(*[f"{s}_{j}" for j in ("hip", "knee", "ankle", "toe")]) for s in ("left", "right")]
)
BLEND_SECONDS = 0.17
# Contacts of captured takes that nobody would mend drift by up to 80 mm/s (95th percentile, validation subjects: heels
# roll, skin moves); a take is noisy from some millimetres on. Between the two numbers a contact is held in part.
DRIFT = (0.08, 0.16)  # m/s
NOISE_METRES = (0.003, 0.010)
_PELVIS_COST = 2.0  # of moving the pelvis by a metre, against a knee that is moved as far
_STRAIGHT = 0.02  # how near to straight, as a share of the leg's length squared, a knee is as stiff as it gets
_BEND = 10.0  # radians by which a knee bends at most for a foot that comes nearer by a leg's length
_ITERATIONS = 3


@dataclass(frozen=True)
class LockedLegs:
    """Legs (F, 2, 4, 3) with their feet held, and how far the body above them moved (F, 3)."""

    legs: np.ndarray
    shift: np.ndarray


def lock_feet(
    motion: Motion, strength: float = 1.0, contacts: Contacts | None = None, share: np.ndarray | None = None
) -> Motion:
    """The motion with every joint that rests held at its mean place during each contact; bone lengths stay.

    contacts: found in the motion unless given; share (F, 4): how far each contact is held, 1 unless given.
    """
    contacts = contacts or find_contacts(motion.positions, motion.fps)
    if strength <= 0.0 or not contacts.resting.any():
        return motion
    amount = strength * (np.ones(contacts.resting.shape) if share is None else share)
    locked = lock_legs(motion.positions[:, LEG_JOINTS], contacts, amount, motion.fps)
    positions = motion.positions + locked.shift[:, None]
    positions[:, LEG_JOINTS] = locked.legs
    return replace(motion, positions=positions)


def lock_feet_of_rig(residual: Residual, take: RigTake, contacts: Contacts, amount: np.ndarray) -> RigTake:
    """A take of the residual's rig with its feet held as far as amount (F, 4) says, on the rig's own proportions.

    A foot that is held on the model's body would slide on legs of other lengths.
    """
    legs = rig_legs(residual, take)
    locked = lock_legs(legs, contacts, amount, take.fps)
    turns = {}
    for side, (hip, knee, ankle, _) in enumerate(LEG_JOINTS.tolist()):
        old, new = (np.diff(positions[:, side], axis=1) for positions in (legs, locked.legs))
        turns[hip] = rot.swing_between(old[:, 0], new[:, 0])
        shin = rot.swing_between(rot.rotate(turns[hip], old[:, 1]), new[:, 1])
        turns[knee] = rot.multiply(shin, turns[hip])
        turns[ankle] = rot.swing_between(old[:, 2], new[:, 2])
    return turn_bones(residual, take, turns, locked.shift)


def rig_legs(residual: Residual, take: RigTake) -> np.ndarray:
    """Legs (F, 2, 4, 3) of a take of the residual's rig, in the model's metres; a missing toe lies on its ankle."""
    positions = rig_positions(residual, take)
    return positions[:, np.where(residual.bones[LEG_JOINTS] >= 0, LEG_JOINTS, LEG_JOINTS[:, 2:3])]


def needed_share(tracks: np.ndarray, contacts: Contacts, noise: np.ndarray, fps: float) -> np.ndarray:
    """How far (F, 4) each contact is to be held by itself, constant in each: fully where the take was noisy or slides.

    tracks (F, 4, 3): paths of CONTACT_JOINTS; noise (F, 4) or (4,) metres in the take before it was cleaned, infinite
    where it was hidden. A foot that was measured well and hardly drifts is left as the performer had it.
    """
    share, noise = np.zeros(contacts.resting.shape), np.broadcast_to(noise, contacts.resting.shape)
    for part in contacts.ranges:
        column, rows = CONTACT_JOINTS.index(part.joint), slice(part.first, part.last + 1)
        was_noisy = _rising(float(np.median(noise[rows, column])), *NOISE_METRES)
        share[rows, column] = max(was_noisy, _rising(_drift(tracks[rows, column, :2], fps), *DRIFT))
    return share


def _rising(value: float, low: float, high: float) -> float:
    """0 up to low, 1 from high on, smooth in between."""
    t = min(max((value - low) / (high - low), 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


def _drift(path: np.ndarray, fps: float) -> float:
    """Speed in m/s from the first third of a path (N, 2) to its last."""
    third = max(1, len(path) // 3)
    moved = path[-third:].mean(axis=0) - path[:third].mean(axis=0)
    return float(np.linalg.norm(moved)) * fps / max(len(path) - third, 1)


def lock_legs(legs: np.ndarray, contacts: Contacts, amount: np.ndarray, fps: float) -> LockedLegs:
    """Legs (F, 2, 4, 3) whose ankles and toes rest as far as amount (F, 4), 0 to 1, says during the contacts."""
    feet = legs[:, :, 2:].reshape(len(legs), 4, 3)
    moves = [_moves(feet[:, k], contacts.resting[:, k], amount[:, k], fps) for k in range(4)]
    move, hold = (np.stack(part, axis=1).reshape(len(legs), 2, 2, -1) for part in zip(*moves, strict=True))
    ankle, toe = _place_feet(legs, move, hold[..., 0])
    shift, reach = _shift_pelvis(legs, ankle)
    return LockedLegs(_bend(legs, shift, ankle, toe, reach), shift)


def _moves(path: np.ndarray, resting: np.ndarray, amount: np.ndarray, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """By how much (F, 3) one joint is to move, and how far it is held (F,): fully in contacts, faded in beside them."""
    move, hold = np.zeros(path.shape), np.zeros(len(path))
    runs, longest = find_runs(resting), max(1, round(BLEND_SECONDS * fps))
    for i, (first, last) in enumerate(runs):
        rows = slice(first, last + 1)
        # The more still, the more it counts: borders, where the foot comes and goes, hardly do.
        middle = np.sin(np.pi * (np.arange(last - first + 1) + 0.5) / (last - first + 1)) ** 2
        place = (middle[:, None] * path[rows]).sum(axis=0) / middle.sum()
        move[rows], hold[rows] = amount[rows, None] * (place - path[rows]), 1.0
        before = first - (runs[i - 1][1] + 1 if i else -longest)
        after = (runs[i + 1][0] if i + 1 < len(runs) else len(path) + longest) - last - 1
        for edge, step, room in ((first, -1, before), (last, 1, after)):
            fade = _fade(min(longest, room // 2))
            at = edge + step * np.arange(1, len(fade) + 1)
            inside = (at >= 0) & (at < len(path))
            move[at[inside]], hold[at[inside]] = fade[inside, None] * move[edge], fade[inside]
    return move, hold


def _fade(frames: int) -> np.ndarray:
    """From near 1 to near 0 in so many frames, smooth at both ends."""
    return 0.5 + 0.5 * np.cos(np.pi * np.arange(1, frames + 1) / (frames + 1))


def _place_feet(legs: np.ndarray, move: np.ndarray, hold: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where ankles and toes (F, 2, 3) go: each as it is held, else with the other one; the foot keeps its length."""
    ankle_hold, toe_hold = hold[..., :1], hold[..., 1:]
    ankle = legs[:, :, 2] + move[:, :, 0] + (1.0 - ankle_hold) * move[:, :, 1]
    toe = legs[:, :, 3] + move[:, :, 1] + (1.0 - toe_hold) * move[:, :, 0]
    length = np.linalg.norm(legs[:, :, 3] - legs[:, :, 2], axis=-1, keepdims=True)
    foot = toe - ankle
    distance = np.maximum(np.linalg.norm(foot, axis=-1, keepdims=True), 1e-9)
    excess = foot * (1.0 - length / distance)
    ankles_part = (toe_hold + 1e-3) / (toe_hold + ankle_hold + 2e-3)  # the one that is free gives way
    return ankle + ankles_part * excess, toe - (1.0 - ankles_part) * excess


def _shift_pelvis(legs: np.ndarray, ankle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shift of the pelvis (F, 3) and length of each leg, hip to ankle (F, 2), that together serve the feet best.

    A bent knee takes up what its foot moves; the straighter it is, the more would it leap, so the pelvis gives instead.
    """
    hip, length = legs[:, :, 0], np.linalg.norm(legs[:, :, 2] - legs[:, :, 0], axis=-1)
    full = _full_lengths(legs)
    stiffness = length**2 / (4.0 * np.maximum(full**2 - length**2, 0.0) + _STRAIGHT * full**2)
    shift = np.zeros(hip[:, 0].shape)
    for _ in range(_ITERATIONS):
        away = hip + shift[:, None] - ankle
        distance = np.linalg.norm(away, axis=-1)
        towards = away / np.maximum(distance, 1e-9)[..., None]
        matrix = _PELVIS_COST * np.eye(3) + np.einsum("fs,fsi,fsj->fij", stiffness, towards, towards)
        pull = np.einsum("fs,fsi->fi", stiffness * (distance - length), towards) + _PELVIS_COST * shift
        shift = shift - np.linalg.solve(matrix, pull[..., None])[..., 0]
    distance = np.linalg.norm(hip + shift[:, None] - ankle, axis=-1)
    return shift, _soft_reach(length, distance - length, full)


def _full_lengths(legs: np.ndarray) -> np.ndarray:
    """Length (F, 2) of each leg when its knee is straight."""
    return np.linalg.norm(np.diff(legs[:, :, :3], axis=2), axis=-1).sum(axis=2)


def _soft_reach(length: np.ndarray, change: np.ndarray, full: np.ndarray) -> np.ndarray:
    """The length (F, 2) that each leg takes for a wanted change: never beyond straight, no sudden bend from there."""
    room = np.maximum(full - length, 1e-9)
    longer = length + _soft_least(np.maximum(change, 0.0), room)
    angle = np.arccos(np.clip(length / full, -1.0, 1.0))
    wanted = np.arccos(np.clip((length + np.minimum(change, 0.0)) / full, -1.0, 1.0)) - angle
    bent = full * np.cos(angle + _soft_least(wanted, _BEND * np.abs(change) / full))
    return np.where(change > 0.0, longer, np.where(change < 0.0, bent, length))


def _soft_least(value: np.ndarray, limit: np.ndarray) -> np.ndarray:
    """The value, or the limit where that is smaller, smooth in between; both at least 0."""
    return value / (1.0 + (value / np.maximum(limit, 1e-12)) ** 4) ** 0.25


def _bend(legs: np.ndarray, shift: np.ndarray, ankle: np.ndarray, toe: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """Legs (F, 2, 4, 3) hung on the shifted pelvis: hip to ankle as long as reach (F, 2), knees as they pointed."""
    hip = legs[:, :, 0] + shift[:, None]
    axis = ankle - hip
    axis /= np.maximum(np.linalg.norm(axis, axis=-1, keepdims=True), 1e-9)
    foot = hip + reach[..., None] * axis
    thigh, shin = np.moveaxis(np.linalg.norm(np.diff(legs[:, :, :3], axis=2), axis=-1), 2, 0)
    along = (thigh**2 - shin**2 + reach**2) / np.maximum(2.0 * reach, 1e-9)
    aside = np.sqrt(np.maximum(thigh**2 - along**2, 0.0))
    knee = hip + along[..., None] * axis + aside[..., None] * _knee_direction(legs, axis)
    return np.stack([hip, knee, foot, toe + foot - ankle], axis=2)


def _knee_direction(legs: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Unit vectors (F, 2, 3) across the legs' new axes on which the knees lie, turned with the axes and no further."""
    old = legs[:, :, 2] - legs[:, :, 0]
    old = old / np.maximum(np.linalg.norm(old, axis=-1, keepdims=True), 1e-9)
    thigh = legs[:, :, 1] - legs[:, :, 0]
    aside = thigh - np.sum(thigh * old, axis=-1, keepdims=True) * old
    turned = aside - np.sum(aside * axis, axis=-1, keepdims=True) / np.maximum(
        1.0 + np.sum(old * axis, axis=-1, keepdims=True), 1e-6
    ) * (old + axis)  # the smallest rotation from old to axis; aside lies across old
    return turned / np.maximum(np.linalg.norm(turned, axis=-1, keepdims=True), 1e-12)
