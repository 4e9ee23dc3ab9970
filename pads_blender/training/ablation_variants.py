"""What ablation.py compares: the window prior's training with one choice changed at a time, each a small subclass."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch

from ..core import rotations as rot
from ..core.interpolate import body_frames
from ..core.skeleton import MODEL
from ..diffusion import window
from .network import NetworkSettings
from .objectives import WindowObjective
from .trainer import Trainer, TrainSettings

SMALL = NetworkSettings(width=128, layers=4, heads=4)
_BATCH = 16
_ARMS = MODEL.indices("left_elbow", "left_wrist", "right_elbow", "right_wrist")
_LIMBS = _ARMS + MODEL.indices("head", "head_top")
_POSTURE_RADIANS, _POSTURE_SHARE = np.radians(8.0), 0.5
_DONATED_SHARE = 0.25


@dataclass(frozen=True)
class Variant:
    """One row of the table."""

    name: str
    objective: type[WindowObjective] = WindowObjective
    trainer: type[Trainer] = Trainer
    network: NetworkSettings = SMALL
    batch: int = _BATCH
    decay_share: float = TrainSettings.decay_share


class OneLevel(WindowObjective):
    """One noise level for the whole window, the root mean square of its joints', and what is hidden."""

    def prepare(self, noisy: np.ndarray, sigma: np.ndarray, yaw: np.ndarray | None = None) -> window.WindowInput:
        """Network input as if every visible joint had that one level."""
        visible = np.isfinite(sigma)
        total = np.sum(np.where(visible, sigma, 0.0) ** 2, axis=(1, 2), keepdims=True)
        level = np.sqrt(total / np.maximum(visible.sum(axis=(1, 2), keepdims=True), 1))
        return super().prepare(noisy, np.where(visible, level, np.inf).astype(np.float32), yaw)


class NoLevelFeature(WindowObjective):
    """The noise levels scale what goes into the network and comes out of it, but are not told to it."""

    def prepare(self, noisy: np.ndarray, sigma: np.ndarray, yaw: np.ndarray | None = None) -> window.WindowInput:
        """Network input with zero for the level's feature."""
        given = super().prepare(noisy, sigma, yaw)
        features = given.features.reshape(*sigma.shape, -1).copy()
        features[..., 3] = 0.0
        return replace(given, features=features.reshape(given.features.shape))


class HiddenZero(WindowObjective):
    """Hidden joints enter as the window's centre, and the network says where they are, without the classical fill."""

    def prepare(self, noisy: np.ndarray, sigma: np.ndarray, yaw: np.ndarray | None = None) -> window.WindowInput:
        """Network input with zeros where hidden."""
        given, hidden = super().prepare(noisy, sigma, yaw), ~np.isfinite(sigma)[..., None]
        features = given.features.reshape(*sigma.shape, -1)
        features = np.where(hidden & (np.arange(features.shape[-1]) < 3), np.float32(0), features)
        gain = np.where(hidden, np.float32(window.SIGMA_DATA), given.gain)
        base = np.where(hidden, np.float32(0), given.base)
        return replace(given, features=features.reshape(given.features.shape), base=base, gain=gain)


class PelvisRelative(WindowObjective):
    """Joints as seen from the noisy pelvis of their own frame, whose noise they all share; the pelvis as it is."""

    def prepare(self, noisy: np.ndarray, sigma: np.ndarray, yaw: np.ndarray | None = None) -> window.WindowInput:
        """Network input of relative positions, each at the level of its own noise and the pelvis's together."""
        given, hidden = super().prepare(noisy, sigma, yaw), ~np.isfinite(sigma)
        canonical = np.einsum("bji,bfkj->bfki", given.heading, noisy - given.centre)
        relative = np.concatenate([canonical[:, :, :1], canonical[:, :, 1:] - canonical[:, :, :1]], axis=2)
        pelvis = np.where(hidden[..., :1], window.SIGMA_HIDDEN, sigma[..., :1])
        level = np.where(hidden, 0.0, np.sqrt(sigma**2 + pelvis**2))
        level[..., :1] = np.where(hidden[..., :1], 0.0, sigma[..., :1])
        features, base, gain = window.precondition(relative, level.astype(np.float32), hidden)
        return replace(given, features=features, base=base, gain=gain)

    def positions(self, given: window.WindowInput, output: torch.Tensor) -> torch.Tensor:
        """Canonical positions (B, F, J, 3): the denoised pelvis under the denoised relative positions."""
        relative = super().positions(given, output)
        return torch.cat([relative[:, :, :1], relative[:, :, 1:] + relative[:, :, :1]], dim=2)


