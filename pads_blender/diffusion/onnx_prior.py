"""The networks behind ONNX Runtime, which is imported when a prior is first asked, not before."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import BackendError, PriorError
from .contract import Contract

# NVIDIA cards else multiply with 10 bits.
_OPTIONS = {"CUDAExecutionProvider": {"use_tf32": "0"}}
_INPUTS = ("noisy_pose", "noise_level", "cotangent")


def load_runtime() -> Any:
    """The onnxruntime module, whoever installed it."""
    try:
        import onnxruntime
    except ImportError as error:
        raise BackendError(f"ONNX Runtime cannot be loaded ({error})") from error
    return onnxruntime


def devices() -> list[str]:
    """Execution providers that this build of ONNX Runtime holds; that one of them starts is another matter."""
    return list(load_runtime().get_available_providers())


def open_session(contract: Contract, role: str, provider: str, threads: int | None = None) -> Any:
    """ONNX Runtime session for one file of the contract; its tensors must be those the contract names."""
    onnxruntime = load_runtime()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads or 0
    path = contract.file(role)
    chosen = (provider, _OPTIONS.get(provider, {}))
    session = onnxruntime.InferenceSession(str(path), options, providers=[chosen])
    if session.get_providers()[0] != provider:  # it goes over to the CPU with a line on the console alone
        raise BackendError(f"ONNX Runtime could not start its {provider}")
    found = {"inputs": [i.name for i in session.get_inputs()], "outputs": [o.name for o in session.get_outputs()]}
    if found != contract["tensors"][role]:
        raise PriorError(f"The tensors of {path.name} are not those of its contract: export it again.")
    return session


@dataclass(frozen=True)
class OnnxNetwork:
    """Either network on one execution provider."""

    contract: Contract
    provider: str
    label: str
    batch: int
    threads: int | None = None

    @cached_property
    def _forward(self) -> Any:
        return open_session(self.contract, "forward", self.provider, self.threads)

    @cached_property
    def _gradient(self) -> Any:
        return open_session(self.contract, "vjp", self.provider, self.threads)

    def forward(self, *inputs: np.ndarray) -> np.ndarray:
        """See network.Network."""
        names = self.contract["tensors"]["forward"]["inputs"]
        return self._forward.run(None, dict(zip(names, inputs, strict=True)))[0]

    def vjp(self, noisy: np.ndarray, level: np.ndarray, cotangent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See network.Network; the graph has a fixed batch, so that rows of zeros fill the last call."""
        size, count = int(self.contract["vjp_batch"]), len(noisy)
        results = []
        for start in range(0, count, size):
            rows = [_filled_up(a[start : start + size], size) for a in (noisy, level, cotangent)]
            results.append(self._gradient.run(None, dict(zip(_INPUTS, rows, strict=True))))
        output, pulled = (np.concatenate(parts)[:count] for parts in zip(*results, strict=True))
        return output, pulled


def _filled_up(rows: np.ndarray, size: int) -> np.ndarray:
    return np.concatenate([rows, np.zeros((size - len(rows), *rows.shape[1:]), np.float32)])
