"""Which bones of a pair of chains are the three joints of a limb, by lengths alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from .bone_tree import SAME_PLACE, BoneTree, steps_of
from .limb_pairs import Pair

_FINGERS = 3  # chains that leave a hand
_SKIPPED_BONE = 1.0  # cost of a bone that splits an upper or lower limb (twist segments of MakeHuman and Daz)
_FORKING_WRIST = -3.0  # cost of a wrist at which several bones start: thumb and fingers


@dataclass(frozen=True)
class Proportions:
    """What a limb of three joints looks like: mean and spread, from rigs of many makers."""

    upper_to_lower: tuple[float, float]  # logarithm of upper length by lower length
    before: tuple[float, float]  # length before the first joint (collar), by that of both bones
    beyond: tuple[float, float]  # length beyond the third joint (hand, foot), by that of both bones


LEG = Proportions(upper_to_lower=(-0.03, 0.2), before=(0.02, 0.1), beyond=(0.22, 0.15))
ARM = Proportions(upper_to_lower=(0.05, 0.2), before=(0.25, 0.15), beyond=(0.3, 0.2))


@dataclass(frozen=True)
class Limb:
    """One arm or leg: its chain from the trunk outwards, and the three bones whose heads are its joints."""

    chain: tuple[int, ...]
    joints: tuple[int, int, int]

    @property
    def before(self) -> int | None:
        """The bone above the first joint within the chain: the collar of an arm."""
        place = self.chain.index(self.joints[0])
        return self.chain[place - 1] if place else None

    @property
    def beyond(self) -> int | None:
        """The bone after the third joint: the toe of a leg."""
        place = self.chain.index(self.joints[2])
        return self.chain[place + 1] if place + 1 < len(self.chain) else None


@dataclass(frozen=True)
class Fit:
    """The joints of both limbs of a pair, and how unlike a limb they are."""

    cost: float
    limbs: tuple[Limb, Limb]

    def heads(self, tree: BoneTree, joint: int) -> np.ndarray:
        """Rest positions (2, 3) of one of the three joints in both limbs."""
        return tree.heads[[limb.joints[joint] for limb in self.limbs]]


def limb_length(tree: BoneTree, limb: Limb) -> float:
    """Of both bones, from the first joint to the third."""
    first, second, third = limb.joints
    return max(tree.distance(first, second) + tree.distance(second, third), 1e-9)


def fit_pair(tree: BoneTree, pair: Pair, proportions: Proportions) -> Fit:
    """The best places of the three joints, the same in both chains."""
    triples = list(combinations(range(min(len(chain) for chain in pair.chains)), 3))
    places = [triple for triple in triples if _are_apart(tree, pair, triple)] or triples[:1]
    places = _ending_at_hand(tree, pair, places) if proportions is ARM else places
    costs = [sum(_cost(tree, chain, place, proportions) for chain in pair.chains) / 2 for place in places]
    best = places[int(np.argmin(costs))]
    return Fit(min(costs), tuple(Limb(tuple(c), tuple(c[i] for i in best)) for c in pair.chains))


def _are_apart(tree: BoneTree, pair: Pair, triple: tuple[int, int, int]) -> bool:
    """Whether left and right joint are two places: a bone that starts on the midline is no hip or shoulder."""
    return all(tree.distance(pair.chains[0][place], pair.chains[1][place]) > 0.01 * pair.reach for place in triple)


def _ending_at_hand(tree: BoneTree, pair: Pair, places: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Only places whose third joint is where the fingers part, where there are fingers."""
    forks = [[_fork(tree, chain, place) for place in range(len(chain))] for chain in pair.chains]
    hands = [next((place for place, count in enumerate(fork) if count >= _FINGERS), None) for fork in forks]
    return [place for place in places if place[2] == hands[0] == hands[1]] or places


def _fork(tree: BoneTree, chain: Sequence[int], place: int) -> int:
    """How many chains, of more than one bone, start at a place of a chain."""
    here = tree.gathered(chain[place], SAME_PLACE * tree.reach[chain[0]])
    return sum(bool(tree.children[child]) for bone in here for child in tree.children[bone] if child not in here)


def _cost(tree: BoneTree, chain: list[int], triple: tuple[int, int, int], proportions: Proportions) -> float:
    """How far three places in a chain are from the proportions of a limb."""
    steps = steps_of(tree, chain)
    first, second, third = triple
    upper, lower = tree.distance(chain[first], chain[second]), tree.distance(chain[second], chain[third])
    both = max(upper + lower, 1e-9)
    forks = proportions is ARM and len(tree.gathered(chain[third], SAME_PLACE * both)) > 2
    return (
        surprise(np.log(max(upper, 1e-9) / max(lower, 1e-9)), proportions.upper_to_lower)
        + surprise(steps[:first].sum() / both, proportions.before)
        + surprise(steps[third:].sum() / both, proportions.beyond)
        + _SKIPPED_BONE * (third - first - 2)
        + _FORKING_WRIST * forks
    )


def surprise(value: float, expected: tuple[float, float]) -> float:
    """Squared distance from a mean by its spread, 50 at most."""
    mean, spread = expected
    return float(min(((value - mean) / spread) ** 2, 50.0))
