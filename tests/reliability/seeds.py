"""Sound files of every kind that PADS reads, small enough to be damaged a hundred thousand times. No bpy."""

import hashlib
import json
import struct
from pathlib import Path

import numpy as np

from pads_blender.core.keypoints import COCO_17, COCO_WHOLEBODY, MEDIAPIPE_33, OPENPOSE_25
from pads_blender.core.mapping import Mapping
from pads_blender.core.presets import save_preset
from pads_blender.core.skeleton import JOINTS
from pads_blender.diffusion.model_checks import parameter_shapes
from pads_blender.diffusion.window import FRAMES
from pads_blender.paths import bundled_models_dir

from ..shaky_takes import shaky_take

BONES = ("Hips", "Spine", "LeftUpLeg", "RightUpLeg", "Wing.L")
_ROWS = 4  # of a real take: its skeleton is what is odd about it


def bvh_files(folder: Path | None = None) -> list[bytes]:
    """Takes made in code, and with a folder of real ones the skeletons of those with a few rows of each."""
    made = [shaky_take(3), shaky_take(1).replace("Head", "Köpfchen"), _deep_chain(40)]
    real = sorted(folder.glob("*.bvh")) if folder else []
    return [text.encode() for text in made] + [_first_rows(path.read_bytes()) for path in real]


def _first_rows(data: bytes) -> bytes:
    head, motion, rest = data.partition(b"MOTION")
    lines = rest.splitlines(keepends=True)
    start = next(i for i, line in enumerate(lines) if b"rame Time" in line or b"RAME TIME" in line) + 1
    announced = [b"Frames: %d\n" % _ROWS if b"rames:" in line else line for line in lines[:start]]
    filled = [line for line in lines[start:] if line.strip()]
    return head + motion + b"".join(announced + filled[:_ROWS])


def _deep_chain(depth: int) -> str:
    joint = "{} j{}\n{{\nOFFSET 0 1 0\nCHANNELS 3 Zrotation Xrotation Yrotation\n"
    lines = "".join(joint.format("JOINT" if i else "ROOT", i) for i in range(depth))
    row = " ".join(["1.5"] * 3 * depth)
    return (
        f"HIERARCHY\n{lines}End Site\n{{\nOFFSET 0 1 0\n}}\n{'}' * depth}\nMOTION\nFrames: 1\nFrame Time: .04\n{row}\n"
    )


def keypoint_files() -> list[bytes]:
    """One file of every dialect of keypoint JSON."""
    coco, openpose, whole = (_points(len(layout.names)) for layout in (COCO_17, OPENPOSE_25, COCO_WHOLEBODY))
    marks = [{"x": 0.01 * k, "y": 0.02 * k, "z": 0.0, "visibility": 0.7} for k in range(len(MEDIAPIPE_33.names))]
    instance = {"keypoints": whole[:, :2].tolist(), "keypoint_scores": whole[:, 2].tolist()}
    columns = {"x": coco[:, 0].tolist(), "y": coco[:, 1].tolist(), "visible": coco[:, 2].tolist()}
    files = [
        {"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d": openpose.ravel().tolist()}] * 2},
        [{"image_id": n, "category_id": 1, "keypoints": coco.ravel().tolist(), "score": 0.9} for n in (3, 4, 6)],
        {"images": [], "annotations": [{"image_id": "img_0003.jpg", "keypoints": coco.ravel().tolist()}]},
        {
            "meta_info": {},
            "instance_info": [{"frame_id": 0, "instances": [instance]}, {"frame_id": 1, "instances": []}],
        },
        [[{"name": "person", "class": 0, "keypoints": columns}], []],
        [{"landmarks": marks}, {"landmarks": None}, {"landmarks": [marks]}],
        {"frames": [{"poseLandmarks": marks}, {}]},
    ]
    return [json.dumps(data).encode() for data in files]


def _points(count: int) -> np.ndarray:
    k = np.arange(count, dtype=float)
    return np.stack([100 + 3 * k, 200 + 5 * k, np.full(count, 0.9)], axis=1)


def landmark_tables() -> list[bytes]:
    """MediaPipe's landmarks as CSV, a line a frame and a line a landmark."""
    count = len(MEDIAPIPE_33.names)
    wide = ["frame," + ",".join(f"x{k},y{k},z{k},v{k}" for k in range(count))]
    wide += [f"{frame}," + ",".join(f"{0.01 * k},{0.02 * k},0,0.9" for k in range(count)) for frame in range(2)]
    long = ["frame,landmark,x,y,z,visibility"]
    long += [f"{frame},{k},{0.01 * k},{0.02 * k},0,0.9" for frame in range(2) for k in range(count)]
    return ["\n".join(lines).encode() for lines in (wide, long)]


