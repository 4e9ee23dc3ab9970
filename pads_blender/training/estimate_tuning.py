"""python -m pads_blender.training.estimate_tuning --data DIR: the settings of estimation, tried on validation takes.

Ours and the rivals' alike, on noisy 2D with T unknown; one setting is changed at a time.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
from scipy.stats import chi

from ..diffusion.prior import load_prior
from ..tasks import estimate_takes
from ..tasks.estimate import SPREAD_FACTOR, EstimateSettings, Shot, as_view, estimate_hypotheses
from ..tasks.estimate_takes import Asked, Descent
from . import estimate_rivals as rivals
from . import estimate_suite
from .bench import Setup
from .synthetic_cameras import NOISY

CLIPS, HYPOTHESES, SPREAD = 10, 4, "spread"
DESCENTS = (
    *({"error_factor": value} for value in (4.0, 8.0, 12.0)),
    *({"fresh_noise": value} for value in (0.25, 0.8)),
    *({"widest": value} for value in (0.1, 0.4)),
    *({"body_share": value} for value in (0.25, 1.0)),
)
ZEDOS = (
    *(rivals.Zedo(40, 0.1, 0.005, rate) for rate in (0.5, 1.0, 2.0)),
    *(rivals.Zedo(40, first, 0.02, 1.0) for first in (0.05, 0.2)),
    rivals.Zedo(150, 0.1, 0.005, 2.0),
)
RHOS = (0.1, 0.25, 0.5)
Method = Callable[[Shot], np.ndarray]  # positions (F, J, 3)


def takes(setup: Setup, stride: int) -> Iterator[tuple[np.ndarray, Shot]]:
    """True positions and noisy keypoints of every take, every so many frames."""
    for number, clip in enumerate(setup.segments(estimate_suite.SEGMENT_FRAMES, CLIPS)):
        truth = clip.positions.astype(float)
        rows = np.arange(0, len(truth), stride)
        yield truth[rows], estimate_suite.rows_of(estimate_suite.filmed(truth, NOISY, 0, number), rows)


def ours(setup: Setup) -> dict[str, Method]:
    """Our own descent, each setting at several values."""

    def method(descent: Descent) -> Method:
        asked = Asked(30.0, descent=descent)
        return lambda shot: estimate_takes.sample(
            [as_view(shot, EstimateSettings())], asked, setup.loaded_prior, np.random.default_rng(0)
        )

    plain = {"as it is": method(Descent())}
    return plain | {_named(change): method(replace(Descent(), **change)) for change in DESCENTS}


def zedo(setup: Setup) -> dict[str, Method]:
    """The ZeDO-like rival."""
    pose = load_prior("pose", setup.models)
    return {
        _named({field.name: getattr(how, field.name) for field in fields(how)}): lambda shot, how=how: rivals.zedo_like(
            shot, EstimateSettings(), pose, how
        )
        for how in ZEDOS
    }


def rho(setup: Setup) -> dict[str, Method]:
    """The paper's algorithm with one rho."""
    pose = load_prior("pose", setup.models)
    return {
        _named({"rho": value}): lambda shot, value=value: rivals.constant_rho(shot, EstimateSettings(), pose, value)
        for value in RHOS
    }


WHAT = {"ours": (ours, 1), "zedo": (zedo, estimate_suite.RIVAL_STRIDE), "rho": (rho, estimate_suite.RIVAL_STRIDE)}


def spread_factor(setup: Setup) -> float:
    """What the spread among hypotheses is to be multiplied by so that it is as large as errors are, by the median."""
    settings, ratios = EstimateSettings(hypotheses=HYPOTHESES), []
    for truth, shot in takes(setup, 1):
        found = estimate_hypotheses([shot], 30.0, settings, setup.loaded_prior)[0].motion
        error = np.linalg.norm(found.positions - truth, axis=-1)
        ratios.append((error / np.maximum(found.spread, 1e-4)).ravel())
    return SPREAD_FACTOR * float(np.median(np.concatenate(ratios)) / chi.ppf(0.5, 3))


def _named(settings: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in settings.items())


def main() -> None:
    """Print the mean error of every setting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with train/ and dev/")
    parser.add_argument("--models", type=Path, help="folder with the priors; default: the bundled ones")
    parser.add_argument("--what", choices=(*WHAT, SPREAD), nargs="+", default=(*WHAT, SPREAD))
    parser.add_argument("--limit", type=int, help="only so many takes")
    given = parser.parse_args()
    setup = Setup(given.data, "validation", "motion", given.models, given.limit)
    if SPREAD in given.what:
        print(f"{SPREAD}: factor {spread_factor(setup):.2f}", flush=True)
    for name in (w for w in given.what if w in WHAT):
        make, stride = WHAT[name]
        filmed = list(takes(setup, stride))
        for setting, method in make(setup).items():
            errors = [estimate_suite.error_of(method(shot), truth) for truth, shot in filmed]
            print(f"{name}: {setting}: {np.mean(errors):.1f} mm", flush=True)


if __name__ == "__main__":
    main()
