"""The commands inbetween and generate: a take with new motion between its key frames; poses of the model as a BVH."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..core.bvh import replace_motion, write_bvh
from ..core.motion import Motion
from ..core.rig import RigTake, find_changes
from ..core.skeleton_bvh import skeleton_bvh
from ..diffusion.prior import load_prior
from ..errors import BadFileError, PadsError
from ..paths import written_whole
from ..tasks.generate import GenerateSettings, generate_poses
from ..tasks.in_between import InBetweenSettings, in_between_take
from .batch_inputs import check_outputs
from .batch_log import say
from .computer import read_host
from .evaluated_reader import read_rig
from .exports import WRITABLE, export_motion
from .file_jobs import Source, open_source
from .files import Opened
from .option_types import at_least
from .parts import finish
from .progress import Progress
from .rig_mapping import read_mapping
from .rig_writer import write_take_in_parts

DONE, FAILED = 0, 1
IN_BETWEEN_HELP = "make the motion between key frames of a take anew"
GENERATE_HELP = "poses of the prior as the frames of a BVH of the model skeleton"
_POSES_A_SECOND = 30.0


def add_in_between_options(parser: argparse.ArgumentParser) -> None:
    """Options of inbetween."""
    parser.add_argument("source", metavar="IN", type=Path, help="a motion file with one armature, or see --armature")
    parser.add_argument("-o", "--output", metavar="OUT", type=Path, required=True, help=f"{', '.join(WRITABLE)}")
    parser.add_argument("--keys", metavar="FRAME", type=int, nargs="+", required=True, help="frames of the key poses")
    parser.add_argument(
        "--variation", type=at_least(0), default=0, metavar="N", help="0 (default): the likeliest motion"
    )
    parser.add_argument("--armature", metavar="NAME", help="this one of several armatures")
    parser.add_argument("--preset", type=Path, metavar="FILE.json", help="take the bone mapping from a preset file")


def add_generate_options(parser: argparse.ArgumentParser) -> None:
    """Options of generate."""
    parser.add_argument("-o", "--output", metavar="OUT.bvh", type=Path, required=True)
    parser.add_argument(
        "--count", type=at_least(1), default=10, metavar="N", help="so many poses, one a frame (default: 10)"
    )
    parser.add_argument("--seed", type=at_least(0), default=0, help="the same seed gives the same poses")


def run_in_between(options: argparse.Namespace) -> int:
    """The exit code."""
    return _attempt("in-between", lambda show: _in_between(options, show))


def run_generate(options: argparse.Namespace) -> int:
    """The exit code."""
    return _attempt("poses", lambda show: _generate(options, show))


def _attempt(title: str, work: Callable[[Callable[[int, int], None]], str]) -> int:
    """Do it, and say in one line what became of it."""
    progress, began = Progress(title), time.perf_counter()
    try:
        said = work(progress.show)
    except PadsError as error:
        progress.end()
        say(f"pads: {error}")
        return FAILED
    progress.end()
    say(f"pads: done in {time.perf_counter() - began:.1f} s: {said}")
    return DONE


def _in_between(options: argparse.Namespace, show: Callable[[int, int], None]) -> str:
    check_outputs([options.source], [options.output])
    if options.output.suffix.lower() not in WRITABLE:
        raise BadFileError(f"{options.output}: this format cannot be written: name a {', '.join(WRITABLE)} file.")
    opened = open_source(Source(options.source, options.armature, options.preset))
    if len(opened.armatures) > 1:
        names = ", ".join(armature.name for armature in opened.armatures)
        raise BadFileError(f"{options.source}: choose an armature with --armature: {names}.")
    mapping = read_mapping(opened.armatures[0])
    before = read_rig(opened.armatures[0], mapping)
    is_key, settings = np.isin(before.frames, options.keys), InBetweenSettings(options.variation)
    after = in_between_take(before, mapping, is_key, settings, load_prior("motion", host=read_host()), show)
    _write(opened, before, after, options.output)
    return f"{int(is_key.sum())} key poses joined, {options.output}"


def _write(opened: Opened, before: RigTake, after: RigTake, output: Path) -> None:
    """A BVH keeps its text; another file gets a key at every frame."""
    if opened.bvh is not None and output.suffix.lower() == ".bvh":
        with written_whole(output) as partial:
            write_bvh(replace_motion(opened.bvh, after, find_changes(before, after)), partial)
        return
    finish(write_take_in_parts(opened.armatures[0], before, after, bake=True))
    export_motion(output, opened.armatures, (int(before.frames[0]), int(before.frames[-1])))


def _generate(options: argparse.Namespace, show: Callable[[int, int], None]) -> str:
    if options.output.suffix.lower() != ".bvh":
        raise BadFileError(f"{options.output}: a .bvh file is written: name one.")
    settings = GenerateSettings(options.count, options.seed)
    poses = generate_poses(settings, load_prior("pose", host=read_host()), show)
    poses[..., 2] -= poses[..., 2].min(axis=1, keepdims=True)  # standing on the ground
    motion = Motion(poses, np.ones(poses.shape[:2], bool), _POSES_A_SECOND)
    with written_whole(options.output) as partial:
        write_bvh(skeleton_bvh(motion), partial)
    return f"{len(poses)} poses, {options.output}"
