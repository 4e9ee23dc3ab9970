"""Human3.6M and MPI-INF-3DHP as training takes: sets that hold joint positions, no rotations and no skeleton."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..core import normalise
from ..core.keypoints import HUMAN36M_17, MPI_INF_3DHP_17, KeypointLayout
from ..core.skeleton import JOINTS
from ..errors import BadFileError
from . import data, human36m, mpi_inf_3dhp

HUMAN36M_FILE = "data_3d_h36m.npz"
# Of the 28 joints of the training set those of the test set, in the order of MPI_INF_3DHP_17.
_TRAINED_JOINTS = (7, 5, 14, 15, 16, 9, 10, 11, 23, 24, 25, 18, 19, 20, 4, 3, 6)
_FAST_SEQUENCES = ("S1/Seq2", "S3/Seq1", "S3/Seq2", "S5/Seq1", "S5/Seq2")  # 50 frames a second, the others 25
_MARKED_AS = {"mid_hip": "pelvis", "thorax": "neck"}


def read_human36m(path: Path) -> list[data.Clip]:
    """Every action in data_3d_h36m.npz, Z up; the subjects are the file's own."""
    clips = []
    for own, actions in human36m.read_positions(path).items():
        for action, positions in actions.items():
            clips.append(_clip(positions, HUMAN36M_17, human36m.FPS, own, f"{own} {action}"))
    return clips


def read_3dhp(path: Path) -> list[data.Clip]:
    """One sequence, of the test set (TS1/annot_data.mat) or of the training set (S1/Seq1/annot.mat, first camera).

    Positions are in the camera's own axes: it counts as level.
    """
    if path.name == "annot_data.mat":
        take = mpi_inf_3dhp.read_sequence(path)
        return [_clip(take.truth, MPI_INF_3DHP_17, take.fps, path.parent.name, path.parent.name)]
    name = f"{path.parent.parent.name}/{path.parent.name}"
    world = mpi_inf_3dhp.upright(_read_annotations(path))
    fps = 50.0 if name in _FAST_SEQUENCES else 25.0
    return [_clip(world, MPI_INF_3DHP_17, fps, path.parent.parent.name, name)]


def _read_annotations(path: Path) -> np.ndarray:
    """Positions (F, 17, 3) in metres before the first camera."""
    try:
        from scipy.io import loadmat
        from scipy.io.matlab import MatReadError
    except ImportError as error:
        raise BadFileError(f"{path}: is MATLAB's, which SciPy reads: pip install scipy.") from error
    try:
        flat = np.asarray(loadmat(path)["annot3"][0, 0], float)
        return flat.reshape(len(flat), 28, 3)[:, _TRAINED_JOINTS] / 1000.0
    except (OSError, MatReadError, KeyError, IndexError, ValueError, NotImplementedError) as error:
        raise BadFileError(f"{path}: is not as the training set has it ({error!r}): download it anew.") from error


def _clip(positions: np.ndarray, layout: KeypointLayout, fps: float, subject: str, name: str) -> data.Clip:
    """Marked points (F, K, 3), Z up in metres, as a clip; the joints that the set does not mark are not known."""
    names = {_MARKED_AS.get(n, n.replace("_joint", "")): column for column, n in enumerate(layout.names)}
    known = np.array([joint in names and joint not in ("head", "head_top") for joint in JOINTS])
    world = positions[:, [names.get(joint, 0) for joint in JOINTS]]
    track = data.track_of_positions(np.asarray(world, float), known)
    at_rate = data.at_model_rate(normalise.model_positions(track), fps)
    return data.Clip(at_rate, normalise.visible_joints(track.known), subject, name)
