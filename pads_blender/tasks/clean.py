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
from ..core.skeleton import JOINTS, MODEL
from ..diffusion.prior import Prior
from ..errors import TakeError
from . import frames, windows
from .complete import HiddenBones, hidden_joints, hidden_rows, interpolate_rotations
from .evidence import SamplerSettings, gather_evidence
from .kept import Kept, kept_joints, pass_through
from .problems import find_frozen, find_rotation_pops
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
    seed say how the prior is asked.
    """

    strength: float = 1.0
    start: float | None = None
    end: float | None = None
    complete: tuple[HiddenBones, ...] = ()
    sampler: str = SamplerSettings.sampler
    steps: int | None = None
    seed: int = 0

    @property
    def sampling(self) -> SamplerSettings:
        """How the prior is to be asked."""
        return SamplerSettings(self.sampler, self.steps, self.seed)


def clean_motion(
    motion: Motion,
    settings: CleanSettings,
    prior: Prior,
    on_step: OnStep | None = None,
    suspect: np.ndarray | None = None,
    kept: np.ndarray | None = None,
) -> Motion:
    """The motion (F, J, 3) that prior and measurement agree on, every joint visible.

    Noise is estimated per joint where motion.noise is None; suspect (F, J): joints to be believed only if they fit;
    kept (F, J): joints to be believed whatever the others say.
    """
    _check(motion)
    evidence = gather_evidence(motion, suspect, kept)
    result = RECONSTRUCT[prior.kind](evidence, settings.sampling, prior, on_step)
    strength = np.where(motion.visible, settings.strength, 1.0)[..., None]
    positions = evidence.measured + strength * (result - evidence.measured)
    return replace(
        motion,
        positions=positions,
        visible=np.ones_like(motion.visible),
        noise=np.broadcast_to(evidence.joint_noise, motion.visible.shape),
    )


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
    rows = _chosen_rows(take, settings)
    part, held = _rows_of(take, rows), (kept or Kept.nothing(take)).rows(rows)
    _, residual = to_model(part, mapping)
    hidden = hidden_rows(part, settings.complete) | find_frozen_bones(part, residual.bones)
    hidden &= ~held.rotation
    part_filled = smooth_unseen_rotations(interpolate_rotations(part, hidden), residual.bones, settings.strength)
    motion, residual = to_model(part_filled, mapping)
    seen = replace(motion, visible=motion.visible & ~hidden_joints(hidden, residual.bones))
    pops = hidden_joints(find_rotation_pops(part_filled.rotation) & ~held.rotation, residual.bones)
    cleaned = clean_motion(seen, settings, prior, on_step, pops, kept_joints(held, residual.bones))
    result = pass_through(part, _onto_rig(residual, cleaned.positions, settings.strength, held.held), held)
    weight = _border_weight(take, rows)
    rotation, location = take.rotation.copy(), take.location.copy()
    rotation[rows] = rot.slerp(part.rotation, result.rotation, np.broadcast_to(weight[:, None], hidden.shape))
    location[rows] += weight[:, None, None] * (result.location - part.location)
    after = replace(take, rotation=rotation, location=location)
    return after, _report(take, after, mapping, cleaned, hidden, rows)


def find_frozen_bones(take: RigTake, bones: np.ndarray) -> np.ndarray:
    """Frames and bones (F, B) that are held while they should move; bones (J,) of the joints, -1 for none.

    Only together with the bone of a neighbouring joint: lost tracking takes a limb, whereas a single bone that holds is
    often one at the limit of its joint, such as a straight knee.
    """
    held = np.where(bones >= 0, find_frozen(take.rotation)[:, bones], False)
    together = np.zeros_like(held)
    for joint, parent in enumerate(MODEL.parents):
        if parent >= 0:
            both = held[:, joint] & held[:, parent]
            together[:, joint] |= both
            together[:, parent] |= both
    frozen = np.zeros(take.rotation.shape[:2], bool)
    frozen[:, bones[bones >= 0]] = together[:, bones >= 0]
    return frozen


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


def _rows_of(take: RigTake, rows: slice) -> RigTake:
    return replace(
        take,
        location=take.location[rows],
        rotation=take.rotation[rows],
        scale=take.scale[rows],
        frames=take.frames[rows],
    )


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


def _report(
    before: RigTake, after: RigTake, mapping: Mapping, cleaned: Motion, hidden: np.ndarray, rows: slice
) -> dict:
    """Mean and largest change of every mapped joint in degrees and millimetres, and what was measured and found."""
    (old, residual), (new, _) = to_model(before, mapping), to_model(after, mapping)
    degrees = np.degrees(rot.angle_between(before.rotation, after.rotation))
    millimetres = 1000.0 * np.linalg.norm(new.positions - old.positions, axis=-1)
    joints = {}
    for joint, name in enumerate(JOINTS):
        if (bone := residual.bones[joint]) >= 0:
            joints[name] = {
                "bone": before.names[bone],
                "degrees_mean": round(float(degrees[:, bone].mean()), 3),
                "degrees_max": round(float(degrees[:, bone].max()), 3),
                "mm_mean": round(float(millimetres[:, joint].mean()), 2),
                "mm_max": round(float(millimetres[:, joint].max()), 2),
                "noise_mm": round(1000.0 * float(np.median(cleaned.noise[:, joint])), 2),
                "completed_frames": int(hidden[:, bone].sum()),
            }
    return {"frames": len(before.frames), "fps": before.fps, "mapping": mapping.to_json(), "joints": joints}
