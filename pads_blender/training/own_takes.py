"""Takes of one's own, divided into what a prior is trained on and what it is measured on; windows of the latter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..errors import BadFileError
from .data import FPS, Clip
from .noise_maps import MARGIN

HELD_OUT_SHARE = 0.2  # of the frames, at least; whole subjects or whole takes
_LEAST_SUBJECTS = 5  # with fewer, holding out one of them would take too much away, and takes are held out
_WINDOWS = 128  # measured at most, evenly spread


@dataclass(frozen=True)
class OwnTakes:
    """What is trained on, what is held out, and by which rule, in words for the report."""

    train: tuple[Clip, ...]
    held_out: tuple[Clip, ...]
    rule: str


def divide(clips: tuple[Clip, ...], seed: int) -> OwnTakes:
    """Hold out a fifth: whole subjects where there are five or more, else whole takes; BadFileError for a single take.

    The seed draws which; pieces that were cut from one take stay together.
    """
    by_subject = len({clip.subject for clip in clips}) >= _LEAST_SUBJECTS
    key: Callable[[Clip], tuple] = (lambda c: (c.subject,)) if by_subject else (lambda c: (c.subject, c.name))
    groups = sorted({key(clip) for clip in clips})
    if len(groups) < 2:
        raise BadFileError("There is a single take: at least two are needed, one of them to measure on.")
    wanted = HELD_OUT_SHARE * sum(len(clip.positions) for clip in clips)
    held: set[tuple] = set()
    for place in np.random.default_rng(seed).permutation(len(groups))[:-1]:
        if sum(len(clip.positions) for clip in clips if key(clip) in held) >= wanted:
            break
        held.add(groups[place])
    train, held_out = (tuple(c for c in clips if (key(c) in held) == side) for side in (False, True))
    what = "subjects (sub-folders, or as the files name them)" if by_subject else "takes"
    names = ", ".join(" ".join(dict.fromkeys(group)) for group in sorted(held)[:8])
    more = f" and {len(held) - 8} more" if len(held) > 8 else ""
    rule = (
        f"Held out are whole {what}, {len(held)} of {len(groups)}, drawn with seed {seed}: {names}{more}. "
        f"{minutes(held_out):.1f} minutes held out, {minutes(train):.1f} trained on."
    )
    return OwnTakes(train, held_out, rule)


def minutes(clips: tuple[Clip, ...]) -> float:
    """Length of the clips together."""
    return sum(len(clip.positions) for clip in clips) / FPS / 60.0


@dataclass(frozen=True)
class Windows:
    """Windows with their margins (N, MARGIN + F + MARGIN, J, 3), and the joints (N, J) and take (N) of each."""

    positions: np.ndarray
    known: np.ndarray
    takes: tuple[str, ...]


def windows_of(clips: tuple[Clip, ...], frames: int) -> Windows:
    """Half overlapping windows of all clips, evenly spread; beyond its ends a clip is played backwards."""
    positions, known, takes = [], [], []
    for clip in clips:
        last = len(clip.positions) - 1
        at = np.arange(-MARGIN, max(last + 1, frames) + MARGIN)
        played = clip.positions[last - np.abs(at % (2 * last) - last)]
        for start in range(0, len(played) - frames - 2 * MARGIN + 1, frames // 2):
            positions.append(played[start : start + frames + 2 * MARGIN])
            known.append(clip.visible)
            takes.append(f"{clip.subject} {clip.name}")
    chosen = np.unique(np.linspace(0, len(positions) - 1, _WINDOWS).astype(int))
    kept = [np.stack([rows[i] for i in chosen]) for rows in (positions, known)]
    return Windows(kept[0].astype(np.float32), kept[1], tuple(takes[i] for i in chosen))
