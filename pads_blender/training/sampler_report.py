"""The results of trials as tables of a page and as a plot. See sampler_study.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from .sampler_trials import Problem, Result, Study

DIVERGED = 5000.0  # mm: farther off than a body is long


def tables(study: Study, results: list[Result]) -> str:
    """Markdown: one table for each problem, steps across, and one with the time."""
    steps = sorted({r.steps for r in results})
    parts = [study.introduction]
    for problem in study.problems:
        mine = [r for r in results if r.problem is problem]
        parts += [caption(study, problem), table(steps, mine, cell)]
    parts += ["**Milliseconds per pose**, all problems together:", table(steps, results, milliseconds)]
    return "\n\n".join(parts)


def table(steps: list[int], results: list[Result], text: Callable[[list[Result]], str]) -> str:
    """A row for each contender, a column for each number of steps, text(results of that cell) in it."""
    lines = [f"| sampler | {' | '.join(f'{n} steps' for n in steps)} |", "|---" * (len(steps) + 1) + "|"]
    for name in dict.fromkeys(r.contender for r in results):
        cells = [text([r for r in results if (r.contender, r.steps) == (name, n)]) for n in steps]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(results: list[Result]) -> str:
    """Error of one result; where the exact posterior is known, of the mean of all, then of one and their spread."""
    (result,) = results
    if result.problem.best is None:
        return f"{result.single:.1f}" if result.single < DIVERGED else "diverges"
    return f"{result.mean:.3f} ({result.single:.3f}, {result.spread:.3f})"


def milliseconds(results: list[Result]) -> str:
    """Mean time of one pose."""
    milliseconds = 1000.0 * sum(r.seconds for r in results) / sum(len(r.problem.y) for r in results)
    return f"{float(f'{milliseconds:.3g}'):g}"


def caption(study: Study, problem: Problem) -> str:
    """The problem, and what its results lie between: the measurement itself and the exact answer, where known."""
    measured = problem.scored & np.isfinite(np.broadcast_to(problem.operator.noise_variance, problem.scored.shape))
    text = f"**{problem.name[0].upper()}{problem.name[1:]}.**"
    if measured.any():
        text += f" As measured: {study.score((problem.y - problem.truth)[measured]):.3g} {study.unit}."
    if problem.best is not None:
        text += f" Exact posterior: error of its mean {problem.best:.3f}, spread {problem.spread:.3f}."
    return text


def plot(study: Study, results: list[Result], path: Path) -> None:
    """Error against steps and against time, a row for each problem."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(len(study.problems), 2, figsize=(10, 3 * len(study.problems)), squeeze=False)
    for (left, right), problem in zip(axes, study.problems, strict=True):
        for contender in study.contenders:
            mine = [r for r in results if r.problem is problem and r.contender == contender.name]
            score = [r.mean if r.mean < DIVERGED else np.nan for r in mine]
            left.loglog([r.steps for r in mine], score, "o-", label=contender.name)
            right.loglog([1000.0 * r.seconds / len(problem.y) for r in mine], score, "o-")
        for axis, label in ((left, "steps"), (right, "milliseconds per pose")):
            if problem.best is not None:
                axis.axhline(problem.best, color="black", linestyle=":", label="exact posterior mean")
            axis.set(xlabel=label, ylabel=f"error, {study.unit}", title=problem.name)
            axis.xaxis.set_major_formatter("{x:g}")
            axis.xaxis.set_minor_formatter("")
            axis.yaxis.set_major_formatter("{x:g}")
            axis.yaxis.set_minor_formatter("{x:.2g}")
            axis.tick_params(axis="y", which="minor", labelsize=6)
            axis.grid(True, which="both", alpha=0.3)
    axes[0, 0].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=100)
