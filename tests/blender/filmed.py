"""Takes as cameras of the scene show them, written as detectors write: shared by the tests of Estimate."""

import json

import bpy
import numpy as np
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from pads_blender.blender.camera_reader import render_size
from pads_blender.blender.evaluation import evaluate
from pads_blender.blender.rig_mapping import read_mapping
from pads_blender.core.keypoints import OPENPOSE_25
from pads_blender.core.normalise import leg_length
from pads_blender.core.skeleton import MODEL

IMAGE = 1000  # pixels


def add_camera(place, target, name="Camera", frames=None, travel=(0.0, 0.0, 0.0)):
    """A camera that looks at a place, and goes along `travel` during the frames."""
    scene = bpy.context.scene
    camera = bpy.data.objects.new(name, bpy.data.cameras.new(name))
    scene.collection.objects.link(camera)
    scene.render.resolution_x = scene.render.resolution_y = IMAGE
    scene.render.resolution_percentage = 100
    camera.location = place
    camera.rotation_euler = (Vector(target) - Vector(place)).to_track_quat("-Z", "Y").to_euler()
    if frames is not None:
        for frame, share in ((frames[0], 0.0), (frames[-1], 1.0)):
            camera.location = Vector(place) + share * Vector(travel)
            camera.keyframe_insert("location", frame=frame)
    scene.camera = scene.camera or camera
    return camera


def joints_in_world(armature, frames):
    """Heads (F, J, 3) of the mapped bones in the world as Blender shows them, NaN where there is no bone."""
    mapping, places = read_mapping(armature), np.full((len(frames), len(MODEL), 3), np.nan)
    for row, each in enumerate(evaluate(armature, np.asarray(frames, float))):
        for column, joint in enumerate(MODEL.names):
            if bone := mapping.bone(joint):
                places[row, column] = each.matrix_world @ each.pose.bones[bone].head
    return places


def pixels(camera, frames, positions):
    """Where the camera shows positions (F, K, 3), (F, K, 2) from the upper left corner, by Blender's own function."""
    scene, size = bpy.context.scene, render_size(bpy.context.scene)
    shown = np.full((*positions.shape[:2], 2), np.nan)
    for row, _ in enumerate(evaluate(camera, np.asarray(frames, float))):
        for column in np.flatnonzero(np.isfinite(positions[row, :, 0])):
            x, y, _ = world_to_camera_view(scene, camera, Vector(positions[row, column]))
            shown[row, column] = x * size.width, (1.0 - y) * size.height
    return shown


def write_openpose(folder, camera, frames, joints, noise=0.0, missing=0.0, seed=0):
    """The folder of OpenPose files that a detector would write of joints (F, J, 3)."""
    rng = np.random.default_rng(seed)
    known = np.isfinite(joints).all(axis=(0, 2))
    usable = OPENPOSE_25.used & ~OPENPOSE_25.joints[:, ~known].any(axis=1)
    points = pixels(camera, frames, np.einsum("kj,fja->fka", OPENPOSE_25.joints, np.nan_to_num(joints)))
    points = points + noise * rng.standard_normal(points.shape)
    confidence = np.where(usable & (rng.random(points.shape[:2]) >= missing), 0.9, 0.0)
    folder.mkdir(exist_ok=True)
    for row, (place, sure) in enumerate(zip(points, confidence, strict=True)):
        flat = np.concatenate([np.where(sure[:, None] > 0, place, 0.0), sure[:, None]], axis=1).ravel().tolist()
        (folder / f"film_{row:06d}_keypoints.json").write_text(json.dumps({"people": [{"pose_keypoints_2d": flat}]}))
    return folder


def resize(armature, legs):
    """Scale the armature object so that its legs are so many metres long; the middle of its joints in frame 1."""
    bpy.context.view_layer.update()
    first = joints_in_world(armature, [1.0])[0]
    armature.scale = [legs / leg_length(first) * value for value in armature.scale]
    bpy.context.view_layer.update()
    return np.nanmean(joints_in_world(armature, [1.0])[0], axis=0)
