"""What a network's .onnx file may hold before any runtime sees it: plain mathematics, its own numbers, known shapes.

A file that passes cannot name other files, bring code of its own or ask for more memory than its shapes say.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from ..core.input_files import plain
from ..core.skeleton import JOINTS
from ..errors import PriorError
from .protobuf import fields, messages, numbers, text
from .window import FRAMES

# Field numbers of onnx.proto, which never change.
_GRAPH, _OPSETS, _FUNCTIONS, _DOMAIN = 7, 8, 25, 1  # ModelProto, OperatorSetIdProto
_NODES, _INITIALIZERS, _INPUTS, _OUTPUTS, _SPARSE = 1, 5, 11, 12, 15  # GraphProto
_OP_TYPE, _NODE_DOMAIN, _ATTRIBUTES = 4, 7, 5  # NodeProto
_TENSOR, _SUBGRAPHS = 5, (6, 11, 22, 23)  # AttributeProto; its graphs and sparse tensors
_DIMS, _EXTERNAL = 1, (13, 14)  # TensorProto
_TYPE, _TENSOR_TYPE, _SHAPE, _DIM, _DIM_VALUE = 2, 1, 2, 1, 1  # ValueInfoProto down to a dimension
# All that training/export_onnx.py writes with some room for other versions of torch: each makes arrays out of arrays.
_OPERATIONS = """
    Abs Add Cast Concat Constant Cos Div Erf Exp Flatten Gather Gelu Gemm Identity LayerNormalization Log MatMul Max Min
    Mul Neg Pow Reciprocal ReduceMean ReduceSum Relu Reshape Shape Sigmoid Sin Slice Softmax Split Sqrt Squeeze Sub Sum
    Tanh Transpose Unsqueeze Where
"""
_SIZES = {"width": 4096, "layers": 64, "heads": 64, "joints": 64, "frames": 1024}  # the largest that make sense
_LARGEST_TENSOR = 1 << 28  # numbers
_POSE, _WINDOW = (len(JOINTS) - 1, 3), (FRAMES, len(JOINTS))
# Shapes of what goes in and what comes out, without the batch.
_SHAPES = {
    ("motion", "forward"): (((FRAMES, 5 * len(JOINTS)),), ((*_WINDOW, 3),)),
    ("pose", "forward"): ((_POSE, ()), (_POSE,)),
    ("pose", "vjp"): ((_POSE, (), _POSE), (_POSE, _POSE)),
}


def check_network(settings: dict, name: str) -> None:
    """PriorError, with the contract's name, unless its `network` describes one of these networks."""
    sizes = {field: settings.get(field) for field in _SIZES}
    is_sound = all(type(size) is int and 1 <= size <= _SIZES[field] for field, size in sizes.items())
    if not is_sound or sizes["width"] % (2 * sizes["heads"]) or (sizes["frames"], sizes["joints"]) != _WINDOW:
        raise PriorError(f"The prior's contract {name} does not fit this version in 'network': export it again.")


def parameter_shapes(kind: str, settings: dict) -> dict[str, tuple[int, ...]]:
    """Shape of every parameter of the network that a contract describes."""
    width, joints = settings["width"], len(JOINTS)
    outside = {
        "motion": {"embed": (width, 5 * joints), "head": (3 * joints, width)},
        "pose": {"embed": (width, 3), "head": (3, width), "level.0": (width, 16), "level.2": (width, width)},
    }[kind]
    block = {"attention.qkv": (3, 1), "attention.out": (1, 1), "mlp.0": (4, 1), "mlp.2": (1, 4)}
    blocks = [f"blocks.{i}" for i in range(settings["layers"])]
    linear = {f"{at}.{name}": (out * width, given * width) for at in blocks for name, (out, given) in block.items()}
    norms = ["norm", *(f"{at}.norm{i}" for at in blocks for i in (1, 2))]
    shapes = {"joint": (joints - 1, width)} if kind == "pose" else {}
    for name, shape in (outside | linear).items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return shapes | {f"{name}.{part}": (width,) for name in norms for part in ("weight", "bias")}


def check_model(data: bytes, kind: str, role: str, name: str) -> None:
    """PriorError, with the file's name, unless the model is one that PADS's own export could have written."""
    try:
        reason = _find_fault(memoryview(data), kind, role)
    except (LookupError, ValueError, TypeError) as error:
        raise PriorError(f"The weights in {name} cannot be read: install the extension again.") from error
    if reason:
        raise PriorError(f"The prior's file {name} is refused: {reason}. Use a prior that PADS exported.")


def _find_fault(model: memoryview, kind: str, role: str) -> str | None:
    """What is wrong with a model, or None."""
    graphs = messages(model, _GRAPH)
    if len(graphs) != 1:
        return "it does not hold one network"
    if messages(model, _FUNCTIONS) or any(text(opset, _DOMAIN) for opset in messages(model, _OPSETS)):
        return "it brings operations of its own"
    faults = (*_faults_of_tensors(graphs[0]), *_faults_of_nodes(graphs[0]))
    return next(iter(faults), None) or _fault_of_shapes(graphs[0], kind, role)


def _faults_of_tensors(graph: memoryview) -> Iterator[str]:
    attributes = (each for node in messages(graph, _NODES) for each in messages(node, _ATTRIBUTES))
    tensors = messages(graph, _INITIALIZERS) + [each for found in attributes for each in messages(found, _TENSOR)]
    for tensor in tensors:
        found = list(fields(tensor))
        if any(field in _EXTERNAL and value for field, value in found):
            yield "it names other files"
        dims = [number for field, value in found if field == _DIMS for number in numbers(value)]
        if prod(dims) > _LARGEST_TENSOR or any(size > _LARGEST_TENSOR for size in dims):
            yield "it holds an array of absurd size"
    if messages(graph, _SPARSE):
        yield "it holds sparse arrays"


def _faults_of_nodes(graph: memoryview) -> Iterator[str]:
    for node in messages(graph, _NODES):
        operation = text(node, _OP_TYPE)
        if operation not in _OPERATIONS.split() or text(node, _NODE_DOMAIN):
            yield f"it asks for the operation {plain(operation) or 'without a name'}"
        attributes = messages(node, _ATTRIBUTES)
        if any(field in _SUBGRAPHS for each in attributes for field, _ in fields(each)):
            yield "it holds networks inside of its operations"


def _fault_of_shapes(graph: memoryview, kind: str, role: str) -> str | None:
    """Inputs and outputs have the contract's shapes; the batch may be any."""
    wanted = _SHAPES.get((kind, role))
    found = tuple(tuple(_shape(value)[1:] for value in messages(graph, field)) for field in (_INPUTS, _OUTPUTS))
    if wanted is None or found != wanted:
        return f"its inputs and outputs are not those of a {plain(kind)} prior"
    return None


def _shape(value: memoryview) -> tuple[int | None, ...]:
    """Sizes of an input or output; None where the model leaves one open."""
    for field in (_TYPE, _TENSOR_TYPE, _SHAPE):
        (value,) = messages(value, field)
    return tuple(
        next((number for field, number in fields(dim) if field == _DIM_VALUE and isinstance(number, int)), None)
        for dim in messages(value, _DIM)
    )
