import numpy as np
import pytest
from scipy.optimize import minimize

from pads_blender.diffusion.measurement import (
    ANCHOR_SIGMA,
    Identity,
    JointMask,
    UnknownPelvis,
)
from pads_blender.errors import PadsError

FRAMES, JOINTS = 6, 5


def noise_map(rng, hidden=True):
    """sigma (F, J) with a hidden joint here and there, a frame with one joint left and a frame with none."""
    sigma = rng.uniform(0.02, 0.1, (FRAMES, JOINTS))
    if hidden:
        sigma[1, 2] = sigma[2, 0] = sigma[5] = np.inf
        sigma[3, 1:] = np.inf
    return sigma


def make_identity(rng, nu=None):
    return Identity(noise_map(rng, hidden=False), nu)


def make_mask(rng, nu=None):
    return JointMask(rng.random((FRAMES, JOINTS)) < 0.6, noise_map(rng, hidden=False), nu)


def make_pelvis(rng, nu=None):
    return UnknownPelvis(noise_map(rng), None, nu)


def make_coupled(rng, nu=None):
    curvature_sigma = rng.uniform(0.01, 0.05, (FRAMES, JOINTS))
    curvature_sigma[2, 1] = np.inf
    return UnknownPelvis(noise_map(rng), curvature_sigma, nu)


EVERY = [make_identity, make_mask, make_pelvis, make_coupled]
TAKES = [make_pelvis, make_coupled]


def poses(rng, frames=FRAMES):
    x = rng.standard_normal((frames, JOINTS, 3))
    x[:, 0] = 0.0
    return x


def measured(rng, x, pelvis=None):
    return x + (0.0 if pelvis is None else pelvis[:, None]) + 0.05 * rng.standard_normal(x.shape)


def rows_of(operator, z, x_hat, y, variance, weight):
    """All residuals, each over its standard deviation, of unknown poses and pelvis: the fit minimises their squares.

    Written from the model, not from the code: z (F, J + 1, 3) holds the poses and, last, the pelvis.
    """
    pose, pelvis = z[:, :JOINTS].copy(), np.zeros((len(z), 3))
    free = np.ones(JOINTS, bool)
    rows = []
    if isinstance(operator, UnknownPelvis):
        pelvis = z[:, JOINTS]
        pose[:, 0] = 0.0
        free[0] = False
    world = pose + pelvis[:, None]
    precision = weight / np.broadcast_to(operator.noise_variance, weight.shape)
    rows.append(np.where(precision[..., None] > 0, np.sqrt(precision)[..., None] * np.nan_to_num(y - world), 0.0))
    rows.append(((pose - x_hat) / np.sqrt(variance)[..., None])[:, free])
    if isinstance(operator, UnknownPelvis) and operator.curvature_sigma is not None:
        for f in range(1, len(z) - 1):
            bend = world[f - 1] - 2 * world[f] + world[f + 1]
            rows.append(bend / np.broadcast_to(operator.curvature_sigma, weight.shape)[f][:, None])
    return np.concatenate([row.ravel() for row in rows])


def design(operator, x_hat, y, variance, weight):
    """The residuals are affine in z: (matrix, offset) by putting in one unit vector after the other."""
    size = (len(x_hat), JOINTS + 1, 3)
    offset = rows_of(operator, np.zeros(size), x_hat, y, variance, weight)
    columns = [
        rows_of(operator, unit.reshape(size), x_hat, y, variance, weight) - offset for unit in np.eye(np.prod(size))
    ]
    return np.stack(columns, axis=1), offset


def seen_frames(operator):
    """Frames whose pelvis the measurement determines; all of them when the frames are coupled."""
    seen = np.isfinite(np.broadcast_to(operator.noise_variance, (FRAMES, JOINTS))).any(axis=1)
    coupled = getattr(operator, "curvature_sigma", None) is not None
    return np.ones(FRAMES, bool) if coupled else seen


