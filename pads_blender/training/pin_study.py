"""evaluate pins: settings of Complete Pose and of Drag Pose, tried on poses of validation clips."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from ..core.skeleton import MODEL
from ..diffusion.prior import Prior, load_prior
from ..tasks.dragged_pose import DragSettings, dragged_positions
from ..tasks.pinned_pose import Descent, complete_pose, complete_poses
from . import bench, data, poses
from .completion_report import PARTS, hidden_errors, summary
from .pages import put_between_marks

POSES, HYPOTHESES = 24, 4
DESCENTS = {
    "steps": (14, 40),
    "start_metres": (0.3, 2.0),
    "end_metres": (0.004, 0.02),
    "settle_metres": (0.01, 0.2),
    "alone": (0.12, 0.3),
    "turn_metres": (0.3, 100.0),
    "draws": (1, 8),
}
DRAGS = {"noise_share": (0.1, 0.5), "steps": (5, 20), "open_metres": (0.01, 0.1, 0.4)}
_SECONDS = (0.3, 0.7, 1.5, 3.0)  # between the two poses of a pair
_RESTING_METRES = 0.05  # as far as ankles go from one to the other
_WAYS = (0.03, 0.1, 0.2, 0.35, 0.5, 0.7, 9.0)  # metres that the hand goes: as many pairs of each
_PAIRS_OF_EACH = 16


@dataclass(frozen=True)
class Pair:
    """Two poses (J, 3) of one clip, in metres of its world: the feet rest, one hand (its joint) goes elsewhere."""

    before: np.ndarray
    after: np.ndarray
    hand: int

    @property
    def pinned(self) -> np.ndarray:
        """Joints (J,) that are given: the feet, and the hand."""
        feet = MODEL.indices("left_ankle", "right_ankle", "left_toe", "right_toe")
        return np.isin(np.arange(len(MODEL)), (*feet, self.hand))

    @property
    def way(self) -> np.ndarray:
        """Of the hand (3,)."""
        return self.after[self.hand] - self.before[self.hand]


def add_command(commands: argparse._SubParsersAction, add_shared: Callable[[argparse.ArgumentParser], None]) -> None:
    """The subcommand pins."""
    command = commands.add_parser("pins", help="settings of Complete and Drag Pose, tried where settings are chosen")
    add_shared(command)
    command.add_argument("--poses", type=int, default=POSES)
    command.add_argument("--pairs", type=int, default=_PAIRS_OF_EACH, help="of poses, for each range of ways")
    command.set_defaults(run=run)


def run(given: argparse.Namespace, command: str) -> None:
    """Measure, print and write."""
    prior, real = load_prior("pose", given.models), poses.real_poses(given.data, "validation", given.poses)
    completed = {}
    for name, descent in variants(Descent(), DESCENTS).items():
        completed[name] = completion_errors(real, prior, descent)
        print(name, completed[name], flush=True)
    chosen = pairs(given.data, given.pairs)
    dragged = {"left as it was": np.mean([_error(each.before, each) for each in chosen])}
    dragged["completed afresh"] = np.mean([_error(_afresh(each, prior), each) for each in chosen])
    for name, settings in variants(DragSettings(), DRAGS).items():
        dragged[name] = np.mean([_error(_dragged(each, prior, settings), each) for each in chosen])
        print(name, f"{dragged[name]:.1f}", flush=True)
    text = f"`{command}`\n\nPrior pose, weights {bench.weights_of(prior)}. {_about(given, len(chosen))}\n\n"
    text += f"{completion_table(completed)}\n\n{drag_table(dragged)}"
    print(text, flush=True)
    (given.out / "pins.md").write_text(f"{text}\n", encoding="utf-8")
    if given.page:
        put_between_marks(given.page, "pins", text)


def variants(chosen: Descent | DragSettings, grid: dict[str, tuple[float, ...]]) -> dict[str, Descent | DragSettings]:
    """The chosen settings, and others that differ from them in one thing."""
    others = {f"{name} {value:g}": replace(chosen, **{name: value}) for name in grid for value in grid[name]}
    return {"as chosen": chosen, **others}


def completion_errors(real: np.ndarray, prior: Prior, descent: Descent) -> dict[str, dict[str, float]]:
    """For each part of poses (N, J, 3) that is hidden: error in mm of one answer, of the best and the mean of all."""
    found = {}
    for part, names in PARTS.items():
        given = ~np.isin(MODEL.names, names)
        answers = complete_poses(np.where(given[:, None], real, np.nan), given, prior, HYPOTHESES, descent=descent)
        found[part] = summary(np.array([hidden_errors(each, real, given) for each in answers]))
    return found


def pairs(folder: Path, of_each: int) -> list[Pair]:
    """Pairs of poses of the captured CMU clips for validation, so many of each range of ways, or all that there are."""
    rng = np.random.default_rng(0)
    clips = [c for c in data.load_split(folder, "validation") if c.subject.startswith("cmu") and c.visible.all()]
    found = [pair for clip in clips for pair in _pairs_of(clip.positions.astype(float))]
    ways = np.array([np.linalg.norm(pair.way) for pair in found])
    rows = [np.flatnonzero((ways >= low) & (ways < high)) for low, high in pairwise(_WAYS)]
    return [found[i] for each in rows for i in rng.permutation(each)[:of_each]]


def _pairs_of(positions: np.ndarray) -> list[Pair]:
    """Every half second's pose of a clip (F, J, 3) with later ones, while the feet rest and a hand moves."""
    ankles, found = list(MODEL.indices("left_ankle", "right_ankle")), []
    for gap in (round(data.FPS * seconds) for seconds in _SECONDS):
        for first in range(0, len(positions) - gap, round(data.FPS / 2.0)):
            before, after = positions[first], positions[first + gap]
            moved = np.linalg.norm(after - before, axis=-1)
            hands = [hand for hand in MODEL.indices("left_wrist", "right_wrist") if moved[hand] > _WAYS[0]]
            found += [Pair(before, after, hand) for hand in hands] if moved[ankles].max() < _RESTING_METRES else []
    return found


