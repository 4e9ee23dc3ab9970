import numpy as np
import pytest

from pads_blender.core.camera import Camera, look_at
from pads_blender.core.keypoints import COCO_WHOLEBODY, HUMAN36M_17, Keypoints
from pads_blender.core.skeleton import MODEL
from pads_blender.diffusion.prior import load_prior
from pads_blender.diffusion.rays import View
from pads_blender.errors import TakeError
from pads_blender.tasks import estimate_start
from pads_blender.tasks.estimate import (
    STATURE,
    EstimateSettings,
    Shot,
    estimate_hypotheses,
    estimate_motion,
    known_scale,
)

from .filmed import SIDE, WALK, camera_at, filmed
from .walks import FPS

QUICK = EstimateSettings(steps=8)


@pytest.fixture(scope="module")
def motion_prior():
    return load_prior("motion", threads=1, backend="cpu")


@pytest.fixture(scope="module")
def pose_prior():
    return load_prior("pose", threads=1, backend="cpu")


def seen_error(found, truth) -> float:
    """Mean distance in metres of the 17 joints about the root."""
    a, b = (np.einsum("kj,fja->fka", HUMAN36M_17.joints, x) for x in (found, truth))
    return float(np.linalg.norm((a - a[:, :1]) - (b - b[:, :1]), axis=-1).mean())


def overlay_error(found, shot) -> float:
    """Mean distance in pixels from the keypoints that were seen."""
    points = shot.camera.project(np.einsum("kj,fja->fka", HUMAN36M_17.joints, found))
    return float(np.linalg.norm(points - shot.keypoints.points, axis=-1)[shot.keypoints.confidence > 0].mean())


def test_a_walk_is_found_where_it_was_filmed(motion_prior):
    shot = filmed(WALK, SIDE, noise=3.0)
    found = estimate_motion([shot], FPS, QUICK, motion_prior)
    start = estimate_start.first_guess([View(SIDE, shot.keypoints.points, np.full((len(WALK), 17), 3.0), HUMAN36M_17)])
    assert seen_error(found.positions, WALK) < min(0.05, seen_error(start, WALK))
    assert overlay_error(found.positions, shot) < 12.0
    assert np.linalg.norm(found.positions[:, 0] - WALK[:, 0], axis=-1).mean() < 0.35
    assert found.visible.all() and found.fps == FPS and found.spread is None


def test_detections_may_be_missing_wrong_and_on_the_wrong_side(motion_prior):
    shot = filmed(WALK, SIDE)
    clean = estimate_motion([shot], FPS, QUICK, motion_prior)
    rng = np.random.default_rng(1)
    points, confidence = shot.keypoints.points.copy(), np.ones(shot.keypoints.confidence.shape)
    points[rng.random(confidence.shape) < 0.03] += 200.0
    confidence[rng.random(confidence.shape) < 0.10] = 0.0
    points[confidence == 0.0] = np.nan
    legs = HUMAN36M_17.groups[1]
    points[20:23, legs] = points[20:23, HUMAN36M_17.sides[legs]]
    damaged = Shot(Keypoints(points, confidence, HUMAN36M_17), SIDE)
    found = estimate_motion([damaged], FPS, QUICK, motion_prior)
    assert np.isfinite(found.positions).all()
    assert seen_error(found.positions, WALK) < seen_error(clean.positions, WALK) + 0.02


def test_a_second_camera_tells_the_depth(motion_prior):
    shot = filmed(WALK, SIDE, 2.0)
    path = np.stack([look_at([-2.5 + 0.005 * f, -2.5, 1.6], [0.0, -0.5, 0.9]) for f in range(len(WALK))])
    tracked = Camera(SIDE.intrinsics, path, 1000, 1000)
    errors = []
    for chosen in ([shot], [shot, filmed(WALK, tracked, 2.0, seed=1)]):
        found = estimate_motion(chosen, FPS, QUICK, motion_prior)
        errors.append(np.linalg.norm(found.positions - WALK, axis=-1)[:, MODEL.indices("left_knee", "neck")].mean())
    assert errors[1] < 0.03 < errors[0]


def test_size_scales_the_world_with_the_person(motion_prior):
    tall = 1.2 * WALK
    camera = Camera(SIDE.intrinsics, SIDE.world_from_camera.copy(), 1000, 1000)
    camera.world_from_camera[:3, 3] *= 1.2
    small = estimate_motion([filmed(WALK, SIDE)], FPS, QUICK, motion_prior)
    large = estimate_motion([filmed(tall, camera)], FPS, EstimateSettings(steps=8, body_scale=1.2), motion_prior)
    assert large.positions == pytest.approx(1.2 * small.positions, abs=1e-4)
    assert known_scale(1.2 * STATURE) == pytest.approx(1.2)