@pytest.mark.parametrize("make", EVERY)
def test_vjp_is_the_derivative(make, rng):
    operator, x, step, cotangent = make(rng), poses(rng), poses(rng), poses(rng)
    by_difference = (operator(x + 1e-4 * step) - operator(x - 1e-4 * step)) / 2e-4
    assert np.sum(by_difference * cotangent) == pytest.approx(np.sum(step * operator.vjp(x, cotangent)), rel=1e-8)


@pytest.mark.parametrize("make", EVERY)
def test_residual_vanishes_at_what_was_measured(make, rng):
    operator, x = make(rng), poses(rng)
    np.testing.assert_allclose(operator.residual(x, operator(x)), 0.0, atol=1e-12)
    other = poses(rng)
    np.testing.assert_allclose(operator.residual(x, operator(other)), operator(other) - operator(x), atol=1e-12)


@pytest.mark.parametrize("make", TAKES)
def test_pelvis_drops_out_of_the_residual(make, rng):
    operator, x, y = make(rng), poses(rng), poses(rng)
    moved = y + 10.0 * rng.standard_normal((FRAMES, 1, 3))
    np.testing.assert_allclose(operator.residual(x, moved), operator.residual(x, y), atol=1e-12)


@pytest.mark.parametrize("nu", [None, 4.0])
@pytest.mark.parametrize("make", EVERY)
def test_proximal_is_the_least_squares_solution(make, nu, rng):
    operator, x_hat = make(rng, nu), poses(rng)
    pelvis = 3.0 * rng.standard_normal((FRAMES, 3)) if make in TAKES else None
    y, variance = measured(rng, x_hat + 0.1 * poses(rng), pelvis), rng.uniform(0.02, 0.3, (FRAMES, JOINTS)) ** 2
    fit = operator.proximal(x_hat, y, variance)
    matrix, offset = design(operator, x_hat, y, variance, fit.weight)
    best = np.linalg.lstsq(matrix, -offset, rcond=1e-12)[0].reshape(FRAMES, JOINTS + 1, 3)
    # 1e-4 m: the weak anchor of the pelvis (100 m) is in the code and not in the model
    np.testing.assert_allclose(fit.pose, best[:, :JOINTS] * (fit.pose != 0), atol=1e-5)
    seen = seen_frames(operator)
    np.testing.assert_allclose(fit.pelvis[seen], best[seen, JOINTS], atol=1e-4)


@pytest.mark.parametrize("make", EVERY)
def test_proximal_is_the_minimum_that_a_descent_finds(make, rng):
    operator, x_hat = make(rng), poses(rng)
    y, variance = measured(rng, x_hat + 0.1 * poses(rng)), np.full((FRAMES, JOINTS), 0.04)
    fit = operator.proximal(x_hat, y, variance)

    def energy(z):
        return np.sum(rows_of(operator, z.reshape(FRAMES, JOINTS + 1, 3), x_hat, y, variance, fit.weight) ** 2)

    ours = np.concatenate([fit.pose, fit.pelvis[:, None]], axis=1).ravel()
    found = minimize(energy, 0.9 * ours, method="L-BFGS-B", options={"maxfun": 400_000, "maxiter": 5000})
    assert energy(ours) <= found.fun * (1 + 1e-6) + 1e-9


@pytest.mark.parametrize("make", EVERY)
def test_randomised_proximal_draws_from_the_posterior(make, rng):
    """Whitened with the exact posterior, the draws must have mean 0 and variance 1."""
    operator, x_hat = make(rng), poses(rng)
    y, variance = measured(rng, x_hat), np.full((FRAMES, JOINTS), 0.04)
    matrix, _ = design(operator, x_hat, y, variance, operator.proximal(x_hat, y, variance).weight)
    anchor = np.zeros((FRAMES, JOINTS + 1, 3))
    anchor[:, JOINTS] = ANCHOR_SIGMA**-2.0
    covariance = np.linalg.pinv(matrix.T @ matrix + np.diag(anchor.ravel()), rcond=1e-13)
    mode = operator.proximal(x_hat, y, variance).pose
    draws = np.stack([operator.proximal(x_hat, y, variance, rng).pose - mode for _ in range(400)])
    pose_block = np.ix_(*[np.arange(FRAMES * (JOINTS + 1) * 3).reshape(FRAMES, -1, 3)[:, 1:JOINTS].ravel()] * 2)
    whitened = np.linalg.solve(np.linalg.cholesky(covariance[pose_block]), draws[:, :, 1:].reshape(400, -1).T)
    assert np.abs(whitened.mean(axis=1)).max() < 4.5 / np.sqrt(400)  # 72 means, each N(0, 1/400)
    assert np.mean(whitened**2) == pytest.approx(1.0, abs=0.04)  # 28,800 squares: 0.0083 standard error


