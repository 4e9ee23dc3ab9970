"""One armature through Clean, for the button and the command line alike. It only reads; writing is left to them."""

from collections.abc import Callable
from dataclasses import dataclass

import bpy

from ..core.rig import RigTake, carry_travel
from ..diffusion.prior import Prior
from ..tasks.clean import CleanSettings, clean_take
from ..tasks.kept import pass_through
from ..tasks.problems import Problem, find_problems
from .kept_keys import KeptKeys, read_kept
from .rig_mapping import read_mapping
from .rig_reader import check_bones, read_take

OnStep = Callable[[int, int], None]
_DEFAULT_KEYS = KeptKeys()
PRIORS = ("motion", "pose")  # the first is the one that is used unless asked otherwise


@dataclass(frozen=True)
class Cleaned:
    """A take before and after, and the task's report as plain data."""

    before: RigTake
    after: RigTake
    report: dict


def list_problems(armature: bpy.types.Object) -> list[Problem]:
    """What is broken in the armature's current action, in the order of time."""
    return find_problems(read_take(armature), read_mapping(armature))


def clean_armature(
    armature: bpy.types.Object,
    settings: CleanSettings,
    prior: Prior,
    on_step: OnStep | None = None,
    keys: KeptKeys = _DEFAULT_KEYS,
) -> Cleaned:
    """The armature's current action, cleaned, what the animator keeps as it was; the armature itself stays as it is."""
    take, mapping = read_take(armature), read_mapping(armature)
    check_bones(armature, [chosen.bone for chosen in mapping.joints.values() if chosen])
    kept = read_kept(armature, take.frames, keys)
    after, report = clean_take(take, mapping, settings, prior, on_step, kept)
    return Cleaned(take, pass_through(take, carry_travel(take, after), kept), report)
