"""Both samplers against priors whose posterior is known exactly. Distances in units of the data's rms, which is 1."""

from functools import partial

import numpy as np
import pytest

from pads_blender.diffusion.denoiser_error import gaussian_error, measured_error
from pads_blender.diffusion.dps import constant_guidance, noise_aware_guidance, sample_dps
from pads_blender.diffusion.measurement import Identity, JointMask, UnknownPelvis
from pads_blender.diffusion.prox import sample_prox
from pads_blender.diffusion.sampler import SAMPLERS
from pads_blender.diffusion.schedule import NoiseSchedule, ddpm_schedule, karras_schedule
from pads_blender.errors import CancelledError, PadsError
from pads_blender.training.gaussian_mixture import GaussianMixture

JOINTS, PROBLEMS, DRAWS = 8, 64, 8
LEVELS = karras_schedule(100, sigma_max=10.0, sigma_min=0.01)
DDPM = ddpm_schedule(200)


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


def own_error(prior, factor):
    """The prior's denoising error measured on its own draws, as is done for the real prior."""
    rng = np.random.default_rng(0)
    sigmas, x = np.geomspace(0.005, 30.0, 20), prior.draw(400, rng)
    errors = [rms(prior.denoise(x + sigma * rng.standard_normal(x.shape), sigma) - x) for sigma in sigmas]
    return measured_error(sigmas, np.array(errors), factor)


@pytest.fixture(scope="module")
def mixture():
    return GaussianMixture.random(np.random.default_rng(0), JOINTS, components=6, rank=5, floor=0.1)


@pytest.fixture(scope="module")
def error(mixture):
    """1.5 times: the errors of a low-rank prior are shared by the joints (see measured_error)."""
    return own_error(mixture, 1.5)


def noise_of(task, rng):
    """sigma (PROBLEMS, JOINTS), infinite at hidden joints: all but one third of the joints seen."""
    hidden = np.argsort(rng.random((PROBLEMS, JOINTS)), axis=1) < JOINTS // 3
    sigma = {"denoise": 0.3, "mask": 0.03, "both": 0.1}[task]
    return np.where(hidden & (task != "denoise"), np.inf, sigma)


def operator_of(sigma):
    visible = np.isfinite(sigma)
    return Identity(sigma) if visible.all() else JointMask(visible, np.where(visible, sigma, 1.0))


def problem(prior, task):
    """Truth (P, J, 3), sigma (P, J), measurement (P, J, 3) with NaN where hidden."""
    rng = np.random.default_rng(1)
    truth, sigma = prior.draw(PROBLEMS, rng), noise_of(task, rng)
    noise = np.where(np.isfinite(sigma), sigma, np.nan)[..., None] * rng.standard_normal(truth.shape)
    return truth, sigma, truth + noise


def draws_of(sampler, prior, sigma, y, schedule, seed=2):
    """DRAWS results for each problem (P, DRAWS, J, 3), all in one batch."""
    operator = operator_of(np.repeat(sigma, DRAWS, axis=0))
    pose = sampler(prior, operator, np.repeat(y, DRAWS, axis=0), schedule, np.random.default_rng(seed)).pose
    return pose.reshape(len(y), DRAWS, *y.shape[1:])


def summary(draws, exact_mean):
    """Distance of the draws' mean from the exact mean, and the spread of the draws about their mean."""
    return rms(draws.mean(axis=1) - exact_mean), float(np.sqrt(draws.var(axis=1, ddof=1).mean()))


# One isotropic Gaussian: every formula is exact, so the only error is the number of steps and of draws.


@pytest.fixture(scope="module")
def gaussian():
    rng = np.random.default_rng(3)
    return GaussianMixture(rng.standard_normal((1, 3 * JOINTS)), 0.8**2 * np.eye(3 * JOINTS)[None])


