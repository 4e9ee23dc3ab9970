"""What is drawn over the 3D View: the ghost of the original motion, and broken bones in colour. The window only."""

import bpy
import numpy as np

from . import comparison, problem_list
from .joint_pickers import shown_mapping

_GHOST_COLOUR, _GHOST_WIDTH = (0.35, 0.65, 1.0, 0.7), 2.0
_BROKEN_WIDTH = 5.0
_WORST_MILLIMETRES = 200.0  # from here on a bone is all red
_handles: list[object] = []  # of the drawing function, which Blender wants back


def register() -> None:
    """Have draw() called for each 3D View."""
    if not bpy.app.background:
        _handles.append(bpy.types.SpaceView3D.draw_handler_add(draw, (), "WINDOW", "POST_VIEW"))


def unregister() -> None:
    """No more."""
    while _handles:
        bpy.types.SpaceView3D.draw_handler_remove(_handles.pop(), "WINDOW")


def draw() -> None:
    """Draw what the scene's settings ask for."""
    context = bpy.context
    armature, settings = context.object, context.scene.pads
    if armature is None or armature.type != "ARMATURE" or armature.mode == "EDIT":
        return
    if not shows_overlays(context.space_data, armature):
        return
    if settings.show_ghost:
        _draw_lines(comparison.ghost_lines(armature, context.scene.frame_current_final), _GHOST_COLOUR, _GHOST_WIDTH)
    if settings.show_problems:
        for severity, lines in broken_lines(armature, context.scene.frame_current_final):
            _draw_lines(lines, colour_of(severity), _BROKEN_WIDTH)


def shows_overlays(view: bpy.types.SpaceView3D, armature: bpy.types.Object) -> bool:
    """Whether the view shows the armature's bones: what is drawn upon them comes and goes with them."""
    return view.overlay.show_overlays and view.overlay.show_bones and armature.visible_in_viewport_get(view)


def broken_lines(armature: bpy.types.Object, frame: float) -> list[tuple[float, np.ndarray]]:
    """Severity in millimetres, head and tail (1, 2, 3) in the world of each bone that is broken in this frame."""
    broken, mapping = {}, shown_mapping(armature).mapping
    for problem in armature.pads.problems if problem_list.is_about_shown(armature) else ():
        if problem.first <= frame <= problem.last:
            own = (mapping.bone(joint) for joint in problem.joints.split(",") if joint)
            for name in {problem.bone, *filter(None, own)}:
                broken[name] = max(problem.severity, broken.get(name, 0.0))
    bones, world = armature.pose.bones, armature.matrix_world
    lines = {name: [world @ bones[name].head, world @ bones[name].tail] for name in broken if name in bones}
    return [(broken[name], np.array([line])) for name, line in lines.items()]


def colour_of(severity: float) -> tuple[float, float, float, float]:
    """Yellow for what is hardly off, red for what is far off, in millimetres."""
    return (1.0, 0.85 * (1.0 - min(severity / _WORST_MILLIMETRES, 1.0)), 0.05, 0.9)


def _draw_lines(lines: np.ndarray, colour: tuple[float, float, float, float], width: float) -> None:
    import gpu
    from gpu_extras.batch import batch_for_shader

    if not len(lines):
        return
    shader = gpu.shader.from_builtin("POLYLINE_UNIFORM_COLOR")
    shader.uniform_float("viewportSize", gpu.state.viewport_get()[2:])
    shader.uniform_float("lineWidth", width * bpy.context.preferences.system.pixel_size)
    shader.uniform_float("color", colour)
    gpu.state.blend_set("ALPHA")
    points = [tuple(point) for point in lines.reshape(-1, 3)]
    batch_for_shader(shader, "LINES", {"pos": points}).draw(shader)
    gpu.state.blend_set("NONE")
