"""BVH text to arrays and back: writing replaces numbers of the MOTION block and keeps the rest to the letter. No bpy.

The conversion to and from an armature follows Blender's own importer with axis_forward='-Z', axis_up='Y'.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import BadFileError, TakeError
from .channels import euler_near
from .input_files import LARGEST_TAKE, plain, read_data
from .rig import Changes, RigTake
from .rotations import from_euler, from_matrix, inverse, multiply, rotate

ARMATURE_FROM_BVH = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])  # Y up to Z up, -Z forward to Y
FIRST_FRAME = 1  # scene frame of the first row, as files.py imports it

_CHANNELS = {f"{axis}{kind}".lower(): f"{axis}{kind}" for kind in ("position", "rotation") for axis in "XYZ"}
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+\Z")
_LARGEST = 1e9  # beyond this a value is damage, and single precision in Blender would lose it
_HEAD = 1 << 16  # bytes in which a BVH file has begun
_NO_BVH = "this is not a BVH file: it does not begin with HIERARCHY"
_FRAME_SECONDS = 1e-5, 100.0  # beyond these a frame time is damage, and Blender has no such frame rate
_KEEP = 5e-7  # half of the last decimal that is written: below it the source's own digits stay


@dataclass(frozen=True)
class Bvh:
    """One BVH file: its skeleton and motion as numbers, and its text."""

    names: tuple[str, ...]  # as in the file, words joined with _ as Blender does
    parents: np.ndarray  # (J,) int, -1 = none
    offsets: np.ndarray  # (J, 3), file units and axes
    ends: np.ndarray  # (J, 3), the End Site's offset, NaN = none
    channels: tuple[tuple[str, ...], ...]  # per joint, in the file's order
    frame_time: float  # seconds
    motion: np.ndarray  # (F, C)
    header: str  # all text before the first row of values
    rows: tuple[str, ...]  # text of each row with its line end
    encoding: str = "utf-8"


def read_bvh(path: Path | str) -> Bvh:
    """The file as a Bvh; BadFileError names the file and the line that is wrong."""
    data = read_data(path, LARGEST_TAKE)
    encoding = _encoding(data)
    if "hierarchy" not in data[:_HEAD].decode(encoding, errors="replace").lower():  # before gigabytes are taken apart
        raise _bad_line(str(path), 0, _NO_BVH if data else "the file is empty")
    return replace(parse_bvh(data.decode(encoding), str(path)), encoding=encoding)


def write_bvh(bvh: Bvh, path: Path | str) -> None:
    """The file's text with its present numbers, byte for byte as it was read where nothing changed."""
    Path(path).write_bytes((bvh.header + "".join(bvh.rows)).encode(bvh.encoding))


def _encoding(data: bytes) -> str:
    """Encoding in which decoding and encoding give the same bytes back; a byte order mark stays part of the text."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") and len(data) % 2 == 0:
        return "utf-16-le" if data[:1] == b"\xff" else "utf-16-be"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def parse_bvh(text: str, source: str = "BVH text") -> Bvh:
    """BVH text as numbers; source is the file's name for messages."""
    lines = _LINE.findall(text)
    hierarchy, position = _read_hierarchy(lines, source)
    frame_count, frame_time, first = _read_motion_head(lines, position, source)
    motion, starts = _read_rows(lines, first, frame_count, sum(map(len, hierarchy.channels)), source)
    stops = [*starts[1:], len(lines)]
    return Bvh(
        names=tuple(hierarchy.names),
        parents=np.array(hierarchy.parents, int),
        offsets=np.array(hierarchy.offsets, float).reshape(-1, 3),
        ends=np.array([(np.nan,) * 3 if end is None else end for end in hierarchy.ends], float).reshape(-1, 3),
        channels=tuple(hierarchy.channels),
        frame_time=frame_time,
        motion=motion,
        header="".join(lines[: starts[0]] if starts else lines),
        rows=tuple("".join(lines[a:b]) for a, b in zip(starts, stops, strict=True)),
    )


class _Hierarchy:
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


