"""A key that is pressed while a result is written reaches nobody, not even when it is let go, soon or later."""

from .program import wait_for

LISTEN = """
class Listener(bpy.types.Operator):
    bl_idname, bl_label = "wm.pads_test_let_go", "Let Go"
    heard = 0
    def execute(self, context):
        Listener.heard += 1
        return {"FINISHED"}
bpy.utils.register_class(Listener)
keymap = bpy.context.window_manager.keyconfigs.addon.keymaps.new(name="Window")
keymap.keymap_items.new(Listener.bl_idname, "F8", "RELEASE")
bpy.app.driver_namespace["listener"] = Listener
"""
HEARD = "bpy.app.driver_namespace['listener'].heard"
# A result that is being written until it is told to be done.
BEGIN = """
blender = "bl_ext.user_default.pads_mocap.blender"
Task = sys.modules[blender + ".session"].Task
operator = sys.modules[blender + ".operators_clean"].PADS_OT_clean
prepare, done = operator.prepare, bpy.app.driver_namespace.setdefault("done", [])
def write(result):
    while not done:
        yield 0.5
    operator.prepare = prepare
    return "Done."
operator.prepare = lambda self, context: Task("Waiting", lambda on_step: None, write)
with bpy.context.temp_override(window=window(), area=area(), region=region("WINDOW")):
    bpy.ops.pads.clean("INVOKE_DEFAULT")
"""
RUNNING = "[each.bl_idname for each in window().modal_operators]"
STAGE = "sys.modules['bl_ext.user_default.pads_mocap.jobs'].running()"


def test_a_key_that_acts_when_it_is_let_go_does_nothing_meanwhile(program, rig):
    program.run(LISTEN)
    program.screen.move(450, 450)
    program.screen.key("F8")
    wait_for(lambda: program.ask(HEARD) == 1)  # or else nothing would be shown by what follows
    program.run(BEGIN)
    wait_for(lambda: program.ask(f"{STAGE} is not None and {STAGE}.progress.share == 0.5"))
    program.screen.key("F8")
    program.screen.do("xdotool keydown F8")
    program.screen.move(460, 450)
    program.run("bpy.app.driver_namespace['done'].append(True)")
    wait_for(lambda: program.ask(f"{STAGE} is None"))
    assert program.ask(RUNNING) == ["PADS_OT_keep_back"]
    program.screen.do("xdotool keyup F8")
    wait_for(lambda: not program.ask(RUNNING))
    assert program.ask(HEARD) == 1
    program.screen.key("F8")
    wait_for(lambda: program.ask(HEARD) == 2)
