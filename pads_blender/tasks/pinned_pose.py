"""Complete Pose: the rest of a pose of which joints are given, on the model skeleton. On a rig: tasks/rig_poses.py."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..core.heading import headings, turned, turned_covariances, turning
from ..core.skeleton import MODEL
from ..diffusion.measurement import PoseFit, UnknownPelvis, measured_values, per_joint, seen, weighted_mean
from ..diffusion.prior import Prior
from ..diffusion.prox import sample_prox
from ..diffusion.schedule import karras_schedule
from ..diffusion.usual_poses import usual_poses

PIN_METRES = 0.001  # noise of a given joint, for the sake of the arithmetic
_MOVES = (np.arange(3 * len(MODEL)) >= 3).astype(float)  # coordinates but the pelvis's
_ANYWHERE = np.tile(10.0**2 * np.eye(3), (len(MODEL),) * 2)  # square metres: a body may stand where its pins say
_LEAST_VARIANCE = 1e-10  # square metres, for the sake of the arithmetic
_LLOYD_ROUNDS = 10
_LAST_ROUNDS = 20  # of giving way, for answers that are means
_ROUNDS = 6  # of moving joints to where bones have their lengths, at each step of the sampler
_LENGTHS = np.linalg.norm(MODEL.offsets, axis=-1)[1:, None]
_BONES = np.eye(len(MODEL))[1:] - np.eye(len(MODEL))[list(MODEL.parents[1:])]  # (J - 1, J): end less start
_BONES_AT = np.abs(_BONES).sum(axis=0)[:, None]  # (J, 1): how many meet there


@dataclass(frozen=True)
class Descent:
    """How answers come down from noise; `evaluate pins` (training/pin_study.py) tries others on validation poses.

    In so many steps from start_metres, beyond what is in question, to end_metres, below what shows. settle_metres: what
    seeds but 0 leave open down to here, they settle for. alone: share of the variance in which each coordinate errs by
    itself. turn_metres: the heading, which usual poses leave out, errs by the noise level over this many metres, in
    radians, at most one. draws: for each answer but the calmest, where several are asked for.
    """

    steps: int = 28
    start_metres: float = 1.0
    end_metres: float = 0.002
    settle_metres: float = 0.05
    alone: float = 0.05
    turn_metres: float = 0.55
    draws: int = 4


@dataclass(frozen=True)
class PinnedBody(UnknownPelvis):
    """Joints that are given, infinite sigma elsewhere, of a body whose bones have the model's lengths.

    levels, errors (N,): noise levels, falling, and what the prior's answers err by there, metres. Joints err together
    as those of usual poses do, so that what is given moves what is hidden, as DPS's gradient through a denoiser would:
    moment matching (Rozet et al. 2024) with the covariance of a mixture, which has it in closed form.
    """

    levels: np.ndarray = field(kw_only=True)
    errors: np.ndarray = field(kw_only=True)
    descent: Descent = field(default=Descent(), kw_only=True)

    def proximal(
        self,
        x_hat: np.ndarray,
        y: np.ndarray,
        prior_variance: float | np.ndarray,
        rng: np.random.Generator | None = None,
    ) -> PoseFit:
        """As UnknownPelvis has it, joints together; then hidden ones give way until bones have their lengths."""
        precision = self._precision(x_hat)
        given, relative = seen(precision), x_hat - x_hat[:, :1]
        covariance = self._covariance(relative, float(np.mean(per_joint(prior_variance, x_hat)[:, 1:])))
        world = (
            relative + weighted_mean(measured_values(y, precision) - np.where(given, relative, 0.0), precision)[:, None]
        )
        if rng is not None:
            world = world + _drawn(covariance, rng).reshape(world.shape)
        left = np.where(given, measured_values(y, precision) - world, 0.0)
        if rng is not None:
            left = left + PIN_METRES * np.where(given, rng.standard_normal(left.shape), 0.0)
        world = with_lengths(world + _explained(covariance + _ANYWHERE, left, precision), ~given[..., 0])
        return PoseFit(world - world[:, :1], world[:, 0], given[..., 0].astype(float))

    def _covariance(self, poses: np.ndarray, variance: float) -> np.ndarray:
        """Of what the prior's answers, poses (N, J, 3) about the pelvis, err by: (N, 3 J, 3 J), none at the pelvis."""
        level = np.interp(np.sqrt(variance), self.errors[::-1], self.levels[::-1])
        yaw = headings(poses)
        spread = turned_covariances(usual_poses().spread(turned(poses, -yaw), level), yaw)
        mean = np.trace(spread, axis1=1, axis2=2)[:, None, None] / np.count_nonzero(_MOVES)
        alone = self.descent.alone
        together = (1.0 - alone) * spread / mean + alone * np.eye(len(_MOVES))
        turn = min(level / self.descent.turn_metres, 1.0) * turning(poses).reshape(len(poses), len(_MOVES), 1)
        return variance * together * _MOVES * _MOVES[:, None] + turn @ turn.swapaxes(1, 2)


