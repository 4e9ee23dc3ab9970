"""The networks of training/network.py as torch functions on the bundled weights, where torch can be imported."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import BackendError
from .contract import Contract
from .numpy_prior import rotary_table
from .onnx_file import read_parameters


def load_runtime() -> Any:
    """The torch module, whoever installed it."""
    try:
        import torch
    except ImportError as error:
        raise BackendError(f"torch cannot be loaded ({error})") from error
    return torch


def devices() -> list[str]:
    """Devices that this build of torch finds here."""
    torch = load_runtime()
    found = {
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
        "xpu": lambda: hasattr(torch, "xpu") and torch.xpu.is_available(),
    }
    return [name for name, is_available in found.items() if is_available()] + ["cpu"]


@dataclass(frozen=True)
class TorchNetwork:
    """Either network on one torch device: cuda, mps, xpu or cpu."""

    contract: Contract
    device: str
    label: str
    batch: int
    threads: int | None = None

    @cached_property
    def _weights(self) -> dict[str, Any]:
        """The weights on the device, and the rotary table with them."""
        torch = load_runtime()
        if self.threads:
            torch.set_num_threads(self.threads)
        settings = self.contract["network"]
        arrays = read_parameters(self.contract)
        arrays["rotary"] = rotary_table(settings["frames"], settings["width"] // settings["heads"])
        return {name: self._tensor(values) for name, values in arrays.items()}

    def _tensor(self, values: np.ndarray) -> Any:
        return (
            load_runtime().from_numpy(np.array(values, np.float32)).to(self.device)
        )  # a copy: the weights are read-only

    def forward(self, *inputs: np.ndarray) -> np.ndarray:
        """See network.Network."""
        torch, weights = load_runtime(), self._weights
        with torch.inference_mode():
            output = self._network(weights, *(self._tensor(values) for values in inputs))
        return output.cpu().numpy()

    def vjp(self, noisy: np.ndarray, level: np.ndarray, cotangent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See network.Network."""
        torch, weights = load_runtime(), self._weights
        leaf = self._tensor(noisy).requires_grad_(True)
        with torch.enable_grad():
            output = self._network(weights, leaf, self._tensor(level))
            (pulled,) = torch.autograd.grad(output, leaf, self._tensor(cotangent))
        return output.detach().cpu().numpy(), pulled.cpu().numpy()

    def _network(self, weights: dict[str, Any], x: Any, level: Any = None) -> Any:
        """(B, F, J * 5) -> (B, F, J, 3) without a level, (B, J - 1, 3) and level (B,) -> (B, J - 1, 3) with it."""
        settings = self.contract["network"]
        h = _linear(weights, "embed", x)
        if level is not None:
            h = h + weights["joint"] + _level_embedding(weights, level)[:, None]
        rotary = weights["rotary"] if level is None else None
        for i in range(settings["layers"]):
            h = _block(weights, f"blocks.{i}", h, settings["heads"], rotary)
        h = _linear(weights, "head", _norm(weights, "norm", h))
        return h if level is not None else h.unflatten(-1, (-1, 3))


def _linear(weights: dict[str, Any], name: str, x: Any) -> Any:
    import torch

    return torch.nn.functional.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])


def _norm(weights: dict[str, Any], name: str, x: Any) -> Any:
    import torch

    return torch.nn.functional.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"])


def _level_embedding(weights: dict[str, Any], level: Any) -> Any:
    import torch

    angle = level[:, None] * torch.pi * 2.0 ** torch.arange(8, dtype=level.dtype, device=level.device)
    features = torch.cat([torch.sin(angle), torch.cos(angle)], dim=-1)
    return _linear(weights, "level.2", torch.nn.functional.silu(_linear(weights, "level.0", features)))


def _block(weights: dict[str, Any], name: str, x: Any, heads: int, rotary: Any) -> Any:
    """Pre-norm Transformer block (B, N, width)."""
    import torch

    x = x + _attention(weights, f"{name}.attention", _norm(weights, f"{name}.norm1", x), heads, rotary)
    hidden = _linear(weights, f"{name}.mlp.0", _norm(weights, f"{name}.norm2", x))
    return x + _linear(weights, f"{name}.mlp.2", torch.nn.functional.gelu(hidden, approximate="tanh"))


def _attention(weights: dict[str, Any], name: str, x: Any, heads: int, rotary: Any) -> Any:
    import torch

    b, n, width = x.shape
    q, k, v = _linear(weights, f"{name}.qkv", x).reshape(b, n, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
    if rotary is not None:
        q, k = _rotate_halves(q, rotary), _rotate_halves(k, rotary)
    mixed = torch.nn.functional.scaled_dot_product_attention(q, k, v)
    return _linear(weights, f"{name}.out", mixed.transpose(1, 2).reshape(b, n, width))


def _rotate_halves(x: Any, table: Any) -> Any:
    import torch

    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * table[0] - b * table[1], a * table[1] + b * table[0]], dim=-1)
