"""Blender with PADS pressed, undone, loaded and deleted in random order; the same seed presses the same buttons.

`python -m tests.reliability.hammer SEED SECONDS [MOVES]` prints what came of it as JSON; a crash of Blender leaves the
moves before it in the file MOVES. What may be done is in moves.py, and what must not be left in leftovers.py.
"""

import contextlib
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import bpy

from pads_blender import jobs
from pads_blender.blender import addon
from pads_blender.blender.session import Session
from pads_blender.errors import PadsError

from .leftovers import BrokenError, check_keys, compare, count_data, count_handlers, unmark_copy, used_megabytes
from .moves import MOVES, Move

_STEPS_A_FILE = 250  # after which the file is an empty one, and memory is measured


@dataclass
class Blows:
    """What a run of the hammer came to."""

    seed: int
    steps: int = 0
    seconds: float = 0.0
    done: dict[str, int] = field(default_factory=dict)  # operators that did their work
    refused: dict[str, int] = field(default_factory=dict)  # those that said why not
    megabytes: list[float] = field(default_factory=list)  # of memory, each time with an empty file open


class Hammer:
    """One run: random numbers, the session under way if any, and files that it saved."""

    def __init__(self, seed: int, folder: Path, written: Path | None = None, moves: Sequence[Move] = MOVES) -> None:
        """written: file for the names of the moves that were made; moves: those that may be made."""
        self.rng, self.folder, self.blows = Random(seed), folder, Blows(seed)
        self._written = (written or folder / "moves.txt").open("w", encoding="utf-8", buffering=1)
        self.session: Session | None = None
        self._moves = [move for move in moves for _ in range(move.weight)]

    def step(self) -> str:
        """One move, and what must hold after it; the move's name. BrokenError with the number of the step."""
        move = self.rng.choice(self._moves)
        self._written.write(f"{self.blows.steps} {move.name}\n")
        try:
            name = self._make(move)
            self.check()
        except BrokenError as error:
            raise BrokenError(f"step {self.blows.steps}, {move.name}: {error}") from error
        self.blows.steps += 1
        return name

    def _make(self, move: Move) -> str:
        name = move.name
        try:
            name = move.do(self) or name
            _count(self.blows.done, name)
            if move.is_undo_step:  # a change unknown to undo is for Blender to break on
                bpy.ops.ed.undo_push(message=name)
        except (PadsError, RuntimeError) as error:
            if "Traceback" in str(error):
                raise BrokenError(str(error)) from error
            _count(self.blows.refused, name)
        return name

    def check(self) -> None:
        """No worker without a job, no key of an original changed, no key that is no number."""
        workers = [thread for thread in threading.enumerate() if thread.name.startswith("PADS")]
        if workers and jobs.running() is None and not jobs.is_busy_behind():
            raise BrokenError(f"{workers[0].name} works for nobody")
        for action in bpy.data.actions:
            unmark_copy(action)
            check_keys(action)

    def armature(self) -> bpy.types.Object | None:
        """Some armature of the scene."""
        found = [each for each in bpy.context.scene.objects if each.type == "ARMATURE"]
        return self.rng.choice(found) if found else None

    def end(self) -> None:
        """Whatever is under way ends."""
        jobs.stop()
        if self.session:
            with contextlib.suppress(PadsError):
                self.session.step()
            self.session = None


def _count(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1


# --- a whole run ------------------------------------------------------------------------------------------------------


def hammer(seed: int, seconds: float, written: Path | None = None) -> Blows:
    """A run for so long, PADS being registered; BrokenError says at which step what went wrong."""
    began = time.monotonic()
    with TemporaryDirectory() as folder:
        run = Hammer(seed, Path(folder), written)
        bpy.ops.wm.read_homefile(use_empty=True, load_ui=False)
        left = count_data()
        while time.monotonic() - began < seconds:
            run.step()
            if run.blows.steps % _STEPS_A_FILE == 0:
                _empty(run, left)
        _empty(run, left)
    run.blows.seconds = round(time.monotonic() - began, 1)
    return run.blows


def _empty(run: Hammer, left: dict[str, int]) -> None:
    """Have an empty file open, in which there is what was left at the beginning, and measure memory."""
    run.end()
    bpy.ops.wm.read_homefile(use_empty=True, load_ui=False)
    compare("data-blocks", left, count_data())
    run.blows.megabytes.append(used_megabytes())


def main(seed: int, seconds: float, written: Path | None = None) -> int:
    """The long form, in a process of its own."""
    before = count_handlers()
    addon.register()
    try:
        blows = hammer(seed, seconds, written)
    finally:
        addon.unregister()
    compare("handlers", before, count_handlers())
    if threading.active_count() > 1:
        raise BrokenError(f"threads are left behind: {threading.enumerate()}")
    print(json.dumps(asdict(blows) | {"blender": bpy.app.version_string}))
    return 0


if __name__ == "__main__":
    code = 1
    try:
        code = main(int(sys.argv[1]), float(sys.argv[2]), *map(Path, sys.argv[3:4]))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # the bpy 4.5 module can hang while the interpreter shuts down
