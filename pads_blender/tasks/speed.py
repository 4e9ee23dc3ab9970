"""How many frames a second a prior takes through its network on this computer."""

import time
from collections.abc import Callable

import numpy as np

from ..core.skeleton import MODEL
from .windows import MotionPrior, denoise_windows

_FRAMES, _LEAST_SECONDS = 960, 2.0


def measure_speed(prior: MotionPrior, on_step: Callable[[int, int], None] | None = None) -> float:
    """Frames a second of one look at a take at 30 frames a second; the first look, which loads the runtime, is free."""
    noise = np.random.default_rng(0).normal(0.0, 0.02, (_FRAMES, len(MODEL.parents), 3))
    positions, sigma = MODEL.rest_positions + noise, np.full(noise.shape[:2], 0.02)
    denoise_windows(prior, positions[:64], sigma[:64])
    looks, start = 0, time.perf_counter()
    while time.perf_counter() - start < _LEAST_SECONDS:
        denoise_windows(prior, positions, sigma)
        looks += 1
        if on_step:
            on_step(round(100 * min(1.0, (time.perf_counter() - start) / _LEAST_SECONDS)), 100)
    return looks * _FRAMES / (time.perf_counter() - start)
