"""What the priors know of the Blender that they run in, and what they run on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from .preferences import ADD_ON

if TYPE_CHECKING:  # imported where it is used: Blender's start must not wait for it
    from ..diffusion.device_choice import Listed
    from ..diffusion.trial import Host


def read_host() -> Host:
    """Where the choice of a device is remembered, and the program to try devices in. Main thread only."""
    from ..diffusion.trial import Host

    program = "" if getattr(bpy.app, "module", False) else bpy.app.binary_path
    return Host(_user_folder(), program)


def device_lines() -> list[tuple[str, str]]:
    """What is used and why, and what else was tried, each with an icon's name; for people."""
    from ..diffusion.device_choice import listed, remembered

    host = read_host()
    survey = remembered(host)
    tried = [each for each in listed(host) if each.is_used or (each.is_installed and each.trial)]
    lines = [(_icon(each), _said(each)) for each in tried]
    return [*lines, ("INFO", f"Why: {survey.reason}")] if survey else lines


def _icon(each: Listed) -> str:
    if each.is_used:
        return "CHECKMARK"
    return "BLANK1" if each.trial is None or each.trial.is_usable else "X"


def _said(each: Listed) -> str:
    if each.trial is None:
        return f"{each.backend.label}: {'used until tested' if each.is_used else 'not tested'}"
    if not each.trial.is_usable:
        return f"{each.backend.label}: {each.trial.reason}"
    speed = each.trial.frames_per_second
    return f"{each.backend.label}: {speed:,.0f} frames a second" if speed else f"{each.backend.label}: works"


def _user_folder() -> Path:
    if ADD_ON.startswith("bl_ext."):
        return Path(bpy.utils.extension_path_user(ADD_ON))
    return Path(bpy.utils.user_resource("CONFIG", path="pads_mocap"))
