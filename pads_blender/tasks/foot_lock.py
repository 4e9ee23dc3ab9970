"""Contacts of a rig's take in scene frames, for people to edit, and feet held as these say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..core.mapping import Mapping
from ..core.retarget import to_model
from ..core.rig import RigTake
from ..errors import TakeError
from . import pieces
from .contacts import COLUMNS, ContactRange, Contacts, find_resting
from .feet import find_freedom, lock_rig_feet, rig_tracks
from .kept import Kept, pass_through
from .running import OnStep, part_of
from .take_checks import check_take


def list_contacts(take: RigTake, mapping: Mapping, on_step: OnStep | None = None) -> tuple[ContactRange, ...]:
    """Every rest of a heel or toe, its first and last scene frame, in the order of time."""
    check_take(take)
    residual = to_model(take.rows(slice(0, 1)), mapping)[1]
    tracks = rig_tracks(residual, take, pieces.consecutive(take.frames), part_of(on_step, 0, 2))
    found = find_resting(tracks, take.fps, on_step=part_of(on_step, 1, 2))
    resting = Contacts(found.resting & (residual.bones[COLUMNS] >= 0))
    ranges = [replace(r, first=int(take.frames[r.first]), last=int(take.frames[r.last])) for r in resting.ranges]
    return tuple(sorted(ranges, key=lambda part: (part.first, part.last)))


def lock_feet_at(
    take: RigTake,
    mapping: Mapping,
    kept: Kept,
    contacts: Sequence[ContactRange],
    strength: float,
    on_step: OnStep | None = None,
) -> RigTake:
    """The take with its feet held at each contact, given in scene frames; what is kept comes out as it went in."""
    check_take(take)
    residual = to_model(take.rows(slice(0, 1)), mapping)[1]
    start = int(take.frames[0])
    rows = [replace(part, first=part.first - start, last=part.last - start) for part in contacts]
    resting = Contacts.from_ranges(tuple(part for part in rows if part.last >= part.first), len(take.frames))
    if not resting.resting.any():
        raise TakeError("No contact is switched on within the take: find contacts, or add one.")
    freedom = find_freedom(residual.bones, kept.held, kept.location.all(axis=0))
    share = np.broadcast_to(freedom.feet.astype(float), resting.resting.shape)
    first, middle, last = (part_of(on_step, stage, 3) for stage in range(3))
    locked = lock_rig_feet(residual, take, strength, resting, share, freedom.pelvis, first)
    return pass_through(take, pieces.carry_travel(take, locked, middle), kept, last)
