"""Damage with known truth, on positions and on rotations, and where it is. The same generator, the same damage."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

import numpy as np

from ..core import rotations as rot
from ..core.mapping import Mapping
from ..core.rig import RigTake
from ..core.skeleton import JOINTS, MODEL

VISIBLE_METRES = 0.02  # held or zeroed channels matter where the truth moves further than this meanwhile
STILL_METRES_PER_SECOND = 0.1  # a foot slower than this stands
SLIDING_METRES_PER_SECOND = 0.03  # a standing foot that is moved faster than this slides
FEET = MODEL.indices("left_ankle", "left_toe", "right_ankle", "right_toe")
ARMS, LEGS = ("collar", "shoulder", "elbow", "wrist"), ("hip", "knee", "ankle", "toe")


@dataclass(frozen=True)
class DamagedTake:
    """A damaged take; hit (F, B): bones and frames that were changed; shows (F, B): those that the truth shows.

    A channel held while the performer held still is hit and does not show: it is neither right nor wrong to find it.
    """

    take: RigTake
    hit: np.ndarray
    shows: np.ndarray


def generator(clip: str, seed: int) -> np.random.Generator:
    """Randomness of one clip under one seed, whichever other clips take part."""
    return np.random.default_rng([seed, zlib.crc32(clip.encode())])


def random_spans(
    shape: tuple[int, int], share: float, lengths: tuple[int, int], rng: np.random.Generator
) -> np.ndarray:
    """Spans (F, N) bool that start on this share of all places and last from shortest to longest frames."""
    first, length = _spans(rng.random(shape) < share, rng.integers(lengths[0], lengths[1] + 1, shape))
    return (first >= 0) & (np.arange(shape[0])[:, None] - first < length)


def _spans(starts: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frame of the last start (F, N), -1 for none so far, and the length drawn there."""
    first = np.maximum.accumulate(np.where(starts, np.arange(len(starts))[:, None], -1), axis=0)
    return first, np.take_along_axis(lengths, np.maximum(first, 0), axis=0)


# --- positions --------------------------------------------------------------------------------------------------------


