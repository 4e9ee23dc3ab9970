"""What an animator's interpolation makes of missing joints, and where evidence is nearest in time."""

import numpy as np

from .normalise import frame_matrix
from .skeleton import MODEL

_LEFT_HIP, _RIGHT_HIP, _LEFT_SHOULDER, _RIGHT_SHOULDER, _NECK = MODEL.indices(
    "left_hip", "right_hip", "left_shoulder", "right_shoulder", "neck"
)
_UPPER = np.array(
    [name.endswith(("neck", "head", "head_top", "collar", "shoulder", "elbow", "wrist")) for name in MODEL.names]
)


def _usual_offsets() -> np.ndarray:
    """Offsets (J, 3) as the body sees them of joints that are never seen: at rest, but with the arms down.

    The mean directions of upper arm and forearm in the training poses, which are nearer to any pose than a T is.
    """
    offsets = MODEL.offsets.copy()
    for side, sign in (("left", 1.0), ("right", -1.0)):
        elbow, wrist = MODEL.indices(f"{side}_elbow", f"{side}_wrist")
        offsets[elbow] = np.array([0.39 * sign, -0.28, -0.88]) * np.linalg.norm(offsets[elbow])
        offsets[wrist] = np.array([-0.12 * sign, -0.98, -0.15]) * np.linalg.norm(offsets[wrist])
    return offsets


_USUAL_OFFSETS = _usual_offsets()


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

    Offsets are interpolated in time as the body sees them, arms and head turning with the chest, legs with the heading,
    and laid on the model's bone lengths; of a joint that is never seen it is the usual one. visible (..., F, J) bool.
    A pelvis that is never seen stays at the origin.
    """
    if visible.all():
        return positions.copy()
    upright = np.broadcast_to(np.eye(3, dtype=positions.dtype), (*positions.shape, 3))
    rough = _hang_hidden(positions, visible, upright)
    at_rest = body_frames(MODEL.rest_positions.astype(positions.dtype))
    return _hang_hidden(positions, visible, body_frames(rough) @ np.swapaxes(at_rest, -1, -2))


def body_frames(positions: np.ndarray) -> np.ndarray:
    """World from body (..., F, J, 3, 3): the chest's frame for what hangs on it, the heading for pelvis and legs."""
    hips = positions[..., _LEFT_HIP, :] - positions[..., _RIGHT_HIP, :]
    shoulders = positions[..., _LEFT_SHOULDER, :] - positions[..., _RIGHT_SHOULDER, :]
    vertical = np.broadcast_to(np.array([0.0, 0.0, 1.0], positions.dtype), hips.shape)
    middle = 0.5 * (positions[..., _LEFT_HIP, :] + positions[..., _RIGHT_HIP, :])
    chest = frame_matrix(shoulders, positions[..., _NECK, :] - middle)
    flat = (hips + shoulders) * np.array([1.0, 1.0, 0.0], positions.dtype)
    heading = frame_matrix(flat, vertical)
    return np.where(_UPPER[:, None, None], chest[..., None, :, :], heading[..., None, :, :])


def _hang_hidden(positions: np.ndarray, visible: np.ndarray, frames: np.ndarray) -> np.ndarray:
    parents = np.maximum(np.array(MODEL.parents), 0)
    offsets = np.einsum("...ji,...j->...i", frames, positions - positions[..., parents, :])
    offsets[..., 0, :] = positions[..., 0, :]
    measured = visible & visible[..., parents]
    usual = _USUAL_OFFSETS.astype(positions.dtype)
    filled = interpolate_hidden(np.where(measured[..., None], offsets, usual), measured)
    filled[..., 1:, :] = np.einsum("...ij,...j->...i", frames, filled)[..., 1:, :]
    lengths = np.linalg.norm(MODEL.offsets, axis=-1).astype(positions.dtype)[:, None]
    laid = filled / np.maximum(np.linalg.norm(filled, axis=-1, keepdims=True), 1e-6) * lengths
    result = np.where(visible[..., None], positions, filled)
    for joint, parent in enumerate(MODEL.parents):
        if parent >= 0:
            hung = result[..., parent, :] + laid[..., joint, :]
            result[..., joint, :] = np.where(visible[..., joint, None], positions[..., joint, :], hung)
    return result
