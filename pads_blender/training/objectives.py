"""What the two priors are trained on: batches, noise and losses. The paper's pose prior and the window prior."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import numpy as np
import torch

from ..core.heading import headings, turned
from ..core.interpolate import fill_hidden
from ..core.skeleton import MODEL
from ..diffusion import window
from . import data
from .network import NetworkSettings, PoseNetwork, WindowNetwork
from .noise_maps import LEFT_ARM, LEFT_LEG, MARGIN, RIGHT_LEG, add_noise, random_jitter, random_noise_map

POSE_SCALE = 0.31  # metres: RMS coordinate of pelvis-relative training poses, so that the network sees unit variance
POSE_STEPS = 1000  # T of the paper
_HIGHEST_EVEN = 3.0  # metres of noise up to which all levels are drawn alike
_UNIFORM_SHARE = 0.3  # of the poses, with t uniform
_AUTOCAST = ("cpu", "cuda")  # devices that multiply with 16 bits in training; others not, for want of one to try it on


class Objective(Protocol):
    """What train.py needs of a prior in the making."""

    network: torch.nn.Module
    splits: tuple[str, ...]  # what is measured on the way

    def loss(self, rng: np.random.Generator) -> torch.Tensor:
        """Loss of one fresh batch of training data."""

    def validate(self, split: str) -> dict[str, float]:
        """Named errors of the present network on fixed noise over a split."""


def ddpm_alphas(steps: int = POSE_STEPS) -> np.ndarray:
    """abar_t (T,) of the linear schedule of Ho et al. 2020, beta 1e-4 to 0.02; our choice, the paper names none."""
    return np.cumprod(1.0 - np.linspace(1e-4, 0.02, steps))


@dataclass
class PoseObjective:
    """DDPM noise prediction on pelvis-relative poses, loss of eq. 4, each pose turned to its noisy self's heading."""

    folder: object
    settings: NetworkSettings
    batch: int = 1024
    network: torch.nn.Module = field(init=False)
    splits: ClassVar[tuple[str, ...]] = ("validation", "dev")

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
        """Random training poses (size, J - 1, 3), half of them mirrored; no heading is likelier than another."""
        poses = self._poses[np.searchsorted(self._weights, rng.random(size))]
        full = np.concatenate([np.zeros((size, 1, 3), np.float32), poses], axis=1)
        full = np.where(rng.random((size, 1, 1)) < 0.5, data.mirror(full), full)
        return turned(full, rng.uniform(-np.pi, np.pi, size))[:, 1:]

    def loss(self, rng: np.random.Generator) -> torch.Tensor:
        """|| eps - eps_theta(x_t, t) ||^2, mean over a fresh batch (eq. 4)."""
        x0 = self.batch_of_poses(rng, self.batch)
        t = self._random_steps(rng, len(x0))
        predicted, eps = self._predict(x0, rng.standard_normal(x0.shape, dtype=np.float32), t)
        return torch.mean((predicted.float() - torch.from_numpy(eps)) ** 2)

    def _random_steps(self, rng: np.random.Generator, size: int) -> np.ndarray:
        """Some t (size,) uniform, as in the paper, most with all noise levels from the first to 3 m alike.

        Uniform, one in forty is for the noise below 3 cm that decides where hands and feet come to lie.
        """
        sigmas = np.sqrt(1.0 / self._abar - 1.0)
        levels = np.exp(rng.uniform(np.log(sigmas[0]), np.log(_HIGHEST_EVEN / POSE_SCALE), size))
        is_uniform = rng.random(size) < _UNIFORM_SHARE
        return np.where(is_uniform, rng.integers(0, POSE_STEPS, size), np.searchsorted(sigmas, levels))

    def _predict(self, x0: np.ndarray, eps: np.ndarray, t: np.ndarray) -> tuple[torch.Tensor, np.ndarray]:
        """Predicted noise and the true one, (B, J - 1, 3), both at the heading that the network sees poses at."""
        abar = self._abar[t][:, None, None]
        x_t = (np.sqrt(abar) * x0 + np.sqrt(1.0 - abar) * eps).astype(np.float32)
        yaw = headings(np.pad(x_t, ((0, 0), (1, 0), (0, 0))))
        level = torch.from_numpy(t.astype(np.float32) / POSE_STEPS)
        with torch.autocast("cpu", torch.bfloat16):
            return self.network(torch.from_numpy(turned(x_t, -yaw)), level), turned(eps, -yaw)

    @torch.no_grad()
    def validate(self, split: str) -> dict[str, float]:
        """Error in mm per joint of the one-step denoiser where sigma is 5, 20, 40, 100, 300 mm per coordinate."""
        rng = np.random.default_rng(0)
        poses, _ = self._load(split)
        x0 = poses[:: max(1, len(poses) // 4096)]
        result = {}
        sigmas = np.sqrt(1.0 / self._abar - 1.0) * POSE_SCALE
        for millimetres in (5, 20, 40, 100, 300):
            t = np.full(len(x0), np.argmin(np.abs(sigmas - millimetres / 1000)))
            eps = rng.standard_normal(x0.shape, dtype=np.float32)
            predicted, eps = self._predict(x0, eps, t)
            ratio = np.sqrt(1.0 / self._abar[t] - 1.0)[:, None, None]
            error = ratio * (eps - predicted.float().numpy()) * POSE_SCALE * 1000
            result[f"denoise_{millimetres}"] = float(np.linalg.norm(error, axis=-1).mean())
        return result


@dataclass
class WindowObjective:
    """A denoiser of windows with one noise level per joint and frame, hidden joints included."""

    folder: object
    settings: NetworkSettings
    batch: int = 64
    device: str = "cpu"
    network: torch.nn.Module = field(init=False)
    splits: ClassVar[tuple[str, ...]] = ("validation", "dev")
    speeds: ClassVar[tuple[float, float]] = (0.8, 1.25)
    mirrored_share: ClassVar[float] = 0.5
    jitter_share: ClassVar[float] = 0.45  # of the windows, with rotation jitter beside independent noise

    def __post_init__(self) -> None:
        self.network = WindowNetwork(self.settings).to(self.device)
        self._clips = self.training_clips()
        lengths = np.array([len(c.positions) * self.source_weight(c) for c in self._clips])
        self._weights = np.cumsum(lengths) / lengths.sum()

    def source_weight(self, clip: data.Clip) -> float:
        """How often a frame of this clip is drawn."""
        return data.source_weight(clip.subject)

    def training_clips(self) -> tuple[data.Clip, ...]:
        """What is trained on."""
        return data.load_split(self.folder, "train")

    def measured_windows(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Windows with their margins (N, MARGIN + F + MARGIN, J, 3) that a split is measured on; known (N, J)."""
        windows = validation_windows(self.folder, split, self.settings.frames + 2 * MARGIN)
        return windows, np.ones((len(windows), len(MODEL)), bool)

    def windows(self, rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Random pieces (size, MARGIN + F + MARGIN, J, 3), mirrored, faster or slower, and the joints they know."""
        chosen = [self._clips[i] for i in np.searchsorted(self._weights, rng.random(size))]
        x = np.stack([_cut(c.positions, rng, self.settings.frames + 2 * MARGIN, self.speeds) for c in chosen])
        known = np.stack([c.visible for c in chosen])
        flip = rng.random(size) < self.mirrored_share
        known = np.where(flip[:, None], known[:, MODEL.mirrored], known)
        return np.where(flip[:, None, None, None], data.mirror(x), x), known

    def loss(self, rng: np.random.Generator) -> torch.Tensor:
        """Preconditioned squared error where measured, hidden_loss where hidden; mean over a fresh batch."""
        x0, known = self.windows(rng, self.batch)
        sigma = random_noise_map(rng, *x0.shape[:3])
        jitter = random_jitter(rng, self.batch, self.jitter_share)
        noisy, sigma = add_noise(x0, np.where(known[:, None, :], sigma, np.inf), rng, jitter)
        error, given, sigma = self._error(x0, noisy, sigma, rng.normal(0.0, 0.2, self.batch))
        gain = self._tensor(given.gain)[..., 0]
        hidden = self._tensor(~np.isfinite(sigma))
        square = torch.sum(error**2, dim=-1) / (3 * gain**2) * (gain / (gain + 0.01))
        weight = self._tensor(np.broadcast_to(known[:, None, :], sigma.shape).astype(np.float32))
        return torch.sum(torch.where(hidden, self.hidden_loss(error), square) * weight) / weight.sum()

    def hidden_loss(self, error: torch.Tensor) -> torch.Tensor:
        """Loss (B, F, J) of errors (B, F, J, 3) in metres: their length, lest the few large ones drown the rest."""
        return 1.5 / 0.3 * torch.sqrt(torch.sum(error**2, dim=-1) + 1e-6)

    def prepare(self, noisy: np.ndarray, sigma: np.ndarray, yaw: np.ndarray | None = None) -> window.WindowInput:
        """Network input for noisy world positions (B, F, J, 3), filled where sigma (B, F, J) is infinite."""
        return window.prepare(noisy, sigma, yaw)

    def positions(self, given: window.WindowInput, output: torch.Tensor) -> torch.Tensor:
        """Canonical positions (B, F, J, 3) in metres from the network's output for this input."""
        return self._tensor(given.base) + self._tensor(given.gain) * output

    def _tensor(self, values: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(values).to(self.device)

    def _error(
        self, x0: np.ndarray, noisy: np.ndarray, sigma: np.ndarray, yaw: np.ndarray | None = None
    ) -> tuple[torch.Tensor, window.WindowInput, np.ndarray]:
        """Of the window in the middle: denoised minus true canonical positions in metres, network input, sigma."""
        visible = np.isfinite(sigma)
        noisy, broken = np.where(visible[..., None], noisy, 0.0).astype(np.float32), ~visible.all(axis=(1, 2))
        noisy[broken] = fill_hidden(noisy[broken], visible[broken])
        middle = slice(MARGIN, x0.shape[1] - MARGIN)
        x0, noisy, sigma = x0[:, middle], noisy[:, middle], sigma[:, middle]
        given = self.prepare(noisy, sigma, yaw)
        with torch.autocast(self.device, torch.bfloat16) if self.device in _AUTOCAST else nullcontext():
            output = self.network(self._tensor(given.features)).float()
        truth = np.einsum("bji,bfkj->bfki", given.heading, x0 - given.centre)
        return self.positions(given, output) - self._tensor(truth), given, sigma

    @torch.no_grad()
    def validate(self, split: str) -> dict[str, float]:
        """MPJPE in mm: noise of 20, 40, 100 mm; rotation jitter; hidden arm (30, 60 frames), legs, whole pose."""
        x0, known = self.measured_windows(split)
        arms, legs = LEFT_ARM[1:], LEFT_LEG + RIGHT_LEG
        cases = {f"denoise_{mm}": (mm / 1000, [], 0) for mm in (20, 40, 100)}
        cases |= {"arm_30": (0.002, arms, 30), "arm_60": (0.002, arms, 60), "legs_60": (0.002, legs, 60)}
        cases |= {f"pose_{n}": (0.002, list(range(len(MODEL))), n) for n in (15, 30)}
        errors = {name: self._case_error(x0, known, *case) for name, case in cases.items()}
        return errors | {"jitter_3deg": self._case_error(x0, known, 0.002, [], 0, np.radians(3.0))}

    def _case_error(
        self, x0: np.ndarray, known: np.ndarray, noise: float, joints: list[int], frames: int, jitter: float = 0.0
    ) -> float:
        """Error in mm of the known joints, of those hidden if any are; what is not known is hidden, and not counted."""
        seen = np.broadcast_to(known[:, None], x0.shape[:3])
        sigma = np.where(seen, np.float32(noise), np.inf)
        start = (x0.shape[1] - frames) // 2
        sigma[:, start : start + frames, joints] = np.inf
        noisy, sigma = add_noise(x0, sigma, np.random.default_rng(0), jitter)
        error, _, sigma = self._error(x0, noisy, sigma)
        length = torch.linalg.norm(error, dim=-1).cpu().numpy() * 1000
        counted = seen[:, MARGIN : x0.shape[1] - MARGIN]
        return float(length[counted & ~np.isfinite(sigma) if joints else counted].mean())


def validation_windows(folder: object, split: str, frames: int, most: int = 256) -> np.ndarray:
    """Overlapping windows (N, F, J, 3) of the captured CMU takes of a split, evenly spread."""
    clips = [c.positions for c in data.load_split(folder, split) if c.subject.startswith("cmu")]
    windows = [p[i : i + frames] for p in clips for i in range(0, len(p) - frames + 1, frames // 2)]
    return np.stack(windows[:: max(1, len(windows) // most)]).astype(np.float32)


def _cut(positions: np.ndarray, rng: np.random.Generator, frames: int, speeds: tuple[float, float]) -> np.ndarray:
    """A window (frames, J, 3) at a speed between these two; short clips are played to and fro."""
    speed = np.exp(rng.uniform(*np.log(speeds)))
    start = rng.uniform(0, max(0.0, len(positions) - 1 - (frames - 1) * speed))
    at = start + speed * np.arange(frames)
    last = max(len(positions) - 1, 1)
    at = last - np.abs(at % (2 * last) - last)
    low = np.clip(at.astype(int), 0, len(positions) - 1)
    high = np.minimum(low + 1, len(positions) - 1)
    t = (at - low).astype(np.float32)[:, None, None]
    return (1 - t) * positions[low] + t * positions[high]
