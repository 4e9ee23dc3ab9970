"""What a body's segments know: which joints keep their distance, and what that says of where they are.

Far from a camera a body looks smaller, and a limb that points at it shorter. How long segments are tells depths that no
ray does.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from ..core.rotations import unit
from ..core.skeleton import MODEL

# Joints that keep their distance: every one from its parent, and those that sit on one bone from each other.
SEGMENTS = tuple((joint, parent) for joint, parent in enumerate(MODEL.parents) if parent >= 0)
_ON_ONE_BONE = (("left_hip", "right_hip", "spine"), ("left_collar", "right_collar", "neck"))
PAIRS = (*SEGMENTS, *(pair for names in _ON_ONE_BONE for pair in combinations(MODEL.indices(*names), 2)))


def between(positions: np.ndarray, pairs: Sequence[tuple[int, int]] = PAIRS) -> np.ndarray:
    """Vectors (F, P, 3) from the second joint of each pair to the first, of positions (F, J, 3)."""
    first, second = np.array(pairs).T
    return positions[:, first] - positions[:, second]


def length_information(positions: np.ndarray, lengths: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Matrix (F, 3 J, 3 J) and vector (F, 3 J): p^T M p - 2 v^T p is the cost of other distances of PAIRS than lengths.

    Linear about positions (F, J, 3), whose directions count; lengths (1, P) and sigma in metres.
    """
    apart = between(positions)
    along = unit(apart)
    stiff = pairs_matrix(PAIRS, along[..., :, None] * along[..., None, :] / sigma**2)
    return stiff, _pairs_vector(PAIRS, lengths[..., None] * along / sigma**2)


def pairs_matrix(pairs: Sequence[tuple[int, int]], each: np.ndarray) -> np.ndarray:
    """Matrix (F, 3 J, 3 J) of the costs d^T M d of each pair's difference d, M (F, P, 3, 3)."""
    total = np.zeros((len(each), len(MODEL), 3, len(MODEL), 3))
    for number, (first, second) in enumerate(pairs):
        for i, j, sign in ((first, first, 1), (second, second, 1), (first, second, -1), (second, first, -1)):
            total[:, i, :, j] += sign * each[:, number]
    return total.reshape(len(each), 3 * len(MODEL), -1)


def _pairs_vector(pairs: Sequence[tuple[int, int]], each: np.ndarray) -> np.ndarray:
    """Vector (F, 3 J) of the terms v^T d of each pair's difference d, v (F, P, 3)."""
    total = np.zeros((len(each), len(MODEL), 3))
    for number, (first, second) in enumerate(pairs):
        total[:, first] += each[:, number]
        total[:, second] -= each[:, number]
    return total.reshape(len(each), -1)
