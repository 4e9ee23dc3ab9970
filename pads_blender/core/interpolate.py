"""What an animator's interpolation makes of missing joints, and where evidence is nearest in time."""

import numpy as np

from .skeleton import MODEL


def bracket(visible: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Index of the last visible frame at or before, and of the first at or after each frame; -1 and F where none.

    visible (..., F, J) bool; both results have its shape.
    """
    frames = visible.shape[-2]
    index = np.arange(frames)[:, None]
    before = np.maximum.accumulate(np.where(visible, index, -1), axis=-2)
    after = np.flip(np.minimum.accumulate(np.flip(np.where(visible, index, frames), axis=-2), axis=-2), axis=-2)
    return before, after


def interpolate_hidden(values: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Values (..., F, J, C), linear in time where not visible (..., F, J) and held at the ends.

    A channel that is never visible keeps its values.
    """
    frames = visible.shape[-2]
    before, after = bracket(visible)
    low = np.where(before >= 0, before, np.minimum(after, frames - 1))
    high = np.where(after < frames, after, low)
    span = np.maximum(high - low, 1)
    t = np.clip((np.arange(frames)[:, None] - low) / span, 0.0, 1.0)[..., None].astype(values.dtype)
    start = np.take_along_axis(values, low[..., None], axis=-3)
    end = np.take_along_axis(values, high[..., None], axis=-3)
    seen = visible.any(axis=-2, keepdims=True)[..., None]
    return np.where(seen & ~visible[..., None], (1 - t) * start + t * end, values)


def fill_hidden(positions: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Positions (..., F, J, 3) in which each hidden joint hangs on its parent by its interpolated offset.

    The offset's direction is interpolated in time and laid on the model's bone length; of a joint that is never seen
    it is the rest offset. visible (..., F, J) bool. A pelvis that is never seen stays at the origin.
    """
    parents = np.array(MODEL.parents)
    offsets = positions - positions[..., np.maximum(parents, 0), :]
    measured = visible & visible[..., np.maximum(parents, 0)]
    rest = np.broadcast_to(MODEL.offsets.astype(positions.dtype), offsets.shape)
    offsets[..., 0, :] = positions[..., 0, :]
    rest_filled = np.where(measured[..., None], offsets, rest)
    filled = interpolate_hidden(rest_filled, measured)
    lengths = np.linalg.norm(MODEL.offsets, axis=-1)[1:, None]
    direction = filled[..., 1:, :] / np.maximum(np.linalg.norm(filled[..., 1:, :], axis=-1, keepdims=True), 1e-6)
    result = np.where(visible[..., None], positions, filled)
    for joint, parent in enumerate(MODEL.parents):
        if parent >= 0:
            hung = result[..., parent, :] + (direction[..., joint - 1, :] * lengths[joint - 1]).astype(positions.dtype)
            result[..., joint, :] = np.where(visible[..., joint, None], result[..., joint, :], hung)
    return result