def _dragged(pair: Pair, prior: Prior, settings: DragSettings) -> np.ndarray:
    hand = np.arange(len(MODEL)) == pair.hand
    return dragged_positions(pair.before[None], pair.pinned, hand, pair.way, prior, settings)[0]


def _afresh(pair: Pair, prior: Prior) -> np.ndarray:
    """What Complete Pose makes of the pins alone."""
    return complete_pose(np.where(pair.pinned[:, None], pair.after, np.nan)[None], pair.pinned, prior)[0]


def _error(pose: np.ndarray, pair: Pair) -> float:
    """Mean distance in mm of the joints that are not given from where they went."""
    return 1000.0 * float(np.linalg.norm(pose - pair.after, axis=-1)[~pair.pinned].mean())


def completion_table(rows: dict[str, dict[str, dict[str, float]]]) -> str:
    """The rows in Markdown: one answer, best of all, mean of all for each part."""
    parts = list(next(iter(rows.values())))
    lines = [f"| Complete Pose, mm | {' | '.join(parts)} |", "|---" * (len(parts) + 1) + "|"]
    for name, found in rows.items():
        cells = [" / ".join(f"{found[part][key]:.1f}" for key in ("one", "best", "mean")) for part in parts]
        lines.append(f"| {' | '.join([name, *cells])} |")
    return "\n".join(lines)


def drag_table(rows: dict[str, float]) -> str:
    """The rows in Markdown."""
    lines = ["| Drag Pose | joints that are not given, mm |", "|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {error:.0f} |" for name, error in rows.items())])


def _about(given: argparse.Namespace, count: int) -> str:
    chosen = ", ".join(f"{field.name} {getattr(Descent(), field.name):g}" for field in fields(Descent))
    drag = ", ".join(f"{field.name} {getattr(DragSettings(), field.name):g}" for field in fields(DragSettings))
    return (
        f"{given.poses} poses evenly spread over the captured CMU clips of validation, {HYPOTHESES} answers to each: "
        "error of one answer / of the best / mean of all; one setting is changed at a time. Drag Pose: "
        f"{count} pairs of poses of these clips, up to {max(_SECONDS):g} s apart, in which the feet rest and a hand "
        f"goes by {100 * _WAYS[0]:g} cm to a metre: the hand is dragged, the feet are held, and the other joints are "
        f"measured against where they went. Chosen: {chosen}; for a drag {drag}."
    )
