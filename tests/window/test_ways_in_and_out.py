"""Another way to the buttons than the sidebar, and another end of a job than Cancel."""

import time

from .program import wait_for

JOB = "import sys; job = sys.modules['bl_ext.user_default.pads_mocap.jobs'].running(); answer = "
IN_VIEW = 'with bpy.context.temp_override(window=window(), area=area(), region=region("WINDOW")):\n    '


def test_the_menu_is_drawn(program, rig, screenshots):
    program.screen.move(700, 500)
    program.run(IN_VIEW + 'bpy.ops.wm.call_menu(name="PADS_MT_tools")')
    time.sleep(2.0)
    program.screen.picture(screenshots / "menu.png")
    program.screen.key("Escape")
    assert "Traceback" not in program.log(), program.log()[-3000:]


def test_the_search_finds_the_button(program, long_rig, screenshots):
    program.screen.move(700, 500)
    program.run(IN_VIEW + 'bpy.ops.wm.search_menu("INVOKE_DEFAULT")')  # what F3 does, which this screen has no key for
    time.sleep(1.0)
    program.screen.do("xdotool type --delay 60 'Clean Mocap'")
    time.sleep(1.0)
    program.screen.picture(screenshots / "search.png")
    program.screen.key("Return")
    wait_for(lambda: program.run(JOB + "job is not None"))
    program.screen.key("Escape")
    wait_for(lambda: not program.run(JOB + "job is not None"))


def test_esc_stops_a_playing_animation_first(program, long_rig):
    program.run(IN_VIEW + 'bpy.ops.pads.clean("INVOKE_DEFAULT")')
    wait_for(lambda: program.run(JOB + "job.progress.share > 0.0 if job else False"))
    program.run(IN_VIEW + "bpy.ops.screen.animation_play()")
    wait_for(lambda: program.ask("window().screen.is_animation_playing"))
    program.screen.move(700, 500)
    program.screen.key("Escape")
    wait_for(lambda: not program.ask("window().screen.is_animation_playing"))
    assert program.run(JOB + "job is not None and not job.is_cancelled")
    program.screen.key("Escape")
    wait_for(lambda: not program.run(JOB + "job is not None"))


def test_blender_quits_while_a_job_is_under_way(program, rig):
    program.run(IN_VIEW + 'bpy.ops.pads.clean("INVOKE_DEFAULT")')
    wait_for(lambda: program.run(JOB + "job.progress.share > 0.0 if job else False"))
    program.run("bpy.app.timers.register(lambda: bpy.ops.wm.quit_blender() and None, first_interval=0.2)")
    wait_for(lambda: program.process.poll() is not None)
    assert program.process.returncode == 0
    assert "Traceback" not in program.log(), program.log()[-3000:]
