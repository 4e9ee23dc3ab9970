"""What is known of a take before the prior speaks: positions, how far each is to be trusted, a first smoothing."""

from dataclasses import dataclass

import numpy as np

from ..core.interpolate import fill_hidden
from ..core.motion import Motion
from . import temporal
from .noise import estimate_noise

OUTLIER_DEGREES_OF_FREEDOM = 6.0  # of Student's t: low rejects pops sooner, high costs less where noise is Gaussian


@dataclass(frozen=True)
class SamplerSettings:
    """How the prior is asked: posterior sampler, number of steps (None: the prior's default) and seed."""

    sampler: str = "prox"
    steps: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class Evidence:
    """A motion (F, J, 3) with hidden joints filled in the classical way, and its noise.

    noise (F, J) metres per coordinate as estimated; sigma (F, J): noise, more for what looks like an outlier, infinite
    where hidden; smoothed (F, J, 3): every joint smoothed by itself.
    """

    measured: np.ndarray
    smoothed: np.ndarray
    noise: np.ndarray
    sigma: np.ndarray
    fps: float

    @property
    def joint_noise(self) -> np.ndarray:
        """One noise level a joint (J,), metres."""
        return np.median(self.noise, axis=0)


def gather_evidence(motion: Motion) -> Evidence:
    """Noise estimated per joint unless the motion states it; outliers found by Student-t weights along time."""
    noise = motion.noise if motion.noise is not None else estimate_noise(motion.positions, motion.visible)
    noise = np.broadcast_to(noise, motion.visible.shape)
    measured = fill_hidden(motion.positions, motion.visible)
    everywhere = np.ones_like(motion.visible)
    smoothed, trust = temporal.smooth(measured, everywhere, np.median(noise, axis=0), OUTLIER_DEGREES_OF_FREEDOM)
    sigma = np.where(motion.visible, noise / np.sqrt(np.clip(trust, 1e-4, 1.0)), np.inf)
    return Evidence(measured, smoothed, noise, sigma, motion.fps)
