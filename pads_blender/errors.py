"""Errors that an animator can act on. Anything that is not a PadsError is a bug and is not caught."""

import contextlib
from collections.abc import Iterator


class PadsError(Exception):
    """Expected failure: one sentence that says what is wrong and what to do."""


class BadFileError(PadsError):
    """A file that cannot be read as what it claims to be; names the file and, for text, the line."""


class MappingError(PadsError):
    """The armature's bones cannot be matched to the body well enough to work on it."""


class PriorError(PadsError):
    """A bundled or chosen prior is missing, damaged or does not match its contract."""


class BackendError(PadsError):
    """A runtime or device that cannot be used here; another one is used in its place."""


class TakeError(PadsError):
    """The take itself cannot be worked on: no keys, no frames in the range, or values that are not numbers."""


class CancelledError(PadsError):
    """The user stopped the job; nothing was changed."""


@contextlib.contextmanager
def enough_memory() -> Iterator[None]:
    """Say it in a sentence where memory runs out inside: a long take on a small computer is no bug."""
    try:
        yield
    except MemoryError as error:
        raise TakeError("There is not enough memory: work on fewer frames, or close other programs.") from error
