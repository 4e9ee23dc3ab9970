"""Which bone of an armature is which joint: as its user stored it, as a preset has it, or as it is guessed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ..errors import MappingError
from .preferences import ADD_ON, read_preferences
from .rig_reader import rest_ends

if TYPE_CHECKING:  # imported where it is used: Blender's start must not wait for it
    from ..core.mapping import Mapping

STORED = "pads_mapping"  # custom property of the armature data: the mapping as JSON text


def read_mapping(armature: bpy.types.Object) -> Mapping:
    """The mapping stored on the armature, else that of a preset for its bones, else the guess.

    Raises MappingError where a stored mapping or a preset no longer fits, or where nothing can be guessed.
    """
    from ..core.presets import find_preset

    text = armature.data.get(STORED)
    if text is not None:
        return _stored(str(text), armature)
    return find_preset(preset_folder(), *bone_tree(armature)) or map_bones(armature)


def stored_as_far_as_it_fits(armature: bpy.types.Object) -> Mapping:
    """The mapping stored on the armature, with the joints empty whose bones are gone; empty where it is damaged."""
    from ..core.mapping import Mapping
    from ..core.presets import without_gone_bones

    try:
        return without_gone_bones(_parsed(str(armature.data[STORED]), armature), armature.data.bones.keys())
    except MappingError:
        return Mapping.empty()


def map_bones(armature: bpy.types.Object) -> Mapping:
    """The guessed mapping of an armature's bones."""
    from ..core.mapping_guess import guess_mapping

    return guess_mapping(*bone_tree(armature), *rest_ends(armature))


def store_mapping(armature: bpy.types.Object, mapping: Mapping) -> None:
    """Keep a mapping on the armature data, from where it is read from now on and saved with the file.

    MappingError where the data is another file's, for it would be gone the next time.
    """
    if not can_store(armature):
        raise MappingError(
            f"The bones of {armature.name} are linked from another file, so that nothing can be kept with them: "
            "make the armature data local first (Object > Relations > Make Local)."
        )
    armature.data[STORED] = json.dumps(mapping.to_json(), ensure_ascii=False)


def can_store(armature: bpy.types.Object) -> bool:
    """Whether the armature data is this file's own."""
    return armature.data.library is None


def forget_mapping(armature: bpy.types.Object) -> None:
    """Take the stored mapping off the armature data, so that presets and the guess count again."""
    if STORED in armature.data:
        del armature.data[STORED]


def bone_tree(armature: bpy.types.Object) -> tuple[list[str], list[int]]:
    """Bone names and parent indices (-1: none), as fingerprints and presets take them."""
    bones = list(armature.data.bones)
    numbers = {bone.name: number for number, bone in enumerate(bones)}
    return list(numbers), [numbers[bone.parent.name] if bone.parent else -1 for bone in bones]


def preset_folder() -> Path:
    """The user's folder of presets; it need not exist yet."""
    chosen = read_preferences().presets
    if chosen:
        return chosen
    if ADD_ON.startswith("bl_ext."):
        return Path(bpy.utils.extension_path_user(ADD_ON, path="presets"))
    return Path(bpy.utils.user_resource("CONFIG", path="pads_mocap"), "presets")


def _stored(text: str, armature: bpy.types.Object) -> Mapping:
    from ..core.presets import check_bones_exist

    mapping = _parsed(text, armature)
    check_bones_exist(mapping, armature.data.bones.keys(), f"The mapping stored on {armature.name}")
    return mapping


def _parsed(text: str, armature: bpy.types.Object) -> Mapping:
    from ..core.mapping import Mapping

    try:
        return Mapping.from_json(json.loads(text))
    except (ValueError, MappingError) as error:
        raise MappingError(f"The mapping stored on {armature.name} is damaged: press Guess Again.") from error
