"""The weights in an .onnx file as plain arrays, for runtimes that do not read ONNX. Needs NumPy alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..core.input_files import LARGEST_WEIGHTS, read_data
from ..errors import BadFileError, PriorError

# Field numbers of onnx.proto, which never change: ModelProto.graph, GraphProto.initializer and those of TensorProto.
_GRAPH, _INITIALIZER = 7, 5
_DIMS, _DATA_TYPE, _NAME, _RAW_DATA = 1, 2, 8, 9
_FLOATS = {1: np.dtype("<f4"), 10: np.dtype("<f2")}  # TensorProto.DataType
_VARINT, _LENGTH = 0, 2  # wire types; of fixed size: 1 and 5
_FIXED_SIZES = {1: 8, 5: 4}
_LONGEST_VARINT = 63  # bits


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """The network's parameters by name, as 32-bit floats; a matrix that the graph holds transposed is turned back.

    Names and marks are those that training/export_onnx.py writes: NAME, or NAME.T where transposed, and then .half
    where stored as 16-bit floats.
    """
    weights = {}
    try:
        (graph,) = _bytes_fields(memoryview(read_data(path, LARGEST_WEIGHTS)), _GRAPH)
        for tensor in _bytes_fields(graph, _INITIALIZER):
            name, values = _read_tensor(tensor)
            if values is not None:
                name = name.removesuffix(".half")
                weights[name.removesuffix(".T")] = values.T if name.endswith(".T") else values
    except (BadFileError, LookupError, ValueError, TypeError) as error:
        raise PriorError(f"The weights in {path.name} cannot be read: install the extension again.") from error
    if "embed.weight" not in weights:
        raise PriorError(f"The weights in {path.name} do not have the names of this version: export it again.")
    return weights


def _read_tensor(tensor: memoryview) -> tuple[str, np.ndarray | None]:
    """Name and values of a TensorProto; None for values that are no floats stored as bytes, which no parameter is."""
    name, dims, data_type, raw = "", [], 0, None
    for field, value in _fields(tensor):
        if field in (_NAME, _RAW_DATA) and not isinstance(value, memoryview):
            raise ValueError("a number where bytes belong")
        if field == _NAME:
            name = bytes(value).decode()
        elif field == _DIMS:
            dims += list(_varints(value)) if isinstance(value, memoryview) else [value]
        elif field == _DATA_TYPE:
            data_type = value
        elif field == _RAW_DATA:
            raw = value
    if data_type not in _FLOATS or raw is None:
        return name, None
    return name, np.frombuffer(raw, _FLOATS[data_type]).reshape(dims).astype(np.float32)


def _bytes_fields(message: memoryview, wanted: int) -> list[memoryview]:
    return [value for field, value in _fields(message) if field == wanted and isinstance(value, memoryview)]


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """(field number, value) of a protobuf message; values of fixed size are passed over."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        wire = key & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
        elif wire == _LENGTH:
            size, at = _varint(message, at)
            if at + size > len(message):
                raise ValueError("a field reaches beyond the end")
            yield key >> 3, message[at : at + size]
            at += size
        else:
            at += _FIXED_SIZES[wire]


def _varints(packed: memoryview) -> Iterator[int]:
    at = 0
    while at < len(packed):
        value, at = _varint(packed, at)
        yield value


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """(value, place after it): seven bits a byte, the lowest first, the eighth says that more follow."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
        if shift > _LONGEST_VARINT:
            raise ValueError("a number without end")
