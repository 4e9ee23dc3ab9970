"""Every captured file of the rig collection: rig to model to rig, and a change of the model's pose onto the rig."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pads_blender.blender import files
from pads_blender.blender.evaluated_reader import read_evaluated
from pads_blender.blender.parts import finish
from pads_blender.blender.rig_mapping import map_bones
from pads_blender.blender.rig_reader import read_take
from pads_blender.core import rotations as rot
from pads_blender.core.mapping import Mapping
from pads_blender.core.retarget import apply_motion, to_model
from pads_blender.core.rig import RigTake, world_matrices
from pads_blender.core.skeleton import JOINTS

TAKES = (
    "cmu_cgspeed_daz.bvh",
    "cmu_cgspeed_motionbuilder.bvh",
    "custom_fk_jnt.bvh",
    "hik_fingers_60.bvh",
    "hik_spine3_24.bvh",
    "mixamo.bvh",
    "motionbuilder_hik_minimal.bvh",
    "motive_minimal_spine.bvh",
    "optitrack_arena.bvh",
    "perception_neuron.bvh",
    "reallusion_cc_base.bvh",
    "rokoko_smartsuit.bvh",
    "webavatar.bvh",
    "xsens_like_chest.bvh",
    "cmu_amp.fbx",
    "cmu_unity_humanoid.fbx",
    "vrm_idle_loop.vrma",
    "mesh2motion_human_charleston.blend",
)
NOT_ALL_BY_KEYS = ("mesh2motion_human_charleston.blend",)  # a deform rig that follows its controls


def load(path: Path) -> tuple[RigTake, Mapping]:
    (armature,) = files.open_motion(path).armatures
    mapping = map_bones(armature)
    if path.name not in NOT_ALL_BY_KEYS:
        return read_take(armature), mapping
    bones = {mapping.bone(joint) for joint in JOINTS} - {None}
    lines = {name: [name, *(parent.name for parent in armature.data.bones[name].parent_recursive)] for name in bones}
    above = {name: next((each for each in line[1:] if each in bones), None) for name, line in lines.items()}
    parents_first = dict(sorted(above.items(), key=lambda entry: len(lines[entry[0]])))
    return finish(read_evaluated(armature, parents_first)), mapping


@pytest.mark.parametrize("name", TAKES)
def test_rig_to_model_to_rig(shared_data, name):
    """Every bone in every frame; nothing is left out."""
    take, mapping = load(shared_data / "rigs" / name)
    motion, residual = to_model(take, mapping)
    back = apply_motion(residual, motion.positions.copy())
    millimetres = 1000 * residual.scale * np.abs(world_matrices(back) - world_matrices(take))[..., :3, 3]
    assert millimetres.max() < 0.1
    assert np.degrees(rot.angle_between(back.rotation, take.rotation)).max() < 0.1


@pytest.mark.parametrize("name", TAKES)
def test_a_jittered_take_is_led_back_to_the_pose_it_had(shared_data, name):
    take, mapping = load(shared_data / "rigs" / name)
    truth, _ = to_model(take, mapping)
    noise = np.random.default_rng(0).normal(0.0, np.radians(3.0), (*take.rotation.shape[:2], 3))
    dirty, residual = to_model(
        replace(take, rotation=rot.multiply(take.rotation, rot.from_rotation_vector(noise))), mapping
    )
    led, _ = to_model(apply_motion(residual, truth.positions), mapping)
    seen = truth.visible[0]
    before, after = (1000 * np.linalg.norm((m.positions - truth.positions)[:, seen], axis=-1) for m in (dirty, led))
    assert before.mean() > 30.0
    assert after.mean() < 0.1 * before.mean()  # a spine or head in one piece cannot bend as two did
