"""What Blender switches on and off with the extension: classes, handlers, the command for batch work."""

from collections.abc import Sequence

import bpy

from . import operators, panels

_CLASSES = (*operators.CLASSES, *panels.CLASSES)
_commands: list[object] = []  # handles of registered commands, which Blender wants back


def register() -> None:
    """Make the extension's classes and its command known to Blender."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    _commands.append(bpy.utils.register_cli_command("pads", _run_command))


def unregister() -> None:
    """Undo register() in reverse."""
    while _commands:
        bpy.utils.unregister_cli_command(_commands.pop())
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)


def _run_command(arguments: Sequence[str]) -> int:
    """The command line, imported when it is used: Blender's start must not wait for it."""
    from . import batch

    return batch.main(arguments)
