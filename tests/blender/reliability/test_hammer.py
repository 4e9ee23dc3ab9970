"""Seconds of random buttons, undo, loading and deleting; `python -m tests.reliability hammer` goes on for longer."""

import threading

import bpy
import pytest

from pads_blender.blender import addon
from tests.reliability.hammer import Hammer, hammer
from tests.reliability.leftovers import BrokenError, count_handlers, mark
from tests.reliability.moves import DIALOGUES


@pytest.mark.parametrize("seed", [0, 1])
def test_no_order_of_buttons_breaks_anything(seed, capfd):
    before = count_handlers()
    addon.register()
    try:
        blows = hammer(seed, seconds=6.0)
    finally:
        addon.unregister()
    assert blows.steps > 10 and sum(blows.done.values()) > 10
    assert count_handlers() == before
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("PADS")] == []
    assert "Traceback" not in capfd.readouterr().err


def test_the_buttons_that_are_passed_over_are_there(registered):
    """Or else one that was renamed would be pressed, and wait for a file."""
    assert set(dir(bpy.ops.pads)) > DIALOGUES


def test_the_hammer_notices_keys_that_were_changed(armature, tmp_path):
    """Or else it would prove nothing."""
    action, run = armature.animation_data.action, Hammer(0, tmp_path)
    mark(action)
    run.check()
    action.layers[0].strips[0].channelbags[0].fcurves[0].keyframe_points[0].co[1] += 1.0
    with pytest.raises(BrokenError, match="were changed"):
        run.check()


def test_a_result_that_gets_the_name_of_a_deleted_original_is_not_taken_for_it(armature, tmp_path):
    action, run = armature.animation_data.action, Hammer(0, tmp_path)
    mark(action)
    copy, name = action.copy(), action.name
    run.check()
    bpy.data.actions.remove(action)
    copy.name = name
    copy.layers[0].strips[0].channelbags[0].fcurves[0].keyframe_points[0].co[1] += 1.0
    run.check()
