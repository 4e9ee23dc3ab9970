"""Preset files: the same rig is known again whatever its prefix and order, and a bad file says what is wrong."""

import json
import os

import pytest

from pads_blender.core import presets
from pads_blender.core.conventions import bare_names
from pads_blender.core.mapping import Mapping
from pads_blender.core.presets import find_preset, fingerprint, load_preset, save_preset
from pads_blender.errors import MappingError

NAMES = ["Root", "Hips", "Spine", "LeftUpLeg", "RightUpLeg", "Wing.L"]
PARENTS = [-1, 0, 1, 1, 1, 2]
MAPPING = Mapping.empty().with_joint("pelvis", "Hips").with_joint("left_hip", "LeftUpLeg")


def shuffled(names, parents, order):
    place = {old: new for new, old in enumerate(order)} | {-1: -1}
    return [names[i] for i in order], [place[parents[i]] for i in order]


@pytest.mark.parametrize(
    "spell", ["scene:actor:{}", "a|{}", "mixamorig:{}", "mixamorig7:{}", "Bob_{}", "my-{}", "Character1_{}"]
)
def test_fingerprint_is_the_same_in_any_order_and_under_any_prefix(spell):
    plain = fingerprint(NAMES, PARENTS)
    assert len(plain) == 16 and int(plain, 16) >= 0
    spelled = [spell.format(name) for name in NAMES]
    assert fingerprint(spelled, PARENTS) == plain
    assert fingerprint([NAMES[0], *spelled[1:]], PARENTS) == plain  # a root bone without the prefix
    assert fingerprint(*shuffled(spelled, PARENTS, [3, 1, 5, 0, 2, 4])) == plain


@pytest.mark.parametrize(
    ("names", "parents"),
    [
        (["Root", "Hips", "Spine", "LeftUpLeg", "RightUpLeg", "Wing.R"], PARENTS),
        (NAMES, [-1, 0, 1, 1, 1, 1]),
        (NAMES[:5], PARENTS[:5]),
    ],
)
def test_another_rig_has_another_fingerprint(names, parents):
    assert fingerprint(names, parents) != fingerprint(NAMES, PARENTS)


def test_names_that_a_prefix_alone_tells_apart_stay_whole():
    names = ["a:Hips", "b:Hips", "a:Spine"]
    assert bare_names(names) == names
    assert bare_names([]) == []
    assert bare_names(["mixamorig:Hips", "mixamorig:"]) == ["mixamorig:Hips", "mixamorig:"]


def test_a_preset_is_found_again_in_the_rigs_own_names(tmp_path):
    save_preset(tmp_path / "new" / "hero.json", MAPPING, NAMES, PARENTS)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["hero.json"]
    assert find_preset(tmp_path / "new", NAMES, PARENTS) == MAPPING
    spelled = [f"hero01:{name}" for name in NAMES]
    found = find_preset(tmp_path / "new", spelled, PARENTS)
    assert (found.bone("pelvis"), found.bone("left_hip"), found.bone("head")) == (
        "hero01:Hips",
        "hero01:LeftUpLeg",
        None,
    )
    assert load_preset(tmp_path / "new" / "hero.json", spelled) == found
    assert find_preset(tmp_path / "new", NAMES[:5], PARENTS[:5]) is None
    assert find_preset(tmp_path / "nowhere", NAMES, PARENTS) is None


def test_the_preset_saved_last_wins_and_damaged_files_stop_nothing(tmp_path):
    other = MAPPING.with_joint("spine", "Spine")
    for place, (name, mapping) in enumerate((("z", MAPPING), ("a", other))):
        save_preset(tmp_path / f"{name}.json", mapping, NAMES, PARENTS)
        os.utime(tmp_path / f"{name}.json", (place, place))
    (tmp_path / "half.json").write_text('{"format": "pads_map')
    assert find_preset(tmp_path, NAMES, PARENTS) == other


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text[:50], "no JSON file"),
        (lambda text: "[]", "no bone mapping of PADS"),
        (lambda text: "{}", "no bone mapping of PADS"),
        (lambda text: text.replace('"version": 1', '"version": 2'), "saved by a newer PADS: update PADS"),
        (lambda text: text.replace('"version": 1', '"version": "one"'), "no known version"),
        (lambda text: text.replace('"version": 1', '"version": [1]'), "no known version"),
        (lambda text: text.replace('"joints"', '"joint"'), "no bone mapping of PADS"),
        (lambda text: text.replace("LeftUpLeg", "LeftThigh"), r"does not have \(LeftThigh\)"),
        (lambda text: text.encode("utf-16").decode("latin-1"), "no JSON file"),
    ],
)
def test_a_bad_preset_is_refused_in_one_sentence_with_its_name(tmp_path, change, words):
    path = tmp_path / "hero.json"
    save_preset(path, MAPPING, NAMES, PARENTS)
    path.write_text(change(path.read_text()))
    with pytest.raises(MappingError, match=words) as caught:
        load_preset(path, NAMES)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_preset_is_refused(tmp_path):
    with pytest.raises(MappingError, match=r"none\.json: cannot be read"):
        load_preset(tmp_path / "none.json", NAMES)


def test_a_preset_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "hero.json"
    save_preset(path, MAPPING, NAMES, PARENTS)
    before = path.read_bytes()
    broken = MAPPING.with_joint("spine", b"no text")
    with pytest.raises(TypeError):
        save_preset(path, broken, NAMES, PARENTS)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["hero.json"]
    assert json.loads(before)["joints"]["pelvis"]["bone"] == "Hips"


def test_a_mapping_as_map_prints_it_is_an_older_preset_that_still_loads(tmp_path):
    path = tmp_path / "printed.json"
    path.write_text(json.dumps(MAPPING.to_json()))
    assert load_preset(path, NAMES) == MAPPING
    assert find_preset(tmp_path, NAMES, PARENTS) is None  # it does not say which rig it is of


def test_older_versions_are_brought_up_to_date_one_after_the_other(tmp_path, monkeypatch):
    path = tmp_path / "hero.json"
    save_preset(path, MAPPING, NAMES, PARENTS)
    monkeypatch.setattr(presets, "_VERSION", 3)
    steps = {1: lambda data: data | {"joints": data["joints"] | {"spine": data["joints"]["pelvis"]}}, 2: dict}
    monkeypatch.setattr(presets, "_UPGRADES", steps)
    assert load_preset(path, NAMES).bone("spine") == "Hips"
    assert find_preset(tmp_path, NAMES, PARENTS).bone("spine") == "Hips"
