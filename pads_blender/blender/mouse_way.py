"""How far a point in the world goes with the mouse, in the plane of the view."""

from __future__ import annotations

import bpy
from bpy_extras.view3d_utils import region_2d_to_location_3d
from mathutils import Vector

from ..errors import PadsError

_FINER = 0.1  # with Shift, as Blender's own transforms have it
_NO_VIEW = "A pose is dragged in a 3D View: press Drag Pose there."


class MouseWay:
    """The way of a point that follows the mouse, from event to event; the view may be turned in between."""

    def __init__(self, context: bpy.types.Context, event: bpy.types.Event, point: Vector) -> None:
        """PadsError where there is no 3D View."""
        self._point, self._free, self.axis = point.copy(), Vector(), ""
        self._number = next((i for i, each in enumerate(_regions(context)) if _is_in(each, event)), 0)
        self._mouse, self._view = self._look(context, event)

    @property
    def way(self) -> Vector:
        """From the point at the beginning, in the world; along one of its axes if one is chosen."""
        return Vector(way if self.axis in ("", axis) else 0.0 for way, axis in zip(self._free, "XYZ", strict=True))

    def follow(self, context: bpy.types.Context, event: bpy.types.Event) -> None:
        """Go on as far as the mouse went since the last event; where the view is another one, the mouse starts anew."""
        region, before, view = self._region(context), self._mouse, self._view
        self._mouse, self._view = self._look(context, event)
        if self._view == view:
            point = self._point + self._free
            ends = [region_2d_to_location_3d(region, region.data, each, point) for each in (before, self._mouse)]
            self._free += (_FINER if event.shift else 1.0) * (ends[1] - ends[0])

    def _look(self, context: bpy.types.Context, event: bpy.types.Event) -> tuple[tuple[int, int], tuple[float, ...]]:
        """Where the mouse is in the region, and the region's view as numbers."""
        region = self._region(context)
        matrix = region.data.perspective_matrix
        place = event.mouse_x - region.x, event.mouse_y - region.y
        return place, (*(value for row in matrix for value in row), region.width, region.height)

    def _region(self, context: bpy.types.Context) -> bpy.types.Region:
        regions = _regions(context)
        return regions[min(self._number, len(regions) - 1)]


def _regions(context: bpy.types.Context) -> list[bpy.types.Region]:
    """The view's regions, four of them in a quad view."""
    if context.area is None or context.area.type != "VIEW_3D":
        raise PadsError(_NO_VIEW)
    return [region for region in context.area.regions if region.type == "WINDOW"]


def _is_in(region: bpy.types.Region, event: bpy.types.Event) -> bool:
    return 0 <= event.mouse_x - region.x < region.width and 0 <= event.mouse_y - region.y < region.height
