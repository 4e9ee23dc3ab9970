"""Which bone is which joint, as the Rig panel shows it and lets it be changed. Looked up quickly enough to draw."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import numpy as np

from ..core.skeleton import JOINTS
from ..errors import MappingError
from .rig_mapping import STORED, bone_tree, preset_folder, read_mapping, store_mapping, stored_as_far_as_it_fits

if TYPE_CHECKING:  # imported where it is used: Blender's start must not wait for it
    from ..core.mapping import Mapping


@dataclass(frozen=True)
class Shown:
    """A mapping, where it comes from, and what is wrong with it, if anything is."""

    mapping: Mapping
    source: str
    trouble: str = ""


def shown_mapping(armature: bpy.types.Object) -> Shown:
    """What read_mapping would give; where it refuses, why, and the joints that are sure all the same."""
    if armature.data.get(STORED) is not None:
        try:
            return Shown(read_mapping(armature), "Set by you")
        except MappingError as error:
            return Shown(stored_as_far_as_it_fits(armature), "Set by you", str(error))
    names, parents = bone_tree(armature)
    heads, tails = (_rest_ends(armature, end) for end in ("head_local", "tail_local"))
    folder = preset_folder()
    changed = folder.stat().st_mtime_ns if folder.is_dir() else 0
    return _look_up(tuple(names), tuple(parents), heads, tails, folder, changed)


def _rest_ends(armature: bpy.types.Object, end: str) -> bytes:
    """Heads or tails (B, 3) float32 of the bones at rest, in world space, without an update: this is for drawing."""
    ends = np.empty(3 * len(armature.data.bones), np.float32)
    armature.data.bones.foreach_get(end, ends)
    axes = np.array(armature.matrix_world)[:3, :3]  # where it stands does not matter
    return np.round(ends.reshape(-1, 3) @ axes.T, 4).astype(np.float32).tobytes()


@functools.lru_cache(maxsize=16)
def _look_up(
    names: tuple[str, ...], parents: tuple[int, ...], heads: bytes, tails: bytes, folder: Path, changed: int
) -> Shown:
    """The preset of a rig, else the guess; heads and tails (B, 3) float32, changed: when the folder last did."""
    from ..core.mapping_guess import guess_joints, guess_mapping
    from ..core.presets import find_preset

    ends = [np.frombuffer(each, np.float32).reshape(-1, 3).astype(float) for each in (heads, tails)]
    try:
        preset = find_preset(folder, names, parents)
        return Shown(preset, "From a preset") if preset else Shown(guess_mapping(names, parents, *ends), "Recognised")
    except MappingError as error:
        return Shown(guess_joints(names, parents, *ends), "Not recognised", str(error))


def _picker(joint: str) -> bpy.props.StringProperty:
    """The joint's bone by name, read from and written to the mapping."""

    def get(group: bpy.types.PropertyGroup) -> str:
        return shown_mapping(group.id_data).mapping.bone(joint) or ""

    def set_(group: bpy.types.PropertyGroup, bone: str) -> None:
        armature = group.id_data
        store_mapping(armature, shown_mapping(armature).mapping.with_joint(joint, bone or None))

    label = joint.replace("_", " ").title()
    said = f"Bone whose head is the {label.lower()}; empty: the rig has none"
    return bpy.props.StringProperty(name=label, description=said, get=get, set=set_)


class PADS_PG_joints(bpy.types.PropertyGroup):  # noqa: N801 - Blender's own pattern
    """One picker for each joint of the model."""

    __annotations__ = {joint: _picker(joint) for joint in JOINTS}


CLASSES = (PADS_PG_joints,)