def camera_files() -> list[bytes]:
    """Cameras by position and target, by lens, and tracked."""
    size = {"width": 1920, "height": 1080}
    files = [
        size | {"position": [1, -4, 1.5], "target": [0, 0, 1], "fov_degrees": 40},
        size | {"position": [1, -4, 1.5], "target": [0, 0, 1], "lens_mm": 50, "sensor_mm": 36},
        size | {"matrix_world": [np.eye(4).tolist()] * 3, "focal_pixels": 1500},
    ]
    return [json.dumps(data).encode() for data in files]


def preset_files(folder: Path) -> list[bytes]:
    """A bone mapping as the Rig panel saves it; folder: a place to save it in."""
    mapping = Mapping.empty().with_joint("pelvis", "Hips").with_joint("left_hip", "LeftUpLeg")
    path = folder / "preset.json"
    save_preset(path, mapping, BONES, [-1, 0, 0, 0, 1])
    data = path.read_bytes()
    path.unlink()
    return [data]


def contract_files(folder: Path) -> list[bytes]:
    """The contracts of the shipped priors, for networks of the least size, which are put into the folder."""
    found = []
    for kind in ("motion", "pose"):
        contract = json.loads((bundled_models_dir() / f"pads_{kind}.json").read_bytes())
        contract["network"] |= {"width": 8, "layers": 1, "heads": 2}
        for role, entry in contract["files"].items():
            data = small_network(kind, role, contract["network"])
            (folder / entry["name"]).write_bytes(data)
            entry["sha256"] = hashlib.sha256(data).hexdigest()
        found.append(json.dumps(contract).encode())
    return found


def gltf_files() -> list[bytes]:
    """A .gltf without a skin, and a .glb with one."""
    data = {
        "asset": {"version": "2.0"},
        "nodes": [{"name": "Hips", "children": [1]}, {"name": "Spine"}],
        "accessors": [{"count": 31, "min": [0.0], "max": [1.0], "componentType": 5126, "type": "SCALAR"}],
        "animations": [{"samplers": [{"input": 0, "output": 0}], "channels": []}],
        "buffers": [{"uri": "take.bin", "byteLength": 4}],
        "skins": [{"joints": [0, 1]}],
    }
    text = json.dumps(data).encode()
    text += b" " * (-len(text) % 4)
    binary = struct.pack("<4sIIII", b"glTF", 2, 20 + len(text), len(text), 0x4E4F534A) + text
    return [json.dumps({k: v for k, v in data.items() if k != "skins"}).encode(), binary]


def onnx_files() -> list[bytes]:
    """A model with two small tensors of the names that the motion prior's file has."""
    return [onnx_model(tensor("embed.weight.T", [3, 2], 1, bytes(24)), tensor("norm.bias.half", [4], 10, bytes(8)))]


def small_network(kind: str, role: str, settings: dict) -> bytes:
    """A model with all parameters of a network, and its inputs and outputs, for what has the layers itself."""
    rng, pose = np.random.default_rng(0), (len(JOINTS) - 1, 3)
    given, made = {
        "motion": ([(FRAMES, 5 * len(JOINTS))], [(FRAMES, len(JOINTS), 3)]),
        "pose": ([pose, ()], [pose]) if role == "forward" else ([pose, (), pose], [pose, pose]),
    }[kind]
    ends = b"".join(field(11, _end(shape)) for shape in given) + b"".join(field(12, _end(shape)) for shape in made)
    shapes = parameter_shapes(kind, settings).items()
    weights = {name: 0.1 * rng.standard_normal(shape).astype(np.float32) for name, shape in shapes}
    return onnx_model(*(tensor(name, list(w.shape), 1, w.tobytes()) for name, w in weights.items()), nodes=ends)


def _end(shape: tuple[int, ...]) -> bytes:
    """ValueInfoProto of an input or output: a batch of any size, and the shape."""
    sizes = field(1, field(2, b"batch")) + b"".join(field(1, b"\x08" + varint(size)) for size in shape)
    return field(2, field(1, b"\x08\x01" + field(2, sizes)))


def onnx_model(*tensors: bytes, nodes: bytes = b"") -> bytes:
    """ModelProto: its version, and a graph of these initialisers and encoded nodes."""
    graph = nodes + b"".join(field(5, each) for each in tensors)
    return b"\x08\x09" + field(7, graph)


def tensor(name: str, dims: list[int], data_type: int, raw: bytes | None, extra: bytes = b"") -> bytes:
    """TensorProto with its values as raw bytes (None: elsewhere, as extra may say)."""
    shape = b"".join(b"\x08" + varint(each) for each in dims)
    return (
        shape + b"\x10" + varint(data_type) + field(8, name.encode()) + (b"" if raw is None else field(9, raw)) + extra
    )


def field(number: int, content: bytes) -> bytes:
    """A protobuf field of a length and bytes."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    result = bytearray()
    while value > 0x7F:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*result, value])
