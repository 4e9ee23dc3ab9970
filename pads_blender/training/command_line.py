"""The real command line in a process of its own, for the benchmark; with other priors than the bundled ones too."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .bench import Setup

PACKAGE = Path(__file__).resolve().parent.parent


def clean_files(setup: Setup, files: list[Path], out: Path, seed: int) -> None:
    """The real command line on these files, in one process; with the setup's priors in place of the bundled ones."""
    with tempfile.TemporaryDirectory() as folder:
        root = PACKAGE.parent if setup.models is None else _staged(Path(folder), setup.models)
        arguments = ["clean", *map(str, files), "-o", f"{out}{os.sep}", "--prior", setup.prior, "--seed", str(seed)]
        command = [sys.executable, "-m", "pads_blender", *arguments]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr[-2000:]}")


def _staged(folder: Path, models: Path) -> Path:
    """The package beside other priors, laid out as in the repository."""
    shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__", "training"))
    shutil.copytree(models, folder / "bundled_models")
    return folder