@pytest.mark.parametrize("make", TAKES)
def test_randomised_pelvis_spreads_as_the_posterior_says(make, rng):
    operator = make(rng)
    x_hat = poses(rng)
    y, variance = measured(rng, x_hat), np.full((FRAMES, JOINTS), 0.04)
    matrix, _ = design(operator, x_hat, y, variance, operator.proximal(x_hat, y, variance).weight)
    anchor = np.zeros((FRAMES, JOINTS + 1, 3))
    anchor[:, JOINTS] = ANCHOR_SIGMA**-2.0
    covariance = np.linalg.pinv(matrix.T @ matrix + np.diag(anchor.ravel()), rcond=1e-13)
    expected = np.sqrt(np.diag(covariance).reshape(FRAMES, JOINTS + 1, 3)[:5, JOINTS])  # frame 5: nothing seen
    draws = np.stack([operator.proximal(x_hat, y, variance, rng).pelvis[:5] for _ in range(400)])
    np.testing.assert_allclose(draws.std(axis=0), expected, rtol=0.15)  # 400 draws: 3.5 % standard error


@pytest.mark.parametrize("make", EVERY)
def test_no_prior_variance_keeps_the_pose(make, rng):
    operator, x_hat = make(rng), poses(rng)
    pelvis = np.linspace(0, 3, 3 * FRAMES).reshape(FRAMES, 3)  # a straight line: no curvature to trade against
    fit = operator.proximal(x_hat, x_hat + pelvis[:, None] if make in TAKES else x_hat, 0.0)
    np.testing.assert_allclose(fit.pose, x_hat, atol=1e-12)
    if make is make_pelvis:
        np.testing.assert_allclose(fit.pelvis[:5], pelvis[:5], atol=1e-9)


def test_rigid_coupled_pelvis_is_the_least_squares_solution(rng):
    """Poses kept (no prior variance), pelvis smoothed along time: the scalar pentadiagonal system."""
    operator, x_hat = make_coupled(rng), poses(rng)
    y = measured(rng, x_hat, 0.1 * rng.standard_normal((FRAMES, 3)))
    fit = operator.proximal(x_hat, y, 0.0)
    matrix, offset = design(operator, x_hat, y, np.ones((FRAMES, JOINTS)), fit.weight)
    index = np.arange(FRAMES * (JOINTS + 1) * 3).reshape(FRAMES, JOINTS + 1, 3)
    given = offset + matrix[:, index[:, :JOINTS].ravel()] @ x_hat.ravel()
    best = np.linalg.lstsq(matrix[:, index[:, JOINTS].ravel()], -given, rcond=None)[0]
    np.testing.assert_allclose(fit.pelvis, best.reshape(FRAMES, 3), atol=1e-4)


def test_pelvis_noise_does_not_become_posture(rng):
    """One bad pelvis key moves the solved pelvis by its share of the evidence only, and the pose not at all alike."""
    x = poses(rng, 1)
    y = x.copy()
    y[0, 0] += 0.1
    fit = UnknownPelvis(0.02).proximal(x, y, 0.01**2)
    assert np.abs(fit.pelvis).max() < 0.03
    assert np.abs(fit.pose - x).max() < 0.01


