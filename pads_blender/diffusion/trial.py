"""Backends tried in processes of their own, so that a native library that crashes is a message and no more.

try_backend starts the process; try_here is what runs in it. What the caller must know of the program it runs in comes
in as Host: this layer knows no Blender.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ..core.skeleton import JOINTS
from . import window
from .backends import BY_NAME, devices, open_network
from .contract import Contract, read_contract
from .network import Network
from .numpy_prior import NumpyNetwork

# Largest difference from NumPy's result, in units of the network's output: 0.3 m where a joint is hidden, sigma and
# less elsewhere. Seen: 2e-5 on CPU runtimes and on WebGPU; tables of 16 bits in an otherwise exact network made 6e-3.
TOLERANCE = 2e-3
_BATCHES = (4, 16, 64)  # windows a call that are timed, as far as there is time
_TIMING_SECONDS = 2.0
_LIMIT_SECONDS = 90.0
_MARK = "PADS_TRIAL "
# The package is loaded under a name of its own from where it lies: installed, its name exists in Blender alone.
_BOOTSTRAP = """
import importlib, importlib.util, json, pathlib, sys
given = json.loads(sys.argv[-1])
sys.path[:] = given["paths"] + [path for path in sys.path if path not in given["paths"]]
package = pathlib.Path(given["package"])
spec = importlib.util.spec_from_file_location(
    "pads_trial", package / "__init__.py", submodule_search_locations=[str(package)]
)
sys.modules["pads_trial"] = importlib.util.module_from_spec(spec)
importlib.import_module("pads_trial.diffusion.trial").answer(given)
"""


@dataclass(frozen=True)
class Host:
    """What the caller knows of the program that this runs in."""

    folder: Path | None = None  # where the choice of a backend is remembered; None: nowhere
    blender: str = ""  # path of the Blender executable, empty where Blender is a module of Python


@dataclass(frozen=True)
class Trial:
    """What came of trying one backend."""

    backend: str
    is_usable: bool
    reason: str  # why it is not, in one line; else empty
    frames_per_second: float = 0.0  # through the motion prior once, with the best batch; 0 where not measured
    batch: int = 0  # windows a call that were fastest
    seconds_to_start: float = 0.0  # loading the runtime, and the first answers of both priors and of NumPy
    difference: float = 0.0  # from NumPy's result, in units of the network's output
    devices: tuple[str, ...] = ()  # all that its runtime has here, by the names of Backend.device


def try_backend(name: str, folder: Path, host: Host, kind: str | None = None) -> Trial:
    """Run the priors in the folder on the backend in a process; with a kind only that one, and nothing is timed."""
    given = {
        "backend": name,
        "models": str(folder),
        "kinds": [kind] if kind else ["motion", "pose"],
        "measure": kind is None,
        "package": str(Path(__file__).resolve().parent.parent),
        "paths": sys.path,
    }
    try:
        result = subprocess.run(
            _command(host, json.dumps(given)),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_LIMIT_SECONDS,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # on Windows alone
        )
    except subprocess.TimeoutExpired:
        return Trial(name, False, f"gave no answer in {_LIMIT_SECONDS:.0f} seconds")
    except OSError as error:
        return Trial(name, False, f"could not be tried: {error.strerror or error}")
    for line in result.stdout.decode(errors="replace").splitlines():
        if line.startswith(_MARK):
            fields = json.loads(line.removeprefix(_MARK))
            return Trial(**fields | {"devices": tuple(fields["devices"])})
    return Trial(name, False, f"ended the process that tried it (code {result.returncode})")


def _command(host: Host, given: str) -> list[str]:
    """On Windows Blender itself, whose libraries are what a runtime collides with; elsewhere its Python is faster."""
    is_python = Path(sys.executable or "").name.lower().startswith("python")
    if host.blender and (sys.platform == "win32" or not is_python):
        return [host.blender, "--background", "--factory-startup", "--python-expr", _BOOTSTRAP, "--", given]
    return [sys.executable, "-c", _BOOTSTRAP, given]


def answer(given: dict) -> None:
    """Try the backend in this process and print the result for the one that started it."""
    trial = try_here(given["backend"], Path(given["models"]), tuple(given["kinds"]), given["measure"])
    print(_MARK + json.dumps(asdict(trial)), flush=True)


def try_here(name: str, folder: Path, kinds: tuple[str, ...], measure: bool) -> Trial:
    """Trial of a backend in this very process."""
    found: list[str] = []
    try:
        found = devices(BY_NAME[name].runtime)
        contracts = {kind: read_contract(folder / f"pads_{kind}.json", kind) for kind in kinds}
        start = time.perf_counter()
        differences = [_difference(name, contract) for contract in contracts.values()]
        seconds, difference = time.perf_counter() - start, max(differences)
        if not difference <= TOLERANCE:
            return Trial(name, False, f"gives a result that is off by {difference:.2g}", devices=tuple(found))
        speed, batch = time_batches(open_network(contracts["motion"], name)) if measure else (0.0, 0)
    except Exception as error:  # each runtime has its own
        reason = "fails: " + (str(error) or type(error).__name__).splitlines()[0]
        return Trial(name, False, reason, devices=tuple(found))
    return Trial(name, True, "", speed, batch, seconds, difference, tuple(found))


def _difference(name: str, contract: Contract) -> float:
    """Largest difference from NumPy's results; for the pose prior also of the vector-Jacobian product."""
    network, right = open_network(contract, name), NumpyNetwork(contract)
    if contract["kind"] == "motion":
        features = sample_features(_BATCHES[0])
        pairs = [(network.forward(features), right.forward(features))]
    else:
        poses = sample_poses(4)
        pairs = [*zip(network.vjp(*poses), right.vjp(*poses), strict=True)]
        pairs.append((network.forward(*poses[:2]), pairs[0][1]))
    return max(float(np.max(np.abs(a - b))) for a, b in pairs)


def sample_poses(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Input of the pose prior and a cotangent (B, J - 1, 3), (B,), (B, J - 1, 3): noise, the same each time."""
    noisy, cotangent = np.random.default_rng(0).standard_normal((2, count, len(JOINTS) - 1, 3)).astype(np.float32)
    return noisy, np.linspace(0.05, 0.9, count, dtype=np.float32), cotangent


def sample_features(windows: int) -> np.ndarray:
    """Input of the motion prior (B, F, J * 5): noise, the same each time."""
    shape = (windows, window.FRAMES, 5 * len(JOINTS))
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def time_batches(network: Network) -> tuple[float, int]:
    """(frames a second, windows a call) of the fastest batch; larger ones only while there is time."""
    best, end = (0.0, _BATCHES[0]), time.perf_counter() + _TIMING_SECONDS
    for batch in _BATCHES:
        features = sample_features(batch)
        seconds_of_call(network, features)  # the first call of a size compiles
        stop = time.perf_counter() + _TIMING_SECONDS / 10
        seconds = seconds_of_call(network, features)
        while time.perf_counter() < stop:
            seconds = min(seconds, seconds_of_call(network, features))  # the others shared the device with somebody
        best = max(best, (batch * window.FRAMES / seconds, batch))
        if time.perf_counter() > end:
            break
    return best


def seconds_of_call(network: Network, *inputs: np.ndarray) -> float:
    """Time that one forward pass takes."""
    start = time.perf_counter()
    network.forward(*inputs)
    return time.perf_counter() - start
