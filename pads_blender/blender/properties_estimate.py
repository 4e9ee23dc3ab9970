"""What the Estimate panel shows: films with their points and cameras, the size of the person, how many answers."""

from __future__ import annotations

import bpy

from .properties import RANGES


def _is_camera(_: bpy.types.PropertyGroup, item: bpy.types.Object) -> bool:
    return item.type == "CAMERA"


def _film_rate(film: PADS_PG_film) -> float:
    """What was set, else the rate of the scene that the film belongs to."""
    render = film.id_data.render
    return film.own_fps or render.fps / render.fps_base


def _set_film_rate(film: PADS_PG_film, fps: float) -> None:
    film.own_fps = fps


class PADS_PG_film(bpy.types.PropertyGroup):  # noqa: N801 - Blender's own pattern
    """What one camera filmed: where its 2D points come from, and which camera of the scene it was."""

    source: bpy.props.EnumProperty(
        name="Points",
        description="Where the 2D points of the person come from",
        items=(
            (
                "FILE",
                "Keypoint File",
                "What a detector wrote: OpenPose, COCO (RTMPose, MMPose, Ultralytics), MediaPipe",
            ),
            ("TRACKS", "Movie Clip Tracks", "Tracks of a movie clip that are named after joints, left_knee and so on"),
            ("EMPTIES", "Empties", "Empties that were tracked and are named after joints, as the camera sees them"),
        ),
    )
    file: bpy.props.StringProperty(
        name="File", description="A keypoint file, or a folder with one for each frame", subtype="FILE_PATH"
    )
    fps: bpy.props.FloatProperty(
        name="Frame Rate",
        description="Frames a second of the film; the scene's, unless another one is set",
        min=1.0,
        soft_max=240.0,
        get=_film_rate,
        set=_set_film_rate,
    )
    own_fps: bpy.props.FloatProperty(default=0.0, options={"HIDDEN"})
    start: bpy.props.IntProperty(name="Starts At", description="Scene frame of the film's first frame", default=1)
    use_own_size: bpy.props.BoolProperty(
        name="Own Image Size",
        description="The film's image has another size than what the scene renders",
        default=False,
    )
    width: bpy.props.IntProperty(name="Width", description="Of the film's image, in pixels", default=1920, min=1)
    height: bpy.props.IntProperty(name="Height", description="Of the film's image, in pixels", default=1080, min=1)
    clip: bpy.props.PointerProperty(name="Clip", description="The movie clip with the tracks", type=bpy.types.MovieClip)
    collection: bpy.props.PointerProperty(
        name="Collection", description="The empties. None: all in the scene", type=bpy.types.Collection
    )
    camera: bpy.props.PointerProperty(
        name="Camera",
        description="The camera that filmed, still or tracked. None: the scene's",
        type=bpy.types.Object,
        poll=_is_camera,
    )


class PADS_PG_estimate(bpy.types.PropertyGroup):  # noqa: N801 - Blender's own pattern
    """How motion is estimated from films in this scene."""

    film: bpy.props.PointerProperty(type=PADS_PG_film)
    more_films: bpy.props.CollectionProperty(type=PADS_PG_film)
    range: bpy.props.EnumProperty(
        name="Range",
        description="Which frames are estimated",
        items=(("TAKE", "Whole Film", "All frames of the film"), *RANGES[1:3]),
    )
    size_from: bpy.props.EnumProperty(
        name="Size From",
        description="One camera cannot tell how large a person is from how far away. A selected rig says so itself",
        items=(
            ("STATURE", "Stature", "The person's height is known"),
            ("FLOOR", "Floor", "The person stands on a level floor, and the camera's height above it is right"),
        ),
    )
    stature: bpy.props.FloatProperty(
        name="Stature", description="The person's height", subtype="DISTANCE", default=1.7, min=0.4, max=2.9
    )
    floor: bpy.props.FloatProperty(
        name="Floor", description="Height of the floor in the world", subtype="DISTANCE", default=0.0
    )
    hypotheses: bpy.props.IntProperty(
        name="Hypotheses",
        description="So many answers, each an action with its likelihood in its name; one is quickest",
        default=1,
        min=1,
        max=20,
    )

    @property
    def films(self) -> list[PADS_PG_film]:
        """All films, the one whose frames count first."""
        return [self.film, *self.more_films]


CLASSES = (PADS_PG_film, PADS_PG_estimate)


def register() -> None:
    """Hang the settings on scenes."""
    bpy.types.Scene.pads_estimate = bpy.props.PointerProperty(type=PADS_PG_estimate)


def unregister() -> None:
    """Take them off again."""
    del bpy.types.Scene.pads_estimate
