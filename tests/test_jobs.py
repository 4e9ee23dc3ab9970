"""The background worker by itself: progress, result, failure, cancelling at a step, and its end."""

import threading
import time

import pytest

from pads_blender import jobs
from pads_blender.errors import CancelledError, PadsError, TakeError


@pytest.fixture(autouse=True)
def nothing_runs_afterwards():
    yield
    jobs.stop()


def wait_for(job: jobs.Job) -> jobs.Outcome:
    for _ in range(500):
        outcome = job.drain()
        if outcome:
            return outcome
        time.sleep(0.01)
    raise AssertionError("the job does not end")


def endless(on_step) -> None:
    while True:
        on_step(0, 1)
        time.sleep(0.001)


def test_result_and_progress_come_by_the_queue():
    def work(on_step):
        for step in range(4):
            on_step(step + 1, 8)
        return threading.current_thread().name

    job = jobs.start("Counting", work)
    assert wait_for(job) == jobs.Outcome("PADS Counting")
    assert job.progress.share == 0.5


def test_failure_is_an_outcome():
    def work(on_step):
        raise TakeError("No frames.")

    assert str(wait_for(jobs.start("Failing", work)).error) == "No frames."


def test_cancelled_at_the_next_step():
    job = jobs.start("Endless", endless)
    job.cancel()
    assert job.is_cancelled
    assert isinstance(wait_for(job).error, CancelledError)


def test_only_one_at_a_time_until_it_is_released():
    job = jobs.start("First", lambda on_step: 1)
    wait_for(job)
    with pytest.raises(PadsError, match=r"still busy \(First\)"):
        jobs.start("Second", lambda on_step: 2)
    jobs.release(job)
    assert wait_for(jobs.start("Second", lambda on_step: 2)).result == 2


def test_stop_joins_the_thread_and_tells_who_waits():
    told = []
    job = jobs.start("Endless", endless)
    job.on_stopped = lambda: told.append(jobs.running())
    jobs.stop()
    assert told == [None]
    assert "PADS Endless" not in [thread.name for thread in threading.enumerate()]
    jobs.stop()
    assert told == [None]


def test_time_left_is_told_once_it_means_something():
    assert jobs.Progress(0.25, 30.0).seconds_left == pytest.approx(90.0)
    assert jobs.Progress(0.5, 0.5).seconds_left is None
    assert jobs.Progress(0.001, 5.0).seconds_left is None


def test_what_a_job_prepares_says_nothing_of_the_time_left(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(jobs.time, "monotonic", lambda: now[0])

    def step(share: float, seconds: float) -> float | None:
        now[0] += seconds
        job._on_step(share, 1)
        job.drain()
        return job.progress.seconds_left

    job = jobs.start("Preparing", lambda on_step: None)
    wait_for(job)
    assert step(jobs.PREPARATION, 60.0) is None  # a minute for two steps in a hundred
    assert step(jobs.PREPARATION, 60.0) is None
    assert step(0.5 + jobs.PREPARATION / 2, 10.0) == pytest.approx(10.0)  # half of the rest


def test_what_nobody_waits_for_runs_beside_a_job_and_can_be_stopped():
    behind = jobs.start_behind("Behind", endless)
    assert jobs.running() is None and jobs.is_busy_behind()
    assert jobs.start_behind("Again", endless) is behind
    job = jobs.start("Beside", lambda on_step: 1)
    assert wait_for(job).result == 1
    jobs.stop()
    assert jobs.is_busy_behind()
    jobs.stop_behind()
    behind.join()
    assert not jobs.is_busy_behind()


def test_a_reserved_job_stands_in_the_way_before_its_work_begins():
    job = jobs.reserve("Reading")
    with pytest.raises(PadsError, match="still busy"):
        jobs.start("Second", lambda on_step: 2)
    assert job.drain() is None
    job.begin(lambda on_step: 3)
    assert wait_for(job).result == 3
