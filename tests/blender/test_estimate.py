"""Estimate on real rigs: filmed by a camera of the scene, written as a detector writes, and estimated back."""

from dataclasses import replace

import bpy
import numpy as np
import pytest

from pads_blender.blender.estimate_target import deliver, deliver_new, hypotheses_of, read_target
from pads_blender.blender.evaluation import evaluate
from pads_blender.blender.files import import_bvh
from pads_blender.blender.rig_mapping import read_mapping
from pads_blender.core.bvh import read_bvh
from pads_blender.core.model_rig import MAPPING, model_take
from pads_blender.core.skeleton import MODEL
from pads_blender.errors import TakeError
from pads_blender.tasks.estimate_rig import RigHypothesis

from .filmed import add_camera, joints_in_world, pixels, resize, write_openpose

pytestmark = pytest.mark.usefixtures("registered")

FRAMES = np.arange(1.0, 41.0)
FEW_PIXELS = 3.0  # of 1000, on average
SEEN = MODEL.indices(*[f"{s}_{j}" for s in ("left", "right") for j in ("shoulder", "elbow", "wrist", "knee", "ankle")])


def rig(shared_data, name="mixamo"):
    path = shared_data / "rigs" / f"{name}.bvh"
    return import_bvh(read_bvh(path), path)


def choose_file(path):
    film = bpy.context.scene.pads_estimate.film
    film.source, film.file = "FILE", str(path)


def beside(armature, camera, points):
    """Distances in pixels (F, N) of the joints that detectors mark from where they were filmed."""
    return np.linalg.norm(pixels(camera, FRAMES, joints_in_world(armature, FRAMES)) - points, axis=-1)[:, SEEN]


def film(armature, tmp_path, legs=0.81, **options):
    """The camera, the folder of points, the points of the joints, and the joints."""
    middle = resize(armature, legs)
    place = middle + legs * np.array([1.5, -4.0, 0.6])
    travel = legs * np.array([1.0, 0.3, 0.2]) if options.pop("is_moving", False) else None
    camera = add_camera(place, middle, frames=None if travel is None else FRAMES, travel=travel)
    joints = joints_in_world(armature, FRAMES)
    return (
        camera,
        write_openpose(tmp_path / "film", camera, FRAMES, joints, **options),
        pixels(camera, FRAMES, joints),
        joints,
    )


@pytest.mark.parametrize(("legs", "is_moving"), [(0.81, False), (0.81, True), (0.45, False), (8.0, True)])
def test_a_rigs_joints_lie_on_the_points(shared_data, tmp_path, legs, is_moving):
    armature = rig(shared_data)
    camera, folder, points, joints = film(armature, tmp_path, legs, is_moving=is_moving)
    armature.animation_data.action = None
    choose_file(folder)
    assert bpy.ops.pads.estimate() == {"FINISHED"}
    off = beside(armature, camera, points)
    print(
        f"legs {legs} m: mean {off.mean():.2f} px, 95 % within {np.percentile(off, 95):.2f} px, at most {off.max():.2f}"
    )
    assert off.mean() < FEW_PIXELS
    found = joints_in_world(armature, FRAMES)
    apart = np.linalg.norm((found - found[:, :1]) - (joints - joints[:, :1]), axis=-1)
    assert np.nanmean(apart) < 0.1 * legs
    assert armature.animation_data.action.name == "film"


@pytest.fixture
def filmed_rig(shared_data, tmp_path):
    """A rig with its take, the camera that filmed it, where its joints were shown, and where they were."""
    armature = rig(shared_data)
    camera, folder, points, joints = film(armature, tmp_path)
    choose_file(folder)
    return armature, camera, points, joints


def test_a_take_is_kept_and_compared_with(filmed_rig):
    armature, camera, points, joints = filmed_rig
    bpy.ops.pads.estimate()
    assert armature.animation_data.action.name == "film" and bpy.data.actions["mixamo"].use_fake_user
    assert "estimated for mixamo in film" in armature.pads.result
    assert beside(armature, camera, points).mean() < FEW_PIXELS
    assert bpy.ops.pads.compare() == {"FINISHED"}
    np.testing.assert_allclose(joints_in_world(armature, FRAMES), joints, atol=1e-5)
    bpy.ops.pads.compare()
    assert beside(armature, camera, points).mean() < FEW_PIXELS
    bpy.ops.pads.discard()
    np.testing.assert_allclose(joints_in_world(armature, FRAMES), joints, atol=1e-5)
    assert [action.name for action in bpy.data.actions] == ["mixamo"]


