"""Which bone is which joint: real rigs of many makers against answers by eye, then without names, order or scale."""

import json
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from pads_blender.core.bvh import ARMATURE_FROM_BVH, read_bvh
from pads_blender.core.conventions import CONVENTIONS, read_names
from pads_blender.core.mapping import CONFIDENT, JointBone, Mapping, guess_mapping
from pads_blender.core.skeleton import JOINTS, MODEL
from pads_blender.errors import MappingError

from .mapping_truth import TRUTH

NEEDS_BLENDER = (".fbx", ".blend")
FILES = sorted(file for file in TRUTH if not file.endswith(NEEDS_BLENDER))
LIMB_JOINTS = tuple(
    f"{s}_{j}" for s in ("left", "right") for j in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
)
CENTRE_JOINTS = ("pelvis", "chest", "neck", "head")
# Rest poses in which nothing shows a side (LAFAN1: every bone along +X), and a body without a common root.
SIDELESS = ("json/lafan1_subject2.json", "json/bandai_namco.json")
ROOTLESS = ("json/mpfb_standard_openpose.json",)
UP = np.array([0.0, 0.0, 0.01])
ARMS_ASKEW = ("rokoko_smartsuit.bvh",)  # its arms lie across the line of its hips: their side stays open


@dataclass(frozen=True)
class Bones:
    """Names, parents, heads and tails as guess_mapping takes them."""

    names: list[str]
    parents: list[int]
    heads: np.ndarray | None = None
    tails: np.ndarray | None = None

    def guess(self) -> Mapping:
        return guess_mapping(self.names, self.parents, self.heads, self.tails)

    def turned(self, world: np.ndarray) -> "Bones":
        """The rest pose under a (3, 3) matrix."""
        return Bones(self.names, self.parents, self.heads @ world.T, self.tails @ world.T)

    def renamed(self, names: list[str]) -> "Bones":
        return Bones(names, self.parents, self.heads, self.tails)

    def without(self, *names: str) -> "Bones":
        """Bones taken out, their children with them."""
        gone = {i for i, name in enumerate(self.names) if name in names}
        for _ in self.names:
            gone |= {i for i, parent in enumerate(self.parents) if parent in gone}
        kept = [i for i in range(len(self.names)) if i not in gone]
        place = {old: new for new, old in enumerate(kept)} | {-1: -1}
        heads, tails = (None if p is None else p[kept] for p in (self.heads, self.tails))
        return Bones([self.names[i] for i in kept], [place[self.parents[i]] for i in kept], heads, tails)


def read_bones(path: Path) -> Bones:
    readers = {".bvh": read_bvh_bones, ".json": read_json_bones, ".vrma": read_gltf_bones}
    return readers[path.suffix](path)


def read_bvh_bones(path: Path) -> Bones:
    bvh = read_bvh(path)
    ends = {joint: end for joint, end in enumerate(bvh.ends) if np.isfinite(end).all()}
    return chain_up(list(bvh.names), [int(parent) for parent in bvh.parents], bvh.offsets, ends)


def read_json_bones(path: Path) -> Bones:
    data = json.loads(path.read_text(encoding="utf-8"))
    if "bones" in data:
        names, bones = list(data["bones"]), data["bones"].values()
        parents = [names.index(bone["parent"]) if bone["parent"] else -1 for bone in bones]
        return Bones(names, parents, *(np.array([bone[end] for bone in bones]) for end in ("head", "tail")))
    names = data["names"]
    above = data.get("parent_names", [None] * len(names))
    parents = data.get("parents", [names.index(name) if name else -1 for name in above])
    if "offsets" not in data:
        return Bones(names, parents)
    return chain_up(names, parents, data["offsets"], dict(data["end_sites"]))


def read_gltf_bones(path: Path) -> Bones:
    raw = path.read_bytes()
    nodes = json.loads(raw[20 : 20 + struct.unpack("<I", raw[12:16])[0]])["nodes"]
    parents = [-1] * len(nodes)
    for i, node in enumerate(nodes):
        for child in node.get("children", ()):
            parents[child] = i
    return chain_up([n.get("name", "") for n in nodes], parents, [n.get("translation", (0, 0, 0)) for n in nodes], {})


