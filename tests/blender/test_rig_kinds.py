"""Whole bodies under the names of several tools, through Blender's own exporters and importers where they are files."""

from dataclasses import dataclass, replace

import addon_utils
import bpy
import numpy as np
import pytest

from pads_blender.blender.evaluated_reader import read_rig
from pads_blender.blender.rig_mapping import map_bones
from pads_blender.blender.rig_writer import toggle_original, write_take
from pads_blender.core.retarget import apply_motion, to_model
from pads_blender.core.rotations import from_rotation_vector

from .posing import METRES, assert_same_pose, bones_of, key_values, posed, poses_of, turned

# joint: parent and head in metres, facing -Y, arms half down
BODY = {
    "pelvis": (None, (0.0, 0.0, 0.95)),
    "spine": ("pelvis", (0.0, 0.0, 1.07)),
    "chest": ("spine", (0.0, 0.01, 1.22)),
    "neck": ("chest", (0.0, 0.02, 1.45)),
    "head": ("neck", (0.0, 0.0, 1.56)),
    **{
        f"{side}_{joint}": (parent if parent in ("chest", "pelvis") else f"{side}_{parent}", (x * sign, y, z))
        for side, sign in (("left", 1.0), ("right", -1.0))
        for joint, parent, (x, y, z) in (
            ("collar", "chest", (0.03, 0.02, 1.38)),
            ("shoulder", "collar", (0.17, 0.02, 1.38)),
            ("elbow", "shoulder", (0.37, 0.03, 1.20)),
            ("wrist", "elbow", (0.55, 0.0, 1.05)),
            ("hip", "pelvis", (0.09, 0.0, 0.91)),
            ("knee", "hip", (0.10, -0.01, 0.50)),
            ("ankle", "knee", (0.10, 0.02, 0.09)),
            ("toe", "ankle", (0.11, -0.12, 0.02)),
        )
    },
}
TRUNK = ("pelvis", "spine", "chest", "neck", "head")
LIMBS = ("collar", "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "toe")


@dataclass(frozen=True)
class Names:
    """How a tool calls the bones; {} is the side's mark."""

    trunk: str
    limbs: str
    sides: tuple[str, str]
    root: str | None = None

    def table(self) -> dict[str, str]:
        table = dict(zip(TRUNK, self.trunk.split(), strict=True))
        for side, mark in zip(("left", "right"), self.sides, strict=True):
            table |= {f"{side}_{j}": n.format(mark) for j, n in zip(LIMBS, self.limbs.split(), strict=True)}
        return table


MIXAMO = Names(
    "mixamorig:Hips mixamorig:Spine mixamorig:Spine2 mixamorig:Neck mixamorig:Head",
    "mixamorig:{0}Shoulder mixamorig:{0}Arm mixamorig:{0}ForeArm mixamorig:{0}Hand "
    "mixamorig:{0}UpLeg mixamorig:{0}Leg mixamorig:{0}Foot mixamorig:{0}ToeBase",
    ("Left", "Right"),
)
AUTO_RIG_PRO = Names(
    "c_root.x c_spine_01.x c_spine_02.x c_neck.x c_head.x",
    "c_shoulder{0} c_arm_fk{0} c_forearm_fk{0} c_hand_fk{0} c_thigh_fk{0} c_leg_fk{0} c_foot_fk{0} c_toes_fk{0}",
    (".l", ".r"),
    "c_traj",
)
VRM = Names(
    "J_Bip_C_Hips J_Bip_C_Spine J_Bip_C_UpperChest J_Bip_C_Neck J_Bip_C_Head",
    "J_Bip_{0}_Shoulder J_Bip_{0}_UpperArm J_Bip_{0}_LowerArm J_Bip_{0}_Hand "
    "J_Bip_{0}_UpperLeg J_Bip_{0}_LowerLeg J_Bip_{0}_Foot J_Bip_{0}_ToeBase",
    ("L", "R"),
    "Root",
)
PLAIN = Names(
    "hips spine chest neck head",
    "clavicle_{0} upperarm_{0} forearm_{0} hand_{0} thigh_{0} shin_{0} foot_{0} toes_{0}",
    ("l", "r"),
)


def build_body(names: Names, mode="QUATERNION") -> bpy.types.Object:
    """An armature of the body under these names, keyed for forty frames."""
    table, armature = names.table(), bpy.data.objects.new("Body", bpy.data.armatures.new("Body"))
    bpy.context.scene.collection.objects.link(armature)
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    bones = armature.data.edit_bones
    if names.root:
        root = bones.new(names.root)
        root.tail = (0.0, -0.2, 0.0)
    for joint, (parent, head) in BODY.items():
        bone = bones.new(table[joint])
        below = [place for above, place in BODY.values() if above == joint]
        bone.head, bone.tail = head, below[0] if below else (head[0], head[1] - 0.1, head[2])
        bone.parent = bones[table[parent]] if parent else bones.get(names.root or "")
    bpy.ops.object.mode_set(mode="OBJECT")
    key_body(armature, table.values(), table["pelvis"], mode)
    return armature


def key_body(armature, names, pelvis, mode):
    rng = np.random.default_rng(0)
    for name in names:
        bone, size, phase = armature.pose.bones[name], rng.uniform(0.05, 0.3, 3), rng.uniform(0.0, 6.0, 3)
        bone.rotation_mode = mode
        for frame in range(1, 41):
            vector = size * np.sin(0.2 * frame + phase)
            if mode == "QUATERNION":
                bone.rotation_quaternion = from_rotation_vector(vector)
            else:
                bone.rotation_euler = vector
            bone.keyframe_insert("rotation_quaternion" if mode == "QUATERNION" else "rotation_euler", frame=frame)
            if name == pelvis:
                bone.location = (0.02 * frame, 0.03 * np.sin(0.4 * frame), 0.01)
                bone.keyframe_insert("location", frame=frame)


def add_skin(armature):
    """A mesh with one triangle on each bone, so that exporters see a skin."""
    corners = [np.array(bone.head_local) for bone in armature.data.bones for _ in range(3)]
    places = np.array(corners) + np.tile(np.eye(3) * 0.03, (len(armature.data.bones), 1))
    faces = np.arange(len(places)).reshape(-1, 3).tolist()
    mesh = bpy.data.meshes.new("Skin")
    mesh.from_pydata(places.tolist(), [], faces)
    skin = bpy.data.objects.new("Skin", mesh)
    bpy.context.scene.collection.objects.link(skin)
    for bone, face in zip(armature.data.bones, faces, strict=True):
        skin.vertex_groups.new(name=bone.name).add(face, 1.0, "REPLACE")
    skin.parent = armature
    skin.modifiers.new("Armature", "ARMATURE").object = armature


def imported() -> bpy.types.Object:
    return next(each for each in bpy.data.objects if each.type == "ARMATURE")


def through_fbx(armature, path):
    addon_utils.enable("io_scene_fbx", default_set=False)
    bpy.ops.export_scene.fbx(filepath=path + ".fbx", bake_anim_simplify_factor=0.0, add_leaf_bones=True)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    addon_utils.enable("io_scene_fbx", default_set=False)
    bpy.ops.import_scene.fbx(filepath=path + ".fbx")
    return imported()


def through_gltf(armature, path):
    addon_utils.enable("io_scene_gltf2", default_set=False)
    bpy.ops.export_scene.gltf(filepath=path + ".glb", export_format="GLB")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    addon_utils.enable("io_scene_gltf2", default_set=False)
    bpy.ops.import_scene.gltf(filepath=path + ".glb")
    return imported()


def assert_cleanable(armature, names: Names, size=1.0):
    """Mapped as it should be; read as Blender has it; through the model and back; written as asked for.

    size: of the rig, of which Blender's single precision is a share.
    """
    mapping = map_bones(armature)
    assert {joint: mapping.bone(joint) for joint in BODY} == names.table()
    take = read_rig(armature, mapping)
    bones = bones_of(take)
    was, keys = posed(armature, bones, take.frames), key_values(armature)
    assert_same_pose(poses_of(take), was, 1e-3, 1e-5 * size)
    motion, residual = to_model(take, mapping)
    assert_same_pose(poses_of(apply_motion(residual, motion.positions)), was, metres=METRES * size)
    write_take(armature, take, take)
    assert key_values(armature) == keys
    toggle_original(armature)
    after = turned(take, names=list(names.table().values()))
    location = after.location.copy()
    location[10:30, take.names.index(mapping.bone("pelvis"))] += 0.02
    after = replace(after, location=location)
    write_take(armature, take, after)
    assert_same_pose(posed(armature, bones, take.frames), poses_of(after), metres=METRES * size)
    assert [len(times) for times in key_values(armature).values()] == [len(times) for times in keys.values()]


@pytest.mark.parametrize("mode", ["QUATERNION", "XYZ"])
@pytest.mark.parametrize("names", [PLAIN, MIXAMO, AUTO_RIG_PRO, VRM], ids=["plain", "mixamo", "auto_rig_pro", "vrm"])
def test_bodies_built_in_blender(names, mode):
    assert_cleanable(build_body(names, mode), names)


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_a_mixamo_fbx(tmp_path, scale):
    armature = build_body(MIXAMO)
    armature.scale, armature.location = (scale,) * 3, (1.0, 2.0, 0.0)
    add_skin(armature)
    assert_cleanable(through_fbx(armature, str(tmp_path / "mixamo")), MIXAMO, max(scale, 1.0))


@pytest.mark.parametrize("names", [MIXAMO, VRM], ids=["mixamo", "vrm"])
def test_a_gltf_skin(tmp_path, names):
    armature = build_body(names)
    add_skin(armature)
    assert_cleanable(through_gltf(armature, str(tmp_path / "skin")), names)
