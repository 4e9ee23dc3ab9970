"""Pairs of like chains in a tree of bones: legs, arms, fingers, strands of hair."""

from dataclasses import dataclass

import numpy as np

from .bone_tree import BoneTree

_LIKE = 0.12  # of a chain's length: how far the two chains of a pair may differ (CMU's measured legs differ by 5 %)
_ODD_BONE = 0.1  # difference of two chains for each bone that one has more
_SMALLEST_PAIR = 0.3  # of the longest pair: shorter ones are fingers, ears, straps


@dataclass(frozen=True)
class Pair:
    """Two like chains below one bone and the length of the longer one."""

    node: int
    chains: tuple[list[int], list[int]]
    reach: float


def great_pairs(tree: BoneTree) -> list[Pair]:
    """Pairs of like chains, the longest first; none lies within a chain of another."""
    forks = [node for node in range(-1, len(tree.parents)) if len(tree.children[node]) > 1]
    found = [like for node in forks for like in _likes_at(tree, node) if len(like[0])]
    if not found:
        return []
    starts, reach, difference = (np.concatenate(part) for part in zip(*found, strict=True))
    lengths, which = np.unique(reach, return_inverse=True)
    order = np.lexsort((difference, -np.array([round(length, 6) for length in lengths.tolist()])[which]))
    order = order[reach[order] >= _SMALLEST_PAIR * reach[order[0]]]
    great, taken = [], set()
    for place, a, b in zip(order, *starts[order].T.tolist(), strict=True):
        if a not in taken and b not in taken and taken.isdisjoint(tree.path(tree.parents[a])):
            great.append(Pair(tree.parents[a], (tree.longest_chain(a), tree.longest_chain(b)), float(reach[place])))
            taken |= {a, b}
    return great


def _likes_at(tree: BoneTree, node: int) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """First bones (N, 2), length and difference (N,) of the pairs below a bone, for each chain with those after it."""
    chains = [tree.longest_chain(child) for child in tree.children[node]]
    chains = [chain for chain in chains if len(chain) >= 3]
    if len(chains) < 2:
        return []
    ways = np.full((len(chains), max(map(len, chains)) - 1), np.nan)
    for way, chain in zip(ways, chains, strict=True):
        way[: len(chain) - 1] = np.cumsum(tree.steps(chain))
    starts, counts, reaches = np.array([chain[0] for chain in chains]), np.isfinite(ways).sum(1), np.nanmax(ways, 1)
    return [_likes_after(first, starts, counts, reaches, ways) for first in range(len(chains) - 1)]


def _likes_after(
    first: int, starts: np.ndarray, counts: np.ndarray, reaches: np.ndarray, ways: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Those of the later chains that are like the first one; `ways` (C, S) are lengths along each, NaN beyond it."""
    odd = _ODD_BONE * np.abs(counts - counts[first])
    others = np.flatnonzero((odd <= _LIKE) & (np.arange(len(starts)) > first))
    reach = np.maximum(reaches[others], reaches[first])
    apart = np.fmax.reduce(np.abs(ways[others] - ways[first]), axis=1)  # as far as both go
    difference = apart / np.maximum(reach, 1e-9) + odd[others]
    like = difference <= _LIKE
    pairs = np.stack([np.full(len(others), starts[first]), starts[others]], axis=1)
    return pairs[like], reach[like], difference[like]
