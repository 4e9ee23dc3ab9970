"""The headless command line: files in, the task, files out. It works in a Blender session that it may replace."""

import argparse
import json
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from ..core.mapping import Mapping
from ..core.presets import save_preset
from ..diffusion.prior import Prior, load_prior
from ..errors import PadsError
from ..paths import written_whole
from ..tasks.clean import CleanSettings
from ..tasks.problems import Problem
from . import estimate_command
from .batch_options import build_parser
from .clean import inspect_armature
from .exports import WRITABLE
from .file_jobs import Job, Source, clean_file, open_source
from .files import READABLE
from .progress import Progress
from .rig_mapping import bone_tree, read_mapping

DONE, SOME_FAILED, WRONG_USE, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str]) -> int:
    """Run one command line (without the program's name); the exit code."""
    try:
        options = build_parser(_COMMANDS).parse_args(list(arguments))
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


def _source(options: argparse.Namespace, path: Path) -> Source:
    return Source(path, options.armature, options.preset)


def _run_map(options: argparse.Namespace) -> int:
    if options.save:
        _check_outputs([options.source], [options.save])
    try:
        armatures = open_source(_source(options, options.source)).armatures
        if options.save and len(armatures) > 1:
            names = ", ".join(item.name for item in armatures)
            raise PadsError(f"A preset is for one armature, choose one with --armature: {names}.")
        mappings = {armature.name: read_mapping(armature) for armature in armatures}
        for armature in armatures if options.save else ():
            save_preset(options.save, mappings[armature.name], *bone_tree(armature))
    except PadsError as error:
        _say_failed(options.source, error)
        return SOME_FAILED
    print(json.dumps(_mapping_data(mappings), indent=2), flush=True)
    return DONE


def _mapping_data(mappings: dict[str, Mapping]) -> dict:
    """The mapping as plain data; of several armatures, each under its name."""
    data = {name: mapping.to_json() for name, mapping in mappings.items()}
    return next(iter(data.values())) if len(data) == 1 else {"armatures": data}


def _run_find(options: argparse.Namespace) -> int:
    if options.json:
        _check_outputs([options.source], [options.json])
    try:
        armatures = open_source(_source(options, options.source)).armatures
        seen = {armature.name: inspect_armature(armature) for armature in armatures}
        found = {name: problems for name, (problems, _) in seen.items()}
        if options.json:
            _write_json(options.json, _problem_data(found))
    except PadsError as error:
        _say_failed(options.source, error)
        return SOME_FAILED
    for name, problems in found.items():
        for problem in problems:
            print(_problem_line(problem, name if len(found) > 1 else None), flush=True)
    for warning in (warning for _, warnings in seen.values() for warning in warnings):
        _say(f"pads: {options.source}: {warning.text}")
    count = sum(map(len, found.values()))
    _say(f"pads: {options.source}: {count or 'no'} problem{'' if count == 1 else 's'} found.")
    return DONE


def _problem_line(problem: Problem, armature: str | None) -> str:
    where = f"{armature}: " if armature else ""
    return f"{problem.kind:12}{problem.severity:7.0f} mm  {where}{problem.bone}: {problem.reason}"


def _problem_data(found: dict[str, list[Problem]]) -> list[dict]:
    """All problems as plain data; of several armatures, each with its armature's name."""
    several = len(found) > 1
    return [({"armature": name} if several else {}) | each.to_json() for name, every in found.items() for each in every]


def _write_json(path: Path, data: object) -> None:
    with written_whole(path) as partial:
        partial.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


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
        _write_json(options.report, data)
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
    same = ("strength", "start", "end", "sampler", "steps", "seed", "feet", "samples", "leave_out_reference")
    settings = CleanSettings(complete=tuple(options.complete), **{name: getattr(options, name) for name in same})
    sources = [_source(options, path) for path in options.sources]
    return [Job(s, t, settings, options.blend, options.switch_to_fk) for s, t in zip(sources, targets, strict=True)]


def _targets(sources: Sequence[Path], output: str) -> list[Path]:
    """Where each file goes: OUT itself for one input and a name that says its format, else inside the folder OUT."""
    out = Path(output)
    suffix = out.suffix.lower()
    is_file = suffix in WRITABLE and not out.is_dir() and not output.endswith(("/", os.sep))
    if is_file and len(sources) > 1:
        raise _UsageError(f"-o {output} is one file, but there are {len(sources)} inputs: name a folder")
    targets = [out] if is_file else [out / source.name for source in sources]
    for path in (out, *targets):
        if path.suffix.lower() in READABLE and path.suffix.lower() not in WRITABLE:
            raise _UsageError(f"{path}: this format can only be read: name an output of {', '.join(WRITABLE)}")
    return targets


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
    path = job.source.path
    progress = Progress(path.name if count == 1 else f"{path.name} ({number + 1} of {count})")
    try:
        report = clean_file(job, prior, progress.show)
    except PadsError as error:
        progress.end()
        return {"file": str(path), "error": _say_failed(path, error)}
    except Exception as error:  # a bug: shown in full, but a night's batch goes on
        progress.end()
        traceback.print_exc()
        return {
            "file": str(path),
            "error": _say_failed(path, PadsError(f"unexpected error: {error!r}.")),
        }
    progress.end()
    parts = report.get("armatures", [report])
    for part in parts:
        where = f"{path}: {part['armature']}" if len(parts) > 1 else f"{path}"
        for text in [part["error"]] if "error" in part else [warning["text"] for warning in part["warnings"]]:
            _say(f"pads: {where}: {text}")
    _say(f"pads: {path}: done, {report['frames']} frames in {report['seconds']:.1f} s: {job.target}")
    return report


def _say_failed(path: Path, error: PadsError) -> str:
    """Say what is wrong in one line; the message without the file's name."""
    message = " ".join(str(error).removeprefix(f"{path}: ").split())
    _say(f"pads: {path}: {message}")
    return message


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


_COMMANDS = {"clean": _run_clean, "map": _run_map, "find": _run_find, "estimate": estimate_command.run}
