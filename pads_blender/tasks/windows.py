"""A take of any length through the motion prior: overlapping windows at about 30 frames a second, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from ..diffusion.window import FPS, FRAMES
from .evidence import OUTLIER_DEGREES_OF_FREEDOM, Evidence, SamplerSettings

_HOP = FRAMES // 2
_BATCH = 32  # windows a call
DEFAULT_LOOKS = 2
OnStep = Callable[[int, int], None]


class MotionPrior(Protocol):
    """A denoiser of windows (B, F, J, 3) with one noise level per joint and frame (B, F, J), in metres."""

    def denoise(self, x: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        """Posterior mean (B, F, J, 3)."""
        ...


def denoise_windows(
    prior: MotionPrior, x: np.ndarray, sigma: np.ndarray, first: int = 0, on_window: OnStep | None = None
) -> np.ndarray:
    """E[x0 | x] (F, J, 3) for a take of any length: windows that overlap by half, averaged with a raised cosine.

    sigma (F, J) metres, infinite where hidden; first: frames by which the grid of windows is shifted to the left.
    """
    frames, weight = len(x), np.sin(np.pi * (np.arange(FRAMES) + 0.5) / FRAMES)[:, None, None] ** 2
    starts = np.arange(-(first % _HOP) - _HOP, max(frames - _HOP, 1), _HOP)
    total, share = np.zeros(x.shape), np.zeros((frames, 1, 1))
    for i in range(0, len(starts), _BATCH):
        chosen = starts[i : i + _BATCH]
        pieces = prior.denoise(*_cut(x, sigma, chosen))
        for start, piece in zip(chosen, pieces, strict=True):
            rows = slice(max(start, 0), min(start + FRAMES, frames))
            inside = slice(rows.start - start, rows.stop - start)
            total[rows] += weight[inside] * piece[inside]
            share[rows] += weight[inside]
        if on_window:
            on_window(min(i + _BATCH, len(starts)), len(starts))
    return total / share


def _cut(x: np.ndarray, sigma: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Windows (B, FRAMES, ...) of the take; beyond its ends the last frame is held and nothing is measured."""
    at = starts[:, None] + np.arange(FRAMES)
    held = np.clip(at, 0, len(x) - 1)
    outside = (at < 0) | (at >= len(x))
    return x[held], np.where(outside[..., None], np.inf, sigma[held])


def frames_per_step(fps: float) -> int:
    """How many frames of the take make one frame of the prior, so that its rate comes nearest to 30."""
    return max(1, round(fps / FPS))


def reconstruct(
    evidence: Evidence, settings: SamplerSettings, prior: MotionPrior, on_step: OnStep | None
) -> np.ndarray:
    """Positions (F, J, 3) in two looks: what does not fit the first is measured with less confidence in the second.

    Identity and mask with any diagonal noise need no sampling: one call of the denoiser is the posterior mean.
    """
    step = frames_per_step(evidence.fps)
    sigma, looks = evidence.sigma, settings.steps or DEFAULT_LOOKS
    for look in range(looks):
        result = _at_prior_rate(evidence, sigma, step, prior, (look * _HOP) // looks)
        excess = np.sum((evidence.measured - result) ** 2, axis=-1) / evidence.noise**2
        weight = (OUTLIER_DEGREES_OF_FREEDOM + 3.0) / (OUTLIER_DEGREES_OF_FREEDOM + excess)
        sigma = np.where(np.isfinite(evidence.sigma), evidence.noise / np.sqrt(np.minimum(weight, 1.0)), np.inf)
        if on_step:
            on_step(look + 1, looks)
    return result


def _at_prior_rate(evidence: Evidence, sigma: np.ndarray, step: int, prior: MotionPrior, first: int) -> np.ndarray:
    """The prior works at about 30 frames a second; above that rate a take keeps its own smoothed detail."""
    if step == 1:
        return denoise_windows(prior, evidence.measured, sigma, first)
    precision = 1.0 / sigma**2
    slow, gathered, middle = thin_out(evidence.measured, precision, step)
    smoothed, _, _ = thin_out(evidence.smoothed, precision, step)
    with np.errstate(divide="ignore"):
        denoised = denoise_windows(prior, slow, 1.0 / np.sqrt(gathered), first)
    return evidence.smoothed + _interpolate(denoised - smoothed, middle, len(evidence.measured))


def _interpolate(values: np.ndarray, at: np.ndarray, frames: int) -> np.ndarray:
    """Values (N, J, 3) at the given places, linear in between, for every frame (F, J, 3)."""
    columns = values.reshape(len(values), -1)
    index = np.arange(frames)
    return np.stack([np.interp(index, at, c) for c in columns.T], axis=-1).reshape(frames, *values.shape[1:])


def thin_out(x: np.ndarray, precision: np.ndarray, step: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every `step` frames become one: means (N, J, 3) weighted by precision (F, J), its sum, the middle frames (N,)."""
    starts = np.arange(0, len(x), step)
    total = np.add.reduceat(precision, starts, axis=0)
    weight = np.where(np.repeat(total, step, axis=0)[: len(x)] > 0, precision, 1.0)[..., None]
    mean = np.add.reduceat(weight * x, starts, axis=0) / np.add.reduceat(weight, starts, axis=0)
    return mean, total, 0.5 * (starts + np.minimum(starts + step, len(x)) - 1.0)
