"""The benchmark's frame: what a suite measures, means over clips with their intervals, tables and files of results."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from ..diffusion.prior import Prior, load_prior
from . import data
from .scores import FROM, OURS, Score, Summary, summarise

_PLOT_COLUMNS, _LEGEND_LINES = 4, 8
_NAMED = 3  # of what was lost, the worst so many


@dataclass(frozen=True)
class Setup:
    """What is measured on: the captured CMU clips of a split, a prior (in models, or the bundled one), seeds."""

    data: Path
    split: str = "dev"
    prior: str = "motion"
    models: Path | None = None
    limit: int | None = None
    seeds: int = 1

    @cached_property
    def loaded_prior(self) -> Prior:
        """The prior, loaded once."""
        return self.open_prior()

    def open_prior(self, threads: int | None = None) -> Prior:
        """The prior anew, to run on so many threads."""
        return load_prior(self.prior, self.models, threads)

    @property
    def clips(self) -> list[data.Clip]:
        """The clips on the model skeleton; with a limit, as many, evenly spread."""
        return self._spread([c for c in data.load_split(self.data, self.split) if c.subject.startswith("cmu")])

    @property
    def rig_clips(self) -> list[data.RigClip]:
        """The same clips on the skeleton of their own file."""
        folder = self.data / ("dev" if self.split == "dev" else "train")
        subjects = dict.fromkeys(c.subject for c in data.load_split(self.data, self.split))
        captured = [s for s in subjects if s.startswith("cmu")]
        return self._spread([c for s in captured for c in data.load_rig_clips(folder / f"{s}.npz")])

    @property
    def tuning(self) -> Setup:
        """Where settings are chosen: every third validation clip."""
        clips = sum(c.subject.startswith("cmu") for c in data.load_split(self.data, "validation"))
        return replace(self, split="validation", limit=-(-clips // 3))

    def segments(self, frames: int, most: int | None = None) -> list[data.Clip]:
        """The clips cut into overlapping segments of so many frames; with a limit, or most, as many, evenly spread."""
        return self._at_most(most)._spread([s for c in replace(self, limit=None).clips for s in cut_clip(c, frames)])

    def rig_segments(self, frames: int, most: int | None = None) -> list[data.RigClip]:
        """The same segments on the skeleton of their own file."""
        every = [s for c in replace(self, limit=None).rig_clips for s in cut_rig_clip(c, frames)]
        return self._at_most(most)._spread(every)

    def _at_most(self, most: int | None) -> Setup:
        return self if most is None else replace(self, limit=min(most, self.limit or most))

    def _spread(self, clips: list) -> list:
        if self.limit is None or self.limit >= len(clips):
            return clips
        return [clips[i] for i in np.linspace(0, len(clips) - 1, self.limit).round().astype(int)]


def cut_clip(clip: data.Clip, frames: int) -> list[data.Clip]:
    """Segments of so many frames that overlap by half; a clip that is shorter is one segment."""
    return [
        replace(clip, positions=clip.positions[start : start + frames], name=f"{clip.name}{FROM}{start}")
        for start in _starts(len(clip.positions), frames)
    ]


def cut_rig_clip(clip: data.RigClip, frames: int) -> list[data.RigClip]:
    """The same segments of a rig's clip."""
    pieces = []
    for start in _starts(len(clip.take.frames), frames):
        channels = ("location", "rotation", "scale", "frames")
        rows = {name: getattr(clip.take, name)[start : start + frames] for name in channels}
        pieces.append(replace(clip, take=replace(clip.take, **rows), name=f"{clip.name}{FROM}{start}"))
    return pieces


