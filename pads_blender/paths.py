"""Where bundled_models is, in an installed zip and in the repository, and how a file is written whole or not at all."""

import contextlib
import secrets
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
    """A hidden path beside that ends in the same name; it moves to its place if nothing goes wrong, else it goes."""
    partial = path.with_name(f".pads-{secrets.token_hex(4)}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(path)
    except OSError as error:
        raise PadsError(f"{path}: cannot be written: {error.strerror or error}.") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
