"""Clean: denoise what was measured, complete what was not. Motion in, Motion out; and the same for a rig's take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..core import rotations as rot
from ..core.mapping import Mapping
from ..core.motion import Motion
from ..core.retarget import Residual, apply_motion, to_model
from ..core.rig import RigTake
from ..core.skeleton import JOINTS
from ..diffusion.prior import Prior
from ..errors import TakeError
from . import frames, pieces, windows
from .complete import HiddenBones, fill_noise, hidden_joints, hidden_rows, interpolate_rotations
from .evidence import Hints, SamplerSettings, gather_evidence
from .feet import find_freedom, report_feet, steady_feet, steady_rig_feet
from .kept import Kept, kept_joints, pass_through
from .locations import steady_locations
from .pops import find_rotation_pops
from .problems import find_problems
from .repair import bridge_leaps, exchange_sides_back, find_lost_bones
from .twist import smooth_unseen_rotations, steady_twists

OnStep = Callable[[int, int], None]
_BORDER_FRAMES = 5
# How each kind of prior turns evidence into positions; the kind is the prior's own word.
RECONSTRUCT = {"pose": frames.reconstruct, "motion": windows.reconstruct}


@dataclass(frozen=True)
class CleanSettings:
    """What the user chose; the defaults need no thought.

    strength 0 to 1: how much of the correction is applied to what was measured. start, end: scene frames, both
    included. complete: bones to fill in besides what is found frozen. sampler, steps (None: the prior's default) and
    seed say how the prior is asked. feet 0 to 1: how far feet that rest are held in place where they slide.
    samples: of how many the spread says how unsure the result is; 0: not asked for, since it takes its time.
    """

    strength: float = 1.0
    start: float | None = None
    end: float | None = None
    complete: tuple[HiddenBones, ...] = ()
    sampler: str = SamplerSettings.sampler
    steps: int | None = None
    seed: int = 0
    feet: float = 1.0
    samples: int = 0

    @property
    def sampling(self) -> SamplerSettings:
        """How the prior is to be asked."""
        return SamplerSettings(self.sampler, self.steps, self.seed, self.samples)


def clean_motion(
    motion: Motion,
    settings: CleanSettings,
    prior: Prior,
    on_step: OnStep | None = None,
    hints: Hints | None = None,
) -> Motion:
    """The motion (F, J, 3) that prior and measurement agree on, every joint visible.

    Noise is estimated per joint where motion.noise is None.
    """
    _check(motion)
    evidence = gather_evidence(motion, hints)
    result = RECONSTRUCT[prior.kind](evidence, settings.sampling, prior, on_step)
    strength = np.where(motion.visible, settings.strength, 1.0)[..., None]
    positions = evidence.measured + strength * (result.positions - evidence.measured)
    cleaned = replace(
        motion,
        positions=positions,
        visible=np.ones_like(motion.visible),
        noise=np.broadcast_to(evidence.joint_noise, motion.visible.shape),
        spread=result.spread,
    )
    return steady_feet(cleaned, _noise_of(motion, cleaned), settings.feet * settings.strength)


def _noise_of(seen: Motion, cleaned: Motion) -> np.ndarray:
    """Noise (F, J) in metres of what was measured, infinite where nothing was."""
    return np.where(seen.visible, cleaned.noise, np.inf)


def _check(motion: Motion) -> None:
    if not len(motion):
        raise TakeError("The take has no frames: choose a range that contains keyframes.")
    if not np.isfinite(motion.positions[motion.visible]).all():
        raise TakeError("The take holds values that are not numbers: repair or delete those keys first.")
    if not motion.visible.any():
        raise TakeError("Nothing of the body is measured in this range: leave some bones out of those to complete.")


def clean_take(
    take: RigTake,
    mapping: Mapping,
    settings: CleanSettings,
    prior: Prior,
    on_step: OnStep | None = None,
    kept: Kept | None = None,
) -> tuple[RigTake, dict]:
    """The cleaned take of the same rig and frames, and a report of what changed, as plain data for JSON.

    What is kept comes out exactly as it went in, and the frames beside it flow into it.
    """
    rows, kept = _chosen_rows(take, settings), kept or Kept.nothing(take)
    bones = to_model(take.rows(slice(rows.start, rows.start + 1)), mapping)[1].bones
    in_place = _sides_in_place(take, bones, rows, kept)
    hidden = _find_hidden(in_place, bones, rows, settings) & ~kept.rotation
    bridged = _bridged(in_place, hidden, rows)
    parts, noise, spread = pieces.split(rows.start, rows.stop, hidden.any(axis=1)), [], []
    rotation, location, weight = take.rotation.copy(), take.location.copy(), _border_weight(take, rows)
    for number, part in enumerate(parts):
        piece = _Piece(bridged.rows(part), take.rows(part), hidden[part], kept.rows(part))
        result, cleaned = _clean_piece(piece, mapping, settings, prior, _progress(on_step, number, len(parts)))
        noise.append(np.median(cleaned.noise, axis=0))
        spread.append(cleaned.spread)
        share = weight[part.start - rows.start : part.stop - rows.start]
        pieces.lay_over(rotation, location, _faded(piece.before, result, share), part, number == 0)
    after = replace(take, rotation=rotation, location=location)
    report = _report(take, after, mapping, np.median(noise, axis=0), hidden)
    if settings.samples > 1:
        _add_spread(report["joints"], np.concatenate(spread), np.concatenate([take.frames[part] for part in parts]))
    return after, report


def _add_spread(joints: dict, spread: np.ndarray, frames: np.ndarray) -> None:
    """Write how unsure each joint is (N, J) in frames (N,) into the report's joints: one standard deviation, in mm."""
    for name, entry in joints.items():
        own = 1000.0 * spread[:, JOINTS.index(name)]
        entry["spread_mm_mean"], entry["spread_mm_max"] = round(float(own.mean()), 2), round(float(own.max()), 2)
        entry["least_sure_frame"] = float(frames[own.argmax()])


@dataclass(frozen=True)
class _Piece:
    """Some consecutive frames of a take: hidden rotations bridged, as it was before, and what is hidden (F, B)."""

    bridged: RigTake
    before: RigTake
    hidden: np.ndarray
    kept: Kept


def _clean_piece(
    piece: _Piece, mapping: Mapping, settings: CleanSettings, prior: Prior, on_step: OnStep | None
) -> tuple[RigTake, Motion]:
    """The piece's frames cleaned, and the motion of the model that they were made from."""
    hidden, kept = piece.hidden, piece.kept
    _, residual = to_model(piece.bridged.rows(slice(0, 1)), mapping)
    bridged, leapt = bridge_leaps(piece.bridged, residual.bones, hidden | kept.rotation)
    steadied = smooth_unseen_rotations(bridged, residual.bones, settings.strength)
    motion, residual = to_model(steadied, mapping)
    seen = replace(motion, visible=motion.visible & ~hidden_joints(hidden, residual.bones))
    hints = Hints(
        suspect=hidden_joints(find_rotation_pops(steadied.rotation) & ~kept.rotation, residual.bones),
        kept=kept_joints(kept, residual.bones),
        bridged=fill_noise(hidden_joints(leapt, residual.bones), motion.fps),
    )
    body = replace(settings, feet=0.0)  # feet are held on the rig's own legs
    cleaned = clean_motion(seen, body, prior, on_step, hints)
    result = _onto_rig(residual, cleaned.positions, settings.strength, kept.held)
    result = steady_locations(residual, piece.before, result)
    freedom = find_freedom(residual.bones, kept.held, kept.location.all(axis=0))
    result = steady_rig_feet(residual, result, _noise_of(seen, cleaned), settings.feet * settings.strength, freedom)
    return pass_through(piece.before, result, kept), cleaned


def _sides_in_place(take: RigTake, bones: np.ndarray, rows: slice, kept: Kept) -> RigTake:
    """The take with limbs that were taken for those of the other side exchanged back in the chosen rows."""
    rotation = take.rotation.copy()
    for part in pieces.split(rows.start, rows.stop):
        piece, exchanged = exchange_sides_back(take.rows(part), bones, kept.rotation[part])
        rotation[part] = np.where(exchanged[..., None], piece.rotation, rotation[part])
    return replace(take, rotation=rotation)


def _find_hidden(take: RigTake, bones: np.ndarray, rows: slice, settings: CleanSettings) -> np.ndarray:
    """Bone rotations (F, B) of the chosen rows that are to be completed: those that the user named, and lost ones."""
    hidden = np.zeros(take.rotation.shape[:2], bool)
    hidden[rows] = hidden_rows(take.rows(rows), settings.complete)
    for part in pieces.split(rows.start, rows.stop):
        hidden[part] |= find_lost_bones(take.rows(part), bones)
    return hidden


def _bridged(take: RigTake, hidden: np.ndarray, rows: slice) -> RigTake:
    """The take with what is hidden bridged from the chosen rows beside it."""
    if not hidden.any():
        return take
    filled = interpolate_rotations(take.rows(rows), hidden[rows]).rotation
    return replace(take, rotation=np.concatenate([take.rotation[: rows.start], filled, take.rotation[rows.stop :]]))


def _faded(before: RigTake, after: RigTake, weight: np.ndarray) -> RigTake:
    """The second take where weight (F,) is 1, the first where it is 0."""
    location = before.location + weight[:, None, None] * (after.location - before.location)
    return replace(after, rotation=rot.slerp(before.rotation, after.rotation, weight[:, None]), location=location)


def _progress(on_step: OnStep | None, number: int, count: int) -> OnStep | None:
    """The steps of one piece of several as steps of the whole."""
    return on_step and (lambda step, steps: on_step(number * steps + step, count * steps))


def _onto_rig(residual: Residual, positions: np.ndarray, strength: float, held: np.ndarray) -> RigTake:
    untwisted = apply_motion(residual, positions, held=held)
    return apply_motion(residual, positions, steady_twists(residual, untwisted, positions, strength), held)


def _chosen_rows(take: RigTake, settings: CleanSettings) -> slice:
    first = -np.inf if settings.start is None else settings.start
    last = np.inf if settings.end is None else settings.end
    inside = np.flatnonzero((take.frames >= first) & (take.frames <= last))
    if not len(inside):
        raise TakeError(f"No frame of the take lies in {first:g} to {last:g}: choose a range that contains keyframes.")
    return slice(int(inside[0]), int(inside[-1]) + 1)


def _border_weight(take: RigTake, rows: slice) -> np.ndarray:
    """Share of the result (F,) in each chosen row: it fades in and out where the take goes on beyond the range."""
    count = rows.stop - rows.start
    weight = np.ones(count)
    ramp = (np.arange(1, _BORDER_FRAMES + 1) / (_BORDER_FRAMES + 1))[: max(0, (count - 1) // 2)]
    if rows.start > 0:
        weight[: len(ramp)] = ramp
    if rows.stop < len(take.frames):
        weight[count - len(ramp) :] = ramp[::-1]
    return weight


def _report(before: RigTake, after: RigTake, mapping: Mapping, noise: np.ndarray, hidden: np.ndarray) -> dict:
    """Mean and largest change of every mapped joint in degrees and millimetres, and what was measured and found."""
    changes = [_changes(before.rows(rows), after.rows(rows), mapping) for rows in pieces.consecutive(hidden)]
    millimetres, degrees = (np.concatenate([change[i] for change in changes]) for i in range(2))
    bones = changes[0][2]
    joints = {}
    for joint, name in enumerate(JOINTS):
        if (bone := bones[joint]) >= 0:
            joints[name] = {
                "bone": before.names[bone],
                "degrees_mean": round(float(degrees[:, bone].mean()), 3),
                "degrees_max": round(float(degrees[:, bone].max()), 3),
                "mm_mean": round(float(millimetres[:, joint].mean()), 2),
                "mm_max": round(float(millimetres[:, joint].max()), 2),
                "noise_mm": round(1000.0 * float(noise[joint]), 2),
                "completed_frames": int(hidden[:, bone].sum()),
            }
    problems = [problem.to_json() for problem in find_problems(before, mapping)]
    return {
        "frames": len(before.frames),
        "fps": before.fps,
        "mapping": mapping.to_json(),
        "joints": joints,
        "feet": report_feet(before, after, mapping, pieces.consecutive(hidden)),
        "problems": problems,
    }


def _changes(before: RigTake, after: RigTake, mapping: Mapping) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """By how much joints (F, J) moved in millimetres and bones (F, B) turned in degrees; the joints' bones (J,)."""
    (old, residual), (new, _) = to_model(before, mapping), to_model(after, mapping)
    millimetres = 1000.0 * np.linalg.norm(new.positions - old.positions, axis=-1)
    return millimetres, np.degrees(rot.angle_between(before.rotation, after.rotation)), residual.bones
