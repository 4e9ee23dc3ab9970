"""2D keypoints along a scene's time: shown at some frames, asked for at others."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..errors import TakeError
from .keypoints import Keypoints

_LEAST_SHARE = 0.75  # of what a moment is averaged from must have been seen


@dataclass(frozen=True)
class Film:
    """Keypoints and the scene frame (F,), evenly spaced, rising, of each of their rows."""

    keypoints: Keypoints
    frames: np.ndarray

    def __post_init__(self):
        if not len(self.frames):
            raise TakeError("The film has no frames: choose a range of frames in which there are points.")

    @property
    def step(self) -> float:
        """Scene frames from one row to the next."""
        return float(self.frames[1] - self.frames[0]) if len(self.frames) > 1 else 1.0

    def within(self, first: float, last: float) -> Film:
        """The rows from one scene frame to another, both included."""
        rows = (self.frames >= first) & (self.frames <= last)
        points, confidence = self.keypoints.points[rows], self.keypoints.confidence[rows]
        return Film(replace(self.keypoints, points=points, confidence=confidence), self.frames[rows])

    def at(self, frames: np.ndarray) -> Keypoints:
        """The keypoints at other scene frames (N,): between two rows interpolated, of dense rows averaged.

        Not seen where less than three quarters of the rows that count, by their weight, show a point.
        """
        reach = max(self.step, 1.0)  # as far as a row counts: to the next row, or to the next whole frame
        points, confidence = self.keypoints.points, self.keypoints.confidence
        near = np.floor((frames - self.frames[0]) / self.step).astype(int)
        total, seen = np.zeros((len(frames), 1)), np.zeros((len(frames), points.shape[1]))
        sure, placed = seen.copy(), np.zeros((*seen.shape, 2))
        around = int(np.ceil(reach / self.step))
        for row in (near + offset for offset in range(-around, around + 2)):
            at = np.clip(row, 0, len(self.frames) - 1)
            weight = np.where(at == row, np.maximum(0.0, 1.0 - np.abs(frames - self.frames[at]) / reach), 0.0)[:, None]
            counts = weight * (confidence[at] > 0)
            total, seen, sure = total + weight, seen + counts, sure + counts * confidence[at]
            placed += np.where(counts > 0, counts * confidence[at], 0.0)[..., None] * np.nan_to_num(points[at])
        enough = (seen >= _LEAST_SHARE * total) & (sure > 0)
        points = np.where(enough[..., None], placed / np.where(enough, sure, 1.0)[..., None], 0.0)
        return replace(self.keypoints, points=points, confidence=np.where(enough, sure / np.maximum(seen, 1e-9), 0.0))

    def whole_frames(self) -> np.ndarray:
        """The whole scene frames that it covers, (N,)."""
        first, last = np.ceil(self.frames[0] - 1e-6), np.floor(self.frames[-1] + 1e-6)
        return np.arange(first, max(first, last) + 1.0)
