"""The open scene's armatures into motion files, by Blender's own exporters; BVH as text by core/bvh_text.py.

Exporters bake: what they write has a key at every frame, whatever keys the curves have.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import bpy
import numpy as np

from ..core.bvh_text import PosedBones, bvh_text
from ..paths import folder_written_whole, written_whole
from .files import blender_says, enable_add_on, gltf_frame_rate, save_blend
from .rig_reader import scene_fps

Armatures = Sequence[bpy.types.Object]


def export_motion(path: Path, armatures: Armatures, frames: tuple[int, int]) -> None:
    """Write the open scene, its armatures with their current actions in these scene frames; whole or not at all."""
    scene = bpy.context.scene
    if path.suffix.lower() == ".blend":
        save_blend(path)
        return
    before = scene.frame_start, scene.frame_end, scene.frame_current
    scene.frame_start, scene.frame_end = frames
    try:
        _EXPORTERS[path.suffix.lower()](path, armatures)
    finally:
        scene.frame_start, scene.frame_end = before[:2]
        scene.frame_set(before[2])


def _export_bvh(path: Path, armatures: Armatures) -> None:
    """What Blender evaluates, bone by bone: constraints and drivers are in it."""
    text = bvh_text(_read_posed(armatures[0]))
    with written_whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


def _read_posed(armature: bpy.types.Object) -> PosedBones:
    scene, bones = bpy.context.scene, list(armature.data.bones)
    names = [bone.name for bone in bones]
    world = []
    for frame in range(scene.frame_start, scene.frame_end + 1):
        scene.frame_set(frame)
        posed = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        pose = np.array([posed.pose.bones[name].matrix for name in names])
        world.append(np.array(posed.matrix_world) @ pose)
    rest_world = np.array(armature.matrix_world)  # of the last frame: where the object moves, any one will do
    return PosedBones(
        names=tuple(names),
        parents=np.array([names.index(bone.parent.name) if bone.parent else -1 for bone in bones]),
        rest=rest_world @ np.array([bone.matrix_local for bone in bones]),
        tails=np.array([bone.tail_local for bone in bones]) @ rest_world[:3, :3].T + rest_world[:3, 3],
        world=np.array(world),
        fps=scene_fps(),
    )


def _export_fbx(path: Path, armatures: Armatures) -> None:
    """The file's rest pose is the pose of the current frame, unless a mesh hangs on the bones (seen in 4.5 and 5.2)."""
    enable_add_on("io_scene_fbx")
    scene = bpy.context.scene
    name, scene.name = scene.name, _clip_name(armatures)  # the exporter calls the clip after the scene
    with written_whole(path) as partial, blender_says(path), _at_rest_before(scene.frame_start, armatures):
        try:
            bpy.ops.export_scene.fbx(
                filepath=str(partial),
                add_leaf_bones=False,
                bake_anim_use_nla_strips=False,
                bake_anim_use_all_actions=False,
                bake_anim_simplify_factor=0.0,
                use_custom_props=True,
            )
        finally:
            scene.name = name


@contextlib.contextmanager
def _at_rest_before(first: int, armatures: Armatures) -> Iterator[None]:
    """The armatures are in their rest pose in the frame before the first one, which is the current one."""
    scene = bpy.context.scene

    def pose(*_: object) -> None:
        position = "REST" if scene.frame_current < first else "POSE"
        for armature in armatures:
            armature.data.pose_position = position

    bpy.app.handlers.frame_change_pre.append(pose)
    try:
        scene.frame_set(first - 1)
        yield
    finally:
        scene.frame_set(first)
        bpy.app.handlers.frame_change_pre.remove(pose)


def _export_gltf(path: Path, armatures: Armatures) -> None:
    enable_add_on("io_scene_gltf2")
    options = {
        "export_animation_mode": "ACTIVE_ACTIONS",
        "export_nla_strips_merged_animation_name": _clip_name(armatures),
        "export_frame_range": True,
        "export_optimize_animation_size": False,
        "export_extras": True,
    }
    if path.suffix.lower() == ".glb":
        with written_whole(path) as partial, blender_says(path), gltf_frame_rate():
            bpy.ops.export_scene.gltf(filepath=str(partial), export_format="GLB", **options)
        return
    with folder_written_whole(path) as folder, blender_says(path), gltf_frame_rate():
        bpy.ops.export_scene.gltf(filepath=str(folder / path.name), export_format="GLTF_SEPARATE", **options)


def _clip_name(armatures: Armatures) -> str:
    """The first armature's action without what importers and PADS add to its name."""
    return armatures[0].animation_data.action.name.rpartition("|")[2].removesuffix(".pads")


_EXPORTERS: dict[str, Callable[[Path, Armatures], None]] = {
    ".bvh": _export_bvh,
    ".fbx": _export_fbx,
    ".glb": _export_gltf,
    ".gltf": _export_gltf,
}
WRITABLE = (*_EXPORTERS, ".blend")
