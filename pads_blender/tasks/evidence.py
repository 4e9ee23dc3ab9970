"""What is known of a take before the prior speaks: positions, how far each is to be trusted, a first smoothing."""

from dataclasses import dataclass

import numpy as np

from ..core.interpolate import fill_hidden
from ..core.motion import Motion
from . import temporal
from .noise import estimate_noise
from .pops import find_end_leaps, find_pops, keep_short
from .running import running_highest, running_sum

EXPECTED_METRES = 0.08  # how far off a still joint may lie that was left out for a few frames
_NEAR = 3  # frames
_LEFT_OUT_METRES = 0.02  # per coordinate: usual error of a joint that was left out for a few frames
_FIT = 3.5  # standard deviations that what was left out may lie off and still fit
_RARE = 0.01  # share of suspects, up to which they are rather quick motion than outliers
_COMMON = 0.02  # share of joints off their path, from which outliers are the habit of the take
_ROUNDS = 3  # outliers hide in the noise that they are measured by


@dataclass(frozen=True)
class SamplerSettings:
    """How the prior is asked: posterior sampler, number of steps (None: the prior's default), seed, and from how many
    samples it is to say how unsure it is (0: not at all).
    """

    sampler: str = "prox"
    steps: int | None = None
    seed: int = 0
    samples: int = 0


@dataclass(frozen=True)
class Reconstruction:
    """Positions (F, J, 3), and how unsure they are: (F, J) metres per coordinate, or None where nobody asked."""

    positions: np.ndarray
    spread: np.ndarray | None = None


@dataclass(frozen=True)
class Hints:
    """What else is known of joints and frames, each (F, J) or None.

    suspect: doubted already, for what is known of the rig's rotations; kept: the animator vouches for them; bridged:
    metres per coordinate by which a position may be off that was put there between its neighbours.
    """

    suspect: np.ndarray | None = None
    kept: np.ndarray | None = None
    bridged: np.ndarray | None = None


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

        Its own noise and that of the expectation; and where suspects are rare, what it moves in two frames thereabouts:
        quick motion gets the benefit of the doubt.
        """
        step = np.linalg.norm(np.diff(self.smoothed, axis=0, prepend=self.smoothed[:1]), axis=-1)
        quickest = running_highest(step, _NEAR)
        noise = np.where(self.hidden, 0.0, self.noise)
        benefit = min(1.0, _RARE / max(float(self.suspect.mean()), 1e-9))
        return _FIT * np.hypot(noise, _LEFT_OUT_METRES) + benefit * (EXPECTED_METRES + 2.0 * quickest)


def find_outlying(measured: np.ndarray, expected: np.ndarray, tolerance: np.ndarray) -> np.ndarray:
    """Joints and frames (F, J) further than a tolerance (F, J) from where they are expected, whose path is rougher too.

    measured, expected (F, J, 3) metres. A throw may go where nobody expects it, but its path is smooth. On validation
    clips the second condition changes nothing for outliers and pops, and takes 5 % off the 99th percentile of clean
    ones.
    """
    far = np.linalg.norm(measured - expected, axis=-1) > tolerance
    return far & (_bend_about(measured) > _bend_about(expected))


def _bend_about(positions: np.ndarray) -> np.ndarray:
    """How much (F, J) paths (F, J, 3) bend about each frame: squared second differences within _NEAR frames."""
    bend = np.zeros(positions.shape[:2])
    bend[1:-1] = np.sum(np.diff(positions, 2, axis=0) ** 2, axis=-1)
    return running_sum(bend, _NEAR)


def joint_levels(noise: np.ndarray) -> np.ndarray:
    """Median over the frames (J,) of noise (F, J) where it is finite; of a joint never measured, that of all others."""
    finite = np.where(np.isfinite(noise), noise, np.nan)
    usual = np.nanmedian(finite)
    return np.array([np.nanmedian(c) if np.isfinite(c).any() else usual for c in finite.T])


def gather_evidence(motion: Motion, hints: Hints | None = None) -> Evidence:
    """Noise estimated per joint unless the motion states it; hidden joints filled, suspect ones told apart.

    What is kept is never doubted, but its noise stays: on eight validation clips, calling it exact made the frames
    beside it worse, and tasks/kept.py leads those through the key better.
    """
    hints, measured = hints or Hints(), fill_hidden(motion.positions, motion.visible)
    levels, astray = _noise_and_outliers(motion, measured)
    noise = np.where(motion.visible, levels if motion.noise is None else motion.noise, np.inf)
    noise = noise if hints.bridged is None else np.hypot(noise, hints.bridged)
    free = motion.visible if hints.kept is None else motion.visible & ~hints.kept
    suspect, apart = _told_apart(astray, find_end_leaps(measured, levels), hints.suspect, motion.fps)
    suspect, apart = suspect & free, apart & free
    bridged = fill_hidden(motion.positions, motion.visible & ~(suspect | apart))
    smoothed = temporal.smooth(bridged, np.ones(noise.shape), levels)
    return Evidence(measured, smoothed, noise, suspect, apart, motion.fps)


def _noise_and_outliers(motion: Motion, measured: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Noise of each joint (J,) in metres, and which measured ones (F, J) lie off the path of the frames beside them."""
    astray = np.zeros(motion.visible.shape, bool)
    for _ in range(_ROUNDS if motion.noise is None else 1):
        if motion.noise is None:
            levels = estimate_noise(motion.positions, motion.visible & ~astray)
        else:
            levels = joint_levels(np.where(motion.visible, motion.noise, np.inf))
        before, astray = astray, motion.visible & find_pops(measured, levels)
        if np.array_equal(before, astray):
            break
    return levels, astray


def _told_apart(
    astray: np.ndarray, ends: np.ndarray, suspect: np.ndarray | None, fps: float
) -> tuple[np.ndarray, np.ndarray]:
    """Suspects, and what to leave as it is at a take's ends, both (F, J).

    Seldom, an outlier is short, and a leap at an end is another pose. Where outliers are the take's habit, several in a
    row are chance, and at the ends they are outliers, too.
    """
    doubted = np.zeros_like(astray) if suspect is None else suspect
    if astray.mean() > _COMMON:
        return astray | ends | keep_short(doubted, fps), np.zeros_like(ends)
    return keep_short(astray | doubted | ends, fps) & ~ends, ends  # quick motion out of another pose is no outlier
