"""The JSON beside a prior's weights: what the file must be to be used, checked before anything is run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ..core.input_files import LARGEST_SETTINGS, LARGEST_WEIGHTS, plain, read_data, read_json
from ..core.skeleton import JOINTS
from ..errors import BadFileError, PriorError
from .model_checks import check_model, check_network

VERSION = 1
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
