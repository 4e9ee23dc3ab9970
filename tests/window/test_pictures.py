"""Each panel in each of its states: its button is there for the mouse, and a picture of it for somebody to look at."""

import time

import pytest

from .program import Sidebar

FIND = "bpy.ops.pads.find_problems(); bpy.ops.pads.find_contacts()"
CLEAN = "bpy.context.scene.pads.show_ghost = True; bpy.ops.pads.clean(); bpy.context.scene.frame_set(80); frame_rig()"
# Picture, what has happened, the panels that are open, a button that must be there
STATES = (
    ("new", "pass", "PADS_PT_rig PADS_PT_clean", "pads.clean"),
    ("nothing_selected", "bpy.context.view_layer.objects.active = None", "PADS_PT_rig PADS_PT_clean", ""),
    ("settings", "pass", "PADS_PT_clean PADS_PT_settings", "pads.clean"),
    ("rig", "pass", "PADS_PT_rig PADS_PT_joints", "pads.guess_mapping"),
    ("problems", FIND, "PADS_PT_problems", "pads.fix_all_problems"),
    ("feet_and_fill", FIND, "PADS_PT_feet PADS_PT_fill", "pads.lock_feet"),
    ("compare", CLEAN, "PADS_PT_clean PADS_PT_compare PADS_PT_differences", "pads.accept"),
)
EDITORS = (
    ("graph", "GRAPH_EDITOR", CLEAN, "PADS_PT_clean_graph PADS_PT_compare_graph PADS_PT_problems_graph", "pads.accept"),
    ("dopesheet", "DOPESHEET_EDITOR", FIND, "PADS_PT_fill_dopesheet PADS_PT_feet_dopesheet", "pads.lock_feet"),
)
PREFERENCES = """
import addon_utils
area().type = "PREFERENCES"
bpy.context.preferences.active_section = "ADDONS"
bpy.context.window_manager.addon_search = "PADS"
bpy.ops.preferences.addon_expand(module="bl_ext.user_default.pads_mocap")
"""
THEME = """
theme = bpy.utils.preset_paths("interface_theme")[0] + "/Blender_{theme}.xml"
bpy.ops.script.execute_preset(filepath=theme, menu_idname="USERPREF_MT_interface_theme_presets")
bpy.context.preferences.view.ui_scale = {scale}
"""


@pytest.mark.parametrize(("name", "script", "panels", "button"), STATES, ids=[state[0] for state in STATES])
def test_a_state(program, rig, screenshots, name, script, panels, button):
    program.run(f"open_panels(*{panels.split()!r})\n{script}")
    sidebar = Sidebar(program)
    if button:
        sidebar.find(button)
    program.screen.move(300, 500)
    time.sleep(1.0)
    program.screen.picture(screenshots / f"{name}.png")


@pytest.mark.parametrize(("name", "editor", "script", "panels", "button"), EDITORS, ids=[each[0] for each in EDITORS])
def test_another_editor(program, rig, screenshots, name, editor, script, panels, button):
    large = "area('DOPESHEET_EDITOR').type = 'INFO'; area()"  # the timeline is one, too
    program.run(f"open_panels(*{panels.split()!r})\n{script}\n{large}.type = {editor!r}")
    Sidebar(program, editor).find(button)
    program.screen.move(300, 500)
    time.sleep(1.0)
    program.screen.picture(screenshots / f"{name}.png")


def test_the_preferences(program, rig, screenshots):
    program.run(PREFERENCES)
    time.sleep(2.0)
    program.screen.picture(screenshots / "preferences.png")
    assert "Traceback" not in program.log(), program.log()[-3000:]


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize("theme", ["Dark", "Light"])
def test_a_look(program, rig, screenshots, theme, scale):
    program.run(THEME.format(theme=theme, scale=scale))
    try:
        program.run(f"open_panels('PADS_PT_clean', 'PADS_PT_compare')\n{CLEAN}")
        Sidebar(program).find("pads.accept")
        program.screen.move(300, 500)
        time.sleep(1.0)
        program.screen.picture(screenshots / f"{theme.lower()}_{scale}.png")
    finally:
        program.run(THEME.format(theme="Dark", scale=1))


@pytest.mark.parametrize("column", [0.33, 0.53, 0.73])
def test_a_click_on_a_contact_goes_there(program, rig, screenshots, column):
    """On part, first or last frame of the first of two lines, two lines below the button."""
    program.run(
        "for frame in (12, 50, 80): bpy.context.scene.frame_set(frame); frame < 80 and bpy.ops.pads.add_contact()"
    )
    program.run("open_panels('PADS_PT_feet')")
    _, y = Sidebar(program).find("pads.find_contacts")
    left, _, width, _ = program.ask("place_of('UI', 'VIEW_3D')")
    program.screen.click(left + column * width, y - 54)
    time.sleep(1.0)
    program.screen.picture(screenshots / "contacts.png")
    assert program.ask("bpy.context.scene.frame_current") == 12
