"""What looks wrong about a take as a whole: a damaged convention, a reference pose in front, an unlikely frame rate.

Nothing is changed: plain data for the command line's report and for the window.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from ..core import rotations as rot
from ..core.mapping import Mapping
from ..core.normalise import HIPS
from ..core.retarget import to_model
from ..core.rig import RigTake
from ..core.skeleton import MODEL
from ..core.stand_ins import find_stand_ins
from .running import running_gaussian
from .take_checks import check_take

_MOST_FRAMES = 3000  # enough to tell; a long take need not be read twice
_SAME_PLACE = 1e-4  # of the rig's size: bones shorter than this have no length

# Reference pose: within so many degrees of a T, or of the rest pose, and left by a leap against the steps after it: who
# begins to move from rest does so by small steps.
_T_DEGREES, _REST_DEGREES, _LEAP, _LEAST_LEAP_METRES = 25.0, 1.0, 3.0, 0.05
_SAME_POSE_METRES, _STEPS_AFTER = 0.02, 10
_DOWN = np.array([0.0, 0.0, -1.0])

# Frame rate: how quickly limbs turn round: root mean square acceleration by speed, 1/s, of wrists, ankles, elbows and
# knees against the pelvis, smoothed over so many seconds. 73 validation clips of 2 s and more (walks, runs, dances):
# 2.66 to 5.98 smoothed over 0.25 s, and 0.76 to 2.33 if 30 frames a second are said to be 6; 3.55 to 9.43 over 0.08 s,
# with jitter of 20 mm up to 10.5, and half of them above 15 if they are said to be 120. Thresholds lie between.
_SLOW, _SLOW_SECONDS, _QUICK, _QUICK_SECONDS = 2.5, 0.25, 11.5, 0.08
_LEAST_SECONDS, _LEAST_SPEED = 1.0, 0.1
_MOVING = tuple(MODEL.indices(*[f"{s}_{j}" for s in ("left", "right") for j in ("wrist", "ankle", "elbow", "knee")]))


@dataclass(frozen=True)
class TakeWarning:
    """One doubt: its kind, a sentence, and the scene frames that it speaks of (None: the whole take)."""

    kind: str
    text: str
    first: float | None = None
    last: float | None = None

    def to_json(self) -> dict:
        """Plain data."""
        return asdict(self)


def find_warnings(take: RigTake, mapping: Mapping) -> list[TakeWarning]:
    """Everything that looks wrong about the take as a whole; empty for nearly every take."""
    check_take(take)
    take = take.rows(slice(0, _MOST_FRAMES))
    motion, residual = to_model(take, mapping)
    lead = _reference_frames(take, motion.positions, residual.bones)
    body = motion.positions[lead:]
    known = [joint for joint in _MOVING if residual.bones[joint] >= 0]
    found = [
        _zero_lengths(take, residual.bones),
        _reference_pose(take, lead),
        _frame_rate(body[:, known], body, take.fps),
    ]
    return [warning for warning in found if warning]


def first_frame_of_motion(warnings: list[TakeWarning]) -> float | None:
    """The scene frame after a reference pose in front of the take; None where there is none."""
    return next((warning.last + 1.0 for warning in warnings if warning.kind == "reference_pose"), None)


def _zero_lengths(take: RigTake, bones: np.ndarray) -> TakeWarning | None:
    """Bones between the pelvis and a joint that end where they begin."""
    heads, body = take.rest[:, :3, 3], set()
    for bone in bones[bones >= 0].tolist():
        while bone >= 0 and bone != bones[0]:
            body.add(bone)
            bone = int(take.parents[bone])
    least = _SAME_PLACE * float(np.ptp(heads, axis=0).max(initial=0.0))
    bones_proper = body - set(np.flatnonzero(find_stand_ins(take)).tolist())  # what carries a bone lies where it does
    parents = {b: p for b in body if (p := int(take.parents[b])) in bones_proper}
    short = {p for b, p in parents.items() if np.linalg.norm(heads[b] - heads[p]) < least}
    if not short:
        return None
    names = ", ".join(take.names[bone] for bone in sorted(short))
    return TakeWarning(
        "zero_length",
        f"{names}: no length, as in cgspeed's MotionBuilder conversion, so the joints at both ends are one place.",
    )


def _reference_pose(take: RigTake, count: int) -> TakeWarning | None:
    if not count:
        return None
    first, last = float(take.frames[0]), float(take.frames[count - 1])
    where = f"Frame {first:g} shows" if count == 1 else f"Frames {first:g} to {last:g} show"
    return TakeWarning(
        "reference_pose", f"{where} a T-pose or the rest pose, not motion: it can be left out.", first, last
    )


def _reference_frames(take: RigTake, positions: np.ndarray, bones: np.ndarray) -> int:
    """How many frames at the beginning hold a T-pose or the rest pose that the body then leaves by a leap."""
    placed = positions - positions[:, :1]
    away = np.linalg.norm(placed - placed[0], axis=-1).mean(axis=1)
    leaving = np.flatnonzero(away > _SAME_POSE_METRES)
    if not len(leaving) or leaving[0] > len(placed) // 2 or not (_is_t(positions[0]) or _is_rest(take, bones)):
        return 0
    count = int(leaving[0])
    steps = np.linalg.norm(np.diff(placed[count - 1 :], axis=0), axis=-1).mean(axis=1)
    usual = np.median(steps[1 : 1 + _STEPS_AFTER]) if len(steps) > 1 else 0.0
    return count if steps[0] > max(_LEAP * usual, _LEAST_LEAP_METRES) else 0


def _is_t(positions: np.ndarray) -> bool:
    """Whether a pose (J, 3) stands with straight legs and straight arms held out to the sides."""
    left = positions[HIPS[0]] - positions[HIPS[1]]
    for side, out in (("left", left), ("right", -left)):
        arm = positions[MODEL.indices(f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist")]
        leg = positions[MODEL.indices(f"{side}_hip", f"{side}_knee", f"{side}_ankle")]
        segments = (arm[1] - arm[0], out), (arm[2] - arm[1], out), (leg[1] - leg[0], _DOWN), (leg[2] - leg[1], _DOWN)
        if any(_degrees(segment, way) > _T_DEGREES for segment, way in segments):
            return False
    return True


def _degrees(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-12), -1.0, 1.0))))


def _is_rest(take: RigTake, bones: np.ndarray) -> bool:
    """Whether no mapped bone below the pelvis is turned in the first frame."""
    turned = rot.angle_between(take.rotation[0, bones[bones >= 0][1:]], rot.IDENTITY)
    return bool(np.degrees(turned).max(initial=0.0) < _REST_DEGREES)


def _frame_rate(moving: np.ndarray, positions: np.ndarray, fps: float) -> TakeWarning | None:
    """Whether limbs turn round as if in slow motion or in a hurry."""
    if len(positions) < max(_LEAST_SECONDS * fps, 10) or not moving.shape[1]:
        return None
    placed = moving - positions[:, :1]
    slow, quick = (_turning_rate(placed, fps, seconds) for seconds in (_SLOW_SECONDS, _QUICK_SECONDS))
    if quick is not None and quick > _QUICK:
        return TakeWarning("frame_rate", f"Limbs move too quickly for {fps:g} frames a second: check the frame rate.")
    if slow is not None and slow < _SLOW:
        return TakeWarning(
            "frame_rate", f"Limbs move as if in slow motion at {fps:g} frames a second: check the frame rate."
        )
    return None


def _turning_rate(placed: np.ndarray, fps: float, seconds: float) -> float | None:
    """Median over joints (F, N, 3) of acceleration by speed, 1/s; None where nothing moves."""
    smooth = running_gaussian(placed, seconds * fps)
    speed = np.sqrt(np.mean(np.sum((np.diff(smooth, axis=0) * fps) ** 2, axis=-1), axis=0))
    acceleration = np.sqrt(np.mean(np.sum((np.diff(smooth, 2, axis=0) * fps**2) ** 2, axis=-1), axis=0))
    moves = speed > _LEAST_SPEED
    return float(np.median(acceleration[moves] / speed[moves])) if moves.any() else None
