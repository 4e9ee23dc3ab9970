"""Text of glTF files: frame rates, and files that are none."""

import json

import pytest

from pads_blender.core.gltf import Gltf, frame_rate, read_gltf
from pads_blender.errors import BadFileError


def animated(**accessor) -> Gltf:
    return Gltf({"accessors": [accessor], "animations": [{"samplers": [{"input": 0}]}]}, None)


def test_frame_rate_is_that_of_the_keys():
    assert frame_rate(animated(count=31, min=[0.0], max=[1.0])) == 30
    assert frame_rate(animated(count=31, min=[0.0], max=[1.0000001])) == 30
    assert frame_rate(animated(count=30, min=[0.5], max=[1.5])) == 29
    assert frame_rate(Gltf({}, None)) is None


@pytest.mark.parametrize(
    "data",
    [{"animations": [{}]}, {"animations": [{"samplers": [{"input": 5}]}]}, {"animations": [{"samplers": [{}]}]}],
)
def test_a_damaged_animation_has_no_frame_rate(data):
    assert frame_rate(Gltf(data, None)) is None


@pytest.mark.parametrize("raw", [b"", b"glTF", b"glTF" + bytes(40), b"[]", json.dumps({"nodes": []}).encode(), b"\xff"])
def test_what_is_no_gltf_is_refused(tmp_path, raw):
    path = tmp_path / "take.glb"
    path.write_bytes(raw)
    with pytest.raises(BadFileError, match=r"take\.glb: this is no glTF file"):
        read_gltf(path)
    with pytest.raises(BadFileError, match="cannot be read"):
        read_gltf(tmp_path / "gone.glb")


@pytest.mark.parametrize(
    ("children", "said"),
    [
        ([[0]], "node 0 hangs on itself"),
        ([[1], [2], [0]], "hangs on itself"),
        ([[1, 2], [2], []], "node 2 hangs on nodes 0 and 1"),
    ],
)
def test_nodes_in_a_circle_and_of_two_parents_are_refused(tmp_path, children, said):
    """Blender's importer ends with an error of Python's."""
    path = tmp_path / "take.gltf"
    path.write_text(json.dumps({"asset": {}, "nodes": [{"children": each} for each in children]}))
    with pytest.raises(BadFileError, match=said):
        read_gltf(path)


def test_a_long_chain_of_nodes_is_no_circle(tmp_path):
    path = tmp_path / "take.gltf"
    path.write_text(json.dumps({"asset": {}, "nodes": [{"children": [n + 1]} for n in range(50_000)] + [{}]}))
    assert len(read_gltf(path).data["nodes"]) == 50_001
