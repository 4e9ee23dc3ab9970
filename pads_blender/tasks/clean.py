"""Clean: denoise what was measured, complete what was not. Motion in, Motion out; and the same for a rig's take."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..core import rotations as rot
from ..core.mapping import Mapping
from ..core.motion import Motion
from ..core.retarget import to_model
from ..core.rig import RigTake
from ..diffusion.prior import Prior
from ..errors import TakeError
from . import frames, pieces, windows
from .complete import (
    HiddenBones,
    describe_range,
    fill_noise,
    frames_between,
    hidden_joints,
    hidden_rows,
    interpolate_rotations,
)
from .evidence import Hints, SamplerSettings, gather_evidence, joint_levels
from .feet import find_freedom, steady_feet, steady_rig_feet
from .kept import Kept, kept_joints, pass_through
from .locations import steady_locations
from .pops import find_rotation_pops
from .repair import bridge_leaps, exchange_sides_back, find_lost_bones
from .report import add_spread, report_changes
from .running import OnStep, part_of, span_of, still_at
from .scope import keep_left_out, keep_unbroken
from .take_checks import check_motion, check_take
from .turns import heed_turns
from .twist import chains_between, lay_on_rig, smooth_unseen_rotations

_BORDER_FRAMES = 5
# What of the time goes by between these shares: in the pieces of a take, and of a piece in the prior. On one core, by a
# script, for takes of 300 to 6,000 frames.
_IN_PIECES, _IN_PRIOR = (0.05, 0.9), (0.1, 0.8)
_NOTHING_TO_DO = "Nothing is left to do: switch on jitter, pops, gaps or feet."
_NOTHING_MEASURED = "Nothing of the body is measured in this range: leave some bones out of those to complete."
# How each kind of prior turns evidence into positions; the kind is the prior's own word.
RECONSTRUCT = {"pose": frames.reconstruct, "motion": windows.reconstruct}


@dataclass(frozen=True)
class CleanSettings:
    """What the user chose; the defaults need no thought.

    strength 0 to 1: how much of the correction is applied to what was measured; at 0 nothing changes at all, above it
    what is filled in and sides that are exchanged back count in full. start, end: scene frames, both included.
    complete: bones to fill in besides what is found frozen. sampler, steps (None: the prior's default) and seed say how
    the prior is asked. feet 0 to 1: how far feet that rest are held in place where they slide. samples: of how many,
    two at least, the spread says how unsure the result is, by the prior of motion; 0: not asked for, for it takes long.
    jitter, pops, gaps: whether noise is removed, whether leaps and exchanged sides are put right, whether limbs that
    froze or got lost are found and filled in. joints: those of the model that may change, all of them unless given.
    leave_out_reference: a T-pose or rest pose in front of the take is not cleaned and has no say (see cleaned.py).
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
    jitter: bool = True
    pops: bool = True
    gaps: bool = True
    joints: tuple[str, ...] | None = None
    leave_out_reference: bool = False

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
    check_motion(motion)
    if not motion.visible.any():
        raise TakeError(_NOTHING_MEASURED)


def _check_take(take: RigTake, settings: CleanSettings, prior: Prior) -> None:
    """Refuse what makes no sense before any time is spent."""
    if not (settings.jitter or settings.pops or settings.gaps or settings.feet or settings.complete):
        raise TakeError(_NOTHING_TO_DO)
    if settings.samples and prior.kind != "motion":
        raise TakeError("How unsure the result is only the prior of motion can tell: choose it, or ask for no samples.")
    if settings.samples == 1:
        raise TakeError("One sample has no spread: ask for 2 samples or more.")
    check_take(take)


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
    _check_take(take, settings, prior)
    rows = _chosen_rows(take, settings)
    bones = to_model(take.rows(slice(rows.start, rows.start + 1)), mapping)[1].bones
    kept = keep_left_out(take, kept or Kept.nothing(take), bones, settings.joints)
    told = on_step or _not_told
    in_place = _sides_in_place(take, bones, rows, kept, told) if settings.pops else take
    told(0, 1)
    at_first = still_at(on_step, 0, 1)
    hidden = _find_hidden(in_place, bones, rows, settings, at_first) & ~kept.rotation
    told(0, 1)
    bridged = _bridged(in_place, hidden, rows, at_first)
    told(0, 1)
    parts, noise, spread = pieces.split(rows.start, rows.stop, hidden.any(axis=1)), [], []
    rotation, location = (pieces.copied(each, at_first) for each in (take.rotation, take.location))
    weight, in_pieces = _border_weight(take, rows), span_of(on_step, *_IN_PIECES)
    for number, part in enumerate(parts):
        piece = _Piece(bridged.rows(part), take.rows(part), hidden[part], kept.rows(part))
        result, cleaned = _clean_piece(piece, mapping, settings, prior, part_of(in_pieces, number, len(parts)))
        noise.append(np.median(cleaned.noise, axis=0))
        spread.append(cleaned.spread)
        share = weight[part.start - rows.start : part.stop - rows.start]
        pieces.lay_over(rotation, location, _faded(piece.before, result, share), part, number == 0)
    after = replace(take, rotation=rotation, location=location)
    if not settings.strength:
        after, hidden = take, np.zeros_like(hidden)
    report = report_changes(take, after, mapping, np.median(noise, axis=0), hidden, still_at(on_step, 19, 20))
    if settings.samples > 1:
        add_spread(report["joints"], np.concatenate(spread), np.concatenate([take.frames[part] for part in parts]))
    told(1, 1)
    return after, report


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
    hidden, kept, told = piece.hidden, piece.kept, on_step or _not_told
    _, residual = to_model(piece.bridged.rows(slice(0, 1)), mapping)
    bridged, leapt = bridge_leaps(piece.bridged, residual.bones, hidden | kept.rotation)
    told(0, 1)  # here and below: so that a cancel need not wait for the whole piece
    steadied = smooth_unseen_rotations(bridged, residual.bones, settings.strength)
    motion, residual = to_model(steadied, mapping)
    seen = replace(motion, visible=motion.visible & ~hidden_joints(hidden, residual.bones))
    doubted = find_rotation_pops(steadied.rotation) & ~kept.rotation
    told(0, 1)
    hints = Hints(
        suspect=hidden_joints(doubted, residual.bones),
        kept=kept_joints(kept, residual.bones),
        bridged=fill_noise(hidden_joints(leapt, residual.bones), motion.fps),
    )
    body = replace(settings, feet=0.0)  # feet are held on the rig's own legs
    cleaned = clean_motion(seen, body, prior, span_of(on_step, *_IN_PRIOR), hints)
    told(17, 20)
    result = lay_on_rig(residual, cleaned.positions, hidden, settings.strength, kept.held)
    told(9, 10)
    unheard = hidden | leapt | kept.held
    result = heed_turns(
        residual, steadied, result, joint_levels(cleaned.noise), unheard, settings.strength, still_at(on_step, 9, 10)
    )
    if settings.pops:
        result = _leapt_in_part(piece.bridged, result, leapt, settings.strength)
    else:
        result = _leapt_in_part(piece.bridged, result, leapt | doubted, 0.0)
    told(19, 20)
    result = steady_locations(residual, piece.before, result, kept.held)
    told(19, 20)
    if not settings.jitter:
        broken = (hidden | leapt | doubted) if settings.pops else hidden
        result = pass_through(piece.bridged, result, keep_unbroken(kept, broken))
    freedom = find_freedom(residual.bones, kept.held, kept.location.all(axis=0))
    result = steady_rig_feet(residual, result, _noise_of(seen, cleaned), settings.feet * settings.strength, freedom)
    return pass_through(piece.before, result, kept), cleaned


def _not_told(_step: int, _count: int) -> None:
    """Nobody wants to know."""


def _leapt_in_part(before: RigTake, after: RigTake, leapt: np.ndarray, strength: float) -> RigTake:
    """The second take with rotations that leapt (F, B), which were put right in full, only so far from the first."""
    if strength == 1.0 or not leapt.any():
        return after
    rotation = after.rotation.copy()
    rotation[leapt] = rot.slerp(before.rotation[leapt], rotation[leapt], np.array(strength))
    return replace(after, rotation=rotation)


def _sides_in_place(take: RigTake, bones: np.ndarray, rows: slice, kept: Kept, told: OnStep) -> RigTake:
    """The take with limbs that were taken for those of the other side exchanged back in the chosen rows."""
    result = take
    for part in pieces.split(rows.start, rows.stop):
        told(0, 1)
        piece, exchanged = exchange_sides_back(take.rows(part), bones, kept.rotation[part])
        if exchanged.any():
            result = result if result is not take else replace(take, rotation=take.rotation.copy())
            result.rotation[part][exchanged] = piece.rotation[exchanged]
    return result


def _find_hidden(
    take: RigTake, bones: np.ndarray, rows: slice, settings: CleanSettings, on_step: OnStep | None = None
) -> np.ndarray:
    """Bone rotations (F, B) of the chosen rows that are to be completed: those that the user named, and lost ones."""
    hidden, chosen = np.zeros(take.rotation.shape[:2], bool), take.rows(rows)
    hidden[rows] = hidden_rows(chosen, settings.complete)
    if settings.gaps:
        hidden[rows] |= find_lost_bones(chosen, bones, on_step)
    for chain in chains_between(take, bones):  # what lies between two bones that are hidden shows no more than they do
        hidden[:, chain] |= (hidden[:, take.parents[chain[0]]] & hidden[:, chain[-1]])[:, None]
    if hidden[rows][:, bones[bones >= 0]].all():
        raise TakeError(_NOTHING_MEASURED)
    return hidden


def _bridged(take: RigTake, hidden: np.ndarray, rows: slice, on_step: OnStep | None) -> RigTake:
    """The take with what is hidden bridged from the chosen rows beside it; on_step: see interpolate_rotations."""
    if not hidden.any():
        return take
    rotation = pieces.copied(take.rotation, on_step)
    rotation[rows] = interpolate_rotations(take.rows(rows), hidden[rows], on_step).rotation
    return replace(take, rotation=rotation)


def _faded(before: RigTake, after: RigTake, weight: np.ndarray) -> RigTake:
    """The second take where weight (F,) is 1, the first where it is 0."""
    location = before.location + weight[:, None, None] * (after.location - before.location)
    return replace(after, rotation=rot.slerp(before.rotation, after.rotation, weight[:, None]), location=location)


def _chosen_rows(take: RigTake, settings: CleanSettings) -> slice:
    inside = np.flatnonzero(frames_between(take, settings.start, settings.end))
    if not len(inside):
        where = describe_range(settings.start, settings.end)
        raise TakeError(f"No frame of the take lies {where}: choose a range that contains keyframes.")
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