def position_noise(positions: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """Positions (F, J, 3) with independent Gaussian noise of sigma metres on every coordinate."""
    return positions + sigma * rng.standard_normal(positions.shape)


def position_outliers(
    positions: np.ndarray, share: float, reach: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Positions (F, J, 3) of which a share is moved by up to reach metres on every coordinate; which ones (F, J).

    As Holden 2018 (Robust Solving of Optical Motion Capture Data by Denoising) damages markers.
    """
    moved = rng.random(positions.shape[:2]) < share
    offsets = rng.uniform(-reach, reach, positions.shape)
    return positions + np.where(moved[..., None], offsets, 0.0), moved


def swap_sides(
    positions: np.ndarray, swapped: np.ndarray, limbs: tuple[str, ...] = (*ARMS, *LEGS)
) -> tuple[np.ndarray, np.ndarray]:
    """Positions (F, J, 3) with left and right taken for each other in frames swapped (F,); where it shows (F, J)."""
    names = np.array([name.partition("_")[2] in limbs for name in JOINTS])
    exchanged = np.where((swapped[:, None] & names)[..., None], positions[:, MODEL.mirrored], positions)
    return exchanged, np.linalg.norm(exchanged - positions, axis=-1) > VISIBLE_METRES


def slide_shift(positions: np.ndarray, sliding: np.ndarray, factor: float) -> np.ndarray:
    """Shift (F, 3) in metres that makes the pelvis travel so many times as fast in the frames sliding (F,)."""
    steps = np.diff(positions[:, 0], axis=0, prepend=positions[:1, 0]) * [1.0, 1.0, 0.0]
    return np.cumsum((factor - 1.0) * sliding[:, None] * steps, axis=0)


def drift_shift(drifting: np.ndarray, metres_per_frame: float, rng: np.random.Generator) -> np.ndarray:
    """Shift (F, 3) in metres that grows steadily in one level direction in the frames drifting (F,)."""
    angle = rng.uniform(0.0, 2 * np.pi)
    return np.cumsum(drifting)[:, None] * metres_per_frame * np.array([np.cos(angle), np.sin(angle), 0.0])


def sliding_feet(positions: np.ndarray, shift: np.ndarray, fps: float) -> np.ndarray:
    """Feet (F, J) that stand in the true positions (F, J, 3) and that the shift (F, 3) makes slide."""
    speed = fps * np.linalg.norm(np.diff(positions[..., :2], axis=0, prepend=positions[:1, :, :2]), axis=-1)
    added = fps * np.linalg.norm(np.diff(shift, axis=0, prepend=shift[:1]), axis=-1)
    feet = np.isin(np.arange(len(JOINTS)), FEET)
    return feet & (speed < STILL_METRES_PER_SECOND) & (added > SLIDING_METRES_PER_SECOND)[:, None]


# --- a rig's take -----------------------------------------------------------------------------------------------------


def rotation_jitter(take: RigTake, degrees: float, rng: np.random.Generator) -> RigTake:
    """The take with every bone turned in every frame by a Gaussian angle about each of its own three axes."""
    vectors = np.radians(degrees) * rng.standard_normal((*take.rotation.shape[:2], 3))
    return replace(take, rotation=rot.multiply(take.rotation, rot.from_rotation_vector(vectors)))


def shifted(take: RigTake, shift: np.ndarray) -> RigTake:
    """The take as a whole moved by shift (F, 3) in metres of the world, by its root bone."""
    root = int(np.flatnonzero(take.parents < 0)[0])
    axes = take.world_from_armature[:3, :3] @ take.rest[root, :3, :3]
    location = take.location.copy()
    location[:, root] += np.linalg.solve(axes, shift.T).T
    return replace(take, location=location)


def root_jitter(take: RigTake, sigma: float, rng: np.random.Generator) -> RigTake:
    """The take with white noise of sigma metres on every coordinate of its root bone's position."""
    return shifted(take, sigma * rng.standard_normal((len(take.frames), 3)))


def rotation_pops(
    take: RigTake, degrees: float, share: float, longest: int, rng: np.random.Generator, bones: np.ndarray | None = None
) -> DamagedTake:
    """Turns by so many degrees about a random axis, held for 1 to longest frames, starting on a share of all places.

    bones: indices of those that pop, default all.
    """
    shape = take.rotation.shape[:2]
    first, length = _spans(rng.random(shape) < share, rng.integers(1, longest + 1, shape))
    axes = rng.standard_normal((*shape, 3))
    axes = np.take_along_axis(axes, np.maximum(first, 0)[..., None], axis=0)
    vectors = np.radians(degrees) * axes / np.linalg.norm(axes, axis=-1, keepdims=True)
    hit = (first >= 0) & (np.arange(shape[0])[:, None] - first < length)
    hit &= np.isin(np.arange(shape[1]), np.arange(shape[1]) if bones is None else bones)
    turned = rot.multiply(take.rotation, rot.from_rotation_vector(vectors))
    return DamagedTake(replace(take, rotation=np.where(hit[..., None], turned, take.rotation)), hit, hit)


def hold_rotations(take: RigTake, held: np.ndarray, degrees: float, rng: np.random.Generator) -> DamagedTake:
    """Every span of held (F, B) keeps the rotation of its first frame, but for white noise of so many degrees."""
    first = first_of_span(held)
    value = np.take_along_axis(take.rotation, np.where(held, first, 0)[..., None], axis=0)
    return _replaced(take, held, value, degrees, rng)


def zero_rotations(take: RigTake, zeroed: np.ndarray, degrees: float, rng: np.random.Generator) -> DamagedTake:
    """The bones and frames zeroed (F, B) stand at rest, but for white noise of so many degrees."""
    return _replaced(take, zeroed, np.broadcast_to(rot.IDENTITY, take.rotation.shape), degrees, rng)


def lose_rotations(take: RigTake, hidden: np.ndarray) -> RigTake:
    """The take with the rotation of hidden bones and frames (F, B) gone: they stand at rest."""
    return replace(take, rotation=np.where(hidden[..., None], rot.IDENTITY, take.rotation))


def _replaced(
    take: RigTake, where: np.ndarray, value: np.ndarray, degrees: float, rng: np.random.Generator
) -> DamagedTake:
    shaken = rot.from_rotation_vector(np.radians(degrees) * rng.standard_normal((*where.shape, 3)))
    rotation = np.where(where[..., None], rot.multiply(value, shaken), take.rotation)
    shows = where & (span_movement(take, where) > VISIBLE_METRES)
    return DamagedTake(replace(take, rotation=rotation), where, shows)


def first_of_span(spans: np.ndarray) -> np.ndarray:
    """Frame in which the span begins that each place of spans (F, N) lies in; meaningless outside."""
    begins = spans & ~np.concatenate([np.zeros((1, spans.shape[1]), bool), spans[:-1]])
    return np.maximum.accumulate(np.where(begins, np.arange(len(spans))[:, None], 0), axis=0)


def span_movement(take: RigTake, spans: np.ndarray) -> np.ndarray:
    """How far (F, B) in metres the far end of each bone moves, as its parent sees it, in the span it lies in."""
    tips = rot.rotate(take.rotation, _bone_vectors(take))
    first = first_of_span(spans)
    away = np.linalg.norm(tips - np.take_along_axis(tips, first[..., None], axis=0), axis=-1)
    most = np.zeros(spans.shape)
    for bone in np.flatnonzero(spans.any(axis=0)):
        rows = np.flatnonzero(spans[:, bone])
        longest = np.zeros(len(spans))
        np.maximum.at(longest, first[rows, bone], away[rows, bone])
        most[rows, bone] = longest[first[rows, bone]]
    return most


def _bone_vectors(take: RigTake) -> np.ndarray:
    """From the head of each bone to that of its farthest child (B, 3), in metres and its own axes at rest."""
    heads, vectors = take.rest[:, :3, 3], np.zeros((len(take.names), 3))
    size = float(np.cbrt(np.linalg.det(take.world_from_armature[:3, :3])))
    for bone, parent in enumerate(take.parents):
        if parent >= 0:
            vector = size * take.rest[parent, :3, :3].T @ (heads[bone] - heads[parent])
            if np.linalg.norm(vector) > np.linalg.norm(vectors[parent]):
                vectors[parent] = vector
    return vectors


def on_joints(where: np.ndarray, take: RigTake, mapping: Mapping) -> np.ndarray:
    """Labels (F, B) of bones as those of the model's joints (F, J) that they are mapped to."""
    labels = np.zeros((len(where), len(JOINTS)), bool)
    for joint, name in enumerate(JOINTS):
        if entry := mapping.joints[name]:
            labels[:, joint] = where[:, take.names.index(entry.bone)]
    return labels
