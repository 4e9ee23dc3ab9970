"""The window stays alive while a job is under way: how long its main thread is away on a long take."""

import json

from .program import Sidebar, wait_for

FRAMES = 10_000
LENGTHEN = """
curves = bpy.context.object.animation_data.action.layers[0].strips[0].channelbags[0].fcurves
for curve in curves:
    keys = curve.keyframe_points
    count = len(keys)
    points = np.empty(2 * count, np.float32)
    keys.foreach_get("co", points)
    rows = np.abs((np.arange({frames}) + count - 1) % (2 * count - 2) - count + 1)
    keys.add({frames} - count)
    points = np.stack([1.0 + np.arange({frames}), points[1::2][rows]], axis=-1)
    keys.foreach_set("co", points.astype(np.float32).ravel())
    keys.foreach_set("interpolation", np.ones({frames}, np.int32))
    curve.update()
bpy.context.scene.frame_end = {frames}
answer = len(curves[0].keyframe_points)
"""
TIMED = """
import functools
operator = sys.modules["bl_ext.user_default.pads_mocap.blender.operators_clean"].PADS_OT_clean
calls = bpy.app.driver_namespace["calls"] = {"start": [], "job": [], "end": [], "over": []}
def phase(self, is_reading, result):
    if is_reading:
        return "start"
    return "end" if "FINISHED" in result or self._session.is_writing else "job"
def timed(method):
    @functools.wraps(method)
    def wrapped(self, context, event):
        is_reading, before = method.__name__ == "invoke" or self._session.task is None, Moment.now()
        result = method(self, context, event)
        after = Moment.now()
        spent = after.seconds - before.seconds - (after.queued - before.queued)
        calls[phase(self, is_reading, result)].append(spent)
        calls["over"] += [spent] if "FINISHED" in result else []
        return result
    return wrapped
bpy.utils.unregister_class(operator)
operator.invoke, operator.modal = timed(operator.invoke), timed(operator.modal)
bpy.utils.register_class(operator)
"""
CALLS = "bpy.app.driver_namespace['calls']"
PRESS = """
with bpy.context.temp_override(window=window(), area=area(), region=region("WINDOW")):
    bpy.ops.pads.clean("INVOKE_DEFAULT")
"""


def test_a_long_take_leaves_the_window_free(program, rig, screenshots):
    """No call that reads the take or writes the result takes a second, and none of those in between 50 ms.

    How long the worker keeps the main thread waiting is measured by tests/blender/test_main_thread.py, where nothing
    is drawn: without a graphics card the sidebar alone takes longer. Here the calls of the operator are timed.
    """
    assert program.run(LENGTHEN.format(frames=FRAMES)) == FRAMES  # the take, to and fro
    program.run(TIMED)
    Sidebar(program)
    program.run(PRESS)
    wait_for(lambda: program.ask(f"bool({CALLS}['over'])"), seconds=600.0, every=2.0)
    seconds = program.ask(CALLS)
    screenshots.mkdir(exist_ok=True)
    (screenshots / "pauses.json").write_text(json.dumps({name: sorted(each)[-20:] for name, each in seconds.items()}))
    assert max(seconds["start"]) < 1.0 and max(seconds["end"]) < 1.0
    assert len(seconds["job"]) > 50 and max(seconds["job"]) < 0.05
