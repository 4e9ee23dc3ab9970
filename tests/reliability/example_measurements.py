"""Sound arguments for public_functions.py: what cameras, operators, priors and readers take, made of a motion."""

import numpy as np

from pads_blender.core.bvh import parse_bvh
from pads_blender.core.bvh_text import PosedBones
from pads_blender.core.camera import Camera, look_at, make_intrinsics
from pads_blender.core.film import Film
from pads_blender.core.keypoints import COCO_17, Keypoints
from pads_blender.core.motion import Motion
from pads_blender.core.skeleton import MODEL
from pads_blender.diffusion import window
from pads_blender.diffusion.learned_priors import PosePrior, WindowPrior
from pads_blender.diffusion.measurement import Identity, JointMask, UnknownPelvis
from pads_blender.diffusion.projection import Projection
from pads_blender.diffusion.rays import View, keypoint_information
from pads_blender.diffusion.schedule import karras_schedule
from pads_blender.diffusion.usual_poses import UsualPoses

from ..shaky_takes import shaky_take

_NOISE = 0.02  # metres
_CONTRACT = {"scale_metres": 1.0, "diffusion": {"steps": 1000, "beta_first": 0.0001, "beta_last": 0.02}}
_CONTRACT["denoiser_error_metres"] = {"sigma": [0.01, 0.1], "error": [0.01, 0.05]}


