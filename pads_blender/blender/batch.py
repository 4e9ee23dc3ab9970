"""The headless command line: files in, the task, files out. It works in a Blender session that it may replace."""

import argparse
import json
from collections.abc import Sequence

from ..core.input_files import plain
from ..core.mapping import Mapping
from ..core.presets import save_preset
from ..errors import PadsError
from ..paths import write_json
from ..tasks.problems import Problem
from . import batch_clean, batch_worker, estimate_command, generate_command
from .batch_clean import DONE, SOME_FAILED, source_of
from .batch_inputs import UsageError, check_outputs
from .batch_log import say, say_failed
from .batch_options import build_parser
from .batch_pool import WORKER
from .clean import inspect_armature
from .file_jobs import open_source
from .rig_mapping import bone_tree, read_mapping

WRONG_USE, INTERRUPTED = 2, 130


def main(arguments: Sequence[str]) -> int:
    """Run one command line (without the program's name); the exit code."""
    if list(arguments) == [WORKER]:
        return batch_worker.run(lambda words: build_parser(_COMMANDS).parse_args(words))
    try:
        options = build_parser(_COMMANDS).parse_args(list(arguments))
        options.words = list(arguments)  # for the processes of --jobs, which read them again
        return options.run(options)
    except SystemExit as leave:  # argparse: --help or a wrong command line
        return leave.code if isinstance(leave.code, int) else WRONG_USE
    except UsageError as error:
        say(f"pads: {error}")
        return WRONG_USE
    except OSError as error:  # a name that no file can have
        say(f"pads: {plain(str(error.filename or ''), 60)}: {error.strerror or error}.")
        return WRONG_USE
    except KeyboardInterrupt:
        say("pads: interrupted; what was finished is there, nothing is half written.")
        return INTERRUPTED


def _run_map(options: argparse.Namespace) -> int:
    if options.save:
        check_outputs([options.source], [options.save])
    try:
        armatures = open_source(source_of(options, options.source)).armatures
        if options.save and len(armatures) > 1:
            names = ", ".join(item.name for item in armatures)
            raise PadsError(f"A preset is for one armature, choose one with --armature: {names}.")
        mappings = {armature.name: read_mapping(armature) for armature in armatures}
        for armature in armatures if options.save else ():
            save_preset(options.save, mappings[armature.name], *bone_tree(armature))
    except PadsError as error:
        say_failed(options.source, error)
        return SOME_FAILED
    print(json.dumps(_mapping_data(mappings), indent=2), flush=True)
    return DONE


def _mapping_data(mappings: dict[str, Mapping]) -> dict:
    """The mapping as plain data; of several armatures, each under its name."""
    data = {name: mapping.to_json() for name, mapping in mappings.items()}
    return next(iter(data.values())) if len(data) == 1 else {"armatures": data}


def _run_find(options: argparse.Namespace) -> int:
    if options.json:
        check_outputs([options.source], [options.json])
    try:
        armatures = open_source(source_of(options, options.source)).armatures
        seen = {armature.name: inspect_armature(armature) for armature in armatures}
        found = {name: problems for name, (problems, _) in seen.items()}
        if options.json:
            write_json(options.json, _problem_data(found))
    except PadsError as error:
        say_failed(options.source, error)
        return SOME_FAILED
    for name, problems in found.items():
        for problem in problems:
            print(_problem_line(problem, name if len(found) > 1 else None), flush=True)
    for warning in (warning for _, warnings in seen.values() for warning in warnings):
        say(f"pads: {options.source}: {warning.text}")
    count = sum(map(len, found.values()))
    say(f"pads: {options.source}: {count or 'no'} problem{'' if count == 1 else 's'} found.")
    return DONE


def _problem_line(problem: Problem, armature: str | None) -> str:
    where = f"{armature}: " if armature else ""
    return f"{problem.kind:12}{problem.severity:7.0f} mm  {where}{problem.bone}: {problem.reason}"


def _problem_data(found: dict[str, list[Problem]]) -> list[dict]:
    """All problems as plain data; of several armatures, each with its armature's name."""
    several = len(found) > 1
    return [({"armature": name} if several else {}) | each.to_json() for name, every in found.items() for each in every]


_COMMANDS = {
    "clean": batch_clean.run_clean,
    "map": _run_map,
    "find": _run_find,
    "estimate": estimate_command.run,
    "inbetween": generate_command.run_in_between,
    "generate": generate_command.run_generate,
}
