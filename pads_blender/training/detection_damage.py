"""Damage to be found, of every kind, with its labels by joint and frame.

Damage that the truth does not show counts neither as right nor as wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from ..core import rotations as rot
from ..core.motion import Motion
from ..core.retarget import to_model
from ..core.rig import RigTake
from ..core.skeleton import JOINTS
from ..tasks.repair import joint_rotations_of
from ..tasks.swaps import ROTATION_PAIRS, exchange_back
from . import corruption, data

SPAN_FRAMES = (20, 60)
SPAN_SHARE, LIMB_SHARE, SWAP_SHARE = 0.001, 0.003, 0.005  # of the frames of a bone, a limb, a body a span starts on
POP_DEGREES, POP_SHARE, POP_FRAMES = 35.0, 0.01, 3
JITTER_DEGREES = (2.0, 4.0)
HOLD_NOISE_DEGREES = (0.0, 0.1, 0.5)
DRIFT_METRES_PER_SECOND = (0.1, 0.4)
_LIMBS = [[f"{side}_{name}" for name in names] for side in ("left", "right")
          for names in (("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle", "toe"))]  # fmt: skip


@dataclass(frozen=True)
class Damaged:
    """A clip as the detectors get it, and the truth: broken, and counted (F, J) bool; rotation None: positions only."""

    motion: Motion
    rotation: np.ndarray | None
    broken: np.ndarray
    counted: np.ndarray


Damage = Callable[[data.RigClip, np.random.Generator], Damaged]


def _damaged(clip: data.RigClip, take: RigTake, hit: np.ndarray, shows: np.ndarray) -> Damaged:
    """hit, shows (F, B): bones that were changed, and those that the truth shows."""
    motion, residual = to_model(take, clip.mapping)
    broken = corruption.on_joints(shows, take, clip.mapping)
    counted = (broken | ~corruption.on_joints(hit, take, clip.mapping)) & (residual.bones >= 0)
    return Damaged(motion, joint_rotations_of(take, residual.bones), broken, counted)


def _bones(clip: data.RigClip) -> np.ndarray:
    """Mapped bones of the rig that turn something."""
    return np.array([clip.take.names.index(entry.bone) for entry in clip.mapping.joints.values() if entry])


def _bone_spans(clip: data.RigClip, rng: np.random.Generator) -> np.ndarray:
    """Spans (F, B) on single mapped bones."""
    spans = corruption.random_spans(clip.take.rotation.shape[:2], SPAN_SHARE, SPAN_FRAMES, rng)
    return spans & np.isin(np.arange(spans.shape[1]), _bones(clip))


def _limb_spans(clip: data.RigClip, rng: np.random.Generator) -> np.ndarray:
    """Spans (F, B) on whole limbs."""
    frames, bones = clip.take.rotation.shape[:2]
    spans = np.zeros((frames, bones), bool)
    for limb in _LIMBS:
        columns = [clip.take.names.index(clip.mapping.joints[joint].bone) for joint in limb]
        spans[:, columns] |= corruption.random_spans((frames, 1), LIMB_SHARE, SPAN_FRAMES, rng)
    return spans


def shaken(clip: data.RigClip, rng: np.random.Generator) -> Damaged:
    """Single bones that shake for a while, in an otherwise clean take."""
    spans, degrees = _bone_spans(clip, rng), rng.uniform(*JITTER_DEGREES, clip.take.rotation.shape[:2])
    steady = np.take_along_axis(degrees, corruption.first_of_span(spans), axis=0)
    vectors = np.radians(steady)[..., None] * rng.standard_normal((*spans.shape, 3))
    turned = rot.multiply(clip.take.rotation, rot.from_rotation_vector(vectors))
    take = replace(clip.take, rotation=np.where(spans[..., None], turned, clip.take.rotation))
    return _damaged(clip, take, spans, spans)


def popped(clip: data.RigClip, rng: np.random.Generator) -> Damaged:
    """Bones that leap for one to three frames."""
    done = corruption.rotation_pops(clip.take, POP_DEGREES, POP_SHARE, POP_FRAMES, rng, _bones(clip))
    return _damaged(clip, done.take, done.hit, done.shows)


def _replaced(change: Callable, spans: Callable, degrees: float) -> Damage:
    """Rotations held or zeroed in spans, with so much noise on them."""

    def damage(clip: data.RigClip, rng: np.random.Generator) -> Damaged:
        done = change(clip.take, spans(clip, rng), degrees, rng)
        return _damaged(clip, done.take, done.hit, done.shows)

    return damage


def swapped_rotations(clip: data.RigClip, rng: np.random.Generator) -> Damaged:
    """Arms or legs that have each other's rotations."""
    motion, residual = to_model(clip.take, clip.mapping)
    rotation, broken = joint_rotations_of(clip.take, residual.bones), np.zeros(motion.visible.shape, bool)
    for pair in ROTATION_PAIRS:
        rows = corruption.random_spans((len(rotation), 1), SWAP_SHARE, SPAN_FRAMES, rng)[:, 0]
        rotation = exchange_back(rotation, pair, False, rows)
        broken[np.ix_(rows, [*pair.all_left, *pair.all_right])] = True
    changed = clip.take.rotation.copy()
    changed[:, residual.bones[residual.bones >= 0]] = rotation[:, residual.bones >= 0]
    positions, _ = to_model(replace(clip.take, rotation=changed), clip.mapping)
    return Damaged(positions, rotation, broken, np.broadcast_to(residual.bones >= 0, broken.shape))


