"""How wrong a denoiser is at each noise level: what tells a sampler when to believe the prior, when the measurement."""

from collections.abc import Callable

import numpy as np

DenoiserError = Callable[[float], "float | np.ndarray"]  # sigma -> rms error per coordinate, metres; number or (B, J)


def gaussian_error(sigma_data: float) -> DenoiserError:
    """The best denoiser's error on Gaussian data of that standard deviation: the guess where nothing was measured."""
    return lambda sigma: sigma * sigma_data / float(np.hypot(sigma, sigma_data))


def measured_error(sigmas: np.ndarray, errors: np.ndarray, factor: float = 1.0) -> DenoiserError:
    """Errors (N,) or (N, J) measured at rising noise levels (N,), straight lines between them on logarithmic axes.

    factor: above 1 where errors are shared by joints, which a fit joint by joint otherwise takes for independent.
    """
    columns = np.log(np.reshape(errors, (len(sigmas), -1)))

    def error(sigma: float) -> float | np.ndarray:
        between = [np.interp(np.log(sigma), np.log(sigmas), column) for column in columns.T]
        return factor * np.exp(np.reshape(between, np.shape(errors)[1:]))

    return error