def _read_hierarchy(lines: Sequence[str], source: str) -> tuple[_Hierarchy, int]:
    """The joints, and the index of the line after MOTION."""
    hierarchy, started = _Hierarchy(), False
    for index, line in enumerate(lines):
        words = line.lstrip("\ufeff").replace("{", " { ").replace("}", " } ").split()
        if not words:
            continue
        try:
            if not started and words[0].lower() != "hierarchy":
                raise ValueError(_NO_BVH)
            if words[0].lower() == "motion":
                hierarchy.finish()
                return hierarchy, index + 1
            if started:
                hierarchy.read(words)
            started = True
        except ValueError as error:
            raise _bad_line(source, index, str(error)) from None
    if not started:
        raise BadFileError(f"{source}: line 1: the file is empty.")
    raise _bad_line(source, len(lines) - 1, "the file ends before its MOTION block")


def _read_motion_head(lines: Sequence[str], position: int, source: str) -> tuple[int, float, int]:
    """Frame count, frame time, and the index of the line after them."""
    values = []
    for keyword in ("Frames:", "Frame Time:"):
        while position < len(lines) and not lines[position].strip():
            position += 1
        if position == len(lines):
            raise _bad_line(source, position - 1, f"the file ends before {keyword}")
        values.append(_keyword_value(lines[position], keyword, source, position))
        position += 1
    if values[0] < 1 or values[0] != int(values[0]):
        raise _bad_line(source, position - 2, "Frames: must be a whole number of at least 1")
    if values[1] <= 0:
        raise _bad_line(source, position - 1, "Frame Time: must be more than 0 seconds")
    if not _FRAME_SECONDS[0] <= values[1] <= _FRAME_SECONDS[1]:
        raise _bad_line(source, position - 1, "Frame Time: must lie between 0.00001 and 100 seconds")
    return int(values[0]), values[1], position


def _keyword_value(line: str, keyword: str, source: str, index: int) -> float:
    """The number of a `Keyword: number` line."""
    found, _, value = line.partition(":")
    if found.lower().split() != keyword[:-1].lower().split():
        raise _bad_line(source, index, f"{keyword} is expected here")
    try:
        return _number(value.strip())
    except ValueError as error:
        raise _bad_line(source, index, f"{keyword} {error}") from None


