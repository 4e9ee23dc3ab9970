"""What the priors know of the Blender that they run in, and what they run on."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import numpy as np

from .. import jobs
from .preferences import ADD_ON

if TYPE_CHECKING:  # imported where it is used: Blender's start must not wait for it
    from ..diffusion.device_choice import Listed
    from ..diffusion.prior import Prior
    from ..diffusion.trial import Host

_OPENED = jobs.PREPARATION  # share of a job's progress that opening the prior is


def read_host() -> Host:
    """Where the choice of a device is remembered, and the program to try devices in. Main thread only."""
    from ..diffusion.trial import Host

    program = "" if getattr(bpy.app, "module", False) else bpy.app.binary_path
    return Host(_user_folder(), program)


def open_prior(threads: int | None, host: Host, folder: Path | None, on_step: jobs.OnStep) -> tuple[Prior, jobs.OnStep]:
    """The prior of motion in a folder (None: the shipped one), asked once; what to call for the steps of the rest.

    While ONNX Runtime makes a session it lets no other thread run, for 0.1 s and more (1.23): better at the start.
    """
    from ..core.skeleton import JOINTS
    from ..diffusion import window
    from ..diffusion.prior import load_prior

    prior = load_prior("motion", folder, threads=threads, host=host)
    prior.denoise(np.zeros((1, window.FRAMES, len(JOINTS), 3)), 0.1)
    on_step(_OPENED, 1)
    return prior, lambda step, count: on_step(_OPENED * count + (1.0 - _OPENED) * step, count)


@functools.lru_cache(1)
def pose_prior() -> Prior:
    """The prior of poses for one at a time, kept while poses are tried: opening it takes longer than asking it.

    On the processor and in one thread: done before a GPU or a second thread would have begun.
    """
    from ..diffusion.prior import load_prior

    return load_prior("pose", threads=1, backend="cpu", host=read_host())


def survey_behind() -> None:
    """Try the devices behind whatever else happens, unless that has been done; the next job knows the result."""
    from ..diffusion.device_choice import remembered, survey

    host = read_host()
    if remembered(host) is None:
        jobs.start_behind("Testing this computer", lambda on_step: survey(host, on_trial=lambda *at: on_step(*at[:2])))


def device_lines() -> list[tuple[str, str]]:
    """What is used and why, and what else was tried, each with an icon's name; for people."""
    from ..diffusion.device_choice import listed, remembered

    host = read_host()
    survey = remembered(host)
    tried = [each for each in listed(host) if each.is_used or (each.is_installed and each.trial)]
    lines = [(_icon(each), _said(each)) for each in tried]
    if jobs.is_busy_behind():
        lines.append(("TIME", "Testing the devices of this computer in the background ..."))
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
