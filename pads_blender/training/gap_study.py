"""Settings of what fills gaps from the take itself: PCA gap filling, the rival, and like poses, our own.

Each is tried without the prior, on gaps of validation clips, so that the rival is tuned where ours is.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..core import metrics
from ..core.interpolate import fill_hidden
from ..core.motion import Motion
from ..core.retarget import to_model
from ..tasks.like_poses import Likeness, recall_hidden
from . import corruption, gap_suites
from .bench import Setup
from .gap_baselines import PcaSettings, low_rank, pca
from .gap_suites import ARM, JOINT, LEGS, Part
from .scores import FROM

CASES = tuple(itertools.product((JOINT, ARM, LEGS), (30, 60)))
PIECES = 16
PCA_GRID = tuple(
    PcaSettings(reach, weight, 0.5, kept)
    for reach, weight, kept in itertools.product((0.2, 0.5, 1.0, 2.0), (0.02, 0.1, 0.2, 0.5), (0.95, 0.97, 0.99))
)
SHRINK_GRID = (0.05, 0.02, 0.01, 0.005)
LIKENESS_GRID = {
    "pose_width": (1.0, 1.5, 3.0),
    "pose_share": (3.0, 5.0, 20.0),
    "time_share": (0.01, 0.03, 0.3),
    "time_seconds": (0.25, 1.0, 2.0),
    "context_seconds": (1.0, 2.0, 5.0),
}
Fill = Callable[[np.ndarray, np.ndarray], np.ndarray]
Sample = tuple[Motion, np.ndarray]  # with a gap and noise; true positions (F, J, 3)


def samples(setup: Setup, part: Part, frames: int, whole: bool) -> list[Sample]:
    """Gaps as in the suite: in its pieces, or in the whole clips that these were cut from."""
    found = []
    for piece in gap_suites.pieces(setup, frames, PIECES):
        clip = next(c for c in setup.rig_clips if c.name == piece.name.partition(FROM)[0]) if whole else piece
        rng, (truth, _) = corruption.generator(piece.name, 0), to_model(clip.take, clip.mapping)
        joints, start = part.draw(rng), int(np.searchsorted(clip.take.frames, piece.take.frames[gap_suites.MARGIN]))
        broken = gap_suites.with_noise(truth, rng).hide(joints, start, start + frames)
        found.append((broken, truth.positions))
    return found


def error(fill: Fill, some: list[Sample]) -> float:
    """Mean MPJPE over the samples' hidden joints."""
    return float(np.mean([metrics.mpjpe(fill(m.positions, m.visible), truth, ~m.visible) for m, truth in some]))


def like_poses(likeness: Likeness) -> Fill:
    """What is recalled, and the interpolated offset where the take tells nothing."""

    def fill(positions: np.ndarray, visible: np.ndarray) -> np.ndarray:
        noise = np.full(visible.shape[1], gap_suites.NOISE_METRES)
        return recall_hidden(fill_hidden(positions, visible), visible, noise, 30.0, likeness)[0]

    return fill


def study(setup: Setup) -> str:
    """Three tables: rows are settings, best first; columns the cases and their mean."""
    cut, whole = ([samples(setup, part, frames, kind) for part, frames in CASES] for kind in (False, True))
    rivals = {f"reach {s.reach_metres:g} m, weight {s.missing_weight:g}, kept {s.kept:g}": _pca(s) for s in PCA_GRID}
    shrunk = {f"shrink {share:g}": _low_rank(share) for share in SHRINK_GRID}
    ours = {"as chosen": like_poses(Likeness())}
    for name, values in LIKENESS_GRID.items():
        ours |= {f"{name} {value:g}": like_poses(replace(Likeness(), **{name: value})) for value in values}
    tables = (
        _table("PCA gap filling, the ten best, in pieces as the suite has them", rivals, cut, 10),
        _table("Low rank, in the same pieces", shrunk, cut),
        _table("Like poses without the prior, in whole clips; two hidden legs are interpolated", ours, whole),
    )
    return "\n\n".join(tables)


def _pca(settings: PcaSettings) -> Fill:
    return lambda positions, visible: pca(positions, visible, settings)


def _low_rank(shrink: float) -> Fill:
    return lambda positions, visible: low_rank(positions, visible, shrink)


def _table(title: str, fills: dict[str, Fill], every: list[list[Sample]], most: int | None = None) -> str:
    rows = {name: [error(fill, some) for some in every] for name, fill in fills.items()}
    ranked = sorted(rows.items(), key=lambda row: np.mean(row[1]))[:most]
    head = ["mm", *(f"{part.name} {frames}" for part, frames in CASES), "mean"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    lines += [f"| {' | '.join([name, *(f'{e:.1f}' for e in [*row, np.mean(row)])])} |" for name, row in ranked]
    return f"**{title}**\n\n" + "\n".join(lines)