@pytest.mark.parametrize("task", ["denoise", "mask", "both"])
@pytest.mark.parametrize("name", ["dps", "prox"])
def test_gaussian_prior_is_sampled_exactly(name, task, gaussian):
    _, sigma, y = problem(gaussian, task)
    mean, spread = gaussian.posterior(y, sigma**2)
    sampler, schedule = {
        "dps": (partial(sample_dps, guidance=noise_aware_guidance(gaussian_error(0.8))), ddpm_schedule(1000)),
        "prox": (partial(sample_prox, denoiser_error=gaussian_error(0.8), randomised=True), LEVELS),
    }[name]
    off, found = summary(draws_of(sampler, gaussian, sigma, y, schedule), mean)
    # 8 draws: the mean of draws is off by spread / sqrt(8); 3 % for the steps. 12,288 draws: spread known to 1 %.
    assert off < 1.03 * rms(spread) / np.sqrt(DRAWS) * 1.05
    assert found == pytest.approx(rms(spread), rel=0.03)


@pytest.mark.parametrize("name", ["dps", "prox"])
def test_without_any_measurement_the_prior_itself_is_sampled(name, gaussian):
    operator = JointMask(np.zeros((2000, JOINTS), bool), 1.0)
    y, rng = np.full((2000, JOINTS, 3), np.nan), np.random.default_rng(5)
    schedule = {"dps": ddpm_schedule(1000), "prox": LEVELS}[name]  # in 200 steps dps spreads 2 % too little
    options = {"prox": {"denoiser_error": gaussian_error(0.8), "randomised": True}, "dps": {}}[name]
    pose = SAMPLERS[name](gaussian, operator, y, schedule, rng, **options).pose
    np.testing.assert_allclose(pose.mean(axis=0).ravel(), gaussian.means[0], atol=0.08)  # 0.8 / sqrt(2000) x 4.5
    assert pose.std(axis=0).mean() == pytest.approx(0.8, rel=0.02)


# A mixture of low-rank Gaussians: several modes, joints that depend on each other.


@pytest.mark.parametrize("task", ["denoise", "mask", "both"])
def test_prox_finds_the_posterior_mean(task, mixture, error):
    truth, sigma, y = problem(mixture, task)
    mean, _ = mixture.posterior(y, sigma**2)
    draws = draws_of(partial(sample_prox, denoiser_error=error), mixture, sigma, y, LEVELS)
    assert rms(draws.mean(axis=1) - truth) < 1.08 * rms(mean - truth)  # within 8 % of the best possible
    assert rms(draws - truth[:, None]) < 1.3 * rms(mean - truth)  # one result; a fair draw would be 1.41


@pytest.mark.parametrize("task", ["denoise", "both"])
def test_randomised_prox_has_the_posteriors_spread(task, mixture, error):
    _, sigma, y = problem(mixture, task)
    mean, spread = mixture.posterior(y, sigma**2)
    draws = draws_of(partial(sample_prox, denoiser_error=error, randomised=True), mixture, sigma, y, LEVELS)
    off, found = summary(draws, mean)
    assert found == pytest.approx(rms(spread), rel=0.15)  # one factor for all tasks: 0 % and 12 % off here
    assert off < 1.3 * rms(spread) / np.sqrt(DRAWS)
    plain = draws_of(partial(sample_prox, denoiser_error=error), mixture, sigma, y, LEVELS)
    assert summary(plain, mean)[1] < 0.75 * rms(spread)  # the plain form is known to spread too little


@pytest.mark.parametrize("task", ["denoise", "mask", "both"])
def test_noise_aware_dps_finds_the_posterior_mean(task, mixture):
    truth, sigma, y = problem(mixture, task)
    mean, _ = mixture.posterior(y, sigma**2)
    guidance = noise_aware_guidance(own_error(mixture, 1.0), c=2.0)
    draws = draws_of(partial(sample_dps, guidance=guidance), mixture, sigma, y, DDPM)
    assert rms(draws.mean(axis=1) - truth) < 1.1 * rms(mean - truth)


def test_noise_aware_dps_spreads_about_right(mixture):
    _, sigma, y = problem(mixture, "denoise")
    mean, spread = mixture.posterior(y, sigma**2)
    guidance = noise_aware_guidance(gaussian_error(1.0))
    draws = draws_of(partial(sample_dps, guidance=guidance), mixture, sigma, y, DDPM)
    assert summary(draws, mean)[1] == pytest.approx(rms(spread), rel=0.12)


