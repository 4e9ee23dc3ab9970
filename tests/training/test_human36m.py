import numpy as np
import pytest

from pads_blender.core.camera import Camera, look_at, make_intrinsics
from pads_blender.core.keypoints import HUMAN36M_17
from pads_blender.core.skeleton import MODEL
from pads_blender.errors import BadFileError
from pads_blender.training import human36m

FRAMES = 7


def truth(scale: float = 1.0) -> np.ndarray:
    """17 joints (F, 17, 3) of a body that moves about, Z up."""
    rng = np.random.default_rng(0)
    rest = HUMAN36M_17.joints @ MODEL.rest_positions
    return scale * (rest + np.array([0.0, 0.0, 0.9])) + 0.4 * rng.standard_normal((FRAMES, 1, 3))


def cameras() -> list[Camera]:
    places = [[3.0, -4.0, 1.5], [-4.0, -3.0, 1.6], [-3.5, 4.0, 1.4], [4.0, 3.0, 1.5]]
    return [Camera(make_intrinsics(1145.0, 1000, 1002), look_at(p, [0, 0, 1]), 1000, 1002) for p in places]


def written(folder, scale: float = 1.0):
    """The files as VideoPose3D writes them: pickled dictionaries by subject and action, 32 joints in 3D."""
    positions = np.full((FRAMES, 32, 3), 9.0, np.float32)
    positions[:, human36m.KEPT] = truth(scale)
    points = [camera.project(truth(scale)).astype(np.float32) for camera in cameras()]
    world = {s: {"Walking 1": positions} for s in ("S1", "S9", "S11")}
    seen = {s: {"Walking 1": points} for s in ("S1", "S9", "S11")}
    np.savez_compressed(folder / "data_3d_h36m.npz", positions_3d=world)
    for kind, offset in (("gt", 0.0), ("cpn_ft_h36m_dbb", 4.0)):
        moved = {s: {a: [p + offset for p in views] for a, views in actions.items()} for s, actions in seen.items()}
        metadata = {"layout_name": "h36m", "num_joints": 17}
        np.savez_compressed(folder / f"data_2d_h36m_{kind}.npz", positions_2d=moved, metadata=metadata)
    return folder


def test_cameras_are_found_from_pairs():
    # as exactly as noise-free pairs allow
    wide = truth() + 0.3 * np.random.default_rng(1).standard_normal((FRAMES, 17, 3))
    for camera in cameras():
        found = human36m.solve_camera(camera.project(wide), wide)
        assert found.intrinsics == pytest.approx(camera.intrinsics, rel=1e-5, abs=1e-2)
        assert found.world_from_camera == pytest.approx(camera.world_from_camera, abs=1e-5)


def test_takes_of_the_test_subjects(tmp_path):
    takes = list(human36m.read_takes(written(tmp_path, 1.05), "cpn_ft_h36m_dbb"))
    assert [take.name for take in takes][:2] == ["S9 Walking 1 camera 1", "S9 Walking 1 camera 2"] and len(takes) == 8
    for take in takes:
        assert take.truth == pytest.approx(truth(1.05), abs=1e-5)
        assert take.body_scale == pytest.approx(1.05, abs=1e-4)
        moved = take.shot.camera.project(take.truth) + 4.0
        assert take.shot.keypoints.points == pytest.approx(moved, abs=0.05)


def test_files_that_are_missing_say_so(tmp_path):
    with pytest.raises(BadFileError, match=r"data_3d_h36m\.npz"):
        next(human36m.read_takes(tmp_path))
    with pytest.raises(BadFileError, match="no subject S5"):
        list(human36m.read_takes(written(tmp_path), subjects=("S5",)))
