"""Estimate as an animator uses it: a film's points and its camera are chosen in the tab, then one click."""

import time

from .program import Sidebar, wait_for

ACTION = "bpy.context.object.animation_data.action.name"
# The rig filmed for two seconds by a camera that moves, its joints written as COCO key points.
FILM = """
import importlib, json
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector
own = lambda name: importlib.import_module("bl_ext.user_default.pads_mocap." + name)
scene, rig = bpy.context.scene, bpy.context.object
scene.render.resolution_x, scene.render.resolution_y = 1280, 720
camera = bpy.data.objects.new("Film Camera", bpy.data.cameras.new("Film Camera"))
scene.collection.objects.link(camera)
scene.camera = camera
camera.rotation_euler = (1.5, 0.0, 0.2)
for frame, x in ((1, 0.5), (60, 1.5)):
    camera.location = (x, -5.0, 1.2)
    camera.keyframe_insert("location", frame=frame)
joints = [own("blender.rig_mapping").read_mapping(rig).bone(joint) for joint in own("core.skeleton").JOINTS]
layout, film = own("core.keypoints").COCO_17, []
for frame in range(1, 61):
    scene.frame_set(frame)
    heads = np.array([rig.matrix_world @ rig.pose.bones[bone or joints[4]].head for bone in joints])
    places = [world_to_camera_view(scene, camera, Vector(p)) for p in layout.joints @ heads]
    film.append([value for x, y, _ in places for value in (1280 * x, 720 * (1 - y), 1.0)])
entries = [{"image_id": number, "category_id": 1, "keypoints": points} for number, points in enumerate(film)]
open(PATH, "w").write(json.dumps(entries))
rig.animation_data.action = None
scene.pads_estimate.film.file = PATH
scene.frame_set(30)
bpy.ops.object.mode_set(mode="OBJECT")
camera.select_set(False)
with bpy.context.temp_override(window=window(), area=area(), region=region("WINDOW")):
    bpy.ops.view3d.view_camera()
open_panels("PADS_PT_estimate")
"""


def test_a_film_becomes_motion(program, rig, screenshots, tmp_path):
    path = str(tmp_path / "jump.json")
    program.run(f"PATH = {path!r}\n{FILM}")
    sidebar = Sidebar(program)
    sidebar.find("pads.estimate")
    time.sleep(1.0)
    program.screen.picture(screenshots / "estimate.png")
    sidebar.press("pads.estimate")
    wait_for(lambda: program.ask("bool(bpy.context.object.animation_data.action)"))
    assert program.ask(ACTION) == "jump"
    time.sleep(1.0)
    program.screen.picture(screenshots / "estimated.png")
