"""Files from outside: read whole unless they are larger than makes sense, and what they hold made fit for a message."""

import json
import stat
from pathlib import Path

from ..errors import BadFileError

LARGEST_TAKE = 1 << 30  # bytes: four hours of 60 joints at 60 frames a second, as text
LARGEST_WEIGHTS = 1 << 30  # bytes of a network
LARGEST_SETTINGS = 1 << 24  # bytes of a preset, a camera or a contract
_MOST_LINES = 1 << 24  # of a table of numbers: seventy hours at 60 frames a second
_BLANK = 1 << 15  # characters in which every sound file has said something


def read_data(path: Path | str, largest: int) -> bytes:
    """The file's bytes; BadFileError where it cannot be read, is no plain file (a pipe has no end), or is too large."""
    try:
        found = Path(path).stat()
        if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
            raise BadFileError(f"{path}: cannot be read: it is no plain file.")
        if found.st_size > largest:
            size = f"{found.st_size / 1e6:.0f} MB, and {largest / 1e6:.0f} MB are the most that is read"
            raise BadFileError(f"{path}: the file is too large: it has {size}.")
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:  # a name with a zero byte is a ValueError
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise BadFileError(f"{path}: cannot be read: {reason}.") from error


def check_text(text: str, source: Path | str) -> None:
    """BadFileError with the line where text is blank for pages: taken apart, that would cost minutes and memory."""
    for start in range(0, len(text) - _BLANK + 1, _BLANK):
        if text[start : start + _BLANK].isspace():
            line = 1 + max(text.count(end, 0, start) for end in "\n\r")
            raise BadFileError(f"{source}: line {line}: the file is damaged: {_BLANK} blanks follow one another.")


def check_line_count(text: str, source: Path | str) -> None:
    """BadFileError where there are more lines than a take of days has, before they are taken apart."""
    count = max(text.count(end) for end in "\n\r")
    if count > _MOST_LINES:
        raise BadFileError(f"{source}: line {_MOST_LINES}: {count} lines are more than any take has.")


def read_json(path: Path | str, largest: int) -> object:
    """What a JSON file holds; BadFileError where it is none, be it for its depth."""
    data = read_data(path, largest)
    try:
        text = data.decode("utf-8-sig")
        check_text(text, path)
        return json.loads(text)
    except RecursionError as error:
        raise BadFileError(f"{path}: this is no JSON file that can be read: it is nested too deeply.") from error
    except ValueError as error:
        raise BadFileError(f"{path}: this is no JSON file ({plain_reason(error)}).") from error


def plain(text: str, most: int = 30) -> str:
    """Some words of a file, short and printable enough for a message."""
    short = text if len(text) <= most else text[:most] + "..."
    return short if short.isprintable() else ascii(short)[1:-1]


def plain_reason(error: Exception) -> str:
    """What Python says of a file's content, short and printable enough for a message."""
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start + 1} is no UTF-8 text"
    return plain(f"no {error}" if isinstance(error, KeyError) else str(error), 120)
