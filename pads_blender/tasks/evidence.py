"""What is known of a take before the prior speaks: positions, how far each is to be trusted, a first smoothing."""

from dataclasses import dataclass

import numpy as np

from ..core.interpolate import fill_hidden
from ..core.motion import Motion
from . import temporal
from .noise import estimate_noise
from .pops import find_end_leaps, find_pops, keep_short

EXPECTED_METRES = 0.08  # how far off a still joint may lie that was left out for a few frames
_NEAR = 3  # frames


@dataclass(frozen=True)
class SamplerSettings:
    """How the prior is asked: posterior sampler, number of steps (None: the prior's default) and seed."""

    sampler: str = "prox"
    steps: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class Evidence:
    """A motion (F, J, 3) with hidden joints filled in the classical way, and its noise.

    noise (F, J) metres per coordinate, infinite where hidden; suspect (F, J) bool: measured, but off the path of the
    frames around it; apart (F, J): such ones at the take's ends, to be left as they are; smoothed (F, J, 3): every
    joint by itself, hidden and suspect ones bridged.
    """

    measured: np.ndarray
    smoothed: np.ndarray
    noise: np.ndarray
    suspect: np.ndarray
    apart: np.ndarray
    fps: float

    @property
    def hidden(self) -> np.ndarray:
        """Joints and frames (F, J) that nothing measures."""
        return ~np.isfinite(self.noise)

    @property
    def joint_noise(self) -> np.ndarray:
        """One noise level a joint (J,), metres."""
        return joint_levels(self.noise)

    @property
    def tolerance(self) -> np.ndarray:
        """How far (F, J) in metres a suspect joint may lie from where it is expected and still be real motion.

        Its own noise, and what it moves in two frames thereabouts: quick motion gets the benefit of the doubt.
        """
        step = np.linalg.norm(np.diff(self.smoothed, axis=0, prepend=self.smoothed[:1]), axis=-1)
        padded = np.pad(step, ((_NEAR, _NEAR), (0, 0)), mode="edge")
        quickest = np.lib.stride_tricks.sliding_window_view(padded, 2 * _NEAR + 1, axis=0).max(axis=-1)
        return EXPECTED_METRES + 4.0 * np.where(self.hidden, 0.0, self.noise) + 2.0 * quickest


def joint_levels(noise: np.ndarray) -> np.ndarray:
    """Median over the frames (J,) of noise (F, J) where it is finite; of a joint never measured, that of all others."""
    finite = np.where(np.isfinite(noise), noise, np.nan)
    usual = np.nanmedian(finite)
    return np.array([np.nanmedian(c) if np.isfinite(c).any() else usual for c in finite.T])


def gather_evidence(motion: Motion, suspect: np.ndarray | None = None, kept: np.ndarray | None = None) -> Evidence:
    """Noise estimated per joint unless the motion states it; hidden joints filled, suspect ones told apart.

    suspect (F, J) bool: joints that are doubted already, for what is known of the rig's rotations. kept (F, J) bool:
    joints that the animator vouches for, never doubted. Their noise stays: on eight validation clips, calling them
    exact made the frames beside them worse, and tasks/kept.py leads those through the key better.
    """
    noise = estimate_noise(motion.positions, motion.visible) if motion.noise is None else motion.noise
    noise = np.where(motion.visible, noise, np.inf)
    levels = joint_levels(noise)
    sure = np.zeros(motion.visible.shape, bool) if kept is None else kept & motion.visible
    measured = fill_hidden(motion.positions, motion.visible)
    pops = find_pops(measured, levels)
    apart = motion.visible & ~sure & find_end_leaps(measured, levels)
    pops = motion.visible & ~(apart | sure) & keep_short(pops if suspect is None else pops | suspect, motion.fps)
    bridged = fill_hidden(motion.positions, motion.visible & ~(pops | apart))
    smoothed = temporal.smooth(bridged, np.ones(noise.shape), levels)
    return Evidence(measured, smoothed, noise, pops, apart, motion.fps)
