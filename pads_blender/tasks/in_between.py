"""In-between: the motion between key poses by the motion prior, every key passed; for the model, and for a rig.

One call of the denoiser with the keys measured and all else hidden is the posterior mean of what lies between. Its
answer still has the network's own noise on it; asked again, with that answer as a measurement that is good to a few
centimetres, the prior takes this out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..core.interpolate import fill_hidden, interpolate_hidden
from ..core.mapping import Mapping
from ..core.motion import Motion
from ..core.retarget import apply_motion, to_model
from ..core.rig import RigTake, carriers, carry_travel
from ..core.stand_ins import find_stand_ins
from ..errors import TakeError
from .complete import interpolate_rotations
from .hinges import hinge_twists
from .kept import Kept, pass_through
from .running import OnStep, find_runs
from .samples import BORDER_FRAMES, STEPS, draw, enliven, frames_to_evidence
from .take_checks import check_motion, check_take
from .twist import chains_between
from .windows import MotionPrior, denoise_windows, frames_per_step, interpolate_rows, thin_out

KEY_METRES = 0.001  # noise of a key, for the sake of the arithmetic
CONTEXT_SECONDS = 1.1  # of the take beyond the outer keys that the prior sees: half a window
_SHIFTS = (0, 8, 16, 24)  # of the grid of windows; averaged
# Noise level of the second look at five frames from a key; it grows like a square root. Of 0.02 and 0.05 on twelve
# pieces of validation clips, by a script: 0.02 takes 4 % off the error of the first look and halves its accelerations,
# which are then two thirds of the truth's.
_AGAIN_METRES, _AGAIN_FRAMES = 0.02, 5.0
# A gap of this length is left to the prior; the shorter one is, the more it keeps of the even turning from key to key.
# Of shares of 0, 0.3, 0.5 and 0.7 for 3, 5, 8 and 11 frames on 24 pieces of validation clips each, by a script, the
# best by rotation were 0.7 or more, 0.5, 0.3 and 0, whatever is known around the gap.
_EVEN_SECONDS = 0.4
_VARIATION_METRES = 0.3  # noise about the likeliest motion that a variation starts with
_TWO_KEYS = "In-between needs key poses in two frames at least: key the pose in another frame, or select more keys."
_NOTHING_BETWEEN = "There is no frame between the keys: select the poses that count, or delete the keys between them."


@dataclass(frozen=True)
class InBetweenSettings:
    """seed 0: the likeliest motion, which is near all that may have been meant; other seeds draw variations of it."""

    seed: int = 0


def in_between_motion(
    motion: Motion, settings: InBetweenSettings, prior: MotionPrior, on_step: OnStep | None = None
) -> np.ndarray:
    """Positions (F, J, 3) in which the motion's hidden frames are completed; what is visible is met to millimetres."""
    check_motion(motion)
    filled = fill_hidden(motion.positions, motion.visible)
    precision = np.where(motion.visible, KEY_METRES**-2, 0.0)
    slow, gathered, middle = thin_out(filled, precision, frames_per_step(motion.fps))
    with np.errstate(divide="ignore"):
        sigma = 1.0 / np.sqrt(gathered)
    found = _complete(slow, sigma, settings.seed, prior, on_step)
    return filled + interpolate_rows(found - slow, middle, len(filled))


def _complete(x: np.ndarray, sigma: np.ndarray, seed: int, prior: MotionPrior, on_step: OnStep | None) -> np.ndarray:
    """Positions (N, J, 3) at the prior's rate for x with noise sigma (N, J), infinite where hidden."""
    hidden = ~np.isfinite(sigma)
    lost, distance = hidden.all(axis=1), frames_to_evidence(hidden.all(axis=1))
    is_drawn = seed > 0 or distance.max() > BORDER_FRAMES
    calls, count = [], len(_SHIFTS) + len(_SHIFTS[::2]) + STEPS * is_drawn

    def denoise(values: np.ndarray, levels: np.ndarray, shift: int) -> np.ndarray:
        calls.append(shift)
        if on_step:
            on_step(min(len(calls), count), count)
        return denoise_windows(prior, values, levels, shift, both_ways=True)

    mean = np.mean([denoise(x, sigma, shift) for shift in _SHIFTS], axis=0)
    if seed:
        start = np.where(hidden, _VARIATION_METRES, 2.0 * KEY_METRES)
        mean = draw(denoise, x, sigma, mean, start, np.random.default_rng(seed))
    else:
        mean = enliven(denoise, mean, hidden, seed)
    again = _AGAIN_METRES * np.sqrt(distance / _AGAIN_FRAMES)[:, None]
    known, levels = np.where(hidden[..., None], mean, x), np.where(lost[:, None], again, sigma)
    return np.mean([denoise(known, levels, shift) for shift in _SHIFTS[::2]], axis=0)