def chain_up(names, parents, offsets, ends) -> Bones:
    """World positions, Z up, of Y-up offsets from the parent; a tail is the end site or the middle of the children."""
    offsets = np.asarray(offsets, float) @ ARMATURE_FROM_BVH.T
    ends = {joint: ARMATURE_FROM_BVH @ np.asarray(end, float) for joint, end in ends.items()}

    def head(joint: int) -> np.ndarray:
        return offsets[joint] + (head(parents[joint]) if parents[joint] >= 0 else 0)

    heads = np.array([head(joint) for joint in range(len(names))])
    below = [[c for c, parent in enumerate(parents) if parent == joint] for joint in range(len(names))]
    tails = [heads[b].mean(axis=0) if b else heads[i] + ends.get(i, 0) for i, b in enumerate(below)]
    return Bones(names, list(parents), heads, np.array(tails))


def scramble(bones: Bones, seed: int) -> tuple[Bones, dict[str | None, str | None]]:
    """Bones in another order under names without meaning, and the old name of each."""
    order = np.random.default_rng(seed).permutation(len(bones.names))
    place = {int(old): new for new, old in enumerate(order)} | {-1: -1}
    names = [f"{old * 7919 % 99991:05d}" for old in order]
    parents = [place[bones.parents[old]] for old in order]
    back = {name: bones.names[old] for name, old in zip(names, order, strict=True)} | {None: None}
    return Bones(names, parents, bones.heads[order], bones.tails[order]), back


def human_bones(names: dict[str, str] | None = None) -> Bones:
    """The model's own body, its joints called by their own names or by others."""
    rest = MODEL.rest_positions
    tails = rest + UP
    for joint, parent in enumerate(MODEL.parents):
        if parent >= 0:
            tails[parent] = rest[joint]
    return Bones([(names or {}).get(joint, joint) for joint in JOINTS], list(MODEL.parents), rest, tails)


def bones_of(mapping: Mapping) -> dict[str, str | None]:
    return {joint: mapping.bone(joint) for joint in JOINTS}


# --- real rigs --------------------------------------------------------------------------------------------------------


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


def are_one_place(bones: Bones, a: str | None, b: str | None) -> bool:
    """CMU's LeftHand and LeftFingerBase in the conversion whose wrist has no length."""
    return None not in (a, b) and np.allclose(*(bones.heads[bones.names.index(name)] for name in (a, b)))


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


# --- conventions ------------------------------------------------------------------------------------------------------

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


def drop_unnamed(bones: Bones, names: dict[str, str]) -> Bones:
    """Bones of the model that the convention has no name for, out; their children move to the parent."""
    kept = [i for i, joint in enumerate(JOINTS) if joint in names]

    def nearest(joint: int) -> int:
        parent = MODEL.parents[joint]
        return -1 if parent < 0 else kept.index(parent) if parent in kept else nearest(parent)

    return Bones([bones.names[i] for i in kept], [nearest(i) for i in kept], bones.heads[kept], bones.tails[kept])


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


HIK = {
    **{
        "pelvis": "Hips",
        "spine": "Spine",
        "chest": "Spine1",
        "neck": "Neck",
        "head": "Head",
        "head_top": "HeadTop_End",
    },
    **{
        f"{side.lower()}_{joint}": side + bone
        for side in ("Left", "Right")
        for joint, bone in {
            **{"collar": "Shoulder", "shoulder": "Arm", "elbow": "ForeArm", "wrist": "Hand"},
            **{"hip": "UpLeg", "knee": "Leg", "ankle": "Foot", "toe": "ToeBase"},
        }.items()
    },
}


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


# --- hierarchies of their own -----------------------------------------------------------------------------------------


def rehung(bones: Bones, parents: dict[str, str]) -> Bones:
    """The same bones with some of them hung elsewhere."""
    hung = [
        bones.names.index(parents[n]) if n in parents else p for n, p in zip(bones.names, bones.parents, strict=True)
    ]
    return Bones(bones.names, hung, bones.heads, bones.tails)


def inserted(bones: Bones, name: str, above: tuple[str, ...], share: float) -> Bones:
    """One more bone between some bones and their parent, at a share of the way to the first of them."""
    first = bones.names.index(above[0])
    parent = bones.parents[first]
    head = (1 - share) * bones.heads[parent] + share * bones.heads[first]
    parents = [len(bones.names) if n in above else p for n, p in zip(bones.names, bones.parents, strict=True)]
    heads, tails = np.vstack([bones.heads, head]), np.vstack([bones.tails, bones.heads[first]])
    return Bones([*bones.names, name], [*parents, parent], heads, tails)


