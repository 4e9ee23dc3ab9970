"""The limbs of a body in a tree of bones, found by hierarchy and rest positions alone; knows no bone names.

Legs and arms are the two great pairs of chains with equal bone lengths. Only lengths decide which bone of a chain is
which joint, so the rest pose may be anything; directions are asked only to tell left from right.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, pairwise, permutations

import numpy as np

_SAME_PLACE = 0.002  # of a chain's length: bones closer than this share one head
_LIKE = 0.12  # of a chain's length: how far the two chains of a pair may differ (CMU's measured legs differ by 5 %)
_SMALLEST_PAIR = 0.3  # of the longest pair: shorter ones are fingers, ears, straps
_FINGERS = 3  # chains that leave a hand


@dataclass(frozen=True)
class _Proportions:
    """What a limb of three joints looks like: mean and spread, from rigs of many makers."""

    upper_to_lower: tuple[float, float]  # logarithm of upper length by lower length
    before: tuple[float, float]  # length before the first joint (collar), by that of both bones
    beyond: tuple[float, float]  # length beyond the third joint (hand, foot), by that of both bones


_LEG = _Proportions(upper_to_lower=(-0.03, 0.2), before=(0.02, 0.1), beyond=(0.22, 0.15))
_ARM = _Proportions(upper_to_lower=(0.05, 0.2), before=(0.25, 0.15), beyond=(0.3, 0.2))
_LOG_LEG_BY_ARM = (0.43, 0.35)
_SKIPPED_BONE = 1.0  # cost of a bone that splits an upper or lower limb (twist segments of MakeHuman and Daz)
_FORKING_WRIST = -3.0  # cost of a wrist at which several bones start: thumb and fingers
_NO_ARMS = 8.0
_NO_BODY = 10.0  # sums above this are no body; the worst good rig so far (split limbs) has 6
_LEGS_BELOW_ARMS, _LEGS_BESIDE_ARMS = 6.0, 1.0  # cost of hierarchies other than a pelvis that carries the chest


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
    def reach(self) -> list[float]:
        """Length of the longest chain below each bone; needs positions."""
        reach = [0.0] * len(self.parents)
        for bone in sorted(range(len(self.parents)), key=lambda each: -len(self.path(each))):
            below = [self.distance(bone, child) + reach[child] for child in self.children[bone]]
            reach[bone] = max(below, default=0.0)
        return reach

    def longest_chain(self, bone: int) -> list[int]:
        """From the bone down the longest way; bones at the place of the one before are left out."""
        chain, least = [bone], _SAME_PLACE * self.reach[bone]
        while self.children[bone]:
            bone = max(self.children[bone], key=lambda c: self.distance(c, self.parents[c]) + self.reach[c])
            if self.distance(chain[-1], bone) > least:
                chain.append(bone)
        return chain

    def gathered(self, bone: int, least: float) -> list[int]:
        """The bone and those below it whose heads are within `least` of its own."""
        here = [bone]
        for each in here:
            here += [child for child in self.children[each] if self.distance(bone, child) <= least]
        return here


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
class Body:
    """Limbs by name (left_leg, right_leg, left_arm, right_arm) as far as their side is known; quality 0 to 1."""

    limbs: dict[str, Limb]
    quality: float


def find_body(tree: BoneTree, sides: Sequence[str | None]) -> Body | None:
    """Legs and arms of the tree; `sides` are those that bone names claim. None when no two legs stand out."""
    pairs = _great_pairs(tree) if tree.heads is not None else []
    choices = [_weigh(tree, legs, arms) for legs, arms in permutations(pairs, 2)]
    choices += [_weigh(tree, legs, None) for legs in pairs]
    if not choices:
        return None
    cost, legs, arms = min(choices, key=lambda choice: choice[0])
    if cost > _NO_BODY or (arms and _goes_on_all_fours(tree, legs, arms)):
        return None
    limbs, certainty = _tell_sides(tree, legs, arms, sides)
    return Body(limbs, certainty / (1.0 + max(cost, 0.0) / 20.0))


def find_head(tree: BoneTree, chest: int, limbs: Sequence[Limb]) -> list[int]:
    """Neck bones and head, the head last, on the chest's chain between the arms; empty when unsure."""
    arms = {limb.chain[0] for limb in limbs}
    others = [child for child in tree.children[chest] if not arms & {child, *_below(tree, child)}]
    central = [child for child in others if _is_central(tree, child, limbs)]
    if not central:
        return []
    chain = tree.longest_chain(max(central, key=lambda child: tree.distance(chest, child) + tree.reach[child]))
    return _cut_at_head(tree, chain)


