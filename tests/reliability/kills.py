"""A batch killed at random moments and resumed: sources stay, no file is half written, the rest gets done. No bpy.

The command runs as a program of its own, and is killed as the system kills: it cannot tidy up.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from pads_blender.core.bvh import read_bvh
from pads_blender.errors import PadsError

from ..shaky_takes import shaky_take

ROOT = Path(__file__).resolve().parents[2]
_TAKES, _FRAMES = 6, 40
_LONGEST_SECONDS = 600.0  # a run that takes longer hangs
_KILLED = -9  # in place of an exit code


@dataclass
class Kills:
    """What became of a number of runs."""

    started: int = 0
    killed: int = 0
    resumed: int = 0  # runs to the end after kills, their results those of a run that was let alone
    failures: list[str] = field(default_factory=list)


def kill_batches(count: int, folder: Path, seed: int = 0) -> Kills:
    """Kill so many runs; failures say what was not as promised."""
    rng, found = Random(seed), Kills()
    sources, reference, seconds = _prepare(folder)
    out, round_number = folder / "out0", 0
    while found.killed < count:
        code = _run(sources, out, rng.uniform(0.05, 0.75) * seconds)
        found.started += 1
        found.killed += code != 0
        if code not in (0, _KILLED):
            found.failures.append(f"kill {found.killed}: it ended by itself with exit code {code}")
        found.failures += [f"kill {found.killed}: {each}" for each in _faults(sources, out, reference)]
        if code == 0 or found.killed == count or rng.random() < 0.05:
            found.failures += _finish(sources, out, reference, found)
            round_number += 1
            out = folder / f"out{round_number}"
    return found


def _prepare(folder: Path) -> tuple[dict[Path, bytes], dict[str, bytes], float]:
    """Sources, the results of a run that is let alone, and how long that takes."""
    source = folder / "in"
    source.mkdir()
    sources = {source / f"take{number}.bvh": shaky_take(_FRAMES + number).encode() for number in range(_TAKES)}
    for path, data in sources.items():
        path.write_bytes(data)
    began = time.monotonic()
    code = _run(sources, folder / "alone", _LONGEST_SECONDS)
    if code != 0:
        raise RuntimeError(f"the batch does not work when it is let alone: exit code {code}")
    reference = {path.name: path.read_bytes() for path in (folder / "alone").glob("*.bvh")}
    return sources, reference, time.monotonic() - began


def _run(sources: dict[Path, bytes], out: Path, seconds: float) -> int:
    """Exit code of the command; _KILLED if it had to be killed after so many seconds."""
    command = [sys.executable, "-m", "pads_blender", "clean", *map(str, sources), "-o", str(out), "--resume"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, env=environment) as process:
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return _KILLED


def _faults(sources: dict[Path, bytes], out: Path, reference: dict[str, bytes]) -> list[str]:
    """What is not as it should be after a kill: sources, and every file that is to be seen."""
    faults = [f"{path.name} was changed" for path, data in sources.items() if path.read_bytes() != data]
    beside = [item for item in next(iter(sources)).parent.iterdir() if item not in sources]
    faults += [f"{item.name} lies beside the sources" for item in beside]
    for path in (item for item in out.glob("*") if not item.name.startswith(".")):
        try:
            if path.suffix == ".json":
                json.loads(path.read_text(encoding="utf-8"))
            elif path.suffix == ".bvh":
                read_bvh(path)
        except (PadsError, ValueError) as error:
            faults.append(f"{path.name} is half written: {error}")
        if path.suffix == ".bvh" and path.read_bytes() != reference[path.name]:
            faults.append(f"{path.name} is not what it is without a kill")
    return faults


def _finish(sources: dict[Path, bytes], out: Path, reference: dict[str, bytes], found: Kills) -> list[str]:
    """Resume to the end: all results are there, and nothing that killed runs left."""
    if _run(sources, out, _LONGEST_SECONDS) != 0:
        return [f"after kill {found.killed}: --resume does not finish"]
    found.started, found.resumed = found.started + 1, found.resumed + 1
    missing = sorted(set(reference) - {path.name for path in out.glob("*.bvh")})
    hidden = [path.name for path in out.iterdir() if path.name.startswith(".")]
    faults = [f"after kill {found.killed}: {name} is missing" for name in missing]
    faults += [f"after kill {found.killed}: {name} is left behind" for name in hidden]
    return faults + _faults(sources, out, reference)
