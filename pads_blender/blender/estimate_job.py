"""What is worked out for Estimate, and where it goes: tasks for the worker on plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .. import jobs
from ..core.model_rig import MAPPING, model_take
from .chosen_prior import read_prior_folder
from .computer import open_prior, read_host
from .estimate_target import Target, deliver, deliver_new
from .evaluation import find_object
from .preferences import read_preferences
from .session import Task

if TYPE_CHECKING:
    from ..tasks.estimate import Shot
    from ..tasks.estimate_rig import RigHypothesis

_SIZE_SHARE = 0.3  # of the time, about, that the search for a size takes
_STEPS = 1000


@dataclass(frozen=True)
class Request:
    """What was filmed, at which scene frames (F,), and what is wanted of it; name: of the actions."""

    shots: list[Shot]
    frames: np.ndarray
    fps: float
    name: str
    hypotheses: int = 1
    seed: int = 0


def rig_task(request: Request, target: Target) -> Task:
    """The motion of an armature that is there."""
    threads, host, folder = read_preferences().threads, read_host(), read_prior_folder()

    def work(on_step: jobs.OnStep) -> list[RigHypothesis]:
        from ..tasks.estimate import EstimateSettings  # not above: Blender's start must not wait for it
        from ..tasks.estimate_rig import estimate_rig

        prior, on_step = open_prior(threads, host, folder, on_step)
        settings = EstimateSettings(seed=request.seed, hypotheses=request.hypotheses)
        return estimate_rig(request.shots, target.take, target.mapping, settings, prior, on_step)

    def apply(found: list[RigHypothesis]) -> str:
        said = _said(request, found, target.armature, deliver(target, found, request.name))
        find_object(target.armature_uid, target.armature).pads.result = said
        return said

    return Task("Estimating", work, apply, (target.armature_uid,))


def new_armature_task(request: Request, stature: float | None, floor: float) -> Task:
    """The motion of a new armature, as tall as stated, or (None) as fits a floor at that height; metres."""
    threads, host, folder = read_preferences().threads, read_host(), read_prior_folder()

    def work(on_step: jobs.OnStep) -> list[RigHypothesis]:
        from ..tasks.estimate import EstimateSettings, known_scale
        from ..tasks.estimate_rig import estimate_rig
        from ..tasks.estimate_size import scale_above_floor

        prior, on_step = open_prior(threads, host, folder, on_step)
        settings = EstimateSettings(seed=request.seed, hypotheses=request.hypotheses)
        if stature is None:
            first, on_step = _parts(on_step)
            scale = scale_above_floor(request.shots, request.fps, settings, prior, floor, first)
        else:
            scale = known_scale(stature)
        take = model_take(scale, request.frames, request.fps)
        return estimate_rig(request.shots, take, MAPPING, settings, prior, on_step)

    def apply(found: list[RigHypothesis]) -> str:
        armature, *actions = deliver_new(found, MAPPING, request.name)
        return _said(request, found, armature, actions)

    return Task("Estimating", work, apply)


def _parts(on_step: jobs.OnStep) -> tuple[jobs.OnStep, jobs.OnStep]:
    """The steps of the search for the size and of the estimate as steps of the whole."""

    def share(first: float, last: float) -> jobs.OnStep:
        return lambda step, steps: on_step(round(_STEPS * (first + (last - first) * step / steps)), _STEPS)

    return share(0.0, _SIZE_SHARE), share(_SIZE_SHARE, 1.0)


def _said(request: Request, found: list[RigHypothesis], armature: str, actions: list[str]) -> str:
    frames = len(request.frames)
    several = f" and {len(actions) - 1} more, less likely" if len(actions) > 1 else ""
    beside = f"its joints lie {found[0].beside:.1f} pixels beside the points"
    return f"{frames} frame{'' if frames == 1 else 's'} estimated for {armature} in {actions[0]}{several}; {beside}"
