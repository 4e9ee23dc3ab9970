"""Which bones of a pair of chains are the three joints of a limb, by lengths alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from .bone_tree import SAME_PLACE, BoneTree
from .limb_pairs import Pair

_FINGERS = 3  # chains that leave a hand
_SKIPPED_BONE = 1.0  # cost of a bone that splits an upper or lower limb (twist segments of MakeHuman and Daz)
FORKING_WRIST = -3.0  # cost of a wrist at which several bones start: thumb and fingers


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

    pair: Pair
    cost: float
    limbs: tuple[Limb, Limb]
    length: float  # of both bones of the first limb

    def heads(self, tree: BoneTree, joint: int) -> np.ndarray:
        """Rest positions (2, 3) of one of the three joints in both limbs."""
        return tree.heads[[limb.joints[joint] for limb in self.limbs]]


def limb_length(tree: BoneTree, limb: Limb) -> float:
    """Of both bones, from the first joint to the third."""
    first, second, third = limb.joints
    return max(tree.distance(first, second) + tree.distance(second, third), 1e-9)


def fit_pair(tree: BoneTree, pair: Pair, proportions: Proportions, most: float) -> Fit | None:
    """The best places of the three joints, the same in both chains; None where each costs more than `most`.

    A place with more skipped bones than `most` pays for is never looked at, so that long chains take time by length.
    """
    bonus = -FORKING_WRIST if proportions is ARM else 0.0
    places = _places(tree, pair, int((most + bonus) / _SKIPPED_BONE))
    costs = sum(_costs(tree, chain, places, proportions) for chain in pair.chains) / 2
    if not (costs - bonus <= most).any():
        return None
    if proportions is ARM:
        places, costs = _ending_at_hand(tree, pair, places, costs + _wrist_costs(tree, pair, places))
    if not (costs <= most).any():
        return None
    best = places[np.argmin(costs)]
    limbs = tuple(Limb(tuple(chain), tuple(chain[place] for place in best)) for chain in pair.chains)
    return Fit(pair, float(costs.min()), limbs, limb_length(tree, limbs[0]))


def _places(tree: BoneTree, pair: Pair, most_skipped: int) -> np.ndarray:
    """Places (N, 3) in both chains, in order, at which three joints may lie with no more than so many bones between."""
    apart = _are_apart(tree, pair)
    if apart.sum() < 3:
        return np.array([[0, 1, 2]])
    ways = np.array([(0, *steps) for steps in combinations(range(1, min(most_skipped + 2, len(apart) - 1) + 1), 2)])
    places = (np.arange(len(apart))[:, None, None] + ways).reshape(-1, 3)
    places = places[places[:, 2] < len(apart)]
    return places[apart[places].all(axis=1)]


def _are_apart(tree: BoneTree, pair: Pair) -> np.ndarray:
    """For each place whether left and right are two: a bone that starts on the midline is no hip or shoulder."""
    count = min(len(chain) for chain in pair.chains)
    first, second = (tree.heads[chain[:count]] for chain in pair.chains)
    return np.linalg.norm(first - second, axis=-1) > 0.01 * pair.reach


def _ending_at_hand(tree: BoneTree, pair: Pair, places: np.ndarray, costs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Only places whose third joint is where the fingers part, where there are fingers; and their costs."""
    hand, other = (_hand(tree, chain) for chain in pair.chains)
    apart = _are_apart(tree, pair)
    if hand is None or hand != other or not (apart[hand : hand + 1].any() and apart[:hand].sum() >= 2):
        return places, costs
    at_hand = places[:, 2] == hand
    return places[at_hand], costs[at_hand]


def _hand(tree: BoneTree, chain: Sequence[int]) -> int | None:
    """The first place of a chain at which fingers part."""
    return next((place for place in range(len(chain)) if _fork(tree, chain, place) >= _FINGERS), None)


def _fork(tree: BoneTree, chain: Sequence[int], place: int) -> int:
    """How many chains, of more than one bone, start at a place of a chain."""
    here = tree.gathered(chain[place], SAME_PLACE * tree.reach[chain[0]])
    return sum(bool(tree.children[child]) for bone in here for child in tree.children[bone] if child not in here)


def _costs(tree: BoneTree, chain: list[int], places: np.ndarray, proportions: Proportions) -> np.ndarray:
    """How far three places (N, 3) in a chain are from the proportions of a limb, all but the wrist."""
    way = np.concatenate([[0.0], np.cumsum(tree.steps(chain))])
    first, _, third = places.T
    upper, lower = _bones(tree, chain, places)
    both = np.maximum(upper + lower, 1e-9)
    return (
        surprise(np.log(np.maximum(upper, 1e-9) / np.maximum(lower, 1e-9)), proportions.upper_to_lower)
        + surprise(way[first] / both, proportions.before)
        + surprise((way[-1] - way[third]) / both, proportions.beyond)
        + _SKIPPED_BONE * (third - first - 2)
    )


def _wrist_costs(tree: BoneTree, pair: Pair, places: np.ndarray) -> np.ndarray:
    """What forking wrists at the third of three places (N, 3) earn."""
    costs = np.zeros(len(places))
    for chain in pair.chains:
        room = {place: tree.room_of_three(chain[place]) for place in set(places[:, 2].tolist())}
        forks = np.array([room[place] for place in places[:, 2].tolist()])
        both = np.maximum(sum(_bones(tree, chain, places)), 1e-9)
        costs += FORKING_WRIST * (forks <= SAME_PLACE * both) / 2
    return costs


def _bones(tree: BoneTree, chain: list[int], places: np.ndarray) -> np.ndarray:
    """Lengths (2, N) from the first of three places (N, 3) in a chain to the second, and on to the third."""
    return np.linalg.norm(np.diff(tree.heads[chain][places], axis=1), axis=-1).T


def surprise(value: float | np.ndarray, expected: tuple[float, float]) -> float | np.ndarray:
    """Squared distance from a mean by its spread, 50 at most."""
    mean, spread = expected
    return np.minimum(((value - mean) / spread) ** 2, 50.0)
