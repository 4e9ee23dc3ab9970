"""The window stays alive while a job is under way: how long its main thread is away on a long take."""

import json
import time

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
DRAW = """
def draw():
    region("UI").tag_redraw()
    return 0.1
moments.clear()
bpy.app.timers.register(draw)
"""
PRESS = """
with bpy.context.temp_override(window=window(), area=area(), region=region("WINDOW")):
    bpy.ops.pads.clean("INVOKE_DEFAULT")
"""


def test_a_long_take_leaves_the_window_free(program, rig, screenshots):
    """Starting and applying take below 2 s each; in between the main thread is away for 50 ms at most.

    That is besides drawing the sidebar ten times a second, which without a graphics card takes longer than that.
    """
    assert program.run(LENGTHEN.format(frames=FRAMES)) == FRAMES  # the take, to and fro
    Sidebar(program)
    program.run(DRAW)
    time.sleep(5.0)
    program.run(PRESS)
    wait_for(lambda: program.ask("bool(pauses()['end'])"), seconds=900.0, every=5.0)
    seconds = program.ask("pauses()")
    screenshots.mkdir(exist_ok=True)
    (screenshots / "pauses.json").write_text(json.dumps({name: sorted(each)[-20:] for name, each in seconds.items()}))
    assert max(seconds["start"]) < 2.0 and max(seconds["end"]) < 2.0
    assert len(seconds["job"]) > 100 and max(seconds["job"]) < max(seconds["idle"]) + 0.05
