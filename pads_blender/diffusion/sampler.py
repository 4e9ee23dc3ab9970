"""The posterior samplers by name. A new one is a function with PosteriorSampler's arguments and a line in SAMPLERS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from .dps import sample_dps
from .measurement import MeasurementOperator, PoseFit
from .prior import Prior
from .prox import sample_prox
from .schedule import NoiseSchedule


class PosteriorSampler(Protocol):
    """What every sampler takes; its own options are keywords with defaults, set by functools.partial."""

    def __call__(
        self,
        prior: Prior,
        operator: MeasurementOperator,
        y: np.ndarray,
        schedule: NoiseSchedule,
        rng: np.random.Generator,
        *,
        start: np.ndarray | None = None,
        on_step: Callable[[int, int], None] | None = None,
    ) -> PoseFit:
        """Poses that the measurement y (B, J, K) and the prior agree on."""
        ...


SAMPLERS: dict[str, PosteriorSampler] = {
    "dps": sample_dps,
    "prox": sample_prox,
}
