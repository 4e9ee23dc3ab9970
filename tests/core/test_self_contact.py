"""Parts of a body that run through each other, on poses made by hand."""

import numpy as np

from pads_blender.core.self_contact import self_intersecting
from pads_blender.core.skeleton import MODEL


def bent_arm(target: np.ndarray) -> np.ndarray:
    """The rest pose with the left wrist at a target, the elbow half-way."""
    pose = MODEL.rest_positions.copy()
    shoulder, elbow, wrist = MODEL.indices("left_shoulder", "left_elbow", "left_wrist")
    pose[wrist] = target
    pose[elbow] = 0.5 * (pose[shoulder] + target)
    return pose


def test_a_hand_in_the_chest_is_told_from_one_before_it():
    chest = MODEL.rest_positions[MODEL.index("chest")]
    poses = np.stack([MODEL.rest_positions, bent_arm(chest), bent_arm(chest - np.array([0.0, 0.35, 0.0]))])
    assert self_intersecting(poses).tolist() == [False, True, False]
