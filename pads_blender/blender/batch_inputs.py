"""Which takes a batch command means: files, folders, patterns and shares of a list, and where each result goes."""

import os
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from .exports import WRITABLE
from .files import READABLE

_IN_FOLDERS = tuple(suffix for suffix in READABLE if suffix in WRITABLE)  # what is looked for where no file is named
_WILDCARD = re.compile(r"[*?\[]")


class UsageError(Exception):
    """The command line asks for what makes no sense."""


@dataclass(frozen=True)
class Take:
    """A motion file, and its place below the folder or pattern that named it: that below the output folder, too."""

    path: Path
    place: PurePath


def find_takes(sources: Sequence[Path], output: Path) -> list[Take]:
    """The files in the order of the sources, those of a folder or pattern by name; UsageError for an empty pattern."""
    return [take for source in sources for take in _expand(source, output)]


def share_of(takes: Sequence[Take], shard: tuple[int, int] | None) -> list[Take]:
    """Every N-th of the takes in the order of their places, beginning with the K-th; all of them without (K, N).

    By code points and places alone, so that machines with other languages and other mount points agree.
    """
    if shard is None:
        return list(takes)
    number, count = shard
    return sorted(takes, key=lambda take: take.place.as_posix())[number - 1 :: count]


def find_targets(takes: Sequence[Take], sources: Sequence[Path], output: str) -> list[Path]:
    """Where each take goes: OUT itself for one named file and a name that says its format, else below the folder."""
    out = Path(output)
    is_file = out.suffix.lower() in WRITABLE and not out.is_dir() and not output.endswith(("/", os.sep))
    if is_file and len(sources) > 1:
        raise UsageError(f"-o {output} is one file, but there are {len(sources)} inputs: name a folder")
    if is_file and not (takes and takes[0].path == sources[0]):
        raise UsageError(f"-o {output} is one file, but {sources[0]} stands for several: name a folder")
    targets = [out] if is_file else [out / take.place for take in takes]
    for path in (out, *targets):
        if path.suffix.lower() in READABLE and path.suffix.lower() not in WRITABLE:
            raise UsageError(f"{path}: this format can only be read: name an output of {', '.join(WRITABLE)}")
    return targets


def check_outputs(sources: Iterable[Path], outputs: Iterable[Path], makers: Iterable[Path] = ()) -> None:
    """UsageError where an output is an input, or is written twice; makers: the inputs of the first outputs."""
    sources, made_by = list(sources), {}
    paths, files = {_key(source) for source in sources}, {_file_number(source) for source in sources} - {None}
    makers = iter(makers)
    for output in outputs:
        if _key(output) in paths or _file_number(output) in files:
            raise UsageError(f"{output} is an input, and inputs are never overwritten: choose another output")
        maker = next(makers, output)
        if _key(output) in made_by:
            both = f"{made_by[_key(output)]} and {maker}"
            raise UsageError(f"{output} would be written twice, from {both}: rename an input or run them apart")
        made_by[_key(output)] = maker


def _expand(source: Path, output: Path) -> list[Take]:
    if source.is_dir():
        return _below(source, source.rglob("*"), output)
    if source.exists() or not _WILDCARD.search(str(source)):
        return [Take(source, PurePath(source.name))]
    first = next(number for number, part in enumerate(source.parts) if _WILDCARD.search(part))
    root = Path(*source.parts[:first])
    found = _below(root, root.glob(str(Path(*source.parts[first:]))), output)
    if not found:
        raise UsageError(f"no motion file matches {source}")
    return found


def _below(root: Path, found: Iterable[Path], output: Path) -> list[Take]:
    """Visible motion files below a folder, without what earlier runs put into a folder of their own in it."""
    results = output.resolve() if root.resolve() in output.resolve().parents else None
    takes = [Take(path, path.relative_to(root)) for path in found if path.suffix.lower() in _IN_FOLDERS]
    takes = [take for take in takes if not any(part.startswith(".") for part in take.place.parts)]
    takes = [take for take in takes if take.path.is_file() and results not in take.path.resolve().parents]
    return sorted(takes, key=lambda take: take.place.as_posix())


def _key(path: Path) -> str:
    """What two names of one file have in common; systems that take capitals for small letters do so here."""
    text = str(path.resolve())
    return text.casefold() if sys.platform in ("win32", "darwin") else text


def _file_number(path: Path) -> tuple[int, int] | None:
    """The same for a file that is there, whatever its names."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
