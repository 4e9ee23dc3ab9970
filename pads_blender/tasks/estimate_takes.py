"""A filmed take through the motion prior: denoise, move onto the rays, add noise, at falling noise levels.

A camera measures across its rays and hardly along them, which no noise map of the prior can say. So the two take turns:
the prior looks at the take at one noise level for all joints (a motion at that distance from the truth), then every
frame is fitted to its rays in closed form, joints together as poses err: DiffPIR (Zhu et al. 2023) with the projection
made linear at the last depths. Depth, path and pose are solved together, and no gradient is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..core.skeleton import MODEL
from ..diffusion.rays import View, exchange_sides
from . import temporal
from .estimate_errors import PoseErrors
from .estimate_paths import at_every_frame, likely_start, without_jumps
from .noise import estimate_noise
from .running import OnStep
from .windows import MotionPrior, denoise_windows, frames_per_step, thin_out

DEFAULT_STEPS = 12
# The prior's rms error per coordinate at 0.1 m of noise, and how it grows with the level; measured on validation takes.
_ERROR_METRES, _ERROR_POWER = 0.015, 0.7
_SIDES_BELOW = 0.2  # metres: from this level on left and right are told apart
_POLISH = 3.0


@dataclass(frozen=True)
class Descent:
    """How the noise falls; settings by `python -m pads_blender.training.estimate_tuning`, on validation takes.

    widest, finest: noise levels in metres. error_factor: errors that frames share weigh more than those of independent
    noise. body_share: what the body as a whole errs by, in errors of one joint. fresh_noise, of each level: between
    none, a descent, and all, a sample; drawn_noise: of other hypotheses, which are to differ as errors do.
    """

    widest: float = 0.2
    finest: float = 0.008
    error_factor: float = 8.0
    body_share: float = 1.0
    fresh_noise: float = 0.1
    drawn_noise: float = 1.0

    @property
    def drawn(self) -> Descent:
        """That of another hypothesis than the likeliest."""
        return replace(self, fresh_noise=self.drawn_noise)

    def prior_error(self, level: float) -> float:
        """Metres per coordinate by which the denoised take may be off at a noise level."""
        return self.error_factor * _ERROR_METRES * (level / 0.1) ** _ERROR_POWER


@dataclass(frozen=True)
class Asked:
    """What is asked of a sampler of takes: frame rate, the pelvis's path (F, 3) in model metres or None, steps.

    sampler: by which poses are drawn one by one (estimate_poses.py); a take has a way of its own.
    start (F, J, 3): world positions in model metres to begin at; None: the sampler finds its own.
    """

    fps: float
    pelvis: np.ndarray | None = None
    sampler: str = "dps"
    steps: int | None = None
    descent: Descent = Descent()
    start: np.ndarray | None = None


def sample(
    views: Sequence[View],
    asked: Asked,
    prior: MotionPrior,
    rng: np.random.Generator,
    is_drawn: bool = False,
    on_step: OnStep | None = None,
) -> np.ndarray:
    """Positions (F, J, 3) in the model's metres; is_drawn: another hypothesis than the likeliest."""
    step = frames_per_step(asked.fps)
    slow, middle = zip(*[_thinned(view, step) for view in views], strict=True)
    rows = np.round(middle[0]).astype(int)
    pelvis = None if asked.pelvis is None else asked.pelvis[rows]
    guess = likely_start(slow, pelvis, rng if is_drawn else None) if asked.start is None else asked.start[rows]
    steady = [without_jumps(view, guess[:, :1]) for view in slow]
    descent = asked.descent.drawn if is_drawn else asked.descent
    found = _descend(steady, guess, replace(asked, pelvis=pelvis, descent=descent), prior, rng, on_step)
    found = _polished(found)
    return found if step == 1 else at_every_frame(found, middle[0], len(views[0].points))


def _descend(
    views: Sequence[View],
    guess: np.ndarray,
    asked: Asked,
    prior: MotionPrior,
    rng: np.random.Generator,
    on_step: OnStep | None,
) -> np.ndarray:
    descent, pelvis, steps = asked.descent, asked.pelvis, asked.steps or DEFAULT_STEPS
    x, errors = _placed(guess, pelvis), PoseErrors.about(guess)
    for number, level in enumerate(np.geomspace(descent.widest, descent.finest, steps), start=1):
        noisy = x + descent.fresh_noise * level * rng.standard_normal(x.shape)
        expected = _placed(
            denoise_windows(prior, noisy, np.full(x.shape[:2], level), int(rng.integers(1 << 16))), pelvis
        )
        error = descent.prior_error(level)
        body = descent.body_share * error if pelvis is None else 0.0
        variance = np.full(len(MODEL), error**2)
        sided = [exchange_sides(v, expected, variance) for v in views] if level < _SIDES_BELOW else views
        x = _placed(errors.fit(sided, expected, level, error, body), pelvis)
        if on_step:
            on_step(number, steps)
    return x


def _placed(positions: np.ndarray, pelvis: np.ndarray | None) -> np.ndarray:
    """Positions (F, J, 3) moved so that their pelvis is where it is known to be."""
    return positions if pelvis is None else positions + (pelvis - positions[:, 0])[:, None]


def _polished(positions: np.ndarray) -> np.ndarray:
    """Without the white noise that the last steps leave from frame to frame."""
    everywhere = np.ones(positions.shape[:2])
    return temporal.smooth(positions, everywhere, _POLISH * estimate_noise(positions, everywhere > 0))


def _thinned(view: View, step: int) -> tuple[View, np.ndarray]:
    """Every `step` frames as one, and the middle of each: points are averaged as their noise says."""
    if step == 1:
        return view, np.arange(float(len(view.points)))
    points, precision, middle = thin_out(view.points, 1.0 / view.sigma**2, step)
    with np.errstate(divide="ignore"):
        sigma = 1.0 / np.sqrt(precision)
    return View(view.camera.rows(np.round(middle).astype(int)), points, sigma, view.layout), middle
