"""What the motion prior's answer errs by, joints and directions together: the shape of it from usual poses.

The prior says what it expects at a noise level, not how sure it is of what. A mixture of Gaussians of poses has both in
closed form: at that level, where a wrist is off, the elbow is off with it, and more so in depth where the arm may turn.
So what is seen across the rays moves the depths, as DPS's gradient through a denoiser would (compare Song et al. 2023,
pseudoinverse-guided diffusion), without one. Beside that segments are as long as the model's: what is unsure is
expected shorter than it is, and a body that is too small would be taken to stand too near.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.heading import headings, turned_covariances, without_heading
from ..core.skeleton import MODEL
from ..diffusion.rays import View, fit_together
from ..diffusion.usual_poses import usual_poses
from .segments import between, length_information

_NEAR_METRES = 0.1  # by which a start is off its kind of pose
ALONE = 0.2  # share of the variance in which each coordinate errs by itself
# Metres by which segments may be longer or shorter than the model's. The made-up films of the tuning have none of that
# and would take any: of 0.005, 0.01 and 0.02 the first two differ by 1 % there, and people's proportions are not known.
_LENGTH_ERROR = 0.01
_LENGTHS = np.linalg.norm(between(MODEL.rest_positions[None]), axis=-1)
_FRAMES = 256  # at a time: covariances are large


@dataclass(frozen=True)
class PoseErrors:
    """kinds (F,): which usual poses those of a take are like."""

    kinds: np.ndarray

    @classmethod
    def about(cls, positions: np.ndarray) -> PoseErrors:
        """For a take that is roughly at positions (F, J, 3)."""
        return cls(usual_poses().nearest(without_heading(positions - positions[:, :1]), _NEAR_METRES))

    def fit(
        self, views: Sequence[View], expected: np.ndarray, level: float, error: float, body_error: float
    ) -> np.ndarray:
        """Positions (F, J, 3) nearest to the rays, the model's lengths and what the prior expects at a noise level.

        error: rms per coordinate in metres of its answer; body_error: of all joints of a frame alike, beside
        that; 0 where the pelvis is known.
        """
        shapes, variance = error**2 * usual_poses().error_shapes(level, ALONE), np.full(len(MODEL), error**2)
        together = body_error**2 * np.tile(np.eye(3), (len(MODEL),) * 2)
        parts = []
        for start in range(0, len(expected), _FRAMES):
            rows = slice(start, start + _FRAMES)
            covariance = turned_covariances(shapes[self.kinds[rows]], headings(expected[rows])) + together
            if not body_error:
                covariance[:, :3] = covariance[:, :, :3] = 0.0
            known = length_information(expected[rows], _LENGTHS, _LENGTH_ERROR)
            parts.append(fit_together([view.rows(rows) for view in views], expected[rows], covariance, variance, known))
        return np.concatenate(parts)
