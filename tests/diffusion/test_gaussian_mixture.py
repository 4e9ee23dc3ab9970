import numpy as np
import pytest

from pads_blender.training.gaussian_mixture import GaussianMixture


@pytest.fixture
def mixture(rng):
    return GaussianMixture.random(rng, joints=4, components=3, rank=4, floor=0.05)


@pytest.mark.parametrize("sigma", [0.05, 0.5, 5.0])
def test_denoising_is_the_posterior_mean_of_identity(mixture, sigma, rng):
    x = mixture.draw(20, rng) + sigma * rng.standard_normal((20, 4, 3))
    mean, _ = mixture.posterior(x, np.full((20, 4), sigma**2))
    np.testing.assert_allclose(mixture.denoise(x, sigma), mean, atol=1e-8)


def test_posterior_is_what_weighted_draws_say(rng):
    """Importance sampling: no formula in common with the class."""
    mixture = GaussianMixture.random(rng, joints=2, components=3, rank=2, floor=0.3)
    draws = mixture.draw(400_000, rng)
    y, variance = mixture.draw(1, rng), np.array([[0.3**2, np.inf]])
    weight = np.exp(-0.5 * np.sum((draws[:, 0] - y[:, 0]) ** 2, axis=1) / variance[0, 0])
    weight /= weight.sum()
    mean = np.einsum("n,njc->jc", weight, draws)
    spread = np.sqrt(np.einsum("n,njc->jc", weight, (draws - mean) ** 2))
    exact_mean, exact_spread = mixture.posterior(y, variance)
    np.testing.assert_allclose(exact_mean[0], mean, atol=0.03)
    np.testing.assert_allclose(exact_spread[0], spread, atol=0.03)


@pytest.mark.parametrize("sigma", [0.05, 0.5, 5.0])
def test_vjp_is_the_derivative(mixture, sigma, rng):
    x = mixture.draw(5, rng) + sigma * rng.standard_normal((5, 4, 3))
    step, cotangent = rng.standard_normal((2, 5, 4, 3))
    by_difference = (mixture.denoise(x + 1e-5 * step, sigma) - mixture.denoise(x - 1e-5 * step, sigma)) / 2e-5
    denoised, pulled = mixture.vjp(x, sigma, cotangent)
    np.testing.assert_allclose(np.sum(pulled * step), np.sum(by_difference * cotangent), rtol=1e-5)
    np.testing.assert_allclose(denoised, mixture.denoise(x, sigma))


def test_draws_have_unit_size_and_a_still_pelvis(rng):
    mixture = GaussianMixture.random(rng, joints=12, components=40, rank=8, has_pelvis=True)
    draws = mixture.draw(4000, rng)
    assert np.all(draws[:, 0] == 0.0)
    assert np.sqrt(np.mean(draws[:, 1:] ** 2)) == pytest.approx(1.0, abs=0.1)