def _drawn(covariance: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Errors (N, D) of these covariances (N, D, D)."""
    root = np.linalg.cholesky(covariance + _LEAST_VARIANCE * np.eye(covariance.shape[-1]))
    return (root @ rng.standard_normal((*covariance.shape[:2], 1)))[..., 0]


def _explained(covariance: np.ndarray, left: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """What joints most likely err by (N, J, 3), of covariances (N, 3 J, 3 J), where those that are given miss by left.

    left (N, J, 3) is zero where nothing is given, and so is the precision (N, J).
    """
    count, size = covariance.shape[:2]
    given = np.repeat(precision > 0, 3, axis=1)
    noise = np.repeat(1.0 / np.where(precision > 0, precision, 1.0), 3, axis=1)
    system = np.where(given[:, :, None] & given[:, None], covariance, 0.0) + noise[..., None] * np.eye(size)
    return (covariance @ np.linalg.solve(system, left.reshape(count, size, 1))).reshape(left.shape)


def with_lengths(poses: np.ndarray, free: np.ndarray, rounds: int = _ROUNDS) -> np.ndarray:
    """Poses (N, J, 3) whose free joints (N, J) have moved so that bones are nearer to the model's lengths.

    Position based dynamics (Mueller et al. 2007) with all bones at a time, each joint going the mean of their ways.
    """
    movable = free[..., None].astype(float)
    ends = np.maximum(np.abs(_BONES) @ movable, 1.0)
    for _ in range(rounds):
        bones = _BONES @ poses
        length = np.maximum(np.linalg.norm(bones, axis=-1, keepdims=True), 1e-9)
        poses = poses - movable / _BONES_AT * (_BONES.T @ ((1.0 - _LENGTHS / length) / ends * bones))
    return poses


def complete_pose(
    positions: np.ndarray,
    given: np.ndarray,
    prior: Prior,
    seed: int = 0,
    start: np.ndarray | None = None,
    descent: Descent = Descent(),
) -> np.ndarray:
    """Poses (N, J, 3) of which the given joints (J,) or (N, J) stay where they are, and the rest is the prior's.

    positions (N, J, 3), of hidden joints any numbers. The pelvis need not be given: it is solved for. Seed 0 gives the
    calmest answer, near the mean of all, others draw one of them.
    start: poses (N, J, 3) to begin at, under the descent's first noise, near which answers stay; None: noise alone.
    """
    schedule = karras_schedule(descent.steps, descent.start_metres, descent.end_metres, unit=prior.unit)
    error = prior.error()
    errors = np.array([np.sqrt(np.mean(np.square(error(float(sigma))))) for sigma in schedule.sigmas])
    pins = np.where(np.broadcast_to(given, positions.shape[:2]), PIN_METRES, np.inf)
    body = PinnedBody(pins, levels=schedule.sigmas, errors=errors, descent=descent)
    fit = sample_prox(
        prior,
        body,
        positions,
        schedule,
        np.random.default_rng(seed),
        start=None if start is None else start - start[:, :1],
        denoiser_error=error,
        randomised=seed > 0,
        settle_below=descent.settle_metres if seed else np.inf,
    )
    return fit.positions_world


def complete_poses(
    positions: np.ndarray, given: np.ndarray, prior: Prior, count: int, seed: int = 0, descent: Descent = Descent()
) -> np.ndarray:
    """So many answers (count, N, J, 3) to each pose that differ: the calmest, then others, those of most draws first.

    Others are the centres of groups of draws, a few to each: as far apart as the draws are, without their accidents.
    """
    calmest = complete_pose(positions, given, prior, descent=descent)[None]
    if count == 1:
        return calmest
    tiled = np.tile(positions, ((count - 1) * descent.draws, 1, 1))
    visible = np.tile(np.broadcast_to(given, positions.shape[:2]), ((count - 1) * descent.draws, 1))
    draws = complete_pose(tiled, visible, prior, seed + 1, descent=descent).reshape(-1, *positions.shape)
    centres = np.stack([_centres(each, count - 1) for each in np.moveaxis(draws, 1, 0)], axis=1)
    hidden = np.broadcast_to(~visible[: len(positions)], centres.shape[:3]).reshape(-1, positions.shape[1])
    whole = with_lengths(centres.reshape(-1, *positions.shape[1:]), hidden, _LAST_ROUNDS)
    return np.concatenate([calmest, whole.reshape(centres.shape)])


def _centres(draws: np.ndarray, count: int) -> np.ndarray:
    """Means (count, J, 3) of groups of draws (D, J, 3) that are like each other, the largest first: k-means (Lloyd)."""
    flat = draws.reshape(len(draws), -1)
    centres = flat[:count]
    for _ in range(_LLOYD_ROUNDS):
        nearest = np.argmin(np.sum((flat[:, None] - centres) ** 2, axis=-1), axis=1)
        members = nearest == np.arange(count)[:, None]
        sizes = members.sum(axis=1)[:, None]
        centres = np.where(sizes > 0, members @ flat / np.maximum(sizes, 1), centres)
    order = np.argsort(-sizes[:, 0], kind="stable")
    return centres[order].reshape(count, *draws.shape[1:])
