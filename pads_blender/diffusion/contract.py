"""The JSON beside a prior's weights: what the file must be to be used, checked before anything is run."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from ..core.skeleton import JOINTS
from ..errors import PriorError

VERSION = 1
_FIELDS = {
    "contract_version": int,
    "kind": str,
    "joints": list,
    "files": dict,
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
        """Path of the weights for `forward` or `vjp`; raises PriorError unless its bytes have the contract's hash."""
        entry = self["files"][role]
        path = self.folder / Path(entry["name"]).name
        if not path.is_file():
            raise PriorError(f"The prior's file {path.name} is missing: install the extension again from its zip.")
        if hashlib.sha256(path.read_bytes()).hexdigest() != entry["sha256"]:
            raise PriorError(f"The prior's file {path.name} is damaged: install the extension again from its zip.")
        return path


def read_contract(path: Path, kind: str) -> Contract:
    """The contract in a JSON file; raises PriorError that names the field which does not fit."""
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PriorError(f"The prior's contract {path.name} cannot be read: install the extension again.") from error
    for name, of_type in _FIELDS.items():
        if not isinstance(fields, dict) or not isinstance(fields.get(name), of_type):
            raise PriorError(f"The prior's contract {path.name} lacks a proper field '{name}': export it again.")
    expected = {"contract_version": VERSION, "kind": kind, "joints": list(JOINTS)}
    for name, value in expected.items():
        if fields[name] != value:
            raise PriorError(
                f"The prior's contract {path.name} does not fit this version in '{name}': export it again."
            )
    return Contract(path.parent, fields)
