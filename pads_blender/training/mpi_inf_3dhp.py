"""The official test set of MPI-INF-3DHP: folders TS1 to TS6 with annot_data.mat -> takes to estimate; needs h5py.

Annotations are in the camera's own axes, so the camera stands at the origin; it counts as level, which is where the
world's up comes from. The lens is solved for from the pairs of 2D and 3D points.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.camera import Camera
from ..core.keypoints import MPI_INF_3DHP_17, Keypoints
from ..core.skeleton import MODEL
from ..errors import BadFileError
from ..tasks.estimate import Shot

SEQUENCES = ("TS1", "TS2", "TS3", "TS4", "TS5", "TS6")
ROOT = MPI_INF_3DHP_17.names.index("mid_hip")
# The joints that the evaluation of the authors counts: all but the pelvis, the spine and the top of the head.
SCORED = tuple(i for i, n in enumerate(MPI_INF_3DHP_17.names) if n not in ("mid_hip", "mid_spine", "head_top"))
_WORLD_FROM_CAMERA = np.array([[1.0, 0, 0, 0], [0, 0, 1.0, 0], [0, -1.0, 0, 0], [0, 0, 0, 1.0]])
_BONES = ((2, 3), (3, 4), (5, 6), (6, 7), (8, 9), (9, 10), (11, 12), (12, 13))  # arms, legs
_FPS = {"TS5": 50.0, "TS6": 50.0}


@dataclass(frozen=True)
class TestTake:
    """One sequence: what was seen, true positions (F, 17, 3) in metres, valid frames (F,), this body's size."""

    name: str
    shot: Shot
    truth: np.ndarray
    valid: np.ndarray
    body_scale: float
    fps: float


def read_takes(folder: Path) -> Iterator[TestTake]:
    """The sequences that lie in the folder, by name; ground-truth 2D."""
    found = [folder / name / "annot_data.mat" for name in SEQUENCES if (folder / name / "annot_data.mat").is_file()]
    if not found:
        raise BadFileError(f"{folder}: holds no TS1/annot_data.mat: name the folder of the official test set.")
    yield from map(read_sequence, found)


def read_sequence(path: Path) -> TestTake:
    """One annot_data.mat, named after its folder."""
    points, truth, valid = _read(path)
    camera = solve_lens(points[valid], truth[valid])
    shot = Shot(Keypoints(points, np.tile(valid[:, None], (1, 17)).astype(float), MPI_INF_3DHP_17), camera)
    fps = _FPS.get(path.parent.name, 25.0)
    return TestTake(path.parent.name, shot, upright(truth), valid, _body_scale(truth[valid]), fps)


def upright(positions: np.ndarray) -> np.ndarray:
    """Positions (..., 3) in a level camera's axes with Z up."""
    return positions @ _WORLD_FROM_CAMERA[:3, :3].T


def _read(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (F, 17, 2) in pixels, positions (F, 17, 3) in metres in the camera's axes, valid (F,) bool."""
    try:
        import h5py
    except ImportError as error:
        raise BadFileError(f"{path}: is HDF5, which h5py reads: pip install h5py.") from error
    try:
        with h5py.File(path, "r") as data:
            points, positions, valid = (np.array(data[name]) for name in ("annot2", "annot3", "valid_frame"))
    except (OSError, KeyError) as error:
        raise BadFileError(f"{path}: is not as the official test set has it ({error!r}): download it anew.") from error
    frames = len(positions)
    return points.reshape(frames, 17, 2), positions.reshape(frames, 17, 3) / 1000.0, valid.reshape(frames) > 0


def _body_scale(truth: np.ndarray) -> float:
    a, b = np.array(_BONES).T
    rest = MPI_INF_3DHP_17.joints @ MODEL.rest_positions
    lengths = np.linalg.norm(truth[:, a] - truth[:, b], axis=-1).mean()
    return float(lengths / np.linalg.norm(rest[a] - rest[b], axis=-1).mean())


def solve_lens(points: np.ndarray, positions: np.ndarray) -> Camera:
    """The camera at the origin that projects positions (F, J, 3) in its axes onto points (F, J, 2): least squares."""
    intrinsics = np.eye(3)
    for axis in range(2):
        flat = (positions[..., axis] / positions[..., 2]).ravel()
        design = np.column_stack([flat, np.ones_like(flat)])
        focal, centre = np.linalg.lstsq(design, points[..., axis].ravel(), rcond=None)[0]
        intrinsics[axis, axis], intrinsics[axis, 2] = focal, centre
    width, height = (round(2.0 * intrinsics[axis, 2]) for axis in range(2))
    return Camera(intrinsics, _WORLD_FROM_CAMERA.copy(), width, height)
