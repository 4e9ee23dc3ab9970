"""Long work on the main thread in parts, so that the window can be drawn in between.

It is a generator that says how far it is, 0 to 1, after each part. Between two parts anything may happen to the file:
whatever goes on after a yield has to look up again what it works on.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import bpy

Result = TypeVar("Result")
Parts = Generator[float, None, Result]
_VALUES_A_PART = 50_000  # keys or frames of one bone: some hundredths of a second


class Pace:
    """When work on many bones, each quick or slow as the take is short or long, should pause for the window."""

    def __init__(self) -> None:
        self._done = 0

    def is_pause_due(self, values: int) -> bool:
        """Whether so much has been done since the last pause that the next is due; values: keys or frames just done."""
        self._done += values
        if self._done < _VALUES_A_PART:
            return False
        self._done = 0
        return True


@dataclass(frozen=True)
class Advance:
    """How far some parts are, and their result once they are over."""

    share: float
    is_over: bool = False
    result: Any = None


def advance(parts: Parts, seconds: float) -> Advance:
    """Go on for about so long; the scene's frame is afterwards what it was."""
    ends, share = time.perf_counter() + seconds, 0.0
    with _own_frame():
        while True:
            try:
                share = next(parts)
            except StopIteration as end:
                return Advance(1.0, True, end.value)
            if time.perf_counter() >= ends:
                return Advance(share)


def finish(parts: Parts[Result]) -> Result:
    """All parts in one go."""
    return advance(parts, float("inf")).result


@contextmanager
def _own_frame() -> Iterator[None]:
    """Bring the scene's frame back."""
    scene = bpy.context.scene
    frame, subframe = scene.frame_current, scene.frame_subframe
    try:
        yield
    finally:
        if (scene.frame_current, scene.frame_subframe) != (frame, subframe):
            scene.frame_set(frame, subframe=subframe)
