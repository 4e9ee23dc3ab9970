"""Motion files into a scene by Blender's own importers, and .blend files out; what else goes out: exports.py.

Frames count as the file counts them: an FBX or glTF, which knows seconds, begins with frame 0. Only a BVH, which knows
rows, begins with frame 1.
"""

import contextlib
import io
import math
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from ..core.bvh import FIRST_FRAME, Bvh, bone_names, read_bvh
from ..core.bvh_plain import importable_text
from ..core.gltf import frame_rate, has_skin, read_gltf, write_with_skin
from ..core.input_files import plain
from ..errors import BadFileError, PadsError
from ..paths import written_whole

_OFF_FRAME = 1e-3  # frames; far above single precision in a take of an hour, far below a sub-frame key


def open_empty_scene() -> None:
    """Replace the open file by an empty one, add-ons and preferences kept: for batch work in a process of its own."""
    bpy.ops.wm.read_homefile(use_empty=True, load_ui=False)


# --- in ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Opened:
    """The armatures of a file in the open scene, for use at once; a BVH's text besides."""

    armatures: list[bpy.types.Object]
    bvh: Bvh | None = None


def open_motion(path: Path) -> Opened:
    """Replace the open file by a motion file; its armatures with keyframes, or all of them where none has any."""
    suffix = path.suffix.lower()
    if suffix not in READABLE:
        raise BadFileError(f"{path}: only {', '.join(READABLE)} files can be read.")
    if suffix == ".bvh":
        bvh = read_bvh(path)
        open_empty_scene()
        return Opened([import_bvh(bvh, path)], bvh)
    if not path.is_file():
        raise BadFileError(f"{path}: cannot be read: there is no such file.")
    open_empty_scene()
    _READERS[suffix](path)
    armatures = [item for item in bpy.context.scene.objects if item.type == "ARMATURE" and len(item.data.bones)]
    if not armatures:
        raise BadFileError(f"{path}: there is no armature in it.")
    animated = [item for item in armatures if item.animation_data and item.animation_data.action]
    return Opened(sorted(animated or armatures, key=lambda item: item.name))


def import_bvh(bvh: Bvh, path: Path) -> bpy.types.Object:
    """The armature of a parsed BVH file in the current scene, which takes on its frame rate and frame range."""
    scene = bpy.context.scene
    enable_add_on("io_anim_bvh")
    with _folder_for_copies() as folder, blender_says(path):
        plain = folder / (path.stem + ".bvh")
        plain.write_text(importable_text(bvh), encoding="utf-8")
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


def _import_fbx(path: Path) -> None:
    with blender_says(path):
        bpy.ops.wm.fbx_import(filepath=str(path), anim_offset=0.0)
    for armature in (item for item in bpy.context.scene.objects if item.type == "ARMATURE"):
        _loosen_moved_bones(armature)


def _loosen_moved_bones(armature: bpy.types.Object) -> None:
    """Unconnect bones that the file moves: the importer connects some to their parents, and then they stand still.

    Seen in 4.5 and 5.2: hips below a root bone lost all their travel.
    """
    bpy.context.view_layer.objects.active = armature
    bpy.ops.object.mode_set(mode="EDIT")
    for bone in armature.data.edit_bones:
        bone.use_connect = False
    bpy.ops.object.mode_set(mode="OBJECT")


def _import_gltf(path: Path) -> None:
    """glTF has no frame rate: the scene takes on that of the keys, so that none falls between two frames."""
    gltf = read_gltf(path)
    rate = frame_rate(gltf) or 30.0
    render = bpy.context.scene.render
    render.fps = max(1, math.ceil(rate - 1e-6))
    render.fps_base = render.fps / rate
    enable_add_on("io_scene_gltf2")
    with _folder_for_copies() as folder, blender_says(path), gltf_frame_rate():
        is_plain = has_skin(gltf) and path.suffix.lower() != ".vrma"
        readable = path if is_plain else write_with_skin(gltf, path, folder)
        bpy.ops.import_scene.gltf(
            filepath=str(readable), bone_heuristic="BLENDER", disable_bone_shape=True, guess_original_bind_pose=is_plain
        )
    for action in bpy.data.actions:
        _snap_to_frames(action)


