"""Results of jobs onto their armatures, as the user prefers: as an action, or as NLA strips."""

import contextlib
from collections.abc import Sequence

import bpy
import numpy as np

from ..core.rig import CHANNELS, RigTake
from ..errors import TakeError
from ..tasks.repairs import Repairs
from .comparison import discard, get_comparison, stack_strips
from .evaluated_poses import keep_poses
from .evaluated_reader import is_evaluated
from .evaluation import find_object
from .parts import Pace, Parts
from .preferences import read_preferences
from .rig_writer import Written
from .snapshot import Snapshot, apply_result, find_armature

_SAME = 1e-7  # quaternions are of 32-bit numbers
_WORDS = {  # one, and several
    "jitter": ("shaking stretch", "shaking stretches"),
    "pop": ("pop", "pops"),
    "frozen": ("gap", "gaps"),
    "missing": ("gap", "gaps"),
    "swap": ("exchange of sides", "exchanges of sides"),
    "slide": ("slide", "slides"),
}


def deliver(snapshot: Snapshot, after: RigTake) -> Parts[Written]:
    """Put the result on the snapshot's armature; PadsError where it no longer fits, or where it changes nothing."""
    if not (yield from _differ(snapshot.take, after)):
        raise TakeError(f"{snapshot.armature} stays as it is: {_why_same(snapshot)}.")
    written = yield from apply_result(snapshot, after)
    try:
        if is_evaluated(snapshot.take):
            armature = find_armature(snapshot)
            yield from keep_poses(armature, bpy.data.actions[written.action], snapshot.take, after)
        if read_preferences().result == "NLA":
            stack_strips(find_armature(snapshot))
    except BaseException:  # cancelled between two parts, too
        take_back(snapshot, written)
        raise
    return written


def _why_same(snapshot: Snapshot) -> str:
    """Why nothing changed."""
    bones = [snapshot.take.names.index(joint.bone) for joint in snapshot.mapping.joints.values() if joint]
    all_kept = snapshot.kept.rotation[:, bones].all()
    return "its curves are locked, muted or kept" if all_kept else "there was nothing to change"


def take_back(snapshot: Snapshot, written: Written) -> None:
    """Show the original motion again and remove the result, as far as both are there."""
    with contextlib.suppress(TakeError):
        armature = find_object(snapshot.armature_uid, snapshot.armature)
        if get_comparison(armature).cleaned.name == written.action:
            discard(armature)


def _differ(before: RigTake, after: RigTake) -> Parts[bool]:
    """Whether anything is another than before, or no number; bone by bone."""
    pace, bones = Pace(), len(before.names)
    for number in range(bones):
        for name in CHANNELS:
            old, new = getattr(before, name)[:, number], getattr(after, name)[:, number]
            if not np.abs(new - old).max() < _SAME:
                return True
        if pace.is_pause_due(len(before.frames)):
            yield number / bones
    return False


def summary(written: Sequence[Written], repairs: Sequence[Repairs] = (), verb: str = "cleaned") -> str:
    """What became of one armature or several, in one sentence; repairs: of what was found to be broken.

    verb: what was done to the bones: cleaned, completed, changed.
    """
    bones = sum(len(each.keyed_bones) for each in written)
    locked = sum(len(each.locked_bones) for each in written)
    left = f"; {_bones(locked, 'locked ')} left alone" if locked else ""
    mended = _mended(repairs)
    if len(written) == 1:
        return f"{_bones(bones)} {verb} in {written[0].action}{mended}; {written[0].original} is kept{left}"
    return f"{_bones(bones)} of {len(written)} armatures {verb}{mended}; the original actions are kept{left}"


def _mended(repairs: Sequence[Repairs]) -> str:
    """Such as `: 3 of 3 pops, 1 of 2 gaps put right`."""
    counts: dict[tuple[str, str], list[int]] = {}
    for mended, found, kind in (entry for each in repairs for entry in each):
        total = counts.setdefault(_WORDS[kind], [0, 0])
        total[0], total[1] = total[0] + mended, total[1] + found
    said = [
        f"{mended} of {found} {one if found == 1 else several}" for (one, several), (mended, found) in counts.items()
    ]
    return f": {', '.join(said)} put right" if said else ""


def _bones(count: int, kind: str = "") -> str:
    return f"{count} {kind}bone{'' if count == 1 else 's'}"
