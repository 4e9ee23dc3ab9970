"""Left and right of a body's limbs, by anatomy, names or custom."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from .bone_tree import BoneTree
from .limb_fit import Fit, Limb, limb_length
from .rotations import unit


def tell_sides(
    tree: BoneTree, legs: Fit, arms: Fit | None, sides: Sequence[str | None]
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


def _name_limbs(kind: str, fit: Fit, first_is_left: bool | None) -> dict[str, Limb]:
    if first_is_left is None:
        return {}
    left, right = fit.limbs if first_is_left else fit.limbs[::-1]
    return {f"left_{kind}": left, f"right_{kind}": right}


def _side_by_names(fit: Fit, sides: Sequence[str | None]) -> bool | None:
    """Whether the first limb is the left one by the names of its joints' bones; None when they do not say."""
    votes = [Counter(sides[bone] for bone in limb.joints) for limb in fit.limbs]
    lead = [vote["left"] - vote["right"] for vote in votes]
    return lead[0] > lead[1] if lead[0] * lead[1] < 0 else None


def _side_by_custom(tree: BoneTree, legs: Fit) -> bool | None:
    """Left is at +X, as in nearly every file; None where the hips lie along another axis."""
    lateral = unit(np.subtract(*legs.heads(tree, 0)))
    return bool(lateral[0] > 0) if abs(lateral[0]) > 0.7 else None


def _standing_frame(tree: BoneTree, legs: Fit, arms: Fit | None) -> tuple[np.ndarray, np.ndarray] | None:
    """Unit vectors across the hips (towards the first leg) and up; None if the rest pose does not stand (LAFAN1)."""
    hips, ankles = legs.heads(tree, 0), legs.heads(tree, 2)
    top = arms.heads(tree, 0).mean(axis=0) if arms else 2 * hips.mean(axis=0) - ankles.mean(axis=0)
    lateral = unit(hips[0] - hips[1])
    up = unit(_across(top - hips.mean(axis=0), lateral))
    down = ankles - hips
    return None if np.any(down @ up > -0.7 * np.linalg.norm(down, axis=-1)) else (lateral, up)


def _side_by_anatomy(tree: BoneTree, legs: Fit, frame: tuple[np.ndarray, np.ndarray] | None) -> bool | None:
    """Whether the first leg is the left one, from toes or knees, which point forward; None when they do not."""
    if frame is None:
        return None
    lateral, up = frame
    hips, knees, ankles = (legs.heads(tree, joint) for joint in range(3))
    feet = tree.heads[[limb.chain[-1] for limb in legs.limbs]] - ankles
    for vectors, least in ((feet, 0.05), (_bulge(hips, knees, ankles), 0.02)):
        forward = _across(_across(vectors.mean(axis=0), up), lateral)
        if np.linalg.norm(forward) > least * limb_length(tree, legs.limbs[0]):
            return bool(lateral @ np.cross(up, forward) > 0)
    return None


def _side_by_soles(tree: BoneTree, legs: Fit, frame: tuple[np.ndarray, np.ndarray] | None) -> bool | None:
    """The same from the tails of feet without toes, if both look alike, flat and forward: importers invent tails."""
    if frame is None or tree.tails is None:
        return None
    lateral, up = frame
    soles = tree.tails[[limb.joints[2] for limb in legs.limbs]] - legs.heads(tree, 2)
    shares = unit(soles)
    forward = shares @ np.cross(lateral, up)
    are_alike = np.ptp(np.linalg.norm(soles, axis=-1)) < 0.1 * np.linalg.norm(soles, axis=-1).max()
    is_clear = are_alike and np.abs(forward).min() > 0.6 and forward.prod() > 0 and np.abs(shares @ lateral).max() < 0.4
    return bool(forward[0] > 0) if is_clear else None


def _bulge(start: np.ndarray, middle: np.ndarray, end: np.ndarray) -> np.ndarray:
    """How each middle joint (2, 3) stands off the line between its neighbours."""
    axis = unit(end - start)
    return (middle - start) - axis * np.sum((middle - start) * axis, axis=-1, keepdims=True)


def _side_like(tree: BoneTree, legs: Fit, arms: Fit, first_leg_is_left: bool | None) -> bool | None:
    """Whether the first arm is the left one, from the side of the legs; None when the two lie across each other."""
    if first_leg_is_left is None:
        return None
    match = unit(np.subtract(*legs.heads(tree, 0))) @ unit(arms_apart(tree, arms.limbs))
    return None if abs(match) < 0.7 else first_leg_is_left == (match > 0)


def arms_apart(tree: BoneTree, limbs: Sequence[Limb]) -> np.ndarray:
    """From the second arm to the first, where they leave the chest."""
    for place in range(3):
        across = tree.heads[limbs[0].chain[place]] - tree.heads[limbs[1].chain[place]]
        if np.linalg.norm(across) > 0.02 * limb_length(tree, limbs[0]):
            break
    return across


def _across(vector: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """The part of a vector at right angles to a unit axis."""
    return vector - (vector @ axis) * axis
