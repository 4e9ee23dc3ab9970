import time

import numpy as np
import pytest
from scipy.linalg import solveh_banded

from pads_blender.diffusion.banded import (
    second_difference,
    second_difference_transpose,
    solve_pentadiagonal,
    solve_sprung_pentadiagonal,
)


def difference_matrix(frames):
    rows = max(frames - 2, 0)
    return np.eye(rows, frames) - 2 * np.eye(rows, frames, 1) + np.eye(rows, frames, 2)


def random_system(frames, columns, rng):
    precision = rng.uniform(0.5, 2.0, (frames, columns))
    curvature = rng.uniform(0.5, 50.0, (max(frames - 2, 0), columns))
    return precision, curvature, rng.standard_normal((frames, columns, 3))


@pytest.mark.parametrize("frames", [1, 2, 3, 7])
def test_second_difference_and_its_transpose(frames, rng):
    values, rows = rng.standard_normal((frames, 4)), rng.standard_normal((max(frames - 2, 0), 4))
    np.testing.assert_allclose(second_difference(values), difference_matrix(frames) @ values, atol=1e-12)
    np.testing.assert_allclose(
        second_difference_transpose(rows, frames), difference_matrix(frames).T @ rows, atol=1e-12
    )


@pytest.mark.parametrize("frames", [3, 4, 5, 200])
def test_pentadiagonal_is_scipys(frames, rng):
    precision, curvature, rhs = random_system(frames, 4, rng)
    precision[1 : frames - 1, 0] = 0.0  # a gap: only the coupling holds these
    solved = solve_pentadiagonal(precision, curvature, rhs)
    for c in range(4):
        full = np.diag(precision[:, c]) + (difference_matrix(frames).T * curvature[:, c]) @ difference_matrix(frames)
        bands = np.array([np.append(np.diagonal(full, -k), np.zeros(k)) for k in range(3)])
        np.testing.assert_allclose(solved[:, c], solveh_banded(bands, rhs[:, c], lower=True), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("frames", [1, 2])
def test_pentadiagonal_without_any_second_difference(frames, rng):
    precision, curvature, rhs = random_system(frames, 4, rng)
    np.testing.assert_allclose(solve_pentadiagonal(precision, curvature, rhs), rhs / precision[:, :, None])


@pytest.mark.parametrize("frames", [1, 2, 3, 4, 30])
def test_sprung_is_the_dense_solution(frames, rng):
    columns = 5
    precision, curvature, rhs = random_system(frames, columns, rng)
    spring = rng.uniform(1.0, 1e4, (frames, columns))
    full = np.zeros((frames, columns, frames, columns))
    difference = difference_matrix(frames)
    for c in range(columns):
        full[:, c, :, c] += np.diag(precision[:, c]) + (difference.T * curvature[:, c]) @ difference
    for c in range(1, columns):
        tie = np.diag(spring[:, c])
        full[:, c, :, c] += tie
        full[:, 0, :, 0] += tie
        full[:, c, :, 0] -= tie
        full[:, 0, :, c] -= tie
    size = frames * columns
    expected = np.linalg.solve(full.reshape(size, size), rhs.reshape(size, 3)).reshape(rhs.shape)
    np.testing.assert_allclose(
        solve_sprung_pentadiagonal(precision, spring, curvature, rhs), expected, rtol=1e-8, atol=1e-9
    )


@pytest.mark.parametrize("spring", [1e-2, 1.0, 1e2, 1e8])
def test_sprung_stays_exact_over_a_long_take(spring, rng):
    """Without symmetric inverses the weak springs blew up after some 300 frames."""
    precision, curvature, rhs = random_system(2000, 22, rng)
    x = solve_sprung_pentadiagonal(precision, np.full_like(precision, spring), curvature, rhs)
    bend = curvature[..., None] * second_difference(x)
    left = precision[..., None] * x + second_difference_transpose(bend, 2000) - rhs
    pulls = spring * (x[:, 1:] - x[:, :1])
    left[:, 1:] += pulls
    left[:, 0] -= pulls.sum(axis=1)
    assert np.abs(left).max() < 1e-13 * max(spring, 100.0) * 10  # rounding, relative to the largest coefficient


@pytest.mark.parametrize("solve", ["pentadiagonal", "sprung"])
def test_time_is_linear_and_short(solve, rng):
    def seconds(frames):
        precision, curvature, rhs = random_system(frames, 22, rng)
        spring = np.ones_like(precision)
        runs = []
        for _ in range(2):
            start = time.process_time()
            if solve == "sprung":
                solve_sprung_pentadiagonal(precision, spring, curvature, rhs)
            else:
                solve_pentadiagonal(precision, curvature, rhs)
            runs.append(time.process_time() - start)
        return min(runs)

    short, long = seconds(2500), seconds(10000)
    assert long < 8 * short  # four times the frames; twice that allows for a busy machine
    assert long < 2.0  # measured 0.12 s and 0.4 s


def test_inputs_are_left_alone(rng):
    precision, curvature, rhs = random_system(6, 3, rng)
    spring = np.ones_like(precision)
    before = [a.copy() for a in (precision, spring, curvature, rhs)]
    solve_pentadiagonal(precision, curvature, rhs)
    solve_sprung_pentadiagonal(precision, spring, curvature, rhs)
    for now, then in zip((precision, spring, curvature, rhs), before, strict=True):
        np.testing.assert_array_equal(now, then)
