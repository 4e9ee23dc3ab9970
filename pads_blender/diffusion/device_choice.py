"""Which backend runs the priors here: measured once in trial processes, remembered in a small JSON.

A trial takes seconds, so that the first job does not wait for it: until survey has run, the CPU is used.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import json
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import BackendError, PadsError
from ..paths import bundled_models_dir, write_json
from .backends import BACKENDS, BY_NAME, LAST_RESORT, Backend
from .trial import Host, Trial, try_backend

_FILE, _VERSION = "device.json", 2
_QUICK_FILE = "loaded.json"  # what was seen to load, so that each process of a batch need not see for itself
# A GPU that is hardly faster is left to the viewport.
_GPU_GAIN = 1.5
_DISTRIBUTIONS = ("onnxruntime", "onnxruntime-webgpu", "onnxruntime-gpu", "onnxruntime-directml", "torch")
_PROCESSORS_FIRST = sorted(BACKENDS, key=lambda backend: backend.is_gpu)
OnTrial = Callable[[int, int, str], None]  # done, total, label of the backend that is tried next


@dataclass(frozen=True)
class Survey:
    """All that was tried on this machine, and what is used for it."""

    trials: tuple[Trial, ...]
    backend: str
    batch: int
    reason: str  # one line


def survey(host: Host, models: Path | None = None, on_trial: OnTrial | None = None) -> Survey:
    """Try every backend whose runtime is installed, choose, and remember it in the host's folder; some seconds.

    on_trial is called before each trial and may raise, to stop.
    """
    models, trials = models or bundled_models_dir(), {}
    for done, backend in enumerate(_PROCESSORS_FIRST):
        if on_trial:
            on_trial(done, len(_PROCESSORS_FIRST), backend.label)
        trials[backend.name] = _try(backend, trials.get(backend.on_processor), host, models)
    found = _decide([trials[backend.name] for backend in BACKENDS])
    if host.folder:
        _remember(_FILE, asdict(found), models, host.folder)
    return found


def _try(backend: Backend, on_processor: Trial | None, host: Host, models: Path) -> Trial:
    """Trial of a backend; none is made where its runtime has told on the processor that the device is not there."""
    if not is_installed(backend.runtime):
        return Trial(backend.name, False, "is not installed")
    if on_processor and backend.device not in on_processor.devices:
        return Trial(backend.name, False, "is not there")
    return try_backend(backend.name, models, host)


def is_installed(runtime: str) -> bool:
    """Whether the runtime's module can be found; it is not loaded."""
    try:
        return runtime in sys.modules or importlib.util.find_spec(runtime) is not None
    except (ImportError, ValueError):
        return False


def _decide(trials: Sequence[Trial]) -> Survey:
    """The fastest backend; a GPU only where it gains enough over the processor."""
    usable = sorted((t for t in trials if t.is_usable), key=lambda t: -t.frames_per_second)
    if not usable:
        return Survey(tuple(trials), LAST_RESORT, BY_NAME[LAST_RESORT].batch, "nothing else works here")
    processors = [t for t in usable if not BY_NAME[t.backend].is_gpu]
    best = usable[0]
    reason = f"fastest of {len(usable)} that work here: {best.frames_per_second:.0f} frames a second"
    if processors and best is not processors[0]:
        gain = best.frames_per_second / processors[0].frames_per_second
        if gain < _GPU_GAIN:
            best = processors[0]
            reason = f"no GPU is {_GPU_GAIN:g} times faster: {best.frames_per_second:.0f} frames a second"
        else:
            reason += f", {gain:.1f} times the processor's"
    return Survey(tuple(trials), best.backend, best.batch, reason)


