"""The command line's words: which commands and options there are, and what they mean. It touches no file."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path

from ..tasks.clean import CleanSettings
from ..tasks.complete import HiddenBones
from . import estimate_command, generate_command
from .clean import PRIORS
from .exports import WRITABLE
from .files import READABLE
from .option_types import at_least, between

_BONES_AND_RANGE = re.compile(r"(?P<bones>.+?)(?::(?P<first>-?\d+)-(?P<last>-?\d+))?")  # a name may hold a colon
_FORMATS = ", ".join(READABLE)


def build_parser(commands: dict[str, Callable[[argparse.Namespace], int]]) -> argparse.ArgumentParser:
    """The parser; each command's function is put into the options as `run`."""
    parser = argparse.ArgumentParser(prog="pads", description="Clean motion capture with a prior of human motion.")
    words = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (describe, add) in _COMMANDS.items():
        command = words.add_parser(name, help=describe, epilog="exit codes: 0 done, 1 a file failed, 2 wrong use")
        add(command)
        command.set_defaults(run=commands[name])
    return parser


def _add_map(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="IN", type=Path, help=f"a motion file: {_FORMATS}")
    _add_rig_options(parser)
    parser.add_argument("--save", type=Path, metavar="FILE.json", help="save the mapping as a preset, too")


def _add_find(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="IN", type=Path, help=f"a motion file: {_FORMATS}")
    _add_rig_options(parser)
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="write the list as JSON, too")


def _add_rig_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--armature", metavar="NAME", help="only this one of several armatures")
    parser.add_argument("--preset", type=Path, metavar="FILE.json", help="take the bone mapping from a preset file")


def _add_clean(parser: argparse.ArgumentParser) -> None:
    defaults = CleanSettings()
    parser.add_argument(
        "sources", metavar="IN", type=Path, nargs="+", help=f"motion files ({_FORMATS}), folders, patterns in quotes"
    )
    parser.add_argument(
        "-o", "--output", required=True, metavar="OUT", help=f"a file ({', '.join(WRITABLE)}), or a folder"
    )
    _add_rig_options(parser)
    parser.add_argument(
        "--start",
        type=int,
        metavar="FRAME",
        help="first frame to clean (a BVH begins with frame 1, an FBX or glTF mostly with 0)",
    )
    parser.add_argument("--end", type=int, metavar="FRAME", help="last frame to clean")
    parser.add_argument(
        "--strength", type=between(float, 0, 1), default=defaults.strength, help="0 (no change) to 1 (default)"
    )
    parser.add_argument(
        "--complete",
        type=hidden_bones,
        action="append",
        default=[],
        metavar='"BONE,BONE:FIRST-LAST"',
        help="bones to fill in anew, with the frames in which to do so (else all of them); may be repeated",
    )
    parser.add_argument(
        "--feet", type=between(float, 0, 1), default=defaults.feet, help="0 to 1 (default): resting feet stay put"
    )
    parser.add_argument("--sampler", choices=("prox", "dps"), default=defaults.sampler, help="for the prior of poses")
    parser.add_argument("--prior", choices=PRIORS, default=PRIORS[0], help="of motion over time, or of single poses")
    parser.add_argument(
        "--prior-file", type=Path, metavar="FILE.json", help="a prior of your own, as training wrote it"
    )
    parser.add_argument(
        "--steps", type=at_least(1), default=defaults.steps, help="sampling steps: more is slower and finer"
    )
    parser.add_argument("--seed", type=at_least(0), default=defaults.seed, help="the same seed gives the same keys")
    parser.add_argument(
        "--samples", type=at_least(2), default=defaults.samples, help="say how unsure, from so many (2 up)"
    )
    parser.add_argument(
        "--leave-out-t-pose",
        dest="leave_out_reference",
        action="store_true",
        help="leave a T-pose or rest pose in front of the take as it is, and learn nothing from it",
    )
    parser.add_argument(
        "--switch-to-fk", action="store_true", help="Rigify limbs that follow their IK controls are switched to FK"
    )
    parser.add_argument("--report", type=Path, metavar="R.json", help="what was done; a list for several files")
    parser.add_argument("--blend", type=Path, metavar="FILE.blend", help="save the rig with both actions (one IN only)")
    _add_batch_options(parser)


def _add_batch_options(parser: argparse.ArgumentParser) -> None:
    many = parser.add_argument_group("many files")
    many.add_argument("--jobs", type=at_least(1), default=1, metavar="N", help="so many Blender processes at a time")
    many.add_argument(
        "--threads", type=at_least(1), metavar="N", help="of each process (default: its share of the processor)"
    )
    many.add_argument("--reports", action="store_true", help="a report beside each result: NAME.pads.json")
    many.add_argument(
        "--resume", action="store_true", help="leave out what its report says is done already; writes --reports"
    )
    many.add_argument("--shard", type=_shard, metavar="K/N", help="only the K-th of N shares of the sorted list")
    many.add_argument("--log", type=Path, metavar="FILE", help="add a line of JSON for each file")


def _shard(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)/(\d+)", text)
    number, count = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= number <= count:
        raise argparse.ArgumentTypeError(f'"{text}" is no share: write 2/5 for the second of five')
    return number, count


def hidden_bones(text: str) -> HiddenBones:
    """`LeftArm,LeftForeArm:30-90` as what is to be filled in."""
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


_COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "clean": ("clean takes", _add_clean),
    "map": ("print which bone is which joint, as JSON", _add_map),
    "find": ("list what is broken in a take", _add_find),
    "estimate": (estimate_command.HELP, estimate_command.add_options),
    "inbetween": (generate_command.IN_BETWEEN_HELP, generate_command.add_in_between_options),
    "generate": (generate_command.GENERATE_HELP, generate_command.add_generate_options),
}
