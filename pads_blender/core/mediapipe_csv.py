"""MediaPipe landmarks as CSV: one line a frame with columns for each landmark, or one line for each landmark."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import numpy as np

from ..errors import BadFileError
from .input_files import plain_reason
from .keypoints import MEDIAPIPE_33

_MOST_FRAMES = 2_000_000  # 18 hours at 30 frames a second: numbers further apart than that are damage
_COUNT = len(MEDIAPIPE_33.names)
_WIDE = re.compile(r"(?P<axis>x|y|z|v|vis|visibility)_?(?P<number>\d+)|(?P<number2>\d+)_(?P<axis2>x|y|z|v|visibility)")


def read_csv(text: str, path: Path) -> list[list[np.ndarray]]:
    """People of every frame: one, (33, 3) of x, y and visibility, or none. Raises BadFileError."""
    try:
        rows = [row for row in csv.reader(io.StringIO(text)) if row]
        if len(rows) < 2:
            raise BadFileError(f"{path}: holds no line of landmarks: export it again with a line of column names.")
        names = [name.strip().lower() for name in rows[0]]
        wide = {place: found for place, name in enumerate(names) if (found := _column(name))}
        if {"frame", "x", "y"} <= set(names) and {"landmark", "index", "id"} & set(names):
            return _long(rows[1:], names)
        if len({number for number, _ in wide.values()}) == _COUNT:
            return [_wide(row, wide) for row in rows[1:]]
    except (ValueError, IndexError, OverflowError, csv.Error) as error:
        reason = plain_reason(error)
        raise BadFileError(f"{path}: a line of landmarks cannot be read ({reason}): export it again.") from error
    raise BadFileError(
        f"{path}: its columns are not those of {_COUNT} landmarks: name them x0, y0, v0 to x{_COUNT - 1} and so on, or "
        "frame, landmark, x, y, visibility with one line for each landmark."
    )


def _column(name: str) -> tuple[int, int] | None:
    """Landmark and axis (0 x, 1 y, 2 visibility) of a column of wide files."""
    found = _WIDE.fullmatch(name)
    if not found:
        return None
    axis = (found["axis"] or found["axis2"])[0]
    return None if axis == "z" else (int(found["number"] or found["number2"]), "xyv".index(axis))


def _wide(row: list[str], columns: dict[int, tuple[int, int]]) -> list[np.ndarray]:
    """Landmarks count from 0, or from 1 where no column says 0; an empty line of values is a frame without anybody."""
    first = min(number for number, _ in columns.values())
    person, filled = np.ones((_COUNT, 3)), False
    for place, (number, axis) in columns.items():
        text = row[place].strip()
        person[number - first, axis] = float(text) if text else 0.0
        filled = filled or bool(text)
    return [person] if filled else []


def _long(rows: list[list[str]], names: list[str]) -> list[list[np.ndarray]]:
    which = names.index(next(n for n in ("landmark", "index", "id") if n in names))
    seen = names.index("visibility") if "visibility" in names else None
    people: dict[int, np.ndarray] = {}
    for row in rows:
        person = people.setdefault(int(float(row[names.index("frame")])), np.zeros((_COUNT, 3)))
        confidence = 1.0 if seen is None else float(row[seen])
        mark = int(float(row[which]))
        if not 0 <= mark < _COUNT:
            raise ValueError(f"there is no landmark {mark:.3g}")
        person[mark] = float(row[names.index("x")]), float(row[names.index("y")]), confidence
    first, last = min(people), max(people)
    if last - first >= _MOST_FRAMES:
        raise ValueError(f"its frames are numbered from {first:.3g} to {last:.3g}")
    return [[people[f]] if f in people else [] for f in range(first, last + 1)]
