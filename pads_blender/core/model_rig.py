"""The model skeleton as a rig of its own: for motion that no rig was chosen for."""

from __future__ import annotations

import numpy as np

from .mapping import JointBone, Mapping
from .rig import RigTake
from .skeleton import MODEL

_ENDS = {"left_wrist": 0.08, "right_wrist": 0.08, "left_toe": 0.07, "right_toe": 0.07}  # metres of bones that end there
_TOP = "head_top"  # a joint that ends the head's bone, and has none
_FRONT, _UP = np.array([0.0, -1.0, 0.0]), np.array([0.0, 0.0, 1.0])
_AHEAD = {"pelvis": "spine", "chest": "neck"}  # of joints with several children, the one that the bone points at

BONES = tuple(name for name in MODEL.names if name != _TOP)
MAPPING = Mapping("pads", {name: JointBone(name, 1.0) if name != _TOP else None for name in MODEL.names})


def model_take(body_scale: float, frames: np.ndarray, fps: float) -> RigTake:
    """The model, body_scale times its size, at rest with its feet on the floor, at scene frames (F,). Metres, Z up."""
    joints = [MODEL.index(name) for name in BONES]
    heads = body_scale * (MODEL.rest_positions - MODEL.rest_positions[:, 2].min() * _UP)
    rest = np.tile(np.eye(4), (len(joints), 1, 1))
    rest[:, :3, 3] = heads[joints]
    rest[:, :3, :3] = [_axes(bone_vector(name)) for name in BONES]
    numbers = {joint: number for number, joint in enumerate(joints)}
    shape = (len(frames), len(joints))
    return RigTake(
        names=BONES,
        parents=np.array([numbers.get(MODEL.parents[joint], -1) for joint in joints]),
        rest=rest,
        location=np.zeros((*shape, 3)),
        rotation=np.tile([1.0, 0.0, 0.0, 0.0], (*shape, 1)),
        scale=np.ones((*shape, 3)),
        world_from_armature=np.eye(4),
        frames=frames,
        fps=fps,
        movable=np.array([name == "pelvis" for name in BONES]),
    )


def bone_vector(name: str) -> np.ndarray:
    """From head to tail (3,) of a joint's bone, in the model's metres."""
    joint = MODEL.index(name)
    if name in _ENDS:
        along = MODEL.offsets[joint]
        return _ENDS[name] * along / np.linalg.norm(along)
    child = _AHEAD.get(name) or MODEL.names[MODEL.parents.index(joint)]
    return MODEL.offsets[MODEL.index(child)]


def _axes(along: np.ndarray) -> np.ndarray:
    """Rotation (3, 3) of a bone, Y along it and Z to the front, of those that point there up."""
    y = along / np.linalg.norm(along)
    z = _FRONT if abs(y @ _FRONT) < 0.7 else _UP
    z = z - (z @ y) * y
    z = z / np.linalg.norm(z)
    return np.stack([np.cross(y, z), y, z], axis=1)
