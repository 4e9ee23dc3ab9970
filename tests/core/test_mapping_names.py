"""Which bone is which joint by its name: every known convention in any spelling, and no helper bones."""

import json
from pathlib import Path

import numpy as np
import pytest

from pads_blender.core.conventions import CONVENTIONS, read_names
from pads_blender.core.skeleton import JOINTS

from .rest_bones import HIK, UP, Bones, bones_of, drop_unnamed, human_bones, read_bones

ROLES = {
    **{"upper_arm": "shoulder", "forearm": "elbow", "hand": "wrist", "clavicle": "collar"},
    **{"thigh": "hip", "shin": "knee", "foot": "ankle", "toe": "toe"},
}


def body_of_convention(joints: dict[str, list[str]]) -> tuple[Bones, dict[str, str]]:
    """The model's body with the bones of one table of rigs-names, and which bone each joint then is."""
    spines = [joints[f"spine{i}"][0] for i in range(1, 6) if f"spine{i}" in joints]
    names = {joint: joints[joint][0] for joint in ("pelvis", "neck", "head") if joint in joints}
    if spines:
        names |= {"chest": spines[-1]} | ({"spine": spines[0]} if len(spines) > 1 else {})
    for side in ("left", "right"):
        names |= {
            f"{side}_{new}": joints[f"{side}_{old}"][0] for old, new in ROLES.items() if f"{side}_{old}" in joints
        }
    bones = human_bones(names)
    return bones, names


def load_conventions(shared_data: Path) -> dict[str, dict]:
    files = sorted((shared_data / "rigs-names").glob("*.json"))
    tables = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in files}
    return {name: table for name, table in tables.items() if "joints" in table and name not in INCOMPLETE}


INCOMPLETE = ("rigify_ik", "openpose_rig")  # IK controls are no joints; the openpose rig is a sample above


@pytest.mark.parametrize("has_positions", [True, False])
def test_every_known_convention_maps(shared_data, has_positions):
    tables = load_conventions(shared_data)
    assert len(tables) >= 40
    for convention, table in tables.items():
        bones, names = body_of_convention(table["joints"])
        bones = drop_unnamed(bones, names)
        bones = bones if has_positions else Bones(bones.names, bones.parents)
        expected = {joint: names.get(joint) for joint in JOINTS}
        assert bones_of(bones.guess()) == expected, convention


def test_table_of_conventions_is_complete_and_free_of_copies():
    assert len({c.name for c in CONVENTIONS}) == len(CONVENTIONS)
    for convention in CONVENTIONS:
        core = [*convention.stems["hip"], *convention.stems["knee"], *convention.stems["ankle"]]
        assert len(core) >= 3, convention.name
        assert all(
            stem == stem.lower() and not set(stem) & set("_. :-") for c in convention.stems.values() for stem in c
        )


@pytest.mark.parametrize(
    "spell",
    [
        "mixamorig:{}".format,
        "mixamorig5_{}".format,
        "Character1_{}".format,
        "scene:actor:{}".format,
        "Bob_{}".format,
        "{}_jnt".format,
        str.lower,
        str.upper,
        lambda name: name.replace("Left", "L_").replace("Right", "R_"),
        lambda name: name.removeprefix("Left") + ".L" if name.startswith("Left") else name.replace("Right", "") + ".R",
    ],
)
def test_spelling_does_not_matter(spell):
    sided = {joint: bone for joint, bone in HIK.items() if "_" in joint and joint != "head_top"}
    names = {joint: spell(bone) if joint in sided or ".L" not in spell("Left") else bone for joint, bone in HIK.items()}
    assert bones_of(human_bones(names).guess()) == names


@pytest.mark.parametrize(
    ("name", "other", "side", "stem"),
    [
        ("LeftForeArm", "RightForeArm", "left", "forearm"),
        ("upperarm_l", "upperarm_r", "left", "upperarm"),
        ("Bip001 L UpperArm", "Bip001 R UpperArm", "left", "upperarm"),
        ("lfemur", "rfemur", "left", "femur"),
        ("LUArm", "RUArm", "left", "uarm"),
        ("SHOULDER_LEFT", "SHOULDER_RIGHT", "left", "shoulder"),
        ("左ひじ", "右ひじ", "left", "ひじ"),
        ("thigh.R", "thigh.L", "right", "thigh"),
        ("lowerback", "root", None, "lowerback"),  # no rowerback: not a left bone
        ("spine.001", "spine.002", None, "spine001"),
    ],
)
def test_names_are_taken_apart(name, other, side, stem):
    first = read_names([name, other])[0]
    assert (first.side, first.stem) == (side, stem)


