"""Estimated poses laid onto rigs of other proportions, on the points of a film."""

from dataclasses import replace

import numpy as np
import pytest

from pads_blender.core import rotations as rot
from pads_blender.core.camera import look_at
from pads_blender.core.model_rig import MAPPING, model_take
from pads_blender.core.retarget import rig_positions, to_model
from pads_blender.core.rig import world_matrices
from pads_blender.core.skeleton import MODEL
from pads_blender.tasks.estimate import EstimateSettings, as_view
from pads_blender.tasks.estimate_rig import lay_on_points, steady_points

from .filmed import SIDE, WALK, filmed
from .walks import FPS

FRAMES = np.arange(float(len(WALK)))
BONES = [number for number, name in enumerate(MODEL.names) if MAPPING.bone(name)]


def long_limbed(factor):
    """The model as a rig with forearms and shins so much longer: the rest pose of their ends moves along."""
    take = model_take(1.0, FRAMES, FPS)
    rest = take.rest.copy()
    for name, below in (("left_elbow", "left_wrist"), ("right_elbow", "right_wrist")):
        start, end = take.names.index(name), take.names.index(below)
        rest[end, :3, 3] += (factor - 1.0) * (rest[end, :3, 3] - rest[start, :3, 3])
    return replace(take, rest=rest)


def laid(take, positions, shot):
    _, residual = to_model(take, MAPPING)
    found = lay_on_points(residual, [as_view(shot, EstimateSettings())], positions)
    return rig_positions(residual, found)


def beside(joints, shot, names):
    """Mean distance in pixels of joints from where the walk shows them."""
    chosen = MODEL.indices(*names)
    apart = shot.camera.project(joints[:, chosen]) - shot.camera.project(WALK[:, chosen])
    return float(np.linalg.norm(apart, axis=-1).mean())


ARMS = ("left_elbow", "left_wrist", "right_elbow", "right_wrist", "left_shoulder", "right_shoulder")


@pytest.mark.parametrize("factor", [0.85, 1.0, 1.15])
def test_the_joints_of_other_proportions_lie_on_the_points(factor):
    shot = filmed(WALK, SIDE)
    assert beside(laid(long_limbed(factor), WALK, shot), shot, ARMS) < 3.0


def test_lengths_are_the_rigs():
    take = long_limbed(1.15)
    joints = laid(take, WALK, filmed(WALK, SIDE))
    elbow, wrist = MODEL.indices("left_elbow", "left_wrist")
    length = np.linalg.norm(joints[:, wrist] - joints[:, elbow], axis=-1)
    assert length == pytest.approx(1.15 * np.linalg.norm(MODEL.offsets[wrist]))


def test_an_estimate_that_is_off_is_pulled_onto_the_points():
    shot = filmed(WALK, SIDE)
    off = WALK + 0.04 * np.sin(0.1 * FRAMES)[:, None, None] + np.array([0.1, 0.0, 0.0])
    joints = laid(model_take(1.0, FRAMES, FPS), off, shot)
    assert beside(joints, shot, ARMS) < 3.0 < beside(off, shot, ARMS)


def test_a_rig_that_lies_on_its_back_at_rest_stands_as_filmed():
    turned = np.eye(4)
    turned[:3, :3] = rot.to_matrix(rot.from_rotation_vector(np.array([np.pi / 2, 0.0, 0.0])))
    take = replace(model_take(1.0, FRAMES, FPS), world_from_armature=turned)
    _, residual = to_model(take, MAPPING)
    found = lay_on_points(residual, [as_view(filmed(WALK, SIDE), EstimateSettings())], WALK)
    assert np.array_equal(found.world_from_armature, turned)
    order = [found.names.index(MODEL.names[joint]) for joint in BONES]
    heads = world_matrices(found)[..., :3, 3][:, order]
    assert np.abs(heads - WALK[:, BONES]).mean() < 0.01


def test_one_frame():
    take = model_take(1.0, FRAMES[:1], FPS)
    _, residual = to_model(take, MAPPING)
    shot = filmed(WALK[:1], SIDE)
    found = lay_on_points(residual, [as_view(shot, EstimateSettings())], WALK[:1])
    assert np.abs(rig_positions(residual, found)[:, BONES] - WALK[:1, BONES]).mean() < 0.01


def test_a_moving_camera_and_a_second_one():
    path = np.stack([look_at([-2.5 + 0.005 * f, -2.5, 1.6], [0.0, -0.5, 0.9]) for f in FRAMES])
    shots = [filmed(WALK, SIDE), filmed(WALK, replace(SIDE, world_from_camera=path))]
    take = model_take(1.0, FRAMES, FPS)
    _, residual = to_model(take, MAPPING)
    off = WALK + np.array([0.15, 0.1, 0.0])
    found = lay_on_points(residual, [as_view(shot, EstimateSettings()) for shot in shots], off)
    assert np.abs(rig_positions(residual, found)[:, BONES] - WALK[:, BONES]).mean() < 0.01


def test_noise_and_outliers_of_points_are_left_out():
    shot = filmed(WALK, SIDE, noise=4.0)
    points, rng = shot.keypoints.points.copy(), np.random.default_rng(0)
    wrong = rng.random(points.shape[:2]) < 0.02
    points[wrong] += 150.0
    view = as_view(replace(shot, keypoints=replace(shot.keypoints, points=points)), EstimateSettings())
    truth = shot.camera.project(np.einsum("kj,fja->fka", view.joints, WALK))
    found = steady_points(view, WALK + 0.02).points
    assert (
        np.linalg.norm(found - truth, axis=-1).mean()
        < 0.7 * np.linalg.norm(view.points - truth, axis=-1)[~wrong].mean()
    )
    assert np.linalg.norm(found - truth, axis=-1).max() < 30.0
