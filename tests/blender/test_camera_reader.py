import itertools

import bpy
import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from pads_blender.blender.camera_reader import read_camera, render_size
from pads_blender.errors import TakeError

POINTS = np.random.default_rng(0).uniform([-1.5, -1.0, 0.0], [1.5, 1.0, 2.0], (20, 3))
FRAMES = np.array([1.0, 2.0, 3.5, 8.0])
EXACT_PIXELS = 0.01  # mathutils counts in single precision


@pytest.fixture
def camera():
    scene = bpy.context.scene
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(camera)
    scene.camera = camera
    camera.location, camera.rotation_euler = (1.0, -5.0, 1.5), (1.4, 0.1, 0.2)
    return camera


def blenders_pixels(camera, frames, positions):
    """Where Blender shows points, (F, K, 2), from the upper left corner."""
    scene, size = bpy.context.scene, render_size(bpy.context.scene)
    result = np.empty((len(frames), len(positions), 2))
    for row, frame in enumerate(frames.tolist()):
        scene.frame_set(int(frame), subframe=frame % 1.0)
        for column, point in enumerate(positions):
            x, y, _ = world_to_camera_view(scene, camera, Vector(point))
            result[row, column] = x * size.width, (1.0 - y) * size.height
    return result


def assert_agrees(camera):
    path = read_camera(camera, render_size(bpy.context.scene), FRAMES)
    shown = blenders_pixels(camera, FRAMES, POINTS)
    projected = path.camera.project(np.tile(POINTS, (len(FRAMES), 1, 1)))
    assert np.abs(projected - path.unzoomed(shown)).max() < EXACT_PIXELS
    assert np.ptp(shown, axis=(0, 1)).min() > 50.0  # the points are spread over the picture
    return path


SHAPES = (
    (1920, 1080, 100, 1.0, 1.0),
    (1080, 1920, 50, 1.0, 1.0),
    (720, 576, 100, 16.0, 11.0),
    (640, 640, 200, 1.0, 2.0),
)


@pytest.mark.parametrize("fit", ["AUTO", "HORIZONTAL", "VERTICAL"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_still_camera_agrees_with_blender(camera, fit, shape):
    render, lens = bpy.context.scene.render, camera.data
    names = ("resolution_x", "resolution_y", "resolution_percentage", "pixel_aspect_x", "pixel_aspect_y")
    for name, value in zip(names, shape, strict=True):
        setattr(render, name, value)
    lens.sensor_fit, lens.sensor_width, lens.sensor_height = fit, 32.0, 20.0
    for lens.lens, (lens.shift_x, lens.shift_y) in itertools.product((18.0, 85.0), ((0.0, 0.0), (0.2, -0.35))):
        path = assert_agrees(camera)
        assert not path.camera.is_moving and path.zoom is None


def test_a_moving_camera_agrees_with_blender(camera):
    """By keys, under a parent that moves and is scaled, aimed by a constraint."""
    target, parent = (bpy.data.objects.new(name, None) for name in ("Target", "Dolly"))
    for each in (target, parent):
        bpy.context.scene.collection.objects.link(each)
    target.location, parent.scale = (0.0, 0.0, 1.0), (2.0, 2.0, 2.0)
    camera.parent = parent
    camera.constraints.new("TRACK_TO").target = target
    for frame, x in ((1, 0.0), (10, 1.0)):
        parent.location.x, parent.rotation_euler.z = x, 0.3 * x
        parent.keyframe_insert("location", frame=frame)
        parent.keyframe_insert("rotation_euler", frame=frame)
    bpy.context.scene.frame_set(4)
    path = assert_agrees(camera)
    assert path.camera.is_moving and path.zoom is None


def test_a_zoom_is_taken_out(camera):
    for frame, lens in ((1, 30.0), (10, 70.0)):
        camera.data.lens, camera.data.shift_x = lens, 0.01 * frame
        camera.data.keyframe_insert("lens", frame=frame)
        camera.data.keyframe_insert("shift_x", frame=frame)
    path = assert_agrees(camera)
    assert not path.camera.is_moving and path.zoom is not None


def test_the_scene_stays_at_its_frame(camera):
    bpy.context.scene.frame_set(7)
    read_camera(camera, render_size(bpy.context.scene), FRAMES)
    assert bpy.context.scene.frame_current == 7


@pytest.mark.parametrize(("kind", "word"), [("ORTHO", "orthographic"), ("PANO", "panoramic")])
def test_only_lenses_project_like_this(camera, kind, word):
    camera.data.type = kind
    with pytest.raises(TakeError, match=f"Camera Camera is {word}"):
        read_camera(camera, render_size(bpy.context.scene), FRAMES)
