"""The prior that the preferences name in place of the shipped one: where it lies, and whether it can be used."""

from __future__ import annotations

import functools
from pathlib import Path

from .preferences import read_preferences

_CONTRACT = "pads_motion.json"


def read_prior_folder() -> Path | None:
    """Folder of the prior of motion that the preferences name, for load_prior; None for the shipped one.

    PriorError says in one sentence why the chosen one cannot be used. Main thread only.
    """
    from ..diffusion.prior_file import prior_folder  # not above: Blender's start must not wait for it

    chosen = read_preferences().prior
    return prior_folder(chosen) if chosen else None


def prior_line() -> tuple[str, str] | None:
    """Icon and text on the chosen prior, for the preferences; None for the shipped one."""
    chosen = read_preferences().prior
    if not chosen:
        return None
    contract = chosen / _CONTRACT if chosen.is_dir() else chosen
    files = (contract, contract.parent / f"{contract.stem}.onnx")
    changed = tuple(path.stat().st_mtime_ns for path in files if path.is_file())
    return _line(chosen, changed)


@functools.lru_cache(maxsize=4)
def _line(chosen: Path, changed: tuple[int, ...]) -> tuple[str, str]:
    """Checked once for each state of the files: the window is drawn often."""
    from ..diffusion.contract import read_contract
    from ..diffusion.prior_file import prior_folder
    from ..errors import PadsError

    try:
        contract = read_contract(prior_folder(chosen) / _CONTRACT, "motion")
    except PadsError as error:
        return "ERROR", str(error)
    return "CHECKMARK", str(contract.fields.get("training_data", "")).partition(".")[0] or chosen.parent.name
