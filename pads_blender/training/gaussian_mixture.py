"""A prior whose posterior is known exactly: a mixture of low-rank Gaussians, to prove the samplers on. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class GaussianMixture:
    """Poses (B, J, 3), D = 3 J coordinates: components of equal weight, means (K, D), covariances (K, D, D)."""

    means: np.ndarray
    covariances: np.ndarray

    @classmethod
    def random(
        cls,
        rng: np.random.Generator,
        joints: int,
        components: int,
        rank: int,
        floor: float = 0.01,
        has_pelvis: bool = False,
    ) -> GaussianMixture:
        """A mixture of unit rms about zero, each component rank-dimensional but for the floor (standard deviation).

        has_pelvis: joint 0 is zero in every pose, as in a pose prior.
        """
        free = np.repeat(np.arange(joints) > 0, 3) if has_pelvis else np.ones(3 * joints)
        means = free * rng.standard_normal((components, 3 * joints)) / np.sqrt(2)
        factors = free[:, None] * rng.standard_normal((components, 3 * joints, rank)) / np.sqrt(2 * rank)
        return cls(means, factors @ factors.transpose(0, 2, 1) + floor**2 * np.diag(free))

    def moved_by(self, sigma: float) -> GaussianMixture:
        """The same poses, each moved as a whole by its own N(0, sigma^2 I): what an unknown pelvis makes of them."""
        together = np.kron(np.ones((self.means.shape[1] // 3,) * 2), np.eye(3))
        return GaussianMixture(self.means, self.covariances + sigma**2 * together)

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Poses (count, J, 3)."""
        values, vectors = self._eigen
        roots = vectors * np.sqrt(np.maximum(values, 0.0))[:, None]
        k = rng.integers(len(self.means), size=count)
        noise = rng.standard_normal((count, self.means.shape[1], 1))
        return (self.means[k] + (roots[k] @ noise)[..., 0]).reshape(count, -1, 3)

    def denoise(self, x: np.ndarray, sigma: float) -> np.ndarray:
        """E[x0 | x = x0 + sigma n], (B, J, 3)."""
        each, share, _ = self._denoise_each(x, sigma)
        return np.einsum("kb,kbd->bd", share, each).reshape(x.shape)

    def vjp(self, x: np.ndarray, sigma: float, cotangent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """denoise(x, sigma) and its transposed derivative applied to the cotangent, each (B, J, 3)."""
        each, share, whitened = self._denoise_each(x, sigma)
        v = cotangent.reshape(len(x), -1)
        inner = np.einsum("kb,kbd,bd->kb", share, each, v)
        through_share = -np.einsum("kb,kbd->bd", inner - share * inner.sum(axis=0), whitened)
        through_each = sum(s[:, None] * (v @ gain) for s, gain in zip(share, self._gains(sigma), strict=True))
        denoised = np.einsum("kb,kbd->bd", share, each).reshape(x.shape)
        return denoised, (through_share + through_each).reshape(x.shape)

    def posterior(self, y: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Exact mean and standard deviation (B, J, 3) of x given y = x + n, n of that variance (B, J), inf = hidden."""
        gain_parts = [self._posterior_of(k, y, variance) for k in range(len(self.means))]
        mean, spread, log_share = (np.stack(part) for part in zip(*gain_parts, strict=True))
        share = normalised(log_share)[..., None]
        overall = (share * mean).sum(axis=0)
        variance = (share * (spread + mean**2)).sum(axis=0) - overall**2
        return overall.reshape(y.shape), np.sqrt(np.maximum(variance, 0.0)).reshape(y.shape)

    def _posterior_of(self, k: int, y: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean and variance (B, D) of one component, and its log weight (B,)."""
        precision = np.repeat(1.0 / variance, 3, axis=1)
        root = np.sqrt(precision)
        inner = np.eye(root.shape[1]) + root[:, :, None] * self.covariances[k] * root[:, None, :]
        left = root * np.where(precision > 0, y.reshape(len(y), -1) - self.means[k], 0.0)
        solved = np.linalg.solve(inner, left[..., None])[..., 0]
        mean = self.means[k] + (root * solved) @ self.covariances[k]
        back = np.linalg.solve(inner, root[:, :, None] * self.covariances[k])
        spread = np.diagonal(self.covariances[k]) - np.einsum(
            "bij,bij->bj", root[:, :, None] * self.covariances[k], back
        )
        log_share = -0.5 * (np.sum(left * solved, axis=1) + np.linalg.slogdet(inner)[1])
        return mean, spread, log_share

    @cached_property
    def _eigen(self) -> tuple[np.ndarray, np.ndarray]:
        return np.linalg.eigh(self.covariances)

    def _gains(self, sigma: float) -> np.ndarray:
        """d denoised / d x of each component, (K, D, D), symmetric."""
        values, vectors = self._eigen
        return (vectors * (values / (values + sigma**2))[:, None]) @ vectors.transpose(0, 2, 1)

    def _denoise_each(self, x: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of each component: denoised (K, B, D), posterior weight (K, B), C^-1 (x - mean) (K, B, D), C with noise."""
        values, _ = self._eigen
        left = x.reshape(1, len(x), -1) - self.means[:, None]
        moved = left @ self._gains(sigma)
        whitened = (left - moved) / sigma**2
        log_share = -0.5 * (np.sum(left * whitened, axis=2) + np.log(values + sigma**2).sum(axis=1)[:, None])
        return self.means[:, None] + moved, normalised(log_share), whitened


def normalised(log_share: np.ndarray) -> np.ndarray:
    """Shares that add up to one over axis 0 from their logarithms."""
    share = np.exp(log_share - log_share.max(axis=0))
    return share / share.sum(axis=0)
