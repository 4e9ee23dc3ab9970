"""The Estimate panel's films as plain data for the worker: points and cameras at the same scene frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
import numpy as np

from ..core.film import Film
from ..errors import TakeError
from .camera_reader import ImageSize, read_camera_in_parts, render_size
from .chosen import chosen_frames
from .evaluation import find_object
from .film_reader import chosen_empties, clip_size, read_empties, read_file, read_tracks
from .parts import Parts

if TYPE_CHECKING:
    from ..tasks.estimate import Shot
    from .properties_estimate import PADS_PG_film


def what_is_missing(scene: bpy.types.Scene) -> str | None:
    """What has to be chosen before anything can be estimated, or None; quick."""
    for film in scene.pads_estimate.films:
        if film.source == "FILE" and not film.file:
            return "Choose a keypoint file in PADS > Estimate"
        if film.source == "TRACKS" and film.clip is None:
            return "Choose a movie clip with tracks in PADS > Estimate"
        if (film.camera or scene.camera) is None:
            return "Add the camera that filmed to the scene, or choose it in PADS > Estimate"
    return None


def film_name(film: PADS_PG_film) -> str:
    """What to call an action that comes from a film."""
    if film.source == "FILE":
        return Path(film.file.rstrip("/\\")).stem or "Film"
    return Path(film.clip.name).stem if film.source == "TRACKS" else "Empties"


def read_shots(scene: bpy.types.Scene, bones: Mapping[str, str]) -> Parts[tuple[list[Shot], np.ndarray]]:
    """What each film shows at the frames (F,) of the first one, a frame a part; bones: joints of the rig's bones."""
    from ..tasks.estimate import Shot  # not above: Blender's start must not wait for it

    sources = [_read_source(scene, film, bones) for film in scene.pads_estimate.films]
    first = sources[0].film
    frames = _own_frames(scene) if first is None else _whole_frames(scene, first)
    shots = []
    for each in sources:
        path = yield from read_camera_in_parts(find_object(*each.camera), each.size, frames)
        if each.film is None:
            empties = [find_object(*empty) for empty in each.empties]
            keypoints = (yield from read_empties(empties, path, frames, bones)).keypoints
        else:
            keypoints = path.unzoomed_keypoints(each.film.at(frames))
        shots.append(Shot(keypoints, path.camera))
    return shots, frames


@dataclass(frozen=True)
class _Source:
    """A film's points on its own frames, or empties, which have a place in every frame; objects by number and name."""

    camera: tuple[int, str]
    size: ImageSize
    film: Film | None
    empties: tuple[tuple[int, str], ...] = ()


def _read_source(scene: bpy.types.Scene, film: PADS_PG_film, bones: Mapping[str, str]) -> _Source:
    camera, size = film.camera or scene.camera, _image_size(scene, film)
    chosen = (camera.session_uid, camera.name)
    if film.source == "EMPTIES":
        empties = chosen_empties(scene, film.collection)
        return _Source(chosen, size, None, tuple((each.session_uid, each.name) for each in empties))
    return _Source(chosen, size, _read_points(film, size, bones))


def _read_points(film: PADS_PG_film, size: ImageSize, bones: Mapping[str, str]) -> Film:
    if film.source == "TRACKS":
        return read_tracks(film.clip, bones)
    return read_file(Path(bpy.path.abspath(film.file)), size, film.fps, film.start)


def _image_size(scene: bpy.types.Scene, film: PADS_PG_film) -> ImageSize:
    if film.source == "TRACKS":
        return clip_size(film.clip)
    if film.source == "FILE" and film.use_own_size:
        return ImageSize(film.width, film.height)
    return render_size(scene)


def _whole_frames(scene: bpy.types.Scene, film: Film) -> np.ndarray:
    """The whole scene frames of the film within the chosen range."""
    frames = film.whole_frames()
    first, last = chosen_frames(scene, None, scene.pads_estimate.range)
    chosen = frames if first is None else frames[(frames >= first) & (frames <= last)]
    if not len(chosen):
        raise TakeError(
            f"The film is shown from frame {frames[0]:g} to {frames[-1]:g}, outside of the chosen range: change either."
        )
    return chosen


def _own_frames(scene: bpy.types.Scene) -> np.ndarray:
    """Empties have no frames of their own: those of the preview range, if that is chosen, else of the scene."""
    kind = "PREVIEW" if scene.pads_estimate.range == "PREVIEW" else "SCENE"
    first, last = chosen_frames(scene, None, kind)
    return np.arange(first, last + 1.0)