def test_biped_hangs_thighs_on_the_spine_and_clavicles_on_the_neck():
    roles = {"collar": "Clavicle", "shoulder": "UpperArm", "elbow": "Forearm", "wrist": "Hand"}
    roles |= {"hip": "Thigh", "knee": "Calf", "ankle": "Foot", "toe": "Toe0"}
    names = {"pelvis": "Pelvis", "spine": "Spine", "chest": "Spine1", "neck": "Neck", "head": "Head"}
    names |= {f"{s}_{j}": f"{s[0].upper()} {b}" for s in ("left", "right") for j, b in roles.items()}
    names = {joint: f"Bip001 {bone}" for joint, bone in names.items()} | {"head_top": "Bip001 HeadNub"}
    hung = {names[f"{s}_hip"]: names["spine"] for s in ("left", "right")}
    hung |= {names[f"{s}_collar"]: names["neck"] for s in ("left", "right")}
    assert bones_of(rehung(human_bones(names), hung).guess()) == names


def test_daz_splits_limbs_into_bend_and_twist_and_hips_in_two():
    roles = {"collar": "Collar", "shoulder": "ShldrBend", "elbow": "ForearmBend", "wrist": "Hand"}
    roles |= {"hip": "ThighBend", "knee": "Shin", "ankle": "Foot", "toe": "Toe"}
    names = {"pelvis": "hip", "spine": "abdomenLower", "chest": "chestUpper", "neck": "neckLower", "head": "head"}
    names |= {f"{s}_{j}": s[0] + b for s in ("left", "right") for j, b in roles.items()}
    bones = inserted(human_bones(names), "pelvis", ("lThighBend", "rThighBend"), 0.2)
    for side in "lr":
        bones = inserted(bones, f"{side}ShldrTwist", (f"{side}ForearmBend",), 0.5)
        bones = inserted(bones, f"{side}ForearmTwist", (f"{side}Hand",), 0.5)
        bones = inserted(bones, f"{side}ThighTwist", (f"{side}Shin",), 0.5)
    assert bones_of(bones.guess()) == names | {"head_top": "head_top"}
    unnamed, back = scramble(bones, seed=5)
    for joint in LIMB_JOINTS:
        assert back[unnamed.guess().bone(joint)] == names[joint]


def test_mikumikudance_has_an_upper_and_a_lower_half():
    roles = {"collar": "肩", "shoulder": "腕", "elbow": "ひじ", "wrist": "手首"}
    roles |= {"hip": "足", "knee": "ひざ", "ankle": "足首", "toe": "つま先"}
    names = {"pelvis": "センター", "spine": "上半身", "chest": "上半身2", "neck": "首", "head": "頭"}
    names |= {f"{s}_{j}": {"left": "左", "right": "右"}[s] + b for s in ("left", "right") for j, b in roles.items()}
    bones = inserted(human_bones(names), "下半身", ("左足", "右足"), 0.1)
    assert bones_of(bones.guess()) == names | {"head_top": "head_top"}


def test_rig_without_hands_gives_no_bone_two_joints():
    names = {joint: bone for joint, bone in HIK.items() if not joint.endswith("wrist")}
    mapping = drop_unnamed(human_bones(names), names).guess()
    found = [bone for bone in bones_of(mapping).values() if bone]
    assert len(found) == len(set(found))
    assert mapping.bone("left_wrist") is None
    assert mapping.bone("left_elbow") == "LeftForeArm"


def test_head_that_hangs_on_the_root_leaves_the_chest_to_the_arms():
    bones = rehung(human_bones(HIK), {"Head": "Hips"})
    assert bones_of(bones.guess()) == HIK


# --- doubt ------------------------------------------------------------------------------------------------------------


def test_rig_without_collars_toes_and_neck():
    names = {joint: bone for joint, bone in HIK.items() if joint.split("_")[-1] not in ("collar", "toe", "neck", "top")}
    bones = drop_unnamed(human_bones(names), names)
    assert bones_of(bones.guess()) == {joint: names.get(joint) for joint in JOINTS}


