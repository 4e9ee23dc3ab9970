"""The headless command line: files in, the task, files out. It works in a Blender session that it may replace."""

import argparse
import difflib
import json
import os
import re
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import bpy

from ..core.bvh import Bvh, read_bvh, replace_motion, write_bvh
from ..core.rig import find_changes
from ..diffusion.prior import Prior, load_prior
from ..errors import BadFileError, PadsError, TakeError
from ..tasks.clean import CleanSettings
from ..tasks.complete import HiddenBones
from . import files
from .clean import PRIORS, OnStep, clean_armature, list_problems
from .progress import Progress
from .rig_mapping import read_mapping
from .rig_writer import write_take

DONE, SOME_FAILED, WRONG_USE, INTERRUPTED = 0, 1, 2, 130
_BONES_AND_RANGE = re.compile(r"(?P<bones>.+?)(?::(?P<first>-?\d+)-(?P<last>-?\d+))?")  # a name may hold a colon


@dataclass(frozen=True)
class Job:
    """One file to clean: where from, where to, and how."""

    source: Path
    target: Path
    settings: CleanSettings
    blend: Path | None = None


def main(arguments: Sequence[str]) -> int:
    """Run one command line (without the program's name); the exit code."""
    try:
        options = _parser().parse_args(list(arguments))
        return options.run(options)
    except SystemExit as leave:  # argparse: --help or a wrong command line
        return leave.code if isinstance(leave.code, int) else WRONG_USE
    except _UsageError as error:
        _say(f"pads: {error}")
        return WRONG_USE
    except KeyboardInterrupt:
        _say("pads: interrupted; what was finished is there, nothing is half written.")
        return INTERRUPTED


class _UsageError(Exception):
    """The command line asks for what makes no sense."""


def clean_file(job: Job, prior: Prior, on_step: OnStep) -> dict:
    """Clean one file and write the results; what was done, as plain data for --report."""
    started = time.perf_counter()
    bvh, armature = _load(job.source)
    _check_settings(job.settings, armature)
    cleaned = clean_armature(armature, job.settings, prior, on_step)
    before, after = cleaned.before, cleaned.after
    with files.written_whole(job.target) as partial:
        write_bvh(replace_motion(bvh, after, find_changes(before, after)), partial)
    if job.blend:
        write_take(armature, before, after)
        files.save_blend(job.blend)
    seconds = time.perf_counter() - started
    return {
        "file": str(job.source),
        "output": str(job.target),
        **cleaned.report,
        "first_frame": int(before.frames[0]),
        "last_frame": int(before.frames[-1]),
        "settings": _settings_data(job.settings),
        "seconds": round(seconds, 3),
        "frames_per_second": round(len(before.frames) / seconds, 1),
        "device": getattr(prior, "device", "CPU"),
    }


def _load(path: Path) -> tuple[Bvh, bpy.types.Object]:
    """A file's text and its armature in an otherwise empty scene."""
    if path.suffix.lower() != ".bvh":
        raise BadFileError(f"{path}: only BVH files can be read so far.")
    bvh = read_bvh(path)
    files.open_empty_scene()
    return bvh, files.import_bvh(bvh, path)


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


def _settings_data(settings: CleanSettings) -> dict:
    """The settings as plain data, in the words of the command line."""
    complete = [{"bones": list(part.bones), "first": part.first, "last": part.last} for part in settings.complete]
    return {**asdict(settings), "complete": complete}


# --- the command line -------------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pads", description="Clean motion capture with a prior of human motion.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_clean(commands.add_parser("clean", help="clean takes", epilog="exit codes: 0 done, 1 a file failed, 2 usage"))
    mapping = commands.add_parser("map", help="print which bone is which joint, as JSON")
    mapping.add_argument("source", metavar="IN.bvh", type=Path)
    mapping.set_defaults(run=_run_map)
    find = commands.add_parser("find", help="list what is broken in a take")
    find.add_argument("source", metavar="IN.bvh", type=Path)
    find.add_argument("--json", type=Path, metavar="OUT.json", help="write the list as JSON, too")
    find.set_defaults(run=_run_find)
    return parser


