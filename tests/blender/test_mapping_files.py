"""Bone mapping on armatures that only Blender can make: FBX and .blend samples, Rigify's metarig and generated rig."""

from collections.abc import Iterator
from pathlib import Path

import addon_utils
import bpy
import numpy as np
import pytest

from pads_blender.blender.files import open_motion
from pads_blender.blender.rig_mapping import bone_tree
from pads_blender.blender.rig_reader import rest_ends
from pads_blender.core.mapping import Mapping
from pads_blender.core.mapping_guess import guess_mapping
from pads_blender.core.skeleton import JOINTS

from ..core.mapping_truth import TRUTH
from ..core.rest_bones import CENTRE_JOINTS, LIMB_JOINTS, Bones, are_one_place, scramble

SIDES = (("left", "L"), ("right", "R"))


def guess(armature: bpy.types.Object) -> dict[str, str | None]:
    bones, world = list(armature.data.bones), armature.matrix_world
    names = [bone.name for bone in bones]
    parents = [names.index(bone.parent.name) if bone.parent else -1 for bone in bones]
    heads, tails = (np.array([world @ getattr(b, end) for b in bones]) for end in ("head_local", "tail_local"))
    mapping = guess_mapping(names, parents, heads, tails)
    assert isinstance(mapping, Mapping)
    return {joint: mapping.bone(joint) for joint in JOINTS}


def only_armature() -> bpy.types.Object:
    (armature,) = (each for each in bpy.data.objects if each.type == "ARMATURE")
    return armature


@pytest.mark.parametrize("file", ["cmu_amp.fbx", "cmu_unity_humanoid.fbx"])
def test_fbx_samples(shared_data, file):
    addon_utils.enable("io_scene_fbx", default_set=False)
    bpy.ops.import_scene.fbx(filepath=str(shared_data / "rigs" / file))
    assert guess(only_armature()) == TRUTH[file]


def test_deform_bones_of_a_control_rig(shared_data):
    """Mesh2Motion's armature holds IK controls, drivers (DRV_) and one whole skeleton beside each other."""
    file = "mesh2motion_human_charleston.blend"
    bpy.ops.wm.open_mainfile(filepath=str(Path(shared_data, "rigs", file)), load_ui=False)
    assert guess(only_armature()) == TRUTH[file]


@pytest.mark.parametrize(
    ("file", "unsure"),
    [("cmu_amp.fbx", ()), ("cmu_unity_humanoid.fbx", ()), ("mesh2motion_human_charleston.blend", ("neck", "head"))],
)
def test_scrambled_names_leave_the_limbs(shared_data, file, unsure):
    """As for the BVH and JSON samples; Mesh2Motion's controls beside the neck leave open which bone is the head."""
    (armature,) = open_motion(shared_data / "rigs" / file).armatures
    bones = Bones(*bone_tree(armature), *rest_ends(armature))
    scrambled, back = scramble(bones, seed=1)
    mapping = scrambled.guess()
    for joint in LIMB_JOINTS + CENTRE_JOINTS:
        found, right = back[mapping.bone(joint)], TRUTH[file][joint]
        assert (found is None and joint in unsure) or found == right or are_one_place(bones, right, found), joint


@pytest.fixture
def metarig() -> Iterator[bpy.types.Object]:
    """Rigify's human metarig; Rigify keeps its rig types in its preferences, hence default_set."""
    addon_utils.enable("rigify", default_set=True)
    bpy.ops.object.armature_human_metarig_add()
    yield bpy.context.object
    addon_utils.disable("rigify", default_set=True)


def rigify_answer(trunk: str, suffix: str) -> dict[str, str | None]:
    answer = dict(zip(JOINTS[:5], trunk.split(), strict=True)) | {"head_top": None}
    limbs = {"shoulder": "upper_arm", "elbow": "forearm", "wrist": "hand", "hip": "thigh", "knee": "shin"}
    limbs |= {"ankle": "foot", "toe": "toe"}
    for side, mark in SIDES:
        answer |= {f"{side}_{joint}": f"{bone}{suffix}.{mark}" for joint, bone in limbs.items()}
        answer[f"{side}_collar"] = f"shoulder.{mark}"
    return answer


def test_rigify_metarig(metarig):
    assert guess(metarig) == rigify_answer("spine spine.001 spine.003 spine.004 spine.006", "")


def test_generated_rigify_maps_to_fk_controls(metarig):
    """Never DEF, ORG or MCH; spine_fk.001 turns the hips, so the spine is the control that carries the chest."""
    bpy.ops.pose.rigify_generate()
    rig = bpy.data.objects[metarig.data.rigify_target_rig.name]
    assert guess(rig) == rigify_answer("torso spine_fk.002 spine_fk.003 neck head", "_fk")
