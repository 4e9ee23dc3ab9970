"""Runs in Blender: does what the test sends, and notes how long the main thread was away. Knows nothing of the tests.

A request is Python source; its variable `answer` comes back as JSON, or the traceback of its failure. The functions of
this file are at its hand.
"""

import json
import sys
import time
import traceback
from pathlib import Path

import bpy

FOLDER = Path(sys.argv[sys.argv.index("--") + 1])
TICK_SECONDS = 0.002
pauses: list[float] = []  # seconds between two ticks, since a test last emptied the list
_last_tick = [time.perf_counter()]


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


def tick() -> float:
    """Note the time since the last call, and answer a request if there is one."""
    pauses.append(time.perf_counter() - _last_tick[0])
    request = FOLDER / "request.py"
    if request.exists():
        answer = answer_to(request.read_text(encoding="utf-8"))
        request.unlink()
        (FOLDER / "answer.part").write_text(json.dumps(answer), encoding="utf-8")
        (FOLDER / "answer.part").replace(FOLDER / "answer.json")
    _last_tick[0] = time.perf_counter()
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