def _goes_on_all_fours(tree: BoneTree, legs: "_Fit", arms: "_Fit") -> bool:
    """Whether both pairs point the same way across the spine: a four-legged animal."""
    spine = _unit(arms.heads(tree, 0).mean(axis=0) - legs.heads(tree, 0).mean(axis=0))
    ways = [_unit((fit.heads(tree, 2) - fit.heads(tree, 0)).mean(axis=0)) for fit in (legs, arms)]
    return bool(ways[0] @ ways[1] > 0.7 and abs(ways[0] @ spine) < 0.5)


# --- pairs of chains --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Pair:
    node: int
    chains: tuple[list[int], list[int]]
    reach: float
    difference: float

    @property
    def starts(self) -> set[int]:
        return {chain[0] for chain in self.chains}


def _great_pairs(tree: BoneTree) -> list[_Pair]:
    """Pairs of like chains, the longest first; none lies within a chain of another."""
    pairs = [pair for node in range(-1, len(tree.parents)) for pair in _pairs_at(tree, node)]
    pairs.sort(key=lambda pair: (-round(pair.reach, 6), pair.difference))
    great = []
    for pair in pairs:
        taken = {start for other in great for start in other.starts}
        if pair.reach >= _SMALLEST_PAIR * pairs[0].reach and not taken & (pair.starts | set(tree.path(pair.node))):
            great.append(pair)
    return great


def _pairs_at(tree: BoneTree, node: int) -> list[_Pair]:
    if len(tree.children[node]) < 2:
        return []
    chains = [tree.longest_chain(child) for child in tree.children[node]]
    pairs = [_compare(tree, node, a, b) for a, b in combinations([c for c in chains if len(c) >= 3], 2)]
    return [pair for pair in pairs if pair.difference <= _LIKE]


def _compare(tree: BoneTree, node: int, a: list[int], b: list[int]) -> _Pair:
    lengths = [np.cumsum(_steps(tree, chain)) for chain in (a, b)]
    count = min(len(each) for each in lengths)
    reach = max(each[-1] for each in lengths)
    difference = np.abs(lengths[0][:count] - lengths[1][:count]).max() / max(reach, 1e-9)
    return _Pair(node, (a, b), float(reach), float(difference) + 0.1 * abs(len(a) - len(b)))


def _steps(tree: BoneTree, chain: Sequence[int]) -> np.ndarray:
    """Length from each bone of a chain to the next. Tails do not count: FBX importers invent them."""
    return np.array([tree.distance(*step) for step in pairwise(chain)])


# --- which bone of a chain is which joint -----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Fit:
    cost: float
    limbs: tuple[Limb, Limb]

    def heads(self, tree: BoneTree, joint: int) -> np.ndarray:
        """Rest positions (2, 3) of one of the three joints in both limbs."""
        return tree.heads[[limb.joints[joint] for limb in self.limbs]]


