"""A long take as pieces that overlap, so that neither memory nor the time for a frame grows with its length."""

import itertools
from collections.abc import Iterator, Sequence, Sized
from dataclasses import replace

import numpy as np

from ..core import rig
from ..core import rotations as rot
from ..core.easing import ease
from ..core.rig import RigTake
from .running import OnStep

LONGEST = 2048  # frames of a piece: what is worked out for it at a time takes some hundred megabytes with 60 bones
OVERLAP = 256


def split(first: int, last: int, busy: np.ndarray | None = None) -> list[slice]:
    """Rows first (included) to last (excluded) as overlapping slices, about LONGEST at most.

    busy (F,) bool: rows that are better not in an overlap, for what is hidden there needs both of its ends.
    """
    hop, starts = LONGEST - OVERLAP, [first]
    total = None if busy is None else np.concatenate([[0], np.cumsum(busy)])
    count = max(1, -(-(last - first - OVERLAP) // hop))
    for number in range(1, count):
        usual = first + round(number * (last - first - OVERLAP) / count)
        starts.append(usual if total is None else _quietest(total, usual))
    stops = [*(start + OVERLAP for start in starts[1:]), last]
    return [slice(start, stop) for start, stop in zip(starts, stops, strict=True)]


def _quietest(total: np.ndarray, usual: int) -> int:
    """The start near the usual one whose overlap holds the fewest busy rows; total (F + 1,): of those before a row."""
    frames, starts = len(total) - 1, usual + np.arange(-OVERLAP, OVERLAP + 1)
    starts = starts[(starts > 0) & (starts + OVERLAP < frames)]
    rank = total[starts + OVERLAP] - total[starts] + np.abs(starts - usual) / frames
    return int(starts[np.argmin(rank)])


def lay_over(rotation: np.ndarray, location: np.ndarray, piece: RigTake, rows: slice, is_first: bool) -> None:
    """Write a piece into its rows of rotation (F, B, 4) and location (F, B, 3), fading in over what is there already.

    Of the overlap only the middle is blended: at a piece's very ends nothing is known of what goes on there.
    """
    weight = np.ones(rows.stop - rows.start)
    if not is_first:
        weight[:OVERLAP] = ease((np.arange(OVERLAP) - OVERLAP / 4) / (OVERLAP / 2))
    rotation[rows] = rot.slerp(rotation[rows], piece.rotation, weight[:, None])
    location[rows] += weight[:, None, None] * (piece.location - location[rows])


def consecutive(rows: Sized) -> list[slice]:
    """All rows as slices one after the other."""
    borders = [*range(0, len(rows), LONGEST), len(rows)]
    return [slice(a, b) for a, b in itertools.pairwise(borders)]


def one_by_one(parts: Sequence[slice], on_step: OnStep | None) -> Iterator[slice]:
    """The parts of a take, on_step(part, parts) before each; it may raise to stop."""
    for number, part in enumerate(parts):
        if on_step:
            on_step(number, len(parts))
        yield part


def carry_travel(before: RigTake, after: RigTake, on_step: OnStep | None = None) -> RigTake:
    """What core/rig.py's function of that name makes of a take, part by part; on_step: see one_by_one."""
    location = np.empty_like(after.location)
    for part in one_by_one(consecutive(before.frames), on_step):
        location[part] = rig.carry_travel(before.rows(part), after.rows(part)).location
    return replace(after, location=location)


def copied(values: np.ndarray, on_step: OnStep | None = None) -> np.ndarray:
    """A copy of values (F, ...), made part by part: a take's rotations may be hundreds of megabytes; see one_by_one."""
    copy = np.empty_like(values)
    for part in one_by_one(consecutive(values), on_step):
        copy[part] = values[part]
    return copy
