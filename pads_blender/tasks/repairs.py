"""How much of what was found to be broken in a take is so no longer. Counts alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .problems import Problem

Repairs = list[tuple[int, int, str]]  # how many are gone, of how many, of which kind


def count_repairs(before: Sequence[Problem], after: Sequence[Problem]) -> Repairs:
    """By kinds of problem, those that feet below the floor make left out: they are only pointed out.

    One counts as gone where none of its kind is left on any of its joints in any of its frames.
    """
    found, gone = Counter(), Counter()
    for problem in before:
        if problem.kind != "penetration":
            found[problem.kind] += 1
            gone[problem.kind] += not any(_are_same(problem, other) for other in after)
    return [(gone[kind], found[kind], kind) for kind in found]


def _are_same(one: Problem, other: Problem) -> bool:
    is_beside = one.first > other.last or other.first > one.last
    return one.kind == other.kind and not is_beside and bool(set(one.joints) & set(other.joints))
