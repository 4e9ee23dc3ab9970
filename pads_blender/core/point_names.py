"""Which point of the body a name stands for: people name tracks and empties as detectors or rigs name joints."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from .conventions import CONVENTIONS, Convention, find_stems, read_names
from .keypoints import DETECTORS, MODEL_JOINTS, KeypointLayout

_COPY = re.compile(r"\.\d{3}$")  # what Blender adds to a name that is taken


def _named_points() -> KeypointLayout:
    """Every joint of the model as itself, and what detectors mark besides: nose, ears, heels and the like."""
    names, rows, offsets = list(MODEL_JOINTS.names), list(MODEL_JOINTS.joints), list(MODEL_JOINTS.offset)
    for layout in DETECTORS:
        for name, row, offset in zip(layout.names, layout.joints, layout.offset, strict=True):
            if row.any() and name not in names:
                names.append(name)
                rows.append(row)
                offsets.append(offset)
    return KeypointLayout("named points", tuple(names), np.array(rows), np.array(offsets))


NAMED_POINTS = _named_points()


def find_points(names: Sequence[str], bones: Mapping[str, str] | None = None) -> list[int | None]:
    """Index in NAMED_POINTS of what each name stands for, None where it stands for nothing.

    bones: joints of the bones of a rig, which go before all. The other names are read as points of the detectors or as
    bones of a rig's convention, whichever of these knows most of them; `.001` at the end counts for nothing.
    """
    plain = [_COPY.sub("", name) for name in names]
    single = list(dict.fromkeys(plain))
    ways = [_by_point(single), *(_by_convention(single, each) for each in CONVENTIONS)]
    known = dict(zip(single, max(ways, key=lambda way: sum(point is not None for point in way)), strict=True))
    own = {bone: NAMED_POINTS.names.index(joint) for bone, joint in (bones or {}).items()}
    return [own.get(name, own.get(short, known[short])) for name, short in zip(names, plain, strict=True)]


def _by_point(names: Sequence[str]) -> list[int | None]:
    known = {name.replace("_", ""): number for number, name in enumerate(NAMED_POINTS.names)}
    return [known.get((read.side or "") + read.stem) for read in read_names(names)]


def _by_convention(names: Sequence[str], convention: Convention) -> list[int | None]:
    """Of several spine bones the first counts for the spine and the last for the chest."""
    points: list[int | None] = [None] * len(names)
    for joint, hits in find_stems(read_names(names), convention, "").items():
        points[hits[0]] = NAMED_POINTS.names.index(joint)
        if joint == "spine" and len(hits) > 1:
            points[hits[-1]] = NAMED_POINTS.names.index("chest")
    return points
