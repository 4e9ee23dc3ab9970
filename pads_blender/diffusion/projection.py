"""The projection as a measurement operator, for samplers of pelvis-relative poses: the paper's estimation task.

Pixels are counted in metres: K^-1 p times the distance of the pelvis along the view. So noise, guidance scales and the
prior's error share one unit, whatever the lens. Knows nothing of priors or sampling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..core.camera import NEAREST_METRES
from .measurement import PoseFit
from .rays import View, fit_pelvis, fit_rays

_RIDGE = 1e-3  # holds joints without keypoints
_KNOWN, _UNKNOWN = 1e-4, 1e3  # metres that a pelvis which is known, or is not, may move by in a fit


@dataclass(frozen=True)
class Projection:
    """y = K-projection of x + T, for poses x (F, J, 3) about the pelvis; keypoints of several views one after another.

    pelvis (F, 3): T in the world, metres; is_known: or only a first guess, that is solved for with every residual.
    """

    views: Sequence[View]
    pelvis: np.ndarray
    is_known: bool = True

    @property
    def measured(self) -> np.ndarray:
        """y (F, K, 2)."""
        return np.concatenate([self._scale(v) * v.camera.flat_points(v.points) for v in self.views], axis=1)

    @property
    def noise_variance(self) -> np.ndarray:
        """Per coordinate of each keypoint, (F, K); infinite where nothing was seen."""
        parts = [np.square(self._scale(v)[..., 0] * v.sigma / v.camera.focal) + v.layout.offset**2 for v in self.views]
        return np.concatenate(parts, axis=1)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """f(x) at this pelvis, zero where nothing was seen: (F, J, 3) -> (F, K, 2)."""
        return np.concatenate([self._project(view, x, self.pelvis) for view in self.views], axis=1)

    def residual(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """y - f(x) at the pelvis that fits best where it is not known, zero where nothing was seen: (F, K, 2)."""
        moved = replace(self, pelvis=self.stand(x), is_known=True)
        projected = np.concatenate([self._project(view, x, moved.pelvis) for view in self.views], axis=1)
        return np.where(self._seen, np.where(self._seen, y, 0.0) - projected, 0.0)

    def vjp(self, x: np.ndarray, cotangent: np.ndarray) -> np.ndarray:
        """(df/dx)^T cotangent at the pelvis that fits best: (F, K, 2) -> (F, J, 3)."""
        result, first, positions = np.zeros_like(x), 0, x + self.stand(x)[:, None]
        for view in self.views:
            part = cotangent[:, first : first + view.points.shape[1]]
            first += view.points.shape[1]
            keypoints = np.einsum("kj,fja->fka", view.joints, positions)
            inverse = np.linalg.inv(view.camera.intrinsics[:2, :2])
            jacobian = self._scale(view)[..., None] * (inverse @ view.camera.jacobian(keypoints))
            pulled = np.einsum("fkra,fkr->fka", jacobian, np.where(view.seen[..., None], part, 0.0))
            result += np.einsum("kj,fka->fja", view.joints, pulled)
        return result

    def proximal(
        self,
        x_hat: np.ndarray,
        y: np.ndarray,
        prior_variance: float | np.ndarray,
        rng: np.random.Generator | None = None,
    ) -> PoseFit:
        """Poses and pelvis nearest to rays and x_hat together, by the views' own keypoints; see rays.fit_rays.

        y is not looked at: it is what the views hold. Samples are not drawn: rng has no effect.
        """
        pelvis, variance = self.stand(x_hat), np.broadcast_to(np.asarray(prior_variance, float), x_hat.shape[1:2])
        weight = np.ones(x_hat.shape[:2])
        if not variance.any():
            return PoseFit(x_hat, pelvis, weight)
        body = _KNOWN if self.is_known else _UNKNOWN
        sigma = np.sqrt(np.maximum(variance, 1e-8))
        fitted = fit_rays(self.views, x_hat + pelvis[:, None], sigma, body).positions
        pelvis = self.pelvis if self.is_known else fitted[:, 0]
        return PoseFit(fitted - pelvis[:, None], pelvis, weight)

    def stand(self, x: np.ndarray) -> np.ndarray:
        """The pelvis (F, 3): as known, or as fits poses (F, J, 3) best."""
        if self.is_known:
            return self.pelvis
        return fit_pelvis(self.views, x, self.pelvis, np.zeros(x.shape[1]))

    @property
    def _seen(self) -> np.ndarray:
        return np.concatenate([view.seen for view in self.views], axis=1)[..., None]

    def _scale(self, view: View) -> np.ndarray:
        """Metres at the pelvis's depth for one of K^-1 p, (F, 1, 1)."""
        depth = view.camera.to_camera(self.pelvis[:, None])[:, 0, 2]
        return np.maximum(depth, NEAREST_METRES)[:, None, None]

    def _project(self, view: View, x: np.ndarray, pelvis: np.ndarray) -> np.ndarray:
        keypoints = np.einsum("kj,fja->fka", view.joints, x + pelvis[:, None])
        flat = view.camera.flat_points(view.camera.project(keypoints))
        return np.where(view.seen[..., None], self._scale(view) * flat, 0.0)


def start_on_rays(view: View, pelvis: np.ndarray) -> np.ndarray:
    """P_init (F, J, 3) of the paper's eq. 8: every keypoint on its ray as far away as the pelvis, about the pelvis.

    Joints of which no keypoint tells lie where the pelvis is.
    """
    centre = np.broadcast_to(view.camera.centre, pelvis.shape)
    away = np.linalg.norm(pelvis - centre, axis=-1)[:, None, None]
    flat = centre[:, None] + away * view.camera.rays(np.where(view.seen[..., None], view.points, 0.0)) - pelvis[:, None]
    weighted = view.seen[..., None] * view.joints
    matrix = np.swapaxes(weighted, 1, 2) @ view.joints + _RIDGE * np.eye(view.joints.shape[1])
    start = np.linalg.solve(matrix, np.swapaxes(weighted, 1, 2) @ flat)
    return start - start[:, :1] if view.joints[:, 0].any() else start