def _starts(count: int, frames: int) -> range:
    return range(0, max(count - frames, 0) + 1, frames // 2)


@dataclass(frozen=True)
class Suite:
    """One kind of damage: how it is measured, the method that PADS is to beat (None: nothing to compare with).

    goals: the share of the rival's error that PADS is to stay below, for the cases that have such a goal.
    """

    name: str
    about: str
    unit: str
    rival: str | None
    run: Callable[[Setup], list[Score]]
    goals: dict[str, float] = field(default_factory=dict)


def markdown(suite: Suite, scores: list[Score]) -> str:
    """The suite as text: what was measured, the table, the clips on which the rival was better."""
    summaries = summarise(scores, suite.rival)
    methods = list(dict.fromkeys(m for s in summaries for m in s.means))
    head = ["case", "clips", *methods] + ([f"{OURS} / {suite.rival}", "lost"] if suite.rival else [])
    head += ["goal"] if suite.goals else []
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    lines += [f"| {' | '.join(_row(s, methods, suite))} |" for s in summaries]
    lost = [_lost_text(s, suite.rival) for s in summaries if s.lost]
    measures = _measures_table(summaries)
    return "\n\n".join([f"**{suite.name}**, {suite.unit}. {suite.about}", "\n".join(lines), *measures, *lost])


def _row(summary: Summary, methods: list[str], suite: Suite) -> list[str]:
    count = f"{summary.clips} in {summary.segments} segments" if summary.segments > summary.clips else summary.clips
    cells = [summary.case, str(count)]
    cells += [_number(summary.means[m], summary.intervals[m]) if m in summary.means else "" for m in methods]
    if suite.rival:
        cells += [_number(summary.ratio, summary.ratio_interval, 2), f"{len(summary.lost)} of {summary.segments}"]
    goal = suite.goals.get(summary.case)
    return cells + ([] if not suite.goals else [""] if goal is None else [f"{goal:g}"])


def _measures_table(summaries: list[Summary]) -> list[str]:
    """What else was measured, methods across; nothing where nothing was."""
    rows = [(s.case, name, means) for s in summaries for name, means in s.measures.items()]
    if not rows:
        return []
    methods = list(rows[0][2])
    lines = [f"| case | measure | {' | '.join(methods)} |", "|---" * (len(methods) + 2) + "|"]
    lines += [f"| {case} | {name} | {' | '.join(_number(m[k], None) for k in methods)} |" for case, name, m in rows]
    return ["\n".join(lines)]


def _number(value: float, interval: tuple[float, float] | None, decimals: int | None = None) -> str:
    if decimals is None:
        decimals = 4 if 0 < abs(value) < 0.1 else 2 if abs(value) < 10 else 1 if abs(value) < 1000 else 0
    text = f"{value:.{decimals}f}"
    return text if interval is None else f"{text} [{interval[0]:.{decimals}f}, {interval[1]:.{decimals}f}]"


def _lost_text(summary: Summary, rival: str) -> str:
    """How many were lost, and the worst of them."""
    worst = sorted(summary.lost.items(), key=lambda item: item[1][1] / item[1][0])[:_NAMED]
    listed = ", ".join(f"{clip} ({ours:.2f}, {other:.2f})" for clip, (ours, other) in worst)
    return f"Lost, {summary.case}: {len(summary.lost)}; the worst ({OURS}, {rival}): {listed}."


def plot(suites: list[Suite], results: dict[str, list[Score]], path: Path) -> None:
    """Every clip as a point, the rival's error across, ours upwards: above the line the rival is better."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    compared = [suite for suite in suites if suite.rival]
    if not compared:
        return
    rows = -(-len(compared) // _PLOT_COLUMNS)
    columns = min(len(compared), _PLOT_COLUMNS)
    figure, axes = pyplot.subplots(rows, columns, figsize=(3.6 * columns, 3.6 * rows), squeeze=False)
    for axis in axes.ravel()[len(compared) :]:
        axis.set_axis_off()
    for axis, suite in zip(axes.ravel(), compared, strict=False):
        scores = results[suite.name]
        for case in dict.fromkeys(s.case for s in scores):
            values = [s.values for s in scores if s.case == case]
            axis.plot([v[suite.rival] for v in values], [v[OURS] for v in values], ".", label=case)
        end = 1.05 * max(max(s.values[suite.rival], s.values[OURS]) for s in scores)
        axis.plot([0, end], [0, end], color="black", linewidth=0.8)
        axis.set(xlabel=f"{suite.rival}, {suite.unit}", ylabel=f"{OURS}, {suite.unit}", title=suite.name)
        axis.set(xlim=(0, end), ylim=(0, end), aspect="equal")
        if len(axis.lines) <= _LEGEND_LINES:
            axis.legend(fontsize=6)
    figure.tight_layout()
    figure.savefig(path, dpi=70)
    pyplot.close(figure)


def heading(setup: Setup, command: str) -> str:
    """What the tables stand on: command, split, seeds, prior."""
    part = f", {setup.limit} of its clips or segments" if setup.limit else ""
    return (
        f"`{command}`\n\n"
        f"Captured CMU clips of the split {setup.split}{part}; {setup.seeds} corruption seed(s) from 0; prior "
        f"{setup.prior}, weights {weights_of(setup.loaded_prior)}. Segments overlap by half and count alike; in "
        "brackets the 95 % interval of a bootstrap that draws clips, each with all of its segments. Lower is better "
        "unless said otherwise."
    )


def weights_of(prior: Prior) -> str:
    """Which weights a prior has: the start of their hash."""
    contract = getattr(prior, "contract", None)
    return contract["files"]["forward"]["sha256"][:12] if contract else "not from a file"


def run(
    setup: Setup, suites: list[Suite], command: str, out: Path, pictures: Path | None = None, stem: str = "bench"
) -> str:
    """Run suites, print each table as it comes, write all to the folder out in files called stem; the text of all.

    A plot goes to the folder pictures, by default to out.
    """
    head, results, parts = heading(setup, command), {}, []
    print(head, flush=True)
    for suite in suites:
        began = time.perf_counter()
        results[suite.name] = suite.run(setup)
        print(f"{suite.name}: {time.perf_counter() - began:.0f} seconds", file=sys.stderr, flush=True)
        parts.append(markdown(suite, results[suite.name]))
        print(f"\n{parts[-1]}", flush=True)
    text = "\n\n".join([head, *parts])
    pictures = pictures or out
    for folder in (out, pictures):
        folder.mkdir(parents=True, exist_ok=True)
    plot(suites, results, pictures / f"{stem}.png")
    (out / f"{stem}.md").write_text(f"{text}\n", encoding="utf-8")
    (out / f"{stem}.json").write_text(json.dumps(_as_data(setup, command, suites, results), indent=1) + "\n")
    return text


def _as_data(setup: Setup, command: str, suites: list[Suite], results: dict[str, list[Score]]) -> dict:
    """Every score and summary as plain data."""
    described = {key: str(value) if isinstance(value, Path) else value for key, value in asdict(setup).items()}
    measured = {
        suite.name: {
            "summary": [asdict(s) for s in summarise(results[suite.name], suite.rival)],
            "scores": [asdict(s) for s in results[suite.name]],
        }
        for suite in suites
    }
    return {"command": command, "setup": described, "suites": measured}
