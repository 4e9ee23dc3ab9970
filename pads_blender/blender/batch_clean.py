"""The command clean: one or many files, one after the other or in several processes, and what became of each."""

import argparse
import contextlib
import os
import signal
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..diffusion.prior import Prior, load_prior
from ..diffusion.prior_file import prior_folder
from ..errors import PadsError
from ..paths import bundled_models_dir, remove_leftovers, write_json
from ..tasks.clean import CleanSettings
from ..tasks.running import OnStep
from . import batch_log
from .batch_done import find_reason, read_origin, read_report, report_path, write_report
from .batch_inputs import UsageError, check_outputs, find_takes, find_targets, share_of
from .batch_log import Log, Outcome, say
from .batch_pool import Pool
from .computer import read_host
from .file_jobs import Job, Source, clean_file
from .progress import Progress

DONE, SOME_FAILED = 0, 1
_SETTINGS = ("strength", "start", "end", "sampler", "steps", "seed", "feet", "samples", "leave_out_reference")


def run_clean(options: argparse.Namespace) -> int:
    """Clean what the command line asks for; the exit code."""
    jobs = plan(options)
    if not jobs:
        say("pads: nothing to do: there is no motion file here.")
        return DONE
    log, began = Log(options.log), time.perf_counter()
    outcomes: dict[Path, Outcome] = {}
    with interruptible() as interrupted:
        try:
            log.note("start", _start_fields(options, len(jobs)))
            with contextlib.closing(_outcomes(jobs, options, interrupted)) as arriving:
                for job, outcome in arriving:
                    outcomes[job.target] = outcome
                    batch_log.say_outcome(outcome, len(outcomes), len(jobs))
                    log.note_outcome(outcome)
            _finish(options, [outcomes[job.target] for job in jobs], log, time.perf_counter() - began)
        except PadsError as error:
            say(f"pads: {error}")
            return SOME_FAILED
        except KeyboardInterrupt:
            log.note("interrupted", {"finished": len(outcomes), "files": len(jobs)})
            raise
    return SOME_FAILED if any(outcome.state == batch_log.FAILED for outcome in outcomes.values()) else DONE


def plan(options: argparse.Namespace) -> list[Job]:
    """The jobs of a clean command; a UsageError where they would tread on each other or on an input."""
    if options.start is not None and options.end is not None and options.start > options.end:
        raise UsageError(f"frames {options.start} to {options.end} run backwards")
    if options.samples and options.prior != "motion":
        raise UsageError("--samples needs --prior motion: the prior of single poses cannot tell how unsure it is")
    takes = find_takes(options.sources, Path(options.output))
    if options.blend and (len(takes) > 1 or options.shard):
        raise UsageError("--blend takes one input file: run the command once for each")
    inputs, targets = [take.path for take in takes], find_targets(takes, options.sources, options.output)
    reports = [report_path(target) for target in targets] if _keeps_reports(options) else []
    others = filter(None, (options.report, options.blend, options.log))
    check_outputs(inputs, [*targets, *reports, *others], makers=inputs)
    where = dict(zip(inputs, targets, strict=True))
    return [job_of(options, take.path, where[take.path]) for take in share_of(takes, options.shard)]


def job_of(options: argparse.Namespace, path: Path, target: Path) -> Job:
    """One file's job as the command line asks for it."""
    settings = CleanSettings(complete=tuple(options.complete), **{name: getattr(options, name) for name in _SETTINGS})
    return Job(source_of(options, path), target, settings, options.blend, options.switch_to_fk)


def source_of(options: argparse.Namespace, path: Path) -> Source:
    """A file with the armature and the preset that the command line names."""
    return Source(path, options.armature, options.preset)


def attempt(job: Job, options: argparse.Namespace, prior: Prior, on_step: OnStep) -> dict:
    """The report on one file; whatever goes wrong with it is its `error`, and the next one gets its turn."""
    path = job.source.path
    try:
        origin = read_origin(job, _contract(options)) if _keeps_reports(options) else None
        report = clean_file(job, prior, on_step)
        if origin:
            write_report(job, report, origin)
        return report
    except PadsError as error:
        return {"file": str(path), "error": batch_log.one_line(path, error)}
    except Exception as error:  # a bug: shown in full, but a night's batch goes on
        return {"file": str(path), "error": f"unexpected error: {error!r}.", "traceback": traceback.format_exc()}


