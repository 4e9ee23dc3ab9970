"""Copy Report puts its text on the clipboard, which only a Blender with a window has."""


def test_the_report_is_on_the_clipboard(program):
    program.run("bpy.ops.pads.copy_report()")
    text = program.ask("bpy.context.window_manager.clipboard")
    assert text.startswith("PADS report\nPADS: ") and "with a window" in text
    assert "Devices:" in text and "Rig: no armature is active" in text and "/" not in text.partition("Log:")[2]