def test_an_armature_that_moves_by_itself_is_held(shared_data, tmp_path):
    """Its own action carries it along; while the result is worked out, somebody goes to another frame."""
    armature = rig(shared_data)
    for frame, x in ((1, 0.0), (40, 1.0)):
        armature.location.x, armature.rotation_euler.z = x, 0.2 * x
        armature.keyframe_insert("location", frame=frame)
        armature.keyframe_insert("rotation_euler", frame=frame)
    bpy.context.scene.frame_set(1)
    target = read_target(armature, FRAMES)
    bpy.context.scene.frame_set(40)
    deliver(target, [RigHypothesis(target.take, 1.0, 0.0)], "still")
    assert np.ptp([tuple(e.matrix_world.translation) for e in evaluate(armature, FRAMES)], axis=0).max() < 1e-5
    assert armature.location.x == pytest.approx(0.0, abs=1e-5)
    bpy.ops.pads.compare()
    assert np.ptp([tuple(e.matrix_world.translation) for e in evaluate(armature, FRAMES)], axis=0).max() > 0.9


def test_a_rig_with_constraints_is_read_as_shown(filmed_rig):
    armature, camera, points, _ = filmed_rig
    arm = armature.pose.bones[read_mapping(armature).bone("left_elbow")]
    arm.constraints.new("LIMIT_ROTATION")  # without a limit, but it has to be asked
    assert bpy.ops.pads.estimate() == {"FINISHED"}
    assert beside(armature, camera, points).mean() < FEW_PIXELS
    arm.constraints.new("IK").target = camera
    with pytest.raises(RuntimeError, match="turned by the constraint IK"):
        bpy.ops.pads.estimate()
    assert sorted(action.name for action in bpy.data.actions) == ["film", "mixamo"]


def test_one_undo_takes_it_all_back(filmed_rig):
    name = filmed_rig[0].name
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.pads.estimate()
    bpy.ops.ed.undo_push(message="after")
    bpy.ops.ed.undo()
    assert bpy.data.objects[name].animation_data.action.name == "mixamo"
    assert [action.name for action in bpy.data.actions] == ["mixamo"]


@pytest.mark.parametrize("size_from", ["STATURE", "FLOOR"])
def test_a_new_armature_stands_where_the_rig_stood(filmed_rig, size_from):
    armature, camera, points, joints = filmed_rig
    feet = MODEL.indices("left_toe", "right_toe")
    settings = bpy.context.scene.pads_estimate
    settings.size_from, settings.stature, settings.floor = size_from, 1.66, joints[..., 2][:, feet].min() - 0.02
    armature.select_set(False)
    assert bpy.ops.pads.estimate() == {"FINISHED"}
    made = bpy.context.object
    assert made != armature and made.name == "film" and made.select_get()
    assert beside(made, camera, points).mean() < 5.0  # the model's shoulders are not the rig's
    found = joints_in_world(made, FRAMES)
    assert np.linalg.norm(found[:, 0] - joints[:, 0], axis=-1).mean() < 0.35  # one camera: mostly depth
    assert found[..., MODEL.index("head"), 2].mean() > found[..., feet, 2].mean() + 1.0
    assert bpy.ops.pads.clean() == {"FINISHED"}  # it is mapped


def test_a_new_armature_that_gets_no_motion_is_removed():
    take = model_take(1.0, FRAMES, 30.0)
    with pytest.raises(TakeError, match="not numbers"):
        broken = replace(take, location=np.full_like(take.location, np.inf))
        deliver_new([RigHypothesis(broken, 1.0, 0.0)], MAPPING, "film")
    assert not bpy.data.armatures and not bpy.data.actions
    assert not [each for each in bpy.data.objects if each.type == "ARMATURE"]


def test_hypotheses_are_actions_to_choose_from(filmed_rig):
    armature, camera, points, _ = filmed_rig
    bpy.context.scene.pads_estimate.hypotheses = 2
    bpy.ops.pads.estimate()
    found = hypotheses_of(armature)
    assert [action.name[:6] for action in found] == ["film 1", "film 2"] and armature.animation_data.action == found[0]
    assert sum(float(action.name.split("(")[1].rstrip("%)")) for action in found) == pytest.approx(100.0, abs=1.0)
    bpy.ops.pads.show_hypothesis(action=found[1].name)
    assert beside(armature, camera, points).mean() < 2 * FEW_PIXELS
    assert hypotheses_of(armature) == found
    bpy.ops.pads.discard()
    assert armature.animation_data.action.name == "mixamo"


def test_two_cameras_find_the_depth(filmed_rig, tmp_path):
    armature, _, _, joints = filmed_rig
    middle = np.nanmean(joints, axis=(0, 1))
    second = add_camera(middle + np.array([4.0, -1.0, 0.5]), middle, "Second", FRAMES, (0.0, -1.0, 0.0))
    choices = bpy.context.scene.pads_estimate
    bpy.ops.pads.add_film()
    other = choices.more_films[0]
    other.file, other.camera = str(write_openpose(tmp_path / "other", second, FRAMES, joints)), second
    bpy.ops.pads.estimate()
    found = joints_in_world(armature, FRAMES)
    assert np.nanmean(np.linalg.norm(found - joints, axis=-1)[:, SEEN]) < 0.03
    bpy.ops.pads.remove_film(index=0)
    assert not len(choices.more_films)


