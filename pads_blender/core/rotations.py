"""Quaternion functions on arrays (..., 4), w first, float64, and unit vectors. Pure: inputs are never modified."""

import numpy as np

IDENTITY = np.array([1.0, 0.0, 0.0, 0.0])
_TINY = 1e-12


def normalise(q: np.ndarray) -> np.ndarray:
    """Unit quaternions (..., 4); a zero quaternion becomes the identity, one that is no number stays none."""
    length = np.linalg.norm(q, axis=-1, keepdims=True)
    return np.where(length <= _TINY, IDENTITY, q / np.maximum(length, _TINY))


def unit(v: np.ndarray) -> np.ndarray:
    """Vectors (..., 3) at length one; zero stays zero."""
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)


def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Hamilton product (..., 4): the rotation b, then a."""
    aw, ax, ay, az = np.moveaxis(np.asarray(a, float), -1, 0)
    bw, bx, by, bz = np.moveaxis(np.asarray(b, float), -1, 0)
    return np.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        axis=-1,
    )


def inverse(q: np.ndarray) -> np.ndarray:
    """Inverse of unit quaternions (..., 4)."""
    return np.asarray(q, float) * np.array([1.0, -1.0, -1.0, -1.0])


def rotate(q: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Vectors v (..., 3) turned by unit quaternions q (..., 4)."""
    w, u = np.asarray(q, float)[..., :1], np.asarray(q, float)[..., 1:]
    twice = 2.0 * np.cross(u, v)
    return v + w * twice + np.cross(u, twice)


def from_matrix(m: np.ndarray) -> np.ndarray:
    """Unit quaternions (..., 4) of rotation matrices (..., 3, 3); Shepperd's method, the largest component first."""
    m = np.asarray(m, float)
    xx, yy, zz = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    four = np.stack([1 + xx + yy + zz, 1 + xx - yy - zz, 1 - xx + yy - zz, 1 - xx - yy + zz], axis=-1)
    a, b, c = m[..., 2, 1], m[..., 1, 2], m[..., 0, 2]
    d, e, f = m[..., 2, 0], m[..., 1, 0], m[..., 0, 1]
    rows = np.stack(
        [
            np.stack([four[..., 0], a - b, c - d, e - f], axis=-1),
            np.stack([a - b, four[..., 1], e + f, c + d], axis=-1),
            np.stack([c - d, e + f, four[..., 2], a + b], axis=-1),
            np.stack([e - f, c + d, a + b, four[..., 3]], axis=-1),
        ],
        axis=-2,
    )
    best = np.argmax(four, axis=-1)
    return normalise(np.take_along_axis(rows, best[..., None, None], axis=-2)[..., 0, :])


