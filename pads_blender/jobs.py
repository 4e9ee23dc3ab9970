"""One background worker: a thread that puts messages on a queue, and an event that cancels it. Knows no bpy.

The work is a function of on_step(step, count), to be called often: it raises CancelledError once the job is cancelled.
What a job has to do before its thread begins and after that has ended, whoever reserved it does; its stage says so.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from .errors import CancelledError, PadsError, enough_memory

OnStep = Callable[[float, int], None]
Work = Callable[[OnStep], object]
PREPARATION = 0.02  # share of the steps up to which a prior is opened and the take looked at, however long it takes
_LEAST_SECONDS, _LEAST_SHARE = 1.0, 0.02  # after that, from when on the time left is more than a guess


@dataclass(frozen=True)
class Progress:
    """How far a job is: share 0 to 1 of its steps, after so many seconds; stage: of what else than its work.

    prepared: share and seconds at the end of what goes before the work proper and tells nothing of its speed.
    """

    share: float = 0.0
    seconds: float = 0.0
    stage: str = ""
    prepared: tuple[float, float] = (0.0, 0.0)

    @property
    def seconds_left(self) -> float | None:
        """What is left at the speed so far; None while that says nothing yet."""
        share, seconds = self.share - self.prepared[0], self.seconds - self.prepared[1]
        if seconds < _LEAST_SECONDS or share < _LEAST_SHARE:
            return None
        return seconds * (1.0 - self.share) / share


@dataclass(frozen=True)
class Outcome:
    """What became of a job: the work's result, or what it raised."""

    result: object = None
    error: BaseException | None = None


class Job:
    """Some work in a thread of its own; all but the work itself belongs to the thread that made the job."""

    def __init__(self, title: str) -> None:
        self.title, self.progress = title, Progress()
        self.on_stopped: Callable[[], None] | None = None  # called when stop() ends the job for whoever waits for it
        self._messages, self._cancelled = queue.Queue(), threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, work: Work) -> None:
        """Start the thread."""
        self._started, self.progress, self._prepared = time.monotonic(), Progress(), (0.0, 0.0)
        self._thread = threading.Thread(target=self._run, args=(work,), name=f"PADS {self.title}", daemon=True)
        self._thread.start()

    @property
    def is_cancelled(self) -> bool:
        """Whether the work was told to stop; it may still be at its present step."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Tell the work to stop at its next step."""
        self._cancelled.set()

    def drain(self) -> Outcome | None:
        """Take in the messages that have come, the newest progress with them; the outcome once the work has ended."""
        while True:
            try:
                message = self._messages.get_nowait()
            except queue.Empty:
                return None
            if isinstance(message, Outcome):
                self._thread.join()
                return message
            self.progress = message

    @property
    def is_alive(self) -> bool:
        """Whether the work is under way."""
        return self._thread is not None and self._thread.is_alive()

    def join(self) -> None:
        """Wait until the work has ended."""
        if self._thread is not None:
            self._thread.join()

    def _run(self, work: Work) -> None:
        try:
            with enough_memory():
                outcome = Outcome(work(self._on_step))
        except BaseException as error:  # a bug, too, is for the main thread to show
            outcome = Outcome(error=error)
        self._messages.put(outcome)

    def _on_step(self, step: float, count: int) -> None:
        if self._cancelled.is_set():
            raise CancelledError("Cancelled: nothing was changed.")
        share, seconds = min(step / max(count, 1), 1.0), time.monotonic() - self._started
        if share <= PREPARATION:
            self._prepared = share, seconds
        self._messages.put(Progress(share, seconds, prepared=self._prepared))


_running: Job | None = None
_behind: Job | None = None


def running() -> Job | None:
    """The job that is under way, or whose outcome has not been dealt with yet."""
    return _running


def reserve(title: str) -> Job:
    """A job that has yet to begin its work; PadsError while another one is under way."""
    global _running
    if _running is not None:
        raise PadsError(f"PADS is still busy ({_running.title}): wait until it is done, or cancel it.")
    _running = Job(title)
    return _running


def start(title: str, work: Work) -> Job:
    """Begin a job; PadsError while another one is under way."""
    job = reserve(title)
    job.begin(work)
    return job


def release(job: Job) -> None:
    """The job's outcome has been dealt with: the next one may begin."""
    global _running
    if _running is job:
        _running = None


def stop() -> None:
    """Cancel the running job, if there is one, wait for its end and forget its outcome."""
    job = _running
    if job is None:
        return
    job.cancel()
    job.join()
    release(job)
    if job.on_stopped:
        job.on_stopped()


def start_behind(title: str, work: Work) -> Job:
    """Begin what nobody waits for beside the running job, unless something of the kind is under way."""
    global _behind
    if not is_busy_behind():
        _behind = Job(title)
        _behind.begin(work)
    return _behind


def is_busy_behind() -> bool:
    """Whether something is under way that nobody waits for."""
    return _behind is not None and _behind.is_alive


def stop_behind() -> None:
    """Tell it to stop at its next step; nobody waits for that either."""
    if _behind is not None:
        _behind.cancel()
