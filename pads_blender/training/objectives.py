"""What the two priors are trained on: batches, noise and losses. The paper's pose prior and the window prior."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch

from ..core.interpolate import fill_hidden
from ..core.skeleton import MODEL
from ..diffusion import window
from . import data
from .network import NetworkSettings, PoseNetwork, WindowNetwork

POSE_SCALE = 0.31  # metres: RMS coordinate of pelvis-relative training poses, so that the network sees unit variance
POSE_STEPS = 1000  # T of the paper
_LEFT_ARM, _RIGHT_ARM = (MODEL.indices(f"{s}_shoulder", f"{s}_elbow", f"{s}_wrist") for s in ("left", "right"))
_LEFT_LEG, _RIGHT_LEG = (MODEL.indices(f"{s}_knee", f"{s}_ankle", f"{s}_toe") for s in ("left", "right"))
_MARGIN = 32  # frames of the take on either side of a window, from which hidden joints are interpolated
_PARTS = (
    _LEFT_ARM,
    _RIGHT_ARM,
    _LEFT_ARM[1:],
    _RIGHT_ARM[1:],
    _LEFT_ARM + _RIGHT_ARM,
    _LEFT_LEG,
    _RIGHT_LEG,
    _LEFT_LEG + _RIGHT_LEG,
    MODEL.indices("left_hip", "right_hip") + _LEFT_LEG + _RIGHT_LEG,
    MODEL.indices("neck", "head", "head_top"),
    MODEL.indices("spine", "chest", "neck", "head", "head_top", "left_collar", "right_collar"),
    _LEFT_ARM + _LEFT_LEG,
    _RIGHT_ARM + _RIGHT_LEG,
)


class Objective(Protocol):
    """What train.py needs of a prior in the making."""

    network: torch.nn.Module

    def loss(self, rng: np.random.Generator) -> torch.Tensor:
        """Loss of one fresh batch of training data."""

    def validate(self, split: str) -> dict[str, float]:
        """Named errors of the present network on fixed noise over a split."""


def ddpm_alphas(steps: int = POSE_STEPS) -> np.ndarray:
    """abar_t (T,) of the linear schedule of Ho et al. 2020, beta 1e-4 to 0.02; our choice, the paper names none."""
    return np.cumprod(1.0 - np.linspace(1e-4, 0.02, steps))


@dataclass
class PoseObjective:
    """DDPM noise prediction on pelvis-relative poses, loss of eq. 4."""

    folder: object
    settings: NetworkSettings
    batch: int = 1024
    network: torch.nn.Module = field(init=False)

    def __post_init__(self) -> None:
        self.network = PoseNetwork(self.settings)
        self._abar = ddpm_alphas().astype(np.float32)
        self._poses, self._weights = self._load("train")

    def _load(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Poses (N, J - 1, 3) in network units and cumulative sampling weights (N,); UI-PRMD lacks joints: left out."""
        clips = [c for c in data.load_split(self.folder, split) if not c.subject.startswith("uiprmd")]
        poses = np.concatenate([(c.positions - c.positions[:, :1])[:, 1:] / POSE_SCALE for c in clips])
        weights = np.concatenate([np.full(len(c.positions), data.source_weight(c.subject)) for c in clips])
        return poses.astype(np.float32), np.cumsum(weights) / weights.sum()

    def batch_of_poses(self, rng: np.random.Generator, size: int) -> np.ndarray:
        """Random training poses (size, J - 1, 3): turned about the vertical, half of them mirrored."""
        poses = self._poses[np.searchsorted(self._weights, rng.random(size))]
        full = np.concatenate([np.zeros((size, 1, 3), np.float32), poses], axis=1)
        full = np.where(rng.random((size, 1, 1)) < 0.5, data.mirror(full), full)
        return data.turn(full, rng.uniform(-np.pi, np.pi, size))[:, 1:]

    def loss(self, rng: np.random.Generator) -> torch.Tensor:
        """|| eps - eps_theta(x_t, t) ||^2, mean over a fresh batch, t uniform (eq. 4)."""
        x0 = self.batch_of_poses(rng, self.batch)
        t = rng.integers(0, POSE_STEPS, len(x0))
        eps = rng.standard_normal(x0.shape, dtype=np.float32)
        predicted = self._predict(x0, eps, t)
        return torch.mean((predicted.float() - torch.from_numpy(eps)) ** 2)

    def _predict(self, x0: np.ndarray, eps: np.ndarray, t: np.ndarray) -> torch.Tensor:
        abar = self._abar[t][:, None, None]
        x_t = np.sqrt(abar) * x0 + np.sqrt(1.0 - abar) * eps
        level = torch.from_numpy(t.astype(np.float32) / POSE_STEPS)
        with torch.autocast("cpu", torch.bfloat16):
            return self.network(torch.from_numpy(x_t.astype(np.float32)), level)

    @torch.no_grad()
    def validate(self, split: str) -> dict[str, float]:
        """Error in mm per joint of the one-step denoiser where sigma is 20, 40, 100, 300 mm per coordinate."""
        rng = np.random.default_rng(0)
        poses, _ = self._load(split)
        x0 = poses[:: max(1, len(poses) // 4096)]
        result = {}
        sigmas = np.sqrt(1.0 / self._abar - 1.0) * POSE_SCALE
        for millimetres in (20, 40, 100, 300):
            t = np.full(len(x0), np.argmin(np.abs(sigmas - millimetres / 1000)))
            eps = rng.standard_normal(x0.shape, dtype=np.float32)
            predicted = self._predict(x0, eps, t).float().numpy()
            ratio = np.sqrt(1.0 / self._abar[t] - 1.0)[:, None, None]
            error = ratio * (eps - predicted) * POSE_SCALE * 1000
            result[f"denoise_{millimetres}"] = float(np.linalg.norm(error, axis=-1).mean())
        return result


@dataclass
class WindowObjective:
    """A denoiser of windows with one noise level per joint and frame, hidden joints included."""

    folder: object
    settings: NetworkSettings
    batch: int = 64
    network: torch.nn.Module = field(init=False)

    def __post_init__(self) -> None:
        self.network = WindowNetwork(self.settings)
        self._clips = data.load_split(self.folder, "train")
        lengths = np.array([len(c.positions) * data.source_weight(c.subject) for c in self._clips])
        self._weights = np.cumsum(lengths) / lengths.sum()

    def windows(self, rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Random pieces (size, MARGIN + F + MARGIN, J, 3), mirrored, faster or slower, and the joints they know."""
        chosen = [self._clips[i] for i in np.searchsorted(self._weights, rng.random(size))]
        x = np.stack([_cut(c.positions, rng, self.settings.frames + 2 * _MARGIN) for c in chosen])
        known = np.stack([c.visible for c in chosen])
        flip = rng.random(size) < 0.5
        known = np.where(flip[:, None], known[:, MODEL.mirrored], known)
        return np.where(flip[:, None, None, None], data.mirror(x), x), known

    def loss(self, rng: np.random.Generator) -> torch.Tensor:
        """Preconditioned squared error where measured; where hidden, the length of the error, so that the few large and
        unpredictable ones do not drown the rest."""
        x0, known = self.windows(rng, self.batch)
        sigma = random_noise_map(rng, *x0.shape[:3])
        noisy, sigma = add_noise(x0, np.where(known[:, None, :], sigma, np.inf), rng, _chain_sizes(rng, self.batch))
        error, given, sigma = self._error(x0, noisy, sigma, rng.normal(0.0, 0.2, self.batch))
        gain = torch.from_numpy(given.gain)[..., 0]
        hidden = torch.from_numpy(~np.isfinite(sigma))
        square = torch.sum(error**2, dim=-1) / (3 * gain**2) * (gain / (gain + 0.01))
        length = 1.5 / 0.3 * torch.sqrt(torch.sum(error**2, dim=-1) + 1e-6)
        weight = torch.from_numpy(np.broadcast_to(known[:, None, :], sigma.shape).astype(np.float32))
        return torch.sum(torch.where(hidden, length, square) * weight) / weight.sum()

    def _error(
        self, x0: np.ndarray, noisy: np.ndarray, sigma: np.ndarray, yaw: np.ndarray | None = None
    ) -> tuple[torch.Tensor, window.WindowInput, np.ndarray]:
        """Of the window in the middle: denoised minus true canonical positions in metres, network input, sigma."""
        visible = np.isfinite(sigma)
        noisy = fill_hidden(np.where(visible[..., None], noisy, 0.0).astype(np.float32), visible)
        middle = slice(_MARGIN, x0.shape[1] - _MARGIN)
        x0, noisy, sigma = x0[:, middle], noisy[:, middle], sigma[:, middle]
        given = window.prepare(noisy, sigma, yaw)
        with torch.autocast("cpu", torch.bfloat16):
            output = self.network(torch.from_numpy(given.features)).float()
        truth = np.einsum("bji,bfkj->bfki", given.heading, x0 - given.centre)
        return torch.from_numpy(given.base - truth) + torch.from_numpy(given.gain) * output, given, sigma

    @torch.no_grad()
    def validate(self, split: str) -> dict[str, float]:
        """MPJPE in mm: noise of 20, 40, 100 mm; rotation jitter; hidden arm (30, 60 frames), legs, whole pose."""
        x0 = validation_windows(self.folder, split, self.settings.frames + 2 * _MARGIN)
        arms, legs = _LEFT_ARM[1:], _LEFT_LEG + _RIGHT_LEG
        cases = {f"denoise_{mm}": (mm / 1000, [], 0) for mm in (20, 40, 100)}
        cases |= {"arm_30": (0.002, arms, 30), "arm_60": (0.002, arms, 60), "legs_60": (0.002, legs, 60)}
        cases |= {f"pose_{n}": (0.002, list(range(len(MODEL))), n) for n in (15, 30)}
        errors = {name: self._case_error(x0, *case) for name, case in cases.items()}
        noisy, sigma = add_noise(x0, np.full(x0.shape[:3], 0.002), np.random.default_rng(0), np.radians(3.0))
        error, _, _ = self._error(x0, noisy, sigma)
        return errors | {"jitter_3deg": float(np.linalg.norm(error.numpy(), axis=-1).mean() * 1000)}

    def _case_error(self, x0: np.ndarray, noise: float, joints: list[int], frames: int) -> float:
        sigma = np.full(x0.shape[:3], noise, np.float32)
        start = (x0.shape[1] - frames) // 2
        sigma[:, start : start + frames, joints] = np.inf
        noisy, _ = add_noise(x0, sigma, np.random.default_rng(0))
        error, _, sigma = self._error(x0, noisy, sigma)
        length = np.linalg.norm(error.numpy(), axis=-1) * 1000
        return float(length[~np.isfinite(sigma)].mean() if joints else length.mean())


def validation_windows(folder: object, split: str, frames: int, most: int = 256) -> np.ndarray:
    """Overlapping windows (N, F, J, 3) of the captured CMU takes of a split, evenly spread."""
    clips = [c.positions for c in data.load_split(folder, split) if c.subject.startswith("cmu")]
    windows = [p[i : i + frames] for p in clips for i in range(0, len(p) - frames + 1, frames // 2)]
    return np.stack(windows[:: max(1, len(windows) // most)]).astype(np.float32)


def _cut(positions: np.ndarray, rng: np.random.Generator, frames: int) -> np.ndarray:
    """A window (frames, J, 3) at 0.8 to 1.25 times the speed; short clips are played to and fro."""
    speed = np.exp(rng.uniform(np.log(0.8), np.log(1.25)))
    start = rng.uniform(0, max(0.0, len(positions) - 1 - (frames - 1) * speed))
    at = start + speed * np.arange(frames)
    last = max(len(positions) - 1, 1)
    at = last - np.abs(at % (2 * last) - last)
    low = np.clip(at.astype(int), 0, len(positions) - 1)
    high = np.minimum(low + 1, len(positions) - 1)
    t = (at - low).astype(np.float32)[:, None, None]
    return (1 - t) * positions[low] + t * positions[high]


def add_noise(
    x0: np.ndarray, sigma: np.ndarray, rng: np.random.Generator, chain: np.ndarray | float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Noisy positions (B, F, J, 3) and the noise level (B, F, J) of each joint, infinite stays infinite.

    Two kinds that takes have: independent noise of sigma metres on each position, and jitter of every joint's rotation
    by chain radians per axis, (B,) or one number, which moves all that hangs on the joint and keeps bone lengths.
    """
    moved, spread = _chain_noise(x0, np.broadcast_to(chain, len(x0)), rng)
    white = np.where(np.isfinite(sigma), sigma, 0.0)[..., None] * rng.standard_normal(x0.shape, np.float32)
    noisy = (x0 + moved + white).astype(np.float32)
    return noisy, np.sqrt(sigma**2 + spread[:, None, :] ** 2).astype(np.float32)


def _chain_sizes(rng: np.random.Generator, batch: int) -> np.ndarray:
    """Rotation jitter (B,) in radians: a third of the windows has it."""
    return np.exp(rng.uniform(np.log(0.005), np.log(0.1), batch)) * (rng.random(batch) < 0.35)


def _chain_noise(x0: np.ndarray, size: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Displacement (B, F, J, 3) by small random rotations of every joint and a shaking root, and its rms (B, J)."""
    own = size[:, None, None, None] * rng.standard_normal(x0.shape, np.float32)
    moved = np.zeros_like(own)
    moved[:, :, 0] = 0.2 * size[:, None, None] * rng.standard_normal(own[:, :, 0].shape, np.float32)
    for joint, parent in enumerate(MODEL.parents):
        if parent >= 0:
            moved[:, :, joint] = moved[:, :, parent] + np.cross(own[:, :, parent], x0[:, :, joint] - x0[:, :, parent])
            own[:, :, joint] += own[:, :, parent]
    return moved, np.sqrt(np.mean(moved**2, axis=(1, 3)))


def random_noise_map(rng: np.random.Generator, batch: int, frames: int, joints: int) -> np.ndarray:
    """Noise levels (B, F, J) in metres, infinite where hidden: every kind of damage the prior must know."""
    base = np.exp(rng.uniform(np.log(0.002), np.log(0.3), batch))
    wide = rng.random(batch) < 0.12  # generation and heavy noise
    base = np.where(wide, np.exp(rng.uniform(np.log(0.2), np.log(3.0), batch)), base)
    sigma = np.broadcast_to(base[:, None, None], (batch, frames, joints)).copy()
    for b in range(batch):
        if not wide[b]:
            _vary(sigma[b], rng)
            _hide(sigma[b], rng)
    return sigma


def _vary(sigma: np.ndarray, rng: np.random.Generator) -> None:
    """Noise that differs from joint to joint, and bursts in some frames; in place on (F, J)."""
    frames, joints = sigma.shape
    if rng.random() < 0.4:
        sigma *= np.exp(rng.normal(0.0, 0.7, joints))
    if rng.random() < 0.25:
        rows = _span(rng, frames, 30)
        sigma[rows, rng.permutation(joints)[: rng.integers(1, joints + 1)]] *= np.exp(rng.normal(0.5, 1.0))
    if rng.random() < 0.15:
        sigma[rng.random((frames, joints)) < rng.uniform(0.01, 0.15)] = rng.uniform(0.1, 0.6)
    np.clip(sigma, 0.001, 3.0, out=sigma)


def _hide(sigma: np.ndarray, rng: np.random.Generator) -> None:
    """Hidden joints, limbs and whole poses over short and long ranges; in place on (F, J).

    Some are not hidden but very noisy beside good measurements: what a sampler shows on its way to a hidden joint.
    """
    frames, joints = sigma.shape
    kind = rng.random()
    if kind < 0.45:
        return
    lost = np.exp(rng.uniform(np.log(0.02), np.log(1.0))) if rng.random() < 0.3 else np.inf
    sigma *= 0.3 if rng.random() < 0.6 else 1.0  # what is left is often good
    np.clip(sigma, 0.001, 3.0, out=sigma)
    if kind < 0.75:
        for _ in range(rng.integers(1, 3)):
            part = _PARTS[rng.integers(len(_PARTS))]
            sigma[np.ix_(np.arange(frames)[_span(rng, frames, 64)], part)] = lost
    elif kind < 0.90:
        sigma[_span(rng, frames, 40)] = lost
    elif kind < 0.96:
        some = rng.permutation(joints)[: rng.integers(1, 12)]
        sigma[np.ix_(np.arange(frames)[_span(rng, frames, 64)], some)] = lost
    else:
        sigma[rng.random((frames, joints)) < rng.uniform(0.02, 0.3)] = lost


def _span(rng: np.random.Generator, frames: int, most: int) -> slice:
    """A random range of 1 to `most` frames, of which at least a third lies in the window in the middle."""
    length = int(rng.integers(1, most + 1))
    start = int(rng.integers(_MARGIN - 2 * length // 3, frames - _MARGIN - length // 3 + 1))
    return slice(max(0, start), min(frames, start + length))
