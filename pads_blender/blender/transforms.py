"""The transform properties of pose bones and objects: where they are, and their values over time by F-curves."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np

from ..core.channels import channel_count
from . import curves

_ROTATIONS = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}
OBJECT_GROUP = "Object Transforms"  # as Blender calls it

CurveTable = dict[tuple[str, int], bpy.types.FCurve]


@dataclass(frozen=True)
class Property:
    """A property of several channels, of a pose bone or of the object itself."""

    owner: bpy.types.PoseBone | bpy.types.Object
    name: str
    size: int

    @property
    def path(self) -> str:
        """Data path as F-curves and drivers give it."""
        return self.name if isinstance(self.owner, bpy.types.Object) else bone_path(self.owner, self.name)

    @property
    def group(self) -> str:
        """Name of the group that its F-curves belong to."""
        return OBJECT_GROUP if isinstance(self.owner, bpy.types.Object) else self.owner.name

    def curves(self, table: CurveTable) -> dict[int, bpy.types.FCurve]:
        """Its F-curves by channel."""
        path = self.path
        return {index: table[path, index] for index in range(self.size) if (path, index) in table}

    def read(self, table: CurveTable, frames: np.ndarray) -> np.ndarray:
        """Values (F, size) at scene frames (F,); where no curve drives it, the value that it has now."""
        values = np.tile(np.array(getattr(self.owner, self.name), float), (len(frames), 1))
        for index, fcurve in self.curves(table).items():
            if curves.is_evaluated(fcurve):
                values[:, index] = curves.values_at(fcurve, frames)
        return values


def location_of(owner: bpy.types.PoseBone | bpy.types.Object) -> Property:
    """The location."""
    return Property(owner, "location", 3)


def rotation_of(bone: bpy.types.PoseBone) -> Property:
    """What turns the bone in its present rotation mode."""
    return Property(bone, _ROTATIONS.get(bone.rotation_mode, "rotation_euler"), channel_count(bone.rotation_mode))


def scale_of(bone: bpy.types.PoseBone) -> Property:
    """The scale."""
    return Property(bone, "scale", 3)


def bone_path(bone: bpy.types.PoseBone, name: str) -> str:
    """Data path of one of the pose bone's properties, as F-curves and drivers give it."""
    return f'pose.bones["{bpy.utils.escape_identifier(bone.name)}"].{name}'


def tabulate(bag: bpy.types.ActionChannelbag) -> CurveTable:
    """F-curves by data path and array index."""
    return {(fcurve.data_path, fcurve.array_index): fcurve for fcurve in bag.fcurves}


def is_animated_freely(prop: Property, table: CurveTable) -> bool:
    """Whether all its channels have curves that may be changed, so that more of it is no surprise."""
    found = prop.curves(table)
    return len(found) == prop.size and not any(curves.is_locked(fcurve) for fcurve in found.values())
