"""A take through the pose prior, which knows no time: frames coupled by their second differences inside the sampler."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from ..diffusion.dps import noise_aware_guidance
from ..diffusion.measurement import UnknownPelvis
from ..diffusion.prior import Prior
from ..diffusion.sampler import SAMPLERS
from ..diffusion.schedule import karras_schedule
from . import temporal
from .complete import fill_noise
from .evidence import Evidence, Reconstruction, SamplerSettings
from .running import OnStep

# How far the prior's error is shared by joints, and how freely a path that the prior keeps in shape may bend: the
# better of 1 and 2, and of 1 and 1.5, on ten validation clips with an early export; not tuned again since.
PRIOR_ERROR_FACTOR = 2.0
COUPLING = 1.5
DEFAULT_STEPS = 5
_LOWEST_LEVEL = 0.002  # metres: below it the prior only returns what it is given
SAMPLER_OPTIONS: dict[str, Callable[[Prior], dict]] = {
    "prox": lambda prior: {"denoiser_error": prior.error(PRIOR_ERROR_FACTOR)},
    "dps": lambda prior: {"guidance": noise_aware_guidance(prior.error(), c=2.0)},
}


def reconstruct(evidence: Evidence, settings: SamplerSettings, prior: Prior, on_step: OnStep | None) -> Reconstruction:
    """Positions (F, J, 3) by the chosen sampler, started at the smoothed take with about its own error as noise.

    A joint that is hidden or popped is measured by its classical fill, as well as such a fill is usually worth.
    """
    noise, smoothed = evidence.joint_noise, evidence.smoothed
    astray = np.linalg.norm(evidence.measured - smoothed, axis=-1) > evidence.tolerance
    lost = evidence.hidden | evidence.suspect & astray | evidence.apart
    sigma = np.where(lost, fill_noise(lost, evidence.fps) + noise, evidence.noise)
    measured = np.where((lost & ~evidence.hidden)[..., None], smoothed, evidence.measured)
    operator = UnknownPelvis(sigma, COUPLING * temporal.local_curvature(smoothed, noise))
    level = float(np.median(noise))
    steps = settings.steps or DEFAULT_STEPS
    schedule = karras_schedule(steps, level, min(_LOWEST_LEVEL, 0.3 * level), unit=prior.unit)
    sampler = functools.partial(SAMPLERS[settings.sampler], **SAMPLER_OPTIONS[settings.sampler](prior))
    rng = np.random.default_rng(settings.seed)
    start = smoothed - smoothed[:, :1]
    fit = sampler(prior, operator, measured, schedule, rng, start=start, on_step=on_step)
    return Reconstruction(np.where(evidence.apart[..., None], evidence.measured, fit.positions_world))