def test_a_shaky_detector_makes_no_shaky_rig(shared_data, tmp_path):
    armature = rig(shared_data)
    camera, folder, points, joints = film(armature, tmp_path, noise=5.0, missing=0.1)
    choose_file(folder)
    bpy.ops.pads.estimate()
    found = joints_in_world(armature, FRAMES)
    assert beside(armature, camera, points).mean() < 8.0
    shaking = [float(np.nanmean(np.linalg.norm(np.diff(x, 3, axis=0), axis=-1))) for x in (found, joints)]
    assert shaking[0] < 5.0 * shaking[1]


def test_a_film_of_another_rate_keeps_its_seconds(shared_data, tmp_path):
    armature = rig(shared_data)
    camera, folder, points, _ = film(armature, tmp_path)
    for path in sorted(folder.iterdir())[1::2]:
        path.unlink()
    choose_file(folder)
    render = bpy.context.scene.render
    bpy.context.scene.pads_estimate.film.fps = 0.5 * render.fps / render.fps_base
    bpy.ops.pads.estimate()
    assert np.nanmean(beside(armature, camera, points)[:-1]) < 2 * FEW_PIXELS
    assert tuple(armature.animation_data.action.curve_frame_range) == (1.0, 39.0)


def test_what_is_missing_is_said(filmed_rig):
    _, camera, *_ = filmed_rig
    settings = bpy.context.scene.pads_estimate

    def refused(match):
        with pytest.raises(RuntimeError, match=match):
            bpy.ops.pads.estimate()
        assert [action.name for action in bpy.data.actions] == ["mixamo"]

    file, settings.film.file = settings.film.file, ""
    refused("Choose a keypoint file")
    settings.film.file = file + "/nowhere.json"
    refused("nowhere.json: ")
    settings.film.file, bpy.context.scene.camera = file, None
    refused("Add the camera that filmed")
    settings.film.camera, camera.data.type = camera, "ORTHO"
    refused("Camera Camera is orthographic")
    camera.data.type, settings.range = "PERSP", "SCENE"
    bpy.context.scene.frame_start, bpy.context.scene.frame_end = 100, 120
    refused("The film is shown from frame 1 to 40, outside of the chosen range")
    settings.range, settings.film.source = "TAKE", "TRACKS"
    refused("Choose a movie clip")
    bpy.ops.object.mode_set(mode="EDIT")
    settings.film.source = "FILE"
    refused("Leave Edit Mode first")
    bpy.ops.object.mode_set(mode="OBJECT")
    settings.film.source = "EMPTIES"
    refused("The scene has 0 empties named after points of a body, and 4 are needed")


def test_empties_on_the_joints_are_as_good_as_a_file(filmed_rig):
    """Named after the rig's own bones, hung onto them; one of them is there in half of the frames only."""
    armature, camera, points, _ = filmed_rig
    watched = armature.copy()
    bpy.context.scene.collection.objects.link(watched)
    for joint in MODEL.names:
        bone = read_mapping(armature).bone(joint)
        if bone and joint not in ("spine", "chest", "left_collar", "right_collar"):
            empty = bpy.data.objects.new(bone, None)
            bpy.context.scene.collection.objects.link(empty)
            empty.parent, empty.parent_type, empty.parent_bone = watched, "BONE", bone
            empty.location.y = -armature.data.bones[bone].length  # children of a bone lie at its tail
    knee = bpy.data.objects[read_mapping(armature).bone("left_knee")]
    for frame, is_hidden in ((1, False), (20, True)):
        knee.hide_viewport = is_hidden
        knee.keyframe_insert("hide_viewport", frame=frame)
    settings = bpy.context.scene.pads_estimate
    settings.film.source, settings.range = "EMPTIES", "SCENE"
    bpy.context.scene.frame_start, bpy.context.scene.frame_end = 1, len(FRAMES)
    bpy.ops.pads.estimate()
    assert armature.animation_data.action.name == "Empties"
    off = beside(armature, camera, points)
    hidden = SEEN.index(MODEL.index("left_knee"))
    assert off[:19].mean() < FEW_PIXELS and np.delete(off[19:], hidden, axis=1).mean() < FEW_PIXELS
    assert np.isfinite(off).all() and off[19:, hidden].mean() > FEW_PIXELS


def test_tracks_are_estimated_at_the_clips_size(filmed_rig, tmp_path):
    armature, camera, points, _ = filmed_rig
    image = bpy.data.images.new("clip", 500, 500)  # half of what is rendered
    image.filepath_raw, image.file_format = str(tmp_path / "clip_0001.png"), "PNG"
    image.save()
    clip = bpy.data.movieclips.load(image.filepath_raw)
    for number in np.flatnonzero(np.isfinite(points[0, :, 0])):
        track = clip.tracking.objects[0].tracks.new(name=MODEL.names[number], frame=1)
        for frame, (x, y) in zip(FRAMES, points[:, number] / 1000.0, strict=True):
            track.markers.insert_frame(int(frame), co=(x, 1.0 - y))
    film = bpy.context.scene.pads_estimate.film
    film.source, film.clip = "TRACKS", clip
    bpy.ops.pads.estimate()
    assert beside(armature, camera, points).mean() < FEW_PIXELS
