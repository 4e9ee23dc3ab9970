"""Blender with PADS pressed, undone, loaded and deleted in random order; the same seed presses the same buttons.

`python -m tests.reliability.hammer SEED SECONDS [MOVES]` prints what came of it as JSON; a crash of Blender leaves the
moves before it in the file MOVES. Everything is looked up anew before each step, for undo and loading leave no
reference to Blender's data valid.
"""

import contextlib
import hashlib
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import bpy
import numpy as np

from pads_blender import jobs
from pads_blender.blender import addon
from pads_blender.blender.compat import find_channelbag
from pads_blender.blender.files import import_bvh
from pads_blender.blender.operators_clean import clean_task
from pads_blender.blender.session import Session
from pads_blender.blender.snapshot import take_snapshot
from pads_blender.core.bvh import parse_bvh
from pads_blender.errors import PadsError
from pads_blender.tasks.clean import CleanSettings

from ..shaky_takes import shaky_take

FRAMES = 24
_MOST_ARMATURES = 3
_MARK = "pads_hammer"  # custom property of an action: its name, and a digest of its keys when the hammer last made it
_COLLECTIONS = ("objects", "armatures", "actions", "meshes", "collections", "texts", "materials", "images")
_DIALOGUES = {"save_preset", "load_preset", "test_computer"}  # want a file, or take seconds of trials


class BrokenError(Exception):
    """Something that must never happen has happened."""


@dataclass
class Blows:
    """What a run of the hammer came to."""

    seed: int
    steps: int = 0
    seconds: float = 0.0
    done: dict[str, int] = field(default_factory=dict)  # operators that did their work
    refused: dict[str, int] = field(default_factory=dict)  # those that said why not
    megabytes: list[float] = field(default_factory=list)  # of memory, at even distances


class Hammer:
    """One run: random numbers, the session under way if any, and files that it saved."""

    def __init__(self, seed: int, folder: Path, moves: Path | None = None, kinds: "Kinds | None" = None) -> None:
        """moves: file for what was done; kinds: what may be done, and how often each (MOVES)."""
        self.rng, self.folder, self.blows = Random(seed), folder, Blows(seed)
        self._written = (moves or folder / "moves.txt").open("w", encoding="utf-8", buffering=1)
        self.session: Session | None = None
        self._moves = [move for move, weight in kinds or MOVES for _ in range(weight)]

    def step(self) -> str:
        """One move, and what must hold after it; the move's name."""
        move = self.rng.choice(self._moves)
        name = move.__name__.strip("_")
        self._written.write(f"{self.blows.steps} {name}\n")
        try:
            name = move(self) or name
            _count(self.blows.done, name)
            if move.__name__ not in _OWN_UNDO_STEP:  # a change unknown to undo is for Blender to break on
                bpy.ops.ed.undo_push(message=name)
        except (PadsError, RuntimeError) as error:
            if "Traceback" in str(error):
                raise BrokenError(f"step {self.blows.steps}, {name}: {error}") from error
            _count(self.blows.refused, name)
        self.blows.steps += 1
        self.check()
        return name

    def check(self) -> None:
        """No worker without a job, no key of an original changed, no key that is no number."""
        workers = [thread for thread in threading.enumerate() if thread.name.startswith("PADS")]
        if workers and jobs.running() is None and not jobs.is_busy_behind():
            raise BrokenError(f"step {self.blows.steps}: {workers[0].name} works for nobody")
        for action in bpy.data.actions:
            keys = keys_of(action)
            if not np.isfinite(keys).all():
                raise BrokenError(f"step {self.blows.steps}: {action.name} has a key that is no number")
            name, _, digest = action.get(_MARK, "").rpartition(":")
            if name == action.name and digest != digest_of(keys):
                raise BrokenError(f"step {self.blows.steps}: the keys of {action.name} were changed")

    def armature(self) -> bpy.types.Object | None:
        """Some armature of the scene."""
        found = [each for each in bpy.context.scene.objects if each.type == "ARMATURE"]
        return self.rng.choice(found) if found else None

    def end(self) -> None:
        """Whatever is under way ends."""
        jobs.stop()
        if self.session:
            with contextlib.suppress(PadsError):
                self.session.step()
            self.session = None


