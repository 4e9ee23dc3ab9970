"""The weights in an .onnx file as plain arrays, for runtimes that do not read ONNX. Needs NumPy alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..core.input_files import LARGEST_WEIGHTS, read_data
from ..errors import BadFileError, PriorError
from .contract import Contract
from .model_checks import parameter_shapes
from .protobuf import fields, messages, numbers

# Field numbers of onnx.proto, which never change: ModelProto.graph, GraphProto.initializer and those of TensorProto.
_GRAPH, _INITIALIZER = 7, 5
_DIMS, _DATA_TYPE, _NAME, _RAW_DATA = 1, 2, 8, 9
_FLOATS = {1: np.dtype("<f4"), 10: np.dtype("<f2")}  # TensorProto.DataType


def read_parameters(contract: Contract) -> dict[str, np.ndarray]:
    """The parameters of the network that a contract describes, by name; PriorError where one has another shape."""
    path = contract.file("forward")
    weights = read_weights(path)
    for name, shape in parameter_shapes(contract["kind"], contract["network"]).items():
        if name not in weights or weights[name].shape != shape:
            raise PriorError(f"The weights in {path.name} do not fit their contract in '{name}': export it again.")
    return weights


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """The network's parameters by name, as 32-bit floats; a matrix that the graph holds transposed is turned back.

    Names and marks are those that training/export_onnx.py writes: NAME, or NAME.T where transposed, and then .half
    where stored as 16-bit floats.
    """
    weights = {}
    try:
        (graph,) = messages(memoryview(read_data(path, LARGEST_WEIGHTS)), _GRAPH)
        for tensor in messages(graph, _INITIALIZER):
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
    for field, value in fields(tensor):
        if field in (_NAME, _RAW_DATA) and not isinstance(value, memoryview):
            raise ValueError("a number where bytes belong")
        if field == _NAME:
            name = bytes(value).decode()
        elif field == _DIMS:
            dims += numbers(value)
        elif field == _DATA_TYPE:
            data_type = value
        elif field == _RAW_DATA:
            raw = value
    if data_type not in _FLOATS or raw is None:
        return name, None
    return name, np.frombuffer(raw, _FLOATS[data_type]).reshape(dims).astype(np.float32)
