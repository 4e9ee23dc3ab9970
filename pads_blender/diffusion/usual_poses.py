"""Usual poses as a mixture of low-rank Gaussians, and what keypoints make of them: exact, whatever the cameras see.

The learned priors are asked at one noise level for all directions, and a camera measures across its rays only. With a
Gaussian both go together in closed form, so this coarse prior (SMPLify's, Bogo et al. 2016, without its descent) finds
where a take's descent through the motion prior begins. Heading is no part of the mixture: it is tried.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core import rotations as rot
from ..errors import PriorError
from ..paths import bundled_models_dir
from .rays import View

FILE = "usual_poses.npz"
_NOISE = 1.5  # times the keypoints' own: poses are not quite Gaussian


@dataclass(frozen=True)
class UsualPoses:
    """Components of equal weight: poses about their pelvis are mean + factor z + what is left, z ~ N(0, I).

    means (S, J, 3) and factors (S, J, 3, R) metres; rest (S, J) variance per coordinate.
    """

    means: np.ndarray
    factors: np.ndarray
    rest: np.ndarray

    def facing(self, headings: int) -> UsualPoses:
        """The same poses turned to each of so many headings, one heading after another."""
        yaw = 2.0 * np.pi * np.arange(headings) / headings
        turned = rot.to_matrix(rot.from_rotation_vector(yaw[:, None] * np.array([0.0, 0.0, 1.0])))
        means = np.einsum("hab,kjb->hkja", turned, self.means)
        factors = np.einsum("hab,kjbr->hkjar", turned, self.factors)
        return UsualPoses(
            means.reshape(-1, *self.means.shape[1:]),
            factors.reshape(-1, *self.factors.shape[1:]),
            np.tile(self.rest, (headings, 1)),
        )

    def on_rays(self, views: Sequence[View], pelvis: np.ndarray, pelvis_sigma: float) -> RayPosterior:
        """What keypoints make of each component in each frame, with a pelvis (F, 3) known but for so many metres."""
        if not len(pelvis):
            raise ValueError("There is no frame in which keypoints could be looked at.")
        seen = [self._of_keypoints(view) for view in views]
        systems = ([part.equations(frame, place) for part in seen] for frame, place in enumerate(pelvis))
        frames = [self._solved(system, place, pelvis_sigma) for system, place in zip(systems, pelvis, strict=True)]
        return RayPosterior(self, *(np.stack(part) for part in zip(*frames, strict=True)))

    def nearest(self, poses: np.ndarray, sigma: float) -> np.ndarray:
        """The likeliest component (F,) of each pose (F, J, 3) about its pelvis, off by sigma metres per coordinate."""
        flat, costs = poses.reshape(-1, 3 * poses.shape[1]), []
        for mean, covariance in zip(self.means, self._covariances + sigma**2 * np.eye(flat.shape[1]), strict=True):
            away = (flat - mean.reshape(-1)).T
            costs.append(np.sum(away * np.linalg.solve(covariance, away), axis=0) + np.linalg.slogdet(covariance)[1])
        return np.argmin(costs, axis=0)

    def error_shapes(self, level: float, alone: float) -> np.ndarray:
        """Covariances (S, 3 J, 3 J) of what denoising at a noise level in metres leaves, with a mean variance of one.

        alone: the share in which each coordinate errs by itself.
        """
        covariances, size = self._covariances, self._wide.shape[1]
        left = np.linalg.solve(np.eye(size) + covariances / level**2, covariances)  # P - P (P + level^2 I)^-1 P
        mean = np.trace(left, axis1=1, axis2=2)[:, None, None] / size
        return (1.0 - alone) * 0.5 * (left + np.swapaxes(left, 1, 2)) / mean + alone * np.eye(size)

    def spread(self, poses: np.ndarray, level: float) -> np.ndarray:
        """Covariances (N, 3 J, 3 J) of what may lie behind poses (N, J, 3) about their pelvis with noise of that level.

        Of one heading, that of hips and shoulders along +X. Metres; level per coordinate. Cov[x0 | x] of the mixture,
        level^2 times the derivative of its best denoiser (Tweedie's second moment): each component's own, of low rank
        but for the diagonal, and how far the components differ in what they take for noise.
        """
        alone, white, size = self._precision(level)
        away = poses.reshape(len(poses), 1, 3 * poses.shape[1]) - self.means.reshape(len(self.means), -1)
        along = np.einsum("nsd,sdr->nsr", away, white)
        share = _shares(np.sum(away**2 / alone, axis=-1) - np.sum(along**2, axis=-1) + size)
        noise = away / alone - np.einsum("nsr,sdr->nsd", along, white)
        between = np.sqrt(share)[..., None] * (noise - np.einsum("ns,nsd->nd", share, noise)[:, None])
        within = (np.sqrt(share)[..., None, None] * white).swapaxes(1, 2)
        within = within.reshape(*within.shape[:2], within.shape[2] * within.shape[3])
        roots = level**2 * np.concatenate([within, between.swapaxes(1, 2)], axis=-1)
        diagonal = share @ (level**2 - level**4 / alone)
        return roots @ roots.swapaxes(1, 2) + diagonal[..., None] * np.eye(away.shape[-1])

    def _precision(self, level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of each component with noise of that level: D (S, 3 J), W (S, 3 J, R), log determinant of its inverse (S,).

        The precision is 1 / D - W W^T (Woodbury).
        """
        alone = np.repeat(self.rest, 3, axis=1) + level**2
        weighted = (self._wide / alone[..., None]).swapaxes(1, 2)
        root = np.linalg.cholesky(np.eye(weighted.shape[1]) + weighted @ self._wide)
        size = np.log(alone).sum(axis=-1) + 2.0 * np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=-1)
        return alone, np.linalg.solve(root, weighted).swapaxes(1, 2), size

    @property
    def _covariances(self) -> np.ndarray:
        """Of each component's poses, (S, 3 J, 3 J)."""
        own = np.repeat(self.rest, 3, axis=1)
        return self._wide @ np.swapaxes(self._wide, 1, 2) + own[:, :, None] * np.eye(own.shape[1])

    @property
    def _wide(self) -> np.ndarray:
        """Factors (S, 3 J, R)."""
        return self.factors.reshape(len(self.factors), -1, self.factors.shape[-1])

    def _of_keypoints(self, view: View) -> _KeypointSystem:
        means = np.einsum("kj,sja->ska", view.joints, self.means)
        factors = np.einsum("kj,sjar->skar", view.joints, self.factors, optimize=True)
        return _KeypointSystem(view, means, factors, self.rest @ np.square(view.joints).T, *view.planes())

    def _solved(
        self, systems: list[tuple[np.ndarray, np.ndarray, np.ndarray]], pelvis: np.ndarray, pelvis_sigma: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """z (S, R), pelvis (S, 3) and cost (S,) of one frame: least squares in z and the pelvis."""
        rows, residual, variance = (np.concatenate(part, axis=1) for part in zip(*systems, strict=True))
        rank = self.factors.shape[-1]
        weighted = rows / variance[..., None]
        prior = np.append(np.ones(rank), np.full(3, pelvis_sigma**-2))
        normal = np.swapaxes(weighted, 1, 2) @ rows + np.diag(prior)
        pull = (residual[:, None] @ weighted)[:, 0]
        z = np.linalg.solve(normal, pull[..., None])[..., 0]
        squared = np.sum(residual**2 / variance, axis=1) - np.sum(pull * z, axis=1)
        cost = 0.5 * (squared + np.linalg.slogdet(normal)[1] + np.log(variance).sum(axis=1))
        return z[:, :rank], pelvis + z[:, rank:], cost


def _shares(costs: np.ndarray) -> np.ndarray:
    """Probabilities (N, S) from twice their negative logarithms, up to a constant."""
    shares = np.exp(-0.5 * (costs - costs.min(axis=1, keepdims=True)))
    return shares / shares.sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class _KeypointSystem:
    """The mixture at a view's keypoints: means (S, K, 3), factors (S, K, 3, R), rest (S, K); planes of their rays."""

    view: View
    means: np.ndarray
    factors: np.ndarray
    rest: np.ndarray
    normals: np.ndarray
    offsets: np.ndarray

    def equations(self, frame: int, pelvis: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows (S, N, R + 3), residuals (S, N), variances (S, N) of a frame's distances from its rays, in metres."""
        view, count = self.view.rows(slice(frame, frame + 1)), len(self.means)
        seen = view.seen[0]
        normals = self.normals[frame, seen]
        offsets = self.offsets[frame, seen] - normals @ pelvis
        noise = view.distances(np.broadcast_to(pelvis, (1, view.joints.shape[1], 3)))[1][0, seen]
        residual = offsets - (normals @ self.means[:, seen, :, None])[..., 0]
        pose = normals @ self.factors[:, seen]
        rows = np.concatenate([pose, np.broadcast_to(normals, (count, *normals.shape))], axis=-1)
        variance = np.repeat((_NOISE * noise) ** 2 + self.rest[:, seen], 2, axis=1)
        return rows.reshape(count, -1, rows.shape[-1]), residual.reshape(count, -1), variance


@dataclass(frozen=True)
class RayPosterior:
    """What each component has become in each frame: its z (F, S, R), pelvis (F, S, 3) in metres, cost (F, S).

    The cost is minus the log likelihood. Poses themselves would take a gigabyte in a take of ten minutes.
    """

    mixture: UsualPoses
    z: np.ndarray
    pelvis: np.ndarray
    costs: np.ndarray

    def poses(self, frame: int) -> np.ndarray:
        """Poses (S, J, 3) about their pelvis in one frame, metres."""
        means, factors = self.mixture.means, self.mixture.factors
        moved = factors.reshape(len(factors), -1, factors.shape[-1]) @ self.z[frame, ..., None]
        return means + moved.reshape(means.shape)


def load_usual_poses(folder: Path | None = None) -> UsualPoses:
    """The bundled mixture; raises PriorError."""
    path = (folder or bundled_models_dir()) / FILE
    try:
        with np.load(path) as file:
            return UsualPoses(*(file[name].astype(float) for name in ("means", "factors", "rest")))
    except (OSError, ValueError, KeyError) as error:
        raise PriorError(f"{path}: the usual poses cannot be read ({error!r}): install the extension again.") from error


@functools.cache
def usual_poses() -> UsualPoses:
    """The bundled mixture, read once."""
    return load_usual_poses()
