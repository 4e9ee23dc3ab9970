"""How wrong a denoiser is at each noise level: what tells a sampler when to believe the prior, when the measurement."""

from collections.abc import Callable

import numpy as np

from .prior import Prior

SMALLEST_ERROR = 1e-6  # metres: the pelvis of a pose prior has none, and a logarithm needs one
DenoiserError = Callable[[float], "float | np.ndarray"]  # sigma -> rms error per coordinate, metres; number or (B, J)


def gaussian_error(sigma_data: float) -> DenoiserError:
    """The best denoiser's error on Gaussian data of that standard deviation: the guess where nothing was measured."""
    return lambda sigma: sigma * sigma_data / float(np.hypot(sigma, sigma_data))


def measured_error(sigmas: np.ndarray, errors: np.ndarray, factor: float = 1.0) -> DenoiserError:
    """Errors (N,) or (N, J) measured at rising noise levels (N,), straight lines between them on logarithmic axes.

    factor: above 1 where errors are shared by joints, which a fit joint by joint otherwise takes for independent.
    """
    columns = np.log(np.maximum(np.reshape(errors, (len(sigmas), -1)), SMALLEST_ERROR))

    def error(sigma: float) -> float | np.ndarray:
        between = [np.interp(np.log(sigma), np.log(sigmas), column) for column in columns.T]
        return factor * np.exp(np.reshape(between, np.shape(errors)[1:]))

    return error


def measure_error(prior: Prior, poses: np.ndarray, sigmas: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What measured_error needs: rms errors (N, J) in metres of denoising true poses (B, J, 3) at the levels (N,)."""
    errors = [prior.denoise(poses + s * rng.standard_normal(poses.shape), float(s)) - poses for s in sigmas]
    return np.sqrt(np.mean(np.square(errors), axis=(1, 3)))
