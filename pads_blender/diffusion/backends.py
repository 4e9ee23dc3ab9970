"""Runtimes and devices that can run the priors: the list of them, and how one is opened. Imports none itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from ..errors import BackendError, PriorError
from .contract import Contract
from .network import Network

Say = Callable[[str], None]
Answer = TypeVar("Answer", np.ndarray, tuple[np.ndarray, np.ndarray])


def log_line(text: str) -> None:
    """Say it in the log, for callers that show nothing."""
    logging.getLogger(__name__).warning(text)


@dataclass(frozen=True)
class Backend:
    """One way to run the networks."""

    name: str  # as settings and the remembered choice hold it
    label: str  # for people
    runtime: str  # module that must be importable
    device: str  # ONNX Runtime's execution provider, or torch's device
    batch: int  # windows a call until a trial has found what suits the device

    @property
    def is_gpu(self) -> bool:
        """Whether it runs beside the processor."""
        return not self.label.startswith("CPU")

    @property
    def on_processor(self) -> str:
        """Name of the backend with the same runtime on the processor."""
        return {"onnxruntime": "cpu", "torch": "torch-cpu"}.get(self.runtime, self.name)


# The last one works wherever Blender does.
BACKENDS = (
    Backend("webgpu", "GPU (ONNX Runtime, WebGPU)", "onnxruntime", "WebGpuExecutionProvider", 32),
    Backend("cuda", "NVIDIA GPU (ONNX Runtime, CUDA)", "onnxruntime", "CUDAExecutionProvider", 32),
    Backend("directml", "GPU (ONNX Runtime, DirectML)", "onnxruntime", "DmlExecutionProvider", 32),
    Backend("coreml", "Apple GPU (ONNX Runtime, Core ML)", "onnxruntime", "CoreMLExecutionProvider", 32),
    Backend("cpu", "CPU (ONNX Runtime)", "onnxruntime", "CPUExecutionProvider", 8),
    Backend("torch-cuda", "NVIDIA or AMD GPU (torch)", "torch", "cuda", 32),
    Backend("torch-mps", "Apple GPU (torch)", "torch", "mps", 32),
    Backend("torch-xpu", "Intel GPU (torch)", "torch", "xpu", 32),
    Backend("torch-cpu", "CPU (torch)", "torch", "cpu", 8),
    Backend("numpy", "CPU (NumPy)", "numpy", "", 4),
)
BY_NAME = {backend.name: backend for backend in BACKENDS}
LAST_RESORT = BACKENDS[-1].name


def devices(runtime: str) -> list[str]:
    """Devices that an installed runtime has here, by the names of Backend.device; loads it."""
    from . import onnx_prior, torch_prior

    return {"onnxruntime": onnx_prior.devices, "torch": torch_prior.devices, "numpy": lambda: [""]}[runtime]()


def open_network(contract: Contract, name: str, threads: int | None = None, batch: int | None = None) -> Network:
    """The contract's network on a backend of BACKENDS; nothing is loaded before it is first asked."""
    from .numpy_prior import NumpyNetwork
    from .onnx_prior import OnnxNetwork
    from .torch_prior import TorchNetwork

    if name not in BY_NAME:
        raise BackendError(f"There is no backend '{name}': choose one of {', '.join(BY_NAME)}.")
    backend = BY_NAME[name]
    batch = batch or backend.batch
    if backend.runtime == "numpy":
        return NumpyNetwork(contract, backend.label, batch)
    adapter = {"onnxruntime": OnnxNetwork, "torch": TorchNetwork}[backend.runtime]
    return adapter(contract, backend.device, backend.label, batch, threads)


@dataclass
class SafeNetwork:
    """The first of several networks that works: one that fails is left for good, with one line that says so."""

    networks: Sequence[Network]
    say: Say = log_line
    _failed: int = field(default=0, init=False)

    @property
    def network(self) -> Network:
        """The one in use."""
        return self.networks[self._failed]

    @property
    def label(self) -> str:
        """Device and runtime in use."""
        return self.network.label

    @property
    def batch(self) -> int:
        """Windows a call that suit the device in use."""
        return self.network.batch

    def forward(self, *inputs: np.ndarray) -> np.ndarray:
        """See network.Network."""
        return self._ask(lambda network: network.forward(*inputs))

    def vjp(self, noisy: np.ndarray, level: np.ndarray, cotangent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See network.Network."""
        return self._ask(lambda network: network.vjp(noisy, level, cotangent))

    def _ask(self, question: Callable[[Network], Answer]) -> Answer:
        """The answer of the network in use, or of the next one that has one; BackendError where none has.

        Any exception counts, for each runtime has its own; but a prior that is damaged is so on every backend.
        """
        while True:
            try:
                answer = question(self.network)
                if _is_finite(answer):
                    return answer
                reason = "its answer is not made of numbers"
            except PriorError:
                raise
            except Exception as error:
                reason = (str(error) or type(error).__name__).splitlines()[0]
            self._leave(reason)

    def _leave(self, reason: str) -> None:
        left = self.label
        if self._failed == len(self.networks) - 1:
            raise BackendError(f"The prior cannot be run here: {left} says {reason}.")
        self._failed += 1
        self.say(f"{left} does not work here, going on with {self.label}: {reason}")


def _is_finite(answer: np.ndarray | tuple[np.ndarray, ...]) -> bool:
    return all(np.isfinite(part).all() for part in (answer if isinstance(answer, tuple) else (answer,)))
