"""Clean on a take as it was read from a rig, with what the animator keeps: plain arrays in and out, for any thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..core.mapping import Mapping
from ..core.rig import RigTake, carry_travel
from ..diffusion.prior import Prior
from .clean import CleanSettings, clean_take
from .kept import Kept, pass_through

OnStep = Callable[[int, int], None]


@dataclass(frozen=True)
class Cleaned:
    """A take before and after, and the task's report as plain data."""

    before: RigTake
    after: RigTake
    report: dict


def clean_rig(
    take: RigTake, mapping: Mapping, kept: Kept, settings: CleanSettings, prior: Prior, on_step: OnStep | None = None
) -> Cleaned:
    """The take cleaned, its travel on bones that may move, and what is kept exactly as it was."""
    after, report = clean_take(take, mapping, settings, prior, on_step, kept)
    return Cleaned(take, pass_through(take, carry_travel(take, after), kept), report)
