"""What Clean is asked for to put one listed problem right, or all of them, and to leave everything else alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..core.mapping import Mapping
from .clean import CleanSettings
from .complete import HiddenBones
from .problems import Problem
from .scope import LIMBS, joints_of

CONTEXT_FRAMES = 1000  # on either side of what is filled in: where like poses are looked for
_BESIDE_FRAMES = 30  # what feet did before and after says whether they rest
_FILLED = ("pop", "frozen", "missing")
FIXABLE = (*_FILLED, "jitter", "swap", "slide")


def fill_settings(bones: tuple[str, ...], first: float, last: float, usual: CleanSettings) -> CleanSettings:
    """Settings that complete these bones from scene frame first to last, and change nothing else."""
    hidden = (HiddenBones(bones, first, last),)
    return replace(_nothing(usual, first - CONTEXT_FRAMES, last + CONTEXT_FRAMES), complete=hidden)


def fix_settings(problem: Problem, mapping: Mapping, usual: CleanSettings) -> CleanSettings:
    """Settings that put one problem of a kind in FIXABLE right."""
    if problem.kind in _FILLED:
        return fill_settings(_bones(problem, mapping), problem.first, problem.last, usual)
    limbs = tuple(limb for limb, joints in LIMBS.items() if set(joints) & set(problem.joints))
    if problem.kind == "jitter":
        quiet = _nothing(usual, problem.first, problem.last)
        return replace(quiet, jitter=True, strength=usual.strength, joints=joints_of(limbs))
    only = _nothing(usual, problem.first - _BESIDE_FRAMES, problem.last + _BESIDE_FRAMES)
    return replace(only, pops=True) if problem.kind == "swap" else replace(only, feet=1.0)


def fix_all_settings(problems: Sequence[Problem], mapping: Mapping, usual: CleanSettings) -> CleanSettings:
    """Settings that put all listed problems of a kind in FIXABLE right, in one go.

    What is filled in is so one by one: a leap that the user took off the list stays.
    """
    kinds = {problem.kind for problem in problems}
    lost = [problem for problem in problems if problem.kind in _FILLED]
    return replace(
        _nothing(usual, None, None),
        strength=usual.strength,
        jitter="jitter" in kinds,
        pops="swap" in kinds,
        complete=tuple(HiddenBones(_bones(each, mapping), each.first, each.last) for each in lost),
        feet=1.0 if "slide" in kinds else 0.0,
    )


def _nothing(usual: CleanSettings, start: float | None, end: float | None) -> CleanSettings:
    """Settings that do nothing, in these frames and in the quality that the user wants."""
    return CleanSettings(
        start=start, end=end, steps=usual.steps, seed=usual.seed, feet=0.0, jitter=False, pops=False, gaps=False
    )


def _bones(problem: Problem, mapping: Mapping) -> tuple[str, ...]:
    return tuple(mapping.bone(joint) for joint in problem.joints if mapping.bone(joint))
