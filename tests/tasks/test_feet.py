"""Feet held in place on walks whose contacts are known: what rests stays, nothing pops, stretches or is invented."""

from dataclasses import replace

import numpy as np
import pytest

from pads_blender.core import metrics
from pads_blender.core import rotations as rot
from pads_blender.core.motion import Motion
from pads_blender.core.retarget import apply_motion, to_model
from pads_blender.core.skeleton import LEG_LENGTH, MODEL
from pads_blender.tasks.contacts import COLUMNS, ContactRange, Contacts, find_contacts
from pads_blender.tasks.feet import (
    LEG_JOINTS,
    Freedom,
    find_freedom,
    find_rig_contacts,
    lock_feet,
    lock_rig_feet,
    needed_share,
    report_feet,
    rig_legs,
    steady_feet,
    steady_rig_feet,
)
from pads_blender.tasks.legs import foot_tracks
from tests.core.bodies import SCALES, build_take

from .walks import FPS, stand_over, walk

KNEES = MODEL.indices("left_knee", "right_knee")
UPPER = [j for j in range(len(MODEL)) if j not in LEG_JOINTS]


def motion_of(positions: np.ndarray) -> Motion:
    return Motion(positions, np.ones(positions.shape[:2], bool), FPS)


def sway(frames: int, metres: float, seed: int = 0) -> np.ndarray:
    """A slow wobble (F, 3) of about so many metres, below 1.5 Hz, such as a cleaned noisy take has left."""
    rng, seconds = np.random.default_rng(seed), np.arange(frames)[:, None] / FPS
    waves = [np.sin(2 * np.pi * (hz * seconds + rng.random(3))) for hz in (0.3, 0.7, 1.3)]
    return metres * sum(waves) / np.sqrt(1.5)


def sliding_walk(**kind) -> tuple[np.ndarray, np.ndarray]:
    """A walk whose feet swim with the whole body, and its true contacts."""
    made = walk(stride=0.5, **kind)
    return made.positions + (sway(len(made.positions), 0.02) * [1, 1, 0])[:, None], made.resting


def speed(positions: np.ndarray, resting: np.ndarray) -> float:
    return metrics.contact_speed(positions[:, COLUMNS], resting, FPS)


def bends(positions: np.ndarray) -> float:
    """Largest second difference of a knee, millimetres."""
    return 1000 * np.linalg.norm(np.diff(positions[:, KNEES], 2, axis=0), axis=-1).max()


@pytest.mark.parametrize("rise", [0.0, 0.25, -0.25])
def test_sliding_feet_stay_in_place_on_flat_ground_and_on_stairs(rise):
    sliding, resting = sliding_walk(rise=rise)
    locked = lock_feet(motion_of(sliding), contacts=Contacts(resting)).positions
    assert speed(sliding, resting) > 50.0
    assert speed(locked, resting) < 5.0
    feet = locked[:, COLUMNS, 2] - sliding[:, COLUMNS, 2]
    assert np.abs(feet).max() < 0.01  # stairs stay stairs: no foot is drawn to a floor
    assert bends(locked) < 1.25 * bends(sliding)
    np.testing.assert_allclose(lengths(locked), lengths(sliding), atol=1e-4)


def lengths(positions: np.ndarray) -> np.ndarray:
    return np.linalg.norm(positions[:, 1:] - positions[:, list(MODEL.parents[1:])], axis=-1)


def test_found_contacts_serve_like_the_true_ones():
    sliding, resting = sliding_walk()
    locked = lock_feet(motion_of(sliding)).positions
    inner = np.stack([np.convolve(c, np.ones(5), mode="same") == 5 for c in resting.T], axis=1)
    assert speed(locked, inner) < 0.2 * speed(sliding, inner)


def test_a_walk_that_stands_already_is_left_alone():
    made = walk()
    noise = np.full(made.positions.shape[:2], 5e-4)
    steadied = steady_feet(motion_of(made.positions), noise, 1.0)
    assert np.array_equal(steadied.positions, made.positions)
    locked = lock_feet(motion_of(made.positions), contacts=Contacts(made.resting))
    assert metrics.joint_errors(locked.positions, made.positions).mean() < 0.5


def test_strength_scales_and_none_is_exactly_nothing():
    sliding, resting = sliding_walk()
    motion, contacts = motion_of(sliding), Contacts(resting)
    assert lock_feet(motion, 0.0, contacts) is motion
    half = lock_feet(motion, 0.5, contacts).positions
    whole = lock_feet(motion, 1.0, contacts).positions
    assert speed(half, resting) == pytest.approx(0.5 * speed(sliding, resting), rel=0.15)
    assert speed(whole, resting) < 0.1 * speed(half, resting)


def test_a_jump_is_left_alone():
    standing = np.tile(walk(steps=1, stride=0.0).positions[:1], (90, 1, 1))
    t = np.clip((np.arange(90) - 40) / 12.0, 0.0, 1.0)
    flight = (0.30 * 4 * t * (1 - t))[:, None] * [0, 0, 1] + t[:, None] * [0, -0.6, 0]
    jump = standing + flight[:, None]
    locked = lock_feet(motion_of(jump)).positions
    assert np.abs(locked[44:49] - jump[44:49]).max() < 0.002
    assert np.abs(np.diff(locked[:, UPPER], 2, axis=0)).max() < 1.1 * np.abs(np.diff(jump[:, UPPER], 2, axis=0)).max()


