"""Damage with known truth: noise on positions, jitter of rotations, bones lost. The same seed, the same damage."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np

from ..core import rotations as rot
from ..core.rig import RigTake


def generator(clip: str, seed: int) -> np.random.Generator:
    """Randomness of one clip under one seed, whichever other clips take part."""
    return np.random.default_rng([seed, zlib.crc32(clip.encode())])


def position_noise(positions: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """Positions (F, J, 3) with independent Gaussian noise of sigma metres on every coordinate."""
    return positions + sigma * rng.standard_normal(positions.shape)


def rotation_jitter(take: RigTake, degrees: float, rng: np.random.Generator) -> RigTake:
    """The take with every bone turned in every frame by a Gaussian angle about each of its own three axes."""
    vectors = np.radians(degrees) * rng.standard_normal((*take.rotation.shape[:2], 3))
    return replace(take, rotation=rot.multiply(take.rotation, rot.from_rotation_vector(vectors)))


def lose_rotations(take: RigTake, hidden: np.ndarray) -> RigTake:
    """The take with the rotation of hidden bones and frames (F, B) gone: they stand at rest."""
    return replace(take, rotation=np.where(hidden[..., None], rot.IDENTITY, take.rotation))
