"""Poses from the rays of their keypoints, in closed form: what a projection measures, linear once depths are known.

A keypoint's residual in pixels, times its depth over the focal length, is its distance from the ray in metres. With the
depth of the last look that is linear in positions, so that several cameras, noise in pixels and a Gaussian prior make
one small least-squares problem for each frame. Knows nothing of priors or sampling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..core.camera import NEAREST_METRES, Camera
from ..core.keypoints import KeypointLayout

NU = 4.0  # degrees of freedom of Student's t: detections may be plain wrong
SURE_OF_SIDES = 6.0  # by so much of log likelihood the other order of left and right must be better to be taken
# Of a pose's variance what joints err by independently of how large the pose looks: of 0.1, 0.3 and 1 the best by far
# on the distances of the first guesses of four validation takes.
POSE_SHARE = 0.1
_LOOSE = 1e-4  # per square metre: holds a body that nothing shows near its first guess


@dataclass(frozen=True)
class View:
    """What one camera saw of a take: F frames, K keypoints, each a stated mean of joints.

    points (F, K, 2) pixels, any value where nothing was seen; sigma (F, K) pixels per coordinate, infinite there.
    """

    camera: Camera
    points: np.ndarray
    sigma: np.ndarray
    layout: KeypointLayout

    @property
    def joints(self) -> np.ndarray:
        """Each keypoint as a mean of joints, (K, J)."""
        return self.layout.joints

    def rows(self, chosen: slice | np.ndarray) -> View:
        """Some of its frames."""
        return replace(self, camera=self.camera.rows(chosen), points=self.points[chosen], sigma=self.sigma[chosen])

    @property
    def seen(self) -> np.ndarray:
        """Which keypoints were seen, (F, K)."""
        return np.isfinite(self.sigma)

    def distances(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """From keypoints of positions (F, J, 3) to their rays, and their standard deviation: (F, K, 2), (F, K) metres.

        Both across the viewing axis at the keypoint's depth; zero and infinite where nothing was seen.
        """
        local = self.camera.to_camera(np.einsum("kj,fja->fka", self.joints, positions))
        depth = np.maximum(local[..., 2], NEAREST_METRES)
        flat = self.camera.flat_points(np.where(self.seen[..., None], self.points, 0.0))
        missed = np.where(self.seen[..., None], flat * depth[..., None] - local[..., :2], 0.0)
        return missed, np.hypot(self.sigma * depth / self.camera.focal, self.layout.offset)

    def planes(self) -> tuple[np.ndarray, np.ndarray]:
        """Two planes through each ray: normals (F, K, 2, 3) and offsets (F, K, 2), normal @ p = offset on the ray.

        As steep as that normal @ p - offset is the distance of `distances`.
        """
        flat = self.camera.flat_points(np.where(self.seen[..., None], self.points, 0.0))
        local = np.zeros((*flat.shape, 3))
        local[..., 0, 0] = local[..., 1, 1] = 1.0
        local[..., 2] = -flat
        camera, frames = self.camera, len(flat)
        rotation = camera.rotation if camera.is_moving else np.broadcast_to(camera.rotation, (frames, 3, 3))
        centre = camera.centre if camera.is_moving else np.broadcast_to(camera.centre, (frames, 3))
        normals = np.einsum("fab,fkrb->fkra", rotation, local)
        return normals, np.einsum("fkra,fa->fkr", normals, centre)


def keypoint_weights(view: View, positions: np.ndarray, variance: np.ndarray, nu: float = NU) -> np.ndarray:
    """Student-t weight (F, K) of each keypoint about positions (F, J, 3) of that variance (J,); 0 where not seen."""
    squared = _squared_misses(view, positions, variance)
    return np.where(view.seen, (1.0 + 2.0 / nu) / (1.0 + squared / nu), 0.0)


def keypoint_information(
    views: Sequence[View], positions: np.ndarray, variance: np.ndarray, nu: float = NU, is_pose_given: bool = True
) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each view, matrices (F, K, 3, 3) and vectors (F, K, 3): p^T M p - 2 v^T p is the cost of keypoint p.

    Depths, and the weights of outliers, are those of positions (F, J, 3) with variance (J,), which counts as noise of
    the keypoints where the pose is not given.
    """
    result = []
    for view in views:
        noise = np.where(view.seen, view.distances(positions)[1], 1.0) ** 2
        noise = noise if is_pose_given else noise + np.square(view.joints) @ variance
        precision = keypoint_weights(view, positions, variance, nu) / noise
        normals, offsets = view.planes()
        weighted = precision[..., None, None] * normals
        result.append((np.swapaxes(weighted, -1, -2) @ normals, np.einsum("fkra,fkr->fka", weighted, offsets)))
    return result


