"""python -m pads_blender.training.sampler_study toy|pose --out docs/samplers.md: the samplers at 10 to 1000 steps.

Puts a table between the page's marks for that study, and a plot beside the page. toy: a prior whose posterior is known;
pose: the shipped pose prior on poses of the dev subjects in --data.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from ..core.skeleton import MODEL
from ..diffusion.denoiser_error import DenoiserError, gaussian_error, measure_error, measured_error
from ..diffusion.dps import noise_aware_guidance, sample_dps
from ..diffusion.measurement import Identity, MeasurementOperator, UnknownPelvis
from ..diffusion.prior import Prior, load_prior
from ..diffusion.prox import POSE_ERROR, POSE_SIGMA, sample_prox
from ..diffusion.schedule import NoiseSchedule, ddpm_schedule, karras_schedule
from . import bench, data
from .bounded_prior import BoundedPrior
from .gaussian_mixture import GaussianMixture
from .pages import put_between_marks
from .sampler_report import cell, plot, tables
from .sampler_trials import Contender, Problem, Result, Study, measure

STEPS = (10, 25, 100, 1000)
SHARED_ERRORS = 1.5  # factor on the measured denoising error for prox, see measured_error
SIGMA_START = 0.3  # metres: truncated start of the pose study, about the spread of poses and more
DRAWS = 8  # results for each toy problem
_FURTHEST_METRES = 1000.0  # as far as one that runs off is followed: beyond the noise at t = 1000

TOY_INTRODUCTION = """## Where the exact answer is known

A mixture of 12 Gaussians, each of rank 8, in 48 dimensions (16 joints), scaled to rms 1; its posterior is a mixture as
well, so its mean and spread are known (with outliers: when told which ones they are). {poses} problems, 8 results for
each. All start from noise; prox walks Karras levels from 10 to 0.01, dps the respaced DDPM schedule. In the cells: rms
error of the mean of the 8 results (of one result, and their spread). Where joints are hidden, those are scored. Only
prox knows Student's t, here with 3 degrees of freedom."""
POSE_INTRODUCTION = """## On the pose prior

{poses} poses of dev subjects (CMU), each by itself, in world space with unknown pelvis; weights {weights}. Mean joint
distance to the truth in mm; where joints are hidden, of those. P_init is the mean pose fitted to the measurement; from
there the noise levels go down from 300 to 5 mm, prox with that noise on top of P_init, dps without. The last row starts
from noise at t = 1000 instead. Only prox knows Student's t, here with 4 degrees of freedom. One batch on the CPU."""


def rms(offsets: np.ndarray) -> float:
    """Root mean square coordinate."""
    return float(np.sqrt(np.mean(np.square(offsets))))


def millimetres(offsets: np.ndarray) -> float:
    """Mean length of offsets (N, 3) in metres, in mm: MPJPE."""
    return 1000.0 * float(np.linalg.norm(offsets, axis=-1).mean())


def toy_study(problems: int) -> Study:
    """16 joints, 12 components of rank 8, unit rms: noise, hidden joints, outliers."""
    rng = np.random.default_rng(0)
    prior = GaussianMixture.random(rng, joints=16, components=12, rank=8, floor=0.05)
    truth = prior.draw(problems, rng)
    hidden = np.argsort(rng.random(truth.shape[:2]), axis=1) < 5
    outlier = rng.random(hidden.shape) < 0.12
    cases = {
        "noise 0.3": (np.full(hidden.shape, 0.3), Identity),
        "5 of 16 joints hidden, noise 0.03": (np.where(hidden, np.inf, 0.03), Identity),
        "12 % outliers of 1.2, noise 0.05": (np.where(outlier, 1.2, 0.05), lambda sigma: Identity(0.05, nu=3.0)),
    }
    levels = np.geomspace(0.005, 30.0, 20)
    errors = measure_error(prior, prior.draw(400, rng), levels, rng).mean(axis=1)
    return Study(
        "toy",
        TOY_INTRODUCTION.format(poses=problems),
        "rms",
        prior,
        [_toy_problem(prior, truth, name, *case, rng) for name, case in cases.items()],
        contenders(
            measured_error(levels, errors, SHARED_ERRORS),
            gaussian_error(1.0),
            partial(karras_schedule, sigma_max=10.0, sigma_min=0.01),
            ddpm_schedule,
        ),
        DRAWS,
        rms,
    )


def _toy_problem(
    prior: GaussianMixture,
    truth: np.ndarray,
    name: str,
    sigma: np.ndarray,
    operator_of: Callable[[np.ndarray], MeasurementOperator],
    rng: np.random.Generator,
) -> Problem:
    """A problem with its exact answer; scored where joints are hidden, or everywhere when none is."""
    y = truth + np.where(np.isinf(sigma), 0.0, sigma)[..., None] * rng.standard_normal(truth.shape)
    mean, spread = prior.posterior(y, sigma**2)
    scored = np.isinf(sigma) | ~np.isinf(sigma).any()
    best, exact = rms((mean - truth)[scored]), rms(spread[scored])
    truth, sigma, y, scored = (np.repeat(a, DRAWS, axis=0) for a in (truth, sigma, y, scored))
    return Problem(name, operator_of(sigma), y, truth, scored, None, best, exact)


