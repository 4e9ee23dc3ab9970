"""How papers on 2D-to-3D pose score: root-relative, Procrustes-aligned, share of joints within a distance.

Positions (..., J, 3) in metres; every measure averages over poses and joints.
"""

import numpy as np

PCK_METRES = 0.150
AUC_METRES = np.arange(0.0, 0.1501, 0.005)  # 31 thresholds, 0 to 150 mm, as in the code that comes with MPI-INF-3DHP


def root_relative(positions: np.ndarray, root: int = 0) -> np.ndarray:
    """Positions about one joint."""
    return positions - positions[..., root : root + 1, :]


def root_mpjpe(positions: np.ndarray, truth: np.ndarray, root: int = 0) -> float:
    """MPJPE in millimetres with the roots put together (protocol 1)."""
    return float(1000.0 * _distances(root_relative(positions, root), root_relative(truth, root)).mean())


def pa_mpjpe(positions: np.ndarray, truth: np.ndarray) -> float:
    """MPJPE in millimetres after the best similarity of each pose (protocol 2)."""
    return float(1000.0 * _distances(procrustes(positions, truth), truth).mean())


def procrustes(positions: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Each pose moved, turned and scaled onto the truth as near as can be, without mirroring: Umeyama 1991."""
    middle, target = positions.mean(axis=-2, keepdims=True), truth.mean(axis=-2, keepdims=True)
    centred, wanted = positions - middle, truth - target
    u, s, vt = np.linalg.svd(np.swapaxes(wanted, -1, -2) @ centred)
    sign = np.ones_like(s)
    sign[..., -1] = np.sign(np.linalg.det(u @ vt))
    rotation = (u * sign[..., None, :]) @ vt
    spread = np.maximum(np.sum(centred**2, axis=(-1, -2)), 1e-12)
    scale = (np.sum(s * sign, axis=-1) / spread)[..., None, None]
    return scale * centred @ np.swapaxes(rotation, -1, -2) + target


def pck(positions: np.ndarray, truth: np.ndarray, root: int = 0, within: float = PCK_METRES) -> float:
    """Per cent of joints nearer than so many metres to the truth, roots put together."""
    return share_within(root_relative(positions, root), root_relative(truth, root), within)


def auc(positions: np.ndarray, truth: np.ndarray, root: int = 0) -> float:
    """Area under the curve of PCK over distances of 0 to 150 mm, in per cent: mean over the thresholds."""
    return area_within(root_relative(positions, root), root_relative(truth, root))


def share_within(positions: np.ndarray, truth: np.ndarray, within: float = PCK_METRES) -> float:
    """PCK of positions as they are."""
    return float(100.0 * (_distances(positions, truth) < within).mean())


def area_within(positions: np.ndarray, truth: np.ndarray) -> float:
    """AUC of positions as they are."""
    return float(np.mean([share_within(positions, truth, within) for within in AUC_METRES]))


def _distances(positions: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return np.linalg.norm(positions - truth, axis=-1)
