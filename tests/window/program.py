"""Blender's program on a screen of its own: started, asked, clicked, pictured."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
COMMAND = shlex.split(os.environ.get("PADS_BLENDER", ""))  # starts Blender, empty where there is none
TOOLS = shlex.split(os.environ.get("PADS_BLENDER_SHELL", ""))
SIZE = (1600, 1000)
INSTALL = "bpy.ops.extensions.package_install_files(filepath={package!r}, repo='user_default', enable_on_install=True)"
PATIENCE_SECONDS = 120.0  # the window is drawn in software, often on a machine that has other things to do


def wait_for(condition: Callable[[], object], seconds: float = PATIENCE_SECONDS, every: float = 0.05) -> object:
    """What the condition says as soon as it says something true."""
    ends = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < ends, f"waited {seconds:g} s in vain"
        time.sleep(every)
    return found


@contextlib.contextmanager
def started(command: list[str], **options: object) -> Iterator[subprocess.Popen]:
    """A process that is gone afterwards, with all that it started."""
    process = subprocess.Popen(command, start_new_session=True, **options)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Screen:
    """A virtual screen with mouse and keys."""

    def __init__(self, shell: subprocess.Popen) -> None:
        self._shell = shell

    def do(self, command: str) -> str:
        """Output of a command beside Blender, as one line."""
        self._shell.stdin.write(f"echo $({command})\n")
        self._shell.stdin.flush()
        return self._shell.stdout.readline().strip()

    def move(self, x: float, y: float) -> None:
        """Put the mouse there, from the left edge and from the bottom, as Blender counts."""
        self.do(f"xdotool mousemove {x:.0f} {SIZE[1] - y:.0f}")

    def click(self, x: float, y: float) -> None:
        """Press the left button there, at a person's pace."""
        self.move(x - 3, y)
        self.move(x, y)
        time.sleep(0.4)
        self.do("xdotool mousedown 1")
        time.sleep(0.1)
        self.do("xdotool mouseup 1")

    def key(self, name: str) -> None:
        """Press a key, named as xdotool names it."""
        self.do(f"xdotool key {name}")

    def picture(self, path: Path) -> Path:
        """Save what the screen shows."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.do(f"import -window root {shlex.quote(str(path))}")
        assert path.stat().st_size > 5000
        return path


@contextlib.contextmanager
def open_screen() -> Iterator[tuple[Screen, str]]:
    """A screen and its name."""
    name = f":{random.randint(100, 899)}"
    command = [*TOOLS, "Xvfb", name, "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24", "+extension", "GLX", "-nolisten", "tcp"]
    environment = {**os.environ, "DISPLAY": name}
    pipes = {
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.DEVNULL,
        "text": True,
        "env": environment,
    }
    with started(command, stderr=subprocess.DEVNULL), started([*TOOLS, "bash"], **pipes) as shell:
        screen = Screen(shell)
        wait_for(lambda: screen.do("xdotool getdisplaygeometry"))
        yield screen, name


@dataclass(frozen=True)
class Program:
    """Blender that runs, its screen, and the folder through which it is asked."""

    screen: Screen
    process: subprocess.Popen
    folder: Path

    def run(self, source: str) -> object:
        """The variable `answer` after Python source has run in Blender."""
        answer = self.folder / "answer.json"
        answer.unlink(missing_ok=True)
        (self.folder / "request.part").write_text(source, encoding="utf-8")
        (self.folder / "request.part").replace(self.folder / "request.py")
        wait_for(lambda: answer.exists() or self._check_alive(), every=0.01)
        found = json.loads(answer.read_text(encoding="utf-8"))
        assert "failure" not in found, found["failure"]
        return found["answer"]

    def ask(self, expression: str) -> object:
        """Value of an expression in Blender."""
        return self.run(f"answer = {expression}")

    def _check_alive(self) -> bool:
        assert self.process.poll() is None, (self.folder / "blender.log").read_text(errors="replace")[-3000:]
        return False

    def log(self) -> str:
        """What Blender has printed."""
        return (self.folder / "blender.log").read_text(errors="replace")


@contextlib.contextmanager
def open_program(command: list[str], folder: Path, profile: Path) -> Iterator[Program]:
    """Blender with its window in a profile; nothing of the user's own is read or written."""
    folder.mkdir(parents=True, exist_ok=True)
    profile.mkdir(parents=True, exist_ok=True)
    arguments = ["--window-geometry", "0", "0", *map(str, SIZE), "--gpu-backend", "opengl"]
    arguments += ["--python", str(HERE / "inside.py"), "--", str(folder)]
    with open_screen() as (screen, name), (folder / "blender.log").open("w") as log:
        environment = {**os.environ, "DISPLAY": name, "BLENDER_USER_RESOURCES": str(profile)}
        environment["REAL_BLENDER_HOME"] = str(profile)
        options = {"env": environment, "stdout": log, "stderr": subprocess.STDOUT}
        with started([*command, *arguments], **options) as process:
            program = Program(screen, process, folder)
            wait_for(lambda: program.ask("True"))
            screen.do("xdotool windowfocus $(xdotool search --class Blender | head -1)")
            yield program


class Sidebar:
    """The PADS tab of an editor, as somebody at the screen uses it."""

    def __init__(self, program: Program, editor: str = "VIEW_3D") -> None:
        self._program, self._editor, self._found = program, editor, {}
        program.run(f"area({editor!r}).spaces[0].show_region_ui = True")
        wait_for(lambda: self._place()[2] > 50)
        wait_for(self._opened)

    def _place(self) -> list[int]:
        return self._program.ask(f"place_of('UI', {self._editor!r})")

    def _opened(self) -> bool:
        """Whether the tab is shown; the tabs are there only once the sidebar was drawn."""
        with contextlib.suppress(AssertionError):
            self._program.run(f"open_tab({self._editor!r})")
        self._program.run(f"region('UI', {self._editor!r}).tag_redraw()")
        time.sleep(0.3)
        return self._program.ask(f"region('UI', {self._editor!r}).active_panel_category") == "PADS"

    def find(self, operator: str) -> tuple[float, float]:
        """Where a button of this operator is: the mouse goes down the sidebar until it is on one."""
        for rest in (0.08, 0.3, 0.8):  # slower and slower: Blender takes note of the mouse when it finds the time
            for x, y in [*self._found.get(operator, []), *self._grid()]:
                self._program.screen.move(x, y)
                time.sleep(rest)
                if self._is_on(operator):
                    time.sleep(0.3)  # for it may have been the answer for the place before
                    if self._is_on(operator):
                        self._found[operator] = [(x, y)]
                        return x, y
        raise AssertionError(f"there is no button of {operator} in the sidebar")

    def _grid(self) -> list[tuple[float, float]]:
        left, bottom, width, height = self._place()
        step = int(14 * self._program.ask("bpy.context.preferences.system.ui_scale"))  # a button is 20 high
        rows = range(bottom + height - step, bottom, -step)
        return [(left + share * width, y) for share in (0.2, 0.45, 0.7) for y in rows]

    def _is_on(self, operator: str) -> bool:
        return operator in self._program.ask(f"under_mouse({self._editor!r})")

    def press(self, operator: str) -> None:
        """Find the button and click on it."""
        self._program.screen.click(*self.find(operator))
