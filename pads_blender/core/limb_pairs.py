"""Pairs of like chains in a tree of bones: legs, arms, fingers, strands of hair."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from .bone_tree import BoneTree, steps_of

_LIKE = 0.12  # of a chain's length: how far the two chains of a pair may differ (CMU's measured legs differ by 5 %)
_SMALLEST_PAIR = 0.3  # of the longest pair: shorter ones are fingers, ears, straps


@dataclass(frozen=True)
class Pair:
    """Two like chains below one bone, the length of the longer one and how far they differ, by that length."""

    node: int
    chains: tuple[list[int], list[int]]
    reach: float
    difference: float

    @property
    def starts(self) -> set[int]:
        """The first bone of each chain."""
        return {chain[0] for chain in self.chains}


def great_pairs(tree: BoneTree) -> list[Pair]:
    """Pairs of like chains, the longest first; none lies within a chain of another."""
    pairs = [pair for node in range(-1, len(tree.parents)) for pair in _pairs_at(tree, node)]
    pairs.sort(key=lambda pair: (-round(pair.reach, 6), pair.difference))
    great = []
    for pair in pairs:
        taken = {start for other in great for start in other.starts}
        if pair.reach >= _SMALLEST_PAIR * pairs[0].reach and not taken & (pair.starts | set(tree.path(pair.node))):
            great.append(pair)
    return great


def _pairs_at(tree: BoneTree, node: int) -> list[Pair]:
    if len(tree.children[node]) < 2:
        return []
    chains = [tree.longest_chain(child) for child in tree.children[node]]
    pairs = [_compare(tree, node, a, b) for a, b in combinations([c for c in chains if len(c) >= 3], 2)]
    return [pair for pair in pairs if pair.difference <= _LIKE]


def _compare(tree: BoneTree, node: int, a: list[int], b: list[int]) -> Pair:
    lengths = [np.cumsum(steps_of(tree, chain)) for chain in (a, b)]
    count = min(len(each) for each in lengths)
    reach = max(each[-1] for each in lengths)
    difference = np.abs(lengths[0][:count] - lengths[1][:count]).max() / max(reach, 1e-9)
    return Pair(node, (a, b), float(reach), float(difference) + 0.1 * abs(len(a) - len(b)))
