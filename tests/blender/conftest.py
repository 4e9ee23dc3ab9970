"""Rigs built in code, in a fresh file for each test, on the real bpy."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
import pytest
from mathutils import Euler, Matrix

from pads_blender.blender import addon
from pads_blender.blender.files import import_bvh
from pads_blender.core.bvh import parse_bvh

MODES = ("QUATERNION", "AXIS_ANGLE", "XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")


@dataclass(frozen=True)
class BoneSpec:
    name: str
    parent: str | None
    head: tuple[float, float, float]
    tail: tuple[float, float, float]
    roll: float
    mode: str
    connected: bool = False


# Odd rolls, connected and loose bones, one in each rotation mode, names that need escaping in data paths.
BONES = (
    BoneSpec("root", None, (0.1, 0.2, 0.9), (0.1, 0.5, 1.0), 0.7, "QUATERNION"),
    BoneSpec("spine", "root", (0.1, 0.5, 1.0), (0.0, 0.4, 1.6), -1.3, "XYZ", True),
    BoneSpec('arm "left"', "spine", (0.3, 0.4, 1.5), (0.8, 0.3, 1.5), 2.1, "AXIS_ANGLE"),
    BoneSpec("fore\\arm", 'arm "left"', (0.8, 0.3, 1.5), (1.2, 0.1, 1.4), 0.2, "YZX", True),
    BoneSpec("hand", "fore\\arm", (1.2, 0.1, 1.4), (1.3, 0.1, 1.4), -0.4, "XZY", True),
    BoneSpec("leg", "root", (0.2, 0.2, 0.9), (0.25, 0.25, 0.4), 3.0, "ZXY"),
    BoneSpec("shin", "leg", (0.25, 0.25, 0.4), (0.25, 0.2, 0.0), -2.0, "ZYX", True),
    BoneSpec("foot", "shin", (0.25, 0.2, 0.0), (0.25, 0.0, 0.0), 0.9, "YXZ"),
)


@pytest.fixture(autouse=True)
def empty_file() -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)


@pytest.fixture
def build_rig() -> Callable[..., bpy.types.Object]:
    return _build_rig


@pytest.fixture
def chain() -> Callable[[int], tuple[BoneSpec, ...]]:
    return _chain


@pytest.fixture
def key_rig() -> Callable[..., bpy.types.Action]:
    return _key_rig


@pytest.fixture
def dirty_text() -> Callable[..., str]:
    return _dirty_text


@pytest.fixture
def evaluated_matrices() -> Callable[..., np.ndarray]:
    return _evaluated_matrices


def _build_rig(bones: tuple[BoneSpec, ...] = BONES, name: str = "Rig") -> bpy.types.Object:
    """An armature object of these bones: turned, moved and scaled."""
    armature = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    for spec in bones:
        edit_bone = armature.data.edit_bones.new(spec.name)
        edit_bone.head, edit_bone.tail, edit_bone.roll = spec.head, spec.tail, spec.roll
        edit_bone.parent = armature.data.edit_bones[spec.parent] if spec.parent else None
        edit_bone.use_connect = spec.connected
    bpy.ops.object.mode_set(mode="OBJECT")
    for spec in bones:
        armature.pose.bones[spec.name].rotation_mode = spec.mode
    armature.matrix_world = Matrix.LocRotScale((1, 2, 3), Euler((0.3, -0.2, 1.0)), (0.01, 0.01, 0.01))
    return armature


def _chain(count: int) -> tuple[BoneSpec, ...]:
    """Bones one on top of the other."""
    return tuple(
        BoneSpec(f"bone{i}", f"bone{i - 1}" if i else None, (0, 0, i), (0, 0, i + 1), 0.3 * i, "QUATERNION", i > 0)
        for i in range(count)
    )


def _key_rig(
    armature: bpy.types.Object,
    times: np.ndarray,
    seed: int = 0,
    interpolation: str = "LINEAR",
    properties: tuple[str, ...] = ("rotation", "location", "scale"),
    amount: float = 0.7,
) -> bpy.types.Action:
    """A new action with a key at each time (scene frames) on every channel of every bone, random values."""
    rng = np.random.default_rng(seed)
    animation = armature.animation_data or armature.animation_data_create()
    action = bpy.data.actions.new("Walk")
    slot = action.slots.new("OBJECT", armature.name)
    animation.action, animation.action_slot = action, slot
    strip = action.layers.new("Layer").strips.new(type="KEYFRAME")
    bag = strip.channelbag(slot, ensure=True)
    for bone in armature.pose.bones:
        group = bag.groups.new(bone.name)
        for name, first in _channels(bone, properties):
            scale = 0.2 if name == "scale" else amount
            offsets = rng.normal(size=(len(times), 1 if name == "scale" else len(first))) * scale
            values = np.asarray(first) + np.cumsum(offsets, axis=0) * (0.1 if name == "scale" else 0.5)
            for index in range(len(first)):
                fcurve = bag.fcurves.new(bone.path_from_id(name), index=index)
                fcurve.group = group
                _fill(fcurve, times, values[:, index], interpolation)
    return action


def _channels(bone: bpy.types.PoseBone, properties: tuple[str, ...]) -> list[tuple[str, tuple[float, ...]]]:
    """Names of the bone's properties and values to start from; scale stays uniform."""
    rotation = {
        "QUATERNION": ("rotation_quaternion", (1, 0, 0, 0)),
        "AXIS_ANGLE": ("rotation_axis_angle", (1, 1, 1, 1)),
    }
    channels = {"location": ("location", (0, 0, 0)), "scale": ("scale", (1, 1, 1))}
    channels["rotation"] = rotation.get(bone.rotation_mode, ("rotation_euler", (0, 0, 0)))
    return [channels[name] for name in properties]