def _read_rows(
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
            raise _bad_line(source, index, f"{len(words)} values for {channel_count} channels{ending}")
        try:
            values.append([float(word) for word in words])
        except ValueError:
            _check_numbers(words, source, index)
        starts.append(index)
    if len(starts) > frame_count:
        raise _bad_line(source, starts[frame_count], f"there are more rows than the {frame_count} frames announced")
    if len(starts) < frame_count:
        message = f"the file ends after {len(starts)} of the {frame_count} frames announced"
        raise _bad_line(source, len(lines) - 1, message)
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
            raise _bad_line(source, index, str(error)) from None


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


def _bad_line(source: str, index: int, message: str) -> BadFileError:
    return BadFileError(f"{source}: line {index + 1}: {message}.")


def with_motion(bvh: Bvh, motion: np.ndarray) -> Bvh:
    """The same file with motion (F, C); numbers that stay the same keep their digits, new ones get six decimals.

    TakeError where motion holds what is no number: no such file is ever written.
    """
    if not np.isfinite(motion).all():
        raise TakeError("The result holds values that are not numbers: nothing was written.")
    changed = np.abs(motion - bvh.motion) > _KEEP
    written = np.where(changed, np.round(motion, 6) + 0.0, bvh.motion)
    rows = list(bvh.rows)
    for row in np.flatnonzero(changed.any(axis=1)):
        rows[row] = _with_values(rows[row], np.flatnonzero(changed[row]), written[row])
    return replace(bvh, motion=written, rows=tuple(rows))


def _with_values(text: str, columns: np.ndarray, values: np.ndarray) -> str:
    """The row's text with other numbers in these columns, its spacing kept."""
    parts = re.split(r"(\s+)", text)
    shift = 0 if parts[0] else 2
    for column in columns:
        parts[shift + 2 * column] = f"{values[column]:.6f}"
    return "".join(parts)


def bone_names(bvh: Bvh) -> tuple[str, ...]:
    """The bones' names in Blender: at most 63 bytes, a repeated one numbered .001, .002 ..."""
    names: list[str] = []
    taken: set[str] = set()
    numbers: dict[str, int] = {}  # the last one given to each name
    for name in bvh.names:
        unique = _first_bytes(name, 63)
        while unique in taken:
            numbers[name] = numbers.get(name, 0) + 1
            ending = f".{numbers[name]:03d}"
            unique = _first_bytes(name, 63 - len(ending)) + ending
        taken.add(unique)
        names.append(unique)
    return tuple(names)


def _first_bytes(name: str, count: int) -> str:
    return name.encode("utf-8")[:count].decode("utf-8", errors="ignore")


def channel_columns(bvh: Bvh) -> list[dict[str, int]]:
    """For each joint, the column of `motion` that each of its channels stands in."""
    columns, start = [], 0
    for channels in bvh.channels:
        columns.append({name: start + i for i, name in enumerate(channels)})
        start += len(channels)
    return columns


def rotation_order(channels: Sequence[str]) -> str:
    """Blender's name for the order of turning, missing axes put where they do nothing.

    BVH multiplies in the order of the channels, so the last one named turns first.
    """
    axes = [name[0] for name in channels if name.endswith("rotation")]
    return "".join(reversed(axes + [axis for axis in "XYZ" if axis not in axes]))


def local_rotations(bvh: Bvh) -> np.ndarray:
    """Each joint's rotation against its parent, (F, J, 4), file axes."""
    rotations = np.empty((len(bvh.motion), len(bvh.names), 4))
    for joint, columns in enumerate(channel_columns(bvh)):
        rotations[:, joint] = from_euler(_angles(bvh, columns), rotation_order(bvh.channels[joint]))
    return rotations


def local_positions(bvh: Bvh) -> np.ndarray:
    """Each joint's position in its parent's space, (F, J, 3), file units: its channels, or else its offset."""
    positions = np.tile(bvh.offsets, (len(bvh.motion), 1, 1))
    for joint, columns in enumerate(channel_columns(bvh)):
        for axis in range(3):
            column = columns.get("XYZ"[axis] + "position")
            if column is not None:
                positions[:, joint, axis] = bvh.motion[:, column]
    return positions


def world_positions(bvh: Bvh) -> np.ndarray:
    """Joint positions (F, J, 3), file units and axes."""
    rotations, positions = local_rotations(bvh), local_positions(bvh)
    for joint, parent in enumerate(bvh.parents):
        if parent >= 0:
            positions[:, joint] = positions[:, parent] + rotate(rotations[:, parent], positions[:, joint])
            rotations[:, joint] = multiply(rotations[:, parent], rotations[:, joint])
    return positions


def _angles(bvh: Bvh, columns: dict[str, int]) -> np.ndarray:
    """Angles of one joint (F, 3) in radians as x, y, z; 0 where there is no channel."""
    angles = np.zeros((len(bvh.motion), 3))
    for axis in range(3):
        column = columns.get("XYZ"[axis] + "rotation")
        if column is not None:
            angles[:, axis] = np.radians(bvh.motion[:, column])
    return angles


def replace_motion(bvh: Bvh, take: RigTake, changed: Changes) -> Bvh:
    """The file with the take's motion where it changed; take is the armature that Blender imported from this file.

    Angles are written in each joint's own channel order, and of all angles that mean the rotation those nearest to
    the source's; positions only for joints that have such channels. All other numbers stay as they are.
    """
    motion, rows = bvh.motion.copy(), np.round(take.frames).astype(int) - FIRST_FRAME
    bones = {name: bone for bone, name in enumerate(take.names)}
    for joint, (name, columns) in enumerate(zip(bone_names(bvh), channel_columns(bvh), strict=True)):
        bone = bones[name]
        bvh_from_bone = ARMATURE_FROM_BVH.T @ take.rest[bone, :3, :3]
        turned, moved = changed.rotation[:, bone], changed.location[:, bone]
        if turned.any():
            degrees = _degrees(bvh, joint, bvh_from_bone, take.rotation[turned, bone], rows[turned])
            _put(motion, rows[turned], columns, "rotation", degrees)
        if moved.any():
            _require_positions(columns, name)
            positions = bvh.offsets[joint] + take.location[moved, bone] @ bvh_from_bone.T
            _put(motion, rows[moved], columns, "position", positions)
    return with_motion(bvh, motion)


def _degrees(bvh: Bvh, joint: int, bvh_from_bone: np.ndarray, basis: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Angles (N, 3) as x, y, z in degrees that bring about the bone's own rotations basis (N, 4) in these rows."""
    turn = from_matrix(bvh_from_bone)
    rotations = multiply(multiply(turn, basis), inverse(turn))
    order = rotation_order(bvh.channels[joint])
    source = _angles(bvh, channel_columns(bvh)[joint])[rows]
    return np.degrees(euler_near(rotations, order, source))


def _put(motion: np.ndarray, rows: np.ndarray, columns: dict[str, int], kind: str, values: np.ndarray) -> None:
    for axis in range(3):
        column = columns.get("XYZ"[axis] + kind)
        if column is not None:
            motion[rows, column] = values[:, axis]


def _require_positions(columns: dict[str, int], name: str) -> None:
    if not any(channel.endswith("position") for channel in columns):
        raise BadFileError(f"Joint {name} was moved, but the file has no position channels for it.")


def importable_text(bvh: Bvh) -> str:
    """The same skeleton and motion in the plain form that Blender's importer takes.

    It fails on byte order marks, Latin-1, one or two rotation channels (KeyError) and rows apart from the text's
    lines, and takes a missing position channel for 0 (seen in 4.5 and 5.2); here all three of a kind are there.
    """
    lines = ["HIERARCHY"]
    children: list[list[int]] = [[] for _ in bvh.names]
    for joint, parent in enumerate(bvh.parents):
        if parent >= 0:
            children[parent].append(joint)
    channels = [_complete_channels(names) for names in bvh.channels]
    for root in np.flatnonzero(bvh.parents < 0):
        lines += _joint_lines(bvh, bone_names(bvh), channels, children, int(root))
    lines += ["MOTION", f"Frames: {len(bvh.motion)}", f"Frame Time: {bvh.frame_time!r}"]
    values = _complete_motion(bvh, channels)
    return "\n".join([*lines, *(" ".join(map("%.9g".__mod__, row)) for row in values.tolist()), ""])


def _complete_channels(names: Sequence[str]) -> list[str]:
    kinds = [kind for kind in ("position", "rotation") if any(name.endswith(kind) for name in names)]
    ordered = [[name for name in names if name.endswith(kind)] for kind in kinds]
    missing = [[axis + kind for axis in "XYZ" if axis + kind not in names] for kind in kinds]
    return [name for present, absent in zip(ordered, missing, strict=True) for name in present + absent]


def _joint_lines(
    bvh: Bvh, names: Sequence[str], channels: Sequence[list[str]], children: list[list[int]], root: int
) -> list[str]:
    """HIERARCHY lines of a joint and all below it; by a stack, as a chain may be longer than Python recurses."""
    lines: list[str] = []
    stack: list[int | str] = [root]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            lines.append(item)
            continue
        lines += [f"{'ROOT' if bvh.parents[item] < 0 else 'JOINT'} {names[item]}", "{", _offset(bvh.offsets[item])]
        lines.append(" ".join(["CHANNELS", str(len(channels[item])), *channels[item]]))
        if not np.isnan(bvh.ends[item]).any():
            lines += ["End Site", "{", _offset(bvh.ends[item]), "}"]
        stack += ["}", *reversed(children[item])]
    return lines


def _offset(offset: np.ndarray) -> str:
    return "OFFSET " + " ".join(map("%.9g".__mod__, offset.tolist()))


def _complete_motion(bvh: Bvh, channels: Sequence[list[str]]) -> np.ndarray:
    """Values (F, C') for the completed channels: a missing position is the offset's, a missing angle 0."""
    values = []
    for joint, columns in enumerate(channel_columns(bvh)):
        for name in channels[joint]:
            if name in columns:
                values.append(bvh.motion[:, columns[name]])
                continue
            constant = bvh.offsets[joint, "XYZ".index(name[0])] if name.endswith("position") else 0.0
            values.append(np.full(len(bvh.motion), constant))
    return np.stack(values, axis=1) if values else np.zeros((len(bvh.motion), 0))
