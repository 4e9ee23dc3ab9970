"""2D points of a film in Blender: keypoint files, tracks of a clip, empties that were tracked, all by scene frame.

Pixels count from the upper left corner of the film's image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import bpy
import numpy as np

from ..core.film import Film
from ..core.keypoint_files import read_keypoints
from ..core.keypoints import Keypoints
from ..core.point_names import NAMED_POINTS, find_points
from ..errors import TakeError
from .camera_reader import CameraPath, ImageSize
from .evaluation import evaluate_in_parts, find_object
from .parts import Parts
from .rig_reader import scene_fps

_LEAST_POINTS = 4  # with names, for a body to be found
_SHOWN = 6  # names in a message


def read_file(path: Path, size: ImageSize, fps: float, first_frame: float) -> Film:
    """A detector's file, whose first row is shown at a scene frame; fps: of the film."""
    keypoints = read_keypoints(path, (size.width, size.height))
    return Film(keypoints, first_frame + np.arange(len(keypoints)) * scene_fps() / fps)


def clip_size(clip: bpy.types.MovieClip) -> ImageSize:
    """The image that tracks of a clip were made on; TakeError where the clip has none."""
    width, height = clip.size
    if not width or not height:
        raise TakeError(f"Clip {clip.name} shows no image: check its file path.")
    return ImageSize(width, height, clip.tracking.camera.pixel_aspect)


def read_tracks(clip: bpy.types.MovieClip, bones: Mapping[str, str]) -> Film:
    """The tracks of a clip whose names stand for points of a body; where a marker is disabled or missing, not seen."""
    size = clip_size(clip)
    tracks = [track for tracked in clip.tracking.objects for track in tracked.tracks]
    found = _named([track.name for track in tracks], bones, f"Clip {clip.name}", "tracks")
    rows = [(point, _enabled_markers(tracks[number], clip)) for number, point in found.items()]
    frames = [frame for _, markers in rows for frame in markers]
    if not frames:
        raise TakeError(f"The tracks of clip {clip.name} have no enabled markers: track them first.")
    first, last = min(frames), max(frames)
    keypoints = _unseen(last - first + 1)
    for point, markers in rows:
        for frame, (x, y) in markers.items():
            keypoints.points[frame - first, point] = x * size.width, (1.0 - y) * size.height
            keypoints.confidence[frame - first, point] = 1.0
    return Film(keypoints, np.arange(first, last + 1.0))


def _enabled_markers(track: bpy.types.MovieTrackingTrack, clip: bpy.types.MovieClip) -> dict[int, tuple[float, float]]:
    """Place of each marker in shares of the image, by scene frame: a clip's own first frame is its frame 1."""
    return {marker.frame + clip.frame_start - 1: tuple(marker.co) for marker in track.markers if not marker.mute}


def chosen_empties(scene: bpy.types.Scene, collection: bpy.types.Collection | None) -> list[bpy.types.Object]:
    """The empties of a collection, or of the scene."""
    found = scene.objects if collection is None else collection.all_objects
    return [each for each in found if each.type == "EMPTY"]


def read_empties(
    empties: Sequence[bpy.types.Object], path: CameraPath, frames: np.ndarray, bones: Mapping[str, str]
) -> Parts[Film]:
    """Empties whose names stand for points of a body, as the camera sees them at scene frames (F,), a part a frame.

    Not seen where one is disabled in viewports, or lies behind the camera.
    """
    found = _named([each.name for each in empties], bones, "The scene", "empties")
    keypoints = _unseen(len(frames))
    places, is_shown = yield from _places([empties[number] for number in found], frames)
    ahead = path.camera.to_camera(places)[..., 2] > 0.0
    projected = path.camera.project(places)
    for column, point in enumerate(found.values()):
        seen = (is_shown & ahead)[:, column] & (keypoints.confidence[:, point] == 0.0)
        keypoints.points[seen, point] = projected[seen, column]
        keypoints.confidence[seen, point] = 1.0
    return Film(keypoints, frames)


def _places(empties: Sequence[bpy.types.Object], frames: np.ndarray) -> Parts[tuple[np.ndarray, np.ndarray]]:
    """Where the empties are in the world (F, N, 3), and when (F, N) bool they are not disabled."""
    known = [(each.session_uid, each.name) for each in empties]  # between two parts any of them may be deleted

    def read(_: bpy.types.Object) -> np.ndarray:
        depsgraph, present = bpy.context.evaluated_depsgraph_get(), [find_object(*each) for each in known]
        places = [each.evaluated_get(depsgraph).matrix_world.translation for each in present]
        return np.array([(*place, not each.hide_viewport) for place, each in zip(places, present, strict=True)], float)

    found = yield from evaluate_in_parts(empties[0], frames, read)
    return found[..., :3], found[..., 3] > 0


def _named(names: Sequence[str], bones: Mapping[str, str], where: str, kind: str) -> dict[int, int]:
    """Point of each entry whose name stands for one; TakeError where these are too few."""
    found = {number: point for number, point in enumerate(find_points(names, bones)) if point is not None}
    if len(set(found.values())) < _LEAST_POINTS:
        listed = ", ".join(names[:_SHOWN]) + (" ..." if len(names) > _SHOWN else "") if names else "none at all"
        raise TakeError(
            f"{where} has {len(found)} {kind} named after points of a body, and {_LEAST_POINTS} are needed: "
            f"call them left_knee, nose and so on, or like the rig's bones (there are {listed})."
        )
    return found


def _unseen(frames: int) -> Keypoints:
    """Named points of so many frames, none of them seen: to be filled."""
    return Keypoints(
        np.zeros((frames, len(NAMED_POINTS.names), 2)), np.zeros((frames, len(NAMED_POINTS.names))), NAMED_POINTS
    )
