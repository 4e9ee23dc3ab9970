"""Runs in Blender with its window: the hammer's moves, between which Blender draws, and its timers and mouse live on.

Knows nothing of the screen: hammering.py asks for one move after the other and presses keys in between.
"""

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from pathlib import Path

import bpy

OWN, INSTALLED = "pads_blender", "bl_ext.user_default.pads_mocap"


class _InstalledPackage(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """The repository's name of the package stands for the installed extension: there must be no second copy."""

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        return importlib.machinery.ModuleSpec(name, self) if name.split(".")[0] == OWN else None

    def exec_module(self, module) -> None:
        sys.modules[module.__name__] = importlib.import_module(INSTALLED + module.__name__.removeprefix(OWN))


sys.meta_path.insert(0, _InstalledPackage())

from ..reliability import hammer, leftovers, moves  # noqa: E402 - now that they get the installed package

_EDITORS = ("VIEW_3D", "GRAPH_EDITOR", "DOPESHEET_EDITOR")
_POSING = ("complete_pose", "fill", "in_between", "vary_pose")  # want Pose Mode, or bones that are selected
_WITHOUT_WINDOW = (moves.press, moves.press_clean, moves.begin_session, moves.step_session)  # as scripts do it


# --- moves ------------------------------------------------------------------------------------------------------------


def press(run: hammer.Hammer) -> str:
    """Any button that is not grey, as a click presses it: what is slow goes on while other moves are made."""
    return _press(run, sorted(set(dir(bpy.ops.pads)) - moves.DIALOGUES))


def _press(run: hammer.Hammer, names: Sequence[str]) -> str:
    """One of these buttons that is not grey."""
    names = [name for name in names if getattr(bpy.ops.pads, name).poll()]
    if not names:
        return "button that is grey"
    name = run.rng.choice(names)
    getattr(bpy.ops.pads, name)("INVOKE_DEFAULT", True)
    return f"pads.{name}"


def drag_pose(run: hammer.Hammer) -> str:
    """Bones to drag and to stay, and the drag begun: hammering.py moves the mouse, and ends it."""
    return _pose(run, ["drag_pose"])


def press_posing(run: hammer.Hammer) -> str:
    """A button that poses, with bones to do so."""
    return _pose(run, _POSING)


def _pose(run: hammer.Hammer, names: Sequence[str]) -> str:
    """One of these buttons with bones for it, and nothing else under way: they are grey otherwise, or refuse."""
    run.end()
    if bpy.context.screen.is_animation_playing:
        bpy.ops.screen.animation_cancel(restore_frame=False)
    moves.choose_bones(run)
    bpy.ops.ed.undo_push(message="bones chosen")
    return _press(run, names)


def press_clean(_: hammer.Hammer) -> None:
    bpy.ops.pads.clean("INVOKE_DEFAULT", True)


def play(_: hammer.Hammer) -> None:
    bpy.ops.screen.animation_play()


def change_editor(run: hammer.Hammer) -> None:
    """Another editor in the second largest area, with its sidebar's tab."""
    areas = sorted(bpy.context.window.screen.areas, key=lambda each: each.width * each.height)
    if len(areas) > 1:
        areas[-2].type = run.rng.choice(_EDITORS)
        areas[-2].spaces[0].show_region_ui = True


MOVES = (
    moves.Move(press, 14, is_undo_step=False),
    moves.Move(press_clean, 4, is_undo_step=False),
    moves.Move(drag_pose, 8, is_undo_step=False),
    moves.Move(press_posing, 4, is_undo_step=False),
    moves.Move(play, 2, is_undo_step=False),
    moves.Move(change_editor, 1, is_undo_step=False),
    *(move for move in moves.MOVES if move.do not in _WITHOUT_WINDOW),
)


# --- a whole run, asked for step by step ------------------------------------------------------------------------------


class _Listener(bpy.types.Operator):
    """Counts timer events of the window: those of Blender's own have other names."""

    bl_idname, bl_label = "wm.pads_test_listen", "Listen"
    heard, is_over = 0, False

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        type(self).heard, type(self).is_over = 0, False
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, _context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        type(self).heard += event.type == "TIMER"
        return {"FINISHED"} if self.is_over else {"PASS_THROUGH"}


bpy.utils.register_class(_Listener)


def listen() -> None:
    """Begin to count the timer events; heard() says how many there were since."""
    with _in_window():
        bpy.ops.wm.pads_test_listen("INVOKE_DEFAULT")


def heard() -> int:
    """The number; counting ends at the next event."""
    _Listener.is_over = True
    return _Listener.heard


run: "WindowRun | None" = None


class WindowRun:
    """The hammer, and what there was in Blender before its first move."""

    def __init__(self, seed: int, folder: str) -> None:
        bpy.ops.wm.read_homefile(use_empty=True, load_ui=False)
        self._handlers, self._data = leftovers.count_handlers(), leftovers.count_data()
        self.hammer = hammer.Hammer(seed, Path(folder), moves=MOVES)

    def warm_up(self) -> None:
        """Have what takes memory once and keeps it, such as the prior's runtime, take it."""
        self.begin()
        with _in_window():
            bpy.ops.pads.clean("EXEC_DEFAULT", True)
            bpy.ops.pads.find_problems("EXEC_DEFAULT", True)
        self.clear()

    def begin(self) -> None:
        """A take in the empty file."""
        with _in_window():
            moves.import_take(self.hammer)

    def blow(self, count: int) -> None:
        """Some moves before the window is drawn again, and what must hold after each; while a pose is dragged, none."""
        for _ in range(count):
            if is_dragging():
                return
            with _in_window():
                self.hammer.step()

    def clear(self) -> None:
        """Whatever is under way ends, and an empty file takes the place of the last one."""
        self.hammer.end()
        with _in_window():
            if bpy.context.screen.is_animation_playing:
                bpy.ops.screen.animation_cancel(restore_frame=False)
        bpy.ops.wm.read_homefile(use_empty=True, load_ui=False)

    def check_left(self) -> None:
        """BrokenError where something is there that was not there before: data, handlers, operators that still run."""
        leftovers.compare("data-blocks", self._data, leftovers.count_data())
        leftovers.compare("handlers", self._handlers, leftovers.count_handlers())
        if running := _running():
            raise leftovers.BrokenError(f"operators go on: {', '.join(running)}")


def is_dragging() -> bool:
    """Whether Drag Pose goes on, which keeps the user from everything else."""
    return "PADS_OT_drag_pose" in _running()


def _running() -> list[str]:
    every = [each for window in _windows() for each in window.modal_operators]
    return [each.bl_idname for each in every if each is not None]  # Blender may list none, seen once


def _windows() -> list[bpy.types.Window]:
    return list(bpy.context.window_manager.windows)


def _in_window() -> contextlib.AbstractContextManager:
    """The context that somebody has whose mouse is over the largest area."""
    window = _windows()[0]
    area = max(window.screen.areas, key=lambda each: each.width * each.height)
    region = next(each for each in area.regions if each.type == "WINDOW")
    return bpy.context.temp_override(window=window, area=area, region=region)
