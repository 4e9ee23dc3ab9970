"""One armature through Clean in one go, for the command line. It only reads; writing is left to the caller."""

import bpy

from ..diffusion.prior import Prior
from ..tasks.clean import CleanSettings
from ..tasks.cleaned import Cleaned, OnStep, clean_rig
from ..tasks.problems import Problem, find_problems
from .kept_keys import KeptKeys
from .rig_mapping import read_mapping
from .rig_reader import read_take
from .snapshot import take_snapshot

_DEFAULT_KEYS = KeptKeys()
PRIORS = ("motion", "pose")  # the first is the one that is used unless asked otherwise


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
    snapshot = take_snapshot(armature, keys)
    return clean_rig(snapshot.take, snapshot.mapping, snapshot.kept, settings, prior, on_step)
