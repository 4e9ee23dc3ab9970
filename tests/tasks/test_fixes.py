"""What is asked of Clean for one problem of the list, and for all of them."""

import pytest

from pads_blender.core.mapping import JointBone, Mapping
from pads_blender.core.skeleton import JOINTS
from pads_blender.errors import TakeError
from pads_blender.tasks.clean import CleanSettings
from pads_blender.tasks.complete import HiddenBones
from pads_blender.tasks.contacts import ContactRange
from pads_blender.tasks.fixes import fix_all_settings, fix_settings
from pads_blender.tasks.foot_lock import list_contacts, lock_feet_at
from pads_blender.tasks.kept import Kept
from pads_blender.tasks.problems import Problem
from pads_blender.tasks.scope import LIMBS

from ..core.bodies import build_take, random_motion

MAPPING = Mapping("test", {joint: JointBone(joint.upper(), 1.0) for joint in JOINTS})
USUAL = CleanSettings(strength=0.7, seed=3, steps=1)


def problem(kind: str, *joints: str, first: float = 50.0, last: float = 60.0) -> Problem:
    return Problem(kind, joints[0], joints[0].upper(), joints, first, last, 30.0, "")


def test_leaps_and_lost_limbs_are_filled_in():
    for kind in ("pop", "frozen", "missing"):
        settings = fix_settings(problem(kind, "left_elbow", "left_wrist"), MAPPING, USUAL)
        assert settings.complete == (HiddenBones(("LEFT_ELBOW", "LEFT_WRIST"), 50.0, 60.0),)
        assert not (settings.jitter or settings.pops or settings.gaps or settings.feet)
        assert (settings.seed, settings.steps) == (3, 1)


def test_jitter_is_taken_out_of_the_limb_in_its_frames_alone():
    settings = fix_settings(problem("jitter", "left_elbow"), MAPPING, USUAL)
    assert (settings.start, settings.end, settings.strength) == (50.0, 60.0, 0.7)
    assert settings.joints == LIMBS["left_arm"]
    assert settings.jitter
    assert not (settings.pops or settings.gaps or settings.feet)


def test_all_of_them_ask_for_what_is_in_the_list_and_no_more():
    lost = problem("missing", "right_shoulder", "right_elbow")
    settings = fix_all_settings([problem("pop", "left_knee", first=9.0, last=9.0), lost], MAPPING, USUAL)
    assert (settings.pops, settings.jitter, settings.gaps, settings.feet) == (False, False, False, 0.0)
    leap, arm = HiddenBones(("LEFT_KNEE",), 9.0, 9.0), HiddenBones(("RIGHT_SHOULDER", "RIGHT_ELBOW"), 50.0, 60.0)
    assert settings.complete == (leap, arm)
    assert fix_all_settings([problem("swap", "left_elbow", "right_elbow")], MAPPING, USUAL).pops
    assert (settings.start, settings.end) == (None, None)
    settings = fix_all_settings([problem("jitter", "head"), problem("slide", "left_toe")], MAPPING, USUAL)
    assert (settings.pops, settings.jitter, settings.feet) == (False, True, 1.0)


def test_contacts_outside_of_the_take_are_refused():
    take, mapping = build_take(*random_motion(40))
    with pytest.raises(TakeError, match="No contact is switched on within the take"):
        lock_feet_at(take, mapping, Kept.nothing(take), [ContactRange("left_toe", 200, 220)], 1.0)
    assert all(1 <= part.first <= part.last <= 40 for part in list_contacts(take, mapping))