@pytest.mark.parametrize("make", EVERY)
@pytest.mark.parametrize("rng_seed", [None, 3])
def test_hidden_joints_may_hold_anything(make, rng_seed, rng):
    operator, x_hat, y = make(rng, 4.0), poses(rng), poses(rng)
    visible = np.isfinite(np.broadcast_to(operator.noise_variance, (FRAMES, JOINTS)))
    fits = []
    for value in (0.0, 1e9, np.nan, np.inf):
        spoilt = np.where(visible[..., None], y, value)
        draw = None if rng_seed is None else np.random.default_rng(rng_seed)
        fits.append(operator.proximal(x_hat, spoilt, 0.01, draw))
        assert np.isfinite(operator.residual(x_hat, spoilt)).all()
    for fit in fits:
        for array in (fit.pose, fit.pelvis, fit.weight, fit.positions_world):
            assert np.isfinite(array).all()
        np.testing.assert_array_equal(fit.pose, fits[0].pose)
        assert np.all(fit.weight[~visible] == 0.0)


@pytest.mark.parametrize("nu", [None, 4.0])
@pytest.mark.parametrize("curvature_sigma", [None, 0.01, np.inf])
def test_nothing_seen_at_all_leaves_the_prior(curvature_sigma, nu, rng):
    x_hat = poses(rng)
    fit = UnknownPelvis(np.full((FRAMES, JOINTS), np.inf), curvature_sigma, nu).proximal(x_hat, x_hat * np.nan, 0.01)
    assert np.isfinite(fit.positions_world).all()
    if curvature_sigma != 0.01:
        np.testing.assert_allclose(fit.pose, x_hat)
        np.testing.assert_allclose(fit.pelvis, 0.0, atol=1e-9)


def test_pelvis_of_unseen_frames_lies_between_its_neighbours(rng):
    x = poses(rng)
    sigma = np.full((FRAMES, JOINTS), 0.02)
    sigma[2:4] = np.inf
    pelvis = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 0, 0], [4, 0, 0], [5, 0, 0]], dtype=float)
    for curvature_sigma in (None, 0.01):
        fit = UnknownPelvis(sigma, curvature_sigma).proximal(
            np.tile(x[:1], (FRAMES, 1, 1)), x[0] + pelvis[:, None], 1e-4
        )
        np.testing.assert_allclose(fit.pelvis, pelvis, atol=1e-6)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_short_takes(frames, rng):
    x_hat = poses(rng, frames)
    coupled = UnknownPelvis(0.05, 0.001).proximal(x_hat, x_hat + 1.0, 0.01)
    alone = UnknownPelvis(0.05, None).proximal(x_hat, x_hat + 1.0, 0.01)
    assert np.isfinite(coupled.positions_world).all()
    if frames < 3:
        np.testing.assert_allclose(coupled.positions_world, alone.positions_world, atol=1e-6)


def test_infinite_curvature_is_no_coupling(rng):
    x_hat = poses(rng)
    y = measured(rng, x_hat, rng.standard_normal((FRAMES, 3)))
    apart = UnknownPelvis(0.05).proximal(x_hat, y, 0.01)
    coupled = UnknownPelvis(0.05, np.inf).proximal(x_hat, y, 0.01)
    np.testing.assert_allclose(coupled.positions_world, apart.positions_world, atol=1e-6)


def test_coupling_takes_jitter_out(rng):
    """A still body with noise of its own in each frame: coupling divides the error by several times."""
    still = np.tile(poses(rng, 1), (60, 1, 1))
    y = still + 0.05 * rng.standard_normal(still.shape)
    noisy_prior = still + 0.05 * rng.standard_normal(still.shape) * (np.arange(JOINTS) > 0)[:, None]
    apart = UnknownPelvis(0.05).proximal(noisy_prior, y, 0.05**2).positions_world - still
    coupled = UnknownPelvis(0.05, 0.001).proximal(noisy_prior, y, 0.05**2).positions_world - still
    assert np.sqrt(np.mean(coupled**2)) < 0.4 * np.sqrt(np.mean(apart**2))


