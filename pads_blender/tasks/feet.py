"""Feet that rest stay where they are: in a cleaned motion of the model, and in a cleaned take of a rig.

Contacts that are given are held fully; those that are found are held as far as they need it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..core import rotations as rot
from ..core.easing import ease
from ..core.mapping import Mapping
from ..core.metrics import skate_ratio
from ..core.motion import Motion
from ..core.retarget import Residual, rig_positions, to_model, turn_bones
from ..core.rig import RigTake
from ..core.skeleton import MODEL
from . import pieces
from .contacts import COLUMNS, CONTACT_JOINTS, Contacts, ContactSettings, find_contacts, find_resting
from .legs import foot_tracks, lock_legs, middle_weights
from .running import OnStep, part_of

LEG_JOINTS = np.array(
    [MODEL.indices(*[f"{s}_{j}" for j in ("hip", "knee", "ankle", "toe")]) for s in ("left", "right")]
)
# Captured feet are not still: heels roll, skin moves. In clean validation clips a contact of T seconds moves at
# 0.015 m/s + 16 mm / T or faster in three of four cases. For short ones that is a lot: of 0 to 0.07 m/s there, 0.045
# took most out of sixteen noisy clips (20 mm of noise, jitter) at no cost in accuracy; 0 cost up to 5 % of the error.
# Slides of 30 mm and 0.08 m/s are usual in clean clips, too (95th percentile).
NATURAL_SPEED, NATURAL_METRES, MOST_NATURAL = 0.015, 0.016, 0.045
SLIDE_METRES = (0.03, 0.06)  # from usual to wrong
SLIDE_SPEED = (0.08, 0.16)  # m/s
TURN_RADIANS, TURN_METRES = (0.2, 0.45), (0.02, 0.04)  # from resting to turning on the spot: the foot, and its end
NOISE_METRES = (0.003, 0.03)  # from precise to noisy
# Feet of very noisy takes still swim when they are cleaned. With wider limits of horizontal speed more contacts
# are found (sixteen validation clips with jitter, noise of 50 mm: F1 0.954, with 1.3 to 1.6 times as much 0.963).
WIDER, VERY_NOISY_METRES = 1.45, (0.025, 0.05)


@dataclass(frozen=True)
class Freedom:
    """What may be moved: which of CONTACT_JOINTS, (4,) bool, and the pelvis."""

    feet: np.ndarray
    pelvis: bool


def lock_feet(
    motion: Motion, strength: float = 1.0, contacts: Contacts | None = None, share: np.ndarray | None = None
) -> Motion:
    """The motion with every joint that rests held at its mean place during each contact; bone lengths stay.

    contacts: found in the motion unless given; share (F, 4): how far each contact is held, 1 unless given.
    """
    contacts = contacts or find_contacts(motion.positions, motion.fps)
    amount = strength * contacts.resting * (1.0 if share is None else share)
    if not amount.any():
        return motion
    locked = lock_legs(motion.positions[:, LEG_JOINTS], contacts, amount, motion.fps)
    positions = motion.positions + locked.shift[:, None]
    positions[:, LEG_JOINTS] = locked.legs
    return replace(motion, positions=positions)


def steady_feet(motion: Motion, noise: np.ndarray, strength: float) -> Motion:
    """A cleaned motion with its feet held as far as they need it.

    noise (F, J): metres in the motion before it was cleaned, infinite where nothing was measured.
    """
    contacts = find_contacts(motion.positions, motion.fps, _limits(noise[:, COLUMNS]))
    share = needed_share(motion.positions[:, COLUMNS], contacts, noise[:, COLUMNS], motion.fps)
    return lock_feet(motion, strength, contacts, share)


def lock_rig_feet(
    residual: Residual,
    take: RigTake,
    strength: float = 1.0,
    contacts: Contacts | None = None,
    share: np.ndarray | None = None,
    pelvis_moves: bool = True,
    on_step: OnStep | None = None,
) -> RigTake:
    """A take of the residual's rig with its feet held like those of a motion, on the rig's own proportions.

    A foot that is held on the model's body would slide on legs of other lengths. on_step(step, steps) before each step;
    may raise to stop.
    """
    contacts, parts = contacts or find_rig_contacts(residual, take), pieces.consecutive(take.frames)
    amount = strength * contacts.resting * (1.0 if share is None else share)
    if not amount.any():
        return take
    first, middle, last = (part_of(on_step, stage, 3) for stage in range(3))
    legs = np.concatenate([rig_legs(residual, take.rows(part)) for part in pieces.one_by_one(parts, first)])
    locked = lock_legs(legs, contacts, amount, take.fps, pelvis_moves, middle)
    rotation, location = np.empty_like(take.rotation), np.empty_like(take.location)
    for part in pieces.one_by_one(parts, last):
        turns = _leg_turns(legs[part], locked.legs[part])
        turned = turn_bones(residual, take.rows(part), turns, locked.shift[part])
        rotation[part], location[part] = turned.rotation, turned.location
    return replace(take, rotation=rotation, location=location)


def _leg_turns(before: np.ndarray, after: np.ndarray) -> dict[int, np.ndarray]:
    """World rotations (F, 4) of hips, knees and ankles that take legs (F, 2, 4, 3) to others, by joint."""
    turns = {}
    for side, (hip, knee, ankle, _) in enumerate(LEG_JOINTS.tolist()):
        old, new = (np.diff(positions[:, side], axis=1) for positions in (before, after))
        turns[hip] = rot.swing_between(old[:, 0], new[:, 0])
        shin = rot.swing_between(rot.rotate(turns[hip], old[:, 1]), new[:, 1])
        turns[knee] = rot.multiply(shin, turns[hip])
        turns[ankle] = rot.swing_between(old[:, 2], new[:, 2])
    return turns


def steady_rig_feet(
    residual: Residual, take: RigTake, noise: np.ndarray, strength: float, freedom: Freedom | None = None
) -> RigTake:
    """A cleaned take with its feet held as far as they need it; noise (F, J) metres of the joints before cleaning."""
    freedom = freedom or Freedom(np.ones(len(COLUMNS), bool), True)
    contacts = find_rig_contacts(residual, take, _limits(noise[:, COLUMNS]))
    share = needed_share(foot_tracks(rig_legs(residual, take)), contacts, noise[:, COLUMNS], take.fps)
    return lock_rig_feet(residual, take, strength, contacts, share * freedom.feet, freedom.pelvis)


def find_freedom(bones: np.ndarray, kept_rotation: np.ndarray, kept_location: np.ndarray) -> Freedom:
    """What the animator's locked curves leave free; bones (J,) of the joints, kept (B,): bones that must not change."""
    free = [not kept_rotation[bones[leg[:3]]].any() for leg in LEG_JOINTS]
    return Freedom(np.repeat(free, 2), not kept_location[bones[0]])


