"""What Clean did to a take, as plain data for JSON: changes, noise and what was filled in, joint by joint."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..core import rotations as rot
from ..core.mapping import Mapping
from ..core.retarget import to_model
from ..core.rig import RigTake
from ..core.skeleton import JOINTS
from . import pieces
from .feet import report_feet
from .problems import find_problems
from .running import find_runs
from .take_checks import check_take


def report_changes(
    before: RigTake,
    after: RigTake,
    mapping: Mapping,
    noise: np.ndarray,
    hidden: np.ndarray,
    on_step: Callable[[int, int], None] | None = None,
) -> dict:
    """Mean and largest change of every mapped joint in degrees and millimetres, and what was measured and found."""
    for take in (before, after):
        check_take(take)
    parts, told = pieces.consecutive(hidden), on_step or (lambda *_: None)
    changes = [_changes(before.rows(rows), after.rows(rows), mapping) for rows in pieces.one_by_one(parts, on_step)]
    millimetres, degrees = (np.concatenate([change[i] for change in changes]) for i in range(2))
    joints = {}
    for joint, bone in enumerate(changes[0][2].tolist()):
        told(joint, len(JOINTS))
        if bone >= 0:
            joints[JOINTS[joint]] = {
                "bone": before.names[bone],
                **_mean_and_max("degrees", degrees[:, bone], 3),
                **_mean_and_max("mm", millimetres[:, joint], 2),
                "noise_mm": round(1000.0 * float(noise[joint]), 2),
                "completed_frames": int(hidden[:, bone].sum()),
                "completed": [[float(before.frames[i]) for i in run] for run in find_runs(hidden[:, bone])],
            }
    problems = find_problems(before, mapping, on_step)
    told(1, 1)
    return {
        "frames": len(before.frames),
        "fps": before.fps,
        "mapping": mapping.to_json(),
        "joints": joints,
        "feet": report_feet(before, after, mapping, parts, on_step),
        "problems": [problem.to_json() for problem in problems],
    }


def _mean_and_max(unit: str, values: np.ndarray, digits: int) -> dict[str, float]:
    """Both of values (F,), rounded, by names that begin with the unit."""
    return {f"{unit}_mean": round(float(values.mean()), digits), f"{unit}_max": round(float(values.max()), digits)}


def _changes(before: RigTake, after: RigTake, mapping: Mapping) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """By how much joints (F, J) moved in millimetres and bones (F, B) turned in degrees; the joints' bones (J,)."""
    (old, residual), (new, _) = to_model(before, mapping), to_model(after, mapping)
    millimetres = 1000.0 * np.linalg.norm(new.positions - old.positions, axis=-1)
    return millimetres, np.degrees(rot.angle_between(before.rotation, after.rotation)), residual.bones


def add_spread(joints: dict, spread: np.ndarray, frames: np.ndarray) -> None:
    """Write how unsure each joint is (N, J) in frames (N,) into the report's joints: one standard deviation, in mm."""
    for name, entry in joints.items():
        own = 1000.0 * spread[:, JOINTS.index(name)]
        entry |= _mean_and_max("spread_mm", own, 2)
        entry["least_sure_frame"] = float(frames[own.argmax()])
