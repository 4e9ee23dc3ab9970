"""A synthetic walk as a camera sees it: keypoints of Human3.6M's joints."""

import numpy as np

from pads_blender.core.camera import Camera, look_at, make_intrinsics
from pads_blender.core.interpolate import fill_hidden
from pads_blender.core.keypoints import HUMAN36M_17, Keypoints
from pads_blender.core.skeleton import MODEL
from pads_blender.tasks.estimate import Shot

from .walks import walk


def camera_at(position) -> Camera:
    return Camera(make_intrinsics(1000.0, 1000, 1000), look_at(position, [0.0, -0.5, 0.9]), 1000, 1000)


def filmed(positions, camera, noise=0.0, seed=0) -> Shot:
    points = camera.project(np.einsum("kj,fja->fka", HUMAN36M_17.joints, positions))
    points = points + noise * np.random.default_rng(seed).standard_normal(points.shape)
    return Shot(Keypoints(points, np.ones(points.shape[:2]), HUMAN36M_17), camera)


def walk_with_arms_down() -> np.ndarray:
    positions = walk(steps=2).positions
    visible = np.ones(positions.shape[:2], bool)
    visible[:, MODEL.indices("left_elbow", "left_wrist", "right_elbow", "right_wrist")] = False
    return fill_hidden(positions, visible)


WALK = walk_with_arms_down()
SIDE = camera_at([2.2, -3.2, 1.3])
