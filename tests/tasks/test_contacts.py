"""Contacts found on walks, stairs and jumps whose contacts are known."""

import numpy as np
import pytest

from pads_blender.core.skeleton import MODEL
from pads_blender.tasks.contacts import ContactRange, Contacts, find_contacts

from .walks import FPS, walk


def f1(found: np.ndarray, true: np.ndarray) -> float:
    return 2.0 * (found & true).sum() / max(found.sum() + true.sum(), 1)


def widened(resting: np.ndarray) -> np.ndarray:
    """Contacts (F,) with the tenth of a second about them in which a foot is neither quite on the floor nor off it."""
    return np.convolve(resting, np.ones(7), mode="same") > 0


@pytest.mark.parametrize(("rise", "pelvis"), [(0.0, 0.88), (0.25, 0.85), (-0.25, 0.85)])
def test_the_contacts_of_a_walk_are_found_on_flat_ground_and_on_stairs(rise, pelvis):
    made = walk(rise=rise, pelvis=pelvis, stride=0.5)
    found = find_contacts(made.positions, FPS).resting
    for column in range(4):
        assert not (found[:, column] & ~widened(made.resting[:, column])).any()
        assert not (made.resting[:, column] & ~widened(found[:, column])).any()


def test_twice_the_frame_rate_finds_the_same_contacts():
    made = walk()
    at = np.arange(0.0, len(made.positions) - 1, 0.5)
    low = at.astype(int)
    t = (at - low)[:, None, None]
    double = (1 - t) * made.positions[low] + t * made.positions[low + 1]
    once, twice = find_contacts(made.positions, FPS).resting, find_contacts(double, 2 * FPS).resting
    assert f1(twice[::2], once[: len(twice[::2])]) > 0.95


def test_nothing_rests_in_a_jump_nor_on_a_raised_knee():
    made = walk(steps=2, stride=0.0)
    standing = np.tile(made.positions[:1], (90, 1, 1))
    t = np.clip((np.arange(90) - 40) / 12.0, 0.0, 1.0)
    jump = standing + (0.30 * 4 * t * (1 - t))[:, None, None] * np.array([0.0, 0.0, 1.0])
    found = find_contacts(jump, FPS).resting
    assert not found[43:50].any() and found[:40].all() and found[53:].all()
    raised, leg = standing.copy(), MODEL.indices("left_knee", "left_ankle", "left_toe")
    lift = 0.3 * np.clip(np.minimum(np.arange(90) - 30, 60 - np.arange(90)) / 8.0, 0.0, 1.0)
    raised[:, leg] += lift[:, None, None] * np.array([0.0, 0.0, 1.0])
    found = find_contacts(raised, FPS).resting
    assert not found[33:57, :2].any() and found[:, 2:].all()


def test_ranges_can_be_edited_and_given_back():
    made = walk(steps=2)
    contacts = find_contacts(made.positions, FPS)
    again = Contacts.from_ranges(contacts.ranges, len(made.positions))
    assert np.array_equal(contacts.resting, again.resting)
    edited = Contacts.from_ranges((ContactRange("left_toe", -5, 3), ContactRange("right_ankle", 60, 900)), 64)
    assert edited.ranges == (ContactRange("left_toe", 0, 3), ContactRange("right_ankle", 60, 63))


def test_a_still_figure_without_height_of_its_own_rests_wherever_it_is():
    lifted = np.tile(MODEL.rest_positions[None], (30, 1, 1)) + 7.0
    assert find_contacts(lifted, FPS).resting.all()
