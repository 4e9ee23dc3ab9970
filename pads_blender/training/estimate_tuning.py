"""python -m pads_blender.training.estimate_tuning --data DIR: the settings of estimation, tried on validation takes.

Ours and the rivals' alike, on noisy 2D with T unknown; one setting is changed at a time.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path

import numpy as np
from scipy.stats import chi

from ..core import metrics
from ..diffusion.prior import load_prior
from ..tasks import estimate_takes
from ..tasks.estimate import SPREAD_FACTOR, EstimateSettings, Shot, estimate_hypotheses
from ..tasks.estimate_takes import Asked, Descent
from . import estimate_rivals as rivals
from . import estimate_suite
from .bench import Setup
from .estimate_rivals import Filmed
from .synthetic_cameras import NOISY

CLIPS, HYPOTHESES, SPREAD = 10, 4, "spread"
DESCENTS = (
    *({"error_factor": value} for value in (5.0, 12.0)),
    *({"fresh_noise": value} for value in (0.0, 0.25, 0.5)),
    *({"widest": value} for value in (0.12, 0.3)),
    *({"body_share": value} for value in (0.5, 1.5)),
)
ZEDOS = (
    *(rivals.Zedo(40, 0.1, 0.005, rate) for rate in (0.5, 1.0, 2.0)),
    *(rivals.Zedo(40, first, 0.02, 1.0) for first in (0.05, 0.2)),
    rivals.Zedo(150, 0.1, 0.005, 2.0),
)
RHOS = (0.1, 0.25, 0.5)
Method = Callable[[Filmed], np.ndarray]  # positions (F, J, 3)


def takes(setup: Setup) -> Iterator[tuple[np.ndarray, Shot]]:
    """True positions and noisy keypoints of every take."""
    for number, clip in enumerate(setup.segments(estimate_suite.SEGMENT_FRAMES, CLIPS)):
        truth = clip.positions.astype(float)
        yield truth, estimate_suite.filmed(truth, NOISY, 0, number)


def ours(setup: Setup) -> dict[str, Method]:
    """Our own descent, each setting at several values."""
    prior = setup.open_prior(1)

    def method(descent: Descent) -> Method:
        def run(filmed: Filmed) -> np.ndarray:
            asked = Asked(30.0, descent=descent, start=filmed.start)
            return estimate_takes.sample([filmed.view], asked, prior, np.random.default_rng(0))

        return run

    plain = {"as it is": method(Descent())}
    return plain | {_named(change): method(replace(Descent(), **change)) for change in DESCENTS}


def zedo(setup: Setup) -> dict[str, Method]:
    """The ZeDO-like rival."""
    pose = load_prior("pose", setup.models, 1)
    return {
        _named({field.name: getattr(how, field.name) for field in fields(how)}): partial(
            rivals.zedo_like, prior=pose, how=how
        )
        for how in ZEDOS
    }


def rho(setup: Setup) -> dict[str, Method]:
    """The paper's algorithm with one rho."""
    pose = load_prior("pose", setup.models, 1)
    return {_named({"rho": value}): partial(rivals.constant_rho, prior=pose, rho=value) for value in RHOS}


WHAT = {"ours": (ours, 1), "zedo": (zedo, estimate_suite.RIVAL_STRIDE), "rho": (rho, estimate_suite.RIVAL_STRIDE)}


def spread_factor(setup: Setup) -> float:
    """What the spread among hypotheses is to be multiplied by so that it is as large as errors are, by the median."""
    settings, ratios = EstimateSettings(hypotheses=HYPOTHESES), []
    for truth, shot in takes(setup):
        found = estimate_hypotheses([shot], 30.0, settings, setup.loaded_prior)[0].motion
        error = np.linalg.norm(found.positions - truth, axis=-1)
        ratios.append((error / np.maximum(found.spread, 1e-4)).ravel())
    return SPREAD_FACTOR * float(np.median(np.concatenate(ratios)) / chi.ppf(0.5, 3))


def _named(settings: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in settings.items())


def _told(method: Method, filmed: Sequence[tuple[np.ndarray, Filmed]], stride: int) -> str:
    """Mean error about the root, and of the pelvis's place, on every so many frames."""
    rows = [np.arange(0, len(truth), stride) for truth, _ in filmed]
    pairs = [(truth[r], method(frames.rows(r))) for r, (truth, frames) in zip(rows, filmed, strict=True)]
    about_root = np.mean([estimate_suite.error_of(found, truth) for truth, found in pairs])
    pelvis = np.mean([metrics.mpjpe(found[:, :1], truth[:, :1]) for truth, found in pairs])
    return f"{about_root:.1f} mm, pelvis {pelvis:.1f} mm"


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
    chosen = [name for name in given.what if name in WHAT]
    filmed = [(truth, Filmed.of(shot)) for truth, shot in takes(setup)] if chosen else []
    for name in chosen:
        make, stride = WHAT[name]
        for setting, method in make(setup).items():
            print(f"{name}: {setting}: {_told(method, filmed, stride)}", flush=True)


if __name__ == "__main__":
    main()
