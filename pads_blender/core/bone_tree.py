"""A tree of bones: parents, and rest positions where they are known."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

SAME_PLACE = 0.002  # of a chain's length: bones closer than this share one head


@dataclass(frozen=True)
class BoneTree:
    """Parent index of each bone (-1: none), in any order, and rest heads and tails (B, 3), or None where unknown."""

    parents: tuple[int, ...]
    heads: np.ndarray | None = None
    tails: np.ndarray | None = None

    @cached_property
    def children(self) -> list[list[int]]:
        """Children of each bone; the last entry (index -1) holds the bones without parent."""
        children = [[] for _ in range(len(self.parents) + 1)]
        for bone, parent in enumerate(self.parents):
            children[parent].append(bone)
        return children

    @property
    def is_flat(self) -> bool:
        """Whether no bone has a parent: a list of names without hierarchy."""
        return all(parent < 0 for parent in self.parents)

    @cached_property
    def _paths(self) -> list[list[int]]:
        return [self._climb(bone) for bone in range(len(self.parents))]

    def _climb(self, bone: int) -> list[int]:
        path: dict[int, None] = {}  # in order, and quick to ask: a chain may have thousands of bones
        while bone >= 0 and bone not in path:
            path[bone] = None
            bone = self.parents[bone]
        return list(path)

    def path(self, bone: int) -> list[int]:
        """The bone and everything above it, from the bone up; empty for -1."""
        return self._paths[bone] if bone >= 0 else []

    def is_above(self, ancestor: int, bone: int) -> bool:
        """Whether the bone hangs below the ancestor, at any depth; -1 is above all."""
        return ancestor != bone and (ancestor < 0 or ancestor in self.path(bone))

    def carrier(self, bones: Sequence[int]) -> int:
        """Deepest bone above all of the given ones; -1 when they hang on different roots."""
        paths = [self.path(bone)[1:] for bone in bones]
        return next((bone for bone in paths[0] if all(bone in path for path in paths)), -1)

    def distance(self, a: int, b: int) -> float:
        """Between the heads of two bones; needs positions."""
        return float(np.linalg.norm(self.heads[a] - self.heads[b]))

    @cached_property
    def _lengths(self) -> list[float]:
        """Distance of each bone from its parent; 0 without one."""
        return [self.distance(*link) if link[1] >= 0 else 0.0 for link in enumerate(self.parents)]

    @cached_property
    def reach(self) -> list[float]:
        """Length of the longest chain below each bone; needs positions."""
        reach = [0.0] * len(self.parents)
        for bone in sorted(range(len(self.parents)), key=lambda each: -len(self.path(each))):
            below = [self._lengths[child] + reach[child] for child in self.children[bone]]
            reach[bone] = max(below, default=0.0)
        return reach

    def longest_chain(self, bone: int) -> list[int]:
        """From the bone down the longest way; bones at the place of the one before are left out."""
        chain, least = [bone], SAME_PLACE * self.reach[bone]
        while self.children[bone]:
            bone = max(self.children[bone], key=lambda c: self._lengths[c] + self.reach[c])
            if self.distance(chain[-1], bone) > least:
                chain.append(bone)
        return chain

    def steps(self, chain: Sequence[int]) -> np.ndarray:
        """Length from each bone of a chain to the next. Tails do not count: FBX importers invent them."""
        links = pairwise(chain)
        return np.array([self._lengths[b] if self.parents[b] == a else self.distance(a, b) for a, b in links])

    def gathered(self, bone: int, least: float) -> list[int]:
        """The bone and those below it whose heads are within `least` of its own."""
        here = [bone]
        for each in here:
            here += [child for child in self.children[each] if self.distance(bone, child) <= least]
        return here

    def room_of_three(self, bone: int) -> float:
        """The least distance at which `gathered` finds the bone and two more; infinite where fewer hang below it."""
        found, away = [bone], []
        for _ in range(2):
            away += [(self.distance(bone, child), child) for child in self.children[found[-1]]]
            if not away:
                return np.inf
            found.append(min(away)[1])
            away.remove(min(away))
        return max(self.distance(bone, each) for each in found)