def _weigh(tree: BoneTree, legs: _Pair, arms: _Pair | None) -> tuple[float, _Fit, _Fit | None]:
    """Cost of taking one pair for the legs and another for the arms, and the joints in both."""
    leg = _fit_pair(tree, legs, _LEG)
    if arms is None:
        return leg.cost + _NO_ARMS, leg, None
    arm = _fit_pair(tree, arms, _ARM)
    order = 0.0 if tree.is_above(legs.node, arms.node) else _LEGS_BESIDE_ARMS
    order = _LEGS_BELOW_ARMS if tree.is_above(arms.node, legs.node) else order
    size = _surprise(np.log(_length(tree, leg.limbs[0]) / _length(tree, arm.limbs[0])), _LOG_LEG_BY_ARM)
    return leg.cost + arm.cost + order + size, leg, arm


def _length(tree: BoneTree, limb: Limb) -> float:
    first, second, third = limb.joints
    return max(tree.distance(first, second) + tree.distance(second, third), 1e-9)


def _fit_pair(tree: BoneTree, pair: _Pair, proportions: _Proportions) -> _Fit:
    """The best places of the three joints, the same in both chains."""
    triples = list(combinations(range(min(len(chain) for chain in pair.chains)), 3))
    places = [triple for triple in triples if _are_apart(tree, pair, triple)] or triples[:1]
    places = _ending_at_hand(tree, pair, places) if proportions is _ARM else places
    costs = [sum(_cost(tree, chain, place, proportions) for chain in pair.chains) / 2 for place in places]
    best = places[int(np.argmin(costs))]
    return _Fit(min(costs), tuple(Limb(tuple(c), tuple(c[i] for i in best)) for c in pair.chains))


def _are_apart(tree: BoneTree, pair: _Pair, triple: tuple[int, int, int]) -> bool:
    """Whether left and right joint are two places: a bone that starts on the midline is no hip or shoulder."""
    return all(tree.distance(pair.chains[0][place], pair.chains[1][place]) > 0.01 * pair.reach for place in triple)