@contextlib.contextmanager
def gltf_frame_rate() -> Iterator[None]:
    """The scene's frame rate as Blender's glTF add-on takes it: times its base, not by it (seen in 4.5 and 5.2)."""
    render = bpy.context.scene.render
    base, render.fps_base = render.fps_base, 1.0 / render.fps_base
    try:
        yield
    finally:
        render.fps_base = base


def _snap_to_frames(action: bpy.types.Action) -> None:
    """Put keys that only single precision keeps off a whole frame onto it."""
    for layer in action.layers:
        for curve in (curve for strip in layer.strips for bag in strip.channelbags for curve in bag.fcurves):
            points = np.empty(2 * len(curve.keyframe_points), np.float32)
            curve.keyframe_points.foreach_get("co", points)
            whole = np.round(points[::2])
            points[::2] = np.where(np.abs(points[::2] - whole) < _OFF_FRAME, whole, points[::2])
            curve.keyframe_points.foreach_set("co", points)
            curve.update()


def _open_blend(path: Path) -> None:
    with blender_says(path):
        bpy.ops.wm.open_mainfile(filepath=str(path.resolve()), load_ui=False)


_READERS: dict[str, Callable[[Path], None]] = {
    ".fbx": _import_fbx,
    ".glb": _import_gltf,
    ".gltf": _import_gltf,
    ".vrma": _import_gltf,
    ".blend": _open_blend,
}
READABLE = (".bvh", *_READERS)


def enable_add_on(add_on: str) -> None:
    """Switch on one of Blender's own importers or exporters for this session."""
    import addon_utils  # a script of Blender's, found only once bpy is loaded

    addon_utils.enable(add_on, default_set=False)


@contextlib.contextmanager
def blender_says(path: Path) -> Iterator[None]:
    """An operator's own refusal as a sentence that names the file."""
    try:
        with quiet():
            yield
    except RuntimeError as error:
        raise BadFileError(f"{path}: Blender says: {_reason(str(error))}.") from error


def _reason(said: str) -> str:
    """An operator's refusal in one line; of an importer or exporter that broke down, what it broke on."""
    lines = [line for line in said.splitlines() if line.strip() and not line.startswith("Location:")]
    text = lines[-1] if "Traceback" in said else " ".join(lines)
    return plain(" ".join(text.removeprefix("Error: ").split()).rstrip("."), 200)


@contextlib.contextmanager
def _folder_for_copies() -> Iterator[Path]:
    """A folder for what an importer is to read in the place of a file; PadsError where there is no room for it."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
    except OSError as error:
        where = tempfile.gettempdir()
        raise PadsError(f"{where}: a temporary copy cannot be written: {error.strerror or error}.") from error


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Importers and operators print to the standard output, which belongs to the command's own result."""
    sys.stdout.flush()
    own, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        os.dup2(own, 1)
        os.close(own)
        os.close(nowhere)


# --- out --------------------------------------------------------------------------------------------------------------


def save_blend(path: Path) -> None:
    """Save a copy of the open file, whole or not at all."""
    with written_whole(path) as partial, blender_says(path):
        bpy.ops.wm.save_as_mainfile(filepath=str(partial), copy=True, compress=True, check_existing=False)
        _check_blend(partial, path)


def _check_blend(written: Path, path: Path) -> None:
    """PadsError where the file cannot be opened: Blender seldom notices that a disk is full (seen in 4.5 and 5.2)."""
    try:
        with bpy.data.libraries.load(str(written)):
            pass
    except OSError as error:
        raise PadsError(f"{path}: cannot be written in full: is there room left on the disk?") from error
