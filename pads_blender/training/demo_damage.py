"""What goes wrong in a capture, done to the demo's own take with a fixed seed: jitter, pops and an arm that freezes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..core import rotations as rot
from .demo_body import NAMES, PARENTS, Performance

SEED = 7
JITTER_DEGREES = 3.0  # about each axis of every bone, in every frame
ROOT_JITTER_METRES = 0.005
POPS, POP_DEGREES, LONGEST_POP_FRAMES = 8, 35.0, 3
FROZEN = ("RightArm", "RightForeArm", "RightHand")
FROZEN_FRAMES = slice(246, 276)  # one second of the walk on


@dataclass(frozen=True)
class Damage:
    """Joints and frames (F, J) that each kind of damage moves; jitter is everywhere."""

    popped: np.ndarray
    frozen: np.ndarray


def corrupt(clean: Performance, rng: np.random.Generator) -> tuple[Performance, Damage]:
    """The take as a bad capture would have brought it, and where it is broken."""
    shape = clean.rotations.shape[:2]
    turns = rot.from_rotation_vector(np.radians(JITTER_DEGREES) * rng.standard_normal((*shape, 3)))
    rotations = rot.multiply(clean.rotations, turns)
    popped = np.zeros(shape, bool)
    for _ in range(POPS):
        joint, frames, turn = _draw_pop(rng, shape[0])
        rotations[frames, joint] = rot.multiply(rotations[frames, joint], turn)
        popped[frames, _carried([joint])] = True
    arm, frozen = [NAMES.index(name) for name in FROZEN], np.zeros(shape, bool)
    rotations[FROZEN_FRAMES, arm] = rotations[FROZEN_FRAMES.start, arm]
    frozen[FROZEN_FRAMES, _carried(arm)] = True
    root = clean.root + ROOT_JITTER_METRES * rng.standard_normal(clean.root.shape)
    return replace(clean, rotations=rotations, root=root), Damage(popped, frozen)


def _draw_pop(rng: np.random.Generator, frames: int) -> tuple[int, slice, np.ndarray]:
    """Joint, frames and rotation (4,) of one pop."""
    joint = int(rng.choice([i for i, name in enumerate(NAMES) if i in PARENTS and name not in FROZEN and i > 0]))
    start, length = int(rng.integers(5, frames - 10)), int(rng.integers(1, LONGEST_POP_FRAMES + 1))
    axis = rng.standard_normal(3)
    turn = rot.from_rotation_vector(np.radians(POP_DEGREES) * axis / np.linalg.norm(axis))
    return joint, slice(start, start + length), turn


def _carried(joints: Sequence[int]) -> list[int]:
    """All joints that move when these joints turn."""
    moved: set[int] = set()
    for joint, parent in enumerate(PARENTS):
        if parent in joints or parent in moved:
            moved.add(joint)
    return sorted(moved)
