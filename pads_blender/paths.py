"""Where bundled_models is: inside the package in an installed zip, beside it in the repository."""

from pathlib import Path

from .errors import PriorError


def bundled_models_dir() -> Path:
    """Folder of the shipped priors; raises PriorError when the installation is incomplete."""
    package = Path(__file__).resolve().parent
    for folder in (package / "bundled_models", package.parent / "bundled_models"):
        if folder.is_dir():
            return folder
    raise PriorError("The bundled priors are missing: install the extension again from its zip.")
