"""The command estimate: keypoint files in, a BVH of the model skeleton out."""

import argparse
import re
import time
from dataclasses import replace
from pathlib import Path

from ..core.bvh import write_bvh
from ..core.camera import DEFAULT_FOV_DEGREES, Camera
from ..core.camera_files import default_camera, read_camera
from ..core.keypoint_files import read_keypoints
from ..core.skeleton_bvh import skeleton_bvh
from ..diffusion.prior import load_prior
from ..errors import PadsError
from ..paths import write_json, written_whole
from ..tasks.estimate import STATURE, EstimateSettings, Hypothesis, Shot, estimate_hypotheses, known_scale
from ..tasks.estimate_size import scale_above_floor
from .batch_inputs import check_outputs
from .batch_log import say
from .computer import read_host
from .option_types import at_least, between
from .progress import Progress

DONE, FAILED = 0, 1
HELP = "estimate motion from 2D keypoints of a film"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "keypoints", metavar="KEYPOINTS", type=Path, nargs="+",
        help="OpenPose, COCO or MediaPipe keypoints: a file, or a folder with a file a frame; one for each camera",
    )  # fmt: skip
    parser.add_argument("-o", "--output", metavar="OUT.bvh", type=_bvh, required=True)
    parser.add_argument("--fps", type=between(float, 1, 1000), required=True, help="frames a second of the film")
    parser.add_argument(
        "--camera", metavar="CAMERA.json", type=Path, action="append", default=[],
        help="lens, image size and place of each camera, in the order of KEYPOINTS; one camera may do without",
    )  # fmt: skip
    parser.add_argument("--size", type=_size, metavar="WxH", help="image size in pixels, where no --camera says so")
    parser.add_argument(
        "--fov", type=between(float, 1, 170), default=DEFAULT_FOV_DEGREES, metavar="DEGREES",
        help="field of view along the longer side, where no --camera says so (default: %(default)g)",
    )  # fmt: skip
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--stature", type=float, metavar="METRES",
        help=f"the person's height (default: {STATURE:.2f}); one camera cannot tell size from distance",
    )  # fmt: skip
    size.add_argument(
        "--floor", type=float, metavar="METRES",
        help="height of the floor that the person stands on, in the camera's world: tells the size instead",
    )  # fmt: skip
    parser.add_argument("--prior", choices=("motion", "pose"), default="motion", help="of takes, or of single frames")
    parser.add_argument(
        "--hypotheses", type=between(int, 1, 100), default=1, metavar="N", help="so many results, the likeliest first"
    )
    parser.add_argument("--seed", type=at_least(0), default=0, help="the same seed gives the same result")
    parser.add_argument("--report", type=Path, metavar="R.json", help="likelihoods and spread, as JSON")


def run(options: argparse.Namespace) -> int:
    """Estimate and write; the exit code."""
    check_outputs(
        [*options.keypoints, *options.camera],
        [*_outputs(options.output, options.hypotheses), *([options.report] if options.report else [])],
    )
    began, progress = time.perf_counter(), Progress("estimating")
    try:
        found, body_scale = _estimate(options, progress)
        written = _write(found, options.output, body_scale)
        seconds = time.perf_counter() - began
        if options.report:
            write_json(options.report, _report(found, written, body_scale, seconds))
    except PadsError as error:
        progress.end()
        say(f"pads: {error}")
        return FAILED
    progress.end()
    for path, hypothesis in zip(written, found, strict=True) if len(found) > 1 else ():
        say(f"pads: {path}: likelihood {hypothesis.likelihood:.0%}")
    say(f"pads: done, {len(found[0].motion)} frames in {seconds:.1f} s: {written[0]}")
    return DONE


def _estimate(options: argparse.Namespace, progress: Progress) -> tuple[list[Hypothesis], float]:
    """What may have been filmed, and the size of the body."""
    stature = STATURE if options.stature is None else options.stature
    settings = EstimateSettings(known_scale(stature), seed=options.seed, hypotheses=options.hypotheses)
    shots, prior = _shots(options), load_prior(options.prior, host=read_host())
    if options.floor is not None:
        scale = scale_above_floor(shots, options.fps, settings, prior, options.floor)
        settings = replace(settings, body_scale=scale)
        say(f"pads: the person is {scale * STATURE:.2f} m tall, as the floor has it")
    return estimate_hypotheses(shots, options.fps, settings, prior, progress.show), settings.body_scale


def _outputs(output: Path, count: int) -> list[Path]:
    """The likeliest goes where it was asked for, the others are numbered."""
    others = (output.with_name(f"{output.stem}-{number + 1}{output.suffix}") for number in range(1, count))
    return [output, *others]


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([1-9]\d{0,5})x([1-9]\d{0,5})", text.lower())
    if not found:
        raise argparse.ArgumentTypeError(f"'{text}' is no image size: write 1920x1080")
    return int(found[1]), int(found[2])


def _bvh(text: str) -> Path:
    if Path(text).suffix.lower() != ".bvh" or Path(text).is_dir():
        raise argparse.ArgumentTypeError("a .bvh file is written: name one")
    return Path(text)


def _shots(options: argparse.Namespace) -> list[Shot]:
    cameras = [read_camera(path) for path in options.camera] or [_unknown_camera(options)]
    if len(cameras) != len(options.keypoints):
        raise PadsError(f"There are {len(options.keypoints)} keypoint files and {len(cameras)} cameras: name as many.")
    return [
        Shot(read_keypoints(path, (camera.width, camera.height)), camera)
        for path, camera in zip(options.keypoints, cameras, strict=True)
    ]


def _unknown_camera(options: argparse.Namespace) -> Camera:
    if options.size is None:
        raise PadsError("Nothing is known of the camera: name a --camera file, or the film's --size and --fov.")
    return default_camera(*options.size, options.fov)


def _write(found: list[Hypothesis], output: Path, body_scale: float) -> list[Path]:
    paths = _outputs(output, len(found))
    for path, hypothesis in zip(paths, found, strict=True):
        with written_whole(path) as partial:
            write_bvh(skeleton_bvh(hypothesis.motion, body_scale), partial)
    return paths


def _report(found: list[Hypothesis], written: list[Path], body_scale: float, seconds: float) -> dict:
    spread = found[0].motion.spread
    return {
        "outputs": [
            {"file": str(path), "likelihood": hypothesis.likelihood}
            for path, hypothesis in zip(written, found, strict=True)
        ],
        "frames": len(found[0].motion),
        "stature_m": round(body_scale * STATURE, 3),
        "spread_mm": None if spread is None else [round(1000.0 * float(s), 1) for s in spread.mean(axis=1)],
        "seconds": round(seconds, 2),
    }
