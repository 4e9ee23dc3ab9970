"""What the hammer may do to Blender: each move, how often it is made, and whether undo has to be told of it.

Everything is looked up anew in each move, for undo and loading leave no reference to Blender's data valid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from pads_blender.blender import addon
from pads_blender.blender.compat import find_channelbag, select_bone
from pads_blender.blender.files import import_bvh
from pads_blender.blender.operators_clean import clean_task
from pads_blender.blender.session import Session
from pads_blender.blender.snapshot import take_snapshot
from pads_blender.core.bvh import parse_bvh
from pads_blender.errors import PadsError
from pads_blender.tasks.clean import CleanSettings

from ..shaky_takes import shaky_take
from .leftovers import is_marked, mark

if TYPE_CHECKING:
    from .hammer import Hammer

FRAMES = 24
_MOST_ARMATURES = 3
DIALOGUES = {"save_preset", "load_preset", "test_computer"}  # want a file, or take seconds of trials


@dataclass(frozen=True)
class Move:
    """Something to do, so many times as often as a move of weight 1; do: returns a name if that depends."""

    do: Callable[[Hammer], str | None]
    weight: int
    is_undo_step: bool = True  # False: the operators in it tell undo themselves, or there is nothing to tell

    @property
    def name(self) -> str:
        """As it stands in the list of what was done."""
        return self.do.__name__


def to_object_mode() -> None:
    """Leave whatever other mode the active object is in."""
    if bpy.context.object and bpy.context.object.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")


def import_take(hammer: Hammer) -> None:
    armatures = [each for each in bpy.context.scene.objects if each.type == "ARMATURE"]
    if len(armatures) >= _MOST_ARMATURES:
        return
    to_object_mode()
    armature = import_bvh(parse_bvh(shaky_take(FRAMES)), Path(f"take{hammer.rng.randrange(3)}.bvh"))
    mark(armature.animation_data.action)


def press(hammer: Hammer) -> str:
    """Any button of PADS that can be pressed; those that cannot say so."""
    names = sorted(set(dir(bpy.ops.pads)) - DIALOGUES)
    name = hammer.rng.choice(names)
    operator = getattr(bpy.ops.pads, name)
    if operator.poll() or hammer.rng.random() < 0.1:
        operator("EXEC_DEFAULT", True)
        return f"pads.{name}"
    return "button that is grey"


def press_clean(hammer: Hammer) -> None:
    bpy.ops.pads.clean("EXEC_DEFAULT", True)


def begin_session(hammer: Hammer) -> None:
    """A job that goes on in its thread while other moves are made."""
    armature = hammer.armature()
    if armature is None or hammer.session is not None:
        return
    hammer.session = Session(clean_task("Cleaning", [take_snapshot(armature)], [CleanSettings(steps=1)]))


def step_session(hammer: Hammer) -> None:
    """The job under way to its end, or only so far that its result waits to be applied."""
    steps = hammer.rng.choice((1, 2, 100_000, 100_000))
    if hammer.session is None:
        return
    hammer.session.job.join()
    said = None
    try:
        while said is None and (steps > 0 or hammer.session.is_writing):  # the window lets nothing pass meanwhile
            said, steps = hammer.session.step(), steps - 1
            if hammer.session.task and hammer.session.task.must_wait():
                return
    except PadsError:
        hammer.session = None
        raise
    if said is not None:
        hammer.session = None


def undo(_: Hammer) -> None:
    bpy.ops.ed.undo()


def redo(_: Hammer) -> None:
    bpy.ops.ed.redo()


def save(hammer: Hammer) -> None:
    path = hammer.folder / f"scene{hammer.rng.randrange(2)}.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True, check_existing=False)


def load(hammer: Hammer) -> None:
    """A file that was saved before, or an empty one."""
    saved = sorted(hammer.folder.glob("*.blend"))
    if saved and hammer.rng.random() < 0.7:
        bpy.ops.wm.open_mainfile(filepath=str(hammer.rng.choice(saved)), load_ui=False)
    else:
        bpy.ops.wm.read_homefile(use_empty=True, load_ui=False)


def delete_armature(hammer: Hammer) -> None:
    armature = hammer.armature()
    if armature is not None:
        to_object_mode()
        bpy.data.objects.remove(armature)


def delete_action(hammer: Hammer) -> None:
    if len(bpy.data.actions):
        bpy.data.actions.remove(hammer.rng.choice(list(bpy.data.actions)))


def purge(_: Hammer) -> None:
    bpy.ops.outliner.orphans_purge(do_recursive=True)


def choose(hammer: Hammer) -> None:
    """Another active armature, another mode, other selected bones."""
    armature = hammer.armature()
    if armature is None:
        return
    to_object_mode()
    bpy.context.view_layer.objects.active = armature
    for each in bpy.context.scene.objects:
        each.select_set(each is armature or hammer.rng.random() < 0.3)
    bpy.ops.object.mode_set(mode=hammer.rng.choice(("OBJECT", "POSE", "POSE", "EDIT")))
    if armature.mode == "POSE":
        bpy.ops.pose.select_all(action=hammer.rng.choice(("SELECT", "DESELECT", "INVERT")))


def choose_bones(hammer: Hammer) -> None:
    """One to three bones in Pose Mode, one of them the active one."""
    armature = hammer.armature()
    if armature is None or not len(armature.data.bones):
        return
    to_object_mode()
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="POSE")
    names = [bone.name for bone in armature.pose.bones]
    chosen = hammer.rng.sample(names, min(len(names), hammer.rng.choice((1, 2, 3))))
    for bone in armature.pose.bones:
        select_bone(bone, bone.name in chosen)
    armature.data.bones.active = armature.data.bones[chosen[0]]


def edit_keys(hammer: Hammer) -> None:
    """Move some keys of the action that is shown, as an animator would between two presses."""
    armature = hammer.armature()
    animation = armature and armature.animation_data
    if not animation or not animation.action or not animation.action_slot:
        return
    bag = find_channelbag(animation.action, animation.action_slot)
    for curve in list(bag.fcurves)[: hammer.rng.randrange(5)] if bag else ():
        for key in list(curve.keyframe_points)[:3]:
            key.co[1] += hammer.rng.uniform(-0.1, 0.1)
        curve.update()
    mark(animation.action)


def edit_rig(hammer: Hammer) -> None:
    """Rename a bone, change a mode of rotation, remove a bone, rename the armature."""
    armature = hammer.armature()
    if armature is None or not len(armature.data.bones):
        return
    bone, kind = hammer.rng.choice(list(armature.data.bones)), hammer.rng.randrange(4)
    if kind == 0 and armature.mode != "EDIT":
        bone.name = hammer.rng.choice(("Bone", "LeftArm", "Ünïcode"))
    elif kind == 1 and armature.mode != "EDIT":
        armature.pose.bones[bone.name].rotation_mode = hammer.rng.choice(("XYZ", "QUATERNION", "AXIS_ANGLE"))
    elif kind == 2:
        armature.name = hammer.rng.choice(("Actor", "take0", "x" * 60))
    elif armature.mode == "EDIT":
        armature.data.edit_bones.remove(hammer.rng.choice(list(armature.data.edit_bones)))
    for action in bpy.data.actions:  # a renamed bone takes its curves along
        if is_marked(action):
            mark(action)


def change_setting(hammer: Hammer) -> None:
    """Another value for any setting of PADS; Quality stays at Fast, which has the same steps in less time."""
    settings = bpy.context.scene.pads
    properties = [each for each in settings.bl_rna.properties if each.identifier not in ("rna_type", "name")]
    chosen = hammer.rng.choice([each for each in properties if not each.is_readonly])
    if chosen.type == "ENUM" and chosen.is_enum_flag:
        value = {item.identifier for item in chosen.enum_items if hammer.rng.random() < 0.7}
    elif chosen.type == "ENUM":
        value = hammer.rng.choice([item.identifier for item in chosen.enum_items])
    elif chosen.type == "BOOLEAN":
        value = hammer.rng.random() < 0.5
    elif chosen.type in ("INT", "FLOAT"):
        low, high = (chosen.soft_min, chosen.soft_max) if chosen.type == "FLOAT" else (0, 3)
        value = hammer.rng.uniform(low, high) if chosen.type == "FLOAT" else hammer.rng.randint(low, high)
    else:
        return
    setattr(settings, chosen.identifier, value)
    settings.quality = "FAST"


def set_frame(hammer: Hammer) -> None:
    bpy.context.scene.frame_set(hammer.rng.randrange(-5, FRAMES + 20))


def switch_off_and_on(hammer: Hammer) -> None:
    hammer.end()
    addon.unregister()
    addon.register()


MOVES = (
    Move(import_take, 4),
    Move(press, 14, is_undo_step=False),
    Move(press_clean, 3, is_undo_step=False),
    Move(begin_session, 3),
    Move(step_session, 6),
    Move(undo, 6, is_undo_step=False),
    Move(redo, 3, is_undo_step=False),
    Move(save, 1, is_undo_step=False),
    Move(load, 1, is_undo_step=False),
    Move(delete_armature, 1),
    Move(delete_action, 1),
    Move(purge, 1, is_undo_step=False),
    Move(choose, 4),
    Move(choose_bones, 4),
    Move(edit_keys, 2),
    Move(edit_rig, 1),
    Move(change_setting, 4),
    Move(set_frame, 1),
    Move(switch_off_and_on, 1),
)
