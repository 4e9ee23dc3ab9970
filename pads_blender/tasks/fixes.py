"""One listed problem put right, or all of them, and everything else left alone; bones filled in that somebody names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..core.mapping import Mapping
from ..core.retarget import to_model
from ..core.rig import RigTake
from ..diffusion.prior import Prior
from .clean import CleanSettings
from .cleaned import clean_rig
from .complete import HiddenBones
from .contacts import CONTACT_JOINTS, ContactRange
from .foot_lock import lock_feet_at
from .kept import FALLOFF_SECONDS, Kept
from .problems import Problem
from .running import OnStep, part_of
from .scope import LIMBS, joints_of, keep_left_out
from .take_checks import check_take

CONTEXT_FRAMES = 1000  # on either side of what is filled in: where like poses are looked for
_BESIDE_FRAMES = 30  # of what is not filled in
_BESIDE_SECONDS = 2.0  # of a slide: feet are back on their own path within one
_FILLED = ("pop", "frozen", "missing")
FIXABLE = (*_FILLED, "jitter", "swap", "slide")


def fill_settings(bones: tuple[str, ...], first: float, last: float, usual: CleanSettings) -> CleanSettings:
    """Settings that complete these bones from scene frame first to last, and change nothing else."""
    hidden = (HiddenBones(bones, first, last),)
    return replace(_nothing(usual, first - CONTEXT_FRAMES, last + CONTEXT_FRAMES), complete=hidden)


def fix_problems(
    take: RigTake,
    mapping: Mapping,
    kept: Kept,
    problems: Sequence[Problem],
    usual: CleanSettings,
    prior: Prior | None,
    on_step: OnStep | None = None,
) -> RigTake:
    """The take with these problems, all of a kind in FIXABLE, put right; what none of them is about stays as it is.

    Feet that slide need no prior, and are held last: what else is wrong with them is put right by then.
    """
    check_take(take)
    slides = [problem for problem in problems if problem.kind == "slide"]
    others = [problem for problem in problems if problem.kind != "slide"]
    result, stages = take, bool(others) + bool(slides)
    if others:
        free, asked = _kept_but(take, mapping, kept, others), fix_settings(others, mapping, usual)
        result = clean_rig(take, mapping, free, asked, prior, part_of(on_step, 0, stages)).after
    return _hold_slides(result, mapping, kept, slides, part_of(on_step, stages - 1, stages)) if slides else result


def fix_settings(problems: Sequence[Problem], mapping: Mapping, usual: CleanSettings) -> CleanSettings:
    """What is asked of Clean for problems other than slides: those that leapt or got lost are filled in one by one."""
    kinds = {problem.kind for problem in problems}
    lost = [problem for problem in problems if problem.kind in _FILLED]
    reach = CONTEXT_FRAMES if lost else _BESIDE_FRAMES
    first, last = min(each.first for each in problems), max(each.last for each in problems)
    return replace(
        _nothing(usual, first - reach, last + reach),
        strength=usual.strength if "jitter" in kinds else 1.0,
        jitter="jitter" in kinds,
        pops="swap" in kinds,
        complete=tuple(HiddenBones(_bones(each, mapping), each.first, each.last) for each in lost),
    )


def _hold_slides(
    take: RigTake, mapping: Mapping, kept: Kept, slides: Sequence[Problem], on_step: OnStep | None = None
) -> RigTake:
    """The take with each foot that slides held where it stands; neither the pelvis nor the other foot moves."""
    rotation, location, bones = take.rotation.copy(), take.location.copy(), _joint_bones(take, mapping)
    result = replace(take, rotation=rotation, location=location)
    for number, problem in enumerate(slides):
        joints = tuple(joint for joint in problem.joints if joint in CONTACT_JOINTS)
        contacts = [ContactRange(joint, int(problem.first), int(problem.last)) for joint in joints]
        rows = _about(take, problem)
        leg = keep_left_out(take, kept, bones, _whole_limbs(problem)).rows(rows)
        told = part_of(on_step, number, len(slides))
        held = lock_feet_at(result.rows(rows), mapping, leg, contacts, 1.0, told)
        rotation[rows], location[rows] = held.rotation, held.location
    return result


def _about(take: RigTake, problem: Problem) -> slice:
    """The problem's frames with as many beside them as a foot that is held there can move in."""
    beside = _BESIDE_SECONDS * take.fps
    first = np.searchsorted(take.frames, problem.first - beside)
    return slice(int(first), int(np.searchsorted(take.frames, problem.last + beside, side="right")))


def _kept_but(take: RigTake, mapping: Mapping, kept: Kept, problems: Sequence[Problem]) -> Kept:
    """What is kept, with all frames and bones that the problems are not about; jitter fades out beside its frames."""
    bones, reach = _joint_bones(take, mapping), FALLOFF_SECONDS * take.fps
    free = np.zeros(kept.rotation.shape, bool)
    for problem in problems:
        beside = 1.0 if problem.kind in _FILLED else reach
        rows = (take.frames >= problem.first - beside) & (take.frames <= problem.last + beside)
        free |= rows[:, None] & ~keep_left_out(take, Kept.nothing(take), bones, _whole_limbs(problem)).rotation
    return Kept(kept.rotation | ~free, kept.location | ~free)


def _whole_limbs(problem: Problem) -> tuple[str, ...]:
    """All joints of the limbs that the problem is about."""
    return joints_of(tuple(limb for limb, joints in LIMBS.items() if set(joints) & set(problem.joints)))


def _joint_bones(take: RigTake, mapping: Mapping) -> np.ndarray:
    """The bone (J,) of each joint."""
    return to_model(take.rows(slice(0, 1)), mapping)[1].bones


def _nothing(usual: CleanSettings, start: float | None, end: float | None) -> CleanSettings:
    """Settings that do nothing, in these frames and in the quality that the user wants."""
    return CleanSettings(
        start=start, end=end, steps=usual.steps, seed=usual.seed, feet=0.0, jitter=False, pops=False, gaps=False
    )


def _bones(problem: Problem, mapping: Mapping) -> tuple[str, ...]:
    return tuple(mapping.bone(joint) for joint in problem.joints if mapping.bone(joint))
