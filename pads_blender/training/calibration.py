"""Is the clean-up as unsure as it is wrong? The spread of posterior samples beside the error, joint by joint."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import chi

from ..core.motion import Motion
from ..core.skeleton import MODEL
from ..tasks.clean import CleanSettings, clean_motion
from . import corruption, data
from .bench import Setup

SEGMENT_FRAMES, SEGMENTS, SAMPLES = 128, 16, 8
BIN_EDGES_MM = (0.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, np.inf)
SHARES = (0.5, 0.8, 0.95)
_ARM = MODEL.indices("left_elbow", "left_wrist")
_LEGS = MODEL.indices("left_knee", "left_ankle", "left_toe", "right_knee", "right_ankle", "right_toe")


@dataclass(frozen=True)
class Damage:
    """Noise on every coordinate in metres, and joints hidden for so many frames in the middle."""

    noise: float
    joints: tuple[int, ...] = ()
    frames: int = 0


CASES = {
    "noise of 5 mm": Damage(0.005),
    "noise of 20 mm": Damage(0.02),
    "noise of 100 mm": Damage(0.1),
    "an arm hidden for 60 frames": Damage(0.002, tuple(_ARM), 60),
    "both legs hidden for 60 frames": Damage(0.002, tuple(_LEGS), 60),
    "the whole pose hidden for 30 frames": Damage(0.002, tuple(range(len(MODEL))), 30),
}


@dataclass(frozen=True)
class Pairs:
    """Standard deviation that the samples state, and the rms error per coordinate, both (N,) in mm."""

    stated: np.ndarray
    error: np.ndarray

    @property
    def coverage(self) -> list[float]:
        """Share of joints within the distance that holds each of SHARES of a normal distribution with this spread."""
        distance = np.sqrt(3.0) * self.error
        return [float(np.mean(distance <= chi.ppf(share, 3) * self.stated)) for share in SHARES]

    @property
    def ratio(self) -> float:
        """Median of error to stated spread, as a multiple of what it is for a normal distribution."""
        return float(np.median(np.sqrt(3.0) * self.error / np.maximum(self.stated, 1e-6)) / chi.ppf(0.5, 3))


def measure(setup: Setup) -> dict[str, Pairs]:
    """Pairs of every case; where something is hidden, of what is hidden only."""
    return {name: _pairs(setup, name, damage) for name, damage in CASES.items()}


def _pairs(setup: Setup, name: str, damage: Damage) -> Pairs:
    found = [_segment_pairs(setup, name, damage, clip) for clip in setup.segments(SEGMENT_FRAMES, SEGMENTS)]
    return Pairs(*(np.concatenate(part) for part in zip(*found, strict=True)))


def _segment_pairs(setup: Setup, name: str, damage: Damage, clip: data.Clip) -> tuple[np.ndarray, np.ndarray]:
    truth = clip.positions.astype(float)
    noisy = corruption.position_noise(truth, damage.noise, corruption.generator(f"{clip.name} {name}", 0))
    motion = Motion(noisy, np.tile(clip.visible, (len(noisy), 1)), data.FPS)
    start = (len(noisy) - damage.frames) // 2
    motion = motion.hide(list(damage.joints), start, start + damage.frames)
    cleaned = clean_motion(motion, CleanSettings(samples=SAMPLES, feet=0.0), setup.loaded_prior)
    counts = clip.visible & (~motion.visible if damage.joints else motion.visible)
    error = 1000.0 * np.linalg.norm(cleaned.positions - truth, axis=-1) / np.sqrt(3.0)
    return 1000.0 * cleaned.spread[counts], error[counts]


def markdown(cases: dict[str, Pairs]) -> str:
    """Two tables: every case, and errors by what was stated."""
    head = ["case", "stated, mm", "rms error, mm", "error / stated", *(f"within {100 * s:.0f} %" for s in SHARES)]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name, pairs in cases.items():
        cells = [name, f"{_rms(pairs.stated):.1f}", f"{_rms(pairs.error):.1f}", f"{pairs.ratio:.2f}"]
        lines.append(f"| {' | '.join(cells + [f'{100 * share:.0f} %' for share in pairs.coverage])} |")
    centres, stated, error, counts = _bins(cases)
    rows = [
        "| stated, mm | " + " | ".join(centres) + " |",
        "|---" * (len(centres) + 1) + "|",
        "| rms stated | " + " | ".join(f"{value:.1f}" for value in stated) + " |",
        "| rms error | " + " | ".join(f"{value:.1f}" for value in error) + " |",
        "| joints and frames | " + " | ".join(map(str, counts)) + " |",
    ]
    return "\n\n".join(["\n".join(lines), "All cases together, by what was stated:", "\n".join(rows)])


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _bins(cases: dict[str, Pairs]) -> tuple[list[str], list[float], list[float], list[int]]:
    """Name, rms stated, rms error and count of every bin that holds at least a hundred joint-frames."""
    stated = np.concatenate([pairs.stated for pairs in cases.values()])
    error = np.concatenate([pairs.error for pairs in cases.values()])
    names, means, errors, counts = [], [], [], []
    for low, high in itertools.pairwise(BIN_EDGES_MM):
        inside = (stated >= low) & (stated < high)
        if inside.sum() >= 100:
            names.append(f"{low:g} to {high:g}" if np.isfinite(high) else f"{low:g} up")
            means.append(_rms(stated[inside]))
            errors.append(_rms(error[inside]))
            counts.append(int(inside.sum()))
    return names, means, errors, counts


def plot(cases: dict[str, Pairs], path: Path) -> None:
    """Reliability: rms error against what was stated, on the diagonal where both agree."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(4.2, 4.2))
    for name, pairs in cases.items():
        _, stated, error, _ = _bins({name: pairs})
        axis.loglog(stated, error, "o-", markersize=4, label=name)
    _, stated, error, _ = _bins(cases)
    axis.loglog(stated, error, "k.-", linewidth=2, label="all")
    axis.plot([1, 300], [1, 300], color="grey", linewidth=0.8)
    axis.set(xlabel="stated standard deviation, mm per coordinate", ylabel="rms error, mm per coordinate")
    axis.legend(fontsize=6)
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    pyplot.close(figure)
