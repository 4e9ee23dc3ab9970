import numpy as np
import pytest

from pads_blender.diffusion.schedule import NoiseSchedule, ddpm_schedule, karras_schedule


def test_karras_levels_fall_from_the_highest_to_the_lowest():
    schedule = karras_schedule(10, sigma_max=5.0, sigma_min=0.01)
    assert len(schedule.sigmas) == 10
    np.testing.assert_allclose([schedule.sigmas[0], schedule.sigmas[-1]], [5.0, 0.01], rtol=1e-12)
    np.testing.assert_allclose(np.diff(np.power(schedule.sigmas, 1 / 7)), np.diff(np.power(schedule.sigmas, 1 / 7))[0])


def test_ddpm_is_hos_linear_beta():
    schedule = ddpm_schedule()
    alpha_bar = np.concatenate([[1.0], np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))])
    np.testing.assert_allclose(schedule.alpha_bar, alpha_bar, rtol=1e-10)
    assert schedule.sigma[0] == 0.0
    assert schedule.sigma[1] == pytest.approx(0.01, rel=1e-3)  # sqrt(1e-4), the first beta
    assert schedule.alpha_bar[-1] == pytest.approx(4.04e-5, rel=1e-2)


def test_unit_scales_sigma_and_leaves_alpha_bar():
    metres, unit = ddpm_schedule(unit=0.4), ddpm_schedule()
    np.testing.assert_allclose(metres.sigmas, 0.4 * np.array(unit.sigmas))
    np.testing.assert_allclose(metres.alpha_bar, unit.alpha_bar)


@pytest.mark.parametrize("steps", [1, 2, 10, 25, 100, 999, 1000])
def test_respacing_keeps_levels_of_the_full_schedule_and_its_start(steps):
    schedule, full = ddpm_schedule(steps), ddpm_schedule()
    assert len(schedule.sigmas) == steps
    assert set(schedule.sigmas) <= set(full.sigmas)
    assert schedule.sigmas[0] == full.sigmas[0]
    assert steps == 1 or schedule.sigmas[-1] == full.sigmas[-1]


def test_steps_end_without_noise():
    assert list(NoiseSchedule((3.0, 1.0)).steps()) == [(3.0, 1.0), (1.0, 0.0)]


@pytest.mark.parametrize("sigmas", [(), (1.0, 1.0), (1.0, 2.0), (1.0, 0.0), (float("nan"),)])
def test_levels_that_do_not_fall_are_refused(sigmas):
    with pytest.raises(ValueError, match="needs noise levels"):
        NoiseSchedule(sigmas)
