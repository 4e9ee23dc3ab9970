"""What is asked of Clean for one problem of the list, and for all of them."""

from dataclasses import replace

import numpy as np
import pytest

from pads_blender.core.mapping import JointBone, Mapping
from pads_blender.core.retarget import to_model
from pads_blender.core.rotations import angle_between, from_rotation_vector, multiply
from pads_blender.core.skeleton import JOINTS
from pads_blender.diffusion.prior import load_prior
from pads_blender.errors import TakeError
from pads_blender.tasks import pieces
from pads_blender.tasks.clean import CleanSettings
from pads_blender.tasks.cleaned import clean_rig
from pads_blender.tasks.complete import HiddenBones
from pads_blender.tasks.contacts import ContactRange
from pads_blender.tasks.fixes import fix_problems, fix_settings
from pads_blender.tasks.foot_lock import list_contacts, lock_feet_at
from pads_blender.tasks.kept import Kept, pass_through
from pads_blender.tasks.problems import Problem
from pads_blender.tasks.scope import LIMBS

from ..core.bodies import build_take, random_motion

MAPPING = Mapping("test", {joint: JointBone(joint.upper(), 1.0) for joint in JOINTS})
USUAL = CleanSettings(strength=0.7, seed=3, steps=1)


def problem(kind: str, *joints: str, first: float = 50.0, last: float = 60.0) -> Problem:
    return Problem(kind, joints[0], joints[0].upper(), joints, first, last, 30.0, "")


def test_leaps_and_lost_limbs_are_filled_in():
    for kind in ("pop", "frozen", "missing"):
        settings = fix_settings([problem(kind, "left_elbow", "left_wrist")], MAPPING, USUAL)
        assert settings.complete == (HiddenBones(("LEFT_ELBOW", "LEFT_WRIST"), 50.0, 60.0),)
        assert not (settings.jitter or settings.pops or settings.gaps or settings.feet)
        assert (settings.seed, settings.steps, settings.strength) == (3, 1, 1.0)


def test_jitter_is_taken_out_as_far_as_the_user_wants():
    settings = fix_settings([problem("jitter", "left_elbow")], MAPPING, USUAL)
    assert (settings.start, settings.end, settings.strength) == (20.0, 90.0, 0.7)
    assert settings.jitter
    assert not (settings.pops or settings.gaps or settings.feet)


def test_all_of_them_ask_for_what_is_in_the_list_and_no_more():
    lost = problem("missing", "right_shoulder", "right_elbow")
    settings = fix_settings([problem("pop", "left_knee", first=9.0, last=9.0), lost], MAPPING, USUAL)
    assert (settings.pops, settings.jitter, settings.gaps, settings.feet) == (False, False, False, 0.0)
    leap, arm = HiddenBones(("LEFT_KNEE",), 9.0, 9.0), HiddenBones(("RIGHT_SHOULDER", "RIGHT_ELBOW"), 50.0, 60.0)
    assert settings.complete == (leap, arm)
    assert fix_settings([problem("swap", "left_elbow", "right_elbow")], MAPPING, USUAL).pops


def changed(before, after) -> np.ndarray:
    """Degrees (F, B)."""
    return np.degrees(angle_between(before.rotation, after.rotation))


def test_a_slide_is_held_in_its_frames_and_on_its_leg_alone():
    take, mapping = build_take(*random_motion(120))
    slide = problem("slide", "left_ankle", "left_toe", first=50.0, last=70.0)
    degrees = changed(take, fix_problems(take, mapping, Kept.nothing(take), [slide], USUAL, None))
    leg = [take.names.index(mapping.bone(joint)) for joint in LIMBS["left_leg"]]
    others = np.setdiff1d(np.arange(len(take.names)), leg)
    assert degrees[:, leg].max() > 1.0
    assert degrees[:, others].max() < 1e-4
    rows = np.flatnonzero(degrees.max(axis=1) > 1e-4)
    assert take.frames[rows[0]] >= 50.0 - take.fps and take.frames[rows[-1]] <= 70.0 + take.fps


def test_a_slide_is_held_alike_in_a_long_take_and_in_a_piece_of_it():
    take, mapping = build_take(*random_motion(400))
    toe, heel = (("left_toe", 200.0, 230.0), ("left_ankle", 220.0, 250.0))
    slides = [problem("slide", joint, first=first, last=last) for joint, first, last in (toe, heel)]
    piece = take.rows(slice(120, 330))
    whole, part = (fix_problems(t, mapping, Kept.nothing(t), slides, USUAL, None) for t in (take, piece))
    assert changed(whole.rows(slice(120, 330)), part).max() < 1e-4
    assert np.array_equal(whole.rotation[:130], take.rotation[:130])
    with pytest.raises(TakeError, match="no frames"):
        fix_problems(
            take, mapping, Kept.nothing(take), [problem("slide", "left_toe", first=900.0, last=950.0)], USUAL, None
        )