def find_rig_contacts(residual: Residual, take: RigTake, settings: ContactSettings | None = None) -> Contacts:
    """Contacts of a take of the residual's rig, of the feet and toes that it has."""
    found = find_resting(foot_tracks(rig_legs(residual, take)), take.fps, settings)
    return Contacts(found.resting & (residual.bones[COLUMNS] >= 0))


def report_feet(
    before: RigTake, after: RigTake, mapping: Mapping, parts: list[slice], on_step: OnStep | None = None
) -> dict:
    """Skate ratios before and after, and the contacts afterwards in scene frames, as plain data.

    parts: all rows, some at a time. on_step(step, steps) before each step; may raise to stop.
    """
    _, residual = to_model(before.rows(slice(0, 1)), mapping)
    tracks = [rig_tracks(residual, take, parts, on_step) for take in (before, after)]
    old, new = (round(skate_ratio(each, before.fps), 4) for each in tracks)
    contacts = Contacts(find_resting(tracks[1], after.fps, on_step=on_step).resting & (residual.bones[COLUMNS] >= 0))
    ranges = [
        {"joint": part.joint, "first": int(after.frames[part.first]), "last": int(after.frames[part.last])}
        for part in contacts.ranges
    ]
    return {"skate_before": old, "skate_after": new, "contacts": ranges}


