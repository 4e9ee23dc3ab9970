"""Networks made to do harm, or damaged, or of another kind: refused in one sentence before any runtime sees them."""

import hashlib
import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from pads_blender.core.skeleton import JOINTS
from pads_blender.diffusion.contract import read_contract
from pads_blender.diffusion.onnx_file import read_parameters
from pads_blender.diffusion.prior import load_prior
from pads_blender.diffusion.protobuf import fields, messages
from pads_blender.errors import PriorError
from pads_blender.paths import bundled_models_dir

from .seeds import field, onnx_model, tensor, varint

GRAPH, NODE, INITIALIZER = 7, 1, 5


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(bundled_models_dir(), tmp_path / "models")


def sign(folder: Path, data: bytes) -> None:
    """Give the pose prior other weights, and its contract their hash, as somebody would who means harm."""
    (folder / "pads_pose.onnx").write_bytes(data)
    edit(folder, lambda contract: contract["files"]["forward"].update(sha256=hashlib.sha256(data).hexdigest()))


def edit(folder: Path, change) -> None:
    path = folder / "pads_pose.json"
    contract = json.loads(path.read_text())
    change(contract)
    path.write_text(json.dumps(contract))


def denoise(folder: Path, backend: str = "cpu") -> np.ndarray:
    return load_prior("pose", folder, threads=1, backend=backend).denoise(np.zeros((1, len(JOINTS), 3)), 0.1)


def in_graph(folder: Path, extra: bytes) -> bytes:
    """The shipped model with something more in its graph."""
    data = memoryview((folder / "pads_pose.onnx").read_bytes())
    (graph,) = messages(data, GRAPH)
    rest = b"".join(varint(number << 3) + varint(value) for number, value in fields(data) if isinstance(value, int))
    opsets = b"".join(field(8, bytes(each)) for each in messages(data, 8))
    return rest + opsets + field(GRAPH, bytes(graph) + extra)


def node(operation: str, *attributes: bytes, domain: str = "") -> bytes:
    content = field(4, operation.encode()) + field(7, domain.encode()) + b"".join(field(5, each) for each in attributes)
    return field(NODE, content)


def elsewhere(location: str) -> bytes:
    """An initialiser whose numbers lie in another file."""
    entry = field(1, b"location") + field(2, location.encode())
    return tensor("stolen", [4], 1, None, field(13, entry) + b"\x70\x01")


HARM = {
    "other files": (lambda: field(INITIALIZER, elsewhere("../../../../etc/passwd")), "names other files"),
    "other files in a constant": (lambda: node("Constant", field(5, elsewhere("/etc/passwd"))), "names other files"),
    "own operations": (lambda: node("RunThis", domain="evil.ops"), "operation RunThis"),
    "python": (lambda: node("PyOp", domain="ai.onnx.contrib"), "operation PyOp"),
    "endless loop": (lambda: node("Loop", field(6, b"")), "operation Loop"),
    "hidden network": (lambda: node("Add", field(6, b"\x0a\x00")), "networks inside"),
    "all memory": (lambda: node("ConstantOfShape"), "operation ConstantOfShape"),
    "absurd array": (lambda: field(INITIALIZER, tensor("huge", [1 << 20, 1 << 20], 1, b"")), "absurd size"),
    "negative array": (lambda: field(INITIALIZER, tensor("huge", [2**64 - 1], 1, b"")), "absurd size"),
    "name to break a terminal": (lambda: node("\x1b]0;gone\x07"), r"operation \\x1b\]0;gone"),
}


@pytest.mark.parametrize(("harm", "said"), HARM.values(), ids=HARM)
@pytest.mark.parametrize("backend", ["cpu", "numpy"])
def test_what_a_model_may_not_hold(folder, harm, said, backend):
    sign(folder, in_graph(folder, harm()))
    with pytest.raises(PriorError, match=said):
        denoise(folder, backend)


