"""Skeleton and motion as plain BVH text: what a new file holds, and what Blender's importer takes. No bpy."""

from collections.abc import Sequence

import numpy as np

from .bvh import Bvh, bone_names, channel_columns


def importable_text(bvh: Bvh) -> str:
    """The same skeleton and motion in the plain form that Blender's importer takes.

    It fails on byte order marks, Latin-1, one or two rotation channels (KeyError) and rows apart from the text's
    lines, and takes a missing position channel for 0 (seen in 4.5 and 5.2); here all three of a kind are there.
    """
    lines = ["HIERARCHY"]
    children: list[list[int]] = [[] for _ in bvh.names]
    for joint, parent in enumerate(bvh.parents):
        if parent >= 0:
            children[parent].append(joint)
    channels = [_complete_channels(names) for names in bvh.channels]
    for root in np.flatnonzero(bvh.parents < 0):
        lines += _joint_lines(bvh, bone_names(bvh), channels, children, int(root))
    lines += ["MOTION", f"Frames: {len(bvh.motion)}", f"Frame Time: {bvh.frame_time!r}"]
    values = _complete_motion(bvh, channels)
    return "\n".join([*lines, *(" ".join(map("%.9g".__mod__, row)) for row in values.tolist()), ""])


def _complete_channels(names: Sequence[str]) -> list[str]:
    kinds = [kind for kind in ("position", "rotation") if any(name.endswith(kind) for name in names)]
    ordered = [[name for name in names if name.endswith(kind)] for kind in kinds]
    missing = [[axis + kind for axis in "XYZ" if axis + kind not in names] for kind in kinds]
    return [name for present, absent in zip(ordered, missing, strict=True) for name in present + absent]


def _joint_lines(
    bvh: Bvh, names: Sequence[str], channels: Sequence[list[str]], children: list[list[int]], root: int
) -> list[str]:
    """HIERARCHY lines of a joint and all below it; by a stack, as a chain may be longer than Python recurses."""
    lines: list[str] = []
    stack: list[int | str] = [root]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            lines.append(item)
            continue
        lines += [f"{'ROOT' if bvh.parents[item] < 0 else 'JOINT'} {names[item]}", "{", _offset(bvh.offsets[item])]
        lines.append(" ".join(["CHANNELS", str(len(channels[item])), *channels[item]]))
        if not np.isnan(bvh.ends[item]).any():
            lines += ["End Site", "{", _offset(bvh.ends[item]), "}"]
        stack += ["}", *reversed(children[item])]
    return lines


def _offset(offset: np.ndarray) -> str:
    return "OFFSET " + " ".join(map("%.9g".__mod__, offset.tolist()))


def _complete_motion(bvh: Bvh, channels: Sequence[list[str]]) -> np.ndarray:
    """Values (F, C') for the completed channels: a missing position is the offset's, a missing angle 0."""
    values = []
    for joint, columns in enumerate(channel_columns(bvh)):
        for name in channels[joint]:
            if name in columns:
                values.append(bvh.motion[:, columns[name]])
                continue
            constant = bvh.offsets[joint, "XYZ".index(name[0])] if name.endswith("position") else 0.0
            values.append(np.full(len(bvh.motion), constant))
    return np.stack(values, axis=1) if values else np.zeros((len(bvh.motion), 0))