def test_a_known_path_is_kept(motion_prior):
    settings = EstimateSettings(steps=8, pelvis=WALK[:, 0])
    found = estimate_motion([filmed(WALK, SIDE, 3.0)], FPS, settings, motion_prior)
    assert np.linalg.norm(found.positions[:, 0] - WALK[:, 0], axis=-1).mean() < 0.02


def test_other_rates_and_single_frames(motion_prior):
    twice = np.repeat(WALK, 2, axis=0)[1:]
    found = estimate_motion([filmed(twice, SIDE)], 2 * FPS, QUICK, motion_prior)
    assert found.positions.shape == twice.shape
    assert seen_error(found.positions, twice) < 0.1
    one = estimate_motion([filmed(WALK[:1], SIDE)], FPS, QUICK, motion_prior)
    assert one.positions.shape == (1, len(MODEL), 3) and np.isfinite(one.positions).all()


def test_hypotheses_come_with_likelihoods_and_spread(motion_prior):
    settings = EstimateSettings(steps=4, hypotheses=3)
    told = []
    found = estimate_hypotheses([filmed(WALK[:40], SIDE)], FPS, settings, motion_prior, lambda *a: told.append(a))
    likelihoods = [hypothesis.likelihood for hypothesis in found]
    assert likelihoods == sorted(likelihoods, reverse=True) and sum(likelihoods) == pytest.approx(1.0)
    assert found[0].motion.spread.shape == (40, len(MODEL)) and (found[0].motion.spread > 0).all()
    assert told == [(i, 12) for i in range(1, 13)]


@pytest.mark.parametrize("sampler", ["dps", "prox"])
@pytest.mark.parametrize("is_known", [False, True])
def test_poses_one_by_one(pose_prior, sampler, is_known):
    poses = WALK[::16]
    settings = EstimateSettings(steps=25, sampler=sampler, pelvis=poses[:, 0] if is_known else None)
    shot = filmed(poses, SIDE)
    found = estimate_motion([shot], FPS, settings, pose_prior)
    assert overlay_error(found.positions, shot) < 40.0
    assert seen_error(found.positions, poses) < 0.25


def test_same_seed_same_motion(motion_prior):
    shot = filmed(WALK[:30], SIDE)
    settings = EstimateSettings(steps=3, seed=5)
    a, b = (estimate_motion([shot], FPS, settings, motion_prior).positions for _ in range(2))
    assert np.array_equal(a, b)


@pytest.mark.parametrize(("first", "second"), [(17, 0), (17, 3), (3, 3)])
def test_a_camera_may_see_a_few_keypoints_or_none(motion_prior, first, second):
    shots = []
    for count, camera in ((first, SIDE), (second, camera_at([-3.0, -2.0, 1.3]))):
        shot = filmed(WALK[:30], camera, 2.0)
        confidence = np.where(np.arange(17) < count, 1.0, 0.0) * np.ones((30, 1))
        shots.append(Shot(Keypoints(shot.keypoints.points, confidence, HUMAN36M_17), camera))
    found = estimate_motion(shots, FPS, EstimateSettings(steps=2), motion_prior)
    assert np.isfinite(found.positions).all()


def test_points_that_mean_nothing_on_the_model_do_not_make_a_take(motion_prior):
    face = ~COCO_WHOLEBODY.used
    points = np.random.default_rng(0).uniform(0.0, 900.0, (10, len(face), 2))
    shot = Shot(Keypoints(points, np.tile(1.0 * face, (10, 1)), COCO_WHOLEBODY), SIDE)
    with pytest.raises(TakeError, match="No frame shows"):
        estimate_motion([shot], FPS, QUICK, motion_prior)


def test_what_makes_no_sense_is_refused(motion_prior):
    shot = filmed(WALK[:10], SIDE)
    nobody = Shot(Keypoints(shot.keypoints.points, np.zeros((10, 17)), HUMAN36M_17), SIDE)
    with pytest.raises(TakeError, match="No frame shows"):
        estimate_motion([nobody], FPS, QUICK, motion_prior)
    with pytest.raises(TakeError, match="as many frames"):
        estimate_motion([shot, filmed(WALK[:9], SIDE)], FPS, QUICK, motion_prior)
    with pytest.raises(TakeError, match="above zero"):
        estimate_motion([shot], 0.0, QUICK, motion_prior)
    with pytest.raises(TakeError, match="not a person's"):
        known_scale(170.0)