def _add_clean(parser: argparse.ArgumentParser) -> None:
    defaults = CleanSettings()
    parser.set_defaults(run=_run_clean)
    parser.add_argument("sources", metavar="IN.bvh", type=Path, nargs="+")
    parser.add_argument("-o", "--output", required=True, metavar="OUT", help="a .bvh file, or a folder for several")
    parser.add_argument("--start", type=int, metavar="FRAME", help="first frame to clean (a BVH begins with frame 1)")
    parser.add_argument("--end", type=int, metavar="FRAME", help="last frame to clean")
    parser.add_argument("--strength", type=_share, default=defaults.strength, help="0 (no change) to 1 (default)")
    parser.add_argument(
        "--complete",
        type=_hidden_bones,
        action="append",
        default=[],
        metavar='"BONE,BONE:FIRST-LAST"',
        help="bones to fill in anew, with the frames in which to do so (else all of them); may be repeated",
    )
    parser.add_argument("--feet", type=_share, default=defaults.feet, help="0 to 1 (default): resting feet stay put")
    parser.add_argument("--sampler", choices=("prox", "dps"), default=defaults.sampler, help="for the prior of poses")
    parser.add_argument("--prior", choices=PRIORS, default=PRIORS[0], help="of motion over time, or of single poses")
    parser.add_argument(
        "--steps", type=_at_least(1), default=defaults.steps, help="sampling steps: more is slower and finer"
    )
    parser.add_argument("--seed", type=int, default=defaults.seed, help="the same seed gives the same keys")
    parser.add_argument(
        "--samples", type=_at_least(2), default=defaults.samples, help="say how unsure, from so many (2 up)"
    )
    parser.add_argument("--report", type=Path, metavar="R.json", help="what was done; a list for several files")
    parser.add_argument("--blend", type=Path, metavar="FILE.blend", help="save the rig with both actions (one IN only)")


def _share(text: str) -> float:
    value = float(text)
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError("it lies between 0 and 1")
    return value


def _at_least(lowest: int) -> Callable[[str], int]:
    def count(text: str) -> int:
        value = int(text)
        if value < lowest:
            raise argparse.ArgumentTypeError(f"at least {lowest}")
        return value

    return count


def _hidden_bones(text: str) -> HiddenBones:
    found = _BONES_AND_RANGE.fullmatch(text)
    bones = tuple(bone.strip() for bone in found["bones"].split(",") if bone.strip()) if found else ()
    if not bones:
        raise argparse.ArgumentTypeError(f'"{text}" names no bones: write "LeftArm,LeftForeArm:30-90"')
    if found["first"] is None:
        return HiddenBones(bones)
    first, last = int(found["first"]), int(found["last"])
    if first > last:
        raise argparse.ArgumentTypeError(f"frames {first}-{last} run backwards")
    return HiddenBones(bones, first, last)


def _run_map(options: argparse.Namespace) -> int:
    try:
        _, armature = _load(options.source)
        print(json.dumps(read_mapping(armature).to_json(), indent=2), flush=True)
    except PadsError as error:
        _say_failed(options.source, error)
        return SOME_FAILED
    return DONE


def _run_find(options: argparse.Namespace) -> int:
    if options.json:
        _check_outputs([options.source], [options.json])
    try:
        _, armature = _load(options.source)
        problems = list_problems(armature)
    except PadsError as error:
        _say_failed(options.source, error)
        return SOME_FAILED
    for problem in problems:
        print(f"{problem.kind:12}{problem.severity:7.0f} mm  {problem.bone}: {problem.reason}", flush=True)
    _say(f"pads: {options.source}: {len(problems) or 'no'} problem{'' if len(problems) == 1 else 's'} found.")
    if options.json:
        with files.written_whole(options.json) as partial:
            data = [problem.to_json() for problem in problems]
            partial.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    return DONE


