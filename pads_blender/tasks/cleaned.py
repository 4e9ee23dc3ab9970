"""Clean on a take as it was read from a rig, with what the animator keeps: plain arrays in and out, for any thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ..core.mapping import Mapping
from ..core.rig import RigTake, carry_travel
from ..diffusion.prior import Prior
from .clean import CleanSettings, clean_take
from .kept import Kept, pass_through
from .take_warnings import TakeWarning, find_warnings, first_frame_of_motion

OnStep = Callable[[int, int], None]


@dataclass(frozen=True)
class Cleaned:
    """A take before and after, the task's report as plain data, and what is odd about the take as a whole."""

    before: RigTake
    after: RigTake
    report: dict
    warnings: tuple[TakeWarning, ...]


def clean_rig(
    take: RigTake, mapping: Mapping, kept: Kept, settings: CleanSettings, prior: Prior, on_step: OnStep | None = None
) -> Cleaned:
    """The take cleaned, its travel on bones that may move, and what is kept exactly as it was."""
    warnings = find_warnings(take, mapping)
    settings = _without_reference_pose(settings, warnings)
    after, report = clean_take(take, mapping, settings, prior, on_step, kept)
    report = report | {"warnings": [warning.to_json() for warning in warnings]}
    return Cleaned(take, pass_through(take, carry_travel(take, after), kept), report, tuple(warnings))


def _without_reference_pose(settings: CleanSettings, warnings: list[TakeWarning]) -> CleanSettings:
    """The settings with a start after the reference pose, if there is one and it is to be left out."""
    first = first_frame_of_motion(warnings)
    if not settings.leave_out_reference or first is None or (settings.start is not None and settings.start >= first):
        return settings
    return replace(settings, start=first)