@contextlib.contextmanager
def interruptible() -> Iterator[threading.Event]:
    """Ctrl-C, which Blender takes for itself, and SIGTERM, by which services and schedulers end a job, interrupt.

    The event says that it happened: Blender's operators turn a KeyboardInterrupt into an error of their own.
    """
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return

    def interrupt(*_: object) -> None:
        interrupted.set()
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: it was not set by Python


def _keeps_reports(options: argparse.Namespace) -> bool:
    return options.reports or options.resume


def _outcomes(
    jobs: Sequence[Job], options: argparse.Namespace, interrupted: threading.Event
) -> Iterator[tuple[Job, Outcome]]:
    """What becomes of each job, in the order in which they end; first of those that were done before."""
    to_do = []
    for job in jobs:
        if options.resume and _is_done(job, options):
            same = {"file": str(job.source.path), "output": str(job.target), "skipped": True}
            yield job, Outcome(batch_log.SKIPPED, (read_report(job) or {}) | same)
        else:
            to_do.append(job)
    if not to_do:
        return
    remove_leftovers(path for job in to_do for path in (job.target, report_path(job.target)))
    is_alone = min(options.jobs, len(to_do)) == 1
    reports = _one_by_one(to_do, options, interrupted) if is_alone else _at_once(to_do, options)
    with contextlib.closing(reports):
        for job, report in reports:
            yield job, Outcome(batch_log.FAILED if "error" in report else batch_log.DONE, report)


def _is_done(job: Job, options: argparse.Namespace) -> bool:
    try:
        reason = find_reason(job, read_origin(job, _contract(options)))
    except PadsError:  # the input cannot be read: the attempt says so
        return False
    if reason:
        say(f"pads: {job.source.path}: once more, for {reason}")
    return reason is None


def _one_by_one(
    jobs: Sequence[Job], options: argparse.Namespace, interrupted: threading.Event
) -> Iterator[tuple[Job, dict]]:
    prior = open_prior(options, options.threads)
    for number, job in enumerate(jobs):
        name = job.source.path.name
        progress = Progress(name if len(jobs) == 1 else f"{name} ({number + 1} of {len(jobs)})")
        report = attempt(job, options, prior, progress.show)
        progress.end()
        if interrupted.is_set():
            raise KeyboardInterrupt
        yield job, report


def _at_once(jobs: Sequence[Job], options: argparse.Namespace) -> Iterator[tuple[Job, dict]]:
    open_prior(options, options.threads)  # what is wrong with it is said once, and its trial is made once
    count = min(options.jobs, len(jobs))
    with Pool(jobs, options.words, count, options.threads or max(1, _cores() // count)) as pool:
        yield from pool.reports()


def open_prior(options: argparse.Namespace, threads: int | None) -> Prior:
    """The prior that is asked for, on the device that was chosen for this computer."""
    folder = _contract(options).parent
    return load_prior(options.prior, folder, threads, host=read_host(), say=lambda text: say(f"pads: {text}"))


def _contract(options: argparse.Namespace) -> Path:
    """The contract of the prior that is asked for; PriorError where a prior of one's own cannot be used."""
    own = options.prior_file
    folder = prior_folder(own, options.prior) if own else bundled_models_dir()
    return folder / f"pads_{options.prior}.json"


def _cores() -> int:
    """Processor cores that this process may use: schedulers such as Slurm give a job some of them."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _start_fields(options: argparse.Namespace, files: int) -> dict:
    shard = "/".join(map(str, options.shard)) if options.shard else None
    return {"files": files, "jobs": options.jobs, "shard": shard, "command": options.words}


def _finish(options: argparse.Namespace, outcomes: Sequence[Outcome], log: Log, seconds: float) -> None:
    """The report, the end of the log, and the table where there are several files."""
    if options.report:
        reports = [outcome.report for outcome in outcomes]
        write_json(options.report, reports if len(reports) > 1 else reports[0])
    log.note("end", {"summary": batch_log.summary(outcomes, seconds), "seconds": round(seconds, 1)})
    if len(outcomes) > 1:
        say(batch_log.table(outcomes, seconds))