def swapped_positions(clip: data.RigClip, rng: np.random.Generator) -> Damaged:
    """Arms or legs whose joints lie where those of the other side are."""
    motion, _ = to_model(clip.take, clip.mapping)
    positions, broken = motion.positions, np.zeros(motion.visible.shape, bool)
    for limbs in (corruption.ARMS, corruption.LEGS):
        rows = corruption.random_spans((len(positions), 1), SWAP_SHARE, SPAN_FRAMES, rng)[:, 0]
        positions, shows = corruption.swap_sides(positions, rows, limbs)
        broken |= shows
    as_it_was = (positions == motion.positions).all(axis=-1)
    return Damaged(replace(motion, positions=positions), None, broken, motion.visible & (broken | as_it_was))


def sliding(clip: data.RigClip, rng: np.random.Generator) -> Damaged:
    """The body drifts for a while, and feet that stand slide with it."""
    truth, _ = to_model(clip.take, clip.mapping)
    rows = corruption.random_spans((len(truth.positions), 1), SWAP_SHARE, SPAN_FRAMES, rng)[:, 0]
    shift = corruption.drift_shift(rows, rng.uniform(*DRIFT_METRES_PER_SECOND) / data.FPS, rng)
    motion, residual = to_model(corruption.shifted(clip.take, shift), clip.mapping)
    broken = corruption.sliding_feet(truth.positions, shift, data.FPS)
    feet = np.isin(np.arange(len(JOINTS)), corruption.FEET)
    return Damaged(motion, joint_rotations_of(clip.take, residual.bones), broken, np.tile(feet, (len(rows), 1)))


@dataclass(frozen=True)
class Case:
    """One kind of damage, by the name and the kind of problem that it is."""

    name: str
    kind: str
    damage: Damage


def _cases() -> Iterable[Case]:
    yield Case("jitter", "jitter", shaken)
    yield Case("pop", "pop", popped)
    changes = {"frozen": corruption.hold_rotations, "missing": corruption.zero_rotations}
    for kind, change in changes.items():
        for what, spans in (("bone", _bone_spans), ("limb", _limb_spans)):
            for degrees in HOLD_NOISE_DEGREES:
                noise = f", {degrees:g} degrees of noise" if degrees else ""
                yield Case(f"{kind} {what}{noise}", kind, _replaced(change, spans, degrees))
    yield Case("swap of rotations", "swap", swapped_rotations)
    yield Case("swap of positions", "swap", swapped_positions)
    yield Case("slide", "slide", sliding)


CASES = tuple(_cases())