class SquaredHidden(WindowObjective):
    """The squared error where hidden, too; it weighs what the length weighs where that is 100 mm."""

    def hidden_loss(self, error: torch.Tensor) -> torch.Tensor:
        """Loss (B, F, J) of errors (B, F, J, 3) in metres."""
        return 50.0 * torch.sum(error**2, dim=-1)


class NoMirror(WindowObjective):
    """Only as captured."""

    mirrored_share: ClassVar[float] = 0.0


class NoSpeed(WindowObjective):
    """Only at the captured speed."""

    speeds: ClassVar[tuple[float, float]] = (1.0, 1.0)


class NoJitter(WindowObjective):
    """Only independent noise."""

    jitter_share: ClassVar[float] = 0.0


class Postures(WindowObjective):
    """In half of the windows arms and head are turned, each joint by one angle for the whole window."""

    def windows(self, rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
        """The same windows as without, and which joints they know."""
        x, known = super().windows(rng, size)
        return with_other_posture(x, rng.spawn(1)[0]), known


class Recombined(WindowObjective):
    """A quarter of the windows have both arms of another window of the batch, as that body's chest saw them."""

    def windows(self, rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
        """The same windows as without, and which joints they know."""
        x, known = super().windows(rng, size)
        return with_other_arms(x, known, rng.spawn(1)[0]), known


class AdamOnly(Trainer):
    """AdamW for all weights, at its rate for what Muon leaves to it."""

    def make_optimisers(self) -> list[tuple[torch.optim.Optimizer, float]]:
        """One optimiser and its full rate."""
        return [self.adam(list(self.objective.network.parameters()))]


def with_other_posture(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Windows (B, F, J, 3), half of them with arms and head turned by a constant angle as the chest sees it."""
    body, offsets = _seen_from_body(x)
    chosen = rng.random(len(x)) < _POSTURE_SHARE
    vectors = _POSTURE_RADIANS * chosen[:, None, None, None] * rng.standard_normal((len(x), 1, len(_LIMBS), 3))
    offsets[:, :, _LIMBS] = rot.rotate(rot.from_rotation_vector(vectors), offsets[:, :, _LIMBS])
    return _hung(x, body, offsets, _LIMBS)


def with_other_arms(x: np.ndarray, known: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Windows (B, F, J, 3), a quarter of them with another one's arms where both know (B, J) their arms."""
    body, offsets = _seen_from_body(x)
    donor, has_arms = rng.permutation(len(x)), known[:, _ARMS].all(axis=1)
    chosen = (rng.random(len(x)) < _DONATED_SHARE) & has_arms & has_arms[donor]
    donor = np.where(chosen, donor, np.arange(len(x)))
    return _hung(x, body, offsets[donor], _ARMS)


def _seen_from_body(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """World from body (B, F, J, 3, 3) and each joint's offset from its parent (B, F, J, 3) in the body's frame."""
    body = body_frames(x)
    offsets = x - x[..., np.maximum(MODEL.parents, 0), :]
    return body, np.einsum("bfkji,bfkj->bfki", body, offsets)


def _hung(x: np.ndarray, body: np.ndarray, offsets: np.ndarray, joints: list[int]) -> np.ndarray:
    """x (B, F, J, 3) with these joints, parents first, at their offsets (B, F, J, 3) in the body's frame."""
    result = x.copy()
    for joint in joints:
        own = np.einsum("bfij,bfj->bfi", body[:, :, joint], offsets[:, :, joint])
        result[:, :, joint] = result[:, :, MODEL.parents[joint]] + own
    return result


BASE = Variant("as chosen")
VARIANTS = (
    Variant("windows of 32 frames", network=replace(SMALL, frames=32), batch=2 * _BATCH),
    Variant("windows of 96 frames", network=replace(SMALL, frames=96), batch=round(_BATCH * 64 / 96)),
    Variant("width 64", network=replace(SMALL, width=64)),
    Variant("width 192", network=replace(SMALL, width=192)),
    Variant("2 layers", network=replace(SMALL, layers=2)),
    Variant("6 layers", network=replace(SMALL, layers=6)),
    Variant("one noise level a window", OneLevel),
    Variant("noise levels scale, but are no feature", NoLevelFeature),
    Variant("hidden joints enter as zero", HiddenZero),
    Variant("pelvis subtracted in each frame", PelvisRelative),
    Variant("squared loss where hidden", SquaredHidden),
    Variant("AdamW alone", trainer=AdamOnly),
    Variant("learning rate not lowered", decay_share=1e-9),
    Variant("no mirror", NoMirror),
    Variant("no change of speed", NoSpeed),
    Variant("no rotation jitter in training", NoJitter),
    Variant("other postures", Postures),
    Variant("arms of other windows", Recombined),
)
