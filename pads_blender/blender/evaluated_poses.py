"""Both motions of a rig with constraints as they looked when it was cleaned, kept with the cleaned action.

Its channels alone do not say where its bones are, and Blender evaluates one action at a time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import bpy
import numpy as np

from ..core.rig import RigTake, world_matrices
from ..core.rotations import angle_between, normalise
from ..core.stand_ins import find_stand_ins
from .parts import Parts

_NAMES, _FIRST, _LINES, _DEGREES = "pads_posed_bones", "pads_posed_first", "pads_posed_lines", "pads_posed_degrees"
_ROWS = 500  # that are worked out in one part


@dataclass(frozen=True)
class PosedFrame:
    """Bones of one frame: heads and tails (2, B, 2, 3) in the world in the original and the cleaned motion."""

    names: tuple[str, ...]
    lines: np.ndarray
    degrees: np.ndarray  # (B,) by which they differ, each against what carries it


def keep_poses(armature: bpy.types.Object, action: bpy.types.Action, before: RigTake, after: RigTake) -> Parts[None]:
    """Put the bones of both takes on the cleaned action, as 32-bit numbers."""
    entries = np.flatnonzero(~find_stand_ins(before))
    names, uid = [before.names[entry] for entry in entries], action.session_uid
    lengths = np.array([armature.data.bones[name].length for name in names], np.float32)
    lines, degrees = [], []
    for start in range(0, len(before.frames), _ROWS):
        rows = slice(start, start + _ROWS)
        lines.append(np.stack([_lines(take.rows(rows), entries, lengths) for take in (before, after)], axis=1))
        turns = [normalise(take.rotation[rows][:, entries]) for take in (before, after)]
        degrees.append(np.degrees(angle_between(*turns)).astype(np.float32))
        yield min(1.0, rows.stop / len(before.frames))
    action = next((each for each in bpy.data.actions if each.session_uid == uid), None)
    if action is None:
        return
    action[_NAMES], action[_FIRST] = json.dumps(names), float(before.frames[0])
    action[_LINES], action[_DEGREES] = np.concatenate(lines).ravel(), np.concatenate(degrees).ravel()


def posed_frame(action: bpy.types.Action, frame: float) -> PosedFrame | None:
    """What was kept of the frame nearest to this one; None for a rig whose channels say it all."""
    if _LINES not in action:
        return None
    names = tuple(json.loads(action[_NAMES]))
    lines = np.frombuffer(action[_LINES], np.float32).reshape(-1, 2, len(names), 2, 3)
    degrees = np.frombuffer(action[_DEGREES], np.float32).reshape(-1, len(names))
    row = int(np.clip(round(frame - action[_FIRST]), 0, len(lines) - 1))
    return PosedFrame(names, lines[row].copy(), degrees[row].copy())


def forget_poses(action: bpy.types.Action) -> None:
    """Nothing is compared any more."""
    for name in (_NAMES, _FIRST, _LINES, _DEGREES):
        if name in action:
            del action[name]


def _lines(take: RigTake, entries: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Heads and tails (F, B, 2, 3) in the world."""
    matrices = world_matrices(take, entries)
    heads = matrices[..., :3, 3]
    return np.stack([heads, heads + lengths[:, None] * matrices[..., :3, 1]], axis=2).astype(np.float32)
