"""Least squares along time: second differences make a pentadiagonal system, solved in one pass forth and one back.

Arrays and nothing else; knows nothing of joints or measurements. Cost and memory grow linearly with the frames.
"""

import numpy as np


def second_difference(values: np.ndarray) -> np.ndarray:
    """D v: v[f] - 2 v[f+1] + v[f+2], (F, ...) -> (F - 2, ...), with no row when there are fewer than three frames."""
    return values[:-2] - 2.0 * values[1:-1] + values[2:]


def second_difference_transpose(rows: np.ndarray, frames: int) -> np.ndarray:
    """D^T r: (F - 2, ...) -> (F, ...)."""
    out = np.zeros((frames, *rows.shape[1:]))
    if frames > 2:
        out[:-2] += rows
        out[1:-1] -= 2.0 * rows
        out[2:] += rows
    return out


def pentadiagonal_bands(curvature: np.ndarray, frames: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bands of D^T diag(curvature) D, (F - 2, C) -> main (F, C), first (F - 1, C), second (F - 2, C) off-diagonal."""
    main = np.zeros((frames, curvature.shape[1]))
    first = np.zeros((max(frames - 1, 0), curvature.shape[1]))
    if frames > 2:
        main[:-2] += curvature
        main[1:-1] += 4.0 * curvature
        main[2:] += curvature
        first[:-1] -= 2.0 * curvature
        first[1:] -= 2.0 * curvature
    return main, first, curvature


def solve_pentadiagonal(precision: np.ndarray, curvature: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    """Solve (diag(precision) + D^T diag(curvature) D) X = rhs for each column by itself.

    precision (F, C) >= 0, curvature (F - 2, C) >= 0, rhs (F, C, K) -> X (F, C, K). LDL^T, all columns at once.
    """
    frames = len(precision)
    main, first, second = pentadiagonal_bands(curvature, frames)
    pivot, below, below2 = precision + main, np.zeros_like(precision), np.zeros_like(precision)
    x = np.array(rhs, dtype=float)
    for f in range(frames):
        if f + 1 < frames:
            edge = first[f] - (below2[f - 1] * below[f - 1] * pivot[f - 1] if f else 0.0)
            below[f] = edge / pivot[f]
            pivot[f + 1] -= below[f] * edge
            x[f + 1] -= below[f][:, None] * x[f]
        if f + 2 < frames:
            below2[f] = second[f] / pivot[f]
            pivot[f + 2] -= below2[f] * second[f]
            x[f + 2] -= below2[f][:, None] * x[f]
    x /= pivot[:, :, None]
    for f in range(frames - 2, -1, -1):
        x[f] -= below[f][:, None] * x[f + 1]
        if f + 2 < frames:
            x[f] -= below2[f][:, None] * x[f + 2]
    return x


def solve_sprung_pentadiagonal(
    precision: np.ndarray, spring: np.ndarray, curvature: np.ndarray, rhs: np.ndarray
) -> np.ndarray:
    """As solve_pentadiagonal, with every column tied to column 0 of its frame by a spring: minimise over X

    sum precision X^2 + sum_{c > 0} spring_c (X_c - X_0)^2 + sum curvature (D X)^2 - 2 rhs X.

    precision (F, C), spring (F, C) with column 0 ignored, curvature (F - 2, C), rhs (F, C, K) -> X (F, C, K).
    The blocks along time are C x C (exact block LDL^T), the ones off the diagonal plain diagonals before fill-in.
    """
    frames, columns = precision.shape
    main, first, second = pentadiagonal_bands(curvature, frames)
    blocks = _spring_blocks(precision + main, spring)
    below = np.empty((frames, columns, columns))
    x = np.array(rhs, dtype=float)
    edge = fill = np.zeros((columns, columns))
    for f in range(frames):
        inverse = np.linalg.inv(blocks[f])
        blocks[f] = 0.5 * (inverse + inverse.T)  # rounding breaks the symmetry, and that error grows with each frame
        if f + 1 < frames:
            edge = np.diag(first[f]) - fill
            below[f] = edge @ blocks[f]
            blocks[f + 1] -= below[f] @ edge.T
            x[f + 1] -= below[f] @ x[f]
        if f + 2 < frames:
            fill = second[f][:, None] * below[f].T
            blocks[f + 2] -= second[f][:, None] * blocks[f] * second[f]
            x[f + 2] -= second[f][:, None] * (blocks[f] @ x[f])
    x = blocks @ x
    for f in range(frames - 2, -1, -1):
        x[f] -= below[f].T @ x[f + 1]
        if f + 2 < frames:
            x[f] -= blocks[f] @ (second[f][:, None] * x[f + 2])
    return x


def _spring_blocks(diagonal: np.ndarray, spring: np.ndarray) -> np.ndarray:
    """The C x C block of each frame, (F, C, C): the diagonal and the springs to column 0."""
    frames, columns = diagonal.shape
    tied = np.array(spring, dtype=float)
    tied[:, 0] = 0.0
    blocks = np.zeros((frames, columns, columns))
    every = np.arange(columns)
    blocks[:, every, every] = diagonal + tied
    blocks[:, 0, 0] += tied.sum(axis=1)
    blocks[:, 0, 1:] -= tied[:, 1:]
    blocks[:, 1:, 0] -= tied[:, 1:]
    return blocks
