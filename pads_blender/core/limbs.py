"""The limbs of a body in a tree of bones, found by hierarchy and rest positions alone; knows no bone names.

Legs and arms are the two great pairs of chains with equal bone lengths. Only lengths decide which bone of a chain is
which joint, so the rest pose may be anything; directions are asked only to tell left from right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from .bone_tree import SAME_PLACE, BoneTree, steps_of
from .limb_fit import ARM, LEG, Fit, Limb, fit_pair, limb_length, surprise
from .limb_pairs import Pair, great_pairs
from .limb_sides import arms_apart, tell_sides, unit

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
    choices = [_weigh(tree, legs, arms) for legs, arms in permutations(pairs, 2)]
    choices += [_weigh(tree, legs, None) for legs in pairs]
    if not choices:
        return None
    cost, legs, arms = min(choices, key=lambda choice: choice[0])
    if cost > _NO_BODY or (arms and _goes_on_all_fours(tree, legs, arms)):
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


def _weigh(tree: BoneTree, legs: Pair, arms: Pair | None) -> tuple[float, Fit, Fit | None]:
    """Cost of taking one pair for the legs and another for the arms, and the joints in both."""
    leg = fit_pair(tree, legs, LEG)
    if arms is None:
        return leg.cost + _NO_ARMS, leg, None
    arm = fit_pair(tree, arms, ARM)
    order = 0.0 if tree.is_above(legs.node, arms.node) else _LEGS_BESIDE_ARMS
    order = _LEGS_BELOW_ARMS if tree.is_above(arms.node, legs.node) else order
    size = surprise(np.log(limb_length(tree, leg.limbs[0]) / limb_length(tree, arm.limbs[0])), _LOG_LEG_BY_ARM)
    return leg.cost + arm.cost + order + size, leg, arm


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
    neck, head = steps_of(tree, chain)[:2]
    if len(chain) == 3 and 0.75 * neck < head < 1.3 * neck:
        return chain  # two bones of the neck, then the head
    if len(chain) == 3 and head < 1.3 * neck:
        return []
    return chain[:2] if len(chain) == 3 else chain[:3]


def _fan(tree: BoneTree, chain: list[int], place: int) -> list[int]:
    here = tree.gathered(chain[place], SAME_PLACE * tree.reach[chain[0]])
    return [child for bone in here for child in tree.children[bone] if child not in here]
