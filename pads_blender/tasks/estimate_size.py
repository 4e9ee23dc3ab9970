"""How large a filmed person is, from the floor that they stand on and how high the camera is above it.

One camera cannot tell size from distance: seen from it, a body half as large at half the distance looks the same. Only
one of these bodies has its feet on the floor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..core.skeleton import MODEL
from ..diffusion.prior import Prior
from ..errors import TakeError
from .estimate import EstimateSettings, Shot, estimate_motion, known_scale
from .running import OnStep

_STEPS = 8  # the size needs no fine pose
_LEAST_DROP = 0.1  # metres that the feet must lie below the camera, where they tell the size
_TOES = MODEL.indices("left_toe", "right_toe")
_LEAST_STATURE, _LARGEST_STATURE = 0.8, 2.4  # metres


def scale_above_floor(
    shots: Sequence[Shot],
    fps: float,
    settings: EstimateSettings,
    prior: Prior,
    floor: float = 0.0,
    on_step: OnStep | None = None,
) -> float:
    """body_scale with which the lower foot of most frames is on the floor, a height in the cameras' world in metres.

    The take is estimated at the model's size; seen from the first camera it then grows until it stands. Raises
    TakeError where the feet are not below the camera, or where nobody is of such a size.
    """
    rough = replace(settings, body_scale=1.0, steps=min(settings.steps or _STEPS, _STEPS), hypotheses=1, pelvis=None)
    feet = estimate_motion(shots, fps, rough, prior, on_step).positions[:, _TOES, 2].min(axis=1)
    height = np.broadcast_to(shots[0].camera.centre[..., 2], feet.shape)
    above, drop = height - floor, height - feet
    counts = (above > _LEAST_DROP) & (drop > _LEAST_DROP)
    if not counts.any():
        raise TakeError("The camera is not above the person's feet, so that the floor tells no size: state a stature.")
    scale = float(np.median(above[counts] / drop[counts]))
    smallest, largest = known_scale(_LEAST_STATURE), known_scale(_LARGEST_STATURE)
    if not smallest < scale < largest:
        raise TakeError(
            f"A person on that floor would be {scale / known_scale(1.0):.2f} m tall: check the heights of floor and "
            "camera and the lens, or state a stature."
        )
    return scale
