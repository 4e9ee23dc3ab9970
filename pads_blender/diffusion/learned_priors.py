"""The two shipped priors on top of their networks: metres in, metres out, batches cut to what the device takes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..core.heading import heading_gradient, headings, turned, turning
from ..core.skeleton import JOINTS
from . import window
from .contract import Contract
from .denoiser_error import DenoiserError, measured_error
from .network import Network
from .schedule import ddpm_sigmas

_POSES_A_WINDOW = 8  # poses that cost a device about as much memory as one window


@dataclass(frozen=True)
class PosePrior:
    """The paper's prior, eps_theta(x_t, t), as a denoiser of pelvis-relative poses (B, J, 3) in metres.

    x_t = sqrt(abar_t) (x0 + sigma n) ties the paper's variance-preserving x_t to the sampler's noise level sigma.
    The network sees poses turned to one heading, that of the noisy pose itself: no pose is likelier for its heading.
    """

    contract: Contract
    network: Network
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

    def denoise(self, x: np.ndarray, sigma: float | np.ndarray) -> np.ndarray:
        """x0hat = (x_t - sqrt(1 - abar) eps) / sqrt(abar), in metres: (B, J, 3)."""
        x = np.asarray(x, float)
        yaw = headings(x)
        upright = turned(x, -yaw)
        noisy, level, ratio = self._network_space(upright, sigma)
        eps = [self.network.forward(noisy[rows], level[rows]) for rows in self._batches(len(x))]
        return turned(self._denoised(upright, ratio, np.concatenate(eps) if eps else np.zeros_like(noisy)), yaw)

    def vjp(self, x: np.ndarray, sigma: float | np.ndarray, cotangent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """denoise(x, sigma) and J^T cotangent, each (B, J, 3): J = I - sigma sqrt(abar) d eps / d x_t."""
        x = np.asarray(x, float)
        yaw = headings(x)
        upright, pull = turned(x, -yaw), turned(np.asarray(cotangent, float), -yaw)
        denoised, gradient = self._vjp_upright(upright, sigma, pull)
        by_yaw = np.sum(pull * turning(denoised) - gradient * turning(upright), axis=(1, 2), keepdims=True)
        return turned(denoised, yaw), turned(gradient, yaw) + by_yaw * heading_gradient(x)

    def _vjp_upright(self, x: np.ndarray, sigma: float | np.ndarray, pull: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As vjp, at a heading that stays as it is."""
        noisy, level, ratio = self._network_space(x, sigma)
        pull = pull[:, 1:].astype(np.float32)
        results = [self.network.vjp(noisy[rows], level[rows], pull[rows]) for rows in self._batches(len(x))]
        eps, pulled = (np.concatenate([r[k] for r in results]) for k in range(2))
        gradient = np.zeros(x.shape)
        gradient[:, 1:] = pull - ratio / np.sqrt(1.0 + ratio**2) * pulled
        return self._denoised(x, ratio, eps), gradient

    def _batches(self, count: int) -> list[slice]:
        return batches(count, _POSES_A_WINDOW * self.network.batch)

    def _network_space(self, x: np.ndarray, sigma: float | np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """x_t (B, J - 1, 3), t / T (B,) and sigma in network units (B, 1, 1)."""
        ratio = np.broadcast_to(np.asarray(sigma, float), (len(x),)) / self.unit
        ratio = np.clip(ratio, self._sigmas[0] * 1e-3, self._sigmas[-1])
        t = np.interp(np.log(ratio), np.log(self._sigmas), np.arange(len(self._sigmas)))
        ratio = ratio[:, None, None]
        noisy = x[:, 1:] / self.unit / np.sqrt(1.0 + ratio**2)
        return noisy.astype(np.float32), (t / len(self._sigmas)).astype(np.float32), ratio

    def _denoised(self, x: np.ndarray, ratio: np.ndarray, eps: np.ndarray) -> np.ndarray:
        clean = np.zeros((len(x), len(JOINTS), 3))
        clean[:, 1:] = x[:, 1:] - self.unit * ratio * eps
        return clean


@dataclass(frozen=True)
class WindowPrior:
    """The window prior: a denoiser of windows (B, F, J, 3) with one noise level per joint and frame, metres."""

    contract: Contract
    network: Network
    kind = "motion"

    def denoise(self, x: np.ndarray, sigma: float | np.ndarray) -> np.ndarray:
        """E[x0 | x], (B, F, J, 3), for sigma broadcastable to (B, F, J); infinite where hidden."""
        given = window.prepare(x, np.broadcast_to(np.asarray(sigma, np.float32), x.shape[:3]))
        rows = batches(len(x), self.network.batch)
        return given.to_world(np.concatenate([self.network.forward(given.features[r]) for r in rows]))


def batches(count: int, size: int) -> list[slice]:
    """Slices of at most `size` rows that cover `count`."""
    return [slice(start, start + size) for start in range(0, count, size)]
