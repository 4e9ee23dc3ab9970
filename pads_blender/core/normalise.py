"""A body of any proportions onto the model skeleton: the same pose at the same place, proportions taken out.

Torso segments follow the orientation of their bone against the rest pose, limb segments their direction; lengths are
the model's. The feet keep their place under the hips: the world is scaled by the ratio of the leg lengths.
"""

from dataclasses import dataclass

import numpy as np

from . import rotations as rot
from .skeleton import LEG_LENGTH, MODEL, forward_positions

# Joints whose segment from the parent is measured as a direction; the others follow the parent's turn.
LIMB_JOINTS = tuple(
    MODEL.indices(*[f"{s}_{j}" for s in ("left", "right") for j in ("elbow", "wrist", "knee", "ankle", "toe")])
)
HIPS = MODEL.indices("left_hip", "right_hip")
_HIP_CENTRE = MODEL.offsets[HIPS].mean(axis=0)
_PELVIS, _SPINE, _CHEST, _HEAD, _HEAD_TOP = MODEL.indices("pelvis", "spine", "chest", "head", "head_top")
REQUIRED = ("pelvis", *[f"{s}_{j}" for s in ("left", "right") for j in ("hip", "knee", "ankle")])


@dataclass(frozen=True)
class BodyTrack:
    """What a take shows of a body, in world space and metres, Z up.

    positions (F, J, 3) of the model's joints on the body's own proportions; turns (F, J, 4) of each joint from the
    model's rest pose; known (J,) bool: the joints that this body has. Rows of unknown joints are ignored.
    """

    positions: np.ndarray
    turns: np.ndarray
    known: np.ndarray
    leg_length: float

    @property
    def scale(self) -> float:
        """Model metres per metre of this body."""
        return LEG_LENGTH / self.leg_length


def leg_length(rest_positions: np.ndarray) -> float:
    """Hip to knee to ankle in metres, mean of both sides, of joint positions (J, 3)."""
    chains = [MODEL.indices(f"{s}_hip", f"{s}_knee", f"{s}_ankle") for s in ("left", "right")]
    return float(np.mean([np.linalg.norm(np.diff(rest_positions[c], axis=0), axis=-1).sum() for c in chains]))


def complete_turns(turns: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Turns (F, J, 4) in which a joint that the body lacks follows its parent, and a missing spine bends half-way."""
    turns = turns.copy()
    for joint, parent in enumerate(MODEL.parents):
        if not known[joint] and parent >= 0:
            turns[:, joint] = turns[:, parent]
    if not known[_SPINE] and known[_CHEST]:
        turns[:, _SPINE] = rot.slerp(turns[:, _PELVIS], turns[:, _CHEST], np.full(len(turns), 0.5))
    return turns


def visible_joints(known: np.ndarray) -> np.ndarray:
    """Which model joints (J,) a body with these bones measures; the top of the head is measured by the head bone."""
    visible = known.copy()
    visible[_HEAD_TOP] = known[_HEAD]
    return visible


def model_positions(track: BodyTrack) -> np.ndarray:
    """Positions (F, J, 3) of the model's joints, in the model's scaled world, metres."""
    turns = complete_turns(track.turns, track.known)
    parents = np.array(MODEL.parents)
    segments = rot.rotate(turns[:, np.maximum(parents, 0)], MODEL.offsets)
    for joint in LIMB_JOINTS:
        if track.known[joint] and track.known[parents[joint]]:
            direction = track.positions[:, joint] - track.positions[:, parents[joint]]
            length = np.linalg.norm(direction, axis=-1, keepdims=True)
            laid = direction / np.maximum(length, 1e-9) * np.linalg.norm(MODEL.offsets[joint])
            segments[:, joint] = np.where(length > 1e-6, laid, segments[:, joint])
    centre = track.scale * track.positions[:, HIPS].mean(axis=1)
    segments[:, _PELVIS] = centre - rot.rotate(turns[:, _PELVIS], _HIP_CENTRE)
    return forward_positions(MODEL.parents, segments)


def rest_alignment(rest_positions: np.ndarray, known: np.ndarray) -> np.ndarray | None:
    """Rotation (4,) from the model's rest axes to those of a rest pose (J, 3); None where that pose is not human.

    Positions in armature space. Human: hips left and right, legs below, neck or head above; arms and facing are free.
    """
    left = rest_positions[HIPS[0]] - rest_positions[HIPS[1]]
    ankles = rest_positions[MODEL.indices("left_ankle", "right_ankle")].mean(axis=0)
    tops = [j for j in MODEL.indices("head", "neck", "chest") if known[j]]
    centre = rest_positions[HIPS].mean(axis=0)
    up, down = (rest_positions[tops[0]] - centre if tops else centre - ankles), ankles - centre
    lengths = [np.linalg.norm(v) for v in (left, up, down)]
    if min(lengths) < 1e-9:
        return None
    left, up, down = left / lengths[0], up / lengths[1], down / lengths[2]
    if up @ down > -0.8 or abs(left @ up) > 0.5:
        return None
    return rot.from_matrix(_nearest_axes(frame_matrix(left, up)))


def _nearest_axes(frame: np.ndarray) -> np.ndarray:
    """The rotation (3, 3) along the axes nearest to this one, or itself where none is near.

    Rigs are built along the axes; where a neck lies a little before the hips, that is anatomy and not a lean.
    """
    snapped = np.zeros((3, 3))
    snapped[np.argmax(np.abs(frame), axis=0), range(3)] = 1.0
    snapped *= np.sign(frame)
    near = np.linalg.det(snapped) > 0.5 and np.trace(snapped.T @ frame) > 1.0 + 2.0 * np.cos(np.radians(30.0))
    return snapped if near else frame


def frame_matrix(left: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Rotation matrices (..., 3, 3) whose x is left and whose z is nearest to up."""
    x = rot.unit(left)
    z = rot.unit(up - np.sum(up * x, axis=-1, keepdims=True) * x)
    return np.stack([x, np.cross(z, x), z], axis=-1)


def torso_frames(positions: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Turns (F, 4) of pelvis and chest as the joint positions (F, J, 3) alone show them."""
    hips, shoulders = positions[:, HIPS], positions[:, MODEL.indices("left_shoulder", "right_shoulder")]
    tops = [j for j in MODEL.indices("neck", "head", "chest") if known[j]]
    top = positions[:, tops[0]] if tops else shoulders.mean(axis=1)
    spine = top - hips.mean(axis=1)
    pelvis = frame_matrix(hips[:, 0] - hips[:, 1], spine)
    chest = frame_matrix(shoulders[:, 0] - shoulders[:, 1], spine)
    return rot.from_matrix(pelvis), rot.from_matrix(chest)
