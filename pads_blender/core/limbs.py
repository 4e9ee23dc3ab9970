"""The limbs of a body in a tree of bones, found by hierarchy and rest positions alone; knows no bone names.

Legs and arms are the two great pairs of chains with equal bone lengths. Only lengths decide which bone of a chain is
which joint, so the rest pose may be anything; directions are asked only to tell left from right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from .bone_tree import SAME_PLACE, BoneTree
from .limb_fit import ARM, FORKING_WRIST, LEG, Fit, Limb, Proportions, fit_pair, limb_length, surprise
from .limb_pairs import Pair, great_pairs
from .limb_sides import arms_apart, tell_sides
from .rotations import unit

_LOG_LEG_BY_ARM = (0.43, 0.35)
_NO_ARMS = 8.0
_NO_BODY = 10.0  # sums above this are no body; the worst good rig so far (split limbs) has 6
_LEGS_BELOW_ARMS, _LEGS_BESIDE_ARMS = 6.0, 1.0  # cost of hierarchies other than a pelvis that carries the chest


@dataclass(frozen=True)
class Body:
    """Limbs by name (left_leg, right_leg, left_arm, right_arm) as far as their side is known; quality 0 to 1."""

    limbs: dict[str, Limb]
    quality: float


def find_body(tree: BoneTree, sides: Sequence[str | None]) -> Body | None:
    """Legs and arms of the tree; `sides` are those that bone names claim. None when no two legs stand out."""
    pairs = great_pairs(tree) if tree.heads is not None else []
    legs = _fits(tree, pairs, LEG, _NO_BODY - FORKING_WRIST)
    arms = _fits(tree, pairs, ARM, _NO_BODY)
    cost, legs, arms = _best_choice(tree, legs, arms)
    if legs is None or (arms and _goes_on_all_fours(tree, legs, arms)):
        return None
    limbs, certainty = tell_sides(tree, legs, arms, sides)
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


def _goes_on_all_fours(tree: BoneTree, legs: Fit, arms: Fit) -> bool:
    """Whether both pairs point the same way across the spine: a four-legged animal."""
    spine = unit(arms.heads(tree, 0).mean(axis=0) - legs.heads(tree, 0).mean(axis=0))
    ways = [unit((fit.heads(tree, 2) - fit.heads(tree, 0)).mean(axis=0)) for fit in (legs, arms)]
    return bool(ways[0] @ ways[1] > 0.7 and abs(ways[0] @ spine) < 0.5)


def _fits(tree: BoneTree, pairs: Sequence[Pair], proportions: Proportions, most: float) -> list[Fit]:
    """Each pair taken for a limb, but for those that cost more than any body may."""
    fits = [fit_pair(tree, pair, proportions, most) for pair in pairs]
    return [fit for fit in fits if fit]


def _best_choice(tree: BoneTree, legs: list[Fit], arms: list[Fit]) -> tuple[float, Fit | None, Fit | None]:
    """What legs and arms cost together, the cheapest pairs that make a body and the first of equals; arms or none."""
    least, best = np.nextafter(_NO_BODY, np.inf), (None, None)
    for leg, arm in (choice for some in (arms, [None]) for choice in product(legs, some)):
        cost = leg.cost + (arm.cost if arm else _NO_ARMS)
        if cost >= least or (arm and arm.pair is leg.pair):
            continue  # a mismatch only adds to it
        cost += _mismatch(tree, leg, arm) if arm else 0.0
        if cost < least:
            least, best = cost, (leg, arm)
    return least, *best


def _mismatch(tree: BoneTree, leg: Fit, arm: Fit) -> float:
    """What it costs that legs and arms hang on each other, or differ in length, as in no body."""
    order = 0.0 if tree.is_above(leg.pair.node, arm.pair.node) else _LEGS_BESIDE_ARMS
    order = _LEGS_BELOW_ARMS if tree.is_above(arm.pair.node, leg.pair.node) else order
    return order + float(surprise(np.log(leg.length / arm.length), _LOG_LEG_BY_ARM))


# --- neck and head ----------------------------------------------------------------------------------------------------


def _below(tree: BoneTree, bone: int) -> list[int]:
    found = list(tree.children[bone])
    for each in found:
        found += tree.children[each]
    return found


def _is_central(tree: BoneTree, bone: int, limbs: Sequence[Limb]) -> bool:
    """Whether a bone of the chest starts between the arms and has no twin on the other side."""
    chest, scale = tree.parents[bone], limb_length(tree, limbs[0])
    lateral = unit(arms_apart(tree, limbs))
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
    neck, head = tree.steps(chain)[:2]
    if len(chain) == 3 and 0.75 * neck < head < 1.3 * neck:
        return chain  # two bones of the neck, then the head
    if len(chain) == 3 and head < 1.3 * neck:
        return []
    return chain[:2] if len(chain) == 3 else chain[:3]


def _fan(tree: BoneTree, chain: list[int], place: int) -> list[int]:
    here = tree.gathered(chain[place], SAME_PLACE * tree.reach[chain[0]])
    return [child for bone in here for child in tree.children[bone] if child not in here]
