"""Where bundled_models is, in an installed zip and in the repository, and how a file is written whole or not at all."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import PadsError, PriorError


def bundled_models_dir() -> Path:
    """Folder of the shipped priors; raises PriorError when the installation is incomplete."""
    package = Path(__file__).resolve().parent
    for folder in (package / "bundled_models", package.parent / "bundled_models"):
        if folder.is_dir():
            return folder
    raise PriorError("The bundled priors are missing: install the extension again from its zip.")


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A path of the same name in a hidden folder beside; it moves to its place if nothing goes wrong."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".pads-", dir=path.parent) as folder:
            partial = Path(folder, path.name)
            yield partial
            partial.replace(path)
    except OSError as error:
        raise PadsError(f"{path}: cannot be written: {error.strerror or error}.") from error
