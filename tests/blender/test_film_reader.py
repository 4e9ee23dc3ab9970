"""Points of a film as Blender has them: tracks of a movie clip, and empties."""

import bpy
import numpy as np
import pytest

from pads_blender.blender.camera_reader import ImageSize, read_camera, render_size
from pads_blender.blender.film_reader import chosen_empties, clip_size, read_empties, read_tracks
from pads_blender.blender.parts import finish
from pads_blender.core.point_names import NAMED_POINTS
from pads_blender.errors import TakeError

from .filmed import add_camera, pixels

NAMES = ("left_knee", "RightFoot", "nose", "Bone.017", "left_wrist")
POINTS = ("left_knee", "right_ankle", "nose", "head", "left_wrist")
BONES = {"Bone.017": "head", "RightFoot": "right_ankle"}
FRAMES = np.arange(1.0, 6.0)


def column(name):
    return NAMED_POINTS.names.index(name)


@pytest.fixture
def clip(tmp_path):
    """A clip of 320 x 200 pixels that begins at scene frame 11; point k is at (0.1 k, 0.5) and goes up."""
    image = bpy.data.images.new("film", 320, 200)
    image.filepath_raw, image.file_format = str(tmp_path / "film_0001.png"), "PNG"
    image.save()
    clip = bpy.data.movieclips.load(str(tmp_path / "film_0001.png"))
    clip.frame_start, clip.frame_offset = 11, 7  # the offset chooses files, and moves no marker
    for number, name in enumerate((*NAMES, "Track.003")):
        track = clip.tracking.objects[0].tracks.new(name=name, frame=1)
        for frame in range(1, 6):
            track.markers.insert_frame(frame, co=(0.1 * number, 0.5 + 0.01 * frame))
    return clip


def test_tracks_are_read_by_name(clip):
    film = read_tracks(clip, BONES)
    assert list(film.frames) == [11.0, 12.0, 13.0, 14.0, 15.0]
    used = film.keypoints.confidence.any(axis=0)
    assert {NAMED_POINTS.names[point] for point in np.flatnonzero(used)} == set(POINTS)
    for number, name in enumerate(POINTS):
        wanted = np.stack([np.full(5, 32.0 * number), 100.0 - 2.0 * np.arange(1, 6)], axis=1)
        assert film.keypoints.points[:, column(name)] == pytest.approx(wanted, abs=1e-3)
    assert clip_size(clip) == ImageSize(320, 200, 1.0)


def test_disabled_and_missing_markers_are_not_seen(clip):
    tracks = clip.tracking.objects[0].tracks
    tracks["left_knee"].markers.find_frame(2).mute = True
    tracks["nose"].markers.delete_frame(4)
    confidence = read_tracks(clip, BONES).keypoints.confidence
    assert list(confidence[:, column("left_knee")]) == [1, 0, 1, 1, 1]
    assert list(confidence[:, column("nose")]) == [1, 1, 1, 0, 1]


def test_a_second_track_of_a_name_fills_its_gaps(clip):
    tracks = clip.tracking.objects[0].tracks
    tracks["nose"].markers.delete_frame(4)
    again = tracks.new(name="nose", frame=4)
    again.markers.insert_frame(4, co=(0.9, 0.5))
    assert again.name != "nose"
    points = read_tracks(clip, BONES).keypoints.points[:, column("nose"), 0]
    assert points == pytest.approx([64.0, 64.0, 64.0, 288.0, 64.0], abs=1e-3)


def test_tracks_without_names_are_refused(clip):
    for number, track in enumerate(clip.tracking.objects[0].tracks):
        track.name = f"Track.{number:03d}"
    with pytest.raises(TakeError, match=r"has 0 tracks named after points of a body, and 4 are needed.*Track.000, "):
        read_tracks(clip, {})


def test_empties_are_read_as_the_camera_sees_them():
    camera = add_camera((0.0, -5.0, 1.0), (0.0, 0.0, 1.0), frames=FRAMES, travel=(1.0, 0.0, 0.0))
    places = {name: (0.3 * number - 0.6, 0.1 * number, 1.0) for number, name in enumerate(NAMES)}
    empties = {}
    for name, place in places.items():
        empties[name] = bpy.data.objects.new(name, None)
        bpy.context.scene.collection.objects.link(empties[name])
        empties[name].location = place
    empties["nose"].keyframe_insert("location", frame=1)
    empties["nose"].location.z = 2.0
    empties["nose"].keyframe_insert("location", frame=5)
    for frame, is_hidden in ((1, False), (3, True), (4, False)):
        empties["left_knee"].hide_viewport = is_hidden
        empties["left_knee"].keyframe_insert("hide_viewport", frame=frame)
    empties["left_wrist"].location.y = -9.0  # behind the camera
    path = read_camera(camera, render_size(bpy.context.scene), FRAMES)
    found = finish(read_empties(chosen_empties(bpy.context.scene, None), path, FRAMES, BONES)).keypoints
    assert list(found.confidence[:, column("left_knee")]) == [1, 1, 0, 1, 1]
    assert not found.confidence[:, column("left_wrist")].any()
    world = np.array([[*places["nose"][:2], 1.0]] * 5)
    world[:, 2] = [path_z(empties["nose"], frame) for frame in FRAMES]
    shown = pixels(camera, FRAMES, world[:, None])[:, 0]
    assert found.points[:, column("nose")] == pytest.approx(shown, abs=0.05)
    others = bpy.data.collections.new("Others")
    with pytest.raises(TakeError, match="0 empties named after"):
        finish(read_empties(chosen_empties(bpy.context.scene, others), path, FRAMES, {}))


def test_empties_that_swap_their_names_meanwhile_stay_themselves():
    camera = add_camera((0.0, -5.0, 1.0), (0.0, 0.0, 1.0), frames=FRAMES)
    for number, name in enumerate(NAMES):
        empty = bpy.data.objects.new(name, None)
        bpy.context.scene.collection.objects.link(empty)
        empty.location = (0.3 * number - 0.6, 0.0, 1.0)
    path = read_camera(camera, ImageSize(320, 200), FRAMES)
    reading = read_empties(chosen_empties(bpy.context.scene, None), path, FRAMES, BONES)
    next(reading)
    one, other = bpy.data.objects[NAMES[0]], bpy.data.objects[NAMES[1]]
    one.name, other.name, one.name = "away", NAMES[0], NAMES[1]
    assert np.ptp(finish(reading).keypoints.points, axis=0).max() < 1e-3


def path_z(item, frame):
    bpy.context.scene.frame_set(int(frame))
    return item.matrix_world.translation.z