def joint_information(
    views: Sequence[View], each: list[tuple[np.ndarray, np.ndarray]]
) -> tuple[np.ndarray, np.ndarray]:
    """The same for all joints together: matrices (F, 3 J, 3 J), vectors (F, 3 J), summed over keypoints and views."""
    frames, joints = len(views[0].points), views[0].joints.shape[1]
    matrix, vector = np.zeros((frames, joints, joints, 3, 3)), np.zeros((frames, joints, 3))
    for view, (single, pull) in zip(views, each, strict=True):
        pairs = np.einsum("ki,kj->ijk", view.joints, view.joints)
        i, j = np.nonzero(pairs.any(axis=-1))
        flat = single.reshape(frames, single.shape[1], 9)
        matrix[:, i, j] += (pairs[i, j] @ flat).reshape(frames, len(i), 3, 3)
        vector += np.swapaxes(view.joints, 0, 1) @ pull
    size = 3 * joints
    return np.swapaxes(matrix, 2, 3).reshape(frames, size, size), vector.reshape(frames, size)


@dataclass(frozen=True)
class RayFit:
    """Positions (F, J, 3) nearest to rays and prior together; moved (F, 3): by how much the whole body moved."""

    positions: np.ndarray
    moved: np.ndarray


def fit_rays(
    views: Sequence[View],
    prior: np.ndarray,
    sigma: np.ndarray,
    body_sigma: float,
    nu: float = NU,
) -> RayFit:
    """The most probable positions (F, J, 3) when each joint is the prior's but for its own error and the body's.

    prior (F, J, 3) also gives depths and weights; sigma (J,) metres per coordinate of each joint by itself; body_sigma,
    metres: of what all joints of a frame err together.
    """
    frames, joints = prior.shape[:2]
    information, pull = joint_information(views, keypoint_information(views, prior, sigma**2, nu))
    precision = np.repeat(1.0 / sigma**2, 3)
    left = pull - (information @ prior.reshape(frames, 3 * joints, 1))[..., 0]
    together = np.tile(np.eye(3), (joints, 1))
    right = np.concatenate(
        [left[..., None], np.broadcast_to(precision[:, None] * together, (frames, 3 * joints, 3))], -1
    )
    solved = np.linalg.solve(information + np.diag(precision), right)
    stiffness = together.T @ (precision[:, None] * together - precision[:, None] * solved[..., 1:])
    pulled = np.einsum("ia,fi->fa", precision[:, None] * together, solved[..., 0])
    moved = np.linalg.solve(stiffness + np.eye(3) / body_sigma**2, pulled[..., None])
    change = solved[..., 0] + (solved[..., 1:] @ moved)[..., 0]
    return RayFit(prior + change.reshape(frames, joints, 3), moved[..., 0])


def fit_together(
    views: Sequence[View],
    prior: np.ndarray,
    covariance: np.ndarray,
    variance: np.ndarray,
    beside: tuple[np.ndarray | float, np.ndarray | float] = (0.0, 0.0),
    nu: float = NU,
) -> np.ndarray:
    """The most probable positions (F, J, 3) when joints err together: prior (F, J, 3), covariance (F, 3 J, 3 J).

    The prior also gives depths and, with variance (J,), the weights of outliers; beside: a matrix (F, 3 J, 3 J) and a
    vector (F, 3 J) of what else is known, as of joint_information. What is seen of one joint moves others, and what is
    seen across a ray moves depths.
    """
    frames, size = len(prior), 3 * prior.shape[1]
    seen = joint_information(views, keypoint_information(views, prior, variance, nu))
    information, pull = (each + known for each, known in zip(seen, beside, strict=True))
    left = pull[..., None] - information @ prior.reshape(frames, size, 1)
    change = np.linalg.solve(np.eye(size) + covariance @ information, covariance @ left)
    return prior + change.reshape(prior.shape)


