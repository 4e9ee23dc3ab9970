"""What a prior of one's own is worth beside the shipped one, on takes that it has not seen: numbers, text, verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ..diffusion import window
from ..diffusion.prior import load_prior
from . import prior_report
from .own_takes import OwnTakes, minutes, windows_of
from .scores import FROM, OURS, Score, Summary, summarise
from .takes import Library

SHIPPED, GIVEN = "shipped prior", "as given"
NOISE_METRES = (0.01, 0.02, 0.04, 0.07, 0.1, 0.2)
_WORTH_A_WORD = 0.01  # of the error: smaller differences are neither better nor worse
_LISTED = 20  # files left out that the report names; the rest are in the list beside it


@dataclass(frozen=True)
class Comparison:
    """A summary of each noise level and of each gap, own prior against the shipped one."""

    noise: tuple[Summary, ...]
    gaps: tuple[Summary, ...]

    def to_json(self) -> dict:
        """All numbers; errors in mm."""
        return {"noise": [asdict(row) for row in self.noise], "gaps": [asdict(row) for row in self.gaps]}

    @property
    def better(self) -> tuple[Summary, ...]:
        """Noise levels at which the own prior is better by more than chance, and by one per cent."""
        return tuple(row for row in self.noise if _upper(row) < 1.0 and row.ratio < 1.0 - _WORTH_A_WORD)

    @property
    def worse(self) -> tuple[Summary, ...]:
        """Noise levels at which it is worse by as much."""
        return tuple(row for row in self.noise if _lower(row) > 1.0 and row.ratio > 1.0 + _WORTH_A_WORD)


def _upper(row: Summary) -> float:
    return row.ratio_interval[1] if row.ratio_interval else row.ratio


def _lower(row: Summary) -> float:
    return row.ratio_interval[0] if row.ratio_interval else row.ratio


def compare(takes: OwnTakes, folder: Path, say: Callable[[str], None]) -> Comparison:
    """Both priors, one call each, on the same damaged windows of the held-out takes."""
    windows = windows_of(takes.held_out, window.FRAMES)
    priors = {OURS: load_prior("motion", folder), SHIPPED: load_prior("motion")}
    scores: dict[str, list[Score]] = {"noise": [], "gaps": []}
    truth, known = windows.positions, windows.known
    for sigma in NOISE_METRES:
        say(f"comparing: noise of {1000 * sigma:g} mm")
        results = {name: prior_report.noise_errors(p, truth, sigma, known) for name, p in priors.items()}
        counted = np.broadcast_to(known[:, None], results[OURS][0].shape)
        scores["noise"] += _scores(f"noise {1000 * sigma:g} mm", results, counted, windows.takes)
    for case in prior_report.MASKS:
        say(f"comparing: {case}")
        results = {name: prior_report.mask_errors(p, truth, case, known) for name, p in priors.items()}
        hidden = prior_report.hidden_frames(truth, case) & known[:, None]
        scores["gaps"] += _scores(case, results, hidden, windows.takes)
    return Comparison(*(tuple(summarise(rows, SHIPPED)) for rows in scores.values()))


def _scores(
    case: str, results: dict[str, tuple[np.ndarray, np.ndarray]], counted: np.ndarray, takes: tuple[str, ...]
) -> list[Score]:
    """A score for each window: errors (N, F, J) before and after, over the joints and frames that count (N, F, J)."""
    rows = []
    for number in np.flatnonzero(counted.any(axis=(1, 2))):
        where = counted[number]
        values = {name: float(after[number][where].mean()) for name, (_, after) in results.items()}
        values[GIVEN] = float(results[OURS][0][number][where].mean())
        rows.append(Score(case, f"{takes[number]}{FROM}{number}", 0, values, {}))
    return rows


# --- text -------------------------------------------------------------------------------------------------------------


def describe(library: Library, takes: OwnTakes, origin: str, before: str, terms: str) -> dict[str, str]:
    """What the contract and the model card say of a run; before, terms: data and licence of its first weights."""
    subjects = len({clip.subject for clip in library.clips})
    who = f"{subjects} subject{'' if subjects == 1 else 's'} in all"
    data = f"Trained on {minutes(takes.train):.1f} minutes of the owner's own takes ({who})"
    return {
        "training_data": f"{data}, from {origin}." + (f" Before that: {before}" if before else ""),
        "license": f"{terms}, like the weights that it began with; the terms of the takes come on top"
        if terms
        else "for the owner of the takes to say",
        "split": takes.rule,
        "limits": (
            "Made for takes like those that it was trained on, and measured on nothing else: on other motion it may be "
            "worse than the shipped prior. What it fills in is plausible, not true."
        ),
    }


def verdict(comparison: Comparison) -> str:
    """One sentence: whether it beats the shipped prior."""
    better, worse, count = len(comparison.better), len(comparison.worse), len(comparison.noise)
    at_forty = next(row for row in comparison.noise if row.case == "noise 40 mm")
    said = f"40 mm of noise: {_change(at_forty)}"
    if better == count:
        return f"**It beats the shipped prior on the held-out takes at every noise level** ({said})."
    if better and not worse:
        return f"**It beats the shipped prior on the held-out takes at {better} of {count} noise levels** ({said})."
    if better or not worse:
        return (
            f"**It is no clear gain over the shipped prior on the held-out takes**: better at {better}, worse at "
            f"{worse} of {count} noise levels ({said})."
        )
    return f"**It is worse than the shipped prior on the held-out takes** at {worse} of {count} noise levels ({said})."


def _change(row: Summary) -> str:
    if row.ratio_interval is None:
        return f"{100 * (row.ratio - 1):+.1f} % (a single take)"
    low, high = (100 * (value - 1) for value in row.ratio_interval)
    return f"{100 * (row.ratio - 1):+.1f} % ({low:+.1f} to {high:+.1f})"


def table(comparison: Comparison) -> str:
    """Errors of both on every noise level and gap."""
    head = ["mean joint error, mm, held-out takes", GIVEN, SHIPPED, "this prior", "change (95 % interval)"]
    lines = [head, ["---"] * len(head)]
    for row in (*comparison.noise, *comparison.gaps):
        lines.append([row.case, *(f"{row.means[name]:.1f}" for name in (GIVEN, SHIPPED, OURS)), _change(row)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def markdown(comparison: Comparison, about: dict[str, str], library: Library, command: str) -> str:
    """The report of a run."""
    first = comparison.noise[0]
    rows = library.left_out[:_LISTED]
    left_out = [f"- {name}: {reason}" for name, reason in rows] or ["Nothing."]
    if len(library.left_out) > len(rows):
        left_out.append(f"- and {len(library.left_out) - len(rows)} more in left_out.txt")
    how = (
        f"One call of each denoiser on {first.segments} windows of {window.FRAMES} frames of {first.clips} held-out "
        "takes. Intervals: whole takes drawn with replacement. Gaps: error of what is hidden; as given is what the "
        "classical interpolation fills in. Nothing was chosen on these takes."
    )
    parts = ["# A prior of your own", f"`{command}`", verdict(comparison), about["split"], about["training_data"]]
    parts += [table(comparison), how, "![the run](curves.png)", "## Left out", "\n".join(left_out)]
    return "\n\n".join(parts) + "\n"
