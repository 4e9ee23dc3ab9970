"""Several Blender processes that clean files at the same time. One that breaks down costs the file it worked on alone.

Each of them runs batch_worker.py. A line of JSON goes in for each file, a marked line of JSON comes out.
"""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Self

import bpy

from ..errors import PadsError
from ..paths import remove_leftovers
from .batch_done import report_path
from .file_jobs import Job

WORKER = "clean-worker"  # the command that a process of the pool is started with; people have no use for it
MARK = "PADS_BATCH "  # Blender's own lines go to the standard output, too
_PATIENCE_SECONDS = 10.0
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class Pool:
    """So many processes at work on a list of jobs; they end with the context, whatever ends it."""

    def __init__(self, jobs: Sequence[Job], words: Sequence[str], processes: int, threads: int) -> None:
        self._threads, self._count = threads, len(jobs)
        self._hello = json.dumps({"words": list(words), "threads": threads})
        self._waiting: queue.SimpleQueue[Job] = queue.SimpleQueue()
        for job in jobs:
            self._waiting.put(job)
        self._finished: queue.SimpleQueue[tuple[Job, dict] | Exception] = queue.SimpleQueue()
        self._lock, self._is_stopped = threading.Lock(), False
        self._working: dict[subprocess.Popen, Job | None] = {}
        self._feeders = [threading.Thread(target=self._feed, daemon=True) for _ in range(processes)]

    def __enter__(self) -> Self:
        for feeder in self._feeders:
            feeder.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes, at once those that are still at work, and remove what these leave half written."""
        with self._lock:
            self._is_stopped = True
            working = dict(self._working)
        for process in working:
            process.terminate()
        for process in working:
            _wait(process)
        for feeder in self._feeders:
            feeder.join(_PATIENCE_SECONDS)
        _remove_leftovers(job for job in working.values() if job)

    def reports(self) -> Iterator[tuple[Job, dict]]:
        """Each job with its report, as they end; PadsError where no process can be had."""
        for _ in range(self._count):
            finished = self._next_finished()
            if isinstance(finished, Exception):
                raise finished
            yield finished

    def _next_finished(self) -> tuple[Job, dict] | Exception:
        while True:
            try:
                return self._finished.get(timeout=0.5)  # on Windows, an endless wait could not be interrupted
            except queue.Empty:
                continue

    def _feed(self) -> None:
        """One thread for each process: a job in, a report out; where the process has ended, a new one is started."""
        process = None
        try:
            while not self._is_stopped:
                job = self._waiting.get_nowait()
                process = process or self._start()
                report = self._ask(process, job)
                if report is None:
                    report, process = self._lost(process, job), None
                self._finished.put((job, report))
        except queue.Empty:
            pass
        except Exception as error:  # the main thread waits for an answer
            self._finished.put(error)
        if process:
            self._dismiss(process)

    def _start(self) -> subprocess.Popen:
        with self._lock:
            if self._is_stopped:
                raise PadsError("The batch was stopped.")
            process = _open_process(self._threads)
            self._working[process] = None
        if _exchange(process, self._hello) is None:
            code = self._dismiss(process)
            raise PadsError(f"No process for --jobs could be started (code {code}).")
        return process

    def _ask(self, process: subprocess.Popen, job: Job) -> dict | None:
        with self._lock:
            self._working[process] = job
        report = _exchange(process, json.dumps([str(job.source.path), str(job.target)]))
        if report is not None:
            with self._lock:
                self._working[process] = None
        return report

    def _lost(self, process: subprocess.Popen, job: Job) -> dict:
        """The report on a job whose process has ended."""
        code = self._dismiss(process)
        if not self._is_stopped:
            _remove_leftovers([job])
        return {"file": str(job.source.path), "error": f"the process that cleaned it broke down (code {code})."}

    def _dismiss(self, process: subprocess.Popen) -> int:
        """Let a process end that has nothing more to do; its exit code."""
        if not self._is_stopped:
            with self._lock:
                self._working.pop(process, None)
        with contextlib.suppress(OSError):  # it has ended by itself
            process.stdin.close()
        return _wait(process)


def _open_process(threads: int) -> subprocess.Popen:
    """Another Blender like this one, with so many threads; Ctrl-C does not reach it, the pool decides about it."""
    package = Path(__file__).resolve().parent.parent
    variables = os.environ | dict.fromkeys(_THREAD_VARIABLES, str(threads))
    if getattr(bpy.app, "module", False):
        command = [sys.executable, "-m", package.name, WORKER]
        paths = [str(package.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        variables |= {"PYTHONPATH": os.pathsep.join(paths)}
    else:
        command = [bpy.app.binary_path, "--threads", str(threads), "--command", "pads", WORKER]
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    else:
        apart = {"start_new_session": True}
    try:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "encoding": "utf-8"}
        return subprocess.Popen(command, env=variables, errors="replace", **pipes, **apart)
    except OSError as error:
        raise PadsError(f"{command[0]}: cannot be started: {error.strerror or error}.") from error


def _exchange(process: subprocess.Popen, line: str) -> dict | None:
    """Send a line and wait for the marked one that answers it; None where the process has ended."""
    try:
        process.stdin.write(line + "\n")
        process.stdin.flush()
        for answer in process.stdout:
            if answer.startswith(MARK):
                return json.loads(answer.removeprefix(MARK))
    except (OSError, ValueError):  # a pipe that is closed
        pass
    return None


def _wait(process: subprocess.Popen) -> int:
    """The exit code, after some patience."""
    try:
        return process.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _remove_leftovers(jobs: Iterable[Job]) -> None:
    remove_leftovers(path for job in jobs for path in (job.target, report_path(job.target)))
