"""What works on a long take as a whole does so in steps, at each of which it stops at once; long_takes.py does all."""

from dataclasses import replace

import numpy as np
import pytest

from pads_blender.errors import CancelledError
from pads_blender.tasks import pieces
from pads_blender.tasks.complete import interpolate_rotations
from pads_blender.tasks.kept import Kept, pass_through
from pads_blender.tasks.repair import find_lost_bones

from .long_takes import hold_feet, long_take, waits_of

FRAMES = 20_000  # at 250,000 each of these takes many seconds


def carry_travel(take, _mapping, _prior, on_step):
    pieces.carry_travel(take, replace(take, location=take.location + 0.1), on_step)


def lose_bones(take, _mapping, _prior, on_step):
    find_lost_bones(take, np.arange(22), on_step)


def keep_bones(take, _mapping, _prior, on_step):
    whole = np.ones(take.rotation.shape[:2], bool)
    pass_through(take, replace(take, location=take.location + 0.1), Kept(whole, whole), on_step)


def bridge_bones(take, _mapping, _prior, on_step):
    hidden = np.zeros(take.rotation.shape[:2], bool)
    hidden[1::50] = True
    interpolate_rotations(take, hidden, on_step)


@pytest.fixture(scope="module")
def take_and_mapping():
    return long_take(FRAMES)


@pytest.mark.parametrize("task", [hold_feet, carry_travel, lose_bones, keep_bones, bridge_bones])
def test_a_long_take_is_cancelled_soon(task, take_and_mapping):
    waits = waits_of(task, *take_and_mapping, None)
    assert max(waits).seconds < max(0.1 * sum(wait.seconds for wait in waits), 0.15)

    def cancel(*_):
        raise CancelledError("Cancelled.")

    with pytest.raises(CancelledError):
        task(*take_and_mapping, None, cancel)
