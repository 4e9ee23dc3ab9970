import numpy as np
import pytest

from pads_blender.core.keypoints import MPI_INF_3DHP_17
from pads_blender.core.skeleton import MODEL
from pads_blender.errors import BadFileError
from pads_blender.training import mpi_inf_3dhp

FRAMES = 5
LENS = np.array([[1500.0, 0.0, 1024.0], [0.0, 1495.0, 1020.0], [0.0, 0.0, 1.0]])


def in_camera(scale: float = 0.95) -> np.ndarray:
    """17 joints (F, 17, 3) in metres, x right, y down, z forward, four metres away."""
    rest = scale * (MPI_INF_3DHP_17.joints @ MODEL.rest_positions)
    moved = np.stack([rest[:, 0], -rest[:, 2], rest[:, 1]], axis=-1) + np.array([0.0, 0.1, 4.0])
    return moved + 0.1 * np.arange(FRAMES)[:, None, None]


def pixels(positions):
    projected = positions @ LENS.T
    return projected[..., :2] / projected[..., 2:]


def test_lens_is_solved_for_and_the_world_stands_upright():
    positions = in_camera()
    camera = mpi_inf_3dhp.solve_lens(pixels(positions), positions)
    assert camera.intrinsics == pytest.approx(LENS, rel=1e-6)
    world = positions @ camera.rotation.T
    assert camera.project(world) == pytest.approx(pixels(positions), abs=1e-4)
    assert world[0, 0, 2] > world[0, mpi_inf_3dhp.ROOT, 2]  # the head above the pelvis


def test_scored_joints_are_those_of_the_authors():
    assert len(mpi_inf_3dhp.SCORED) == 14 and mpi_inf_3dhp.ROOT == 14


def test_official_files(tmp_path):
    h5py = pytest.importorskip("h5py")
    (tmp_path / "TS5").mkdir()
    with h5py.File(tmp_path / "TS5" / "annot_data.mat", "w") as file:
        file["annot3"], file["annot2"] = 1000.0 * in_camera()[:, None], pixels(in_camera())[:, None]
        file["valid_frame"] = np.array([[1], [1], [0], [1], [1]])
    (take,) = mpi_inf_3dhp.read_takes(tmp_path)
    assert take.name == "TS5" and take.fps == 50.0 and take.valid.tolist() == [True, True, False, True, True]
    assert take.body_scale == pytest.approx(0.95, abs=1e-3)
    assert take.shot.camera.project(take.truth) == pytest.approx(take.shot.keypoints.points, abs=1e-3)
    assert not take.shot.keypoints.confidence[2].any()


def test_a_folder_without_the_test_set_says_so(tmp_path):
    with pytest.raises(BadFileError, match="annot_data"):
        next(mpi_inf_3dhp.read_takes(tmp_path))
