"""A prior's network as the priors call it, whatever runtime and device it runs on. Knows no runtime."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Network(Protocol):
    """Arrays in, arrays out, 32-bit floats; the first axis is the batch, whose items do not depend on each other."""

    label: str  # device and runtime, for people
    batch: int  # windows (64 frames) a call that suit the device

    def forward(self, *inputs: np.ndarray) -> np.ndarray:
        """Motion: features (B, F, J * 5) -> correction (B, F, J, 3). Pose: noisy (B, J - 1, 3), level (B,) -> noise."""
        ...

    def vjp(self, noisy: np.ndarray, level: np.ndarray, cotangent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pose prior alone: forward, and the transpose of its derivative by noisy applied to the cotangent."""
        ...
