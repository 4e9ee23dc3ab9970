"""Feet that slide while they stand, and feet below a floor that was measured."""

import numpy as np

from .contacts import COLUMNS, Contacts, find_contacts
from .running import running_lowest, running_mean

_FLOOR_SECONDS = 1.0  # within which a foot comes down to what it stands on
_RAISED_METRES = 0.05  # so far above its lowest a foot hardly stands
_RISING_METRES_PER_SECOND = 0.3
_FASTEST_SLIDE = 0.6  # metres per second: what is much faster is a step near the ground
_FULL_SLIDE = 0.25
_MEAN_SECONDS = 0.1
_LEVEL_METRES = 0.04  # contacts that differ by more are not those of one level floor
_LEAST_CONTACT_SECONDS = 0.5


def slide_scores(positions: np.ndarray, fps: float) -> np.ndarray:
    """Level speed (F, J) in metres per second of feet that stand by their height, zero for other joints.

    positions (F, J, 3) metres. Contacts are not asked: a foot that slides is none.
    """
    scores = np.zeros(positions.shape[:2])
    if len(positions) < 4:
        return scores
    feet = running_mean(positions[:, COLUMNS], max(1, round(fps / 30.0)))
    velocity = np.gradient(feet, axis=0) * fps
    level, vertical = np.linalg.norm(velocity[..., :2], axis=-1), velocity[..., 2]
    raised = feet[..., 2] - running_lowest(feet[..., 2], round(_FLOOR_SECONDS * fps))
    stands = np.exp(-((raised / _RAISED_METRES) ** 2) - (vertical / _RISING_METRES_PER_SECOND) ** 2)
    slides = np.minimum(level, _FULL_SLIDE) * np.exp(-((level / _FASTEST_SLIDE) ** 2))
    scores[:, COLUMNS] = running_mean(stands * slides, max(1, round(_MEAN_SECONDS * fps)))
    return scores


def penetration_scores(positions: np.ndarray, fps: float) -> np.ndarray:
    """Metres (F, J) by which feet lie below where they usually stand; nothing where no level floor was measured."""
    scores = np.zeros(positions.shape[:2])
    contacts = find_contacts(positions, fps)
    for column, joint in enumerate(COLUMNS):
        floor = _floor_level(positions[:, joint, 2], contacts, column, fps)
        if floor is not None:
            scores[:, joint] = np.maximum(floor - positions[:, joint, 2], 0.0)
    return scores


def _floor_level(height: np.ndarray, contacts: Contacts, column: int, fps: float) -> float | None:
    """Height at which a foot joint stands, None where it hardly does or on different levels."""
    standing = height[contacts.resting[:, column]]
    if len(standing) < _LEAST_CONTACT_SECONDS * fps:
        return None
    low, high = np.percentile(standing, (10, 90))
    return float(np.median(standing)) if high - low < _LEVEL_METRES else None
