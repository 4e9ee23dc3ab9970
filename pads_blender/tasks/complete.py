"""Bones whose rotation is not to be trusted: hidden from the measurement, bridged by interpolation, then refined."""

from dataclasses import dataclass, replace

import numpy as np

from ..core import rotations as rot
from ..core.interpolate import bracket
from ..core.rig import RigTake
from ..core.skeleton import MODEL
from ..errors import TakeError

# What the interpolated rotations of a hidden arm are worth: rms error per coordinate (metres) of elbow and wrist,
# against the distance in frames at 30 fps to the nearest measured frame. Measured on validation subjects (`evaluate
# fill`, table in docs/benchmark.md); grows about like a square root and levels off. Legs are about twice as far off.
FILL_ERROR_METRES = 0.02
FILL_ERROR_LIMIT_METRES = 0.10


@dataclass(frozen=True)
class HiddenBones:
    """Bones to complete, from first to last scene frame, both included; None: from the start, to the end."""

    bones: tuple[str, ...]
    first: float | None = None
    last: float | None = None


def hidden_rows(take: RigTake, wanted: tuple[HiddenBones, ...]) -> np.ndarray:
    """Which bone rotations (F, B) are to be completed; raises TakeError for a bone or a range that is not there."""
    hidden = np.zeros(take.rotation.shape[:2], bool)
    for part in wanted:
        rows = np.ones(len(take.frames), bool)
        rows &= take.frames >= (-np.inf if part.first is None else part.first)
        rows &= take.frames <= (np.inf if part.last is None else part.last)
        if not rows.any():
            raise TakeError(f"No frame of the take lies in {part.first:g} to {part.last:g}: choose frames inside it.")
        for bone in part.bones:
            if bone not in take.names:
                raise TakeError(f"The rig has no bone called {bone}: check the spelling of the bones to complete.")
            hidden[rows, take.names.index(bone)] = True
    return hidden


def hidden_joints(hidden: np.ndarray, bones: np.ndarray) -> np.ndarray:
    """Model joints (F, J) that the hidden bones (F, B) leave unknown: those their own joint's segments lead to, and on.

    bones (J,) is the bone of each joint, -1 for none.
    """
    untrusted = np.where(bones >= 0, hidden[:, bones], False)
    lost = np.zeros_like(untrusted)
    for joint, parent in enumerate(MODEL.parents):
        if parent >= 0:
            lost[:, joint] = untrusted[:, parent] | lost[:, parent]
    return lost


def interpolate_rotations(take: RigTake, hidden: np.ndarray) -> RigTake:
    """The take with each hidden bone rotation (F, B) replaced by slerp between the measured ones beside it.

    A bone that is hidden in all frames comes to rest.
    """
    rotation, columns = take.rotation.copy(), np.flatnonzero(hidden.any(axis=0))
    rotation[:, columns] = bridge_rotations(take.rotation[:, columns], hidden[:, columns])
    return replace(take, rotation=rotation)


def bridge_rotations(rotation: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Rotations (F, N, 4), where hidden (F, N) by slerp between those beside, at rest where nothing else is known."""
    before, after = bracket(~hidden)
    frames = len(hidden)
    low, high = np.where(before >= 0, before, after), np.where(after < frames, after, before)
    index = np.arange(frames)[:, None]
    t = np.where(high > low, (index - low) / np.maximum(high - low, 1), 0.0)
    low, high = (np.clip(a, 0, frames - 1)[..., None] for a in (low, high))
    start, end = np.take_along_axis(rotation, low, axis=0), np.take_along_axis(rotation, high, axis=0)
    filled = np.where(hidden.all(axis=0)[:, None], rot.IDENTITY, rot.slerp(start, end, t))
    return np.where(hidden[..., None], filled, rotation)


def fill_noise(lost: np.ndarray, fps: float) -> np.ndarray:
    """What the classical fill is worth (F, J): its error in metres per coordinate, zero where the joint is not lost."""
    frames = len(lost)
    before, after = bracket(~lost)
    index = np.arange(frames)[:, None]
    nearest = np.minimum(np.where(before >= 0, index - before, frames), np.where(after < frames, after - index, frames))
    error = FILL_ERROR_METRES * np.sqrt(nearest * 30.0 / fps)
    return np.where(lost, np.clip(error, FILL_ERROR_METRES, FILL_ERROR_LIMIT_METRES), 0.0)
