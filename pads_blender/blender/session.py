"""One press of a button: work in the background job, then the result applied on the main thread when that is safe.

Knows jobs and Blender's state, nothing of windows and events: job_operator.py asks it at each tick of a timer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import bpy

from .. import jobs
from ..errors import CancelledError

_GONE = "Stopped: nothing was changed."


@dataclass(frozen=True)
class Task:
    """What a button has done: plain data in and out of work, which any thread may run; apply is for the main thread.

    apply takes what work returned and says in one sentence what became of it. armatures: session numbers of those that
    it writes to.
    """

    title: str
    work: jobs.Work
    apply: Callable[[Any], str]
    armatures: tuple[int, ...] = ()

    def must_wait(self) -> str | None:
        """What keeps the result from being applied at the moment, or None."""
        if bpy.app.is_job_running("RENDER"):
            return "the render"
        own = (each for each in bpy.data.objects if each.session_uid in self.armatures)
        edited = (each for each in own if each.data.is_editmode)  # be it through another object with the same bones
        armature = next(edited, None)
        return armature and f"{armature.name} to leave Edit Mode"


class Session:
    """A task under way. step() is to be called until it gives the sentence about the end; it raises what went wrong."""

    def __init__(self, task: Task) -> None:
        self.task, self._outcome = task, None
        self.job = jobs.start(task.title, task.work)

    @property
    def status(self) -> str:
        """How far it is, in one line."""
        if self.job.is_cancelled:
            return f"{self.task.title}: stopping ..."
        if self._outcome:
            return f"{self.task.title}: done, waiting for {self.task.must_wait()}"
        return f"{self.task.title}: {describe(self.job.progress)}     Esc: cancel"

    def step(self) -> str | None:
        """What became of the task, once it is over; applies its result."""
        if jobs.running() is not self.job:
            raise CancelledError(_GONE)
        self._outcome = self._outcome or self.job.drain()
        if self._outcome is None or (self._has_result() and self.task.must_wait()):
            return None
        jobs.release(self.job)
        if self.job.is_cancelled:
            raise CancelledError("Cancelled: nothing was changed.")
        if self._outcome.error is not None:
            raise self._outcome.error
        return self.task.apply(self._outcome.result)

    def _has_result(self) -> bool:
        return self._outcome.error is None and not self.job.is_cancelled


def describe(progress: jobs.Progress) -> str:
    """How far, and how long it will take."""
    left = progress.seconds_left
    return f"{100 * progress.share:.0f} %" + (f", {spoken_seconds(left)} left" if left is not None else "")


def spoken_seconds(seconds: float) -> str:
    """Seconds as people say them."""
    whole = max(1, round(seconds))
    return f"{whole} s" if whole < 90 else f"{round(whole / 60)} min"
