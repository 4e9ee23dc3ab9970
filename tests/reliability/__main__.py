"""`python -m tests.reliability [PART ...]`: the long form of the tests, its figures printed and, with --write, kept.

Each part runs in processes of its own. `replay KIND SEED NUMBER FILE` writes one input of the fuzzer to a file.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median

from . import fuzz, kills
from .page import today, write_rows

ROOT = Path(__file__).resolve().parents[2]
_REAL_TAKES = Path(os.environ.get("PADS_SHARED") or ROOT.parent / "shared") / "data" / "rigs"
_LONGEST_WAIT_SECONDS = 1.0
_MOST_GROWTH = 1.1  # of memory with an empty file, which goes up and down, from the first half's median to the second's
_MOST_GROWTH_IN_WINDOW = 1.03  # where it is steadier
_HELD = "no crash or exception, nothing left behind; memory with an empty file"
_CHUNK = 500  # inputs a task: a process that dies takes no more along
Rows = dict[str, tuple[str, str, str]]


def main() -> int:
    """Run what is asked for; 1 if anything that is promised did not hold."""
    options = _parser().parse_args()
    if options.parts[:1] == ["replay"]:
        return replay(*options.parts[1:])
    failed = False
    for part in options.parts or list(PARTS):
        rows, failures = PARTS[part](options)
        for what, cells in rows.items():
            print(f"{what}: {', '.join(cells)}", flush=True)
        for failure in failures:
            print(f"  {failure}", flush=True)
        failed = failed or bool(failures)
        if options.write:
            write_rows(rows)
    return int(failed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"{', '.join(PARTS)} (default: all), or replay KIND SEED NUMBER FILE")
    parser.add_argument("--inputs", type=int, default=100_000, help="of the fuzzer (default: %(default)s)")
    parser.add_argument("--kills", type=int, default=200, help="of a batch (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=10.0, help="of hammering (default: %(default)s)")
    parser.add_argument("--window-minutes", type=float, default=2.0, help="of it in the window (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same inputs and blows")
    parser.add_argument("--processes", type=int, default=1, help="of the fuzzer (default: %(default)s)")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/reliability.md")
    return parser


# --- parts ------------------------------------------------------------------------------------------------------------


def run_fuzz(options: argparse.Namespace) -> tuple[Rows, list[str]]:
    """Damaged files of every kind, as many of each."""
    share = -(-options.inputs // len(fuzz.KINDS))
    rows, failures, total, slowest = {}, [], 0, 0.0
    with ProcessPoolExecutor(options.processes) as pool:
        for name in fuzz.KINDS:
            starts = range(0, share, _CHUNK)
            found = [pool.submit(_fuzz_some, name, s, min(_CHUNK, share - s), options.seed) for s in starts]
            tallies = [each.result() for each in found]
            failures += [failure for tally in tallies for failure in tally.failures]
            tried, taken, refused = (sum(getattr(t, f) for t in tallies) for f in ("tried", "accepted", "refused"))
            slowest, total = max(slowest, *(tally.slowest_seconds for tally in tallies)), total + tried
            print(f"{name}: {tried} inputs, {taken} read, {refused} refused", flush=True)
            print(*(f"  {failure}\n" for tally in tallies for failure in tally.failures), sep="", end="", flush=True)
    held = f"{len(failures)} crashes, hangs or bad sentences; the slowest took {slowest:.2f} s"
    rows["damaged files"] = (f"{total} inputs of {len(fuzz.KINDS)} kinds, seed {options.seed}", held, today())
    return rows, failures


def _fuzz_some(name: str, first: int, count: int, seed: int) -> fuzz.Tally:
    with tempfile.TemporaryDirectory() as folder:
        numbers = range(first, first + count)
        real = _REAL_TAKES if _REAL_TAKES.is_dir() else None
        return fuzz.fuzz(fuzz.KINDS[name], numbers, Path(folder), seed, real)


def run_commands(options: argparse.Namespace) -> tuple[Rows, list[str]]:
    """Command lines, damaged; they need Blender, and so a process of their own."""
    count = max(1, options.inputs // 50)
    found = _run_module("tests.reliability.command_lines", options.seed, count)
    if found is None:
        return {}, ["command lines: Blender broke down"]
    held = f"{len(found['failures'])} crashes, files left or outputs written; {found['refused']} refused"
    return {"damaged command lines": (f"{found['tried']} lines", held, today(found["blender"]))}, found["failures"]


def run_kills(options: argparse.Namespace) -> tuple[Rows, list[str]]:
    """A batch killed at random moments, and resumed."""
    with tempfile.TemporaryDirectory() as folder:
        found = kills.kill_batches(options.kills, Path(folder), options.seed)
    held = f"{len(found.failures)} sources changed, files half written or results missing; {found.resumed} resumed"
    return {"batches killed": (f"{found.killed} of {found.started} runs", held, today())}, found.failures


def run_hammer(options: argparse.Namespace) -> tuple[Rows, list[str]]:
    """Buttons in random order for so many minutes."""
    found = _run_module("tests.reliability.hammer", options.seed, 60 * options.minutes)
    if found is None:
        return {}, ["hammer: see above"]
    memory = found["megabytes"]
    half = (len(memory) + 1) // 2
    first, second = median(memory[:half]), median(memory[-half:])
    print("megabytes with an empty file:", *map(round, memory), flush=True)
    held = f"{_HELD} {first:.0f} MB in the first half, {second:.0f} MB in the second, by the medians"
    pressed = f"{found['steps']} steps in {found['seconds'] / 60:.1f} min, seed {options.seed}"
    grown = [f"hammer: memory grew, {held}"] if second > _MOST_GROWTH * first else []
    return {f"buttons hammered, Blender {found['blender'][:3]}": (pressed, held, today(found["blender"]))}, grown


def run_window(options: argparse.Namespace) -> tuple[Rows, list[str]]:
    """The same in Blender's window, with mouse and keys; PADS_BLENDER and PADS_BLENDER_SHELL say how it is started."""
    from ..window import hammering

    if not hammering.COMMAND:
        return {}, ["window: PADS_BLENDER does not say how a Blender with a window is started"]
    try:
        found = hammering.hammer_new_window(options.seed, 60 * options.window_minutes)
    except AssertionError as error:
        return {}, [f"window: {error}"]
    print("megabytes with an empty file:", *map(round, found.megabytes), flush=True)
    print("megabytes before it was opened:", *map(round, found.full_megabytes), flush=True)
    print("done for the first time in each round:", *map(", ".join, found.first_done), sep="\n  ", flush=True)
    print(f"done: {found.done}; refused: {found.refused}", flush=True)
    half, end = found.megabytes[len(found.megabytes) // 2], found.megabytes[-1]
    pressed = f"{found.steps} steps in {found.seconds / 60:.1f} min, seed {options.seed}"
    held = f"{_HELD} {half:.0f} MB half-way, {end:.0f} MB at the end"
    held += f", {max(found.full_megabytes):.0f} MB with what was open at most"
    cells = pressed, held, today(found.blender, found.python)
    grown = [f"window: memory grew from {half:.0f} to {end:.0f} MB"] if end > _MOST_GROWTH_IN_WINDOW * half else []
    return {"buttons hammered in the window": cells}, grown


def run_long(options: argparse.Namespace) -> tuple[Rows, list[str]]:
    """A take of 250,000 frames: time, memory, and how soon it is cancelled."""
    found = _run_module("tests.reliability.long_takes", 250_000)
    if found is None:
        return {}, ["long take: see above"]
    held = f"at most {found['megabytes']:.0f} MB beside the take's own {found['take_megabytes']:.0f} MB"
    held += f"; a cancel is answered within {found['slowest_cancel']:.2f} s, the longest {found['slowest_stage']}"
    print(*found["longest"], sep="\n", flush=True)
    worked = f"{found['frames']} frames cleaned, and their feet held, in {found['seconds']:.0f} s"
    return {"long take": (worked, held, today())}, _slow(found)


def run_writes(options: argparse.Namespace) -> tuple[Rows, list[str]]:
    """The same take read from Blender's curves and written back: how soon that is cancelled."""
    found = _run_module("tests.reliability.long_writes", 250_000)
    if found is None:
        return {}, ["long take in Blender: see above"]
    print(*found["longest"], sep="\n", flush=True)
    worked = f"{found['frames']} frames of {found['curves']} curves in {found['parts']} parts, {found['seconds']:.0f} s"
    held = f"a cancel is answered within {found['slowest_cancel']:.2f} s, the longest {found['slowest_stage']}"
    held += f"; Blender copies the action in {found['copy']:.2f} s of that, on memory that was used before"
    held += f" (the first copy of the run: {found['first_copy']:.1f} s)"
    held += f", and takes up to {found['slowest_update']:.1f} s to work out what was changed before it draws"
    what = f"long take read and written, Blender {found['blender'][:3]}"
    return {what: (worked, held, today(found["blender"]))}, _slow(found)


def _slow(found: dict) -> list[str]:
    """What is wrong about a long take that is not cancelled soon."""
    seconds = found["slowest_cancel"]
    return [f"a cancel waits {seconds:.2f} s, {found['slowest_stage']}"] if seconds > _LONGEST_WAIT_SECONDS else []


def _run_module(module: str, *arguments: object) -> dict | None:
    """The JSON of the last line that a module prints, run by itself; None where it fails."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    found = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if found.returncode:
        print(f"{module} ended with {found.returncode}", flush=True)
        return None
    return json.loads(found.stdout.strip().splitlines()[-1])


Part = Callable[[argparse.Namespace], tuple[Rows, list[str]]]
PARTS: dict[str, Part] = {
    "fuzz": run_fuzz,
    "commands": run_commands,
    "kills": run_kills,
    "hammer": run_hammer,
    "window": run_window,
    "long": run_long,
    "writes": run_writes,
}


def replay(kind: str, seed: str, number: str, file: str) -> int:
    """Write one input of the fuzzer to a file."""
    with tempfile.TemporaryDirectory() as folder:
        real = _REAL_TAKES if _REAL_TAKES.is_dir() else None
        sound = fuzz.sound_files(fuzz.KINDS[kind], Path(folder), real)
        Path(file).write_bytes(fuzz.damaged(fuzz.KINDS[kind], sound, int(seed), int(number)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
