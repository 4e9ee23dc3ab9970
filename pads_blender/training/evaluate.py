"""python -m pads_blender.training.evaluate bench|prior ...: measure the clean-up, or the priors by themselves.

bench: every suite against what an animator has without a prior. prior: errors of the denoiser; samples of the pose
prior. Results go to --out as JSON, Markdown and pictures, and with --page between the marks of a page.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from . import bench
from .bench import Setup
from .sampler_study import put_between_marks
from .suites import SUITES


def run_bench(given: argparse.Namespace, command: str) -> None:
    """The chosen suites: tables printed as they come, written in the end."""
    setup = Setup(given.data, given.split, given.prior, given.models, given.limit, given.seeds)
    head, results, parts = bench.heading(setup, command), {}, []
    print(head, flush=True)
    for name in given.suite or SUITES:
        results[name] = SUITES[name].run(setup)
        parts.append(bench.markdown(SUITES[name], results[name]))
        print(f"\n{parts[-1]}", flush=True)
    stem = f"bench-{given.prior}-{given.split}"
    rivals = {name: suite.rival for name, suite in SUITES.items()}
    bench.write_results(given.out / f"{stem}.json", setup, command, results, rivals)
    text = "\n\n".join([head, *parts])
    (given.out / f"{stem}.md").write_text(f"{text}\n", encoding="utf-8")
    if given.page:
        put_between_marks(given.page, f"bench-{given.prior}", text)


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
    return result


def _add_shared(command: argparse.ArgumentParser) -> None:
    command.add_argument("--data", type=Path, required=True, help="folder with train/ and dev/")
    command.add_argument("--models", type=Path, help="folder with the priors; default: the bundled ones")
    command.add_argument("--out", type=Path, required=True, help="folder for the results")
    command.add_argument("--page", type=Path, help="Markdown page with marks for the result")


def main() -> None:
    """Run the command line."""
    given = parser().parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    given.run(given, f"python -m pads_blender.training.evaluate {shlex.join(sys.argv[1:])}")


if __name__ == "__main__":
    main()
