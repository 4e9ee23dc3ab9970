"""Bones turned as they were measured, without their jitter, under joints that keep their places."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from pads_blender.core import rotations as rot
from pads_blender.core.retarget import Residual, apply_motion, rig_positions, to_model
from pads_blender.core.rig import RigTake
from pads_blender.core.skeleton import MODEL
from pads_blender.tasks import turns
from pads_blender.tasks.turns import heed_turns

from ..core.bodies import build_take, random_motion

JITTER = np.radians(3.0)
PLACE_NOISE = 0.02  # metres


@dataclass(frozen=True)
class Case:
    """A rig's true take, the same with jitter on every bone, and one whose joints lie near the true places."""

    true: RigTake
    measured: RigTake
    placed: RigTake
    residual: Residual

    def heeded(
        self, measured: RigTake | None = None, unheard: np.ndarray | None = None, strength: float = 1.0
    ) -> RigTake:
        unheard = np.zeros(self.true.rotation.shape[:2], bool) if unheard is None else unheard
        noise = np.full(len(self.residual.bones), PLACE_NOISE)
        return heed_turns(self.residual, measured or self.measured, self.placed, noise, unheard, strength)


@pytest.fixture(scope="module")
def case() -> Case:
    true, mapping = build_take(*random_motion(200, degrees=25.0), unit=0.01)
    rng = np.random.default_rng(1)
    turned = rot.from_rotation_vector(JITTER * rng.standard_normal((*true.rotation.shape[:2], 3)))
    measured = replace(true, rotation=rot.multiply(true.rotation, turned))
    residual, places = to_model(measured, mapping)[1], to_model(true, mapping)[0].positions
    slow = np.sin(2 * np.pi * (np.arange(200)[:, None, None] / 60.0 + rng.random((1, *places.shape[1:]))))
    return Case(true, measured, apply_motion(residual, places + 0.008 * slow), residual)


def rotation_error(residual, take, true) -> float:
    """RMS degrees of the mapped bones' own rotations."""
    bones = residual.bones[residual.bones >= 0]
    away = rot.angle_between(rot.normalise(take.rotation[:, bones]), rot.normalise(true.rotation[:, bones]))
    return float(np.degrees(np.sqrt(np.mean(away**2))))


def place_error(residual, take, true) -> float:
    """Mean millimetres of the joints."""
    return float(1000 * np.linalg.norm(rig_positions(residual, take) - rig_positions(residual, true), axis=-1).mean())


def test_rotations_come_nearer_and_places_stay(case):
    result = case.heeded()
    before, after = (rotation_error(case.residual, take, case.true) for take in (case.placed, result))
    assert after < 0.75 * before
    assert place_error(case.residual, result, case.true) < 1.05 * place_error(case.residual, case.placed, case.true)


def test_what_is_unheard_has_no_say(case):
    """An arm whose rotations are nonsense, but not heard, changes nothing."""
    arm = case.residual.bones[MODEL.indices("left_shoulder", "left_elbow")]
    nonsense = case.measured.rotation.copy()
    nonsense[:, arm] = rot.multiply(nonsense[:, arm], rot.from_rotation_vector(np.array([1.0, 0.0, 0.0])))
    unheard = np.zeros(nonsense.shape[:2], bool)
    unheard[:, arm] = True
    expected = case.heeded(unheard=unheard)
    found = case.heeded(replace(case.measured, rotation=nonsense), unheard)
    assert np.allclose(found.rotation, expected.rotation, atol=1e-9)
    assert not np.allclose(case.heeded().rotation, expected.rotation, atol=1e-3)


def test_a_take_without_jitter_is_left_as_it_is(case):
    result = replace(case, measured=case.true, placed=case.true).heeded()
    away = rot.angle_between(rot.normalise(result.rotation), rot.normalise(case.true.rotation))
    assert np.degrees(away).max() < 0.1
    assert np.abs(result.location - case.true.location).max() < 1e-4 * np.ptp(case.true.location)


def test_strength_scales_the_turns(case):
    """Half of a turn of each bone at half strength, none at all at 0."""
    whole, half, none = (case.heeded(strength=strength) for strength in (1.0, 0.5, 0.0))
    assert none is case.placed
    turned = [rot.angle_between(rot.normalise(t.rotation), rot.normalise(case.placed.rotation)) for t in (half, whole)]
    assert np.degrees(turned[1].max()) > 1.0 and np.allclose(2.0 * turned[0], turned[1], atol=1e-6)


def test_frames_do_not_depend_on_how_many_are_solved_at_once(case, monkeypatch):
    whole = case.heeded()
    monkeypatch.setattr(turns, "_CHUNK", 17)
    assert np.allclose(case.heeded().rotation, whole.rotation, atol=1e-9)
