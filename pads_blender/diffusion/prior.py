"""The prior as every sampler sees it: a denoiser and its derivative. Knows nothing of measurements."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from .backends import Say
    from .trial import Host


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


def load_prior(
    kind: str,
    folder: Path | None = None,
    threads: int | None = None,
    backend: str = "auto",
    host: Host | None = None,
    say: Say | None = None,
) -> Prior:
    """The shipped prior `pose` or `motion`; PriorError when it is missing, damaged or not as its contract says.

    backend: a name from backends.BACKENDS, or `auto` for the choice that is remembered in the host's folder. One that
    fails gives way to the next with one line through say, which is the log's unless another is given.
    """
    # Here and not above: Blender's start must not wait for what a job alone needs.
    from ..paths import bundled_models_dir
    from .backends import SafeNetwork, log_line, open_network
    from .contract import read_contract
    from .device_choice import order
    from .learned_priors import PosePrior, WindowPrior
    from .trial import Host

    say = say or log_line
    folder = folder or bundled_models_dir()
    contract = read_contract(folder / f"pads_{kind}.json", kind)
    found = order(backend, host or Host(), _surveyed(folder, contract["network"], kind), kind)
    if found.complaint:
        say(found.complaint)
    networks = [open_network(contract, name, threads, batch) for name, batch in found.backends]
    return {"pose": PosePrior, "motion": WindowPrior}[kind](contract, SafeNetwork(networks, say))


def _surveyed(folder: Path, network: dict, kind: str) -> Path:
    """Whose trials on devices hold for a prior: the shipped one's, where the network is the same and so the work is."""
    from ..paths import bundled_models_dir
    from .contract import read_contract

    shipped = bundled_models_dir()
    return shipped if read_contract(shipped / f"pads_{kind}.json", kind)["network"] == network else folder
