"""Human3.6M in the files that VideoPose3D writes: data_3d_h36m.npz and data_2d_h36m_*.npz -> takes to estimate.

Neither holds the cameras: they are solved for from the ground truth's pairs of 2D and 3D points, so that what the lens
distorts is left over. The files are pickled: open only those that you made or trust.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.camera import Camera
from ..core.keypoints import HUMAN36M_17, Keypoints
from ..core.skeleton import MODEL
from ..errors import BadFileError
from ..tasks.estimate import Shot

FPS = 50.0
TEST_SUBJECTS = ("S9", "S11")
IMAGE = (1000, 1002)
# Of the 32 joints of the files those that move and that papers evaluate, in the order of HUMAN36M_17.
KEPT = (0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27)
_BONES = ((1, 2), (2, 3), (4, 5), (5, 6), (11, 12), (12, 13), (14, 15), (15, 16))  # thighs, shins, arms
ROOT = 0


@dataclass(frozen=True)
class TruthTake:
    """One action before one camera: what was seen, true positions (F, 17, 3) in metres, this body's size."""

    name: str
    shot: Shot
    truth: np.ndarray
    body_scale: float


def read_takes(folder: Path, detections: str = "gt", subjects: tuple[str, ...] = TEST_SUBJECTS) -> Iterator[TruthTake]:
    """Every action of the subjects before each camera; detections: the * of data_2d_h36m_*.npz."""
    world = read_positions(folder / "data_3d_h36m.npz")
    true_points = _load(folder / "data_2d_h36m_gt.npz", "positions_2d")
    points = _load(folder / f"data_2d_h36m_{detections}.npz", "positions_2d")
    for subject in subjects:
        if not all(subject in part for part in (world, true_points, points)):
            raise BadFileError(f"{folder}: holds no subject {subject}: the test subjects are {', '.join(subjects)}.")
        for action, truth in world[subject].items():
            for number, exact in enumerate(true_points[subject][action]):
                seen = np.asarray(points[subject][action][number], float)
                frames = min(len(truth), len(exact), len(seen))
                camera = solve_camera(np.asarray(exact, float)[:frames], truth[:frames])
                keypoints = Keypoints(seen[:frames, :, :2], np.ones((frames, len(KEPT))), HUMAN36M_17)
                name = f"{subject} {action} camera {number + 1}"
                yield TruthTake(name, Shot(keypoints, camera), truth[:frames], body_scale(truth))


def read_positions(path: Path) -> dict[str, dict[str, np.ndarray]]:
    """True positions (F, 17, 3) in metres, Z up, by subject and action, of data_3d_h36m.npz."""
    world = _load(path, "positions_3d")
    return {subject: {name: _kept(p) for name, p in actions.items()} for subject, actions in world.items()}


def _kept(positions: np.ndarray) -> np.ndarray:
    """The 17 joints of these 32, or of as many as they are."""
    return np.asarray(positions, float)[:, KEPT] if positions.shape[1] == 32 else np.asarray(positions, float)


def _load(path: Path, field: str) -> dict:
    try:
        with np.load(path, allow_pickle=True) as data:
            return data[field].item()
    except (OSError, KeyError, ValueError) as error:
        raise BadFileError(f"{path}: cannot be read as VideoPose3D writes it ({error!r}): prepare it anew.") from error


def body_scale(truth: np.ndarray) -> float:
    """Metres of this body for one of the model: lengths of arms and legs in 17 joints (F, 17, 3)."""
    a, b = np.array(_BONES).T
    rest = HUMAN36M_17.joints @ MODEL.rest_positions
    return float(
        np.linalg.norm(truth[:, a] - truth[:, b], axis=-1).mean() / np.linalg.norm(rest[a] - rest[b], axis=-1).mean()
    )


def solve_camera(points: np.ndarray, positions: np.ndarray) -> Camera:
    """The pinhole camera that projects positions (F, J, 3) onto points (F, J, 2): direct linear transform.

    Hartley and Zisserman 2004, 7.1, with the lens turned out of the first three columns by a QR decomposition.
    """
    flat, world = points.reshape(-1, 2), positions.reshape(-1, 3)
    middle, size = world.mean(axis=0), world.std()
    centre, extent = flat.mean(axis=0), flat.std()
    u, x = (flat - centre) / extent, np.column_stack([(world - middle) / size, np.ones(len(world))])
    zero = np.zeros_like(x)
    rows = np.concatenate([np.hstack([x, zero, -u[:, :1] * x]), np.hstack([zero, x, -u[:, 1:] * x])])
    matrix = np.linalg.eigh(rows.T @ rows)[1][:, 0].reshape(3, 4)
    to_pixels = np.array([[extent, 0, centre[0]], [0, extent, centre[1]], [0, 0, 1.0]])
    to_unit = np.eye(4) / size
    to_unit[3, 3], to_unit[:3, 3] = 1.0, -middle / size
    return _decomposed(to_pixels @ matrix @ to_unit)


def _decomposed(matrix: np.ndarray) -> Camera:
    """The camera of a projection matrix (3, 4) of any scale and sign."""
    matrix = matrix * np.sign(np.linalg.det(matrix[:, :3]))
    flip = np.eye(3)[::-1]
    q, r = np.linalg.qr((flip @ matrix[:, :3]).T)
    intrinsics, camera_from_world = flip @ r.T @ flip, flip @ q.T
    signs = np.diag(np.sign(np.diag(intrinsics)))
    intrinsics, camera_from_world = intrinsics @ signs, signs @ camera_from_world
    pose = np.eye(4)
    pose[:3, :3] = camera_from_world.T
    pose[:3, 3] = -np.linalg.solve(matrix[:, :3], matrix[:, 3])
    return Camera(intrinsics / intrinsics[2, 2], pose, *IMAGE)
