"""How much of what was found to be broken in a take is so no longer. Counts alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .problems import Problem

Repairs = list[tuple[int, int, str]]  # how many are gone, of how many, of which kind


def count_repairs(before: Sequence[Problem], after: Sequence[Problem]) -> Repairs:
    """By kinds of problem, those that feet below the floor make left out: they are only pointed out.

    One counts as gone where none of its kind is left on any of its joints in any of its frames.
    """
    found, gone, left = Counter(), Counter(), defaultdict(list)
    for problem in after:  # by joint: a long take has thousands of problems
        for joint in problem.joints:
            left[problem.kind, joint].append((problem.first, problem.last))
    for problem in before:
        if problem.kind != "penetration":
            found[problem.kind] += 1
            ranges = (each for joint in problem.joints for each in left[problem.kind, joint])
            gone[problem.kind] += not any(first <= problem.last and problem.first <= last for first, last in ranges)
    return [(gone[kind], found[kind], kind) for kind in found]
