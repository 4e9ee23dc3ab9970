"""Every button of PADS, one after the other, on what is open in Blender, and what must hold after each. Needs bpy."""

import contextlib

import bpy

from pads_blender import jobs

from .leftovers import BrokenError, check_keys, compare, count_data, count_handlers, is_marked, mark
from .moves import DIALOGUES, to_object_mode

# What a button needs, one before it makes; all others come after these.
_FIRST = (
    *("guess_mapping", "find_problems", "mark_problems", "fix_problem", "ignore_problem", "discard"),
    *("find_problems", "fix_all_problems", "compare", "accept", "add_contact", "lock_feet", "remove_contact", "clean"),
)
FEW = ("guess_mapping", "find_problems", "find_contacts", "clean")
_POSING = ("complete_pose", "drag_pose", "vary_pose")  # what is selected is theirs to change, or to leave
GREY = "grey"
_WORDS = 4  # that the shortest sentence has


def all_buttons() -> list[str]:
    """Names of the operators that want no file and take no minutes, in the order in which they have most to do."""
    return [*_FIRST, *sorted(set(dir(bpy.ops.pads)) - DIALOGUES - {*_FIRST})]


def press_everything() -> dict[str, str]:
    """All buttons in Object Mode, in Pose Mode with all bones selected, and those for poses with one bone selected.

    What each said at last, as press_each has it; only what it said otherwise than that it is grey counts.
    """
    said = press_each(all_buttons())
    armature = bpy.context.object
    if armature is None or armature.type != "ARMATURE" or not armature.data.bones:
        return said
    with contextlib.suppress(RuntimeError):  # a linked one has no such mode
        bpy.ops.object.mode_set(mode="POSE")
        for action, names in (("SELECT", all_buttons()), ("DESELECT", _POSING)):
            bpy.ops.pose.select_all(action=action)
            armature.data.bones.active = armature.data.bones[-1]
            said |= {name: text for name, text in press_each(names).items() if text != GREY}
        to_object_mode()
    return said


def press_each(names: list[str] | tuple[str, ...]) -> dict[str, str]:
    """What each button says, nothing where it did its work; BrokenError where one broke something."""
    bpy.context.scene.pads.quality, bpy.context.scene.pads_generate.count = "FAST", 1
    if not any(map(is_marked, bpy.data.actions)):
        for action in bpy.data.actions:
            mark(action)
    return {name: _press(name) for name in names}


def _press(name: str) -> str:
    operator, data, handlers = getattr(bpy.ops.pads, name), count_data(), count_handlers()
    if bpy.context.object and len(bpy.context.object.pads.problems) and not bpy.context.object.library:
        bpy.context.object.pads.active_problem = 0  # as a click on it does
    if not operator.poll():
        return GREY
    said = ""
    try:
        operator("EXEC_DEFAULT", True)
    except RuntimeError as error:
        said = str(error)
        check_sentence(name, said)
        compare(f"data-blocks of {name}", data, count_data())
    compare(f"handlers of {name}", handlers, count_handlers())
    if jobs.running() is not None:
        raise BrokenError(f"{name} is not over")
    for action in bpy.data.actions:
        check_keys(action)
    return said


def check_sentence(name: str, text: str) -> None:
    """BrokenError where a button said something else than one sentence."""
    sentence = text.removeprefix("Error: ").strip()
    is_one = sentence.isprintable() and sentence.endswith((".", ").")) and len(sentence.split()) >= _WORDS
    if "Traceback" in text or not is_one:
        raise BrokenError(f"{name}: {text}")