def to_matrix(q: np.ndarray) -> np.ndarray:
    """Rotation matrices (..., 3, 3) of unit quaternions (..., 4)."""
    w, x, y, z = np.moveaxis(np.asarray(q, float), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def from_rotation_vector(v: np.ndarray) -> np.ndarray:
    """Unit quaternions (..., 4) of rotation vectors (..., 3) in radians."""
    half = 0.5 * np.linalg.norm(v, axis=-1, keepdims=True)
    return np.concatenate([np.cos(half), 0.5 * np.sinc(half / np.pi) * v], axis=-1)


def to_rotation_vector(q: np.ndarray) -> np.ndarray:
    """Rotation vectors (..., 3) in radians, at most pi long, of unit quaternions (..., 4)."""
    q = np.where(np.asarray(q)[..., :1] < 0, -np.asarray(q, float), q)
    length = np.linalg.norm(q[..., 1:], axis=-1, keepdims=True)
    scale = np.where(length > _TINY, 2.0 * np.arctan2(length, q[..., :1]) / np.maximum(length, _TINY), 2.0)
    return scale * q[..., 1:]


def angle_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angle (...) in radians, 0 to pi, of the rotation from unit quaternions a to b; exact near zero."""
    return np.linalg.norm(to_rotation_vector(multiply(b, inverse(a))), axis=-1)


def make_continuous(q: np.ndarray, reference: np.ndarray | None = None) -> np.ndarray:
    """Signs chosen so that neighbours along the first axis (F, ..., 4) lie in one half; the first follows reference."""
    q = np.asarray(q, float)
    if not len(q):
        return q.copy()
    start = np.ones(q.shape[1:-1]) if reference is None else np.where(np.sum(q[0] * reference, -1) < 0, -1.0, 1.0)
    flips = np.where(np.sum(q[1:] * q[:-1], axis=-1) < 0, -1.0, 1.0)
    return q * np.cumprod(np.concatenate([start[None], flips]), axis=0)[..., None]


def slerp(a: np.ndarray, b: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Shortest-arc interpolation (..., 4) from a (t = 0) to b (t = 1); t broadcasts against the leading axes."""
    step = to_rotation_vector(multiply(b, inverse(a)))
    return multiply(from_rotation_vector(np.asarray(t, float)[..., None] * step), a)


def swing_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The smallest rotation (..., 4) that turns direction a (..., 3) into b; identity where either has no length."""
    a_length, b_length = np.linalg.norm(a, axis=-1, keepdims=True), np.linalg.norm(b, axis=-1, keepdims=True)
    is_nothing = (a_length <= _TINY) | (b_length <= _TINY)
    u, v = a / np.maximum(a_length, _TINY), b / np.maximum(b_length, _TINY)
    w = 1.0 + np.sum(u * v, axis=-1, keepdims=True)
    opposite = w < 1e-9
    q = np.concatenate([np.where(opposite, 0.0, w), np.where(opposite, _any_normal(u), np.cross(u, v))], axis=-1)
    return np.where(is_nothing, IDENTITY, normalise(q))


def _any_normal(u: np.ndarray) -> np.ndarray:
    """A unit vector (..., 3) at right angles to each u."""
    axis = np.eye(3)[np.argmin(np.abs(u), axis=-1)]
    normal = np.cross(u, axis)
    return normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), _TINY)


def twist_angle(q: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Angle (...) in radians of the twist about the unit axis (..., 3) in q = swing * twist."""
    along = np.sum(np.asarray(q, float)[..., 1:] * axis, axis=-1)
    angle = 2.0 * np.arctan2(along, np.asarray(q, float)[..., 0])
    return (angle + np.pi) % (2.0 * np.pi) - np.pi


def best_rotation(a: np.ndarray, b: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """The rotation (..., 4) that best turns the vectors a (..., N, 3) into b: Kabsch (1976), reflections excluded.

    NaN where any of them is no number.
    """
    w = np.ones(a.shape[-2]) if weights is None else weights
    matrix, is_sound = _sound_matrices(np.einsum("...ni,...nj->...ij", b * w[..., None], a))
    u, _, vt = np.linalg.svd(matrix)
    sign = np.sign(np.linalg.det(u @ vt))
    u = u * np.stack([np.ones_like(sign), np.ones_like(sign), sign], axis=-1)[..., None, :]
    return np.where(is_sound, from_matrix(u @ vt), np.nan)


def mean_rotation(q: np.ndarray) -> np.ndarray:
    """Chordal mean (..., 4) over the first axis of q (F, ..., 4): Markley et al. 2007.

    NaN where F is 0, or any is no number.
    """
    if not len(q):
        return np.full(q.shape[1:], np.nan)
    outer, is_sound = _sound_matrices(np.einsum("f...i,f...j->...ij", q, q))
    return np.where(is_sound, np.linalg.eigh(outer)[1][..., -1], np.nan)


def _sound_matrices(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Matrices (..., N, N), zero in place of those that hold what is no number, and which do not (..., 1).

    NumPy decomposes none of many if one is no number.
    """
    is_sound = np.isfinite(matrices).all(axis=(-2, -1))
    return np.where(is_sound[..., None, None], matrices, 0.0), is_sound[..., None]


def from_euler(angles: np.ndarray, order: str) -> np.ndarray:
    """Unit quaternions (..., 4) of angles (..., 3) in radians; order 'XYZ' turns about X first, as Blender names it.

    The angles stand in the order x, y, z, whatever the order of turning.
    """
    parts = [_about("XYZ".index(axis), angles[..., "XYZ".index(axis)]) for axis in order]
    return multiply(parts[2], multiply(parts[1], parts[0]))


def _about(axis: int, angle: np.ndarray) -> np.ndarray:
    q = np.zeros((*np.shape(angle), 4))
    q[..., 0], q[..., 1 + axis] = np.cos(0.5 * angle), np.sin(0.5 * angle)
    return q


def to_euler(q: np.ndarray, order: str) -> np.ndarray:
    """Angles (..., 3) in radians, as x, y, z, in Blender's order of turning; the middle one within +-90 degrees."""
    i, j, k = ("XYZ".index(axis) for axis in order)
    parity = 1.0 if (i, j, k) in ((0, 1, 2), (1, 2, 0), (2, 0, 1)) else -1.0
    m = to_matrix(q)
    cosine = np.hypot(m[..., i, i], m[..., j, i])
    locked = cosine < 1e-9
    first = np.where(
        locked, np.arctan2(-parity * m[..., j, k], m[..., j, j]), np.arctan2(parity * m[..., k, j], m[..., k, k])
    )
    angles = np.empty((*np.shape(q)[:-1], 3))
    angles[..., i] = first
    angles[..., j] = np.arctan2(-parity * m[..., k, i], cosine)
    angles[..., k] = np.where(locked, 0.0, np.arctan2(parity * m[..., j, i], m[..., i, i]))
    return angles


def nearest_euler(angles: np.ndarray, reference: np.ndarray, order: str) -> np.ndarray:
    """Of all angles (..., 3) that mean the same rotation, those nearest to reference (..., 3), in radians."""
    middle = "XYZ".index(order[1])
    other = angles + np.pi
    other[..., middle] = np.pi - angles[..., middle]
    turns = [a + 2 * np.pi * np.round((reference - a) / (2 * np.pi)) for a in (angles, other)]
    distance = [np.abs(t - reference).sum(axis=-1, keepdims=True) for t in turns]
    return np.where(distance[0] <= distance[1], turns[0], turns[1])


def continuous_euler(angles: np.ndarray, order: str, first: np.ndarray | None = None) -> np.ndarray:
    """Angles (F, ..., 3) in radians without jumps along the first axis; the first row stays near `first`."""
    result = np.array(angles, float)
    previous = result[0] if first is None and len(result) else first
    for frame in range(len(result)):
        previous = result[frame] = nearest_euler(result[frame], previous, order)
    return result
