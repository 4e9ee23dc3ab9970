"""glTF text that Blender's importer needs help with: the frame rate, and animated nodes without a skin. No bpy.

glTF 2.0 knows seconds and no frames, and Blender makes bones only of what a skin names: a .vrma has none.
"""

import json
import struct
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from urllib.parse import quote

from ..errors import BadFileError
from .input_files import LARGEST_TAKE, plain_reason, read_data

_MAGIC, _JSON_CHUNK = b"glTF", 0x4E4F534A
_HEADER = 12
_LOWEST_RATE, _HIGHEST_RATE = 0.5, 1e5  # frames a second: beyond these the times are damage
_NEAR_WHOLE = 0.01  # frames a second within which a rate is the whole number: times are single precision


@dataclass(frozen=True)
class Gltf:
    """The JSON of a file, and for a .glb the chunks behind it as they are (None: a .gltf, whose buffers lie beside)."""

    data: dict
    chunks: bytes | None


def read_gltf(path: Path) -> Gltf:
    """A .gltf, .glb or .vrma file; BadFileError where it is none."""
    raw = read_data(path, LARGEST_TAKE)
    try:
        text, chunks = _split(raw) if raw[:4] == _MAGIC else (raw, None)
        data = json.loads(text)
    except (ValueError, struct.error, RecursionError) as error:
        raise BadFileError(f"{path}: this is no glTF file.") from error
    if not isinstance(data, dict) or "asset" not in data:
        raise BadFileError(f"{path}: this is no glTF file.")
    _check_tree(data.get("nodes"), path)
    return Gltf(data, chunks)


def _check_tree(nodes: object, path: Path) -> None:
    """BadFileError where a node hangs on two others, or in a circle on itself: Blender's importer breaks down on it."""
    parents: dict[int, int] = {}
    for number, node in enumerate(nodes if isinstance(nodes, list) else ()):
        children = node.get("children") if isinstance(node, dict) else None
        for child in (each for each in (children if isinstance(children, list) else ()) if isinstance(each, int)):
            if child in parents:
                raise BadFileError(
                    f"{path}: node {child} hangs on nodes {parents[child]} and {number}: export it again."
                )
            parents[child] = number
    try:
        TopologicalSorter({child: [parent] for child, parent in parents.items()}).prepare()
    except CycleError as error:
        raise BadFileError(f"{path}: node {error.args[1][0]} hangs on itself, in a circle: export it again.") from None


def _split(raw: bytes) -> tuple[bytes, bytes]:
    """JSON and other chunks of a .glb."""
    length, kind = struct.unpack_from("<II", raw, _HEADER)
    if kind != _JSON_CHUNK:
        raise ValueError("no JSON chunk")
    start = _HEADER + 8
    return raw[start : start + length], raw[start + length :]


def frame_rate(gltf: Gltf) -> float | None:
    """Frames a second of the densest keys in the file; None where nothing is animated, or the file is damaged."""
    try:
        rate = max((steps / seconds for steps, seconds in _spans(gltf) if seconds > 0), default=None)
    except (LookupError, TypeError, AttributeError):  # Blender's importer will say what is wrong with it
        return None
    if rate is not None and not _LOWEST_RATE <= rate <= _HIGHEST_RATE:
        return None
    return round(rate) if rate and abs(rate - round(rate)) < _NEAR_WHOLE else rate


def _spans(gltf: Gltf) -> list[tuple[int, float]]:
    """Steps and seconds from the first to the last key, of all animated channels."""
    accessors = gltf.data.get("accessors", [])
    times = [
        accessors[sampler["input"]] for motion in gltf.data.get("animations", []) for sampler in motion["samplers"]
    ]
    return [(each["count"] - 1, each["max"][0] - each["min"][0]) for each in times if "max" in each and "min" in each]


def has_skin(gltf: Gltf) -> bool:
    """Whether Blender will make bones of the file."""
    return bool(gltf.data.get("skins"))


def write_with_skin(gltf: Gltf, source: Path, folder: Path) -> Path:
    """A copy of the file in a folder, with a skin that names every node without a shape; its path. BadFileError."""
    try:
        return _write_with_skin(gltf, source, folder)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise BadFileError(f"{source}: its nodes are not those of a glTF file ({plain_reason(error)}).") from error


def _write_with_skin(gltf: Gltf, source: Path, folder: Path) -> Path:
    nodes = gltf.data.get("nodes", [])
    joints = [number for number, node in enumerate(nodes) if not node.keys() & {"mesh", "camera"}]
    data = gltf.data | ({"skins": [{"joints": joints}]} if joints else {})
    if gltf.chunks is None:
        path = folder / f"{source.stem}.gltf"
        path.write_text(json.dumps(_with_whole_paths(data, source.resolve().parent)), encoding="utf-8")
        return path
    text = json.dumps(data).encode("utf-8")
    text += b" " * (-len(text) % 4)
    head = struct.pack("<4sIIII", _MAGIC, 2, _HEADER + 8 + len(text) + len(gltf.chunks), len(text), _JSON_CHUNK)
    path = folder / f"{source.stem}.glb"
    path.write_bytes(head + text + gltf.chunks)
    return path


def _with_whole_paths(data: dict, folder: Path) -> dict:
    """The JSON with buffers and images found from any folder."""
    return data | {
        kind: [_whole(item, folder) for item in data[kind]] for kind in ("buffers", "images") if kind in data
    }


def _whole(item: dict, folder: Path) -> dict:
    uri = item.get("uri", "data:")
    return item if uri.startswith("data:") else item | {"uri": quote(str(folder)) + "/" + uri}
