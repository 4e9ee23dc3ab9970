"""The two networks: a Transformer over the joints of one pose (the paper's prior), and one over the frames of a window.

Both only map arrays to arrays; noise, losses and the sampler live elsewhere. Written so that the network and its
vector-Jacobian product can be traced to ONNX: plain softmax attention, no convolution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class NetworkSettings:
    """Width, depth and heads; the paper does not give them, these are our choice for two CPU cores."""

    width: int = 128
    layers: int = 5
    heads: int = 4
    joints: int = 22
    frames: int = 64


class Attention(nn.Module):
    """Multi-head self-attention (B, N, width) -> (B, N, width), with rotary positions where the order matters."""

    def __init__(self, width: int, heads: int, rotary: torch.Tensor | None):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.register_buffer("rotary", rotary, persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Attend; shape kept."""
        b, n, width = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        if self.rotary is not None:
            q, k = rotate_halves(q, self.rotary), rotate_halves(k, self.rotary)
        weights = torch.softmax(q @ k.transpose(-1, -2) * (width // self.heads) ** -0.5, dim=-1)
        return self.out((weights @ v).transpose(1, 2).reshape(b, n, width))


def rotary_table(frames: int, size: int) -> torch.Tensor:
    """Cosines and sines (2, frames, size / 2): rotary position embedding, Su et al. 2021."""
    speed = 100.0 ** (-torch.arange(size // 2) / (size // 2))
    angle = torch.arange(frames)[:, None] * speed
    return torch.stack([torch.cos(angle), torch.sin(angle)])


def rotate_halves(x: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    """Turn the pairs of features of x (..., frames, size) by the angles of the table."""
    a, b = x.chunk(2, dim=-1)
    cosine, sine = table[0].to(x.dtype), table[1].to(x.dtype)
    return torch.cat([a * cosine - b * sine, a * sine + b * cosine], dim=-1)


class Block(nn.Module):
    """Pre-norm Transformer block."""

    def __init__(self, width: int, heads: int, rotary: torch.Tensor | None = None):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads, rotary)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Attend and transform, each on top of its input (B, N, width)."""
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


def level_features(level: torch.Tensor, size: int) -> torch.Tensor:
    """Sines and cosines (..., size) of a level (...) between 0 and about 1."""
    speed = math.pi * 2.0 ** torch.arange(size // 2, dtype=level.dtype, device=level.device)
    angle = level[..., None] * speed
    return torch.cat([torch.sin(angle), torch.cos(angle)], dim=-1)


class PoseNetwork(nn.Module):
    """eps_theta(x_t, t) of the paper, 3.4: one token a joint, x (B, J - 1, 3) without the pelvis, t / T in (B,)."""

    def __init__(self, settings: NetworkSettings):
        super().__init__()
        width = settings.width
        self.embed = nn.Linear(3, width)
        self.joint = nn.Parameter(0.02 * torch.randn(settings.joints - 1, width))
        self.level = nn.Sequential(nn.Linear(16, width), nn.SiLU(), nn.Linear(width, width))
        self.blocks = nn.ModuleList(Block(width, settings.heads) for _ in range(settings.layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 3)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """Predicted noise (B, J - 1, 3)."""
        h = self.embed(x) + self.joint + self.level(level_features(t, 16))[:, None]
        for block in self.blocks:
            h = block(h)
        return self.head(self.norm(h))


class WindowNetwork(nn.Module):
    """One token a frame: features (B, frames, J * 5) -> (B, frames, J, 3).

    The features of a joint are its scaled position (3), its noise level and whether it is hidden.
    """

    def __init__(self, settings: NetworkSettings):
        super().__init__()
        width = settings.width
        rotary = rotary_table(settings.frames, width // settings.heads)
        self.embed = nn.Linear(5 * settings.joints, width)
        self.blocks = nn.ModuleList(Block(width, settings.heads, rotary) for _ in range(settings.layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 3 * settings.joints)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Correction (B, frames, J, 3) in units of the gain; see diffusion/window.py."""
        h = self.embed(features)
        for block in self.blocks:
            h = block(h)
        return self.head(self.norm(h)).unflatten(-1, (-1, 3))