def pose_study(folder: Path, poses: int) -> Study:
    """The shipped pose prior on dev poses in world space, one by one, pelvis unknown."""
    rng, prior = np.random.default_rng(0), load_prior("pose")
    truth = captured_poses(folder, poses)
    arm = np.broadcast_to(np.isin(np.arange(len(MODEL)), MODEL.indices("left_elbow", "left_wrist")), truth.shape[:2])
    outlier = rng.random(arm.shape) < 0.1
    everywhere = np.ones(arm.shape, bool)
    cases = [
        ("noise 20 mm", np.full(arm.shape, 0.02), None, 0.0, everywhere),
        ("noise 40 mm", np.full(arm.shape, 0.04), None, 0.0, everywhere),
        ("left elbow and wrist hidden, noise 5 mm", np.where(arm, np.inf, 0.005), None, 0.0, arm),
        ("a joint in ten 300 mm off, noise 20 mm", np.full(arm.shape, 0.02), 4.0, 0.3 * outlier, everywhere),
    ]
    problems = []
    for name, sigma, nu, wrong, scored in cases:
        noise = np.hypot(np.where(np.isinf(sigma), 0.0, sigma), wrong)[..., None] * rng.standard_normal(truth.shape)
        operator, y = UnknownPelvis(sigma, nu=nu), truth + noise
        problems.append(Problem(name, operator, y, truth, scored, start_pose(prior, operator, y)))
    levels = partial(karras_schedule, sigma_max=SIGMA_START, sigma_min=0.005, unit=prior.unit)
    field = contenders(prior.error(SHARED_ERRORS), POSE_ERROR, levels, levels)
    ddpm = partial(ddpm_schedule, unit=prior.unit)
    field.append(Contender("dps as in the paper, from noise at t = 1000", sample_dps, ddpm, use_start=False))
    bounded = BoundedPrior(prior, _FURTHEST_METRES)
    introduction = POSE_INTRODUCTION.format(poses=poses, weights=bench.weights_of(prior))
    return Study("pose", introduction, "mm", bounded, problems, field, 1, millimetres)


def start_pose(prior: Prior, operator: MeasurementOperator, y: np.ndarray) -> np.ndarray:
    """P_init (B, J, 3) for any operator: the mean pose fitted to the measurement; hidden joints keep the mean."""
    mean = prior.denoise(np.zeros(y.shape), 10.0 * POSE_SIGMA)
    return operator.proximal(mean, y, POSE_SIGMA**2).pose


def captured_poses(folder: Path, count: int) -> np.ndarray:
    """World positions (count, J, 3) of poses spread evenly over the captured CMU takes of dev."""
    every = np.concatenate([c.positions for c in data.load_split(folder, "dev") if c.subject.startswith("cmu")])
    return every[np.linspace(0, len(every) - 1, count).astype(int)].astype(float)


def contenders(
    prox_error: DenoiserError,
    dps_error: DenoiserError,
    prox_levels: Callable[[int], NoiseSchedule],
    dps_levels: Callable[[int], NoiseSchedule],
) -> list[Contender]:
    """The samplers in the forms that differ."""
    prox, aware = partial(sample_prox, denoiser_error=prox_error), partial(noise_aware_guidance, dps_error)
    return [
        Contender("prox", prox, prox_levels),
        Contender("prox, randomised", partial(prox, randomised=True), prox_levels),
        Contender("dps as in the paper, rho = 0.5", sample_dps, dps_levels),
        Contender("dps, noise-aware, c = 1", partial(sample_dps, guidance=aware(c=1.0)), dps_levels),
        Contender("dps, noise-aware, c = 2", partial(sample_dps, guidance=aware(c=2.0)), dps_levels),
    ]


def run(study: Study, steps: tuple[int, ...]) -> list[Result]:
    """Every contender on every problem; prints as it goes."""
    results = []
    for problem in study.problems:
        for contender in study.contenders:
            for count in steps:
                results.append(measure(study, problem, contender, count))
                print(f"{problem.name}, {contender.name}, {count} steps: {cell(results[-1:])}", flush=True)
    return results


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m pads_blender.training.sampler_study", description=__doc__)
    parser.add_argument("study", choices=("toy", "pose"))
    parser.add_argument("--out", type=Path, required=True, help="Markdown page with marks for the table")
    parser.add_argument("--data", type=Path, help="folder with train/ and dev/, for pose")
    parser.add_argument("--poses", type=int, default=48, help="how many poses, or toy problems")
    parser.add_argument("--steps", type=int, nargs="+", default=STEPS)
    given = parser.parse_args()
    if given.study == "pose" and given.data is None:
        parser.error("pose needs --data")
    study = toy_study(given.poses) if given.study == "toy" else pose_study(given.data, given.poses)
    results = run(study, tuple(given.steps))
    picture = given.out.with_name(f"{given.out.stem}-{study.name}.png")
    plot(study, results, picture)
    put_between_marks(given.out, study.name, f"{tables(study, results)}\n\n![error against steps]({picture.name})")


if __name__ == "__main__":
    main()
