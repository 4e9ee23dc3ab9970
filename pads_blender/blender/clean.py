"""One armature through Clean in one go, for the command line. It only reads; writing is left to the caller."""

import bpy

from ..diffusion.prior import Prior
from ..tasks.clean import CleanSettings
from ..tasks.cleaned import Cleaned, OnStep, clean_rig
from ..tasks.problems import Problem, find_problems
from ..tasks.take_warnings import TakeWarning, find_warnings
from .evaluated_reader import read_rig
from .kept_keys import KeptKeys
from .rig_mapping import read_mapping
from .snapshot import take_snapshot

_DEFAULT_KEYS = KeptKeys()
PRIORS = ("motion", "pose")  # the first is the one that is used unless asked otherwise


def inspect_armature(armature: bpy.types.Object) -> tuple[list[Problem], list[TakeWarning]]:
    """What is broken in the armature's current action, in the order of time, and what is odd about it as a whole."""
    mapping = read_mapping(armature)
    take = read_rig(armature, mapping)
    return find_problems(take, mapping), find_warnings(take, mapping)


def clean_armature(
    armature: bpy.types.Object,
    settings: CleanSettings,
    prior: Prior,
    on_step: OnStep | None = None,
    keys: KeptKeys = _DEFAULT_KEYS,
    switch_to_fk: bool = False,
) -> Cleaned:
    """The armature's current action, cleaned, what the animator keeps as it was; the armature itself stays as it is."""
    snapshot = take_snapshot(armature, keys, switch_to_fk)
    return clean_rig(snapshot.take, snapshot.mapping, snapshot.kept, settings, prior, on_step)