def _run_clean(options: argparse.Namespace) -> int:
    jobs = _plan(options)
    try:
        prior = load_prior(options.prior)
    except PadsError as error:
        _say(f"pads: {error}")
        return SOME_FAILED
    reports = [_attempt(job, prior, number, len(jobs)) for number, job in enumerate(jobs)]
    if options.report:
        data = reports if len(jobs) > 1 else reports[0]
        with files.written_whole(options.report) as partial:
            partial.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    return SOME_FAILED if any("error" in report for report in reports) else DONE


def _plan(options: argparse.Namespace) -> list[Job]:
    """The jobs of a clean command; a _UsageError where they would tread on each other or on an input."""
    if options.start is not None and options.end is not None and options.start > options.end:
        raise _UsageError(f"frames {options.start} to {options.end} run backwards")
    if options.blend and len(options.sources) > 1:
        raise _UsageError("--blend takes one input file: run the command once for each")
    if options.samples and options.prior != "motion":
        raise _UsageError("--samples needs --prior motion: the prior of single poses cannot tell how unsure it is")
    targets = _targets(options.sources, options.output)
    _check_outputs(options.sources, [*targets, *filter(None, (options.report, options.blend))])
    same = ("strength", "start", "end", "sampler", "steps", "seed", "feet", "samples")
    settings = CleanSettings(complete=tuple(options.complete), **{name: getattr(options, name) for name in same})
    return [Job(s, t, settings, options.blend) for s, t in zip(options.sources, targets, strict=True)]


def _targets(sources: Sequence[Path], output: str) -> list[Path]:
    """Where each file goes: OUT itself for one input and a name that ends in .bvh, else inside the folder OUT."""
    out = Path(output)
    is_file = out.suffix.lower() == ".bvh" and not out.is_dir() and not output.endswith(("/", os.sep))
    if is_file and len(sources) > 1:
        raise _UsageError(f"-o {output} is one file, but there are {len(sources)} inputs: name a folder")
    if not is_file and out.suffix.lower() in (".fbx", ".glb", ".gltf", ".blend", ".vrma"):
        raise _UsageError(f"-o {output}: only BVH files can be written so far")
    return [out] if is_file else [out / source.name for source in sources]


def _check_outputs(sources: Sequence[Path], outputs: Sequence[Path]) -> None:
    inputs, seen = {source.resolve() for source in sources}, set()
    for output in outputs:
        path = output.resolve()
        if path in inputs or any(output.exists() and s.exists() and output.samefile(s) for s in sources):
            raise _UsageError(f"{output} is an input, and inputs are never overwritten: choose another output")
        if path in seen:
            raise _UsageError(f"{output} would be written twice: rename an input or choose another output")
        seen.add(path)


def _attempt(job: Job, prior: Prior, number: int, count: int) -> dict:
    """The report on one file; whatever goes wrong with it is said, and the next one gets its turn."""
    progress = Progress(job.source.name if count == 1 else f"{job.source.name} ({number + 1} of {count})")
    try:
        report = clean_file(job, prior, progress.show)
    except PadsError as error:
        progress.end()
        return {"file": str(job.source), "error": _say_failed(job.source, error)}
    except Exception as error:  # a bug: shown in full, but a night's batch goes on
        progress.end()
        traceback.print_exc()
        return {"file": str(job.source), "error": _say_failed(job.source, PadsError(f"unexpected error: {error!r}."))}
    progress.end()
    _say(f"pads: {job.source}: done, {report['frames']} frames in {report['seconds']:.1f} s: {job.target}")
    return report


def _say_failed(path: Path, error: PadsError) -> str:
    """Say what is wrong in one line; the message without the file's name."""
    message = " ".join(str(error).removeprefix(f"{path}: ").split())
    _say(f"pads: {path}: {message}")
    return message


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
