"""The JSON beside a prior's weights: what the file must be to be used, checked before anything is run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core.input_files import LARGEST_SETTINGS, LARGEST_WEIGHTS, plain, read_data, read_json
from ..core.skeleton import JOINTS
from ..errors import BadFileError, PriorError
from .model_checks import check_model, check_network
from .schedule import ddpm_sigmas

VERSION = 1
_MOST_STEPS = 100_000  # of noise that a network was trained on: a hundred times as many as usual
_FIELDS = {
    "contract_version": int,
    "kind": str,
    "joints": list,
    "files": dict,
    "network": dict,
    "sigma_range_metres": list,
    "tensors": dict,
}


@dataclass(frozen=True)
class Contract:
    """A checked contract: the folder it lies in and its fields."""

    folder: Path
    fields: dict

    def __getitem__(self, field: str):
        if field not in self.fields:
            raise PriorError(f"The prior in {self.folder} has no field '{field}': export it again.")
        return self.fields[field]

    def file(self, role: str) -> Path:
        """Path of the weights for `forward` or `vjp`; PriorError unless they have the hash and are a network."""
        entry = self["files"].get(role)
        if not isinstance(entry, dict) or not all(isinstance(entry.get(name), str) for name in ("name", "sha256")):
            raise PriorError(f"The prior in {self.folder} does not say which file is its '{role}': export it again.")
        path = self.folder / Path(plain(entry["name"], 100)).name
        if not path.is_file():
            raise PriorError(f"The prior's file {path.name} is missing: install the extension again from its zip.")
        data = _read(path)
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            raise PriorError(f"The prior's file {path.name} is damaged: install the extension again from its zip.")
        check_model(data, self["kind"], role, path.name)
        return path


def _read(path: Path) -> bytes:
    try:
        return read_data(path, LARGEST_WEIGHTS)
    except BadFileError as error:
        raise PriorError(str(error)) from error


def read_contract(path: Path, kind: str) -> Contract:
    """The contract in a JSON file; raises PriorError that names the field which does not fit."""
    try:
        fields = read_json(path, LARGEST_SETTINGS)
    except BadFileError as error:
        raise PriorError(f"The prior's contract {path.name} cannot be read: install the extension again.") from error
    for name, of_type in _FIELDS.items():
        if not isinstance(fields, dict) or not isinstance(fields.get(name), of_type):
            raise PriorError(f"The prior's contract {path.name} lacks a proper field '{name}': export it again.")
    _check_version(fields["contract_version"], path.name)
    expected = {"kind": kind, "joints": list(JOINTS)}
    for name, value in expected.items():
        if fields[name] != value:
            raise PriorError(
                f"The prior's contract {path.name} does not fit this version in '{name}': export it again."
            )
    check_network(fields["network"], path.name)
    _check_numbers(fields, path.name)
    return Contract(path.parent, fields)


def _check_version(version: int, name: str) -> None:
    """Weights cannot be brought up to date as settings can: what the code no longer runs has to be exported again."""
    if version > VERSION:
        raise PriorError(
            f"The prior's contract {name} is for a newer PADS (contract_version {version}, this one reads {VERSION}): "
            "update PADS."
        )
    if version < VERSION:
        raise PriorError(
            f"The prior's contract {name} is of an older kind (contract_version {version}, this PADS reads {VERSION}): "
            "export the prior again, or install the extension again."
        )


def _check_numbers(fields: dict, name: str) -> None:
    """What turns metres into a network's numbers, and back: PriorError where it is there and makes no sense."""
    checks = {"scale_metres": _is_scale, "diffusion": _is_diffusion, "denoiser_error_metres": _is_error_table}
    for field, is_sound in checks.items():
        if field in fields and not is_sound(fields[field]):
            raise PriorError(f"The prior's contract {name} lacks a proper field '{field}': export it again.")


def _is_scale(value: object) -> bool:
    metres = _numbers(value)
    return metres.ndim == 0 and bool(1e-3 <= metres <= 1e3)


def _is_diffusion(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    steps, betas = value.get("steps"), _numbers([value.get("beta_first"), value.get("beta_last")])
    if type(steps) is not int or not 1 < steps <= _MOST_STEPS or not len(betas) or not 0 < betas[0] <= betas[1] < 1:
        return False
    with np.errstate(divide="ignore", over="ignore"):
        sigmas = ddpm_sigmas(steps, *betas)
    return bool(np.isfinite(sigmas).all() and sigmas[0] > 0)


def _is_error_table(value: object) -> bool:
    """Errors (N,) or (N, J) at rising noise levels (N,)."""
    if not isinstance(value, dict):
        return False
    sigmas, errors = (_numbers(value.get(name)) for name in ("sigma", "error"))
    is_table = sigmas.ndim == 1 and len(sigmas) and errors.shape in ((len(sigmas),), (len(sigmas), len(JOINTS)))
    return bool(is_table and sigmas[0] > 0 and (np.diff(sigmas) > 0).all() and (errors >= 0).all())


def _numbers(value: object) -> np.ndarray:
    """Finite numbers as JSON has them, in an array of their shape; an empty one for anything else."""
    try:
        found = np.array(value)
    except ValueError:  # rows of several lengths
        return np.empty(0)
    is_sound = found.dtype.kind in "iuf" and np.isfinite(found).all()
    return found.astype(float) if is_sound else np.empty(0)
