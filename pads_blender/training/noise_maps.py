"""Noise that windows are trained and measured with: random levels per joint and frame, hidden joints, jitter."""

from __future__ import annotations

import numpy as np

from ..core.skeleton import MODEL

LEFT_ARM, RIGHT_ARM = (MODEL.indices(f"{s}_shoulder", f"{s}_elbow", f"{s}_wrist") for s in ("left", "right"))
LEFT_LEG, RIGHT_LEG = (MODEL.indices(f"{s}_knee", f"{s}_ankle", f"{s}_toe") for s in ("left", "right"))
MARGIN = 32  # frames of the take on either side of a window, from which hidden joints are interpolated
_KEYED_SHARE = 0.2  # of the windows with less than wide noise
_PARTS = (
    LEFT_ARM,
    RIGHT_ARM,
    LEFT_ARM[1:],
    RIGHT_ARM[1:],
    LEFT_ARM + RIGHT_ARM,
    LEFT_LEG,
    RIGHT_LEG,
    LEFT_LEG + RIGHT_LEG,
    MODEL.indices("left_hip", "right_hip") + LEFT_LEG + RIGHT_LEG,
    MODEL.indices("neck", "head", "head_top"),
    MODEL.indices("spine", "chest", "neck", "head", "head_top", "left_collar", "right_collar"),
    LEFT_ARM + LEFT_LEG,
    RIGHT_ARM + RIGHT_LEG,
)


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


def random_jitter(rng: np.random.Generator, batch: int, share: float) -> np.ndarray:
    """Rotation jitter (B,) in radians, which that share of the windows has."""
    return np.exp(rng.uniform(np.log(0.005), np.log(0.1), batch)) * (rng.random(batch) < share)


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
        if wide[b]:
            continue
        if rng.random() < _KEYED_SHARE:
            _keep_keys(sigma[b], rng)
        else:
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


def _keep_keys(sigma: np.ndarray, rng: np.random.Generator) -> None:
    """Good poses in a few frames, as an animator keys them, and at times all before or after; in place on (F, J)."""
    frames, usual = len(sigma), rng.integers(4, 49)
    first = rng.integers(MARGIN // 2, frames // 2)
    keys = first + np.cumsum(rng.integers(usual // 2 + 1, 3 * usual // 2 + 1, frames))
    keys = np.append(first, keys[keys < frames])
    if rng.random() < 0.5:
        keys = keys[: rng.integers(2, 5)]
    known = np.isin(np.arange(frames), keys)
    known[: keys[0]] |= rng.random() < 0.4
    known[keys[-1] :] |= rng.random() < 0.3
    sigma[:] = np.where(known, np.exp(rng.uniform(np.log(0.001), np.log(0.01))), np.inf)[:, None]


def _span(rng: np.random.Generator, frames: int, most: int) -> slice:
    """A random range of 1 to `most` frames, of which at least a third lies in the window in the middle."""
    length = int(rng.integers(1, most + 1))
    start = int(rng.integers(MARGIN - 2 * length // 3, frames - MARGIN - length // 3 + 1))
    return slice(max(0, start), min(frames, start + length))
