"""Mocap takes as detectors would see them: made-up cameras, the 17 joints of Human3.6M, noise of keypoints.

The stated distribution: focal length 0.7 to 1.4 of the image's 1000 pixels, distance 2 to 6 m from the middle of the
take, height 0.5 to 2.5 m, any side, looking at the middle. Nothing is cut off at the image's border, as nobody would
crop a take so that the actor leaves it; joints nearer than half a metre do not occur in drawn cameras.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.camera import Camera, look_at, make_intrinsics
from ..core.keypoints import HUMAN36M_17, KeypointLayout, Keypoints
from ..tasks.estimate import Shot

IMAGE = 1000  # pixels, both ways
FOCAL, DISTANCE, HEIGHT = (0.7, 1.4), (2.0, 6.0), (0.5, 2.5)
_NEAREST = 0.5  # metres
_LIMBS = (("shoulder", "elbow", "wrist"), ("hip_joint", "knee", "ankle"))


@dataclass(frozen=True)
class Detector:
    """What it does to keypoints: Gaussian noise in pixels, the share that it misses, of limbs that it takes for the
    other side's in a frame.
    """

    noise: float = 0.0
    missing: float = 0.0
    swaps: float = 0.0


EXACT, NOISY = Detector(), Detector(noise=5.0, missing=0.10, swaps=0.02)


def draw_camera(positions: np.ndarray, rng: np.random.Generator) -> Camera:
    """A still camera for a take (F, J, 3), drawn again while a joint comes nearer than half a metre."""
    middle = positions.mean(axis=(0, 1))
    while True:
        focal, away, height = (rng.uniform(*bounds) for bounds in (FOCAL, DISTANCE, HEIGHT))
        angle = rng.uniform(0.0, 2.0 * np.pi)
        stand = np.array([middle[0] + away * np.cos(angle), middle[1] + away * np.sin(angle), height])
        camera = Camera(make_intrinsics(focal * IMAGE, IMAGE, IMAGE), look_at(stand, middle), IMAGE, IMAGE)
        if camera.to_camera(positions)[..., 2].min() > _NEAREST:
            return camera


def film(
    positions: np.ndarray,
    camera: Camera,
    detector: Detector,
    rng: np.random.Generator,
    layout: KeypointLayout = HUMAN36M_17,
) -> Shot:
    """Keypoints of world positions (F, J, 3), through the detector."""
    points = camera.project(np.einsum("kj,fja->fka", layout.joints, positions))
    points = points + detector.noise * rng.standard_normal(points.shape)
    confidence = (rng.random(points.shape[:2]) >= detector.missing).astype(float)
    for limb in _LIMBS:
        rows = rng.random(len(points)) < detector.swaps
        left = [layout.names.index(f"left_{joint}") for joint in limb]
        both = np.array([*left, *layout.sides[left]])
        points[np.ix_(rows, both)] = points[np.ix_(rows, layout.sides[both])]
        confidence[np.ix_(rows, both)] = confidence[np.ix_(rows, layout.sides[both])]
    return Shot(Keypoints(points, confidence, layout), camera)