def rig_tracks(residual: Residual, take: RigTake, parts: list[slice], on_step: OnStep | None = None) -> np.ndarray:
    """Paths (F, 4, 3) of CONTACT_JOINTS in a take of the residual's rig, worked out part by part: see report_feet."""
    each = pieces.one_by_one(parts, on_step)
    return np.concatenate([foot_tracks(rig_legs(residual, take.rows(part))) for part in each])


def rig_legs(residual: Residual, take: RigTake) -> np.ndarray:
    """Legs (F, 2, 4, 3) of a take of the residual's rig, in the model's metres; a missing toe lies on its ankle."""
    positions = rig_positions(residual, take)
    return positions[:, np.where(residual.bones[LEG_JOINTS] >= 0, LEG_JOINTS, LEG_JOINTS[:, 2:3])]


def _limits(noise: np.ndarray) -> ContactSettings:
    """What counts as rest in a cleaned take whose feet had this noise (F, 4) in metres, infinite where hidden."""
    usual, measured = ContactSettings(), noise[np.isfinite(noise)]
    wider = 1.0 + (WIDER - 1.0) * _rising(float(np.median(measured)) if len(measured) else 0.0, *VERY_NOISY_METRES)
    return replace(usual, still=wider * usual.still, moving=wider * usual.moving)


def needed_share(tracks: np.ndarray, contacts: Contacts, noise: np.ndarray, fps: float) -> np.ndarray:
    """How far (F, 4) each contact is to be held, constant in each: what noise adds to a foot's motion, all of a slide.

    tracks (F, 4, 3): paths of CONTACT_JOINTS; noise (F, 4) metres in the take before it was cleaned, infinite where it
    was hidden. A foot that was measured well and hardly drifts is left as it is, and so is the end of one that turns.
    """
    share = np.zeros(contacts.resting.shape)
    for part in contacts.ranges:
        column, rows = CONTACT_JOINTS.index(part.joint), slice(part.first, part.last + 1)
        path, other = tracks[rows, column, :2], tracks[rows, column ^ 1, :2]  # of the same foot
        was_noisy = _rising(float(np.median(noise[rows, column])), *NOISE_METRES)
        unnatural = max(0.0, 1.0 - _natural_speed(len(path) / fps) / max(_speed(path, fps), 1e-9))
        unsteady = was_noisy * unnatural * (1.0 - _turns(path, other))
        share[rows, column] = max(unsteady, min(_slides(path, fps), _slides(other, fps)))
    return share


def _rising(value: float, low: float, high: float) -> float:
    """0 up to low, 1 from high on, smooth in between."""
    return float(ease((value - low) / (high - low)))


def _natural_speed(seconds: float) -> float:
    """Speed (m/s) that is left to a foot in a contact of this length."""
    return min(NATURAL_SPEED + NATURAL_METRES / seconds, MOST_NATURAL)


def _speed(path: np.ndarray, fps: float) -> float:
    """Mean speed in m/s along a path (N, 2); its middle counts, its borders hardly do."""
    steps = np.linalg.norm(np.diff(path, axis=0), axis=-1)
    return float(np.average(steps, weights=middle_weights(len(steps)))) * fps if len(steps) else 0.0


def _slides(path: np.ndarray, fps: float) -> float:
    """How surely (0 to 1) a path (N, 2) in contact is a slide: far and fast from its first third to its last."""
    first, last = _thirds(path)
    far, frames = float(np.linalg.norm(last - first)), len(path) - max(1, len(path) // 3)
    return min(_rising(far, *SLIDE_METRES), _rising(far * fps / max(frames, 1), *SLIDE_SPEED))


def _turns(path: np.ndarray, other: np.ndarray) -> float:
    """How surely (0 to 1) a path (N, 2) in contact goes round the foot's other end: the foot turns on that."""
    (first, last), (pivot_first, pivot_last) = _thirds(path), _thirds(other)
    before, after = first - pivot_first, last - pivot_last
    turn = abs(np.arctan2(before[0] * after[1] - before[1] * after[0], before @ after))
    return min(_rising(float(turn), *TURN_RADIANS), _rising(float(np.linalg.norm(last - first)), *TURN_METRES))


def _thirds(path: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean places (2,) of the first and of the last third of a path (N, 2)."""
    third = max(1, len(path) // 3)
    return path[:third].mean(axis=0), path[-third:].mean(axis=0)