def test_only_legs_bend_and_the_body_above_moves_as_one():
    sliding, resting = sliding_walk()
    locked = lock_feet(motion_of(sliding), contacts=Contacts(resting)).positions
    moved = (locked - sliding)[:, UPPER]
    np.testing.assert_allclose(moved, np.broadcast_to(moved[:, :1], moved.shape), atol=1e-12)
    assert np.linalg.norm(moved[:, 0], axis=-1).max() < 0.015


def test_edited_ranges_are_obeyed():
    sliding, _ = sliding_walk()
    edited = Contacts.from_ranges((ContactRange("left_toe", 34, 48),), len(sliding))
    locked = lock_feet(motion_of(sliding), contacts=edited).positions
    toe, other = MODEL.index("left_toe"), MODEL.index("right_toe")
    assert np.ptp(locked[34:49, toe, :2], axis=0).max() < 0.001 < np.ptp(sliding[34:49, toe, :2], axis=0).max()
    np.testing.assert_allclose(locked[:, other], sliding[:, other], atol=1e-3)
    far = np.r_[0:25, 58 : len(sliding)]
    np.testing.assert_allclose(locked[far], sliding[far], atol=1e-9)


def test_the_heel_rises_over_a_held_toe():
    sliding, resting = sliding_walk()
    rolling = resting[:, 1] & ~resting[:, 0]
    locked = lock_feet(motion_of(sliding), contacts=Contacts(resting)).positions
    assert metrics.contact_speed(locked[:, [MODEL.index("left_toe")]], rolling[:, None], FPS) < 5.0
    ankle = MODEL.index("left_ankle")
    np.testing.assert_allclose(locked[rolling, ankle, 2], sliding[rolling, ankle, 2], atol=0.006)
    assert np.ptp(locked[rolling, ankle, 2]) > 0.05


def bobbing(height: float) -> np.ndarray:
    """Both feet planted while the pelvis bobs about a height, the legs all but straight at the top."""
    frames = 120
    root = np.tile([0.0, 0.0, height], (frames, 1))
    root[:, 2] += 0.006 * np.sin(2 * np.pi * np.arange(frames) / 30)
    feet = {}
    for side, x in (("left", 0.09), ("right", -0.09)):
        ankle = np.tile([x, 0.0, 0.08], (frames, 1))
        feet[side] = [ankle, ankle + np.array([0.0, -0.13, -0.06])]
    return stand_over(root, feet)


@pytest.mark.parametrize("height", [0.97, 0.95, 0.92])
def test_planted_feet_under_a_bobbing_pelvis_do_not_pop_nearly_straight_knees(height):
    standing = bobbing(height)
    swimming = standing + (sway(len(standing), 0.01) * [1, 1, 0])[:, None]
    resting = Contacts(np.ones((len(standing), 4), bool))
    locked = lock_feet(motion_of(swimming), contacts=resting).positions
    assert speed(locked, resting.resting) < 0.1 * speed(swimming, resting.resting)
    assert bends(locked) < 1.5 * bends(swimming)
    np.testing.assert_allclose(lengths(locked), lengths(swimming), atol=1e-4)


def test_a_foot_held_too_long_yields_before_the_knee_pops():
    """A foot planted while the body walks on, further than the leg reaches."""
    made = walk(stride=0.5, pelvis=0.92)
    frames = len(made.positions)
    held = (ContactRange("left_ankle", 32, 62), ContactRange("left_toe", 32, 62))
    locked = lock_feet(motion_of(made.positions), contacts=Contacts.from_ranges(held, frames)).positions
    np.testing.assert_allclose(lengths(locked), lengths(made.positions), atol=1e-4)
    hip, ankle = (locked[:, MODEL.index(name)] for name in ("left_hip", "left_ankle"))
    assert np.linalg.norm(hip - ankle, axis=-1).max() < LEG_LENGTH
    assert bends(locked[:63]) < 1.5 * bends(made.positions)


def test_noise_and_slides_ask_for_locking_and_precise_feet_do_not():
    sliding, resting = sliding_walk()
    contacts = Contacts(resting)
    quiet, noisy = (np.full((len(sliding), 4), level) for level in (5e-4, 0.02))
    made = walk(stride=0.5)
    tracks, swimming = made.positions[:, COLUMNS], sliding[:, COLUMNS]
    assert needed_share(tracks, contacts, quiet, FPS).max() == 0.0
    assert needed_share(swimming, contacts, noisy, FPS)[resting].mean() > 0.3
    skating = tracks + 0.2 / FPS * np.arange(len(tracks))[:, None, None] * [0, 1, 0]
    assert needed_share(skating, contacts, quiet, FPS)[resting].mean() > 0.8
    assert not needed_share(skating, contacts, quiet, FPS)[~resting].any()
    turning = tracks.copy()
    turning[:, ::2] = skating[:, ::2]  # the ankles about the toes
    assert needed_share(turning, contacts, quiet, FPS).max() < 0.1


