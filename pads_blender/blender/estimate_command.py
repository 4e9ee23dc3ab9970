"""The command estimate: keypoint files in, a BVH of the model skeleton out."""

import argparse
import json
import sys
import time
from pathlib import Path

from ..core.bvh import write_bvh
from ..core.camera import DEFAULT_FOV_DEGREES, Camera
from ..core.camera_files import default_camera, read_camera
from ..core.keypoint_files import read_keypoints
from ..core.skeleton_bvh import skeleton_bvh
from ..diffusion.prior import load_prior
from ..errors import BadFileError, PadsError
from ..paths import written_whole
from ..tasks.estimate import STATURE, EstimateSettings, Hypothesis, Shot, estimate_hypotheses, known_scale
from .progress import Progress

DONE, FAILED = 0, 1
HELP = "estimate motion from 2D keypoints of a film"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "keypoints", metavar="KEYPOINTS", type=Path, nargs="+",
        help="OpenPose, COCO or MediaPipe keypoints: a file, or a folder with a file a frame; one for each camera",
    )  # fmt: skip
    parser.add_argument("-o", "--output", metavar="OUT.bvh", type=Path, required=True)
    parser.add_argument("--fps", type=float, required=True, help="frames a second of the film")
    parser.add_argument(
        "--camera", metavar="CAMERA.json", type=Path, action="append", default=[],
        help="lens, image size and place of each camera, in the order of KEYPOINTS; one camera may do without",
    )  # fmt: skip
    parser.add_argument("--size", type=_size, metavar="WxH", help="image size in pixels, where no --camera says so")
    parser.add_argument(
        "--fov", type=float, default=DEFAULT_FOV_DEGREES, metavar="DEGREES",
        help="field of view along the longer side, where no --camera says so (default: %(default)g)",
    )  # fmt: skip
    parser.add_argument(
        "--stature", type=float, default=STATURE, metavar="METRES",
        help="the person's height (default: %(default).2f); one camera cannot tell size from distance",
    )  # fmt: skip
    parser.add_argument("--prior", choices=("motion", "pose"), default="motion", help="of takes, or of single frames")
    parser.add_argument("--hypotheses", type=int, default=1, metavar="N", help="so many results, the likeliest first")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same result")
    parser.add_argument("--report", type=Path, metavar="R.json", help="likelihoods and spread, as JSON")


def run(options: argparse.Namespace) -> int:
    """Estimate and write; the exit code."""
    began, progress = time.perf_counter(), Progress("estimating")
    try:
        shots = _shots(options)
        settings = EstimateSettings(
            known_scale(options.stature), seed=options.seed, hypotheses=max(1, options.hypotheses)
        )
        found = estimate_hypotheses(shots, options.fps, settings, load_prior(options.prior), progress.show)
        written = _write(found, options.output, settings.body_scale)
    except PadsError as error:
        progress.end()
        print(f"pads: {error}", file=sys.stderr, flush=True)
        return FAILED
    progress.end()
    seconds = time.perf_counter() - began
    if options.report:
        options.report.write_text(json.dumps(_report(found, written, seconds), indent=1) + "\n", encoding="utf-8")
    print(f"pads: done, {len(found[0].motion)} frames in {seconds:.1f} s: {written[0]}", file=sys.stderr, flush=True)
    return DONE


def _size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(part) for part in text.lower().split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no image size: write 1920x1080") from None
    return width, height


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
    """The likeliest under the name that was asked for, the others numbered."""
    written = []
    for number, hypothesis in enumerate(found):
        path = output if not number else output.with_name(f"{output.stem}-{number + 1}{output.suffix}")
        try:
            with written_whole(path) as partial:
                write_bvh(skeleton_bvh(hypothesis.motion, body_scale), partial)
        except OSError as error:
            raise BadFileError(f"{path}: cannot be written: {error.strerror or error}.") from error
        written.append(path)
    return written


def _report(found: list[Hypothesis], written: list[Path], seconds: float) -> dict:
    spread = found[0].motion.spread
    return {
        "outputs": [
            {"file": str(path), "likelihood": hypothesis.likelihood}
            for path, hypothesis in zip(written, found, strict=True)
        ],
        "frames": len(found[0].motion),
        "spread_mm": None if spread is None else [round(1000.0 * float(s), 1) for s in spread.mean(axis=1)],
        "seconds": round(seconds, 2),
    }