def test_problems_that_are_not_listed_stay_even_if_they_are_of_the_same_kind():
    take, mapping = build_take(*random_motion(240))
    rng, rotation = np.random.default_rng(5), take.rotation.copy()
    shaken = from_rotation_vector(rng.normal(0.0, 0.05, (*rotation.shape[:2], 3)))
    take = replace(take, rotation=multiply(rotation, shaken))
    listed = problem("jitter", "left_elbow", first=100.0, last=160.0)
    fixed = fix_problems(take, mapping, Kept.nothing(take), [listed], USUAL, load_prior("motion", threads=1))
    degrees = changed(take, fixed)
    arm = [take.names.index(mapping.bone(joint)) for joint in LIMBS["left_arm"]]
    assert np.median(degrees[109:150][:, arm[1:3]]) > 0.3
    others = np.setdiff1d(np.arange(len(take.names)), arm)
    assert degrees[:, others].max() < 1e-4
    outside = (take.frames < 100.0 - take.fps) | (take.frames > 160.0 + take.fps)
    assert degrees[outside].max() < 1e-4


def test_clean_holds_the_contacts_that_it_is_given():
    take, mapping = build_take(*random_motion(120))
    prior, settings = load_prior("motion", threads=1), replace(USUAL, strength=1.0)
    kept, given = Kept.nothing(take), [ContactRange("left_ankle", 40, 60)]
    held = clean_rig(take, mapping, kept, settings, prior, contacts=given)
    free = clean_rig(take, mapping, kept, replace(settings, feet=0.0), prior)
    assert (
        path_of(held.after, mapping)[42:58].std(axis=0).max()
        < 0.3 * path_of(free.after, mapping)[42:58].std(axis=0).max()
    )
    np.testing.assert_allclose(held.after.rotation[90:], free.after.rotation[90:], atol=1e-6)


def path_of(take, mapping) -> np.ndarray:
    """The left ankle's (F, 3)."""
    return to_model(take, mapping)[0].positions[:, JOINTS.index("left_ankle")]


def test_progress_of_feet_that_are_held_never_goes_back(monkeypatch):
    monkeypatch.setattr(pieces, "LONGEST", 32)  # several pieces
    take, mapping = build_take(*random_motion(120))
    take = replace(take, movable=np.array(take.names) == take.names[1])  # so that travel has to be carried
    kept = Kept(*(np.ones(take.rotation.shape[:2], bool) for _ in range(2)))
    slides = [
        problem("slide", "left_ankle", first=50.0, last=60.0),
        problem("slide", "right_toe", first=70.0, last=80.0),
    ]
    for task in (
        lambda told: list_contacts(take, mapping, told),
        lambda told: lock_feet_at(take, mapping, Kept.nothing(take), [ContactRange("left_ankle", 40, 60)], 1.0, told),
        lambda told: pass_through(take, take, kept, told),
        lambda told: fix_problems(take, mapping, Kept.nothing(take), slides, CleanSettings(), None, told),
    ):
        shares = []
        task(lambda step, steps, shares=shares: shares.append(step / steps))
        assert len(shares) > 5 and (np.diff(shares) >= 0.0).all() and 0.5 < shares[-1] < 1.0


def test_progress_goes_on_from_what_is_filled_in_to_feet_that_are_held():
    take, mapping = build_take(*random_motion(120))
    problems, shares = [problem("slide", "left_ankle"), problem("pop", "right_elbow")], []

    def told(step: float, steps: int) -> None:
        shares.append(step / steps)

    fix_problems(take, mapping, Kept.nothing(take), problems, USUAL, load_prior("motion", threads=1), told)
    assert (np.diff(shares) >= 0.0).all() and shares[0] == 0.0 and 0.5 < shares[-1] < 1.0


def test_contacts_outside_of_the_take_are_refused():
    take, mapping = build_take(*random_motion(40))
    with pytest.raises(TakeError, match="No contact is switched on within the take"):
        lock_feet_at(take, mapping, Kept.nothing(take), [ContactRange("left_toe", 200, 220)], 1.0)
    assert all(1 <= part.first <= part.last <= 40 for part in list_contacts(take, mapping))
