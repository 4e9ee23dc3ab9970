"""Some seconds of random moves in the window; `python -m tests.reliability window` goes on for two minutes."""

from .hammering import count_timer_events, hammer_window

SECONDS = 12.0


def test_no_order_of_moves_breaks_the_window(program, tmp_path):
    blows = hammer_window(program, 0, SECONDS, tmp_path, 1)
    assert blows.steps > 3


def test_a_timer_that_is_left_behind_is_noticed(program):
    """Or else the hammer would prove nothing."""
    add = "timer = bpy.context.window_manager.event_timer_add(0.05, window=window())"
    program.run(f"{add}; bpy.app.driver_namespace['timer'] = timer")
    assert count_timer_events(program) > 0
    program.run("bpy.context.window_manager.event_timer_remove(bpy.app.driver_namespace.pop('timer'))")
    assert count_timer_events(program) == 0
