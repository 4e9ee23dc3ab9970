"""A night's batch, measured: many takes through the command line in one process, in two, and killed half-way.

python -m pads_blender.training.batch_trial --data DIR --out DIR prints what came of it and writes it as JSON. Each
process has one thread. For Linux: memory and processes are read from /proc. Times need a machine that has nothing else
to do.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ..core.bvh_text import PosedBones, bvh_text
from ..core.rig import RigTake, world_matrices
from .bench import Setup
from .command_line import PACKAGE
from .length_suite import jittered
from .rig_suites import to_and_fro

RATIO_GOAL, MEMORY_GOAL_MB = 1.6, 1000.0
_END_METRES = 0.1  # length of bones that nothing hangs on
_LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Timed:
    """One run of the command line."""

    jobs: int
    seconds: float
    processor_seconds: float  # of all its processes
    peak_megabytes: float  # of the largest of them


@dataclass(frozen=True)
class Resumed:
    """A run that was killed, and the one that went on with it."""

    takes: int
    finished_before: int  # when it was killed, with their reports
    damaged: int  # results that were there then, and not what an undisturbed run writes
    done_again: int  # of those that were finished
    missing: int  # after the second run
    different: int  # after the second run, from what an undisturbed run writes
    leftovers: int  # hidden files after the second run

    @property
    def is_sound(self) -> bool:
        """Whether nothing was lost, and nothing done twice."""
        lost = (self.damaged, self.done_again, self.missing, self.different, self.leftovers)
        return 0 < self.finished_before < self.takes and not any(lost)


def write_takes(setup: Setup, folder: Path, count: int, frames: int) -> None:
    """So many captured clips with jitter, each played to and fro to so many frames, as BVH files."""
    clips = setup.rig_clips
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        take = jittered(to_and_fro(clips[number % len(clips)].take, frames))
        (folder / f"take{number:04}.bvh").write_text(bvh_text(_posed(take)), encoding="utf-8")


def _posed(take: RigTake) -> PosedBones:
    rest = take.world_from_armature @ take.rest
    is_end = ~np.isin(np.arange(len(take.names)), take.parents)
    tails = rest[:, :3, 3] + np.where(is_end[:, None], [0.0, 0.0, _END_METRES], 0.0)
    return PosedBones(take.names, take.parents, rest, tails, world_matrices(take), take.fps)


def start(takes: Path, out: Path, jobs: int) -> subprocess.Popen:
    """The command line on a folder, one thread a process."""
    words = ["clean", str(takes), "-o", str(out), "--jobs", str(jobs), "--threads", "1", "--resume"]
    command, alone = [sys.executable, "-m", "pads_blender", *words], {"OMP_NUM_THREADS": "1"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, cwd=PACKAGE.parent, env=os.environ | alone, start_new_session=True, **quiet)


def time_run(takes: Path, out: Path, jobs: int) -> Timed:
    """How long the whole batch takes, and how much memory; RuntimeError where it fails."""
    began, peak, watched = time.perf_counter(), 0.0, threading.Event()
    process = start(takes, out, jobs)
    before = _children_seconds()
    while not watched.wait(_LOOK_SECONDS):
        peak = max([peak, *map(_peak_megabytes, tree_of(process.pid))])
        if process.poll() is not None:
            break
    seconds = time.perf_counter() - began
    if process.returncode:
        raise RuntimeError(f"the batch in {out} ended with code {process.returncode}")
    return Timed(jobs, seconds, _children_seconds() - before, peak)


def kill_and_resume(takes: Path, whole: Path, out: Path, jobs: int) -> Resumed:
    """Kill a run when half of it is done, all its processes at once, and run it again; compare with a whole run."""
    names = sorted(path.name for path in takes.glob("*.bvh"))
    process = start(takes, out, jobs)
    while len(list(out.glob("*.bvh"))) < len(names) / 2 and process.poll() is None:
        time.sleep(0.01)
    for pid in tree_of(process.pid):
        os.kill(pid, signal.SIGKILL)
    process.wait()
    there = [name for name in names if (out / name).exists()]
    finished = {name: (out / name).stat().st_mtime_ns for name in there if (out / f"{name}.pads.json").exists()}
    damaged = sum(not _same(whole / name, out / name) for name in there)
    start(takes, out, jobs).wait()
    after = [name for name in names if (out / name).exists()]
    return Resumed(
        takes=len(names),
        finished_before=len(finished),
        damaged=damaged,
        done_again=sum((out / name).stat().st_mtime_ns != stamp for name, stamp in finished.items()),
        missing=len(names) - len(after),
        different=sum(not _same(whole / name, out / name) for name in after),
        leftovers=len(list(out.glob(".*"))),
    )


def _same(first: Path, second: Path) -> bool:
    return first.read_bytes() == second.read_bytes()


def tree_of(pid: int) -> list[int]:
    """A process and all that it has started, by /proc."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError, ValueError):
            continue  # it has just ended
    found = [pid]
    for parent in found:  # it grows meanwhile
        found += [child for child, its_parent in parents.items() if its_parent == parent]
    return [each for each in found if each in parents]


