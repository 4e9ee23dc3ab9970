"""The benchmark's frame: what a suite measures, means over clips with their intervals, tables and files of results."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from ..diffusion.prior import Prior, load_prior
from . import data

OURS, RAW = "PADS", "as measured"
_RESAMPLES = 2000


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

    def _spread(self, clips: list) -> list:
        if self.limit is None or self.limit >= len(clips):
            return clips
        return [clips[i] for i in np.linspace(0, len(clips) - 1, self.limit).round().astype(int)]


@dataclass(frozen=True)
class Score:
    """What every method reached on one clip under one seed; chosen: the settings that an oracle took."""

    case: str
    clip: str
    seed: int
    values: dict[str, float]
    chosen: dict[str, str]


@dataclass(frozen=True)
class Suite:
    """One kind of damage: how it is measured, the method that PADS is to beat (None: nothing to compare with)."""

    name: str
    about: str
    unit: str
    rival: str | None
    run: Callable[[Setup], list[Score]]


@dataclass(frozen=True)
class Summary:
    """One case of a suite over its clips, seeds averaged: means by method with intervals, ratio to the rival, losses.

    An interval is None where there are fewer than two clips.
    """

    case: str
    clips: int
    means: dict[str, float]
    intervals: dict[str, tuple[float, float] | None]
    ratio: float | None
    ratio_interval: tuple[float, float] | None
    lost: dict[str, tuple[float, float]]  # clip -> ours, the rival's


def summarise(scores: list[Score], rival: str | None) -> list[Summary]:
    """A summary of every case, in the order of the scores."""
    return [
        _summary(case, [s for s in scores if s.case == case], rival) for case in dict.fromkeys(s.case for s in scores)
    ]


def _summary(case: str, scores: list[Score], rival: str | None) -> Summary:
    methods, clips = list(scores[0].values), list(dict.fromkeys(s.clip for s in scores))
    table = np.array(
        [np.mean([[s.values[m] for m in methods] for s in scores if s.clip == clip], axis=0) for clip in clips]
    )
    means, resampled = table.mean(axis=0), _resampled_means(table)
    intervals = {m: _interval(resampled[:, k], len(clips)) for k, m in enumerate(methods)}
    if rival is None:
        return Summary(case, len(clips), dict(zip(methods, means.tolist(), strict=True)), intervals, None, None, {})
    ours, other = methods.index(OURS), methods.index(rival)
    lost = {
        c: (float(row[ours]), float(row[other])) for c, row in zip(clips, table, strict=True) if row[ours] > row[other]
    }
    return Summary(
        case,
        len(clips),
        dict(zip(methods, means.tolist(), strict=True)),
        intervals,
        float(means[ours] / means[other]),
        _interval(resampled[:, ours] / resampled[:, other], len(clips)),
        lost,
    )


def _resampled_means(table: np.ndarray) -> np.ndarray:
    """Means (R, K) of rows of the table (N, K) drawn with replacement: the bootstrap of Efron 1979."""
    rows = np.random.default_rng(0).integers(0, len(table), (_RESAMPLES, len(table)))
    return table[rows].mean(axis=1)


def _interval(values: np.ndarray, clips: int) -> tuple[float, float] | None:
    low, high = np.percentile(values, (2.5, 97.5))
    return (float(low), float(high)) if clips > 1 else None


def markdown(suite: Suite, scores: list[Score]) -> str:
    """The suite as text: what was measured, the table, the clips on which the rival was better."""
    summaries = summarise(scores, suite.rival)
    methods = list(dict.fromkeys(m for s in summaries for m in s.means))
    head = ["case", "clips", *methods] + ([f"{OURS} / {suite.rival}", "clips lost"] if suite.rival else [])
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    lines += [f"| {' | '.join(_row(s, methods, suite.rival))} |" for s in summaries]
    lost = [_lost_text(s, suite.rival) for s in summaries if s.lost]
    return "\n\n".join([f"**{suite.name}**, {suite.unit}. {suite.about}", "\n".join(lines), *lost])


def _row(summary: Summary, methods: list[str], rival: str | None) -> list[str]:
    cells = [summary.case, str(summary.clips)]
    cells += [_number(summary.means[m], summary.intervals[m]) if m in summary.means else "" for m in methods]
    if rival:
        cells += [_number(summary.ratio, summary.ratio_interval, 2), f"{len(summary.lost)} of {summary.clips}"]
    return cells


def _number(value: float, interval: tuple[float, float] | None, decimals: int | None = None) -> str:
    if decimals is None:
        decimals = 2 if abs(value) < 10 else 1 if abs(value) < 1000 else 0
    text = f"{value:.{decimals}f}"
    return text if interval is None else f"{text} [{interval[0]:.{decimals}f}, {interval[1]:.{decimals}f}]"


def _lost_text(summary: Summary, rival: str) -> str:
    clips = sorted(summary.lost.items(), key=lambda item: item[1][1] / item[1][0])
    listed = ", ".join(f"{clip} ({ours:.2f}, {other:.2f})" for clip, (ours, other) in clips)
    return f"Lost, {summary.case} ({OURS}, {rival}): {listed}."


def plot(suites: list[Suite], results: dict[str, list[Score]], path: Path) -> None:
    """Every clip as a point, the rival's error across, ours upwards: above the line the rival is better."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    compared = [suite for suite in suites if suite.rival]
    if not compared:
        return
    figure, axes = pyplot.subplots(1, len(compared), figsize=(3.6 * len(compared), 3.6), squeeze=False)
    for axis, suite in zip(axes[0], compared, strict=True):
        scores = results[suite.name]
        for case in dict.fromkeys(s.case for s in scores):
            values = [s.values for s in scores if s.case == case]
            axis.plot([v[suite.rival] for v in values], [v[OURS] for v in values], ".", label=case)
        end = 1.05 * max(max(s.values[suite.rival], s.values[OURS]) for s in scores)
        axis.plot([0, end], [0, end], color="black", linewidth=0.8)
        axis.set(xlabel=f"{suite.rival}, {suite.unit}", ylabel=f"{OURS}, {suite.unit}", title=suite.name)
        axis.set(xlim=(0, end), ylim=(0, end), aspect="equal")
        axis.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=70)
    pyplot.close(figure)


def heading(setup: Setup, command: str) -> str:
    """What the tables stand on: command, split, seeds, prior."""
    part = f", {setup.limit} of its clips" if setup.limit else ""
    return (
        f"`{command}`\n\n"
        f"Captured CMU clips of the split {setup.split}{part}, each whole; {setup.seeds} corruption seed(s) from 0; "
        f"prior {setup.prior}, weights {weights_of(setup.loaded_prior)}. Means over clips; in brackets the 95 % "
        "interval of a bootstrap over clips. Lower is better unless said otherwise."
    )


def weights_of(prior: Prior) -> str:
    """Which weights a prior has: the start of their hash."""
    contract = getattr(prior, "contract", None)
    return contract["files"]["forward"]["sha256"][:12] if contract else "not from a file"


def run(setup: Setup, suites: list[Suite], command: str, out: Path, pictures: Path | None = None) -> str:
    """Run suites, print each table as it comes, write everything to the folder out; the text of all.

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
    stem, text = f"bench-{setup.prior}-{setup.split}", "\n\n".join([head, *parts])
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
