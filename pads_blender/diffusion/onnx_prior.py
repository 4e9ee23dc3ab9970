"""The exported priors behind ONNX Runtime. The runtime is imported when a prior is loaded, not before."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..core.skeleton import JOINTS
from ..errors import PriorError
from . import window
from .contract import Contract
from .denoiser_error import DenoiserError, measured_error
from .schedule import ddpm_sigmas

_BATCH = 1024  # poses a call: larger ones only cost memory


def open_session(contract: Contract, role: str, threads: int | None = None) -> Any:
    """ONNX Runtime session on the CPU for one file of the contract; its tensors must be those the contract names."""
    try:
        import onnxruntime
    except ImportError as error:
        raise PriorError(
            "ONNX Runtime is not installed: install the extension from the zip for your system."
        ) from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads or 0
    path = contract.file(role)
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    found = {"inputs": [i.name for i in session.get_inputs()], "outputs": [o.name for o in session.get_outputs()]}
    if found != contract["tensors"][role]:
        raise PriorError(f"The tensors of {path.name} are not those of its contract: export it again.")
    return session


@dataclass(frozen=True)
class OnnxPosePrior:
    """The paper's prior, eps_theta(x_t, t), as a denoiser of pelvis-relative poses (B, J, 3) in metres.

    x_t = sqrt(abar_t) (x0 + sigma n) ties the paper's variance-preserving x_t to the sampler's noise level sigma.
    """

    contract: Contract
    threads: int | None = None
    kind = "pose"

    @cached_property
    def unit(self) -> float:
        """Metres in one unit of the network's space."""
        return float(self.contract["scale_metres"])

    def error(self, factor: float = 1.0) -> DenoiserError:
        """What the denoiser errs by at each noise level, as measured when the prior was exported."""
        table = self.contract["denoiser_error_metres"]
        return measured_error(np.array(table["sigma"]), np.array(table["error"]), factor)

    @cached_property
    def _sigmas(self) -> np.ndarray:
        d = self.contract["diffusion"]
        return ddpm_sigmas(d["steps"], d["beta_first"], d["beta_last"])

    @cached_property
    def _forward(self) -> Any:
        return open_session(self.contract, "forward", self.threads)

    @cached_property
    def _gradient(self) -> Any:
        return open_session(self.contract, "vjp", self.threads)

    def denoise(self, x: np.ndarray, sigma: float | np.ndarray) -> np.ndarray:
        """x0hat = (x_t - sqrt(1 - abar) eps) / sqrt(abar), in metres: (B, J, 3)."""
        noisy, level, ratio = self._network_space(x, sigma)
        eps = [
            self._forward.run(None, {"noisy_pose": noisy[i : i + _BATCH], "noise_level": level[i : i + _BATCH]})[0]
            for i in range(0, len(x), _BATCH)
        ]
        return self._denoised(x, ratio, np.concatenate(eps) if eps else np.zeros_like(noisy))

    def vjp(self, x: np.ndarray, sigma: float | np.ndarray, cotangent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """denoise(x, sigma) and J^T cotangent, each (B, J, 3): J = I - sigma sqrt(abar) d eps / d x_t."""
        noisy, level, ratio = self._network_space(x, sigma)
        pull = np.asarray(cotangent, np.float32)[:, 1:]
        size = int(self.contract["vjp_batch"])
        results = [self._run_gradient(noisy[i : i + size], level[i : i + size], pull[i : i + size], size)
                   for i in range(0, len(x), size)]  # fmt: skip
        eps, pulled = (np.concatenate([r[k] for r in results]) for k in range(2))
        gradient = np.zeros(np.shape(x))
        gradient[:, 1:] = pull - ratio / np.sqrt(1.0 + ratio**2) * pulled
        return self._denoised(x, ratio, eps), gradient

    def _run_gradient(self, x: np.ndarray, t: np.ndarray, v: np.ndarray, size: int) -> list[np.ndarray]:
        """The gradient graph has a fixed batch: pad with zeros, cut off again."""
        count = len(x)
        padded = [np.concatenate([a, np.zeros((size - count, *a.shape[1:]), np.float32)]) for a in (x, t, v)]
        outputs = self._gradient.run(None, dict(zip(("noisy_pose", "noise_level", "cotangent"), padded, strict=True)))
        return [output[:count] for output in outputs]

    def _network_space(self, x: np.ndarray, sigma: float | np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """x_t (B, J - 1, 3), t / T (B,) and sigma in network units (B, 1, 1)."""
        ratio = np.broadcast_to(np.asarray(sigma, float), (len(x),)) / self.unit
        ratio = np.clip(ratio, self._sigmas[0] * 1e-3, self._sigmas[-1])
        t = np.interp(np.log(ratio), np.log(self._sigmas), np.arange(len(self._sigmas)))
        ratio = ratio[:, None, None]
        noisy = np.asarray(x, float)[:, 1:] / self.unit / np.sqrt(1.0 + ratio**2)
        return noisy.astype(np.float32), (t / len(self._sigmas)).astype(np.float32), ratio

    def _denoised(self, x: np.ndarray, ratio: np.ndarray, eps: np.ndarray) -> np.ndarray:
        clean = np.zeros((len(x), len(JOINTS), 3))
        clean[:, 1:] = np.asarray(x, float)[:, 1:] - self.unit * ratio * eps
        return clean


@dataclass(frozen=True)
class OnnxWindowPrior:
    """The window prior: a denoiser of windows (B, F, J, 3) with one noise level per joint and frame, metres."""

    contract: Contract
    threads: int | None = None
    kind = "motion"

    @cached_property
    def _session(self) -> Any:
        return open_session(self.contract, "forward", self.threads)

    def denoise(self, x: np.ndarray, sigma: float | np.ndarray) -> np.ndarray:
        """E[x0 | x], (B, F, J, 3), for sigma broadcastable to (B, F, J); infinite where hidden."""
        given = window.prepare(x, np.broadcast_to(np.asarray(sigma, np.float32), x.shape[:3]))
        return given.to_world(self._session.run(None, {"features": given.features})[0])
