"""Clean Mocap as an animator uses it: with the mouse, in the real window, from the import to the saved file."""

import time

from .program import Sidebar, wait_for

ACTION = "bpy.context.object.animation_data.action.name"
JOB = "import sys; job = sys.modules['bl_ext.user_default.pads_mocap.jobs'].running(); answer = "
ACTIONS = "sorted(bpy.data.actions.keys())"


def is_busy(program) -> bool:
    return program.run(JOB + "job is not None")


def share_done(program) -> float:
    return program.run(JOB + "job.progress.share if job else 0.0")


def test_from_import_to_the_saved_file(program, long_rig, screenshots, tmp_path):
    sidebar = Sidebar(program)
    original, before = program.ask(ACTION), program.ask(ACTIONS)

    sidebar.press("pads.clean")
    wait_for(lambda: share_done(program) > 0.05)
    time.sleep(0.6)  # the tab is drawn anew ten times a second
    program.screen.picture(screenshots / "progress.png")
    program.screen.key("Escape")
    wait_for(lambda: not is_busy(program))
    assert program.ask(ACTIONS) == before

    sidebar.press("pads.clean")
    wait_for(lambda: program.ask(ACTIONS) != before and not is_busy(program))
    cleaned = program.ask(ACTION)
    assert cleaned != original and program.ask(f"bpy.data.actions[{original!r}].use_fake_user")
    time.sleep(1.0)
    program.screen.picture(screenshots / "cleaned.png")

    sidebar.press("pads.compare")
    wait_for(lambda: program.ask(ACTION) == original)
    sidebar.press("pads.compare")
    wait_for(lambda: program.ask(ACTION) == cleaned)

    sidebar.press("pads.accept")
    wait_for(lambda: "pads_original" not in program.ask("list(bpy.context.object.animation_data.action.keys())"))
    file = str(tmp_path / "cleaned.blend")
    program.run(f"bpy.ops.wm.save_as_mainfile(filepath={file!r})")
    program.run(f"bpy.ops.wm.open_mainfile(filepath={file!r})")
    assert wait_for(lambda: program.ask(ACTION)) == cleaned
    assert set(before) < set(program.ask(ACTIONS))
