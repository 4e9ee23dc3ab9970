"""Filmed frames, each by itself, through the pose prior: the paper's Algorithm 1 with its eq. 8, as published.

Kept beside the estimate of takes for what it is: the reference. Where the pelvis's path is not known, it is solved for
from each pose, starting at the guess that usual poses give.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from ..diffusion.dps import Guidance, noise_aware_guidance
from ..diffusion.prior import Prior
from ..diffusion.projection import Projection, start_on_rays
from ..diffusion.rays import View
from ..diffusion.sampler import SAMPLERS
from ..diffusion.schedule import karras_schedule
from .estimate_start import first_guess
from .estimate_takes import Asked
from .running import OnStep

DEFAULT_SAMPLER = "dps"
DEFAULT_STEPS = {"dps": 60, "prox": 30}
START_METRES, END_METRES = 0.3, 0.005  # noise levels; eq. 8 is a start with noise of about a limb's depth
_PRIOR_ERROR_FACTOR = 2.0  # as in tasks/frames.py


def sample(
    views: Sequence[View],
    asked: Asked,
    prior: Prior,
    rng: np.random.Generator,
    is_drawn: bool = False,
    on_step: OnStep | None = None,
    guidance: Guidance | None = None,
) -> np.ndarray:
    """Positions (F, J, 3) in the model's metres; is_drawn makes no difference, for every sample is drawn.

    Of asked.start only the pelvis counts: where poses begin is the paper's eq. 8. guidance: of dps, the paper's rho_t;
    None: the one that knows the noise.
    """
    pelvis = _first_pelvis(views, asked)
    operator = Projection(views, pelvis, asked.pelvis is not None)
    steps = asked.steps or DEFAULT_STEPS[asked.sampler]
    schedule = karras_schedule(steps, START_METRES, END_METRES, unit=prior.unit)
    sampler = functools.partial(SAMPLERS[asked.sampler], **_options(asked.sampler, views, prior, guidance))
    start = start_on_rays(views[0], pelvis)
    fit = sampler(prior, operator, operator.measured, schedule, rng, start=start, on_step=on_step)
    return fit.positions_world


def _first_pelvis(views: Sequence[View], asked: Asked) -> np.ndarray:
    """Its path (F, 3) where it is known; else that of the start, or of a first guess."""
    if asked.pelvis is not None:
        return asked.pelvis
    return (first_guess(views) if asked.start is None else asked.start)[:, 0]


def _options(sampler: str, views: Sequence[View], prior: Prior, guidance: Guidance | None) -> dict:
    if sampler == "prox":
        return {"denoiser_error": prior.error(_PRIOR_ERROR_FACTOR)}
    if guidance is not None:
        return {"guidance": guidance}
    squared, error = np.square(np.concatenate([view.joints for view in views])), prior.error()

    def keypoint_error(sigma: float) -> np.ndarray:
        return np.sqrt(squared @ np.broadcast_to(np.square(error(sigma)), squared.shape[1:]))

    return {"guidance": noise_aware_guidance(keypoint_error, c=2.0)}