def _count(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1


def keys_of(action: bpy.types.Action) -> np.ndarray:
    """Frames and values (K, 2) of all keys of all slots."""
    bags = [bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags]
    parts = [np.zeros(0, np.float32)]
    for curve in (curve for bag in bags for curve in bag.fcurves):
        parts.append(np.empty(2 * len(curve.keyframe_points), np.float32))
        curve.keyframe_points.foreach_get("co", parts[-1])
    return np.concatenate(parts).reshape(-1, 2)


def digest_of(keys: np.ndarray) -> str:
    """Sixteen hexadecimal digits of keys."""
    return hashlib.blake2b(keys.tobytes(), digest_size=8).hexdigest()


def mark(action: bpy.types.Action) -> None:
    action[_MARK] = f"{action.name}:{digest_of(keys_of(action))}"


def _to_object_mode() -> None:
    if bpy.context.object and bpy.context.object.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")


# --- moves ------------------------------------------------------------------------------------------------------------


def _import_take(hammer: Hammer) -> None:
    armatures = [each for each in bpy.context.scene.objects if each.type == "ARMATURE"]
    if len(armatures) >= _MOST_ARMATURES:
        return
    _to_object_mode()
    armature = import_bvh(parse_bvh(shaky_take(FRAMES)), Path(f"take{hammer.rng.randrange(3)}.bvh"))
    mark(armature.animation_data.action)


def _press(hammer: Hammer) -> str:
    """Any button of PADS that can be pressed; those that cannot say so."""
    names = sorted(set(dir(bpy.ops.pads)) - _DIALOGUES)
    name = hammer.rng.choice(names)
    operator = getattr(bpy.ops.pads, name)
    if operator.poll() or hammer.rng.random() < 0.1:
        operator("EXEC_DEFAULT", True)
        return f"pads.{name}"
    return "button that is grey"


def _press_clean(hammer: Hammer) -> None:
    bpy.ops.pads.clean("EXEC_DEFAULT", True)


def _begin_session(hammer: Hammer) -> None:
    """A job that goes on in its thread while other moves are made."""
    armature = hammer.armature()
    if armature is None or hammer.session is not None:
        return
    hammer.session = Session(clean_task("Cleaning", [take_snapshot(armature)], [CleanSettings(steps=1)]))


def _step_session(hammer: Hammer) -> None:
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


def _undo(_: Hammer) -> None:
    bpy.ops.ed.undo()


def _redo(_: Hammer) -> None:
    bpy.ops.ed.redo()


def _save(hammer: Hammer) -> None:
    path = hammer.folder / f"scene{hammer.rng.randrange(2)}.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True, check_existing=False)


def _load(hammer: Hammer) -> None:
    """A file that was saved before, or an empty one."""
    saved = sorted(hammer.folder.glob("*.blend"))
    if saved and hammer.rng.random() < 0.7:
        bpy.ops.wm.open_mainfile(filepath=str(hammer.rng.choice(saved)), load_ui=False)
    else:
        bpy.ops.wm.read_homefile(use_empty=True, load_ui=False)


def _delete_armature(hammer: Hammer) -> None:
    armature = hammer.armature()
    if armature is not None:
        _to_object_mode()
        bpy.data.objects.remove(armature)


def _delete_action(hammer: Hammer) -> None:
    if len(bpy.data.actions):
        bpy.data.actions.remove(hammer.rng.choice(list(bpy.data.actions)))


def _purge(_: Hammer) -> None:
    bpy.ops.outliner.orphans_purge(do_recursive=True)


def _choose(hammer: Hammer) -> None:
    """Another active armature, another mode, other selected bones."""
    armature = hammer.armature()
    if armature is None:
        return
    _to_object_mode()
    bpy.context.view_layer.objects.active = armature
    for each in bpy.context.scene.objects:
        each.select_set(each is armature or hammer.rng.random() < 0.3)
    bpy.ops.object.mode_set(mode=hammer.rng.choice(("OBJECT", "POSE", "POSE", "EDIT")))
    if armature.mode == "POSE":
        bpy.ops.pose.select_all(action=hammer.rng.choice(("SELECT", "DESELECT", "INVERT")))


def _edit_keys(hammer: Hammer) -> None:
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


def _edit_rig(hammer: Hammer) -> None:
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
        if action.get(_MARK, "").startswith(f"{action.name}:"):
            mark(action)


def _change_setting(hammer: Hammer) -> None:
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


def _set_frame(hammer: Hammer) -> None:
    bpy.context.scene.frame_set(hammer.rng.randrange(-5, FRAMES + 20))


def _switch_off_and_on(hammer: Hammer) -> None:
    hammer.end()
    addon.unregister()
    addon.register()


Move = Callable[[Hammer], str | None]
Kinds = tuple[tuple[Move, int], ...]
MOVES: Kinds = (
    (_import_take, 4),
    (_press, 14),
    (_press_clean, 3),
    (_begin_session, 3),
    (_step_session, 6),
    (_undo, 6),
    (_redo, 3),
    (_save, 1),
    (_load, 1),
    (_delete_armature, 1),
    (_delete_action, 1),
    (_purge, 1),
    (_choose, 4),
    (_edit_keys, 2),
    (_edit_rig, 1),
    (_change_setting, 4),
    (_set_frame, 1),
    (_switch_off_and_on, 1),
)

_OWN_UNDO_STEP = {"_press", "_press_clean", "_undo", "_redo", "_save", "_load", "_purge", "_play", "_change_editor"}


# --- a whole run ------------------------------------------------------------------------------------------------------


def hammer(seed: int, seconds: float, most_steps: int | None = None, moves: Path | None = None) -> Blows:
    """A run for so long, PADS being registered; BrokenError says at which step what went wrong."""
    began = time.monotonic()
    with TemporaryDirectory() as folder:
        run = Hammer(seed, Path(folder), moves)
        bpy.ops.wm.read_homefile(use_empty=True, load_ui=False)
        left, marks = count_data(), 0
        while time.monotonic() - began < seconds and (most_steps is None or run.blows.steps < most_steps):
            run.step()
            if time.monotonic() - began > marks * seconds / 20:
                run.blows.megabytes.append(resident_megabytes())
                marks += 1
        run.end()
        bpy.ops.wm.read_homefile(use_empty=True, load_ui=False)
        compare("data-blocks", left, count_data())
    run.blows.seconds = round(time.monotonic() - began, 1)
    return run.blows


def count_data() -> dict[str, int]:
    """Data-blocks of the open file by kind."""
    return {name: len(getattr(bpy.data, name)) for name in _COLLECTIONS}


def count_handlers() -> dict[str, int]:
    """Functions that Blender calls at its events."""
    names = [name for name in dir(bpy.app.handlers) if isinstance(getattr(bpy.app.handlers, name), list)]
    return {name: len(getattr(bpy.app.handlers, name)) for name in names}


def compare(what: str, before: dict[str, int], after: dict[str, int]) -> None:
    """BrokenError where there is more or less than before."""
    if before != after:
        raise BrokenError(f"{what} are left behind: {before} before, {after} after")


def resident_megabytes() -> float:
    """Memory of this process; 0 where the system does not tell in this way."""
    with contextlib.suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6
    return 0.0


def main(seed: int, seconds: float, moves: Path | None = None) -> int:
    """The long form, in a process of its own."""
    before = count_handlers()
    addon.register()
    try:
        blows = hammer(seed, seconds, moves=moves)
    finally:
        addon.unregister()
    compare("handlers", before, count_handlers())
    if threading.active_count() > 1:
        raise BrokenError(f"threads are left behind: {threading.enumerate()}")
    print(json.dumps(asdict(blows) | {"blender": bpy.app.version_string}))
    return 0


if __name__ == "__main__":
    code = 1
    try:
        code = main(int(sys.argv[1]), float(sys.argv[2]), *map(Path, sys.argv[3:4]))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # the bpy 4.5 module can hang while the interpreter shuts down
