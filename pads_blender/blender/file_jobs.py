"""One motion file through Clean: opened, each of its armatures with its own mapping, and written again."""

import difflib
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import bpy
import numpy as np

from ..core.bvh import replace_motion, write_bvh
from ..core.presets import fingerprint, load_preset
from ..core.rig import find_changes
from ..diffusion.prior import Prior
from ..errors import BadFileError, PadsError, TakeError, enough_memory
from ..paths import written_whole
from ..tasks.clean import CleanSettings
from ..tasks.cleaned import Cleaned
from ..tasks.running import OnStep, part_of
from .clean import clean_armature
from .exports import export_motion
from .files import Opened, open_motion, save_blend
from .rig_mapping import bone_tree, store_mapping
from .rig_writer import write_take


@dataclass(frozen=True)
class Source:
    """A motion file, which of its armatures is meant (None: all), and a preset for their mapping (None: none)."""

    path: Path
    armature: str | None = None
    preset: Path | None = None


@dataclass(frozen=True)
class Job:
    """One file to clean: where from, where to, and how."""

    source: Source
    target: Path
    settings: CleanSettings
    blend: Path | None = None
    switch_to_fk: bool = False  # of Rigify limbs that follow their IK controls, see read_rig


def open_source(source: Source) -> Opened:
    """The armatures that are meant, in the scene of the file; a preset's mapping is stored on them."""
    opened = open_motion(source.path)
    if source.armature is not None:
        opened = replace(opened, armatures=[_named(source, opened.armatures)])
    for armature in opened.armatures if source.preset else ():
        store_mapping(armature, load_preset(source.preset, bone_tree(armature)[0]))
    return opened


def _named(source: Source, armatures: Sequence[bpy.types.Object]) -> bpy.types.Object:
    found = next((item for item in armatures if item.name == source.armature), None)
    if found is None:
        names = ", ".join(item.name for item in armatures)
        raise BadFileError(f"{source.path}: it has no armature called {source.armature}, only {names}.")
    return found


def clean_file(job: Job, prior: Prior, on_step: OnStep) -> dict:
    """Clean one file and write the results; what was done, as plain data for --report."""
    started = time.perf_counter()
    opened = open_source(job.source)
    _check_target(job, opened)
    with enough_memory():
        results = _clean_each(opened.armatures, job, prior, on_step)
        _write(job, opened, results)
    seconds = time.perf_counter() - started
    reports = [_report(opened, name, result) for name, result in results.items()]
    frames = sum(report.get("frames", 0) for report in reports)
    return {
        "file": str(job.source.path),
        "output": str(job.target),
        **(reports[0] if len(reports) == 1 else {"frames": frames, "armatures": reports}),
        "settings": settings_data(job.settings),
        "seconds": round(seconds, 3),
        "frames_per_second": round(frames / seconds, 1),
        "device": prior.network.label,
    }


def _check_target(job: Job, opened: Opened) -> None:
    if job.target.suffix.lower() == ".bvh" and len(opened.armatures) > 1:
        names = ", ".join(item.name for item in opened.armatures)
        raise BadFileError(f"{job.source.path}: a BVH holds one armature, choose one with --armature: {names}.")


def _clean_each(
    armatures: Sequence[bpy.types.Object], job: Job, prior: Prior, on_step: OnStep
) -> dict[str, Cleaned | PadsError]:
    """What became of each armature by name; where all of them fail, the first one's reason is raised."""
    results: dict[str, Cleaned | PadsError] = {}
    for number, armature in enumerate(armatures):
        show = part_of(on_step, number, len(armatures))
        try:
            _check_settings(job.settings, armature)
            results[armature.name] = clean_armature(armature, job.settings, prior, show, switch_to_fk=job.switch_to_fk)
        except PadsError as error:
            results[armature.name] = error
    if all(isinstance(result, PadsError) for result in results.values()):
        raise next(iter(results.values()))
    return results


def _write(job: Job, opened: Opened, results: dict[str, Cleaned | PadsError]) -> None:
    """The files that are asked for; a BVH that stays one keeps its text."""
    cleaned = {name: result for name, result in results.items() if isinstance(result, Cleaned)}
    stays_bvh = opened.bvh is not None and job.target.suffix.lower() == ".bvh"
    if stays_bvh:
        (result,) = cleaned.values()
        with written_whole(job.target) as partial:
            write_bvh(replace_motion(opened.bvh, result.after, find_changes(result.before, result.after)), partial)
    if stays_bvh and not job.blend:
        return
    _put_on_rigs(opened.armatures, cleaned, job.switch_to_fk)
    if job.blend:
        save_blend(job.blend)
    if not stays_bvh:
        frames = np.concatenate([result.before.frames for result in cleaned.values()])
        export_motion(job.target, opened.armatures, (int(frames.min()), int(frames.max())))


def _put_on_rigs(armatures: Sequence[bpy.types.Object], cleaned: dict[str, Cleaned], switch_to_fk: bool) -> None:
    for armature in armatures:
        if armature.name in cleaned:
            write_take(armature, cleaned[armature.name].before, cleaned[armature.name].after, switch_to_fk)


def _report(opened: Opened, name: str, result: Cleaned | PadsError) -> dict:
    """What was done to one armature, or why nothing was."""
    armature = next(item for item in opened.armatures if item.name == name)
    head = {"armature": name, "rig": fingerprint(*bone_tree(armature))}
    if isinstance(result, PadsError):
        return head | {"error": str(result)}
    frames = result.before.frames
    return {**head, **result.report, "first_frame": int(frames[0]), "last_frame": int(frames[-1])}


def _check_settings(settings: CleanSettings, armature: bpy.types.Object) -> None:
    """Refuse frames and bones that the take does not have before any time is spent."""
    first, last = armature.animation_data.action.frame_range
    ranges = [(settings.start, settings.end), *((part.first, part.last) for part in settings.complete)]
    for start, end in ranges:
        if (start is not None and start > last) or (end is not None and end < first):
            raise TakeError(f"No frame to work on: the take has frames {first:g} to {last:g}.")
    names = [bone.name for bone in armature.data.bones]
    for bone in (bone for part in settings.complete for bone in part.bones):
        if bone not in names:
            near = difflib.get_close_matches(bone, names, 1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(names[:5])} ..."
            raise TakeError(f"The rig has no bone called {bone}: {hint}")


def settings_data(settings: CleanSettings) -> dict:
    """The settings as plain data, in the words of the command line."""
    complete = [{"bones": list(part.bones), "first": part.first, "last": part.last} for part in settings.complete]
    return {**asdict(settings), "complete": complete}