@pytest.mark.parametrize("count", [1, 2, 4, 6])
def test_spine_of_any_number_of_bones(count):
    """Bones of equal length from pelvis to neck, in a language that no table knows."""
    base = human_bones(HIK)
    names = {joint: bone for joint, bone in HIK.items() if joint not in ("spine", "chest")}
    bones = drop_unnamed(base, names)
    top = bones.names.index("Neck")
    heads = [base.heads[0] * (1 - t) + bones.heads[top] * t for t in np.arange(1, count + 1) / (count + 1)]
    first = len(bones.names)
    column = [bones.names.index("Hips"), *range(first, first + count)]
    chest = ("Neck", "LeftShoulder", "RightShoulder")
    parents = [column[-1] if name in chest else p for name, p in zip(bones.names, bones.parents, strict=True)]
    rig = Bones(
        [*bones.names, *[f"columna{i}" for i in range(count)]],
        [*parents, *column[:-1]],
        np.vstack([bones.heads, heads]),
        np.vstack([bones.tails, np.array(heads) + UP]),
    )
    mapping = rig.guess()
    assert mapping.bone("chest") == f"columna{count - 1}"
    assert (mapping.bone("spine") is None) == (count == 1)
    assert bones_of(mapping) | {"spine": None, "chest": None} == HIK | {"spine": None, "chest": None}


def test_names_that_contradict_the_body_are_shown_as_unsure():
    swapped = {joint: HIK[JOINTS[mirror]] for joint, mirror in zip(JOINTS, MODEL.mirrored, strict=True)}
    mapping, plain = human_bones(swapped).guess(), human_bones(HIK).guess()
    assert mapping.bone("left_knee") in ("LeftLeg", None)
    assert CONFIDENT <= mapping.joints["left_knee"].confidence < 0.5 < plain.joints["left_knee"].confidence


def test_fewer_known_names_mean_less_confidence():
    full = human_bones(HIK).guess()
    one_off = human_bones(HIK | {"left_knee": "Ginocchio"}).guess()
    assert one_off.bone("left_knee") == "Ginocchio"  # by shape
    assert one_off.joints["left_knee"].confidence < one_off.joints["left_hip"].confidence
    assert one_off.joints["left_hip"].confidence < full.joints["left_hip"].confidence


def test_what_shape_alone_tells_is_unsure_until_the_user_sets_it():
    assert human_bones(HIK).guess().unsure() == ()
    guessed = human_bones(HIK | {"left_knee": "Ginocchio"}).guess()
    assert guessed.unsure() == ("left_knee",)
    assert guessed.with_joint("left_knee", "Ginocchio").unsure() == ()


def test_broken_hierarchy_costs_confidence():
    bones = human_bones(HIK)
    parents = list(bones.parents)
    parents[JOINTS.index("left_ankle")] = 0
    loose = Bones(bones.names, parents, bones.heads, bones.tails).guess()
    ankle = loose.joints["left_ankle"]
    assert ankle is None or ankle.confidence < loose.joints["left_knee"].confidence


QUADRUPED = {
    **{"a": (None, (0, 0.6, 0.8)), "b": ("a", (0, 0.2, 0.85)), "c": ("b", (0, -0.3, 0.85)), "d": ("c", (0, -0.6, 1.0))},
    **{
        f"{part}{side}": (parent.format(side=side), (0.1 if side == "l" else -0.1, y, z))
        for side in "lr"
        for part, parent, y, z in (
            *[("e", "a", 0.65, 0.75), ("f", "e{side}", 0.55, 0.4), ("g", "f{side}", 0.62, 0.08)],
            *[("h", "g{side}", 0.55, 0.0), ("i", "c", -0.3, 0.75), ("j", "i{side}", -0.35, 0.4)],
            *[("k", "j{side}", -0.32, 0.06), ("m", "k{side}", -0.4, 0.0)],
        )
    },
}


def test_an_animal_is_refused():
    names = list(QUADRUPED)
    parents = [-1 if parent is None else names.index(parent) for parent, _ in QUADRUPED.values()]
    heads = np.array([head for _, head in QUADRUPED.values()], float)
    with pytest.raises(MappingError, match="No bone was recognised as pelvis"):
        guess_mapping(names, parents, heads, heads + UP)


@pytest.mark.parametrize("count", [0, 1, 30])
def test_what_is_no_body_is_refused(count):
    heads = np.array([[0, 0, 0.1 * i] for i in range(count)]).reshape(-1, 3)
    with pytest.raises(MappingError, match="PADS > Rig > Bones"):
        guess_mapping([f"Bone.{i:03d}" for i in range(count)], list(range(-1, count - 1)), heads, heads + 0.1)


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


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_places_that_are_no_numbers_are_not_asked(value):
    bones = Bones(list(JOINTS), list(MODEL.parents), MODEL.rest_positions.copy(), MODEL.rest_positions + UP)
    bones.heads[5, 1] = value
    with np.errstate(all="ignore"):
        assert bones.guess() == Bones(bones.names, bones.parents).guess()
