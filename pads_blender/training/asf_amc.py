"""Acclaim's ASF skeleton with its AMC motion, as the CMU database has them -> a rig's take. Knows no model skeleton."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core import rotations as rot
from ..core.rig import RigTake
from ..errors import BadFileError
from .data import Tree, rig_along_axes

FPS = 120.0  # the files do not say; CMU recorded nearly all trials so
_METRES_PER_INCH = 0.0254


@dataclass(frozen=True)
class Asf:
    """A skeleton: bones, the root first, with their heads' offsets in metres; axes at rest (B, 4); channels of each."""

    tree: Tree
    axes: np.ndarray
    channels: tuple[tuple[str, ...], ...]  # tx ty tz rx ry rz, in the order of the numbers in a frame
    metres: float  # of one unit of length


def skeleton_of(amc: Path) -> Path:
    """The ASF beside an AMC: of the same subject (`02_01.amc`, `02.asf`), else the only one of the folder."""
    found = sorted(amc.parent.glob("*.[aA][sS][fF]"))
    same = [path for path in found if path.stem == amc.stem.split("_")[0] or path.stem == amc.stem]
    if len(same) != 1 and len(found) != 1:
        raise BadFileError(f"{amc}: its skeleton is not known: put its .asf beside it, under the subject's name.")
    return (same or found)[0]


def read_take(amc: Path) -> RigTake:
    """An AMC on the skeleton beside it."""
    asf = read_asf(skeleton_of(amc))
    values = _read_frames(amc, asf)
    rotation = np.broadcast_to(rot.IDENTITY, (len(values[0]), len(asf.tree.names), 4)).copy()
    location = np.zeros((*rotation.shape[:2], 3))
    for bone, channels in enumerate(asf.channels):
        turned = np.zeros((len(rotation), 3))
        for column, channel in enumerate(channels):
            axis = "xyz".find(channel[1:])
            if channel[0] == "r":
                turned[:, axis] = np.radians(values[bone][:, column])
            elif channel[0] == "t":
                location[:, bone, axis] = asf.metres * values[bone][:, column]
        order = "".join(c[1].upper() for c in channels if c[0] == "r")
        full = order + "".join(axis for axis in "XYZ" if axis not in order)
        own = rot.from_euler(turned, full)
        rotation[:, bone] = rot.multiply(rot.multiply(asf.axes[bone], own), rot.inverse(asf.axes[bone]))
    return rig_along_axes(asf.tree, location, rotation, FPS)


def read_asf(path: Path) -> Asf:
    """The skeleton; BadFileError where it is not one."""
    try:
        sections = _sections(path.read_text(encoding="latin-1"))
        units = {words[0]: words[1] for words in sections["units"]}
        root = {words[0]: words[1:] for words in sections["root"]}
        return _skeleton(units, root, _bones(sections["bonedata"]), sections["hierarchy"])
    except (OSError, KeyError, IndexError, ValueError) as error:
        raise BadFileError(f"{path}: cannot be read as an ASF skeleton ({error!r}): get it anew.") from error


def _sections(text: str) -> dict[str, list[list[str]]]:
    """The words of each line under its `:keyword`."""
    sections: dict[str, list[list[str]]] = {}
    lines: list[list[str]] = []
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if words and words[0].startswith(":"):
            lines = sections.setdefault(words[0][1:].lower(), [])
        elif words:
            lines.append(words)
    return sections


def _bones(lines: list[list[str]]) -> dict[str, dict[str, list[str]]]:
    """Fields of each bone by its name; what stands between `begin` and `end`."""
    bones, fields = {}, {}
    for words in lines:
        if words[0] == "begin":
            fields = {}
        elif words[0] == "end":
            bones[fields["name"][0]] = fields
        else:
            fields[words[0]] = words[1:]
    return bones


def _skeleton(units: dict, root: dict, bones: dict, hierarchy: list[list[str]]) -> Asf:
    metres = _METRES_PER_INCH / float(units.get("length", 1.0))
    to_radians = 1.0 if units.get("angle", "deg").startswith("rad") else np.pi / 180.0
    names, parents, offsets = ["root"], [-1], [np.zeros(3)]
    ends = {"root": np.zeros(3)}
    for parent, *children in (words for words in hierarchy if words[0] not in ("begin", "end")):
        for name in children:
            names.append(name)
            parents.append(names.index(parent))
            offsets.append(ends[parent])  # a bone's head is where its parent ends
            ends[name] = metres * float(bones[name]["length"][0]) * np.array(bones[name]["direction"], float)
    axes = [_axis([*root.get("orientation", "000"), *root.get("axis", ["XYZ"])], to_radians)]
    axes += [_axis(bones[name]["axis"], to_radians) for name in names[1:]]
    channels = [tuple(word.lower() for word in root["order"])]
    channels += [tuple(word.lower() for word in bones[name].get("dof", ())) for name in names[1:]]
    return Asf(Tree(tuple(names), np.array(parents), np.array(offsets)), np.array(axes), tuple(channels), metres)


def _axis(words: list[str], to_radians: float) -> np.ndarray:
    return rot.from_euler(to_radians * np.array(words[:3], float), words[3].upper())


def _read_frames(path: Path, asf: Asf) -> list[np.ndarray]:
    """Values (F, channels) of each bone; a bone that a frame leaves out keeps zeros."""
    frames: list[dict[str, list[float]]] = []
    try:
        for line in path.read_text(encoding="latin-1").splitlines():
            words = line.partition("#")[0].split()
            if len(words) == 1 and words[0].isdecimal():
                frames.append({})
            elif words and not words[0].startswith(":"):
                frames[-1][words[0]] = [float(word) for word in words[1:]]
        bones = zip(asf.tree.names, map(len, asf.channels), strict=True)
        return [np.array([f.get(name, [0.0] * n) for f in frames]).reshape(len(frames), n) for name, n in bones]
    except (OSError, IndexError, ValueError) as error:
        raise BadFileError(f"{path}: does not fit its skeleton ({error!r}): get both anew.") from error
