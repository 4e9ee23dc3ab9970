"""evaluate drawing: ways to draw Generate's poses, tried on training and validation poses."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..core import metrics
from ..core.heading import without_heading
from ..core.self_contact import self_intersecting
from ..diffusion.prior import load_prior
from ..tasks.generate import Drawing, GenerateSettings, generate_poses
from . import bench
from .generate_report import MANIFOLD, flat, spaced_poses
from .pages import put_between_marks

COUNT = 500
GRID = {"steps": (60, 120), "surplus": (1.0, 1.8), "doubt_metres": (0.05, 0.2)}


def add_command(commands: argparse._SubParsersAction, add_shared: Callable[[argparse.ArgumentParser], None]) -> None:
    """The subcommand drawing."""
    command = commands.add_parser("drawing", help="settings of Generate Poses, tried where settings are chosen")
    add_shared(command)
    command.add_argument("--count", type=int, default=COUNT, help="poses of each setting")
    command.set_defaults(run=run)


def run(given: argparse.Namespace, command: str) -> None:
    """Measure, print and write."""
    prior = load_prior("pose", given.models)
    train, validation = (without_heading(spaced_poses(given.data, split)) for split in ("train", "validation"))
    real = train[:MANIFOLD]
    rows = {"real, train": _row(train[MANIFOLD:][: given.count] if len(train) > MANIFOLD else train, real)}
    rows["real, validation"] = _row(validation[: given.count], real)
    for name, drawing in drawings().items():
        rows[name] = _row(generate_poses(GenerateSettings(given.count), prior, drawing=drawing), real)
        print(name, rows[name], flush=True)
    text = f"`{command}`\n\nPrior pose, weights {bench.weights_of(prior)}. {_about(given, real)}\n\n{table(rows)}"
    print(text, flush=True)
    (given.out / "drawing.md").write_text(f"{text}\n", encoding="utf-8")
    if given.page:
        put_between_marks(given.page, "drawing", text)


def drawings() -> dict[str, Drawing]:
    """What is tried: the chosen setting, and others that differ from it in one thing."""
    others = {f"{name} {value:g}": replace(Drawing(), **{name: value}) for name in GRID for value in GRID[name]}
    return {"as chosen": Drawing(), **others}


def _row(poses: np.ndarray, real: np.ndarray) -> dict[str, float]:
    """Variety, likeness to real poses (M, J, 3) and bodies of poses (N, J, 3), all without heading."""
    precision, recall = metrics.precision_recall(flat(poses), flat(real))
    apd = metrics.average_pairwise_distance(poses)
    return {"apd_mm": apd, "precision": precision, "recall": recall, "through": float(self_intersecting(poses).mean())}


def table(rows: dict[str, dict[str, float]]) -> str:
    """The rows in Markdown."""
    lines = ["| | APD, mm | precision | recall | self-intersecting |", "|---|---|---|---|---|"]
    lines += [
        f"| {name} | {r['apd_mm']:.0f} | {r['precision']:.2f} | {r['recall']:.2f} | {100 * r['through']:.1f} % |"
        for name, r in rows.items()
    ]
    return "\n".join(lines)


def _about(given: argparse.Namespace, real: np.ndarray) -> str:
    return (
        f"{given.count} poses of each setting against {len(real)} training poses, measured as by `evaluate generate`; "
        "real poses of training are others than these. Of so few poses recall says little: it rises with their number. "
        f"Chosen: {Drawing()}."
    )