def test_literal_dps_completes_when_the_measurement_is_clean(mixture):
    truth, sigma, y = problem(mixture, "mask")
    mean, _ = mixture.posterior(y, sigma**2)
    draws = draws_of(partial(sample_dps, guidance=constant_guidance(0.5)), mixture, sigma, y, DDPM)
    hidden = np.isinf(sigma)
    assert rms((draws.mean(axis=1) - truth)[hidden]) < 1.25 * rms((mean - truth)[hidden])


def test_literal_dps_returns_its_noisy_input_and_the_noise_aware_form_does_not(mixture):
    truth, sigma, y = problem(mixture, "denoise")
    mean, _ = mixture.posterior(y, sigma**2)
    run = partial(sample_dps, mixture, operator_of(sigma), y, ddpm_schedule(1000))
    literal = run(np.random.default_rng(2), guidance=constant_guidance(0.5)).pose
    aware = run(np.random.default_rng(2), guidance=noise_aware_guidance(own_error(mixture, 1.0), c=2.0)).pose
    assert rms(literal - y) < 0.001 * rms(y - truth)
    assert rms(literal - truth) > 0.99 * rms(y - truth)
    assert rms(aware - truth) < 0.7 * rms(y - truth)
    assert rms(aware - truth) < 1.25 * rms(mean - truth)


def test_robust_weights_beat_plain_ones_threefold_on_outliers(mixture):
    rng = np.random.default_rng(4)
    truth = mixture.draw(PROBLEMS, rng)
    outlier = rng.random((PROBLEMS, JOINTS)) < 0.12
    noise = np.where(outlier, 1.2, 0.05)
    y = truth + noise[..., None] * rng.standard_normal(truth.shape)
    informed, _ = mixture.posterior(y, noise**2)
    run = partial(sample_prox, mixture, y=y, schedule=LEVELS, denoiser_error=own_error(mixture, 1.0))
    plain = run(Identity(0.05), rng=np.random.default_rng(2))
    robust = run(Identity(0.05, nu=3.0), rng=np.random.default_rng(2))
    assert rms(robust.pose - truth) < rms(plain.pose - truth) / 3
    assert rms(robust.pose - truth) < 2 * rms(informed - truth)  # the best possible when told which are outliers
    assert np.median(robust.weight[outlier]) < 0.1 < 1.0 < np.median(robust.weight[~outlier])


# Takes: the pelvis is one of the unknowns.


@pytest.fixture(scope="module")
def body():
    return GaussianMixture.random(np.random.default_rng(6), JOINTS, components=4, rank=5, floor=0.1, has_pelvis=True)


@pytest.mark.parametrize("name", ["dps", "prox"])
def test_unknown_pelvis_against_the_exact_posterior(name, body):
    """With t ~ N(0, 10^2) the world positions are a mixture as well, and its posterior is exact."""
    rng = np.random.default_rng(7)
    truth = body.draw(PROBLEMS, rng) + 10.0 * rng.standard_normal((PROBLEMS, 1, 3))
    sigma = np.where(np.argsort(rng.random((PROBLEMS, JOINTS)), axis=1) < 2, np.inf, 0.2)
    y = truth + np.where(np.isinf(sigma), np.nan, sigma)[..., None] * rng.standard_normal(truth.shape)
    mean, _ = body.moved_by(10.0).posterior(y, sigma**2)
    sampler, schedule = {
        "prox": (partial(sample_prox, denoiser_error=own_error(body, 1.5)), LEVELS),
        "dps": (partial(sample_dps, guidance=noise_aware_guidance(own_error(body, 1.0), c=2.0)), DDPM),
    }[name]
    fits = [sampler(body, UnknownPelvis(sigma), y, schedule, np.random.default_rng(s)) for s in range(4)]
    assert all(np.all(fit.pose[:, 0] == 0.0) for fit in fits)
    world = np.mean([fit.positions_world for fit in fits], axis=0)
    assert rms(world - truth) < 1.12 * rms(mean - truth)
    assert rms(fits[0].positions_world - truth) < 1.35 * rms(mean - truth)