def _ending_at_hand(tree: BoneTree, pair: _Pair, places: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Only places whose third joint is where the fingers part, where there are fingers."""
    forks = [[_fork(tree, chain, place) for place in range(len(chain))] for chain in pair.chains]
    hands = [next((place for place, count in enumerate(fork) if count >= _FINGERS), None) for fork in forks]
    return [place for place in places if place[2] == hands[0] == hands[1]] or places


def _fork(tree: BoneTree, chain: Sequence[int], place: int) -> int:
    """How many chains, of more than one bone, start at a place of a chain."""
    here = tree.gathered(chain[place], _SAME_PLACE * tree.reach[chain[0]])
    return sum(bool(tree.children[child]) for bone in here for child in tree.children[bone] if child not in here)


def _cost(tree: BoneTree, chain: list[int], triple: tuple[int, int, int], proportions: _Proportions) -> float:
    """How far three places in a chain are from the proportions of a limb."""
    steps = _steps(tree, chain)
    first, second, third = triple
    upper, lower = tree.distance(chain[first], chain[second]), tree.distance(chain[second], chain[third])
    both = max(upper + lower, 1e-9)
    forks = proportions is _ARM and len(tree.gathered(chain[third], _SAME_PLACE * both)) > 2
    return (
        _surprise(np.log(max(upper, 1e-9) / max(lower, 1e-9)), proportions.upper_to_lower)
        + _surprise(steps[:first].sum() / both, proportions.before)
        + _surprise(steps[third:].sum() / both, proportions.beyond)
        + _SKIPPED_BONE * (third - first - 2)
        + _FORKING_WRIST * forks
    )


def _surprise(value: float, expected: tuple[float, float]) -> float:
    mean, spread = expected
    return float(min(((value - mean) / spread) ** 2, 50.0))


# --- left and right ---------------------------------------------------------------------------------------------------


def _tell_sides(
    tree: BoneTree, legs: _Fit, arms: _Fit | None, sides: Sequence[str | None]
) -> tuple[dict[str, Limb], float]:
    """Limbs by name, and 1.0 where anatomy or names tell left from right, less where only custom does."""
    frame = _standing_frame(tree, legs, arms)
    first_leg_is_left, certainty = _side_by_anatomy(tree, legs, frame), 1.0
    if first_leg_is_left is None:
        first_leg_is_left = _side_by_names(legs, sides)
    if first_leg_is_left is None:
        first_leg_is_left, certainty = _side_by_soles(tree, legs, frame), 0.85
    if first_leg_is_left is None:
        first_leg_is_left, certainty = _side_by_custom(tree, legs), 0.7
    limbs = _name_limbs("leg", legs, first_leg_is_left)
    if arms is not None:
        first_arm_is_left = _side_like(tree, legs, arms, first_leg_is_left)
        by_names = _side_by_names(arms, sides)
        limbs |= _name_limbs("arm", arms, by_names if first_arm_is_left is None else first_arm_is_left)
    return limbs, certainty


def _name_limbs(kind: str, fit: _Fit, first_is_left: bool | None) -> dict[str, Limb]:
    if first_is_left is None:
        return {}
    left, right = fit.limbs if first_is_left else fit.limbs[::-1]
    return {f"left_{kind}": left, f"right_{kind}": right}


def _side_by_names(fit: _Fit, sides: Sequence[str | None]) -> bool | None:
    """Whether the first limb is the left one by the names of its joints' bones; None when they do not say."""
    votes = [Counter(sides[bone] for bone in limb.joints) for limb in fit.limbs]
    lead = [vote["left"] - vote["right"] for vote in votes]
    return lead[0] > lead[1] if lead[0] * lead[1] < 0 else None


def _side_by_custom(tree: BoneTree, legs: _Fit) -> bool | None:
    """Left is at +X, as in nearly every file; None where the hips lie along another axis."""
    lateral = _unit(np.subtract(*legs.heads(tree, 0)))
    return bool(lateral[0] > 0) if abs(lateral[0]) > 0.7 else None


def _standing_frame(tree: BoneTree, legs: _Fit, arms: _Fit | None) -> tuple[np.ndarray, np.ndarray] | None:
    """Unit vectors across the hips (towards the first leg) and up; None if the rest pose does not stand (LAFAN1)."""
    hips, ankles = legs.heads(tree, 0), legs.heads(tree, 2)
    top = arms.heads(tree, 0).mean(axis=0) if arms else 2 * hips.mean(axis=0) - ankles.mean(axis=0)
    lateral = _unit(hips[0] - hips[1])
    up = _unit(_across(top - hips.mean(axis=0), lateral))
    down = ankles - hips
    return None if np.any(down @ up > -0.7 * np.linalg.norm(down, axis=-1)) else (lateral, up)


def _side_by_anatomy(tree: BoneTree, legs: _Fit, frame: tuple[np.ndarray, np.ndarray] | None) -> bool | None:
    """Whether the first leg is the left one, from toes or knees, which point forward; None when they do not."""
    if frame is None:
        return None
    lateral, up = frame
    hips, knees, ankles = (legs.heads(tree, joint) for joint in range(3))
    feet = tree.heads[[limb.chain[-1] for limb in legs.limbs]] - ankles
    for vectors, least in ((feet, 0.05), (_bulge(hips, knees, ankles), 0.02)):
        forward = _across(_across(vectors.mean(axis=0), up), lateral)
        if np.linalg.norm(forward) > least * _length(tree, legs.limbs[0]):
            return bool(lateral @ np.cross(up, forward) > 0)
    return None


def _side_by_soles(tree: BoneTree, legs: _Fit, frame: tuple[np.ndarray, np.ndarray] | None) -> bool | None:
    """The same from the tails of feet without toes, if both look alike, flat and forward: importers invent tails."""
    if frame is None or tree.tails is None:
        return None
    lateral, up = frame
    soles = tree.tails[[limb.joints[2] for limb in legs.limbs]] - legs.heads(tree, 2)
    shares = soles / np.maximum(np.linalg.norm(soles, axis=-1, keepdims=True), 1e-9)
    forward = shares @ np.cross(lateral, up)
    are_alike = np.ptp(np.linalg.norm(soles, axis=-1)) < 0.1 * np.linalg.norm(soles, axis=-1).max()
    is_clear = are_alike and np.abs(forward).min() > 0.6 and forward.prod() > 0 and np.abs(shares @ lateral).max() < 0.4
    return bool(forward[0] > 0) if is_clear else None


def _bulge(start: np.ndarray, middle: np.ndarray, end: np.ndarray) -> np.ndarray:
    """How each middle joint (2, 3) stands off the line between its neighbours."""
    axis = (end - start) / np.maximum(np.linalg.norm(end - start, axis=-1, keepdims=True), 1e-9)
    return (middle - start) - axis * np.sum((middle - start) * axis, axis=-1, keepdims=True)


def _side_like(tree: BoneTree, legs: _Fit, arms: _Fit, first_leg_is_left: bool | None) -> bool | None:
    """Whether the first arm is the left one, from the side of the legs; None when the two lie across each other."""
    if first_leg_is_left is None:
        return None
    match = _unit(np.subtract(*legs.heads(tree, 0))) @ _unit(_arms_apart(tree, arms.limbs))
    return None if abs(match) < 0.7 else first_leg_is_left == (match > 0)


def _arms_apart(tree: BoneTree, limbs: Sequence[Limb]) -> np.ndarray:
    """From the second arm to the first, where they leave the chest."""
    for place in range(3):
        across = tree.heads[limbs[0].chain[place]] - tree.heads[limbs[1].chain[place]]
        if np.linalg.norm(across) > 0.02 * _length(tree, limbs[0]):
            break
    return across


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(np.linalg.norm(vector), 1e-9)


def _across(vector: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """The part of a vector at right angles to a unit axis."""
    return vector - (vector @ axis) * axis


# --- neck and head ----------------------------------------------------------------------------------------------------


def _below(tree: BoneTree, bone: int) -> list[int]:
    found = list(tree.children[bone])
    for each in found:
        found += tree.children[each]
    return found


def _is_central(tree: BoneTree, bone: int, limbs: Sequence[Limb]) -> bool:
    """Whether a bone of the chest starts between the arms and has no twin on the other side."""
    chest, scale = tree.parents[bone], _length(tree, limbs[0])
    lateral = _unit(_arms_apart(tree, limbs))
    middle = tree.heads[[limb.chain[0] for limb in limbs]].mean(axis=0)
    away = tree.distance(chest, bone)
    twins = [c for c in tree.children[chest] if abs(tree.distance(chest, c) - away) < 0.01 * scale]
    return abs((tree.heads[bone] - middle) @ lateral) < 0.1 * scale and all(
        tree.distance(bone, twin) < 0.01 * scale for twin in twins
    )


def _cut_at_head(tree: BoneTree, chain: list[int]) -> list[int]:
    """The chain up to the head: where eyes and jaw part, or by its lengths; empty where the lengths do not say."""
    forks = [p for p in range(1, len(chain)) if len(_fan(tree, chain, p)) > 1]
    if forks:
        return chain[: forks[0] + 1]
    if len(chain) < 3:
        return chain
    neck, head = _steps(tree, chain)[:2]
    if len(chain) == 3 and 0.75 * neck < head < 1.3 * neck:
        return chain  # two bones of the neck, then the head
    if len(chain) == 3 and head < 1.3 * neck:
        return []
    return chain[:2] if len(chain) == 3 else chain[:3]


def _fan(tree: BoneTree, chain: list[int], place: int) -> list[int]:
    here = tree.gathered(chain[place], _SAME_PLACE * tree.reach[chain[0]])
    return [child for bone in here for child in tree.children[bone] if child not in here]
