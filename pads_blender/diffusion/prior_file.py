"""A prior that somebody trained and chose by its file: checked whole before it takes the place of the shipped one."""

from __future__ import annotations

from pathlib import Path

from ..errors import PriorError
from .contract import read_contract
from .onnx_file import read_parameters

_WHAT = {"motion": "motion", "pose": "single poses"}


def prior_folder(path: Path, kind: str = "motion") -> Path:
    """The folder, for load_prior, of the prior of this kind that a contract file belongs to or that lies in a folder.

    PriorError says in one sentence why it cannot be used: name, version, kind, network, weights or their hash.
    """
    name = f"pads_{kind}.json"
    path = path / name if path.is_dir() else path
    if path.name != name or not path.is_file():
        raise PriorError(f"{path}: is no prior of {_WHAT[kind]}: choose the file {name} that training wrote.")
    try:
        read_parameters(read_contract(path, kind))
    except PriorError as error:
        reason = str(error).partition(": ")[0].rstrip(".")
        raise PriorError(f"{path}: cannot be used ({reason}): export it again, or choose another.") from error
    return path.parent