# --- what is never mapped ---------------------------------------------------------------------------------------------

HELPERS = {
    "upperarm_twist_01_l": "left_shoulder",
    "lowerarm_twist_01_l": "left_elbow",
    "thigh_twist_01_r": "right_hip",
    "calf_roll_r": "right_knee",
    "ik_foot_l": "pelvis",
    "ik_hand_r": "pelvis",
    "knee_pole_l": "pelvis",
    "index_01_l": "left_wrist",
    "thumb_01_l": "left_wrist",
    "ball_end_l": "left_toe",
    "upperarm_helper_r": "right_shoulder",
}
UNREAL = {
    **{"pelvis": "pelvis", "spine": "spine_01", "chest": "spine_02", "neck": "neck_01", "head": "head"},
    **{"head_top": "head_leaf"},
    **{
        f"{side}_{joint}": f"{bone}_{side[0]}"
        for side in ("left", "right")
        for joint, bone in {
            **{"collar": "clavicle", "shoulder": "upperarm", "elbow": "lowerarm", "wrist": "hand"},
            **{"hip": "thigh", "knee": "calf", "ankle": "foot", "toe": "ball"},
        }.items()
    },
}


def add_helpers(bones: Bones, helpers: dict[str, str]) -> Bones:
    """Bones at the head of a joint's bone and a little beyond it."""
    at = [JOINTS.index(joint) for joint in helpers.values()]
    heads = bones.heads[at] + 0.02 * np.arange(1, len(at) + 1)[:, None]
    names, parents = [*bones.names, *helpers], [*bones.parents, *at]
    return Bones(names, parents, np.vstack([bones.heads, heads]), np.vstack([bones.tails, heads + UP]))


def test_helpers_are_never_mapped():
    expected = bones_of(human_bones(UNREAL).guess())
    assert bones_of(add_helpers(human_bones(UNREAL), HELPERS).guess()) == expected
    assert expected == UNREAL | {"head_top": None}


def test_toe_that_is_the_foot_again_is_refused(shared_data):
    """A ForeFoot bone under the ankle is called toe by nobody: with the name ToeBase its place still says no."""
    bones = read_bones(shared_data / "rigs" / "hik_fingers_60.bvh")
    named = bones.renamed([name.replace("ForeFoot", "ToeBase") for name in bones.names])
    assert named.guess().bone("left_toe") is None


def rigify_layers() -> Bones:
    """Three layers as Rigify makes them: what an animator keys, and ORG and DEF bones that follow."""
    plain = {joint: joint for joint in JOINTS}
    trunk = {"pelvis": "spine", "spine": "spine.001", "chest": "spine.003", "neck": "spine.004", "head": "spine.006"}
    limbs = {"collar": "shoulder", "shoulder": "upper_arm", "elbow": "forearm", "wrist": "hand"}
    limbs |= {"hip": "thigh", "knee": "shin", "ankle": "foot", "toe": "toe"}
    sided = {f"{s}_{j}": f"{b}.{s[0].upper()}" for s in ("left", "right") for j, b in limbs.items()}
    names = plain | trunk | sided | {"head_top": "face"}
    layers = [human_bones({j: prefix + bone for j, bone in names.items()}) for prefix in ("DEF-", "ORG-", "")]
    parents = [p + 22 * i if p >= 0 else -1 for i, layer in enumerate(layers) for p in layer.parents]
    heads, tails = (np.vstack([getattr(layer, end) for layer in layers]) for end in ("heads", "tails"))
    return Bones([name for layer in layers for name in layer.names], parents, heads, tails)


def test_layers_that_follow_are_taken_only_where_nothing_else_is():
    bones = rigify_layers()
    assert not any(bone.startswith(("DEF", "ORG")) for bone in bones_of(bones.guess()).values() if bone)
    deform_only = bones.without(*[name for name in bones.names if not name.startswith("DEF-")])
    assert deform_only.guess().bone("left_elbow") == "DEF-forearm.L"