def remembered(host: Host, models: Path | None = None) -> Survey | None:
    """The survey made earlier, unless the runtimes, the priors or the machine have changed since."""
    try:
        fields = _read_fields(_FILE, host, models or bundled_models_dir())
        trials = tuple(Trial(**trial) for trial in fields["trials"])
        return Survey(trials, BY_NAME[fields["backend"]].name, int(fields["batch"]), fields["reason"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _read_fields(file: str, host: Host, models: Path) -> dict:
    """What was remembered for this very machine, these runtimes and priors; any of remembered's errors where not."""
    if not host.folder:
        raise KeyError(file)
    fields = json.loads((host.folder / file).read_text(encoding="utf-8"))
    if fields["signature"] != _signature(models):
        raise ValueError(file)
    return fields


def forget(host: Host) -> None:
    """Drop the remembered survey, and what was seen to load."""
    for file in (_FILE, _QUICK_FILE) if host.folder else ():
        (host.folder / file).unlink(missing_ok=True)


def _remember(file: str, fields: dict, models: Path, folder: Path) -> None:
    """A folder that cannot be written costs the memory, not the job."""
    fields = fields | {"signature": _signature(models)}
    try:
        write_json(folder / file, fields)
    except PadsError:
        return


def _signature(models: Path) -> dict:
    """What a survey holds for; reads no native library."""
    contracts = [models / f"pads_{kind}.json" for kind in ("motion", "pose")]
    return {
        "version": _VERSION,
        "python": platform.python_version(),
        "machine": [platform.system(), platform.release(), platform.machine()],
        "runtimes": {name: _installed_version(name) for name in _DISTRIBUTIONS},
        "priors": [hashlib.sha256(path.read_bytes()).hexdigest() for path in contracts if path.is_file()],
    }


def installed_versions() -> dict[str, str]:
    """Versions of the runtimes that are installed; none is loaded."""
    return {name: version for name in _DISTRIBUTIONS if (version := _installed_version(name))}


@functools.cache
def _installed_version(distribution: str) -> str:
    import importlib.metadata  # brings much else

    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


@dataclass(frozen=True)
class Order:
    """Backends to run a job on, each later one in case those before fail, with their batches."""

    backends: tuple[tuple[str, int], ...]
    complaint: str  # one line on why the first choice is not among them; else empty


def order(wanted: str, host: Host, models: Path, kind: str) -> Order:
    """What to run a job on: the wanted backend, or with `auto` the remembered choice, else the processor."""
    if wanted != "auto" and wanted not in BY_NAME:
        raise BackendError(f"There is no device '{wanted}': choose auto or one of {', '.join(BY_NAME)}.")
    known = remembered(host, models)
    first = wanted if wanted != "auto" else known.backend if known else "cpu"
    names = list(dict.fromkeys((first, "cpu", LAST_RESORT)))
    reasons = {name: _complaint(name, known, host, models, kind) for name in names[: names.index(LAST_RESORT) + 1]}
    kept = [name for name, reason in reasons.items() if not reason]
    complaint = f"Going on with {BY_NAME[kept[0]].label}: {BY_NAME[first].label} {reasons[first]}."
    return Order(tuple((name, _batch(name, known)) for name in kept), complaint if reasons[first] else "")


def _batch(name: str, known: Survey | None) -> int:
    tried = next((t for t in known.trials if t.backend == name and t.batch), None) if known else None
    return tried.batch if tried else BY_NAME[name].batch


def _complaint(name: str, known: Survey | None, host: Host, models: Path, kind: str) -> str:
    """Why the backend must not be loaded in this process; empty when it may."""
    backend = BY_NAME[name]
    if backend.runtime == "numpy":
        return ""
    tried = next((t for t in known.trials if t.backend == name), None) if known else None
    if not tried and name == "cpu" and backend.runtime in sys.modules:  # another add-on has loaded it
        return ""
    tried = tried or _tried_quickly(name, host, models, kind)
    return "" if tried.is_usable else tried.reason


@functools.cache
def _tried_quickly(name: str, host: Host, models: Path, kind: str) -> Trial:
    """Whether the backend loads, once in the life of this process; that it does is remembered for others."""
    if not is_installed(BY_NAME[name].runtime):
        return Trial(name, False, "is not installed")
    loaded = _loaded_before(host, models)
    if f"{name} {kind}" in loaded:
        return Trial(name, True, "")
    trial = try_backend(name, models, host, kind)
    if trial.is_usable and host.folder:
        _remember(_QUICK_FILE, {"loaded": [*loaded, f"{name} {kind}"]}, models, host.folder)
    return trial


def _loaded_before(host: Host, models: Path) -> list[str]:
    """Backends with the kind of prior that they ran, in any process."""
    try:
        return list(_read_fields(_QUICK_FILE, host, models)["loaded"])
    except (OSError, ValueError, KeyError, TypeError):
        return []


@dataclass(frozen=True)
class Listed:
    """One line of the list of backends, for people."""

    backend: Backend
    is_installed: bool
    is_used: bool  # with `auto`, in the next job
    trial: Trial | None  # None: not tried yet


def listed(host: Host, models: Path | None = None) -> tuple[Listed, ...]:
    """Every backend with what is known of it; fast, loads nothing."""
    known = remembered(host, models)
    trials = {trial.backend: trial for trial in known.trials} if known else {}
    untested = "cpu" if is_installed(BY_NAME["cpu"].runtime) else LAST_RESORT
    used = known.backend if known else untested
    return tuple(Listed(b, is_installed(b.runtime), b.name == used, trials.get(b.name)) for b in BACKENDS)
