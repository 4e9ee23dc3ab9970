"""Measurement operators: what was measured of the poses, how noisily, and which poses explain it.

The projection of cameras is in projection.py. A new one is a class with the protocol's members, no more: whoever asks
for a measurement names the class. Knows nothing of priors or sampling.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ..errors import TakeError
from .banded import second_difference, second_difference_transpose, solve_pentadiagonal, solve_sprung_pentadiagonal

ANCHOR_SIGMA = 100.0  # metres: how loosely a pelvis that nothing else determines is held near where it was last seen
SMALLEST_ERROR = 1e-4  # metres: a denoiser is not trusted beyond this when frames are coupled, so the system solves
REWEIGHTINGS = 6  # enough for the pelvis to leave outliers of any size behind, as long as most joints are right


@dataclass(frozen=True)
class PoseFit:
    """Poses that explain a measurement.

    pose (B, J, 3); pelvis (B, 3), what is added to the pose to meet the measurement (zero where poses are measured
    directly); weight (B, J), the factor on each measured joint's precision: low for an outlier, 0 where hidden.
    """

    pose: np.ndarray
    pelvis: np.ndarray
    weight: np.ndarray

    @property
    def positions_world(self) -> np.ndarray:
        """Joint positions in the space of the measurement (B, J, 3)."""
        return self.pose + self.pelvis[:, None]


class MeasurementOperator(Protocol):
    """y = f(x) + n, all that a sampler knows of it. x (B, J, 3); y (B, J, K) with any value, NaN too, where hidden."""

    @property
    def noise_variance(self) -> np.ndarray:
        """Variance of n per coordinate, broadcastable to (B, J); infinite at hidden joints."""
        ...

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """f(x), zero at hidden joints: (B, J, 3) -> (B, J, K)."""
        ...

    def residual(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """y - f(x), zero at hidden joints: (B, J, K)."""
        ...

    def vjp(self, x: np.ndarray, cotangent: np.ndarray) -> np.ndarray:
        """(df/dx)^T cotangent: (B, J, K) -> (B, J, 3)."""
        ...

    def proximal(
        self,
        x_hat: np.ndarray,
        y: np.ndarray,
        prior_variance: float | np.ndarray,
        rng: np.random.Generator | None = None,
    ) -> PoseFit:
        """The most probable x (B, J, 3) given y, when x ~ N(x_hat, prior_variance) without it; in closed form.

        prior_variance: per coordinate, broadcastable to (B, J); 0 keeps x_hat. With rng: not the most probable x but a
        sample (randomise, then optimise: measurement and x_hat are perturbed by their own noise, then fitted).
        """
        ...


class _Direct:
    """Joints measured where they are, each with its own noise, infinite where hidden."""

    noise_variance: np.ndarray
    nu: float | None

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return np.where(seen(self._precision(x)), x, 0.0)

    def residual(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return self(measured_values(y, self._precision(x)) - x)

    def vjp(self, x: np.ndarray, cotangent: np.ndarray) -> np.ndarray:
        return np.where(seen(self._precision(x)), cotangent, 0.0)

    def proximal(
        self,
        x_hat: np.ndarray,
        y: np.ndarray,
        prior_variance: float | np.ndarray,
        rng: np.random.Generator | None = None,
    ) -> PoseFit:
        """x_hat moved towards y by prior variance / (prior variance + noise variance), joint by joint."""
        residual, variance = self.residual(x_hat, y), per_joint(prior_variance, x_hat)
        weight = robust_weight(residual, self._precision(x_hat), variance, self.nu)
        precision = weight * self._precision(x_hat)
        shift, noise = perturbations(precision, variance, rng)
        gain = variance * precision / (1.0 + variance * precision)
        pose = x_hat + shift + gain[..., None] * (residual + noise - shift)
        return PoseFit(pose, np.zeros((len(pose), 3)), weight)

    def _precision(self, x: np.ndarray) -> np.ndarray:
        return joint_precision(self.noise_variance, x)


@dataclass(frozen=True)
class Identity(_Direct):
    """Denoising: every joint is measured.

    sigma: metres per coordinate, broadcastable to (B, J). nu: degrees of freedom of Student's t, for joints that may be
    plain wrong (about 4 is usual); None = Gaussian noise.
    """

    sigma: float | np.ndarray
    nu: float | None = None

    @property
    def noise_variance(self) -> np.ndarray:
        """Broadcastable to (B, J)."""
        return np.square(np.asarray(self.sigma, dtype=float))


@dataclass(frozen=True)
class JointMask(_Direct):
    """Completion: only the visible joints (B, J) are measured. sigma and nu as in Identity."""

    visible: np.ndarray
    sigma: float | np.ndarray
    nu: float | None = None

    @property
    def noise_variance(self) -> np.ndarray:
        """Broadcastable to (B, J); infinite where not visible."""
        return np.where(self.visible, np.square(np.asarray(self.sigma, dtype=float)), np.inf)


@dataclass(frozen=True)
class UnknownPelvis:
    """A take of F frames: world positions y = x + t + n, x relative to the pelvis (joint 0, always zero), t unknown.

    Subtracting the measured pelvis would give every joint the pelvis's noise, which a prior takes for posture; so t is
    solved for, from all joints together. sigma: metres, broadcastable to (F, J), infinite at hidden joints; nu as in
    Identity. curvature_sigma: metres, broadcastable to (F, J): the usual size, per coordinate, of the second difference
    of a joint's world positions about frame f. It couples the frames in proximal(); f itself, and so dps, knows nothing
    of it. Infinite or None = not coupled.
    """

    sigma: float | np.ndarray
    curvature_sigma: float | np.ndarray | None = None
    nu: float | None = None

    @property
    def noise_variance(self) -> np.ndarray:
        """Broadcastable to (F, J); infinite at hidden joints."""
        return np.square(np.asarray(self.sigma, dtype=float))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Positions about their mean (joints counted by their precision): what is known of a pose without t."""
        precision = self._precision(x)
        return np.where(seen(precision), x - weighted_mean(x, precision)[:, None], 0.0)

    def residual(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """y - x - t with the t that fits best, zero at hidden joints: (F, J, 3)."""
        return self(measured_values(y, self._precision(x)) - x)

    def vjp(self, x: np.ndarray, cotangent: np.ndarray) -> np.ndarray:
        """Transpose of the linear f: (F, J, 3) -> (F, J, 3)."""
        precision = self._precision(x)
        cotangent = np.where(seen(precision), cotangent, 0.0)
        share = precision / np.maximum(precision.sum(axis=1, keepdims=True), np.finfo(float).tiny)
        return cotangent - share[..., None] * cotangent.sum(axis=1, keepdims=True)

    def proximal(
        self,
        x_hat: np.ndarray,
        y: np.ndarray,
        prior_variance: float | np.ndarray,
        rng: np.random.Generator | None = None,
    ) -> PoseFit:
        """Poses and pelvis together; poses eliminated, t is a mean weighted by 1 / (noise + prior variance)."""
        precision, variance = self._precision(x_hat), per_joint(prior_variance, x_hat) * (np.arange(x_hat.shape[1]) > 0)
        pose = np.where(np.arange(x_hat.shape[1])[:, None] > 0, x_hat, 0.0)
        offset = np.where(seen(precision), measured_values(y, precision) - pose, 0.0)
        weight = self._weight(offset, precision, variance)
        precision = weight * precision
        shift, noise = perturbations(precision, variance, rng)
        pose, offset = pose + shift, offset + noise - shift
        pelvis = fill_unseen(weighted_mean(offset, precision / (1.0 + variance * precision)), precision)
        left = offset - pelvis[:, None]
        if self.curvature_sigma is None:
            move = (variance * precision / (1.0 + variance * precision))[..., None] * left
        else:
            move = self._coupled_move(pose + pelvis[:, None], left, precision, variance, rng)
        pelvis_move = move[:, 0]
        return PoseFit(pose + move - pelvis_move[:, None], pelvis + pelvis_move, weight)

    def _precision(self, x: np.ndarray) -> np.ndarray:
        return joint_precision(self.noise_variance, x)

    def _weight(self, offset: np.ndarray, precision: np.ndarray, variance: np.ndarray) -> np.ndarray:
        """Weights (F, J) about the pelvis that they themselves give: reweighting finds the one most joints agree on."""
        weight = (precision > 0).astype(float)
        for _ in range(REWEIGHTINGS if self.nu else 0):
            pelvis = weighted_mean(offset, weight * precision / (1.0 + variance * weight * precision))
            weight = robust_weight(offset - pelvis[:, None], precision, variance, self.nu)
        return weight

    def _coupled_move(
        self,
        positions: np.ndarray,
        left: np.ndarray,
        precision: np.ndarray,
        variance: np.ndarray,
        rng: np.random.Generator | None,
    ) -> np.ndarray:
        """What to add to world positions (F, J, 3), pelvis in column 0, to minimise over all frames at once

        precision (left - move)^2 + (move - pelvis move)^2 / variance + (D (positions + move))^2 / curvature_sigma^2.
        """
        curvature = joint_precision(np.square(np.asarray(self.curvature_sigma, dtype=float)), positions)[1:-1]
        bend = -curvature[..., None] * second_difference(positions)
        if rng is not None:
            bend = bend + np.sqrt(curvature)[..., None] * rng.standard_normal(bend.shape)
        pull = precision[..., None] * left + second_difference_transpose(bend, len(positions))
        anchored = precision + (np.arange(positions.shape[1]) == 0) / ANCHOR_SIGMA**2
        if not variance.any():
            rigid = [a.sum(axis=1, keepdims=True) for a in (anchored, curvature, pull)]
            return np.repeat(solve_pentadiagonal(*rigid), positions.shape[1], axis=1)
        spring = 1.0 / np.maximum(variance, SMALLEST_ERROR**2)
        return solve_sprung_pentadiagonal(anchored, spring, curvature, pull)


def per_joint(value: float | np.ndarray, x: np.ndarray) -> np.ndarray:
    """A number or array as (B, J) for x (B, J, 3)."""
    return np.broadcast_to(np.asarray(value, dtype=float), x.shape[:2])


def joint_precision(variance: np.ndarray, x: np.ndarray) -> np.ndarray:
    """1 / variance as (B, J) for x (B, J, 3); 0 where infinite."""
    if not np.all(variance > 0):
        raise ValueError("Noise must be above zero at every joint (infinite where nothing is known).")
    return per_joint(1.0 / variance, x)


def seen(precision: np.ndarray) -> np.ndarray:
    """Where something was measured, (B, J, 1)."""
    return precision[..., None] > 0


def measured_values(y: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """y (B, J, K) with zero at the joints of no precision (B, J); what is measured must be numbers."""
    values = np.where(seen(precision), y, 0.0)
    bad = np.argwhere(~np.isfinite(values).all(axis=-1))
    if len(bad):
        frame, joint = bad[0]
        raise TakeError(
            f"A measured position is not a number (frame {frame + 1} of the take, joint {joint + 1}; "
            f"{len(bad)} in all): repair those keys, or mark these joints as hidden."
        )
    return values


def robust_weight(residual: np.ndarray, precision: np.ndarray, variance: np.ndarray, nu: float | None) -> np.ndarray:
    """Student-t weight of each joint (B, J), its coordinates (B, J, K) judged together; 0 where nothing is measured.

    The scale counts the prior's variance too: lenient while the prior is vague (high noise level), strict at the end.
    """
    if nu is None:
        return (precision > 0).astype(float)
    squared = np.sum(residual**2, axis=-1) * precision / (1.0 + variance * precision)
    return np.where(precision > 0, (nu + residual.shape[-1]) / (nu + squared), 0.0)


def perturbations(
    precision: np.ndarray, variance: np.ndarray, rng: np.random.Generator | None
) -> tuple[np.ndarray, np.ndarray]:
    """Noise of the prior's mean and of the measurement, each (B, J, 3), zero without rng and where hidden."""
    if rng is None:
        return np.zeros((*precision.shape, 3)), np.zeros((*precision.shape, 3))
    noise_sigma = np.sqrt(np.divide(1.0, precision, out=np.zeros_like(precision), where=precision > 0))
    shift = np.sqrt(variance)[..., None] * rng.standard_normal((*precision.shape, 3))
    return shift, noise_sigma[..., None] * rng.standard_normal((*precision.shape, 3))


def weighted_mean(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mean over the joints of (B, J, 3) with weights (B, J), (B, 3); zero where no joint has weight."""
    total = np.maximum(weight.sum(axis=1), np.finfo(float).tiny)
    return np.einsum("bj,bjc->bc", weight, values) / total[:, None]


def fill_unseen(pelvis: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """Pelvis (F, 3) with the frames in which no joint was measured interpolated from the others."""
    known = np.flatnonzero((precision > 0).any(axis=1))
    if len(known) in (0, len(pelvis)):
        return pelvis
    return np.stack([np.interp(np.arange(len(pelvis)), known, pelvis[known, c]) for c in range(3)], axis=1)
