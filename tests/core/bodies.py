"""Rigs in code: the model's joints on any proportions, bones with odd roll, a bone between, any unit and heading."""

import numpy as np

from pads_blender.core import rotations as rot
from pads_blender.core.mapping import JointBone, Mapping
from pads_blender.core.rig import RigTake
from pads_blender.core.skeleton import JOINTS, MODEL

SCALES = {
    "adult": {},
    "child": dict.fromkeys(JOINTS, 0.6) | {"head_top": 0.9, "neck": 0.7},
    "giant": dict.fromkeys(JOINTS, 2.5),
    "long_arms": {name: 1.6 for name in JOINTS if name.endswith(("elbow", "wrist"))},
    "short_legs": {name: 0.5 for name in JOINTS if name.endswith(("knee", "ankle"))},
    "big_head": {"head_top": 2.5, "head": 1.5},
}


def build_take(
    local: np.ndarray, root: np.ndarray, body: str = "adult", seed: int = 0, unit: float = 1.0, yaw: float = 0.0
) -> tuple[RigTake, Mapping]:
    """A rig of that body doing local (F, J, 4), world-aligned joint rotations against rest, with its pelvis at root.

    Bones have random roll, the spine an unmapped bone between its joints; unit: metres per armature unit.
    """
    rng = np.random.default_rng(seed)
    names, parents, offsets, local = _with_extra_bone(local, np.array([SCALES[body].get(n, 1.0) for n in JOINTS]))
    heads = np.zeros((len(names), 3))
    for bone, parent in enumerate(parents):
        heads[bone] = offsets[bone] + (heads[parent] if parent >= 0 else 0.0)
    roll = rot.normalise(rng.standard_normal((len(names), 4)))
    rest = np.tile(np.eye(4), (len(names), 1, 1))
    rest[:, :3, :3], rest[:, :3, 3] = rot.to_matrix(roll), heads / unit
    rotation = rot.multiply(rot.inverse(roll), rot.multiply(local, roll))
    location = np.zeros((len(local), len(names), 3))
    location[:, 0] = rot.rotate(rot.inverse(roll[0]), root / unit)
    world = np.eye(4)
    world[:3, :3] = unit * rot.to_matrix(rot.from_rotation_vector(np.array([0.0, 0.0, yaw])))
    ones, frames = np.ones(location.shape), np.arange(1.0, len(local) + 1)
    take = RigTake(names, parents, rest, location, rotation, ones, world, frames, 30.0)
    return take, Mapping("test", {name: JointBone(name, 1.0) for name in JOINTS})


def _with_extra_bone(
    local: np.ndarray, scales: np.ndarray
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray, np.ndarray]:
    """The model's tree with a bone called `between` half-way from spine to chest."""
    at, offsets = JOINTS.index("chest"), scales[:, None] * MODEL.offsets
    names = (*JOINTS[:at], "between", *JOINTS[at:])
    moved = [p + (p >= at) for p in MODEL.parents]
    parents = np.array([*moved[:at], at - 1, at, *moved[at + 1 :]])
    half = 0.5 * offsets[at : at + 1]
    offsets = np.concatenate([offsets[:at], half, half, offsets[at + 1 :]])
    return names, parents, offsets, np.insert(local, at, rot.IDENTITY, axis=1)


def random_motion(frames: int, seed: int = 0, degrees: float = 25.0) -> tuple[np.ndarray, np.ndarray]:
    """Smooth random local rotations (F, J, 4) and a wandering root (F, 3)."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0.0, 2.0 * np.pi, frames)[:, None, None]
    waves = [
        np.sin(k * t + rng.uniform(0, 6.3, (1, len(JOINTS), 3))) * rng.normal(size=(1, len(JOINTS), 3)) / k
        for k in (1, 2, 3)
    ]
    local = rot.from_rotation_vector(np.radians(degrees) * 0.5 * sum(waves))
    root = np.concatenate([np.sin(t[:, 0]), np.cos(t[:, 0]), 0.9 + 0.05 * np.sin(3 * t[:, 0])], axis=-1)
    return local, root


def one_pose(body: str = "adult", unit: float = 1.0, yaw: float = 0.0) -> tuple[RigTake, Mapping]:
    """A rig of that body in a pose, as a take of one frame."""
    take, mapping = build_take(*random_motion(20, degrees=30.0), body, unit=unit, yaw=yaw)
    return take.rows(slice(7, 8)), mapping
