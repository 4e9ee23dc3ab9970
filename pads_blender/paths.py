"""Where bundled_models and the version are, installed and in the repository; files written whole or not at all."""

import contextlib
import json
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from .errors import PadsError, PriorError

_HIDDEN = re.compile(r"\.pads-[0-9a-f]{8}-")


def bundled_models_dir() -> Path:
    """Folder of the shipped priors; raises PriorError when the installation is incomplete."""
    package = Path(__file__).resolve().parent
    for folder in (package / "bundled_models", package.parent / "bundled_models"):
        if folder.is_dir():
            return folder
    raise PriorError("The bundled priors are missing: install the extension again from its zip.")


def read_version() -> str:
    """The extension's version, from the manifest; empty where the package lies about without one."""
    import tomllib  # Blender's start must not wait for it

    package = Path(__file__).resolve().parent
    for folder in (package, package.parent):
        with contextlib.suppress(OSError, ValueError, KeyError):
            return str(tomllib.loads((folder / "blender_manifest.toml").read_text(encoding="utf-8"))["version"])
    return ""


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A hidden path beside that ends in the same name; it moves to its place if nothing goes wrong, else it goes."""
    partial = path.with_name(f"{_hidden_mark()}{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(path)
    except OSError as error:
        raise PadsError(f"{path}: cannot be written: {error.strerror or error}.") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def write_json(path: Path, data: object) -> None:
    """Write plain data as JSON, whole or not at all; PadsError where that cannot be."""
    with written_whole(path) as partial:
        partial.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


@contextlib.contextmanager
def folder_written_whole(path: Path) -> Iterator[Path]:
    """A hidden folder whose files move beside the path if nothing goes wrong, the one of its name as the last."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = path.with_name(f"{_hidden_mark()}{path.name}")
        folder.mkdir()
        try:
            yield folder
            for item in sorted(folder.iterdir(), key=lambda item: item.name == path.name):
                item.replace(path.parent / item.name)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise PadsError(f"{path}: cannot be written: {error.strerror or error}.") from error


def remove_leftovers(paths: Iterable[Path]) -> None:
    """Remove what processes that were killed while they wrote these files left beside them."""
    wanted = set(paths)
    for folder in {path.parent for path in wanted if path.parent.is_dir()}:
        for item in list(folder.iterdir()):
            mark = _HIDDEN.match(item.name)
            if mark and folder / item.name[mark.end() :].removesuffix("@") in wanted:  # Blender's own hidden file
                _remove(item)


def _remove(item: Path) -> None:
    if item.is_dir():
        shutil.rmtree(item, ignore_errors=True)
        return
    with contextlib.suppress(OSError):
        item.unlink()


def _hidden_mark() -> str:
    return f".pads-{secrets.token_hex(4)}-"