def test_coupled_frames_beat_frames_on_their_own(body):
    """A slow move through one component's poses, jittered; the prior knows no time, the coupling does."""
    rng = np.random.default_rng(8)
    ends = body.means[:2].reshape(2, JOINTS, 3)
    share = 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, 60))[:, None, None]
    truth = ends[0] + 0.3 * share * (ends[1] - ends[0]) + np.linspace(0, 2, 60)[:, None, None] * [1.0, 0.0, 0.0]
    y = truth + 0.1 * rng.standard_normal(truth.shape)
    error = {
        q: rms(
            sample_prox(
                body, UnknownPelvis(0.1, q), y, LEVELS, np.random.default_rng(2), denoiser_error=own_error(body, 1.5)
            ).positions_world
            - truth
        )
        for q in (None, 0.01)
    }
    assert error[0.01] < 0.6 * error[None]


class Gaussian:
    """Coordinates of deviation 1 about 3, each pair of joints correlated by 0.9, as a denoiser: linear in x."""

    covariance = 0.1 * np.eye(2) + 0.9

    def denoise(self, x, sigma):
        gain = self.covariance @ np.linalg.inv(self.covariance + sigma**2 * np.eye(2))
        return 3.0 + gain @ (x - 3.0)


def test_settled_answers_of_a_gaussian_are_its_mean_whatever_the_noise_was():
    """Opposite noise cancels where the denoiser is linear. The hidden joint's mean is 3 + 0.9 (4 - 3), of which a
    hundred steps leave out 4 %."""
    y, operator = np.array([[[4.0] * 3, [np.nan] * 3]]), JointMask(np.array([[True, False]]), 1e-3)
    settled, drawn = (
        [
            sample_prox(
                Gaussian(), operator, y, LEVELS, np.random.default_rng(seed), settle_below=below, randomised=True,
                denoiser_error=lambda sigma: sigma / np.hypot(1.0, sigma),
            ).pose[0, 1]
            for seed in range(3)
        ]
        for below in (np.inf, 0.0)
    )  # fmt: skip
    assert np.ptp(settled, axis=0).max() < 1e-9
    assert settled[0] == pytest.approx(3.9, abs=0.05)
    assert np.ptp(drawn, axis=0).min() > 0.02


# Conduct: what both owe the caller.


def settings_of(name):
    return (SAMPLERS[name], {"dps": ddpm_schedule(20), "prox": karras_schedule(10, 5.0, 0.01)}[name])


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("frames", [1, 2])
def test_the_same_seed_gives_the_same_poses(name, frames, body):
    sampler, schedule = settings_of(name)
    y = body.draw(frames, np.random.default_rng(1))
    operator = UnknownPelvis(0.05, 0.1)
    one, same, other = (sampler(body, operator, y, schedule, np.random.default_rng(s)) for s in (3, 3, 4))
    np.testing.assert_array_equal(one.positions_world, same.positions_world)
    assert np.abs(one.pose - other.pose).max() > 1e-6
    assert one.pose.dtype == np.float64 and np.isfinite(one.positions_world).all()
    assert one.pose.shape == y.shape and one.pelvis.shape == (frames, 3) and one.weight.shape == (frames, JOINTS)


@pytest.mark.parametrize("name", SAMPLERS)
def test_inputs_are_left_alone(name, body, rng):
    sampler, schedule = settings_of(name)
    y, start = body.draw(3, rng), body.draw(3, rng)
    before = y.copy(), start.copy()
    sampler(body, Identity(0.1), y, schedule, rng, start=start)
    np.testing.assert_array_equal((y, start), before)


@pytest.mark.parametrize("name", SAMPLERS)
def test_progress_is_reported_and_a_raise_stops(name, body, rng):
    sampler, schedule = settings_of(name)
    steps = []
    sampler(body, Identity(0.1), body.draw(1, rng), schedule, rng, on_step=lambda *s: steps.append(s))
    total = len(schedule.sigmas)
    assert steps == [(n, total) for n in range(1, total + 1)]

    def stop(step, total):
        if step == 2:
            raise CancelledError("Stopped.")
        seen.append(step)

    seen = []
    with pytest.raises(CancelledError):
        sampler(body, Identity(0.1), body.draw(1, rng), schedule, rng, on_step=stop)
    assert seen == [1]


