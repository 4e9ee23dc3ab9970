"""python -m pads_blender.training.evaluate bench|prior|fill ...: measure the clean-up, or the priors by themselves.

bench: every suite against what an animator has without a prior. prior: errors of the denoiser; samples of the pose
prior. Results go to --out as JSON, Markdown and pictures, and with --page between the marks of a page.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path

from ..diffusion.prior import load_prior
from . import bench, fill_study, prior_report
from .bench import Setup
from .sampler_study import put_between_marks
from .suites import SUITES


def run_bench(given: argparse.Namespace, command: str) -> None:
    """The chosen suites."""
    setup = Setup(given.data, given.split, given.prior, given.models, given.limit, given.seeds)
    text = bench.run(setup, [SUITES[name] for name in given.suite or SUITES], command, given.out)
    if given.page:
        put_between_marks(given.page, f"bench-{given.prior}", text)


def run_prior(given: argparse.Namespace, command: str) -> None:
    """One prior by itself."""
    prior, stem = load_prior(given.kind, given.models), f"prior-{given.kind}"
    head = f"`{command}`\n\nPrior {given.kind}, weights {bench.weights_of(prior)}."
    if given.kind == "pose":
        picture = (given.page.parent / "images" if given.page else given.out) / "pose-samples.png"
        picture.parent.mkdir(parents=True, exist_ok=True)
        text, numbers = prior_report.report_pose(given.data, prior, picture, given.steps)
    else:
        text, numbers = prior_report.report_motion(given.data, prior)
    text = f"{head}\n\n{text}"
    print(text, flush=True)
    (given.out / f"{stem}.json").write_text(json.dumps({"command": command, **numbers}, indent=1) + "\n")
    (given.out / f"{stem}.md").write_text(f"{text}\n", encoding="utf-8")
    if given.page:
        put_between_marks(given.page, stem, text)


def run_fill(given: argparse.Namespace, command: str) -> None:
    """What interpolated limbs are worth, measured where settings are chosen."""
    setup = Setup(given.data, "validation")
    text = f"`{command}`\n\nValidation clips. {fill_study.markdown(fill_study.fill_errors(setup))}"
    print(text, flush=True)
    if given.page:
        put_between_marks(given.page, "fill", text)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(prog="python -m pads_blender.training.evaluate", description=__doc__)
    commands = result.add_subparsers(required=True, metavar="COMMAND")
    measured = commands.add_parser("bench", help="the clean-up against filters and interpolation")
    _add_shared(measured)
    measured.add_argument("--split", choices=("dev", "validation"), default="dev", help="settings: validation only")
    measured.add_argument("--prior", choices=("motion", "pose"), default="motion")
    measured.add_argument("--suite", choices=tuple(SUITES), action="extend", nargs="+", help="default: all")
    measured.add_argument("--seeds", type=int, default=1, help="corruptions of every clip")
    measured.add_argument("--limit", type=int, help="only so many clips, evenly spread")
    measured.set_defaults(run=run_bench)
    alone = commands.add_parser("prior", help="a prior by itself")
    alone.add_argument("kind", choices=("pose", "motion"))
    _add_shared(alone)
    alone.add_argument("--steps", type=int, default=250, help="sampling steps of the unconditional samples, for pose")
    alone.set_defaults(run=run_prior)
    fill = commands.add_parser("fill", help="what interpolated limbs are worth: tasks/complete.py has the result")
    _add_shared(fill)
    fill.set_defaults(run=run_fill)
    return result


def _add_shared(command: argparse.ArgumentParser) -> None:
    command.add_argument("--data", type=Path, required=True, help="folder with train/ and dev/")
    command.add_argument("--models", type=Path, help="folder with the priors; default: the bundled ones")
    command.add_argument("--out", type=Path, required=True, help="folder for the results")
    command.add_argument("--page", type=Path, help="Markdown page with marks for the result")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    words = sys.argv[1:] if arguments is None else arguments
    given = parser().parse_args(words)
    given.out.mkdir(parents=True, exist_ok=True)
    given.run(given, f"python -m pads_blender.training.evaluate {shlex.join(words)}")


if __name__ == "__main__":
    main()
