"""Clean on a take as it was read from a rig, with what the animator keeps: plain arrays in and out, for any thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..core.mapping import Mapping
from ..core.retarget import to_model
from ..core.rig import RigTake
from ..diffusion.prior import Prior
from . import pieces
from .clean import CleanSettings, clean_take
from .contacts import ContactRange
from .foot_lock import lock_feet_at
from .kept import Kept, pass_through
from .running import OnStep, at_the_end
from .scope import keep_left_out
from .take_warnings import TakeWarning, find_warnings, first_frame_of_motion


@dataclass(frozen=True)
class Cleaned:
    """A take before and after, the task's report as plain data, and what is odd about the take as a whole."""

    before: RigTake
    after: RigTake
    report: dict
    warnings: tuple[TakeWarning, ...]


def clean_rig(
    take: RigTake,
    mapping: Mapping,
    kept: Kept,
    settings: CleanSettings,
    prior: Prior,
    on_step: OnStep | None = None,
    contacts: Sequence[ContactRange] | None = None,
) -> Cleaned:
    """The take cleaned, its travel on bones that may move, and what is kept exactly as it was.

    contacts: when feet rest, in scene frames, as the animator edited them; None: as they are found in the motion.
    """
    warnings = find_warnings(take, mapping)
    settings = _without_reference_pose(settings, warnings)
    asked = settings if contacts is None else replace(settings, feet=0.0)
    after, report = clean_take(take, mapping, asked, prior, on_step, kept)
    report = report | {"warnings": [warning.to_json() for warning in warnings]}
    told = at_the_end(on_step)
    after = pass_through(take, pieces.carry_travel(take, after, told), kept, told)
    if contacts is not None:
        after = _held(after, mapping, kept, settings, contacts, told)
    return Cleaned(take, after, report, tuple(warnings))


def _held(
    take: RigTake,
    mapping: Mapping,
    kept: Kept,
    settings: CleanSettings,
    contacts: Sequence[ContactRange],
    on_step: OnStep | None,
) -> RigTake:
    """The cleaned take with its feet held at those of the contacts that the settings include."""
    first = take.frames[0] if settings.start is None else max(settings.start, take.frames[0])
    last = take.frames[-1] if settings.end is None else min(settings.end, take.frames[-1])
    inside = [replace(each, first=max(each.first, int(first)), last=min(each.last, int(last))) for each in contacts]
    inside = [each for each in inside if each.first <= each.last]
    if not inside:
        return take
    bones = to_model(take.rows(slice(0, 1)), mapping)[1].bones
    free = keep_left_out(take, kept, bones, settings.joints)
    return lock_feet_at(take, mapping, free, inside, settings.feet * settings.strength, on_step)


def _without_reference_pose(settings: CleanSettings, warnings: list[TakeWarning]) -> CleanSettings:
    """The settings with a start after the reference pose, if there is one and it is to be left out."""
    first = first_frame_of_motion(warnings)
    if not settings.leave_out_reference or first is None or (settings.start is not None and settings.start >= first):
        return settings
    return replace(settings, start=first)
