"""Left and right limbs taken for each other for a while: found where paths go on better when they are exchanged."""

from dataclasses import dataclass

import numpy as np

from ..core import rotations as rot
from ..core.skeleton import MODEL
from .running import find_runs, running_median

SWAPPED = 1.0  # score from which on sides surely are exchanged: on validation clips, true in 98 of 100 frames
_CHANGE = 2.0  # usual steps that a change of sides costs beside its own leap
_PER_FRAME = 0.05  # usual steps that each exchanged frame costs: most of a take is right
_AT_END = 4.0  # usual steps that it costs to begin or end a take exchanged, where no leap shows it
_USUAL_SECONDS = 0.25
_SMALLEST_STEP = 0.02  # metres or parts of a rotation matrix, summed over both limbs
_MIRROR = np.array([1.0, 1.0, -1.0, -1.0])  # of a bone's quaternion across the body's plane, in Blender's bones and BVH


@dataclass(frozen=True)
class LimbPair:
    """Left and right limb: the joints whose paths tell, and all joints that go with them."""

    left: tuple[int, ...]
    right: tuple[int, ...]
    all_left: tuple[int, ...]
    all_right: tuple[int, ...]

    @classmethod
    def of(cls, told_by: tuple[str, ...], together: tuple[str, ...]) -> "LimbPair":
        """From the names of joints without their sides."""
        sides = [[f"{side}_{name}" for name in names] for names in (told_by, together) for side in ("left", "right")]
        return cls(*(tuple(MODEL.indices(*names)) for names in sides))


# By paths a wrist or an ankle tells, by rotations the bones above it.
POSITION_PAIRS = (
    LimbPair.of(("elbow", "wrist"), ("collar", "shoulder", "elbow", "wrist")),
    LimbPair.of(("knee", "ankle"), ("hip", "knee", "ankle", "toe")),
)
ROTATION_PAIRS = (
    LimbPair.of(("shoulder", "elbow"), ("collar", "shoulder", "elbow", "wrist")),
    LimbPair.of(("hip", "knee"), ("hip", "knee", "ankle", "toe")),
)


def position_swap_scores(positions: np.ndarray, fps: float) -> np.ndarray:
    """How much better (F, J) the paths of positions (F, J, 3) in metres go on with left and right exchanged."""
    scores, about = np.full(positions.shape[:2], -np.inf), positions - positions[:, :1]
    for pair in POSITION_PAIRS:
        left, right = about[:, pair.left], about[:, pair.right]
        scores[:, [*pair.all_left, *pair.all_right]] = _score(left, right, right, left, fps)[:, None]
    return scores


def rotation_swap_scores(rotation: np.ndarray, fps: float) -> np.ndarray:
    """The same (F, J) of local rotations (F, J, 4), whether they were exchanged as they are or as in a mirror."""
    scores = np.full(rotation.shape[:2], -np.inf)
    for pair in ROTATION_PAIRS:
        both = [exchange_score(rotation, pair, mirrored, fps) for mirrored in (False, True)]
        scores[:, [*pair.all_left, *pair.all_right]] = np.maximum(*both)[:, None]
    return scores


def exchange_score(rotation: np.ndarray, pair: LimbPair, mirrored: bool, fps: float) -> np.ndarray:
    """Score (F,) of one pair of limbs' local rotations (F, J, 4) for one way of exchanging them."""
    left, right = rotation[:, pair.left], rotation[:, pair.right]
    factor = _MIRROR if mirrored else np.ones(4)
    return _score(*(_matrices(q) for q in (left, right, right * factor, left * factor)), fps)


def exchange_back(rotation: np.ndarray, pair: LimbPair, mirrored: bool, rows: np.ndarray) -> np.ndarray:
    """Local rotations (F, J, 4) with a pair's limbs exchanged in the rows (F,) bool."""
    result, factor = rotation.copy(), _MIRROR if mirrored else np.ones(4)
    chosen = np.flatnonzero(rows)[:, None]
    result[chosen, pair.all_left] = rotation[chosen, pair.all_right] * factor
    result[chosen, pair.all_right] = rotation[chosen, pair.all_left] * factor
    return result


def swapped_rows(score: np.ndarray) -> np.ndarray:
    """Frames (F,) of the stretches of a pair's score (F,) that are surely exchanged: their best reaches SWAPPED."""
    found = np.zeros(len(score), bool)
    for first, last in find_runs(score > 0.0):
        found[first : last + 1] = score[first : last + 1].max() > SWAPPED
    return found


def _matrices(rotation: np.ndarray) -> np.ndarray:
    return rot.to_matrix(rotation).reshape(*rotation.shape[:2], 9)


def _score(left: np.ndarray, right: np.ndarray, for_left: np.ndarray, for_right: np.ndarray, fps: float) -> np.ndarray:
    """How many usual steps cheaper (F,) the best history is that has left and right (F, N, C) exchanged in that frame.

    for_left, for_right: what they would be, exchanged. A history pays for every step it makes, and for each change.
    """
    go_on = _steps(left, left) + _steps(right, right)
    change = np.minimum(
        _steps(left, for_left) + _steps(right, for_right), _steps(for_left, left) + _steps(for_right, right)
    )
    if not len(go_on):
        return np.full(len(left), -np.inf)
    usual = running_median(go_on, max(3, round(_USUAL_SECONDS * fps))) + _SMALLEST_STEP * 30.0 / fps
    return _cheaper_exchanged((go_on / usual).tolist(), (change / usual + _CHANGE).tolist(), _PER_FRAME * 30.0 / fps)


def _steps(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Length (F - 1,) of the way from each frame of one path (F, N, C) to the next frame of the other."""
    return np.linalg.norm(after[1:] - before[:-1], axis=-1).sum(axis=-1)


def _cheaper_exchanged(go_on: list[float], change: list[float], price: float) -> np.ndarray:
    """Cost of the best history through the plain state less that through the exchanged one (F,): Viterbi both ways."""
    forward = _best_costs(go_on, change, price)
    backward = _best_costs(go_on[::-1], change[::-1], price)[::-1]
    total = forward + backward
    return total[:, 0] - (total[:, 1] - price)  # the frame's own price is in both


def _best_costs(go_on: list[float], change: list[float], price: float) -> np.ndarray:
    plain, exchanged = 0.0, price + _AT_END
    costs = [(plain, exchanged)]
    for stay, leave in zip(go_on, change, strict=True):
        plain, exchanged = (
            min(plain + stay, exchanged + leave),
            min(exchanged + stay, plain + leave) + price,
        )
        costs.append((plain, exchanged))
    return np.array(costs)