def depth_pull(views: Sequence[View], positions: np.ndarray, variance: np.ndarray, nu: float = NU) -> np.ndarray:
    """By what (F, 3) a body at positions (F, J, 3) is pulled away from the cameras: v of a cost p^T M p - 2 v^T p.

    Pixels were measured, not metres. The nearer a body of uncertain pose is taken to be, the wider its keypoints
    scatter in pixels; without this term of their density, which metres lack, every such body would count as too near.
    """
    total = np.zeros((len(positions), 3))
    for view in views:
        local = view.camera.to_camera(np.einsum("kj,fja->fka", view.joints, positions))
        spread = np.square(view.joints) @ variance
        share = spread / (spread + np.where(view.seen, view.distances(positions)[1], np.inf) ** 2)
        weight = keypoint_weights(view, positions, variance, nu)
        length = np.sum(2.0 * weight * share / np.maximum(local[..., 2], NEAREST_METRES), axis=1)
        total += length[:, None] * view.camera.rotation[..., 2]
    return POSE_SHARE * total


def fit_pelvis(
    views: Sequence[View], pose: np.ndarray, pelvis: np.ndarray, variance: np.ndarray, nu: float = NU, rounds: int = 4
) -> np.ndarray:
    """Where poses (F, J, 3) about their pelvis stand, (F, 3), so that their keypoints lie on the rays; metres.

    pelvis (F, 3): a first guess, from which only depths and weights are taken; variance (J,) of the pose. The first
    round takes every keypoint for right.
    """
    for number in range(rounds):
        each = keypoint_information(
            views, pose + pelvis[:, None], variance, nu if number else np.inf, is_pose_given=False
        )
        matrix, vector = np.full((len(pose), 3, 3), _LOOSE) * np.eye(3), _LOOSE * pelvis
        for view, (single, pull) in zip(views, each, strict=True):
            matrix = matrix + single.sum(axis=1)
            keypoints = np.einsum("kj,fja->fka", view.joints, pose)
            vector = vector + (pull - np.einsum("fkab,fkb->fka", single, keypoints)).sum(axis=1)
        vector = vector + depth_pull(views, pose + pelvis[:, None], variance, nu if number else np.inf)
        pelvis = np.linalg.solve(matrix, vector[..., None])[..., 0]
    return pelvis


def keypoint_costs(view: View, positions: np.ndarray, variance: np.ndarray, nu: float = NU) -> np.ndarray:
    """Minus the log likelihood (F, K) of keypoints about positions (F, J, 3) of that variance (J,), but for a constant.

    Student's t, in pixels: an outlier costs little more than a bad fit. 0 where nothing was seen.
    """
    local = view.camera.to_camera(np.einsum("kj,fja->fka", view.joints, positions))
    pixels = view.camera.focal / np.maximum(local[..., 2], NEAREST_METRES)
    spread = np.where(view.seen, view.distances(positions)[1] ** 2, 1.0) + np.square(view.joints) @ variance
    cost = 0.5 * (nu + 2.0) * np.log1p(_squared_misses(view, positions, variance) / nu) + np.log(spread * pixels**2)
    return np.where(view.seen, cost, 0.0)


def misfit(views: Sequence[View], positions: np.ndarray, variance: np.ndarray, nu: float = NU) -> np.ndarray:
    """The same summed over keypoints and views, (F,)."""
    return sum(keypoint_costs(view, positions, variance, nu).sum(axis=1) for view in views)


def exchange_sides(view: View, positions: np.ndarray, variance: np.ndarray) -> View:
    """The view with left and right exchanged where positions (F, J, 3) of that variance (J,) say they were confused.

    Arms, legs and head each as a whole.
    """
    points, sigma, sides = view.points.copy(), view.sigma.copy(), view.layout.sides
    other = replace(view, points=view.points[:, sides], sigma=view.sigma[:, sides])
    own, exchanged = (keypoint_costs(v, positions, variance) for v in (view, other))
    for group in view.layout.groups:
        rows = np.ix_(exchanged[:, group].sum(axis=1) + SURE_OF_SIDES < own[:, group].sum(axis=1), group)
        points[rows], sigma[rows] = other.points[rows], other.sigma[rows]
    return replace(view, points=points, sigma=sigma)


def _squared_misses(view: View, positions: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Squared distances (F, K) from the rays in standard deviations; 0 where nothing was seen."""
    missed, sigma = view.distances(positions)
    return np.sum(missed**2, axis=-1) / (sigma**2 + np.square(view.joints) @ variance)
