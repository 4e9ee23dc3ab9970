"""Bone mappings as preset files: saved by the user, found again by the fingerprint of a rig's bones. Knows no bpy."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import BadFileError, MappingError
from ..paths import written_whole
from .conventions import bare_names
from .input_files import LARGEST_SETTINGS, plain, read_json
from .mapping import Mapping

_FORMAT, _VERSION = "pads_mapping", 1
# What turns the data of one version into that of the next. Version 0 is a mapping as the command `map` prints it and as
# armatures hold it: no format and no fingerprint, so that it has to be named to be used.
_UPGRADES: dict[int, Callable[[dict], dict]] = {0: lambda data: {"format": _FORMAT, "fingerprint": "", **data}}


def fingerprint(names: Sequence[str], parents: Sequence[int]) -> str:
    """16 hexadecimal digits of the names and who hangs on whom; order and prefixes such as a namespace do not count."""
    bare = bare_names(names)
    pairs = sorted((name, bare[parent] if parent >= 0 else "") for name, parent in zip(bare, parents, strict=True))
    return hashlib.sha256(json.dumps(pairs).encode()).hexdigest()[:16]


def save_preset(path: Path | str, mapping: Mapping, names: Sequence[str], parents: Sequence[int]) -> None:
    """Write the mapping of a rig with these bones as a preset file, whole or not at all."""
    bare = dict(zip(names, bare_names(names), strict=True))
    data = {"format": _FORMAT, "version": _VERSION, "fingerprint": fingerprint(names, parents)}
    with written_whole(Path(path)) as partial:
        text = json.dumps(data | _renamed(mapping, bare).to_json(), indent=2, ensure_ascii=False)
        partial.write_text(text + "\n", encoding="utf-8")


def load_preset(path: Path | str, names: Sequence[str]) -> Mapping:
    """The mapping of a preset file in the names of this rig; MappingError where it is no preset or not of this rig."""
    return _in_names_of(_read(Path(path)), names, str(path))


def find_preset(folder: Path | str, names: Sequence[str], parents: Sequence[int]) -> Mapping | None:
    """The mapping saved last in a folder for a rig with the same bones; None where there is none.

    Files that are no presets are passed over: one that is damaged must not stop the work on other rigs.
    """
    path = preset_path(folder, fingerprint(names, parents))
    return load_preset(path, names) if path else None


def preset_path(folder: Path | str, rig: str) -> Path | None:
    """The preset saved last in a folder for a rig with this fingerprint; None where there is none."""
    found = {path: data for path in Path(folder).glob("*.json") if (data := _read_or_none(path))}
    fitting = [path for path, data in found.items() if data.get("fingerprint") == rig]
    return max(fitting, key=lambda path: (path.stat().st_mtime_ns, path.name), default=None)


def without_gone_bones(mapping: Mapping, names: Sequence[str]) -> Mapping:
    """The mapping with the joints empty whose bones are not among these."""
    joints = {j: chosen if chosen and chosen.bone in names else None for j, chosen in mapping.joints.items()}
    return replace(mapping, joints=joints)


def check_bones_exist(mapping: Mapping, names: Sequence[str], source: str) -> None:
    """MappingError, beginning with what the mapping is, where it names bones that are not among these."""
    bones = [mapping.bone(joint) for joint in mapping.joints]
    gone = [bone for bone in bones if bone is not None and bone not in names]
    if gone:
        listed = ", ".join(plain(bone, 63) for bone in gone[:3]) + (
            f" and {len(gone) - 3} more" if len(gone) > 3 else ""
        )
        raise MappingError(f"{source} names bones that the rig does not have ({listed}): map these joints again.")


def _renamed(mapping: Mapping, new: dict[str, str]) -> Mapping:
    joints = {
        j: chosen and replace(chosen, bone=new.get(chosen.bone, chosen.bone)) for j, chosen in mapping.joints.items()
    }
    return replace(mapping, joints=joints)


def _in_names_of(data: dict, names: Sequence[str], source: str) -> Mapping:
    try:
        mapping = Mapping.from_json(data)
    except MappingError as error:
        raise MappingError(f"{source}: {error}") from error
    full = dict(zip(bare_names(names), names, strict=True)) | {name: name for name in names}
    mapping = _renamed(mapping, full)
    check_bones_exist(mapping, names, f"{source}: the preset")
    return mapping


def _read_or_none(path: Path) -> dict | None:
    try:
        return _read(path)
    except MappingError:
        return None


def _read(path: Path) -> dict:
    """The content of a preset file, as if saved today."""
    try:
        data = read_json(path, LARGEST_SETTINGS)
    except BadFileError as error:
        raise MappingError(str(error)) from error
    return _upgraded(data, path)


def _upgraded(data: object, path: Path) -> dict:
    """The data of a preset file in the present version."""
    is_bare = isinstance(data, dict) and "format" not in data and {"convention", "joints"} <= set(data)
    if not is_bare and (not isinstance(data, dict) or data.get("format") != _FORMAT):
        raise MappingError(f"{path}: this is no bone mapping of PADS.")
    version = 0 if is_bare else data.get("version")
    if isinstance(version, int) and version > _VERSION:
        raise MappingError(
            f"{path}: the mapping was saved by a newer PADS: update PADS, or save it again with this one."
        )
    if not isinstance(version, int) or version not in (*_UPGRADES, _VERSION):
        raise MappingError(f"{path}: the mapping is of no known version ({plain(repr(version))}): save it again.")
    while version < _VERSION:
        data, version = _UPGRADES[version](data), version + 1
    return data
