"""What every task asks of a take before it begins: frames, and numbers that are numbers. No task goes on without."""

import numpy as np

from ..core.motion import Motion
from ..core.rig import RigTake
from ..errors import TakeError

_NO_FRAMES = "The take has no frames: choose a range that contains keyframes."
_NO_NUMBERS = "The take holds values that are not numbers: repair or delete those keys first."
_NO_REST = "The rig's rest pose holds values that are not numbers: repair its bones in Edit Mode first."
_NO_RATE = "The frame rate is not a number above 0: set it in the scene's output properties."


def check_take(take: RigTake) -> None:
    """TakeError where the take has no frames, or holds what is no number in its channels, rest pose or frame rate."""
    if not len(take.frames):
        raise TakeError(_NO_FRAMES)
    if not _are_numbers(take.rotation, take.location, take.scale, take.frames):
        raise TakeError(_NO_NUMBERS)
    if not _are_numbers(take.rest, take.world_from_armature):
        raise TakeError(_NO_REST)
    _check_rate(take.fps)


def check_motion(motion: Motion) -> None:
    """The same of a motion of the model, whose hidden joints may hold anything."""
    if not len(motion):
        raise TakeError(_NO_FRAMES)
    if not _are_numbers(motion.positions[motion.visible]):
        raise TakeError(_NO_NUMBERS)
    if motion.noise is not None and not (np.asarray(motion.noise)[motion.visible] >= 0).all():
        raise TakeError(_NO_NUMBERS)
    _check_rate(motion.fps)


def _check_rate(fps: float) -> None:
    if not 0 < fps < np.inf:
        raise TakeError(_NO_RATE)


def _are_numbers(*arrays: np.ndarray) -> bool:
    return all(bool(np.isfinite(values).all()) for values in arrays)
