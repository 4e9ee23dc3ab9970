"""What Blender switches on and off with the extension: classes, handlers, menus, the command for batch work."""

from collections.abc import Sequence

import bpy
from bpy.app.handlers import persistent

from .. import jobs
from . import (
    job_operator,
    joint_pickers,
    menus,
    operators_clean,
    operators_compare,
    operators_computer,
    operators_drag,
    operators_estimate,
    operators_feet,
    operators_generate,
    operators_in_between,
    operators_problems,
    operators_report,
    operators_rig,
    overlay,
    panels_clean,
    panels_estimate,
    panels_feet,
    panels_generate,
    panels_problems,
    panels_rig,
    preferences,
    properties,
    properties_estimate,
    properties_generate,
)

_MODULES = (
    preferences,
    joint_pickers,
    properties,
    properties_estimate,
    properties_generate,
    job_operator,
    operators_rig,
    operators_clean,
    operators_problems,
    operators_feet,
    operators_compare,
    operators_estimate,
    operators_in_between,
    operators_generate,
    operators_drag,
    operators_computer,
    operators_report,
    panels_rig,
    panels_clean,
    panels_problems,
    panels_feet,
    panels_estimate,
    panels_generate,
    menus,
)
_CLASSES = tuple(cls for module in _MODULES for cls in module.CLASSES)
_commands: list[object] = []  # handles of registered commands, which Blender wants back


def register() -> None:
    """Make all that the extension adds known to Blender."""
    for cls in _CLASSES:
        bpy.utils.register_class(cls)
    properties.register()
    properties_estimate.register()
    properties_generate.register()
    overlay.register()
    menus.register()
    bpy.app.handlers.load_pre.append(_stop_job)
    _commands.append(bpy.utils.register_cli_command("pads", _run_command))


def unregister() -> None:
    """Undo register() in reverse, after what is under way has been stopped."""
    jobs.stop()
    jobs.stop_behind()
    operators_drag.stop()
    while _commands:
        bpy.utils.unregister_cli_command(_commands.pop())
    bpy.app.handlers.load_pre.remove(_stop_job)
    menus.unregister()
    overlay.unregister()
    properties_generate.unregister()
    properties_estimate.unregister()
    properties.unregister()
    for cls in reversed(_CLASSES):
        bpy.utils.unregister_class(cls)
    from . import journal

    journal.close()


@persistent
def _stop_job(*_: object) -> None:
    """Another file is about to be opened: what was read from this one is of no use there."""
    jobs.stop()


def _run_command(arguments: Sequence[str]) -> int:
    """The command line, imported when it is used: Blender's start must not wait for it."""
    from . import batch

    return batch.main(arguments)
