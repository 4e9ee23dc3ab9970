"""Complete Pose: the rest of a pose of which joints are given, on the model skeleton. On a rig: tasks/rig_poses.py."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..core.skeleton import MODEL
from ..diffusion.measurement import PoseFit, UnknownPelvis
from ..diffusion.prior import Prior
from ..diffusion.prox import sample_prox
from ..diffusion.schedule import karras_schedule

STEPS, START_METRES, END_METRES = 40, 1.0, 0.004  # noise levels: beyond what is in question, and below what shows
PIN_METRES = 0.001  # noise of a given joint, for the sake of the arithmetic
# What other seeds leave open down to here, they settle for; by a script on 24 validation poses, of 0.2, 0.1 and 0.05 m
# the best of five answers for hidden limbs is best with the last.
SETTLE_METRES = 0.05
_ROUNDS = 6  # of moving joints to where bones have their lengths, at each step of the sampler
_LENGTHS = np.linalg.norm(MODEL.offsets, axis=-1)[1:, None]
_BONES = np.eye(len(MODEL))[1:] - np.eye(len(MODEL))[list(MODEL.parents[1:])]  # (J - 1, J): end less start
_BONES_AT = np.abs(_BONES).sum(axis=0)[:, None]  # (J, 1): how many meet there


@dataclass(frozen=True)
class PinnedBody(UnknownPelvis):
    """Joints that are given, infinite sigma elsewhere, of a body whose bones have the model's lengths."""

    def proximal(
        self,
        x_hat: np.ndarray,
        y: np.ndarray,
        prior_variance: float | np.ndarray,
        rng: np.random.Generator | None = None,
    ) -> PoseFit:
        """As UnknownPelvis has it; then the hidden joints give way until bones have their lengths."""
        fit = super().proximal(x_hat, y, prior_variance, rng)
        pose = with_lengths(fit.pose, np.broadcast_to(np.isinf(self.sigma), fit.pose.shape[:2]))
        return replace(fit, pose=pose - pose[:, :1], pelvis=fit.pelvis + pose[:, 0])


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
    steps: int = STEPS,
    start: np.ndarray | None = None,
    start_metres: float = START_METRES,
) -> np.ndarray:
    """Poses (N, J, 3) of which the given joints (J,) or (N, J) stay where they are, and the rest is the prior's.

    positions (N, J, 3), of hidden joints any numbers. The pelvis need not be given: it is solved for. Seed 0 gives the
    calmest answer, near the mean of all, others draw one of them.
    start: poses (N, J, 3) to begin at, under noise of start_metres, near which the answers stay; None = noise alone.
    """
    body = PinnedBody(np.where(np.broadcast_to(given, positions.shape[:2]), PIN_METRES, np.inf))
    fit = sample_prox(
        prior,
        body,
        positions,
        karras_schedule(steps, start_metres, END_METRES, unit=prior.unit),
        np.random.default_rng(seed),
        start=None if start is None else start - start[:, :1],
        denoiser_error=prior.error(),
        randomised=seed > 0,
        settle_below=SETTLE_METRES if seed else np.inf,
    )
    return fit.positions_world
