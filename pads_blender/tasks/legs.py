"""Legs bent so that resting feet stay in place: no bone changes its length, no knee pops, the pelvis moved if it must.

Arrays only: legs (F, 2, 4, 3) are left and right, hip, knee, ankle, toe, of any lengths; Z up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.rotations import unit
from .contacts import CONTACT_JOINTS, Contacts
from .pieces import consecutive, one_by_one
from .running import OnStep, find_runs, part_of

BLEND_SECONDS = 0.17  # from a held foot to one that goes its own way
_PELVIS_COST = 8.0  # of moving the pelvis, against a knee that is moved as far; 2 costs accuracy, 30 shakes the knees
_STRAIGHT = 0.02  # how near to straight, as a share of the leg's length squared, a knee is as stiff as it gets
_BEND = 10.0  # radians by which a knee bends at most for a foot that comes nearer by a leg's length
_ITERATIONS = 3
_HORIZONTAL = np.array([1.0, 1.0, 0.0])  # heights stay as the performer left them


@dataclass(frozen=True)
class LockedLegs:
    """Legs (F, 2, 4, 3) with their feet held, and how far the body above them moved (F, 3)."""

    legs: np.ndarray
    shift: np.ndarray


def lock_legs(
    legs: np.ndarray,
    contacts: Contacts,
    amount: np.ndarray,
    fps: float,
    pelvis_moves: bool = True,
    on_step: OnStep | None = None,
) -> LockedLegs:
    """Legs (F, 2, 4, 3) whose ankles and toes rest as far as amount (F, 4), 0 to 1, says during the contacts.

    on_step(step, steps) before each step; may raise to stop.
    """
    if not len(legs):
        return LockedLegs(legs, np.zeros((0, 3)))
    feet, moves, cost = foot_tracks(legs), [], _PELVIS_COST if pelvis_moves else np.inf
    for k in range(4):
        if on_step:
            on_step(k, 8)
        moves.append(_moves(feet[:, k], contacts.resting[:, k], amount[:, k], fps))
    move, hold = (np.stack(part, axis=1).reshape(len(legs), 2, 2, -1) for part in zip(*moves, strict=True))
    rows = one_by_one(consecutive(legs), part_of(on_step, 1, 2))
    parts = [_placed(legs[each], move[each], hold[each], cost) for each in rows]
    return LockedLegs(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _placed(legs: np.ndarray, move: np.ndarray, hold: np.ndarray, cost: float) -> tuple[np.ndarray, np.ndarray]:
    """Legs (F, 2, 4, 3) with ankles and toes moved (F, 2, 2, 3) as far as held (F, 2, 2, 1), and the pelvis' shift."""
    ankle, toe = _place_feet(legs, move, hold[..., 0])
    shift, reach = _shift_pelvis(legs, ankle, cost)
    return _bend(legs, shift, ankle, toe, reach), shift


def _moves(path: np.ndarray, resting: np.ndarray, amount: np.ndarray, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """By how much (F, 3) one joint is to move, and how far it is held (F,): fully in contacts, faded in beside them."""
    move, hold = np.zeros(path.shape), np.zeros(len(path))
    runs, longest = find_runs(resting), max(1, round(BLEND_SECONDS * fps))
    for i, (first, last) in enumerate(runs):
        rows = slice(first, last + 1)
        place = np.average(path[rows], axis=0, weights=middle_weights(last - first + 1))
        move[rows], hold[rows] = amount[rows, None] * (place - path[rows]) * _HORIZONTAL, 1.0
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
    ankle_grip, toe_grip = ((held + 1e-3) / (1.001 - held) for held in (ankle_hold, toe_hold))
    ankles_part = toe_grip / (toe_grip + ankle_grip)  # what is not wholly held gives way to what is
    return ankle + ankles_part * excess, toe - (1.0 - ankles_part) * excess


def _shift_pelvis(legs: np.ndarray, ankle: np.ndarray, cost: float) -> tuple[np.ndarray, np.ndarray]:
    """Shift of the pelvis (F, 3) and length of each leg, hip to ankle (F, 2), that together serve the feet best.

    A bent knee takes up what its foot moves; the straighter it is, the more would it leap, so the pelvis gives instead.
    """
    hip, length = legs[:, :, 0], np.linalg.norm(legs[:, :, 2] - legs[:, :, 0], axis=-1)
    full = _full_lengths(legs)
    stiffness = length**2 / (4.0 * np.maximum(full**2 - length**2, 0.0) + _STRAIGHT * full**2)
    shift = np.zeros(hip[:, 0].shape)
    for _ in range(_ITERATIONS if np.isfinite(cost) else 0):
        away = hip + shift[:, None] - ankle
        distance = np.linalg.norm(away, axis=-1)
        towards = away / np.maximum(distance, 1e-9)[..., None]
        matrix = cost * np.eye(3) + np.einsum("fs,fsi,fsj->fij", stiffness, towards, towards)
        pull = np.einsum("fs,fsi->fi", stiffness * (distance - length), towards) + cost * shift
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
    axis = unit(ankle - hip)
    foot = hip + reach[..., None] * axis
    thigh, shin = np.moveaxis(np.linalg.norm(np.diff(legs[:, :, :3], axis=2), axis=-1), 2, 0)
    along = (thigh**2 - shin**2 + reach**2) / np.maximum(2.0 * reach, 1e-9)
    aside = np.sqrt(np.maximum(thigh**2 - along**2, 0.0))
    knee = hip + along[..., None] * axis + aside[..., None] * _knee_direction(legs, axis)
    return np.stack([hip, knee, foot, toe + foot - ankle], axis=2)


def _knee_direction(legs: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Unit vectors (F, 2, 3) across the legs' new axes on which the knees lie, turned with the axes and no further."""
    old = unit(legs[:, :, 2] - legs[:, :, 0])
    thigh = legs[:, :, 1] - legs[:, :, 0]
    aside = thigh - np.sum(thigh * old, axis=-1, keepdims=True) * old
    turned = aside - np.sum(aside * axis, axis=-1, keepdims=True) / np.maximum(
        1.0 + np.sum(old * axis, axis=-1, keepdims=True), 1e-6
    ) * (old + axis)  # the smallest rotation from old to axis; aside lies across old
    return turned / np.maximum(np.linalg.norm(turned, axis=-1, keepdims=True), 1e-12)


def foot_tracks(legs: np.ndarray) -> np.ndarray:
    """Paths (F, 4, 3) of CONTACT_JOINTS in legs (F, 2, 4, 3)."""
    return legs[:, :, 2:].reshape(len(legs), len(CONTACT_JOINTS), 3)


def middle_weights(frames: int) -> np.ndarray:
    """Weights (N,) that rise from nearly 0 at both ends to 1."""
    return np.sin(np.pi * (np.arange(frames) + 0.5) / frames) ** 2