def in_between_take(
    take: RigTake,
    mapping: Mapping,
    is_key: np.ndarray,
    settings: InBetweenSettings,
    prior: MotionPrior,
    on_step: OnStep | None = None,
) -> RigTake:
    """The take of the same frames with the motion between its key frames (F,) bool made anew; keys come out exactly.

    Frames before the first and after the last key stay, and what they do is taken into account. Bones that no
    joint hangs on, such as fingers, keep their motion.
    """
    check_take(take)
    rows = _rows_between(is_key)
    seen = _with_context(rows, take)
    is_known = (is_key | ~_inside(rows, len(is_key)))[seen]
    before = take.rows(seen)
    bridged = _bridged(before, mapping, is_known)
    motion, residual = to_model(bridged, mapping)
    hidden_between = replace(motion, visible=motion.visible & is_known[:, None])
    found = in_between_motion(hidden_between, settings, prior, on_step)
    positions = found + _even_share(is_known, take.fps)[:, None, None] * (motion.positions - found)
    positions = np.where(is_known[:, None, None], motion.positions, positions)
    kept = Kept(*(np.repeat(is_known[:, None], len(take.names), axis=1) for _ in range(2)))
    laid = apply_motion(residual, positions)
    after = apply_motion(residual, positions, hinge_twists(residual, laid, positions, ~kept.rotation))
    after = pass_through(before, after, kept)
    after = pass_through(before, carry_travel(before, after), kept)
    rotation, location = take.rotation.copy(), take.location.copy()
    rotation[seen], location[seen] = after.rotation, after.location
    return replace(take, rotation=rotation, location=location)


def _rows_between(is_key: np.ndarray) -> slice:
    """From the first to the last key frame; TakeError where nothing lies between keys."""
    keys = np.flatnonzero(is_key)
    if len(keys) < 2:
        raise TakeError(_TWO_KEYS)
    if is_key[keys[0] : keys[-1] + 1].all():
        raise TakeError(_NOTHING_BETWEEN)
    return slice(int(keys[0]), int(keys[-1]) + 1)


def _inside(rows: slice, frames: int) -> np.ndarray:
    inside = np.zeros(frames, bool)
    inside[rows] = True
    return inside


def _with_context(rows: slice, take: RigTake) -> slice:
    """The rows and those beside them that the prior is to see."""
    reach = round(CONTEXT_SECONDS * take.fps)
    return slice(max(0, rows.start - reach), min(len(take.frames), rows.stop + reach))


def _even_share(is_known: np.ndarray, fps: float) -> np.ndarray:
    """Share (F,) of the even turning from key to key in what comes between: the more, the shorter the gap."""
    share = np.zeros(len(is_known))
    for first, last in find_runs(~is_known):
        share[first : last + 1] = max(0.0, 1.0 - (last + 1 - first) / (fps * _EVEN_SECONDS))
    return share


def _bridged(take: RigTake, mapping: Mapping, is_known: np.ndarray) -> RigTake:
    """The take with the model's bones, and those between them, turned evenly from key to key on a straight path."""
    _, residual = to_model(take.rows(slice(0, 1)), mapping)
    between = [bone for chain in chains_between(take, residual.bones) for bone in chain]
    bones = sorted({*residual.bones[residual.bones >= 0].tolist(), *between})
    hidden = np.zeros(take.rotation.shape[:2], bool)
    hidden[np.ix_(~is_known, bones)] = True
    moving = carriers(take.parents, residual.bones[:1]) & ~find_stand_ins(take)
    moving &= take.movable if take.movable is not None else True
    location = interpolate_hidden(take.location, ~(moving & ~is_known[:, None]))
    return replace(interpolate_rotations(take, hidden), location=location)
