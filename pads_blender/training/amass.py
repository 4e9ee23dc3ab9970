"""AMASS: npz files with pose parameters of SMPL+H or SMPL-X -> clips, on a skeleton of our own, without a body model.

Of a body model only the rest pose matters here, for which way the limbs point at rest: the model's body takes lengths
out anyway. The offsets are those of an average adult, rounded; a real body's shape (betas) makes its legs some per cent
longer or shorter, and its travel with them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..core import rotations as rot
from ..errors import BadFileError
from . import data

# Name, parent, offset in metres from the parent at rest: Y up, facing +Z, left at +X. The order is that of the files.
_JOINTS = (
    ("pelvis", -1, (0.0, 0.0, 0.0)),
    ("left_hip", 0, (0.06, -0.085, -0.015)),
    ("right_hip", 0, (-0.06, -0.085, -0.015)),
    ("spine1", 0, (0.0, 0.125, -0.04)),
    ("left_knee", 1, (0.04, -0.385, 0.0)),
    ("right_knee", 2, (-0.04, -0.385, 0.0)),
    ("spine2", 3, (0.0, 0.14, 0.025)),
    ("left_ankle", 4, (-0.015, -0.425, -0.035)),
    ("right_ankle", 5, (0.015, -0.425, -0.035)),
    ("spine3", 6, (0.0, 0.055, 0.0)),
    ("left_foot", 7, (0.04, -0.06, 0.125)),
    ("right_foot", 8, (-0.04, -0.06, 0.125)),
    ("neck", 9, (0.0, 0.21, -0.035)),
    ("left_collar", 9, (0.075, 0.115, -0.02)),
    ("right_collar", 9, (-0.075, 0.115, -0.02)),
    ("head", 12, (0.0, 0.09, 0.05)),
    ("left_shoulder", 13, (0.12, 0.045, -0.02)),
    ("right_shoulder", 14, (-0.12, 0.045, -0.02)),
    ("left_elbow", 16, (0.255, -0.015, -0.025)),
    ("right_elbow", 17, (-0.255, -0.015, -0.025)),
    ("left_wrist", 18, (0.265, 0.01, -0.005)),
    ("right_wrist", 19, (-0.265, 0.01, -0.005)),
)
TREE = data.Tree(
    tuple(row[0] for row in _JOINTS), np.array([row[1] for row in _JOINTS]), np.array([row[2] for row in _JOINTS])
)
_RATES = ("mocap_framerate", "mocap_frame_rate")  # SMPL+H, SMPL-X


def is_amass(names: list[str]) -> bool:
    """Whether an npz with arrays of these names holds a take of AMASS."""
    return "poses" in names and "trans" in names


def read_clips(path: Path, subject: str) -> list[data.Clip]:
    """The file's take: Z up, pose parameters (F, 3 K) as rotation vectors of pelvis, body, then hands and more."""
    with np.load(path) as z:
        rate = next((float(z[name]) for name in _RATES if name in z), 0.0)
        poses, travel = np.asarray(z["poses"], float), np.asarray(z["trans"], float)
    body = 3 * len(_JOINTS)
    if poses.ndim != 2 or poses.shape[1] < body or travel.shape != (len(poses), 3) or not rate > 0:
        raise BadFileError(f"{path}: is not as AMASS writes it: it needs poses (F, 66 up), trans and a rate.")
    rotation = rot.from_rotation_vector(poses[:, :body].reshape(len(poses), -1, 3))
    upright = rot.inverse(data.WORLD_FROM_FILE)  # the files turn the pelvis from Y up at rest to Z up
    rotation[:, 0] = rot.multiply(upright, rotation[:, 0])
    location = np.zeros((len(poses), len(_JOINTS), 3))
    location[:, 0] = rot.rotate(upright, travel)
    return [data.clip_of_rig(data.rig_along_axes(TREE, location, rotation, rate), subject, path.stem)]
