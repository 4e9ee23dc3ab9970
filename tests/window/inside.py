"""Runs in Blender: does what the test sends, and notes when the main thread is free. Knows nothing of the tests.

A request is Python source; its variable `answer` comes back as JSON, or the traceback of its failure. The functions of
this file are at its hand.
"""

import itertools
import json
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np  # noqa: F401 - for requests

FOLDER = Path(sys.argv[sys.argv.index("--") + 1])
TICK_SECONDS = 0.002
JOBS = "bl_ext.user_default.pads_mocap.jobs"


@dataclass(frozen=True)
class Moment:
    """What the main thread looks like at one time."""

    seconds: float
    queued: float  # seconds for which the thread was ready to run and had to wait for a processor
    phase: str  # of the extension's job: none, start until it first says how far it is, then job

    @classmethod
    def now(cls) -> "Moment":
        job = sys.modules[JOBS].running() if JOBS in sys.modules else None
        phase = "idle" if job is None else "job" if job.progress.share > 0.0 else "start"
        return cls(time.perf_counter(), int(SCHEDULE.read_text().split()[1]) / 1e9, phase)


SCHEDULE = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
moments: list[Moment] = []  # when the timer was called, since a test last emptied the list


def pauses() -> dict[str, list[float]]:
    """Seconds between two ticks, less what other programs took: before a job, at its start, during it, at its end."""
    found = {"idle": [], "start": [], "job": [], "end": []}
    for before, after in itertools.pairwise(moments):
        gone = after.seconds - before.seconds - (after.queued - before.queued)
        is_end = after.phase == "idle" != before.phase
        found["end" if is_end else after.phase if before.phase == "idle" else before.phase].append(gone)
    return found


def window():
    return bpy.context.window_manager.windows[0]


def area(kind="VIEW_3D"):
    return next(each for each in window().screen.areas if each.type == kind)


def region(kind="UI", area_kind="VIEW_3D"):
    return next(each for each in area(area_kind).regions if each.type == kind)


def place_of(kind="UI", area_kind="VIEW_3D") -> list[int]:
    """Left, bottom, width and height of a region, in pixels of the window."""
    found = region(kind, area_kind)
    return [found.x, found.y, found.width, found.height]


def open_tab(area_kind="VIEW_3D") -> None:
    """Show the PADS tab; a sidebar that was closed before has no tabs until it is drawn."""
    area(area_kind).spaces[0].show_region_ui = True
    region("UI", area_kind).active_panel_category = "PADS"


def under_mouse(area_kind="VIEW_3D") -> str:
    """The operator of the button that the mouse is on, as Python; empty where there is none."""
    with bpy.context.temp_override(window=window(), area=area(area_kind), region=region("UI", area_kind)):
        if not bpy.ops.ui.copy_python_command_button.poll():
            return ""
        bpy.ops.ui.copy_python_command_button()
    return bpy.context.window_manager.clipboard


def frame_rig() -> None:
    """Have the active object fill the view."""
    with bpy.context.temp_override(window=window(), area=area(), region=region("WINDOW")):
        bpy.ops.view3d.view_selected()


def open_panels(*names: str) -> None:
    """Have these panels start open and all others of the tab closed, in sidebars not drawn before."""
    addon = sys.modules["bl_ext.user_default.pads_mocap.blender.addon"]
    panels = [cls for cls in addon._CLASSES if issubclass(cls, bpy.types.Panel)]
    for cls in reversed(panels):
        bpy.utils.unregister_class(cls)
    for cls in panels:
        cls.bl_options = set() if cls.__name__ in names else {"DEFAULT_CLOSED"}
        bpy.utils.register_class(cls)


def tick() -> float:
    """Note the time since the last call, and answer a request if there is one."""
    moments.append(Moment.now())
    request = FOLDER / "request.py"
    if request.exists():
        answer = answer_to(request.read_text(encoding="utf-8"))
        request.unlink()
        (FOLDER / "answer.part").write_text(json.dumps(answer), encoding="utf-8")
        (FOLDER / "answer.part").replace(FOLDER / "answer.json")
        moments.append(Moment.now())
    return TICK_SECONDS


def answer_to(source: str) -> dict:
    """What the request asked for, or how it failed."""
    names = globals() | {"answer": None}
    try:
        exec(compile(source, "request", "exec"), names)
    except Exception:
        return {"failure": traceback.format_exc()}
    return {"answer": names["answer"]}


bpy.context.preferences.view.show_splash = False
bpy.app.timers.register(tick, persistent=True)
