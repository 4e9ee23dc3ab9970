"""A motion of the model skeleton: what was measured, what was seen of it and how well."""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Motion:
    """Frames of poses in the world of the model skeleton.

    positions (F, J, 3) metres, Z up; visible (F, J) bool, False where nothing was measured; noise (F, J) metres per
    coordinate, or None where it is to be estimated from the motion itself; spread (F, J): how unsure a cleaned position
    is, one standard deviation in metres per coordinate, or None; fps in frames per second.
    """

    positions: np.ndarray
    visible: np.ndarray
    fps: float
    noise: np.ndarray | None = None
    spread: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.positions)

    def hide(self, joints: list[int], start: int = 0, stop: int | None = None) -> "Motion":
        """The same motion with these joints not measured in frames start (included) to stop (excluded)."""
        visible = self.visible.copy()
        visible[start:stop, joints] = False
        return replace(self, visible=visible)
