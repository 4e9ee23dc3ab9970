"""The prior as every sampler sees it: a denoiser and its derivative. Knows nothing of measurements."""

from pathlib import Path
from typing import Protocol

import numpy as np

from ..paths import bundled_models_dir


class Prior(Protocol):
    """A trained model of plausible poses, asked only through its denoiser.

    x (B, J, 3) metres; sigma metres: one number, (B,) or (B, J). The x of a pose prior are relative to the pelvis:
    joint 0 is zero on the way out and ignored on the way in.
    """

    def denoise(self, x: np.ndarray, sigma: float | np.ndarray) -> np.ndarray:
        """Posterior mean E[x0 | x = x0 + sigma n], n ~ N(0, I), (B, J, 3): the variance-exploding form."""
        ...

    def vjp(self, x: np.ndarray, sigma: float | np.ndarray, cotangent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(denoise(x, sigma), J^T cotangent) with J the derivative of denoise by x, each (B, J, 3)."""
        ...


def load_prior(kind: str, folder: Path | None = None, threads: int | None = None) -> Prior:
    """The shipped prior `pose` or `motion`; PriorError when it is missing, damaged or not as its contract says."""
    from .contract import read_contract
    from .onnx_prior import OnnxPosePrior, OnnxWindowPrior

    readers = {"pose": OnnxPosePrior, "motion": OnnxWindowPrior}
    contract = read_contract((folder or bundled_models_dir()) / f"pads_{kind}.json", kind)
    return readers[kind](contract, threads)
