"""Rigs with many like chains, such as hair, skirts and tails: the body is found among them, and at once."""

import time

import numpy as np
import pytest

from pads_blender.core.bone_tree import BoneTree
from pads_blender.core.limb_fit import ARM, LEG, fit_pair
from pads_blender.core.limb_pairs import Pair, great_pairs
from pads_blender.core.skeleton import JOINTS

from .rest_bones import UP, Bones, human_bones, scramble

ALL_PLACES = 1000.0  # a cost that rules out nothing


def with_strands(bones: Bones, on: str, strands: int, length: int, step: float, noise: float = 0.0) -> Bones:
    """Strands in a ring around a bone, hanging down; each so many bones with a mean step in metres."""
    rng = np.random.default_rng(strands)
    carrier, first = bones.names.index(on), len(bones.names)
    names = [f"strand{strand}_{place}" for strand in range(strands) for place in range(length)]
    parents = [carrier if each % length == 0 else first + each - 1 for each in range(strands * length)]
    angles = np.linspace(0.0, 2.0 * np.pi, strands, endpoint=False)
    roots = bones.heads[carrier] + 0.1 * np.stack([np.cos(angles), np.sin(angles), 0.3 + 0.0 * angles], axis=-1)
    falls = step * (1.0 + noise * rng.standard_normal((strands, length)))
    heads = roots[:, None] - np.cumsum(falls, axis=1)[..., None] * [0.0, 0.0, 1.0]
    heads = np.concatenate([bones.heads, heads.reshape(-1, 3)])
    tails = np.concatenate([bones.tails, heads[first:] + UP])
    return Bones([*bones.names, *names], [*bones.parents, *parents], heads, tails)


def guessed_joints(bones: Bones) -> dict[str, str | None]:
    """The bone of each joint under names without meaning, by its own name; the top of the head has only its name."""
    scrambled, back = scramble(bones, seed=5)
    mapping = scrambled.guess()
    return {joint: back[mapping.bone(joint)] for joint in JOINTS if joint != "head_top"}


@pytest.mark.parametrize(
    ("on", "strands", "length", "step", "noise"),
    [
        ("head", 100, 50, 0.02, 0.0),
        ("head", 100, 50, 0.01, 0.1),
        ("head", 30, 5, 0.06, 0.02),
        ("pelvis", 24, 8, 0.08, 0.0),
        ("pelvis", 2, 40, 0.03, 0.0),
        ("chest", 12, 20, 0.05, 0.05),
    ],
)
def test_body_is_found_among_strands(on, strands, length, step, noise):
    bones = with_strands(human_bones(), on, strands, length, step, noise)
    assert guessed_joints(bones) == {joint: joint for joint in JOINTS if joint != "head_top"}


@pytest.mark.parametrize(("strands", "length", "most"), [(100, 50, 0.5), (1000, 5, 1.0)])
def test_five_thousand_bones_of_hair_take_no_time(strands, length, most):
    """Seconds of the processor; a thousand strands make half a million pairs."""
    bones, _ = scramble(with_strands(human_bones(), "head", strands, length, step=1.0 / length), seed=5)
    seconds = []
    for _ in range(3):
        started = time.process_time()
        bones.guess()
        seconds.append(time.process_time() - started)
    assert min(seconds) < most


@pytest.mark.parametrize("proportions", [LEG, ARM])
def test_looking_at_cheap_places_only_changes_no_limb(proportions):
    """Against all places of chains of any length: the same joints at the same cost, or none where each costs more."""
    most, found = 13.0, []
    for seed in range(60):
        tree, pair = mirrored_chains(seed)
        every, cheap = (fit_pair(tree, pair, proportions, limit) for limit in (ALL_PLACES, most))
        assert cheap == (every if every.cost <= most else None)
        found.append(cheap is not None)
    assert 10 < sum(found) < 50


def mirrored_chains(seed: int) -> tuple[BoneTree, Pair]:
    """Two chains of 4 to 30 bones on one bone, each other's mirror image; some bones are far longer than others."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(4, 31))
    steps = rng.lognormal(sigma=1.5, size=(count, 1)) * [0.05, 0.0, -1.0]
    one = np.add([0.1, 0.0, 0.0], np.cumsum(steps, axis=0))
    heads = np.concatenate([np.zeros((1, 3)), one, one * [-1.0, 1.0, 1.0]])
    parents = (-1, 0, *range(1, count), 0, *range(count + 1, 2 * count))
    tree = BoneTree(parents, heads)
    [pair] = great_pairs(tree)
    return tree, pair
