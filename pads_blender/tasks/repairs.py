"""How much of what was found to be broken in a take is so no longer. Counts alone."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .problems import Problem

_GAPS = ("frozen", "missing")
Repairs = list[tuple[int, int, str]]  # how many are gone, of how many, of which kind


def count_repairs(
    before: Sequence[Problem], after: Sequence[Problem], filled: Mapping[str, Sequence[Sequence[float]]]
) -> Repairs:
    """By kinds of problem, those that feet below the floor make left out: they are only pointed out.

    One counts as gone where none of its kind is left on any of its joints in any of its frames; a gap, moreover, only
    where one of its joints was filled in. filled: first and last frame of each stretch, by joint.
    """
    found, gone, ranges = Counter(), Counter(), defaultdict(list)
    for problem in after:
        for joint in problem.joints:
            ranges[problem.kind, joint].append((problem.first, problem.last))
    left = {key: _Ranges.of(each) for key, each in ranges.items()}
    for problem in before:
        if problem.kind != "penetration":
            found[problem.kind] += 1
            beside = (left.get((problem.kind, joint)) for joint in problem.joints)
            is_left = any(each and each.meet(problem.first, problem.last) for each in beside)
            gone[problem.kind] += not is_left and (problem.kind not in _GAPS or _is_filled(problem, filled))
    return [(gone[kind], found[kind], kind) for kind in found]


def _is_filled(problem: Problem, filled: Mapping[str, Sequence[Sequence[float]]]) -> bool:
    """Whether one of its joints was filled in in one of its frames."""
    stretches = [stretch for joint in problem.joints for stretch in filled.get(joint, ())]
    return any(first <= problem.last and last >= problem.first for first, last in stretches)


@dataclass(frozen=True)
class _Ranges:
    """Ranges of frames in the order of their first ones; lasts: the highest last frame of each and all before it.

    A long take has thousands of problems, of which each is compared with all others.
    """

    firsts: list[float]
    lasts: list[float]

    @classmethod
    def of(cls, ranges: list[tuple[float, float]]) -> _Ranges:
        """From first and last frames in any order."""
        ordered = sorted(ranges)
        return cls([first for first, _ in ordered], list(accumulate((last for _, last in ordered), max)))

    def meet(self, first: float, last: float) -> bool:
        """Whether any of them has a frame in common with that from first to last."""
        count = bisect_right(self.firsts, last)
        return count > 0 and self.lasts[count - 1] >= first
