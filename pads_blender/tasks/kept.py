"""What the animator keeps: rotations and locations that Clean hands back as they were, their neighbours flowing in."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..core import rotations as rot
from ..core.easing import ease
from ..core.rig import RigTake
from ..core.skeleton import MODEL
from .pieces import copied
from .running import OnStep, still_at

# Of 0.1, 0.15, 0.25, 0.4 and 0.6 on six validation clips with jitter: the shortest without a visible bend (second
# differences within a tenth of elsewhere); longer ones carry the key's own error further.
FALLOFF_SECONDS = 0.25


@dataclass(frozen=True)
class Kept:
    """Rotations (F, B) and locations (F, B), both bool, of frames and bones that are not to change."""

    rotation: np.ndarray
    location: np.ndarray

    @staticmethod
    def nothing(take: RigTake) -> Kept:
        """No constraint at all."""
        free = np.zeros(take.rotation.shape[:2], bool)
        return Kept(free, free)

    def rows(self, rows: slice) -> Kept:
        """The same for some of the frames."""
        return Kept(self.rotation[rows], self.location[rows])

    @property
    def held(self) -> np.ndarray:
        """Bones (B,) whose rotation is kept in all frames, such as those with locked curves."""
        return self.rotation.all(axis=0)


def kept_joints(kept: Kept, bones: np.ndarray) -> np.ndarray:
    """Model joints (F, J) whose place in the world is kept: the pelvis is, and all that turns between it and them.

    bones (J,) is the bone of each joint, -1 for none.
    """
    turns = np.where(bones >= 0, kept.rotation[:, bones], True)
    joints = np.tile(kept.location[:, bones[0], None], len(bones))
    for joint, parent in enumerate(MODEL.parents):
        if parent >= 0:
            joints[:, joint] = joints[:, parent] & turns[:, parent]
    return joints


def pass_through(before: RigTake, after: RigTake, kept: Kept, on_step: OnStep | None = None) -> RigTake:
    """The second take, led through what is kept of the first: exactly there, fading to nothing on either side.

    on_step(step, steps) before each bone turns, and before each moves; may raise to stop.
    """
    reach = max(2, round(FALLOFF_SECONDS * before.fps))
    rotation, location = (copied(each, still_at(on_step, 0, 1)) for each in (after.rotation, after.location))
    told, count = on_step or (lambda *_: None), len(before.names)
    for bone in np.flatnonzero(kept.rotation.any(axis=0)).tolist():
        told(bone, 2 * count)
        rows = np.flatnonzero(kept.rotation[:, bone])
        turn = rot.multiply(
            rot.normalise(before.rotation[rows, bone]), rot.inverse(rot.normalise(rotation[rows, bone]))
        )
        added = _spread(rot.to_rotation_vector(turn), rows, len(rotation), reach)
        rotation[:, bone] = rot.multiply(rot.from_rotation_vector(added), rotation[:, bone])
        rotation[rows, bone] = before.rotation[rows, bone]
    for bone in np.flatnonzero(kept.location.any(axis=0)).tolist():
        told(count + bone, 2 * count)
        rows = np.flatnonzero(kept.location[:, bone])
        location[:, bone] += _spread((before.location - after.location)[rows, bone], rows, len(location), reach)
        location[rows, bone] = before.location[rows, bone]
    return replace(after, rotation=rotation, location=location)


def _spread(values: np.ndarray, rows: np.ndarray, frames: int, reach: int) -> np.ndarray:
    """Values (K, 3) given at some rows (K,), for all frames (F, 3): they fade within `reach` frames or at the next row.

    Where rows lie closer together than that, one turns into the other.
    """
    index = np.arange(frames)
    at = np.searchsorted(rows, index, side="right") - 1
    low, high = np.maximum(at, 0), np.minimum(at + 1, len(rows) - 1)
    has_low, has_high = at >= 0, at + 1 < len(rows)
    span = np.where(has_low & has_high, np.minimum(rows[high] - rows[low], reach), reach)
    weights = (has_low * ease(1.0 - (index - rows[low]) / span), has_high * ease(1.0 - (rows[high] - index) / span))
    return weights[0][:, None] * values[low] + weights[1][:, None] * values[high]
