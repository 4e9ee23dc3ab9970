"""Results of jobs onto their armatures, as the user prefers: as an action, or as NLA strips."""

from ..core.rig import RigTake
from .comparison import stack_strips
from .parts import Parts
from .preferences import read_preferences
from .rig_writer import Written
from .snapshot import Snapshot, apply_result, find_armature


def deliver(snapshot: Snapshot, after: RigTake) -> Parts[Written]:
    """Put the result on the snapshot's armature; PadsError where it no longer fits."""
    written = yield from apply_result(snapshot, after)
    if read_preferences().result == "NLA":
        stack_strips(find_armature(snapshot))
    return written


def summary(written: list[Written]) -> str:
    """What became of one armature or several, in one sentence."""
    bones = sum(len(each.keyed_bones) for each in written)
    locked = sum(len(each.locked_bones) for each in written)
    left = f"; {_bones(locked, 'locked ')} left alone" if locked else ""
    if len(written) == 1:
        return f"{_bones(bones)} cleaned in {written[0].action}; {written[0].original} is kept{left}"
    return f"{_bones(bones)} of {len(written)} armatures cleaned; the original actions are kept{left}"


def _bones(count: int, kind: str = "") -> str:
    return f"{count} {kind}bone{'' if count == 1 else 's'}"
