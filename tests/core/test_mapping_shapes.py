"""Which bone is which joint in hierarchies of their own, and what is doubted or refused."""

import numpy as np
import pytest

from pads_blender.core.joint_claims import CONFIDENT
from pads_blender.core.mapping_guess import guess_mapping
from pads_blender.core.skeleton import JOINTS, MODEL
from pads_blender.errors import MappingError

from .rest_bones import HIK, LIMB_JOINTS, UP, Bones, bones_of, drop_unnamed, human_bones, scramble


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


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_places_that_are_no_numbers_are_not_asked(value):
    bones = Bones(list(JOINTS), list(MODEL.parents), MODEL.rest_positions.copy(), MODEL.rest_positions + UP)
    bones.heads[5, 1] = value
    with np.errstate(all="ignore"):
        assert bones.guess() == Bones(bones.names, bones.parents).guess()
