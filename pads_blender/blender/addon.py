"""What Blender switches on and off with the extension: classes, handlers, the command for batch work."""

import bpy

from . import batch

_CLASSES: tuple[type, ...] = ()
_commands: list[object] = []  # handles of registered commands, which Blender wants back


def register() -> None:
    """Make the extension's classes and its command known to Blender."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    _commands.append(bpy.utils.register_cli_command("pads", batch.main))


def unregister() -> None:
    """Undo register() in reverse."""
    while _commands:
        bpy.utils.unregister_cli_command(_commands.pop())
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
