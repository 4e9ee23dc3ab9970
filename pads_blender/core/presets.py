"""Bone mappings as preset files: saved by the user, found again by the fingerprint of a rig's bones. Knows no bpy."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import MappingError
from ..paths import written_whole
from .conventions import bare_names
from .mapping import Mapping

_FORMAT, _VERSION = "pads_mapping", 1


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
    wanted = fingerprint(names, parents)
    found = {path: data for path in Path(folder).glob("*.json") if (data := _read_or_none(path))}
    fitting = [path for path, data in found.items() if data.get("fingerprint") == wanted]
    if not fitting:
        return None
    newest = max(fitting, key=lambda path: (path.stat().st_mtime_ns, path.name))
    return _in_names_of(found[newest], names, str(newest))


def without_gone_bones(mapping: Mapping, names: Sequence[str]) -> Mapping:
    """The mapping with the joints empty whose bones are not among these."""
    joints = {j: chosen if chosen and chosen.bone in names else None for j, chosen in mapping.joints.items()}
    return replace(mapping, joints=joints)


def check_bones_exist(mapping: Mapping, names: Sequence[str], source: str) -> None:
    """MappingError, beginning with what the mapping is, where it names bones that are not among these."""
    bones = [mapping.bone(joint) for joint in mapping.joints]
    gone = [bone for bone in bones if bone is not None and bone not in names]
    if gone:
        listed = ", ".join(gone[:3]) + (f" and {len(gone) - 3} more" if len(gone) > 3 else "")
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
    """The content of a preset file of a version that is known."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MappingError(f"{path}: cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise MappingError(f"{path}: this is no JSON file: save the mapping again.") from error
    if not isinstance(data, dict) or data.get("format") != _FORMAT:
        raise MappingError(f"{path}: this is no bone mapping of PADS.")
    if data.get("version") != _VERSION:
        raise MappingError(f"{path}: the mapping was saved by another version of PADS: save it again with this one.")
    return data
