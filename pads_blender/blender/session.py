"""One press of a button: the scene read, work in the background job, and the result applied when that is safe.

Knows jobs and Blender's state, nothing of windows and events: job_operator.py asks it at each tick of a timer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import GeneratorType
from typing import Any

import bpy

from .. import jobs
from ..errors import CancelledError
from .parts import Parts, advance, finish

_GONE = "Stopped: nothing was changed."
_CANCELLED = "Cancelled: nothing was changed."
_FIRST_PART_SECONDS = 0.5  # so that what is read quickly is read at once, and what cannot be read is said at once
_PART_SECONDS = 0.03  # the window is not to hang for longer than 50 ms
_READING, _WRITING, _ENDING = "reading the take", "writing keyframes", "almost done"


@dataclass(frozen=True)
class Task:
    """What a button has done: plain data in and out of work, which any thread may run; apply is for the main thread.

    apply takes what work returned and says in one sentence what became of it, at once or in parts. armatures: session
    numbers of those that it writes to.
    """

    title: str
    work: jobs.Work
    apply: Callable[[Any], str | Parts[str]]
    armatures: tuple[int, ...] = ()

    def must_wait(self) -> str | None:
        """What keeps the result from being applied at the moment, or None."""
        if bpy.app.is_job_running("RENDER"):
            return "the render"
        own = (each for each in bpy.data.objects if each.session_uid in self.armatures)
        edited = (each for each in own if each.data.is_editmode)  # be it through another object with the same bones
        armature = next(edited, None)
        return armature and f"{armature.name} to leave Edit Mode"


def finished(value: object) -> Any:
    """The value, or what comes of it in parts, all in one go."""
    return finish(value) if isinstance(value, GeneratorType) else value


class Session:
    """A task under way. step() is to be called until it gives the sentence about the end; it raises what went wrong."""

    def __init__(self, prepared: Task | Parts[Task], title: str = "") -> None:
        """prepared: the task, or the parts in which it is read; title: what it is called until then."""
        self._parts = self._outcome = None
        self.task = prepared if isinstance(prepared, Task) else None
        self.job = jobs.reserve(title or prepared.title)
        if self.task is not None:
            self._begin(self.task)
            return
        self._parts = prepared
        self._attempt(lambda: self._go_on(_FIRST_PART_SECONDS))

    @property
    def status(self) -> str:
        """How far it is, in one line."""
        return f"{self.job.title}: {describe(self.job)}" + ("" if self.is_writing else "     Esc: cancel")

    @property
    def is_writing(self) -> bool:
        """Whether the result is on its way onto the armatures, which nothing else should change meanwhile."""
        return self._parts is not None and self._outcome is not None

    def step(self) -> str | None:
        """What became of the task, once it is over; applies its result."""
        if jobs.running() is not self.job:
            self.stop()
            raise CancelledError(_GONE)
        return self._attempt(self._step)

    def stop(self) -> None:
        """Take back what has been written so far."""
        if self._parts is not None:
            self._parts.close()
            self._parts = None

    def _attempt(self, step: Callable[[], str | None]) -> str | None:
        """The sentence, if there is one yet; after it, or after a failure, the next job may begin."""
        is_over = True
        try:
            said = step()
            is_over = said is not None
            return said
        finally:
            if is_over:
                self.stop()
                jobs.release(self.job)

    def _step(self) -> str | None:
        if self._parts is not None:
            if self.job.is_cancelled:
                raise CancelledError(_CANCELLED)
            return self._go_on(_PART_SECONDS)
        self._outcome = self._outcome or self.job.drain()
        if self._outcome is None:
            return None
        if self.job.is_cancelled:
            raise CancelledError(_CANCELLED)
        if self._outcome.error is not None:
            raise self._outcome.error
        return self._apply()

    def _apply(self) -> str | None:
        """Put the result where it belongs, once that has been announced and nothing stands against it."""
        reason = self.task.must_wait()
        stage = f"done, waiting for {reason}" if reason else _WRITING if self.task.armatures else _ENDING
        if self.job.progress.stage != stage:
            self.job.progress = jobs.Progress(1.0, stage=stage)
            return None
        if reason:
            return None
        said = self.task.apply(self._outcome.result)
        if not isinstance(said, GeneratorType):
            return said
        self._parts = said
        return self._go_on(_PART_SECONDS)

    def _go_on(self, seconds: float) -> str | None:
        """The next part of reading or of writing."""
        found = advance(self._parts, seconds)
        if not found.is_over:
            self.job.progress = jobs.Progress(found.share, stage=_WRITING if self.is_writing else _READING)
            return None
        self._parts = None
        if self._outcome is not None:
            return found.result
        self._begin(found.result)
        return None

    def _begin(self, task: Task) -> None:
        self.task, self.job.title = task, task.title
        self.job.begin(task.work)


def describe(job: jobs.Job) -> str:
    """What the job is at, how far, and how long it will take."""
    progress = job.progress
    if job.is_cancelled:
        return "stopping ..."
    if progress.stage:
        return progress.stage + (f", {100 * progress.share:.0f} %" if progress.share < 1.0 else " ...")
    left = progress.seconds_left
    return f"{100 * progress.share:.0f} %" + (f", {spoken_seconds(left)} left" if left is not None else "")


def spoken_seconds(seconds: float) -> str:
    """Seconds as people say them."""
    whole = max(1, round(seconds))
    return f"{whole} s" if whole < 90 else f"{round(whole / 60)} min"
