"""Which bone is which joint: real rigs of many makers against answers by eye, then without names, order or scale."""

import json

import numpy as np
import pytest

from pads_blender.core.bvh import ARMATURE_FROM_BVH
from pads_blender.core.mapping import JointBone, Mapping
from pads_blender.core.skeleton import JOINTS
from pads_blender.errors import MappingError

from .mapping_truth import TRUTH
from .rest_bones import (
    CENTRE_JOINTS,
    HIK,
    LIMB_JOINTS,
    Bones,
    are_one_place,
    bones_of,
    human_bones,
    read_bones,
    scramble,
)

NEEDS_BLENDER = (".fbx", ".blend")
FILES = sorted(file for file in TRUTH if not file.endswith(NEEDS_BLENDER))
# Rest poses in which nothing shows a side (LAFAN1: every bone along +X), and a body without a common root.
SIDELESS = ("json/lafan1_subject2.json", "json/bandai_namco.json")
ROOTLESS = ("json/mpfb_standard_openpose.json",)
ARMS_ASKEW = ("rokoko_smartsuit.bvh",)  # its arms lie across the line of its hips: their side stays open


def test_truth_covers_every_sample(shared_data):
    rigs = shared_data / "rigs"
    samples = {path.relative_to(rigs).as_posix() for path in rigs.rglob("*") if path.is_file()}
    assert samples - {"README.md"} == set(TRUTH)


@pytest.mark.parametrize("file", FILES)
def test_real_rig_maps_as_by_eye(shared_data, file):
    assert bones_of(read_bones(shared_data / "rigs" / file).guess()) == TRUTH[file]


@pytest.mark.parametrize("file", FILES)
def test_rest_pose_scale_and_axes_do_not_matter(shared_data, file):
    bones = read_bones(shared_data / "rigs" / file)
    if bones.heads is None:
        return
    y_up, backwards = ARMATURE_FROM_BVH.T, np.diag([-1.0, -1.0, 1.0])
    for world in (100 * np.eye(3), 0.01 * y_up, backwards):
        assert bones_of(bones.turned(world).guess()) == TRUTH[file]


@pytest.mark.parametrize("file", FILES)
def test_scrambled_names_leave_the_limbs(shared_data, file):
    bones = read_bones(shared_data / "rigs" / file)
    if bones.heads is None or file in SIDELESS + ROOTLESS:
        return
    scrambled, back = scramble(bones, seed=len(file))
    mapping = scrambled.guess()
    assert mapping.convention == "unknown"
    for joint in LIMB_JOINTS + CENTRE_JOINTS:
        found, right = back[mapping.bone(joint)], TRUTH[file][joint]
        if found is None and file in ARMS_ASKEW and "hip knee ankle pelvis".find(joint.split("_")[-1]) < 0:
            continue
        assert right == found or are_one_place(bones, right, found), joint


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.8])
def test_half_known_names_give_the_right_bone_or_none(shared_data, file, share):
    """Some bones renamed in a language of nobody, and tails as an FBX importer invents them: doubt, but no lie."""
    bones = read_bones(shared_data / "rigs" / file)
    rng = np.random.default_rng([len(file), int(10 * share)])
    renamed = bones.renamed([f"osso{i}" if rng.random() < share else name for i, name in enumerate(bones.names)])
    back = dict(zip(renamed.names, bones.names, strict=True)) | {None: None}
    if bones.heads is not None:
        tails = bones.heads + rng.normal(scale=0.05 * np.ptp(bones.heads), size=bones.heads.shape)
        renamed = Bones(renamed.names, renamed.parents, renamed.heads, tails)
    try:
        mapping = renamed.guess()
    except MappingError:
        return
    for joint in LIMB_JOINTS + CENTRE_JOINTS:
        found, right = back[mapping.bone(joint)], TRUTH[file][joint]
        next_best = right and right.replace("Hand", "FingerBase")  # CMU's other wrist, when its hand is renamed
        assert found in (right, None, next_best) or are_one_place(bones, right, found), joint


@pytest.mark.parametrize("file", ["perception_neuron.bvh", "mixamo.bvh", "json/mpfb_standard_game_engine.json"])
def test_left_is_left_of_a_body_that_faces_away(shared_data, file):
    """Told by toes, or, without toes, by the soles; not by where the body stands."""
    away = read_bones(shared_data / "rigs" / file).turned(np.diag([-1.0, -1.0, 1.0]))
    scrambled, back = scramble(away, seed=3)
    assert back[scrambled.guess().bone("left_hip")] == TRUTH[file]["left_hip"]


@pytest.mark.parametrize("file", FILES)
def test_a_mirrored_body_keeps_the_sides_of_its_names(shared_data, file):
    """Left bones at the right of the body, as a negative scale makes them: unsure perhaps, but never swapped."""
    bones = read_bones(shared_data / "rigs" / file)
    if bones.heads is None:
        return
    mapping = bones.turned(np.diag([-1.0, 1.0, 1.0])).guess()
    for joint in LIMB_JOINTS:
        assert mapping.bone(joint) == TRUTH[file][joint], joint


@pytest.mark.parametrize("file", SIDELESS)
def test_refuses_to_guess_sides(shared_data, file):
    scrambled, _ = scramble(read_bones(shared_data / "rigs" / file), seed=1)
    with pytest.raises(MappingError, match="left from right"):
        scrambled.guess()


# --- the record -------------------------------------------------------------------------------------------------------


def test_json_round_trip():
    mapping = human_bones(HIK).guess()
    data = json.loads(json.dumps(mapping.to_json()))
    assert set(data) == {"convention", "joints"}
    assert list(data["joints"]) == list(JOINTS)
    assert data["joints"]["left_elbow"] == {"bone": "LeftForeArm", "confidence": 0.98}
    again = Mapping.from_json(data)
    assert bones_of(again) == bones_of(mapping)
    assert again.to_json() == data


@pytest.mark.parametrize("data", [{}, {"convention": "hik"}, {"convention": "hik", "joints": [1]}, None])
def test_bad_json_is_refused(data):
    with pytest.raises(MappingError, match="no bone mapping of PADS"):
        Mapping.from_json(data)


def test_user_overrides_one_joint():
    mapping = Mapping.empty().with_joint("left_hip", "Cosciotto")
    assert mapping.joints["left_hip"] == JointBone("Cosciotto", 1.0)
    assert mapping.missing() == tuple(joint for joint in JOINTS if joint != "left_hip")
    assert mapping.with_joint("left_hip", None).missing() == JOINTS
    with pytest.raises(MappingError, match="no joint called hip"):
        mapping.with_joint("hip", "Cosciotto")
