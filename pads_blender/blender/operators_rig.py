"""The rig's mapping: guessed again, saved as a preset, loaded from one."""

from pathlib import Path

import bpy

from ..errors import PadsError
from .reporting import OperatorResult, has_armature, reports_errors, reports_event_errors
from .rig_mapping import bone_tree, forget_mapping, preset_folder, read_mapping, store_mapping


class PADS_OT_guess_mapping(bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Forget what was set by hand: recognise the bones by a preset, or from their names and the shape of the rig"""

    bl_idname = "pads.guess_mapping"
    bl_label = "Guess Again"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads a plain set

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is an armature."""
        return has_armature(cls, context)

    @reports_errors
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        """Forget what was set by hand."""
        forget_mapping(context.object)
        mapping = read_mapping(context.object)
        self.report({"INFO"}, f"{len(mapping.joints) - len(mapping.missing())} joints recognised")
        return {"FINISHED"}


def _made(folder: Path) -> Path:
    """The folder of presets, which is there from now on."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        said = f"The folder of presets cannot be made ({error.strerror}): choose another one in the preferences."
        raise PadsError(said) from error
    return folder


class _PresetFile:
    """What saving and loading share: a JSON file in the folder of presets."""

    filename_ext = ".json"
    filter_glob: bpy.props.StringProperty(default="*.json", options={"HIDDEN"})
    filepath: bpy.props.StringProperty(subtype="FILE_PATH")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Whether there is an armature."""
        return has_armature(cls, context)

    @reports_event_errors
    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> OperatorResult:
        """Ask for the file."""
        folder = _made(preset_folder())
        self.filepath = str(folder / f"{bpy.path.clean_name(context.object.name)}.json")
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}


class PADS_OT_save_preset(_PresetFile, bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Save which bone is which joint as a file. Rigs with the same bones find it by themselves"""

    bl_idname = "pads.save_preset"
    bl_label = "Save Preset"
    check_existing: bpy.props.BoolProperty(
        default=True, options={"HIDDEN"}
    )  # the file browser asks before it overwrites

    @reports_errors
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        """Write the mapping that is in use."""
        from ..core.presets import save_preset  # not above: Blender's start must not wait for it

        path = Path(bpy.path.ensure_ext(self.filepath, ".json"))
        save_preset(path, read_mapping(context.object), *bone_tree(context.object))
        self.report({"INFO"}, f"Saved {path.name}")
        return {"FINISHED"}


class PADS_OT_load_preset(_PresetFile, bpy.types.Operator):  # noqa: N801 - Blender's own pattern
    """Read which bone is which joint from a file"""

    bl_idname = "pads.load_preset"
    bl_label = "Load Preset"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 - Blender reads a plain set

    @reports_errors
    def execute(self, context: bpy.types.Context) -> OperatorResult:
        """Store the file's mapping on the armature."""
        from ..core.presets import load_preset

        path = Path(self.filepath)
        store_mapping(context.object, load_preset(path, bone_tree(context.object)[0]))
        self.report({"INFO"}, f"Loaded {path.name}")
        return {"FINISHED"}


CLASSES = (PADS_OT_guess_mapping, PADS_OT_save_preset, PADS_OT_load_preset)
