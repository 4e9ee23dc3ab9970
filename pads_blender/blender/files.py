"""Motion files into a scene by Blender's own importers, and .blend files out. BVH goes out as text: core/bvh.py."""

import contextlib
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import bpy

from ..core.bvh import FIRST_FRAME, Bvh, bone_names, importable_text
from ..errors import BadFileError
from ..paths import written_whole


def open_empty_scene() -> None:
    """Replace the open file by an empty one, add-ons and preferences kept: for batch work in a process of its own."""
    bpy.ops.wm.read_homefile(use_empty=True, load_ui=False)


def import_bvh(bvh: Bvh, path: Path) -> bpy.types.Object:
    """The armature of a parsed BVH file in the current scene, which takes on its frame rate and frame range."""
    import addon_utils  # a script of Blender's, found only once bpy is loaded

    scene = bpy.context.scene
    with tempfile.TemporaryDirectory() as folder, _quiet():
        plain = Path(folder, path.stem + ".bvh")
        plain.write_text(importable_text(bvh), encoding="utf-8")
        addon_utils.enable("io_anim_bvh", default_set=False)
        bpy.ops.import_anim.bvh(
            filepath=str(plain),
            rotate_mode="QUATERNION",
            frame_start=FIRST_FRAME,
            update_scene_fps=True,
            axis_forward="-Z",
            axis_up="Y",
        )
    scene.frame_start, scene.frame_end = FIRST_FRAME, FIRST_FRAME + len(bvh.motion) - 1
    armature = bpy.context.view_layer.objects.active
    if {bone.name for bone in armature.data.bones} != set(bone_names(bvh)):
        raise BadFileError(f"{path}: Blender's importer lost bones of this file: check for joints of no length.")
    return armature


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Importers and operators print to the standard output, which belongs to the command's own result."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def save_blend(path: Path) -> None:
    """Save a copy of the open file, whole or not at all."""
    with written_whole(path) as partial, _quiet():
        bpy.ops.wm.save_as_mainfile(filepath=str(partial), copy=True, compress=True, check_existing=False)
