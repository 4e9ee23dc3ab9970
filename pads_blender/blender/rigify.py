"""Limbs of generated Rigify rigs that follow IK controls: found by their drivers, and switched to their FK controls."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

import bpy
import numpy as np

from ..core.rig import RigTake, pose_matrices
from ..core.stand_ins import aim
from ..errors import TakeError
from . import compat, curves
from .evaluation import bone_paths
from .parts import Parts
from .rig_reader import find_curves
from .transforms import bone_path, rotation_of, tabulate

SWITCH = "IK_FK"  # custom property of a limb's parent control: 0 follows IK, 1 follows FK
_DRIVEN = re.compile(r'pose\.bones\["(.+)"\]\.constraints\[".+"\]\.influence')
_SOURCE = re.compile(r'pose\.bones\["(.+)"\]\["' + SWITCH + r'"\]')
_ALMOST_FK = 0.999


@dataclass(frozen=True)
class IkBone:
    """An FK control that the limb does not follow at present."""

    control: str
    limb: str  # the bone of the limb itself, which follows either control
    switch: str  # the bone whose property says which


def limbs_in_ik(armature: bpy.types.Object, names: Iterable[str]) -> list[IkBone]:
    """Those of the named bones that are FK controls of limbs which follow IK at some time."""
    wanted, found = set(names), []
    for limb, switch in _switched_bones(armature).items():
        constraints = armature.pose.bones[limb].constraints
        controls = [each.subtarget for each in constraints if each.type == "COPY_TRANSFORMS"]
        followed = next((control for control in controls if control in wanted), None)
        if followed and not _is_always_fk(armature, switch):
            found.append(IkBone(followed, limb, switch))
    return found


def refusal(armature: bpy.types.Object, limbs: list[IkBone]) -> str:
    """Why limbs in IK are not read, and what to do."""
    switches = ", ".join(dict.fromkeys(limb.switch for limb in limbs))
    return (
        f"Limbs of {armature.name} follow their IK controls (IK_FK is below 1 on {switches}): choose Switch to FK "
        "(--switch-to-fk on the command line), or snap FK to IK and set IK_FK to 1."
    )


def check_unlocked(armature: bpy.types.Object, limbs: list[IkBone]) -> None:
    """Refuse to switch limbs whose FK controls or switches could not be keyed."""
    table = tabulate(find_curves(armature))
    for limb in limbs:
        found = rotation_of(armature.pose.bones[limb.control]).curves(table)
        fcurves = {
            limb.control: list(found.values()),
            limb.switch: [table.get((_switch_path(armature, limb.switch), 0))],
        }
        for bone, each in ((bone, each) for bone, several in fcurves.items() for each in several if each):
            if curves.is_locked(each):
                raise TakeError(
                    f"{bone} has locked or muted curves: unlock them, so that its limb can be switched to FK."
                )


def match_fk(armature: bpy.types.Object, take: RigTake, limbs: list[IkBone]) -> Parts[RigTake]:
    """An evaluated take with the FK controls turned, and stretched as IK does, to where their limbs are by IK."""
    controls, followers = [limb.control for limb in limbs], [limb.limb for limb in limbs]
    rest = {name: np.array(armature.data.bones[name].matrix_local) for name in (*controls, *followers)}
    paths = yield from bone_paths(armature, [*controls, *followers], take.frames)
    entries = [take.names.index(control) for control in controls]
    wanted, free = pose_matrices(take), np.zeros(len(take.names), bool)
    for number, (entry, limb) in enumerate(zip(entries, limbs, strict=True)):
        aimed = paths[:, len(limbs) + number] @ np.linalg.inv(rest[limb.limb]) @ rest[limb.control]
        wanted[:, entry] = wanted[:, entry] @ np.linalg.inv(paths[:, number]) @ aimed
        free[entry] = True
    unmoved = aim(replace(take, movable=np.zeros_like(free)), wanted, free, free)
    return replace(unmoved, movable=take.movable)


def key_fk(armature: bpy.types.Object, limbs: list[IkBone], frame: float) -> None:
    """Switch the limbs to FK for good by keys on the current action."""
    bag = find_curves(armature)
    table = tabulate(bag)
    for switch in dict.fromkeys(limb.switch for limb in limbs):
        path = _switch_path(armature, switch)
        fcurve = table.get((path, 0))
        fcurve = fcurve or compat.new_fcurve(bag, path, 0, switch)
        curves.refill_linear(fcurve, np.array([frame]), np.array([1.0]))


def switch_values(armature: bpy.types.Object, limbs: list[IkBone]) -> dict[str, float]:
    """What the switches are set to at present, by their bones' names."""
    return {limb.switch: float(armature.pose.bones[limb.switch][SWITCH]) for limb in limbs}


def _switched_bones(armature: bpy.types.Object) -> dict[str, str]:
    """The bone that holds the IK/FK switch, by the name of each bone that obeys it."""
    found = {}
    for driver in armature.animation_data.drivers:
        driven = _DRIVEN.fullmatch(driver.data_path)
        if driven:
            paths = [target.data_path for variable in driver.driver.variables for target in variable.targets]
            for source in filter(None, map(_SOURCE.fullmatch, paths)):
                found[driven[1]] = source[1]
    bones = armature.pose.bones
    known = {limb: switch for limb, switch in found.items() if limb in bones and switch in bones}
    return {limb: switch for limb, switch in known.items() if SWITCH in bones[switch]}


def _is_always_fk(armature: bpy.types.Object, switch: str) -> bool:
    fcurve = tabulate(find_curves(armature)).get((_switch_path(armature, switch), 0))
    if fcurve is not None and curves.is_evaluated(fcurve):
        return bool(curves.key_values(fcurve).min() > _ALMOST_FK)
    return armature.pose.bones[switch][SWITCH] > _ALMOST_FK


def _switch_path(armature: bpy.types.Object, switch: str) -> str:
    return bone_path(armature.pose.bones[switch], "")[:-1] + f'["{SWITCH}"]'