class PassingPrior:
    """A prior that believes what it is told, at a noise level that is one."""

    kind = "motion"

    def denoise(self, x: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        level = np.asarray(sigma)
        return x + 0.0 * np.where(np.isinf(level), 0.0, level)[..., None]

    def vjp(self, x: np.ndarray, sigma: np.ndarray, cotangent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.denoise(x, sigma), cotangent + 0.0 * x


class SilentNetwork:
    """A network that corrects nothing, but for what is no number."""

    label, batch = "silent", 8

    def forward(self, given: np.ndarray, *_: np.ndarray) -> np.ndarray:
        spoilt = 0.0 * given.reshape(len(given), -1).sum(axis=1)
        shape = given.shape if given.shape[-1] == 3 else (*given.shape[:2], len(MODEL), 3)
        return spoilt.reshape(-1, *(1,) * (len(shape) - 1)) + np.zeros(shape, np.float32)

    def vjp(self, noisy: np.ndarray, level: np.ndarray, cotangent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.forward(noisy), cotangent


def kinds(motion: Motion) -> dict[str, object]:
    """By what parameters are said to be."""
    positions, view = motion.positions, view_of(motion.positions)
    frames, levels = len(positions), np.full(motion.visible.shape, _NOISE)
    spoken = np.random.default_rng(0).standard_normal((2, len(MODEL), 3, 3))
    return {
        "Camera": view.camera,
        "View": view,
        "Sequence[View]": [view],
        "Film": Film(Keypoints(view.points, np.ones(view.sigma.shape), COCO_17), np.arange(1.0, frames + 1.0)),
        "Identity": Identity(_NOISE),
        "JointMask": JointMask(motion.visible, _NOISE),
        "UnknownPelvis": UnknownPelvis(_NOISE),
        "MeasurementOperator": UnknownPelvis(_NOISE),
        "Projection": Projection([view], positions[:, 0]),
        "NoiseSchedule": karras_schedule(2, 0.3, 0.01),
        "DenoiserError": lambda sigma: 0.05 + 0.0 * sigma,
        "WindowPrior": WindowPrior(None, SilentNetwork()),
        "PosePrior": PosePrior(_CONTRACT, SilentNetwork()),
        "WindowInput": window.prepare(positions[None], levels[None]),
        "UsualPoses": UsualPoses(positions[:2] - positions[:2, :1], 0.1 * spoken, np.full((2, len(MODEL)), 1e-4)),
        "Bvh": parse_bvh(shaky_take(frames)),
        "PosedBones": _posed_bones(frames),
        "tuple[int, ...]": MODEL.parents,
        "float | None": None,
        "random.Generator | None": None,
        "Generator | None": None,
    }


def view_of(positions: np.ndarray) -> View:
    """What a still camera sees of positions (F, J, 3)."""
    camera = Camera(
        make_intrinsics(1000.0, 1000, 800), look_at(np.array([0.3, -6.0, 1.4]), np.array([0.0, 0.0, 1.0])), 1000, 800
    )
    points = camera.project(np.einsum("kj,fja->fka", COCO_17.joints, positions))
    return View(camera, points, np.where(COCO_17.used, 4.0, np.inf) * np.ones((len(positions), 1)), COCO_17)


def _posed_bones(frames: int) -> PosedBones:
    rest = np.tile(np.eye(4), (2, 1, 1))
    rest[1, 2, 3] = 1.0
    tails = rest[:, :3, 3] + np.array([0.0, 0.0, 1.0])
    return PosedBones(("a", "b"), np.array([-1, 0]), rest, tails, np.tile(rest, (frames, 1, 1, 1)), 30.0)


def own(motion: Motion) -> dict[str, dict[str, object]]:
    """Of functions that mean something else by a name."""
    positions, view = motion.positions, view_of(motion.positions)
    frames, joints = positions.shape[:2]
    pose, variance, pelvis = positions - positions[:, :1], np.full(joints, _NOISE**2), positions[:, 0]
    at, key = np.arange(1.0, frames + 1.0), np.stack([np.arange(1.0, frames + 1.0), np.ones(frames)], axis=-1)
    sides = [np.array([0.0, 0.0]), np.array([0.3, 0.0]), np.array([0.7, 0.0]), np.array([1.0, 0.0])]
    bvh, levels = parse_bvh(shaky_take(frames)), np.full((frames, joints), _NOISE)
    seen = {"y": view.camera.flat_points(view.points), "cotangent": view.points, "x": pose, "x_hat": pose}
    seen["prior_variance"] = variance
    on_rays = {"positions": positions, "variance": variance, "pelvis": pelvis, "pose": pose}
    column = np.ones((frames, joints))
    system = {"precision": column, "spring": column, "curvature": column[2:], "rhs": positions, "rows": positions[2:]}
    sampled = {"y": positions, "start": pose, "rng": np.random.default_rng(0)}
    return {
        "bezier.bezier_values": {"frames": at + 0.5}
        | {n: key + s for n, s in zip(("start", "out", "into", "end"), sides, strict=True)},
        "bvh.with_motion": {"motion": bvh.motion},
        "camera.focal_from_fov": {"fov_degrees": 40.0, "width": 1000, "height": 800},
        "camera.from_blender_axes": {"matrix_world": np.tile(np.eye(4), (frames, 1, 1))},
        "camera.look_at": {"position": np.array([0.0, -4.0, 1.0]), "target": np.zeros(3)},
        "camera.make_intrinsics": {"focal": 1000.0, "width": 1000, "height": 800},
        "camera_files.default_camera": {"width": 1000, "height": 800, "fov_degrees": 40.0},
        "channels.channels_from_quaternions": {
            "rotation": _turns(frames),
            "mode": "ZXY",
            "reference": _turns(frames)[:, 1:],
        },
        "channels.euler_near": {"rotation": _turns(frames), "order": "XYZ", "reference": _turns(frames)[:, 1:]},
        "channels.quaternions_from_channels": {"values": _turns(frames), "mode": "QUATERNION"},
        "cycles.close_ends": {"changes": positions[:, 0], "frames": at, "first": 5.0, "last": 30.0, "reach": 5.0},
        "model_rig.model_take": {"body_scale": 1.0, "frames": at, "fps": 30.0},
        "heading.turned_covariances": {"covariances": np.tile(np.eye(3 * joints), (frames, 1, 1))},
        "skeleton.forward_positions": {"segments": positions},
        "metrics.bone_length_errors": {"offsets": MODEL.offsets},
        "film.Film.at": {"frames": at},
        "film.Film.within": {"first": 3.0, "last": 9.0},
        "camera.Camera.flat_points": {"points": view.points},
        "camera.Camera.rays": {"points": view.points},
        **{f"camera.Camera.{name}": {"positions_world": positions} for name in ("jacobian", "project", "to_camera")},
        "rays.View.distances": {"positions": positions},
        **{
            f"banded.{name}": system | {"frames": frames}
            for name in (
                "pentadiagonal_bands",
                "second_difference_transpose",
                "solve_pentadiagonal",
                "solve_sprung_pentadiagonal",
            )
        },
        "denoiser_error.measure_error": {
            "poses": pose,
            "sigmas": np.array([0.05, 0.1]),
            "rng": np.random.default_rng(0),
        },
        "dps.data_gradient": {"y": positions, "x_t": pose, "x0_hat": pose, "rho": levels, "abar": 0.9, "sigma": 0.1},
        "dps.sample_dps": sampled,
        "prox.sample_prox": sampled,
        "measurement.fill_unseen": {"pelvis": pelvis, "precision": 1.0 / levels},
        "measurement.joint_precision": {"variance": levels, "x": positions},
        "measurement.measured_values": {"y": positions, "precision": 1.0 / levels},
        "measurement.per_joint": {"value": levels, "x": positions},
        "measurement.perturbations": {"precision": 1.0 / levels, "variance": levels, "rng": np.random.default_rng(0)},
        "measurement.robust_weight": {"residual": positions, "precision": 1.0 / levels, "variance": levels, "nu": 4.0},
        "schedule.karras_schedule": {"steps": 3, "sigma_max": 0.3, "sigma_min": 0.01},
        "learned_priors.PosePrior.denoise": {"x": pose, "sigma": np.full(frames, 0.05)},
        "learned_priors.PosePrior.vjp": {"x": pose, "sigma": np.full(frames, 0.05), "cotangent": pose},
        "learned_priors.WindowPrior.denoise": {"x": positions[None], "sigma": levels[None]},
        "window.prepare": {"x": positions[None], "sigma": levels[None]},
        "window.precondition": {
            "x": positions[None],
            "sigma": levels[None],
            "hidden": np.zeros((1, frames, joints), bool),
        },
        "window.WindowInput.to_world": {"output": positions[None]},
        **{
            f"measurement.{kind}.{name}": {
                "x": pose,
                "x_hat": pose,
                "y": positions,
                "cotangent": positions,
                "prior_variance": levels,
            }
            for kind in ("Identity", "JointMask", "UnknownPelvis")
            for name in ("__call__", "residual", "vjp", "proximal")
        },
        **{f"projection.Projection.{name}": seen for name in ("__call__", "residual", "vjp", "proximal", "stand")},
        "projection.start_on_rays": {"pelvis": pelvis},
        **{
            f"rays.{name}": on_rays
            for name in (
                "depth_pull",
                "exchange_sides",
                "fit_pelvis",
                "keypoint_costs",
                "keypoint_information",
                "keypoint_weights",
                "misfit",
            )
        },
        "rays.fit_rays": {"prior": positions, "sigma": np.full(joints, _NOISE), "body_sigma": 0.1},
        "rays.fit_together": {
            "prior": positions,
            "covariance": np.tile(np.eye(3 * joints), (frames, 1, 1)),
            "variance": variance,
        },
        "rays.joint_information": {"each": keypoint_information([view], positions, variance)},
        "usual_poses.UsualPoses.error_shapes": {"level": 0.1, "alone": 0.2},
        "usual_poses.UsualPoses.spread": {"poses": pose, "level": 0.1},
        "usual_poses.UsualPoses.nearest": {"poses": pose, "sigma": 0.1},
        "usual_poses.UsualPoses.on_rays": {"pelvis": pelvis, "pelvis_sigma": 0.1},
    }


def _turns(frames: int) -> np.ndarray:
    return np.tile(np.full(4, 0.5), (frames, 1))
