"""Buttons, undo, files and keys in random order in Blender's window; the same seed makes the same moves and keys.

What is going on when a move is made is for the clock to say: slow work goes on while Blender draws and ticks.
"""

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random

import build_package

from .program import COMMAND, INSTALL, Program, Sidebar, open_program, wait_for

ROOT = Path(__file__).resolve().parents[2]
_IMPORT = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.window import blows"
_BEGIN = """
blows.run = blows.WindowRun({seed}, {folder!r})  # Blender's own places for such things are emptied with each file
"""
_BLOWS = "sys.modules['tests.window.blows']"
_RUN = f"{_BLOWS}.run"
_MEMORY = f"{_BLOWS}.leftovers.used_megabytes()"
_JOBS = "sys.modules['bl_ext.user_default.pads_mocap.jobs']"
_KEYS = ("Escape", "Escape", "ctrl+z", "ctrl+shift+z", "space", "Home", "Right")
_DRAGGING = f"{_BLOWS}.is_dragging()"
_ENDS = ("", "Return", "Escape")  # of a drag: a click, or a key
_ROUNDS = 6  # after each of which the file is an empty one, and memory is measured
_OUTSIDE = 0.3  # share of the moves after which a key is pressed, or the sidebar clicked
_LISTENED_SECONDS = 1.0


@dataclass(frozen=True)
class WindowBlows:
    """What a run came to; megabytes of memory before the first move and after each round, an empty file being open.

    With that undo steps, takes and whatever else the moves made are gone: what stays, and grows, is lost.
    full_megabytes: after each round with all of that still there. first_done: moves that a round made and none before
    it. done and refused: moves by their names.
    """

    steps: int
    seconds: float
    megabytes: tuple[float, ...]
    full_megabytes: tuple[float, ...]
    first_done: tuple[tuple[str, ...], ...]
    done: dict[str, int]
    refused: dict[str, int]
    blender: str
    python: str


def hammer_new_window(seed: int, seconds: float) -> WindowBlows:
    """A run in a Blender of its own, with the extension installed from its zip."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        package = build_package.write_package(folder, build_package.blender_ext_script(Path(sys.prefix)))
        with open_program(COMMAND, folder / "talk", folder / "profile") as program:
            program.run(INSTALL.format(package=str(package)))
            return hammer_window(program, seed, seconds, folder, _ROUNDS)


def hammer_window(program: Program, seed: int, seconds: float, folder: Path, rounds: int) -> WindowBlows:
    """A run for so long in rounds; AssertionError says what went wrong, and moves.txt in the folder what led to it."""
    rng = Random(seed)
    program.run(_IMPORT + _BEGIN.format(seed=seed, folder=str(folder)))
    Sidebar(program)
    program.run(f"{_RUN}.warm_up()")
    began, megabytes, full, first, done = time.monotonic(), [program.ask(_MEMORY)], [], [], {}
    for _ in range(rounds):
        program.run(f"{_RUN}.begin()")
        _hammer_for(program, rng, seconds / rounds)
        full.append(program.ask(_MEMORY))
        before, done = done, program.ask(f"{_RUN}.hammer.blows.done")
        first.append(tuple(name for name in done if name not in before))
        _empty(program)
        megabytes.append(program.ask(_MEMORY))
    seconds, steps = time.monotonic() - began, program.ask(f"{_RUN}.hammer.blows.steps")
    versions = program.ask("bpy.app.version_string"), program.ask("sys.version.split()[0]")
    assert not (events := _clear(program)), f"a timer is left behind: {events} events"
    assert "Traceback" not in program.log(), program.log()[-3000:]
    refused = program.ask(f"{_RUN}.hammer.blows.refused")
    return WindowBlows(steps, seconds, tuple(megabytes), tuple(full), tuple(first), done, refused, *versions)


def _hammer_for(program: Program, rng: Random, seconds: float) -> None:
    """Moves for so long, between which Blender draws and what is under way goes on."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        program.run(f"{_RUN}.blow({rng.choice((1, 1, 2, 4))})")
        if program.ask(_DRAGGING):
            _drag(program, rng)
        elif rng.random() < _OUTSIDE:
            _from_outside(program, rng)
        time.sleep(rng.choice((0.0, 0.05, 0.3)))


def _drag(program: Program, rng: Random) -> None:
    """Move the mouse over the view by hand, and keep the pose that is dragged, or go back."""
    x, y = rng.uniform(300, 600), rng.uniform(400, 600)
    for _ in range(rng.randrange(1, 10)):
        x, y = x + rng.uniform(-40, 40), y + rng.uniform(-40, 40)
        program.screen.move(x, y)
        time.sleep(0.05)
    end = rng.choice(_ENDS)
    program.screen.key(end) if end else program.screen.click(x, y)
    wait_for(lambda: not program.ask(_DRAGGING))


def _from_outside(program: Program, rng: Random) -> None:
    """A key with the mouse over the view, or a click somewhere in the sidebar."""
    left, bottom, width, height = program.ask("place_of('UI')") if rng.random() < 0.5 else (0, 0, 0, 0)
    if width > 50:
        program.screen.click(left + rng.uniform(0.1, 0.9) * width, bottom + rng.uniform(0.05, 0.95) * height)
        return
    program.screen.move(rng.uniform(200, 700), rng.uniform(300, 700))
    program.screen.key(rng.choice(_KEYS))


def _empty(program: Program) -> None:
    """End what is under way, and have an empty file open."""
    for _ in range(3):  # of menus and file browsers that clicks may have opened
        program.screen.key("Escape")
    program.run(f"{_RUN}.clear()")
    wait_for(lambda: not program.ask(f"{_JOBS}.is_busy_behind()"))


def _clear(program: Program) -> int:
    """See that nothing is left in an empty file; the timer events that the window still gets in a second."""
    _empty(program)
    events = count_timer_events(program)
    program.run(f"{_RUN}.check_left()")
    return events


def count_timer_events(program: Program) -> int:
    """Events that timers send to the window in a second."""
    program.run(f"{_IMPORT}\nblows.listen()")
    time.sleep(_LISTENED_SECONDS)
    events = program.ask(f"{_BLOWS}.heard()")
    for x in (300, 310):  # events, at which counting ends
        program.screen.move(x, 300)
    time.sleep(0.5)
    return events
