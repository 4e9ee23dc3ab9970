"""BVH text to arrays and back: writing replaces numbers of the MOTION block and keeps the rest to the letter. No bpy.

The conversion to and from an armature follows Blender's own importer with axis_forward='-Z', axis_up='Y'.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import BadFileError, TakeError
from .bvh_parser import LINE, NO_BVH, bad_line, read_hierarchy, read_motion_head, read_rows
from .channels import euler_near
from .input_files import LARGEST_TAKE, check_line_count, check_text, read_data
from .rig import Changes, RigTake
from .rotations import from_euler, from_matrix, inverse, multiply, rotate

ARMATURE_FROM_BVH = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])  # Y up to Z up, -Z forward to Y
FIRST_FRAME = 1  # scene frame of the first row, as files.py imports it

_HEAD = 1 << 16  # bytes in which a BVH file has begun
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
        raise bad_line(str(path), 0, NO_BVH if data else "the file is empty")
    text = data.decode(encoding)
    check_text(text, path)
    check_line_count(text, path)
    return replace(parse_bvh(text, str(path)), encoding=encoding)


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
    lines = LINE.findall(text)
    hierarchy, position = read_hierarchy(lines, source)
    frame_count, frame_time, first = read_motion_head(lines, position, source)
    motion, starts = read_rows(lines, first, frame_count, sum(map(len, hierarchy.channels)), source)
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
