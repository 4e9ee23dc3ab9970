"""BVH text to numbers, line by line: what is wrong is told with the line that it stands on. No bpy."""

import re
from collections.abc import Sequence

import numpy as np

from ..errors import BadFileError
from .input_files import plain

NO_BVH = "this is not a BVH file: it does not begin with HIERARCHY"
LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+\Z")
_CHANNELS = {f"{axis}{kind}".lower(): f"{axis}{kind}" for kind in ("position", "rotation") for axis in "XYZ"}
_LARGEST = 1e9  # beyond this a value is damage, and single precision in Blender would lose it
_FRAME_SECONDS = 1e-5, 100.0  # beyond these a frame time is damage, and Blender has no such frame rate


class Hierarchy:
    """Joints collected line by line; a ValueError says what is wrong with the line at hand."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.parents: list[int] = []
        self.offsets: list[list[float] | None] = []
        self.ends: list[list[float] | None] = []
        self.channels: list[tuple[str, ...] | None] = []
        self._open: list[int | None] = []  # joints whose braces are open, None for an End Site
        self._announced: list[int | None] = []  # named, brace not yet seen

    def read(self, words: list[str]) -> None:
        """Take in one line of the HIERARCHY block, braces as words of their own."""
        keyword = words[0].lower()
        if keyword in ("root", "joint"):
            words = self._start_joint(keyword, words)
        elif keyword == "end":
            words = self._start_end(words)
        elif keyword == "offset":
            words = self._read_offset(words)
        elif keyword == "channels":
            words = self._read_channels(words)
        for word in words:
            self._read_brace(word)

    def finish(self) -> None:
        """Check what can only be known at the end of the block."""
        if self._open or self._announced:
            raise ValueError("the HIERARCHY block is not closed: a } is missing")
        if not self.names:
            raise ValueError("there is no ROOT joint before MOTION")

    def _start_joint(self, keyword: str, words: list[str]) -> list[str]:
        name = [word for word in words[1:] if word not in "{}"]
        if not name:
            raise ValueError(f"{words[0]} has no name")
        if any("\0" in word for word in name):
            raise ValueError(f"the name of {words[0]} {plain(name[0])} holds a zero byte")
        if self._announced or (keyword == "joint") != bool(self._open) or self._open[-1:] == [None]:
            raise ValueError(f"{words[0]} {plain(name[0])} is out of place")
        self._announced.append(len(self.names))
        self.names.append("_".join(name))
        self.parents.append(self._open[-1] if self._open else -1)
        for column in (self.offsets, self.ends, self.channels):
            column.append(None)
        return words[1 + len(name) :]

    def _start_end(self, words: list[str]) -> list[str]:
        if self._announced or self._open[-1:] in ([], [None]):
            raise ValueError("End Site is out of place")
        self._announced.append(None)
        return [word for word in words if word in "{}"]

    def _read_offset(self, words: list[str]) -> list[str]:
        if not self._open or self._announced:
            raise ValueError("OFFSET is outside of a joint")
        if len(words) < 4 or words[1] in "{}":
            raise ValueError("OFFSET needs three numbers")
        joint = self._open[-1]
        column, row = (self.ends, self._open[-2]) if joint is None else (self.offsets, joint)
        column[row] = [_number(word) for word in words[1:4]]
        return words[4:]

    def _read_channels(self, words: list[str]) -> list[str]:
        if not self._open or self._announced or self._open[-1] is None:
            raise ValueError("CHANNELS is outside of a joint")
        if len(words) < 2 or not words[1].isdecimal() or len(words[1]) > 3:
            raise ValueError("CHANNELS needs their number and their names")
        count = int(words[1])
        names = [word for word in words[2:] if word not in "{}"]
        if len(names) != count:
            raise ValueError(f"CHANNELS announces {count} channels and names {len(names)}")
        for name in names:
            if name.lower() not in _CHANNELS:
                raise ValueError(
                    f"{plain(name)} is not a channel: there are Xposition to Zposition and Xrotation to Zrotation"
                )
        channels = tuple(_CHANNELS[name.lower()] for name in names)
        if len(set(channels)) != count:
            raise ValueError("CHANNELS names a channel twice")
        self.channels[self._open[-1]] = channels
        return words[2 + count :]

    def _read_brace(self, word: str) -> None:
        if word == "{" and self._announced:
            self._open.append(self._announced.pop())
        elif word == "}" and self._open and not self._announced:
            self._close(self._open.pop())
        else:
            raise ValueError(f"{_shown(word)} is out of place in the HIERARCHY block")

    def _close(self, joint: int | None) -> None:
        if joint is None:
            return
        for column, what in ((self.offsets, "OFFSET"), (self.channels, "CHANNELS")):
            if column[joint] is None:
                raise ValueError(f"joint {plain(self.names[joint])} has no {what}")


def read_hierarchy(lines: Sequence[str], source: str) -> tuple[Hierarchy, int]:
    """The joints, and the index of the line after MOTION."""
    hierarchy, started = Hierarchy(), False
    for index, line in enumerate(lines):
        words = line.lstrip("\ufeff").replace("{", " { ").replace("}", " } ").split()
        if not words:
            continue
        try:
            if not started and words[0].lower() != "hierarchy":
                raise ValueError(NO_BVH)
            if words[0].lower() == "motion":
                hierarchy.finish()
                return hierarchy, index + 1
            if started:
                hierarchy.read(words)
            started = True
        except ValueError as error:
            raise bad_line(source, index, str(error)) from None
    if not started:
        raise BadFileError(f"{source}: line 1: the file is empty.")
    raise bad_line(source, len(lines) - 1, "the file ends before its MOTION block")


def read_motion_head(lines: Sequence[str], position: int, source: str) -> tuple[int, float, int]:
    """Frame count, frame time, and the index of the line after them."""
    values = []
    for keyword in ("Frames:", "Frame Time:"):
        while position < len(lines) and not lines[position].strip():
            position += 1
        if position == len(lines):
            raise bad_line(source, position - 1, f"the file ends before {keyword}")
        values.append(_keyword_value(lines[position], keyword, source, position))
        position += 1
    if values[0] < 1 or values[0] != int(values[0]):
        raise bad_line(source, position - 2, "Frames: must be a whole number of at least 1")
    if values[1] <= 0:
        raise bad_line(source, position - 1, "Frame Time: must be more than 0 seconds")
    if not _FRAME_SECONDS[0] <= values[1] <= _FRAME_SECONDS[1]:
        raise bad_line(source, position - 1, "Frame Time: must lie between 0.00001 and 100 seconds")
    return int(values[0]), values[1], position


def _keyword_value(line: str, keyword: str, source: str, index: int) -> float:
    """The number of a `Keyword: number` line."""
    found, _, value = line.partition(":")
    if found.lower().split() != keyword[:-1].lower().split():
        raise bad_line(source, index, f"{keyword} is expected here")
    try:
        return _number(value.strip())
    except ValueError as error:
        raise bad_line(source, index, f"{keyword} {error}") from None


def read_rows(
    lines: Sequence[str], first: int, frame_count: int, channel_count: int, source: str
) -> tuple[np.ndarray, list[int]]:
    """Values (F, C) and the index of the line that each row stands on."""
    values, starts = [], []
    for index in range(first, len(lines)):
        words = lines[index].split()
        if not words:
            continue
        if len(words) != channel_count or "_" in lines[index]:
            _check_numbers(words, source, index)
            ending = " and the file ends" if index == len(lines) - 1 else ""
            raise bad_line(source, index, f"{len(words)} values for {channel_count} channels{ending}")
        try:
            values.append([float(word) for word in words])
        except ValueError:
            _check_numbers(words, source, index)
        starts.append(index)
    if len(starts) > frame_count:
        raise bad_line(source, starts[frame_count], f"there are more rows than the {frame_count} frames announced")
    if len(starts) < frame_count:
        message = f"the file ends after {len(starts)} of the {frame_count} frames announced"
        raise bad_line(source, len(lines) - 1, message)
    motion = np.array(values, float).reshape(frame_count, channel_count)
    for row in np.flatnonzero(~(np.abs(motion) <= _LARGEST).all(axis=1))[:1]:
        _check_numbers(lines[starts[row]].split(), source, starts[row])
    return motion, starts


def _check_numbers(words: Sequence[str], source: str, index: int) -> None:
    """Raise BadFileError for the first word that is no usable number."""
    for word in words:
        try:
            _number(word)
        except ValueError as error:
            raise bad_line(source, index, str(error)) from None


def _number(word: str) -> float:
    """A finite number of sane size, or a ValueError that says what it is instead."""
    try:
        value = float(word.replace("_", "?"))  # Python would take 1_000
    except ValueError:
        if re.fullmatch(r"[+-]?\d+,\d+(e[+-]?\d+)?", word, re.IGNORECASE):
            raise ValueError(f"{_shown(word)} has a decimal comma: numbers need a decimal point") from None
        raise ValueError(f"{_shown(word)} is not a number") from None
    if not abs(value) <= _LARGEST:
        raise ValueError(f"{_shown(word)} is not a usable number")
    return value


def _shown(word: str) -> str:
    """A word of the file, short and printable enough for a message."""
    return f'"{plain(word)}"'


def bad_line(source: str, index: int, message: str) -> BadFileError:
    """The error that names the file and the line, counted from 0."""
    return BadFileError(f"{source}: line {index + 1}: {message}.")