def _fill(fcurve: bpy.types.FCurve, times: np.ndarray, values: np.ndarray, interpolation: str) -> None:
    keys = fcurve.keyframe_points
    keys.add(len(times))
    keys.foreach_set("co", np.stack([times, values], axis=-1).astype(np.float32).ravel())
    for key in keys if len(times) < 100 or interpolation != "LINEAR" else ():
        key.interpolation = interpolation
    if interpolation == "LINEAR":
        keys.foreach_set("interpolation", np.ones(len(times), np.int32))
    fcurve.update()


def _evaluated_matrices(armature: bpy.types.Object, frames: np.ndarray) -> np.ndarray:
    """What Blender itself makes of the pose at these scene frames: `pose_bone.matrix`, (F, B, 4, 4)."""
    matrices = []
    for frame in frames:
        bpy.context.scene.frame_set(int(np.floor(frame)), subframe=float(frame % 1.0))
        evaluated = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        matrices.append([np.array(evaluated.pose.bones[bone.name].matrix) for bone in armature.data.bones])
    return np.array(matrices)


DIRTY_FRAMES = 40

# name, parent, offset in centimetres, Y up
JOINTS = (
    ("Hips", None, (0, 95, 0)),
    ("Spine", "Hips", (0, 12, 0)),
    ("Spine1", "Spine", (0, 13, 0)),
    ("Spine2", "Spine1", (0, 13, 0)),
    ("Neck", "Spine2", (0, 14, 0)),
    ("Head", "Neck", (0, 10, 0)),
    *(
        joint
        for side, x in (("Left", 1), ("Right", -1))
        for joint in (
            (f"{side}Shoulder", "Spine2", (4 * x, 12, 0)),
            (f"{side}Arm", f"{side}Shoulder", (13 * x, 0, 0)),
            (f"{side}ForeArm", f"{side}Arm", (28 * x, 0, 0)),
            (f"{side}Hand", f"{side}ForeArm", (25 * x, 0, 0)),
            (f"{side}UpLeg", "Hips", (9 * x, -3, 0)),
            (f"{side}Leg", f"{side}UpLeg", (0, -43, 0)),
            (f"{side}Foot", f"{side}Leg", (0, -42, 0)),
            (f"{side}ToeBase", f"{side}Foot", (0, -6, 13)),
        )
    ),
)


def _dirty_text(seed: int = 0) -> str:
    """A swaying figure with jitter on every joint, as BVH text with Windows line ends and an odd frame time."""
    rng = np.random.default_rng(seed)
    lines = ["HIERARCHY", *_joint_lines("Hips", 0), "MOTION", f"Frames: {DIRTY_FRAMES}", "Frame Time:\t0.0333"]
    time = np.arange(DIRTY_FRAMES)[:, None] / 30.0
    phase, size = rng.uniform(0, 6, 3 * len(JOINTS)), rng.uniform(2, 15, 3 * len(JOINTS))
    degrees = size * np.sin(2 * np.pi * 0.7 * time + phase) + rng.normal(0, 1.5, (DIRTY_FRAMES, 3 * len(JOINTS)))
    travel = np.concatenate([10 * time, 95 + np.sin(9 * time), 30 * time], axis=1) + rng.normal(
        0, 0.5, (DIRTY_FRAMES, 3)
    )
    rows = np.concatenate([travel, degrees], axis=1)
    return "\r\n".join(lines + [" ".join(f"{value:.3f}" for value in row) for row in rows]) + "\r\n"


def _joint_lines(name: str, depth: int) -> list[str]:
    parent, offset = next((parent, offset) for joint, parent, offset in JOINTS if joint == name)
    channels = "CHANNELS 3 Zrotation Yrotation Xrotation"
    if parent is None:
        channels = "CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation"
    lines = [
        f"{'JOINT' if parent else 'ROOT'} {name}",
        "{",
        f"\tOFFSET {offset[0]} {offset[1]} {offset[2]}.00",
        "\t" + channels,
    ]
    children = [joint for joint, above, _ in JOINTS if above == name]
    lines += ["\t" + line for child in children for line in _joint_lines(child, depth + 1)]
    if not children:
        lines += ["\tEnd Site", "\t{", "\t\tOFFSET 0 5 0", "\t}"]
    return [*lines, "}"]


@pytest.fixture
def registered(empty_file: None) -> Iterator[None]:
    """The add-on, registered."""
    addon.register()
    yield
    addon.unregister()


@pytest.fixture
def armature(dirty_text: Callable[[], str], tmp_path: Path) -> bpy.types.Object:
    """A short dirty take on its armature."""
    return import_bvh(parse_bvh(dirty_text()), tmp_path / "walk.bvh")
