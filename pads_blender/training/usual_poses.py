"""python -m pads_blender.training.usual_poses: the mixture of poses from which estimation starts, written anew."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from ..core.skeleton import MODEL
from ..diffusion.usual_poses import FILE, UsualPoses
from ..paths import bundled_models_dir
from .gaussian_mixture import GaussianMixture
from .mixture_prior import mixture_prior

RANK = 12  # directions that each component keeps; what is left of its variance counts as independent


def low_rank(mixture: GaussianMixture, rank: int = RANK) -> UsualPoses:
    """The mixture with so many directions a component."""
    values, vectors = np.linalg.eigh(mixture.covariances)
    factors = vectors[..., -rank:] * np.sqrt(np.maximum(values[:, None, -rank:], 0.0))
    left = np.diagonal(mixture.covariances, axis1=1, axis2=2) - np.sum(factors**2, axis=-1)
    count, joints = len(mixture.means), len(MODEL)
    rest = np.maximum(left.reshape(count, joints, 3).mean(axis=-1), 1e-6)
    return UsualPoses(mixture.means.reshape(count, joints, 3), factors.reshape(count, joints, 3, rank), rest)


def write(poses: UsualPoses, folder: Path) -> None:
    """As the file that load_usual_poses reads."""
    arrays = {name: getattr(poses, name).astype(np.float32) for name in ("means", "factors", "rest")}
    np.savez_compressed(folder / FILE, **arrays)


def main() -> None:
    """Fit to the captured training poses and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and dev/")
    parser.add_argument("--out", type=Path, default=bundled_models_dir(), help="default: the bundled ones")
    given = parser.parse_args()
    write(low_rank(mixture_prior(given.data).mixture), given.out)


if __name__ == "__main__":
    main()
