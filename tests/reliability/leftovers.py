"""What PADS must leave as it was in Blender: keys of originals, data-blocks, handlers and memory, told and compared."""

import contextlib
import ctypes
import gc
import hashlib
import os
from pathlib import Path

import bpy
import numpy as np

_MARK = "pads_hammer"  # custom property of an action: its name, and a digest of its keys when mark() was last called
_COLLECTIONS = ("objects", "armatures", "actions", "meshes", "collections", "texts", "materials", "images")


class BrokenError(Exception):
    """Something that must never happen has happened."""


def keys_of(action: bpy.types.Action) -> np.ndarray:
    """Frames and values (K, 2) of all keys of all slots."""
    bags = [bag for layer in action.layers for strip in layer.strips for bag in strip.channelbags]
    parts = [np.zeros(0, np.float32)]
    for curve in (curve for bag in bags for curve in bag.fcurves):
        parts.append(np.empty(2 * len(curve.keyframe_points), np.float32))
        curve.keyframe_points.foreach_get("co", parts[-1])
    return np.concatenate(parts).reshape(-1, 2)


def digest_of(keys: np.ndarray) -> str:
    """Sixteen hexadecimal digits of keys."""
    return hashlib.blake2b(keys.tobytes(), digest_size=8).hexdigest()


def mark(action: bpy.types.Action) -> None:
    """Its keys are to be what they are now."""
    action[_MARK] = f"{action.name}:{digest_of(keys_of(action))}"


def is_marked(action: bpy.types.Action) -> bool:
    """Whether it is one that mark() was called for, and no copy of it."""
    return action.get(_MARK, "").rpartition(":")[0] == action.name


def unmark_copy(action: bpy.types.Action) -> None:
    """A copy is no original: it must not be taken for the one that it was made from where that is deleted."""
    if _MARK in action and not is_marked(action):
        del action[_MARK]


def check_keys(action: bpy.types.Action) -> None:
    """BrokenError where a key is no number, or those of a marked action are not what they were."""
    keys = keys_of(action)
    if not np.isfinite(keys).all():
        raise BrokenError(f"{action.name} has a key that is no number")
    if is_marked(action) and action[_MARK] != f"{action.name}:{digest_of(keys)}":
        raise BrokenError(f"the keys of {action.name} were changed")


def count_data() -> dict[str, int]:
    """Data-blocks of the open file by kind."""
    return {name: len(getattr(bpy.data, name)) for name in _COLLECTIONS}


def count_handlers() -> dict[str, int]:
    """Functions that Blender calls at its events."""
    names = [name for name in dir(bpy.app.handlers) if isinstance(getattr(bpy.app.handlers, name), list)]
    return {name: len(getattr(bpy.app.handlers, name)) for name in names}


def compare(what: str, before: dict[str, int], after: dict[str, int]) -> None:
    """BrokenError where there is more or less than before."""
    if before != after:
        raise BrokenError(f"{what} are left behind: {before} before, {after} after")


def used_megabytes() -> float:
    """Memory of this process without what is free but kept by Python and by the allocators that Blender may use."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libtbbmalloc.so.2").scalable_allocation_command(0, None)
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    return resident_megabytes()


def resident_megabytes() -> float:
    """Memory of this process; 0 where the system does not tell in this way."""
    with contextlib.suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6
    return 0.0