@pytest.mark.parametrize("make", EVERY)
def test_weights_are_student_ts(make, rng):
    operator, x_hat = make(rng, 4.0), poses(rng)
    y, variance = measured(rng, x_hat), np.full((FRAMES, JOINTS), 0.01)
    weight = operator.proximal(x_hat, y, variance).weight
    assert weight.min() >= 0.0 and weight.max() <= (4 + 3) / 4
    if make not in TAKES:
        scale2 = operator.noise_variance + variance
        expected = (4 + 3) / (4 + np.sum((y - x_hat) ** 2, axis=-1) / scale2)
        visible = np.isfinite(scale2)
        np.testing.assert_allclose(weight[visible], expected[visible])


@pytest.mark.parametrize("make", EVERY)
def test_an_outlier_is_told_by_its_weight_and_hardly_followed(make, rng):
    x = poses(rng)
    sigma = np.full((FRAMES, JOINTS), 0.02)
    operator = {
        make_identity: Identity(sigma, 4.0),
        make_mask: JointMask(np.ones((FRAMES, JOINTS), bool), sigma, 4.0),
        make_pelvis: UnknownPelvis(sigma, None, 4.0),
        make_coupled: UnknownPelvis(sigma, 0.5, 4.0),
    }[make]
    y = x + 0.02 * rng.standard_normal(x.shape)
    y[2, 3] += [0.5, 0.5, 0.0]
    y[4, 1] += [0.0, 0.0, 0.8]
    fit = operator.proximal(x, y, 0.02**2)
    bad = np.zeros((FRAMES, JOINTS), bool)
    bad[2, 3] = bad[4, 1] = True
    assert fit.weight[bad].max() < 0.05 < 0.3 < fit.weight[~bad].min()
    assert np.linalg.norm(fit.positions_world - x, axis=-1)[bad].max() < 0.05


def test_outliers_do_not_drag_the_pelvis(rng):
    x = rng.standard_normal((40, 8, 3))
    x[:, 0] = 0.0
    y = x + 0.02 * rng.standard_normal(x.shape)
    y[:, 2:5] += [20.0, 0.0, 0.0]  # three of eight joints are far off, all the same way
    robust = UnknownPelvis(0.02, None, 4.0).proximal(x, y, 0.02**2)
    plain = UnknownPelvis(0.02).proximal(x, y, 0.02**2)
    assert np.abs(plain.pelvis[:, 0]).min() > 5.0
    assert np.abs(robust.pelvis).max() < 0.08


@pytest.mark.parametrize("make", EVERY)
def test_inputs_are_left_alone(make, rng):
    operator, x_hat, y, variance = make(rng, 4.0), poses(rng), poses(rng), np.full((FRAMES, JOINTS), 0.01)
    arrays = [x_hat, y, variance, *(v for v in vars(operator).values() if isinstance(v, np.ndarray))]
    before = [a.copy() for a in arrays]
    operator.proximal(x_hat, y, variance, rng)
    operator.residual(x_hat, y)
    operator.vjp(x_hat, y)
    for now, then in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize("method", ["proximal", "residual"])
@pytest.mark.parametrize("make", EVERY)
def test_what_is_measured_must_be_numbers(make, method, rng):
    operator, x_hat, y = make(rng), poses(rng), poses(rng)
    visible = np.argwhere(np.isfinite(np.broadcast_to(operator.noise_variance, (FRAMES, JOINTS))))
    frame, joint = visible[len(visible) // 2]
    y[frame, joint, 1] = np.nan
    more = (0.01,) if method == "proximal" else ()
    with pytest.raises(PadsError, match=rf"frame {frame + 1} of the take, joint {joint + 1}; 1 in all\): repair"):
        getattr(operator, method)(x_hat, y, *more)


def test_noise_of_zero_is_refused():
    with pytest.raises(ValueError, match="above zero"):
        Identity(0.0).proximal(np.zeros((1, 2, 3)), np.zeros((1, 2, 3)), 1.0)
