"""How good a motion is: joint error, acceleration, jerk, bone lengths, in-betweens. Positions (F, J, 3) in metres."""

import numpy as np


def joint_errors(positions: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Distance (F, J) in millimetres between joints and where they should be."""
    return 1000.0 * np.linalg.norm(positions - truth, axis=-1)


def mpjpe(positions: np.ndarray, truth: np.ndarray, where: np.ndarray | None = None) -> float:
    """Mean per-joint position error in millimetres, over the joints and frames chosen by where (F, J) bool."""
    errors = joint_errors(positions, truth)
    return float(errors.mean() if where is None else errors[where].mean())


def acceleration_error(positions: np.ndarray, truth: np.ndarray) -> float:
    """Mean length of the error of the second differences, millimetres per frame squared."""
    return mpjpe(np.diff(positions, 2, axis=0), np.diff(truth, 2, axis=0))


def jitter(positions: np.ndarray, fps: float) -> float:
    """Mean length of the third derivative in metres per second cubed: what the eye sees as shaking."""
    return float(np.linalg.norm(np.diff(positions, 3, axis=0), axis=-1).mean() * fps**3)


def bone_length_errors(positions: np.ndarray, parents: tuple[int, ...], offsets: np.ndarray) -> np.ndarray:
    """Millimetres (..., J - 1) by which segments of positions (..., J, 3) miss the lengths of the offsets (J, 3)."""
    children = [joint for joint, parent in enumerate(parents) if parent >= 0]
    segments = positions[..., children, :] - positions[..., [parents[joint] for joint in children], :]
    lengths = np.linalg.norm(offsets[children], axis=-1)
    return 1000.0 * np.abs(np.linalg.norm(segments, axis=-1) - lengths)


def bone_length_drift(positions: np.ndarray, parents: tuple[int, ...]) -> float:
    """Mean over the segments of the standard deviation of their length in time, millimetres; positions (F, J, 3)."""
    children = [joint for joint, parent in enumerate(parents) if parent >= 0]
    segments = positions[:, children] - positions[:, [parents[joint] for joint in children]]
    return float(1000.0 * np.linalg.norm(segments, axis=-1).std(axis=0).mean())


def l2_positions(positions: np.ndarray, truth: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> float:
    """L2P of Harvey et al. 2020: length of a frame's error over all joints, each coordinate standardised; mean.

    positions (..., F, J, 3) in the world; mean and spread (J, 3) of the training windows.
    """
    difference = (positions - mean) / spread - (truth - mean) / spread
    return float(np.sqrt(np.sum(difference**2, axis=(-2, -1))).mean())


def l2_rotations(rotations: np.ndarray, truth: np.ndarray) -> float:
    """L2Q of Harvey et al. 2020: length of a frame's error over all joints' world quaternions (..., F, J, 4); mean.

    Of q and -q, which are one rotation, the one nearer to the truth counts.
    """
    aligned = same_sign(rotations, truth)
    return float(np.sqrt(np.sum((aligned - truth) ** 2, axis=(-2, -1))).mean())


def same_sign(rotations: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Quaternions (..., 4), each with the sign that brings it nearer to the truth's."""
    return np.where(np.sum(rotations * truth, axis=-1, keepdims=True) < 0, -rotations, rotations)


def npss(sequences: np.ndarray, truth: np.ndarray) -> float:
    """Normalised power spectrum similarity (N, F, D), Gopalakrishnan et al. 2019; 0 where the spectra are the same.

    As in the LaFAN1 benchmark: squares of the real parts of the Fourier coefficients, normalised over the frequencies;
    the L1 distance of their running sums, averaged with the true power of each sequence and channel as weight.
    """
    power, true_power = (np.square(np.fft.fft(x, axis=1).real) for x in (sequences, truth))
    total, true_total = power.sum(axis=1), true_power.sum(axis=1)
    share, true_share = (p / np.maximum(t, 1e-12)[:, None] for p, t in ((power, total), (true_power, true_total)))
    distance = np.abs(np.cumsum(share, axis=1) - np.cumsum(true_share, axis=1)).sum(axis=1)
    return float(np.average(distance, weights=true_total))


def contact_speed(feet: np.ndarray, resting: np.ndarray, fps: float) -> float:
    """Mean horizontal speed in mm/s of feet (F, N, 3) from one frame to the next where both rest, (F, N) bool."""
    steps = np.linalg.norm(np.diff(feet[..., :2], axis=0), axis=-1)
    both = resting[1:] & resting[:-1]
    return float(1000.0 * fps * steps[both].mean()) if both.any() else 0.0


def skate_ratio(feet: np.ndarray, fps: float) -> float:
    """Share of frames in which both feet slide (RoHM, Zhang et al. 2024): ankle and toe above 0.10 m/s though low.

    feet (F, 4, 3): left ankle, left toe, right ankle, right toe, Z up. Low: 0.15 m for ankles and 0.10 m for toes above
    the lowest of the four within a second on either side, for the floor need not be level. NaN where a foot is none.
    """
    if len(feet) < 2:
        return 0.0
    if not np.isfinite(feet).all():
        return float("nan")
    reach, lowest = max(1, round(fps)), feet[..., 2].min(axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(lowest, reach, mode="edge"), 2 * reach + 1)
    height = feet[:-1, :, 2] - windows.min(axis=-1)[:-1, None]
    fast = fps * np.linalg.norm(np.diff(feet[..., :2], axis=0), axis=-1) > 0.10
    return float(np.all(fast & (height < np.array([0.15, 0.10, 0.15, 0.10])), axis=1).mean())


def average_pairwise_distance(poses: np.ndarray) -> float:
    """Mean joint distance in millimetres over all pairs of different poses (N, J, 3), NaN of fewer than two.

    How varied a set is.
    """
    total = sum(float(joint_errors(poses[i + 1 :], poses[i]).sum()) for i in range(len(poses) - 1))
    pairs = len(poses) * (len(poses) - 1) / 2
    return total / (pairs * poses.shape[1]) if pairs else float("nan")


def precision_recall(samples: np.ndarray, real: np.ndarray, neighbours: int = 3) -> tuple[float, float]:
    """Share of samples (N, D) inside the real set's manifold, and of real ones (M, D) inside the samples'.

    A manifold is the union of balls about its points that reach to their k-th neighbour: Kynkaanniemi et al. 2019.
    """
    between = _distances(samples, real)
    reach_real = np.sort(_distances(real, real), axis=1)[:, neighbours]
    reach_samples = np.sort(_distances(samples, samples), axis=1)[:, neighbours]
    precision = (between <= reach_real[None, :]).any(axis=1).mean()
    return float(precision), float((between <= reach_samples[:, None]).any(axis=0).mean())


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Euclidean distances (N, M) between rows of a (N, D) and b (M, D)."""
    square = np.sum(a**2, axis=1)[:, None] + np.sum(b**2, axis=1)[None, :] - 2.0 * a @ b.T
    return np.sqrt(np.maximum(square, 0.0))
