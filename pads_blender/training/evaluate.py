"""python -m pads_blender.training.evaluate COMMAND ...: measure the clean-up and the priors alone; --help lists more.

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
from . import (
    bench,
    calibration,
    completion_report,
    estimate_datasets,
    fill_study,
    gap_study,
    generate_report,
    generate_study,
    key_suites,
    lafan1,
    pin_study,
    prior_report,
)
from .bench import Setup
from .pages import put_between_marks
from .suites import SUITES

# The parts of docs/benchmark.md. The pose prior is timed by hand: on 30,000 frames it takes minutes.
PAGE = (
    ["bench", "--part", "noise", "--suite", "gauss", "outliers", "hidden", "priors", "--seeds", "3"],
    ["bench", "--part", "rigs", "--suite", "jitter", "jitter_pops", "arm", "clean", "feet", "--seeds", "3"],
    ["bench", "--part", "gaps", "--suite", "gaps", "inbetween", "lafan", "--seeds", "3"],
    ["bench", "--part", "detection", "--suite", "detection"],
    ["bench", "--part", "speed", "--suite", "speed", "length"],
    ["bench", "--prior", "pose", "--suite", "gauss", "jitter", "arm", "clean", "--limit", "24"],
    ["prior", "motion"],
    ["prior", "pose"],
    ["fill"],
    ["recall"],
    ["calibration"],
)


def run_bench(given: argparse.Namespace, command: str) -> None:
    """The chosen suites."""
    setup = Setup(given.data, given.split, given.prior, given.models, given.limit, given.seeds)
    chosen, pictures = [SUITES[name] for name in given.suite or SUITES], _pictures(given)
    part = f"-{given.part}" if given.part else ""
    stem = f"bench-{given.prior}-{given.split}{part}"
    text = bench.run(setup, chosen, command, given.out, pictures, stem)
    if given.page:
        picture = f"\n\n![every clip or segment](images/{stem}.png)" if (pictures / f"{stem}.png").exists() else ""
        put_between_marks(given.page, f"bench-{given.prior}{part}", f"{text}{picture}")


def _pictures(given: argparse.Namespace) -> Path:
    """Folder for pictures: the page's own, or that of the results."""
    folder = given.page.parent / "images" if given.page else given.out
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def run_prior(given: argparse.Namespace, command: str) -> None:
    """One prior by itself."""
    prior, stem = load_prior(given.kind, given.models), f"prior-{given.kind}"
    head = f"`{command}`\n\nPrior {given.kind}, weights {bench.weights_of(prior)}."
    if given.kind == "pose":
        picture = _pictures(given) / "pose-samples.png"
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


def run_recall(given: argparse.Namespace, command: str) -> None:
    """Settings of PCA gap filling, low-rank completion and like poses, tried where settings are chosen."""
    text = f"`{command}`\n\nValidation clips. {gap_study.study(Setup(given.data, 'validation'))}"
    print(text, flush=True)
    if given.page:
        put_between_marks(given.page, "recall", text)


def run_calibration(given: argparse.Namespace, command: str) -> None:
    """How unsure the clean-up says it is, beside how wrong it is."""
    setup = Setup(given.data, given.split, "motion", given.models)
    cases = calibration.measure(setup)
    calibration.plot(cases, _pictures(given) / "calibration.png")
    text = f"`{command}`\n\nSplit {given.split}, weights {bench.weights_of(setup.loaded_prior)}.\n\n"
    text += calibration.markdown(cases)
    print(text, flush=True)
    if given.page:
        put_between_marks(given.page, "calibration", f"{text}\n\n![stated spread and error](images/calibration.png)")


def run_page(given: argparse.Namespace, command: str) -> None:
    """Everything that the page shows: both priors by themselves and at work."""
    shared = ["--data", str(given.data), "--out", str(given.out), "--page", str(given.page)]
    shared += ["--models", str(given.models)] if given.models else []
    for words in PAGE:
        main([*words, *shared])


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(prog="python -m pads_blender.training.evaluate", description=__doc__)
    commands = result.add_subparsers(required=True, metavar="COMMAND")
    measured = commands.add_parser("bench", help="the clean-up against filters and interpolation")
    _add_shared(measured)
    measured.add_argument("--split", choices=("dev", "validation"), default="dev", help="settings: validation only")
    measured.add_argument("--prior", choices=("motion", "pose"), default="motion")
    measured.add_argument("--suite", choices=tuple(SUITES), action="extend", nargs="+", help="default: all")
    measured.add_argument("--part", help="name of this choice of suites, for the files and the marks of the page")
    measured.add_argument("--seeds", type=int, default=1, help="corruptions of every clip or segment")
    measured.add_argument("--limit", type=int, help="only so many clips or segments, evenly spread")
    measured.set_defaults(run=run_bench)
    alone = commands.add_parser("prior", help="a prior by itself")
    alone.add_argument("kind", choices=("pose", "motion"))
    _add_shared(alone)
    alone.add_argument("--steps", type=int, default=250, help="sampling steps of the unconditional samples, for pose")
    alone.set_defaults(run=run_prior)
    fill = commands.add_parser("fill", help="what interpolated limbs are worth: tasks/complete.py has the result")
    _add_shared(fill)
    fill.set_defaults(run=run_fill)
    recall = commands.add_parser("recall", help="settings of what fills gaps from the take itself")
    _add_shared(recall)
    recall.set_defaults(run=run_recall)
    unsure = commands.add_parser("calibration", help="is the clean-up as unsure as it is wrong?")
    _add_shared(unsure)
    unsure.add_argument("--split", choices=("dev", "validation"), default="dev", help="settings: validation only")
    unsure.set_defaults(run=run_calibration)
    estimate_datasets.add_commands(commands)
    generate_report.add_command(commands, _add_shared)
    generate_study.add_command(commands, _add_shared)
    completion_report.add_command(commands, _add_shared)
    pin_study.add_command(commands, _add_shared)
    between = commands.add_parser("inbetween", help="motion between keys, by the measures of LaFAN1")
    _add_shared(between)
    between.add_argument("--split", choices=("dev", "validation"), default="dev", help="settings: validation only")
    between.add_argument("--seeds", type=int, default=1, help="the first is the likeliest motion, others variations")
    between.add_argument("--limit", type=int, help="only so many pieces, evenly spread")
    between.set_defaults(run=run_bench, prior="motion", part="between", suite=[s.name for s in key_suites.SUITES])
    lafan1.add_command(commands)
    page = commands.add_parser("page", help="all parts of docs/benchmark.md")
    _add_shared(page)
    page.set_defaults(run=run_page, page=Path("docs/benchmark.md"))
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
    given.run(given, f"python -m pads_blender.training.evaluate {_spoken(words)}")


def _spoken(words: list[str]) -> str:
    """The command line for a page that others read: without this machine's folders."""
    said, names = list(words), {"--data": "DIR", "--out": "RESULTS", "--models": "MODELS", "--page": "PAGE"}
    for place, word in enumerate(words[:-1]):
        if word in names:
            said[place + 1] = names[word]
    return shlex.join(said)


if __name__ == "__main__":
    main()
