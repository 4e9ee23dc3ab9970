"""One trial: a sampler on a problem whose truth is known, in a number of steps, scored. See sampler_study.py."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..diffusion.measurement import MeasurementOperator
from ..diffusion.prior import Prior
from ..diffusion.sampler import PosteriorSampler
from ..diffusion.schedule import NoiseSchedule


@dataclass(frozen=True)
class Problem:
    """What was measured of the truth (B, J, 3), and the joints (B, J) that are scored.

    start: P_init (B, J, 3), None = noise. best: score of the exact posterior mean; spread: of the exact posterior;
    None where neither is known.
    """

    name: str
    operator: MeasurementOperator
    y: np.ndarray
    truth: np.ndarray
    scored: np.ndarray
    start: np.ndarray | None = None
    best: float | None = None
    spread: float | None = None


@dataclass(frozen=True)
class Contender:
    """A sampler with its options, and the schedule it walks when given a number of steps."""

    name: str
    sample: PosteriorSampler
    schedule: Callable[[int], NoiseSchedule]
    use_start: bool = True


@dataclass(frozen=True)
class Result:
    """Score of single results, and where there are several for each problem, of their mean, and their spread."""

    problem: Problem
    contender: str
    steps: int
    seconds: float
    single: float
    mean: float
    spread: float


@dataclass(frozen=True)
class Study:
    """Problems hold each pose draws times in a row; score: offsets (N, 3) of scored joints -> number."""

    name: str
    introduction: str
    unit: str
    prior: Prior
    problems: list[Problem]
    contenders: list[Contender]
    draws: int
    score: Callable[[np.ndarray], float]


def measure(study: Study, problem: Problem, contender: Contender, steps: int) -> Result:
    """One run of all draws in one batch."""
    began = time.perf_counter()
    start = problem.start if contender.use_start else None
    given = (study.prior, problem.operator, problem.y, contender.schedule(steps), np.random.default_rng(1))
    with np.errstate(all="ignore"):  # dps may diverge: that is a result
        fit = contender.sample(*given, start=start)
    seconds = time.perf_counter() - began
    offset = fit.positions_world - problem.truth
    grouped = offset.reshape(-1, study.draws, *offset.shape[1:])
    scored = problem.scored.reshape(grouped.shape[:3])
    spread = float(np.sqrt(grouped.var(axis=1, ddof=1)[scored[:, 0]].mean())) if study.draws > 1 else 0.0
    single, mean = study.score(offset[problem.scored]), study.score(grouped.mean(axis=1)[scored[:, 0]])
    return Result(problem, contender.name, steps, seconds, single, mean, spread)