@pytest.mark.parametrize("name", SAMPLERS)
def test_what_is_measured_must_be_numbers(name, body, rng):
    sampler, schedule = settings_of(name)
    y = body.draw(2, rng)
    y[1, 3, 0] = np.nan
    with pytest.raises(PadsError, match="frame 2 of the take, joint 4"):
        sampler(body, Identity(0.1), y, schedule, rng)


@pytest.mark.parametrize("name", SAMPLERS)
def test_nothing_seen_still_gives_poses(name, body, rng):
    sampler, schedule = settings_of(name)
    fit = sampler(
        body, UnknownPelvis(np.full((4, JOINTS), np.inf), 0.1), np.full((4, JOINTS, 3), np.nan), schedule, rng
    )
    assert np.isfinite(fit.positions_world).all()
    assert 0.3 < rms(fit.pose[:, 1:]) < 2.0


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_float32_prior_is_good_enough(name, body, rng):
    class Single:
        def denoise(self, x, sigma):
            return body.denoise(x, sigma).astype(np.float32)

        def vjp(self, x, sigma, cotangent):
            return tuple(a.astype(np.float32) for a in body.vjp(x, sigma, cotangent))

    sampler, schedule = settings_of(name)
    y = body.draw(4, rng)
    single, double = (sampler(p, Identity(0.1), y, schedule, np.random.default_rng(1)) for p in (Single(), body))
    assert single.pose.dtype == np.float64
    np.testing.assert_allclose(single.pose, double.pose, atol=1e-4)


def test_truncated_prox_starts_at_the_given_poses(mixture, error):
    """From y itself, five low levels do what takes twenty-five from noise; the start must matter."""
    truth, sigma, y = problem(mixture, "denoise")
    run = partial(sample_prox, mixture, operator_of(sigma), y, denoiser_error=error)
    short = karras_schedule(5, sigma_max=0.3, sigma_min=0.02)
    from_y = rms(run(short, np.random.default_rng(2), start=y).pose - truth)
    from_noise = rms(run(short, np.random.default_rng(2)).pose - truth)
    long = rms(run(karras_schedule(25, 10.0, 0.01), np.random.default_rng(2)).pose - truth)
    assert from_y < 1.1 * long < from_noise


def test_dps_starts_at_p_init(body, rng):
    """x_N = P_init with no noise on top: at one tiny noise level, what comes out is what went in."""
    start = body.draw(3, rng)
    hidden = JointMask(np.zeros((3, JOINTS), bool), 1.0)
    fit = sample_dps(body, hidden, start * np.nan, karras_schedule(1, 1e-4, 1e-4), rng, start=start)
    np.testing.assert_allclose(fit.pose, start, atol=1e-4)


def test_a_dps_step_is_ddpms_posterior_of_the_coarse_levels(rng):
    """Line 7 against q(x_1 | x_2, x_0), obtained by conditioning the two jointly Gaussian variables."""
    target, asked = 0.7, []

    class Constant:
        def denoise(self, x, sigma):
            asked.append(x)
            return np.full_like(x, target)

        def vjp(self, x, sigma, cotangent):
            return np.full_like(x, target), np.zeros_like(x)

    schedule = NoiseSchedule((2.0, 0.8), unit=1.5)
    start = np.full((40_000, 1, 3), 1.3)
    sample_dps(Constant(), JointMask(np.zeros((1, 1), bool), 1.0), start, schedule, rng, start=start)
    _, abar_1, abar_2 = schedule.alpha_bar
    x_1 = asked[1] * np.sqrt(abar_1)
    joint = 1.5**2 * np.array([[1 - abar_1, 0.0], [0.0, 1 - abar_2]])
    joint[0, 1] = joint[1, 0] = np.sqrt(abar_2 / abar_1) * joint[0, 0]
    mean = np.sqrt(abar_1) * target + joint[0, 1] / joint[1, 1] * (1.3 - np.sqrt(abar_2) * target)
    assert x_1.mean() == pytest.approx(mean, abs=0.01)  # 120,000 draws: 0.003 standard error
    assert x_1.var() == pytest.approx(joint[0, 0] - joint[0, 1] ** 2 / joint[1, 1], rel=0.02)
