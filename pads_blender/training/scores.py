"""What every method reached, and means over it with their intervals. Knows nothing of what was measured."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

OURS, RAW = "PADS", "as measured"
FROM = " from "  # between a clip's name and the first frame of a segment of it
_RESAMPLES = 2000


@dataclass(frozen=True)
class Score:
    """What every method reached on one clip, or a segment of one, under one seed.

    values: what the table shows; chosen: the settings that an oracle took; measures: further ones, by name and method.
    """

    case: str
    clip: str
    seed: int
    values: dict[str, float]
    chosen: dict[str, str]
    measures: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """The clip that the segment was cut from."""
        return self.clip.partition(FROM)[0]


@dataclass(frozen=True)
class Summary:
    """One case of a suite: means by method with intervals, ratio to the rival, and where the rival was better.

    Every segment counts alike, its seeds averaged. Segments of a clip are not independent: the bootstrap draws whole
    clips. An interval is None where there are fewer than two.
    """

    case: str
    clips: int
    segments: int
    means: dict[str, float]
    intervals: dict[str, tuple[float, float] | None]
    measures: dict[str, dict[str, float]]
    ratio: float | None = None
    ratio_interval: tuple[float, float] | None = None
    lost: dict[str, tuple[float, float]] = field(default_factory=dict)  # clip or segment -> ours, the rival's


def summarise(scores: list[Score], rival: str | None) -> list[Summary]:
    """A summary of every case, in the order of the scores."""
    return [
        _summary(case, [s for s in scores if s.case == case], rival) for case in dict.fromkeys(s.case for s in scores)
    ]


def _summary(case: str, scores: list[Score], rival: str | None) -> Summary:
    methods = list(scores[0].values)
    table = _mean_by_segment(scores, [s.values for s in scores])
    sources = [name.partition(FROM)[0] for name in table]
    rows = np.array([[row[m] for m in methods] for row in table.values()])
    means, resampled = rows.mean(axis=0), _resampled_means(rows, sources)
    clips = len(set(sources))
    summary = Summary(
        case,
        clips,
        len(table),
        dict(zip(methods, means.tolist(), strict=True)),
        {m: _interval(resampled[:, k], clips) for k, m in enumerate(methods)},
        _mean_measures(scores),
    )
    if rival is None:
        return summary
    ours, other = resampled[:, methods.index(OURS)], resampled[:, methods.index(rival)]
    return replace(
        summary,
        ratio=summary.means[OURS] / summary.means[rival],
        ratio_interval=_interval(ours / other, clips),
        lost={name: (row[OURS], row[rival]) for name, row in table.items() if row[OURS] > row[rival]},
    )


def _mean_by_segment(scores: list[Score], values: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Segment -> method -> mean over the seeds."""
    gathered: dict[str, list[dict[str, float]]] = {}
    for score, each in zip(scores, values, strict=True):
        gathered.setdefault(score.clip, []).append(each)
    return {
        name: {method: float(np.mean([s[method] for s in same])) for method in same[0]}
        for name, same in gathered.items()
    }


def _mean_measures(scores: list[Score]) -> dict[str, dict[str, float]]:
    """Measure -> method -> mean over segments."""
    means = {}
    for measure in scores[0].measures:
        table = _mean_by_segment(scores, [s.measures[measure] for s in scores]).values()
        means[measure] = {m: float(np.mean([row[m] for row in table])) for m in scores[0].measures[measure]}
    return means


def _resampled_means(rows: np.ndarray, sources: list[str]) -> np.ndarray:
    """Means (R, K) of rows (N, K) of clips drawn with replacement, each with all of its rows: a cluster bootstrap."""
    names = list(dict.fromkeys(sources))
    member = np.array([[source == name for source in sources] for name in names], float)
    totals, counts = member @ rows, member.sum(axis=1)
    drawn = np.random.default_rng(0).integers(0, len(names), (_RESAMPLES, len(names)))
    return totals[drawn].sum(axis=1) / counts[drawn].sum(axis=1)[:, None]


def _interval(values: np.ndarray, clips: int) -> tuple[float, float] | None:
    low, high = np.percentile(values, (2.5, 97.5))
    return (float(low), float(high)) if clips > 1 else None