def test_the_end_of_a_foot_that_turns_on_the_other_is_not_held():
    frames, rng = 90, np.random.default_rng(0)
    angle = np.linspace(0.0, np.radians(40.0), frames)
    toe = 0.14 * np.stack([np.cos(angle), np.sin(angle), np.zeros(frames)], axis=-1)
    tracks = np.stack([np.zeros((frames, 3)), toe] * 2, axis=1) + 0.003 * rng.standard_normal((frames, 4, 3))
    contacts = Contacts(np.ones((frames, 4), bool))
    share = needed_share(tracks, contacts, np.full((frames, 4), 0.03), FPS)
    assert share[:, [0, 2]].min() > 0.5 and share[:, [1, 3]].max() < 0.05


def rig_walk(body: str, positions: np.ndarray):
    """A rig of that body doing the walk, by the limb directions of the model's positions."""
    frames = len(positions)
    local = np.broadcast_to(rot.IDENTITY, (frames, len(MODEL), 4)).copy()
    take, mapping = build_take(local, np.tile([0.0, 0.0, 1.0], (frames, 1)), body, seed=3)
    _, residual = to_model(take, mapping)
    return apply_motion(residual, positions), mapping


@pytest.mark.parametrize("body", sorted(SCALES))
def test_feet_stay_in_place_on_rigs_of_any_proportions(body):
    sliding, resting = sliding_walk()
    take, mapping = rig_walk(body, sliding)
    _, residual = to_model(take, mapping)
    locked = lock_rig_feet(residual, take, contacts=Contacts(resting))
    before, after = (foot_tracks(rig_legs(residual, t)) for t in (take, locked))
    assert metrics.contact_speed(before, resting, FPS) > 40.0
    assert metrics.contact_speed(after, resting, FPS) < 5.0
    legs = residual.bones[LEG_JOINTS[:, :3]].ravel()
    others = [b for b in range(len(take.names)) if b not in legs]
    assert np.array_equal(locked.rotation[:, others], take.rotation[:, others])  # hands, spine, toes
    still = [b for b in range(len(take.names)) if b != residual.bones[0]]
    assert np.array_equal(locked.location[:, still], take.location[:, still])


def test_locked_curves_stay_as_they_are():
    sliding, _ = sliding_walk()
    take, mapping = rig_walk("adult", sliding)
    _, residual = to_model(take, mapping)
    rotation, location = np.zeros(len(take.names), bool), np.zeros(len(take.names), bool)
    rotation[residual.bones[MODEL.index("left_knee")]] = location[residual.bones[0]] = True
    freedom = find_freedom(residual.bones, rotation, location)
    assert freedom.feet.tolist() == [False, False, True, True] and not freedom.pelvis
    noise = np.full(sliding.shape[:2], 0.02)
    steadied = steady_rig_feet(residual, take, noise, 1.0, freedom)
    np.testing.assert_allclose(steadied.location, take.location, atol=1e-12)
    left = residual.bones[LEG_JOINTS[0]]
    assert rot.angle_between(steadied.rotation[:, left], take.rotation[:, left]).max() < 1e-6
    right = residual.bones[LEG_JOINTS[1]]
    assert rot.angle_between(steadied.rotation[:, right], take.rotation[:, right]).max() > 1e-3
    assert steady_rig_feet(residual, take, noise, 1.0, Freedom(np.zeros(4, bool), True)) is take


def test_a_rig_without_toes_is_held_by_its_heels():
    sliding, resting = sliding_walk()
    take, mapping = rig_walk("adult", sliding)
    toeless = replace(mapping, joints=mapping.joints | {"left_toe": None, "right_toe": None})
    _, residual = to_model(take, toeless)
    found = find_rig_contacts(residual, take).resting
    assert found[:, [0, 2]].any() and not found[:, [1, 3]].any()
    locked = lock_rig_feet(residual, take)
    heels = [resting[:, [0, 2]], [rig_legs(residual, t)[:, :, 2] for t in (take, locked)]]
    assert metrics.contact_speed(heels[1][1], heels[0], FPS) < 0.4 * metrics.contact_speed(heels[1][0], heels[0], FPS)


def test_the_report_names_scene_frames_and_skating():
    sliding, resting = sliding_walk()
    swimming = sliding + 0.15 / FPS * np.arange(len(sliding))[:, None, None] * [1, 0, 0]
    take, mapping = rig_walk("adult", swimming)
    take = replace(take, frames=take.frames + 100.0)
    _, residual = to_model(take, mapping)
    after = lock_rig_feet(residual, take, contacts=Contacts(resting))
    report = report_feet(take, after, mapping, [slice(0, 80), slice(80, len(sliding))])
    assert report["skate_after"] < report["skate_before"]
    found = find_contacts(lock_feet(motion_of(swimming), contacts=Contacts(resting)).positions, FPS).ranges
    assert len(report["contacts"]) == len(found)
    assert report["contacts"][0] == {"joint": "left_ankle", "first": 101, "last": 101 + found[0].last}
