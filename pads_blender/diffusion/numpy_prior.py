"""The networks of training/network.py in NumPy alone: slower than a runtime, but it is always there.

Each layer gives its output and a function that pulls a cotangent back through it, so that the pose prior has its
vector-Jacobian product without automatic differentiation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .contract import Contract
from .onnx_file import read_parameters

Pull = Callable[[np.ndarray], np.ndarray]
Weights = dict[str, np.ndarray]
_GELU = float(np.sqrt(2.0 / np.pi))


@dataclass(frozen=True)
class NumpyNetwork:
    """Either network, from the weights in the contract's .onnx file."""

    contract: Contract
    label: str = "CPU (NumPy)"
    batch: int = 4

    @cached_property
    def _weights(self) -> Weights:
        return read_parameters(self.contract)

    def forward(self, *inputs: np.ndarray) -> np.ndarray:
        """The motion prior's correction, or the pose prior's noise: see network.Network."""
        settings = self.contract["network"]
        if self.contract["kind"] == "motion":
            return _window_network(self._weights, settings, *inputs)
        return _pose_network(self._weights, settings, *inputs)[0]

    def vjp(self, noisy: np.ndarray, level: np.ndarray, cotangent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Forward and the pulled-back cotangent, (B, J - 1, 3) both."""
        output, pull = _pose_network(self._weights, self.contract["network"], noisy, level)
        return output, pull(cotangent)


def _window_network(weights: Weights, settings: dict, features: np.ndarray) -> np.ndarray:
    """One token a frame: (B, F, J * 5) -> (B, F, J, 3)."""
    rotary = rotary_table(settings["frames"], settings["width"] // settings["heads"])
    h = _linear(weights, "embed", features)[0]
    for i in range(settings["layers"]):
        h = _block(weights, f"blocks.{i}", h, settings["heads"], rotary)[0]
    h = _linear(weights, "head", _norm(weights, "norm", h)[0])[0]
    return h.reshape(*h.shape[:2], -1, 3)


def _pose_network(weights: Weights, settings: dict, noisy: np.ndarray, level: np.ndarray) -> tuple[np.ndarray, Pull]:
    """One token a joint: (B, J - 1, 3) and (B,) -> predicted noise (B, J - 1, 3)."""
    h, pull = _linear(weights, "embed", noisy)
    pulls = [pull]
    h = h + weights["joint"] + _level_embedding(weights, level)[:, None]
    for i in range(settings["layers"]):
        h, pull = _block(weights, f"blocks.{i}", h, settings["heads"], None)
        pulls.append(pull)
    for layer, name in ((_norm, "norm"), (_linear, "head")):
        h, pull = layer(weights, name, h)
        pulls.append(pull)
    return h, lambda cotangent: _chain(pulls, cotangent)


def _chain(pulls: list[Pull], cotangent: np.ndarray) -> np.ndarray:
    for pull in reversed(pulls):
        cotangent = pull(cotangent)
    return cotangent


def _level_embedding(weights: Weights, level: np.ndarray) -> np.ndarray:
    """(B,) between 0 and about 1 -> (B, width): sines and cosines through two layers, SiLU between."""
    angle = level[:, None] * (np.pi * 2.0 ** np.arange(8)).astype(np.float32)
    hidden = _linear(weights, "level.0", np.concatenate([np.sin(angle), np.cos(angle)], axis=-1))[0]
    return _linear(weights, "level.2", hidden / (1.0 + np.exp(-hidden)))[0]


def _block(
    weights: Weights, name: str, x: np.ndarray, heads: int, rotary: np.ndarray | None
) -> tuple[np.ndarray, Pull]:
    """Pre-norm Transformer block (B, N, width), on top of its input."""
    normed, pull_norm1 = _norm(weights, f"{name}.norm1", x)
    attended, pull_attention = _attention(weights, f"{name}.attention", normed, heads, rotary)
    middle = x + attended
    normed, pull_norm2 = _norm(weights, f"{name}.norm2", middle)
    hidden, pull_in = _linear(weights, f"{name}.mlp.0", normed)
    active, pull_gelu = _gelu(hidden)
    out, pull_out = _linear(weights, f"{name}.mlp.2", active)

    def pull(cotangent: np.ndarray) -> np.ndarray:
        cotangent = cotangent + _chain([pull_norm2, pull_in, pull_gelu, pull_out], cotangent)
        return cotangent + _chain([pull_norm1, pull_attention], cotangent)

    return middle + out, pull


def _linear(weights: Weights, name: str, x: np.ndarray) -> tuple[np.ndarray, Pull]:
    """x W^T + b over the last axis, as one matrix product."""
    weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    out = (x.reshape(-1, x.shape[-1]) @ weight.T).reshape(*x.shape[:-1], -1)
    out += bias
    return out, lambda cotangent: cotangent @ weight


def _norm(weights: Weights, name: str, x: np.ndarray) -> tuple[np.ndarray, Pull]:
    """Layer normalisation over the last axis."""
    scale, shift = weights[f"{name}.weight"], weights[f"{name}.bias"]
    centred = x - x.mean(axis=-1, keepdims=True)
    inverse = 1.0 / np.sqrt(np.mean(centred**2, axis=-1, keepdims=True) + np.float32(1e-5))
    centred *= inverse

    def pull(cotangent: np.ndarray) -> np.ndarray:
        g = cotangent * scale
        along = np.mean(g * centred, axis=-1, keepdims=True)
        return inverse * (g - g.mean(axis=-1, keepdims=True) - centred * along)

    return centred * scale + shift, pull


def _gelu(x: np.ndarray) -> tuple[np.ndarray, Pull]:
    """GELU in its tanh form."""
    square = x * x
    bent = np.tanh(_GELU * x * (1.0 + 0.044715 * square))

    def pull(cotangent: np.ndarray) -> np.ndarray:
        slope = _GELU * (1.0 + 3.0 * 0.044715 * square)
        return cotangent * (0.5 * (1.0 + bent) + 0.5 * x * (1.0 - bent * bent) * slope)

    return 0.5 * x * (1.0 + bent), pull


def _attention(
    weights: Weights, name: str, x: np.ndarray, heads: int, rotary: np.ndarray | None
) -> tuple[np.ndarray, Pull]:
    """Multi-head self-attention (B, N, width); with rotary positions, as in the motion prior, there is no way back."""
    b, n, width = x.shape
    projected, pull_qkv = _linear(weights, f"{name}.qkv", x)
    q, k, v = projected.reshape(b, n, 3, heads, width // heads).transpose(2, 0, 3, 1, 4)
    if rotary is not None:
        q, k = _rotate_halves(q, rotary), _rotate_halves(k, rotary)
    scale = np.float32((width // heads) ** -0.5)
    shares = _softmax(q @ k.swapaxes(-1, -2) * scale)
    mixed = (shares @ v).transpose(0, 2, 1, 3).reshape(b, n, width)
    out, pull_out = _linear(weights, f"{name}.out", mixed)

    def pull(cotangent: np.ndarray) -> np.ndarray:
        g = pull_out(cotangent).reshape(b, n, heads, width // heads).transpose(0, 2, 1, 3)
        g_shares = g @ v.swapaxes(-1, -2)
        g_scores = shares * (g_shares - np.sum(g_shares * shares, axis=-1, keepdims=True)) * scale
        parts = np.stack([g_scores @ k, g_scores.swapaxes(-1, -2) @ q, shares.swapaxes(-1, -2) @ g])
        return pull_qkv(parts.transpose(1, 3, 0, 2, 4).reshape(b, n, 3 * width))

    return out, pull


def _softmax(x: np.ndarray) -> np.ndarray:
    shares = np.exp(x - x.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    return shares


def rotary_table(frames: int, size: int) -> np.ndarray:
    """Cosines and sines (2, frames, size / 2): rotary position embedding, Su et al. 2021."""
    angle = np.arange(frames)[:, None] * 100.0 ** (-np.arange(size // 2) / (size // 2))
    return np.stack([np.cos(angle), np.sin(angle)]).astype(np.float32)


def _rotate_halves(x: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Turn the pairs of features of x (..., frames, size) by the angles of the table."""
    a, b = np.split(x, 2, axis=-1)
    return np.concatenate([a * table[0] - b * table[1], a * table[1] + b * table[0]], axis=-1)