def _peak_megabytes(pid: int) -> float:
    """The most resident memory that a process has had."""
    try:
        return int(re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1]) / 1024.0
    except (OSError, TypeError):
        return 0.0  # it has just ended


def _children_seconds() -> float:
    """Processor time of all ended processes that this one has started, theirs included."""
    times = os.times()
    return times.children_user + times.children_system


def markdown(found: dict) -> str:
    """What was measured, beside what was asked for."""
    rows = [
        f"| {run['jobs']} | {run['seconds']:.0f} | {run['processor_seconds']:.0f} | {run['peak_megabytes']:.0f} |"
        for run in found["runs"]
    ]
    table = ["| jobs | seconds | processor seconds | MB of the largest process |", "|---|---|---|---|", *rows]
    resumed = Resumed(**found["resumed"])
    sound = "nothing lost" if resumed.is_sound else f"not sound: {resumed}"
    said = [
        f"{found['takes']} takes of {found['frames']} frames. Two jobs are {found['ratio']:.2f} times as fast as one "
        f"(goal {RATIO_GOAL:g}); {found['peak_megabytes']:.0f} MB at most (goal {MEMORY_GOAL_MB:.0f}). Killed with "
        f"{resumed.finished_before} of {resumed.takes} done and resumed: {sound}."
    ]
    return "\n".join([*table, "", *said])


def measure(given: argparse.Namespace) -> dict:
    """Everything, as plain data; the runs with one and two jobs take turns."""
    takes = given.out / "takes"
    write_takes(Setup(given.data), takes, given.takes, given.frames)
    runs = [
        time_run(takes, given.out / f"{jobs}-jobs-{turn}", jobs) for turn in range(given.repeats) for jobs in (1, 2)
    ]
    best = {jobs: min(run.seconds for run in runs if run.jobs == jobs) for jobs in (1, 2)}
    resumed = kill_and_resume(takes, given.out / "1-jobs-0", given.out / "killed", 2)
    return {
        "takes": given.takes,
        "frames": given.frames,
        "runs": [asdict(run) for run in runs],
        "ratio": best[1] / best[2],
        "peak_megabytes": max(run.peak_megabytes for run in runs),
        "resumed": asdict(resumed),
    }


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m pads_blender.training.batch_trial", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and dev/")
    parser.add_argument("--out", type=Path, required=True, help="a new folder for takes and results")
    parser.add_argument("--takes", type=int, default=200)
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--repeats", type=int, default=1, help="of the runs that are timed; the best of each counts")
    given = parser.parse_args(arguments)
    if given.out.exists() and any(given.out.iterdir()):
        parser.error(f"{given.out} is not empty: what is done already would be left out")
    found = measure(given)
    (given.out / "batch.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(markdown(found), flush=True)


if __name__ == "__main__":
    main()