def test_the_same_model_without_harm_is_taken(folder):
    expected = denoise(folder)
    sign(folder, in_graph(folder, b""))
    np.testing.assert_array_equal(denoise(folder), expected)


class Bomb:
    """Pickled, it makes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("backend", ["cpu", "numpy", "torch-cpu"])
def test_a_pickle_is_never_loaded(folder, tmp_path, backend):
    trap = tmp_path / "sprung"
    data = pickle.dumps(Bomb(trap))
    sign(folder, data)
    with pytest.raises(PriorError):
        denoise(folder, backend)
    assert not trap.exists()
    pickle.loads(data)
    assert trap.exists()  # or else the trap would prove nothing


def test_a_model_of_another_kind_is_refused(folder):
    sign(folder, (folder / "pads_motion.onnx").read_bytes())
    with pytest.raises(PriorError, match="inputs and outputs are not those of a pose prior"):
        denoise(folder)


def test_a_damaged_model_with_its_own_hash_is_refused(folder):
    data = (folder / "pads_pose.onnx").read_bytes()
    for size in (0, 10, 1000, len(data) - 1000):
        sign(folder, data[:size])
        with pytest.raises(PriorError):
            denoise(folder)
    sign(folder, onnx_model(tensor("embed.weight", [2], 1, bytes(8))) * 2)
    with pytest.raises(PriorError, match="one network"):
        denoise(folder)


@pytest.mark.parametrize("network", [{}, {"width": 1 << 40}, {"layers": "5"}, {"heads": 3}, {"layers": True}, []])
def test_a_network_that_makes_no_sense_is_refused(folder, network):
    def change(contract):
        contract["network"] = (contract["network"] | network) if network else network

    edit(folder, change)
    with pytest.raises(PriorError, match="network"):
        load_prior("pose", folder)


def test_weights_of_other_sizes_than_the_contract_says_are_refused(folder):
    edit(folder, lambda contract: contract["network"].update(layers=contract["network"]["layers"] + 1))
    with pytest.raises(PriorError, match="do not fit their contract in 'blocks"):
        read_parameters(read_contract(folder / "pads_pose.json", "pose"))


@pytest.mark.parametrize("files", [{}, {"forward": "pads_pose.onnx"}, {"forward": {"name": "pads_pose.onnx"}}])
def test_a_contract_without_a_hash_is_refused(folder, files):
    edit(folder, lambda contract: contract.update(files=files))
    with pytest.raises(PriorError, match="does not say which file is its 'forward'"):
        denoise(folder)


def table(sigma, error):
    return {"denoiser_error_metres": {"sigma": sigma, "error": error}}


@pytest.mark.parametrize(
    "fields",
    [
        *({"scale_metres": value} for value in ("0.31", 0.0, -1, None, [0.31], 10**400)),
        *({"diffusion": value} for value in ({}, [], {"steps": 1 << 60, "beta_first": 0.1, "beta_last": 0.2})),
        {"diffusion": {"steps": 1000, "beta_first": 0.9, "beta_last": 0.9}},  # its noise has no largest level
        {"diffusion": {"steps": 1000, "beta_first": 1e-30, "beta_last": 0.02}},  # nor a smallest one
        {"diffusion": {"steps": 1000, "beta_first": "0.0001", "beta_last": 0.02}},
        *(table(*values) for values in (([0.1], []), ([0.2, 0.1], [1, 1]), ([[1]], [[1]]), ([0, 1], [1, 1]), (1, 1))),
        *(table(*values) for values in (([0.1, 0.2], [[1] * 3] * 2), ([0.1, 0.2], [1, -1]), ([0.1, 0.2], [[1], 2]))),
    ],
)
def test_numbers_of_a_contract_that_make_no_sense_are_refused(folder, fields):
    edit(folder, lambda contract: contract.update(fields))
    with pytest.raises(PriorError, match=f"lacks a proper field '{next(iter(fields))}'"):
        load_prior("pose", folder)
