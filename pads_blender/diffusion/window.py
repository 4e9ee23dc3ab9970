"""What the window network sees: canonical place and heading, scaling by the noise level of each joint and frame.

One function each way, used alike in training and at run time. Preconditioning after Karras et al. 2022 (EDM), applied
element by element. NumPy only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.skeleton import MODEL

FRAMES = 64
FPS = 30.0
SIGMA_DATA = 0.6  # metres: spread of window-centred joint positions, travel included
SIGMA_HIDDEN = 0.3  # metres: reach of the correction that the network makes to the classical fill of a hidden joint
_LEVEL_RANGE = (1e-3, 3.0)  # metres: noise levels that the level feature spreads over 0 to 1
_AXES = tuple(tuple(MODEL.indices(f"left_{joint}", f"right_{joint}")) for joint in ("hip", "shoulder"))


@dataclass(frozen=True)
class WindowInput:
    """Network input (B, F, J * 5) and how its output (B, F, J, 3) becomes positions in the world."""

    features: np.ndarray
    base: np.ndarray  # (B, F, J, 3) canonical metres
    gain: np.ndarray  # (B, F, J, 1) metres
    centre: np.ndarray  # (B, 1, 1, 3) world metres
    heading: np.ndarray  # (B, 3, 3) world from canonical

    def to_world(self, output: np.ndarray) -> np.ndarray:
        """World positions (B, F, J, 3) from the network's output."""
        canonical = self.base + self.gain * output
        return np.einsum("bij,bfkj->bfki", self.heading, canonical) + self.centre


def prepare(x: np.ndarray, sigma: np.ndarray, yaw_offset: np.ndarray | None = None) -> WindowInput:
    """Network input for noisy world positions x (B, F, J, 3) and sigma (B, F, J) in metres, infinite where hidden.

    At hidden joints x is the classical fill (core.interpolate.fill_hidden), made from more of the take than the window.
    yaw_offset (B,) in radians turns the heading, for augmentation.
    """
    hidden = np.isinf(sigma)  # a level that is no number hides nothing: the answer is none, either
    visible, filled = ~hidden, x.astype(np.float32)
    finite = np.where(hidden, 0.0, sigma).astype(np.float32)
    weight = visible / (finite**2 + 0.05**2)
    centre = _centre(filled, weight)
    heading = _heading(filled, weight, yaw_offset)
    canonical = np.einsum("bji,bfkj->bfki", heading, filled - centre)
    features, base, gain = precondition(canonical, finite, hidden)
    return WindowInput(features, base, gain, centre, heading)


def _centre(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    total = weight.sum(axis=(1, 2))[:, None]
    centre = np.einsum("bfk,bfki->bi", weight, x) / np.maximum(total, 1e-6)
    return np.where(total > 0, centre, 0.0)[:, None, None, :].astype(np.float32)


def _heading(x: np.ndarray, weight: np.ndarray, offset: np.ndarray | None) -> np.ndarray:
    """World from canonical (B, 3, 3): about the vertical, so that the mean left axis of hips and shoulders is +X."""
    left = np.zeros((len(x), 3), x.dtype)
    for a, b in _AXES:
        pair = np.minimum(weight[..., a], weight[..., b])
        left += np.einsum("bf,bfi->bi", pair, x[..., a, :] - x[..., b, :])
    yaw = np.arctan2(left[:, 1], left[:, 0]) + (0.0 if offset is None else offset)
    c, s, zero, one = np.cos(yaw), np.sin(yaw), np.zeros_like(yaw), np.ones_like(yaw)
    return np.stack([c, -s, zero, s, c, zero, zero, zero, one], axis=-1).reshape(-1, 3, 3).astype(np.float32)


def precondition(x: np.ndarray, sigma: np.ndarray, hidden: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features (B, F, J * 5), base and gain of canonical x (B, F, J, 3), sigma (B, F, J) finite also where hidden."""
    s2, d2 = (sigma**2)[..., None], np.float32(SIGMA_DATA**2)
    hid = hidden[..., None]
    base = np.where(hid, x, d2 / (s2 + d2) * x)
    gain = np.where(hid, np.float32(SIGMA_HIDDEN), np.sqrt(s2 * d2 / (s2 + d2)))
    low, high = np.log(_LEVEL_RANGE)
    level = (np.log(np.clip(sigma, *_LEVEL_RANGE)) - low) / (high - low)
    level = np.where(hidden, 1.0, level)[..., None]
    features = np.concatenate([x / np.sqrt(s2 + d2), 2.0 * level - 1.0, hid], axis=-1).astype(np.float32)
    return features.reshape(*x.shape[:2], -1), base.astype(np.float32), gain.astype(np.float32)
