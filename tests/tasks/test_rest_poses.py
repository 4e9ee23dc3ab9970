"""The same dirty motion on rigs of other rest poses, axes, units and proportions comes out with the same rotations."""

from dataclasses import replace

import numpy as np
import pytest

from pads_blender.core import normalise
from pads_blender.core import rotations as rot
from pads_blender.core.retarget import unscaled
from pads_blender.core.rig import RigTake, location_axes, pose_matrices, rest_from_parent
from pads_blender.core.skeleton import JOINTS
from pads_blender.diffusion.prior import load_prior
from pads_blender.tasks.clean import CleanSettings, clean_take
from pads_blender.training.corruption import rotation_jitter
from pads_blender.training.data import RigClip, load_rig_clips

from ..core.bodies import SCALES

JITTER_DEGREES = 2.0


@pytest.fixture(scope="module")
def prior():
    return load_prior("motion", threads=1)


@pytest.fixture(scope="module")
def clip(shared_data) -> RigClip:
    """Someone of the validation set, who jumps."""
    return load_rig_clips(shared_data / "mocap" / "train" / "cmu_016.npz")[0]


def shaken(take: RigTake) -> RigTake:
    return rotation_jitter(take, JITTER_DEGREES, np.random.default_rng(0))


def cleaned(take: RigTake, clip: RigClip, prior) -> RigTake:
    return clean_take(take, clip.mapping, CleanSettings(feet=0.0), prior)[0]


def mapped(take: RigTake, clip: RigClip) -> list[int]:
    return [take.names.index(clip.mapping.bone(joint)) for joint in JOINTS if clip.mapping.bone(joint)]


# --- rest poses -------------------------------------------------------------------------------------------------------


def with_rest(take: RigTake, turned: np.ndarray, axes: np.ndarray) -> RigTake:
    """The same motion in the world with every bone (B, 4) turned about its head at rest, and then its axes (B, 4)."""
    local, rest = rest_from_parent(take), take.rest.copy()
    for bone, parent in enumerate(take.parents):
        carried = np.eye(4) if parent < 0 else rest[parent]
        rest[bone] = carried @ local[bone] if parent < 0 else _laid(carried, take.rest[parent], take.rest[bone])
        rest[bone, :3, :3] = rot.to_matrix(turned[bone]) @ take.rest[bone, :3, :3]
    other = replace(take, rest=rest.copy())
    other.rest[:, :3, :3] = rest[:, :3, :3] @ rot.to_matrix(axes)
    pose = pose_matrices(take)
    pose[..., :3, :3] = pose[..., :3, :3] @ rot.to_matrix(axes)
    return _posed_as(other, pose)


def _laid(carried: np.ndarray, old_parent: np.ndarray, old: np.ndarray) -> np.ndarray:
    """Where a bone's rest (4, 4) goes with its parent's."""
    return carried @ np.linalg.inv(old_parent) @ old


def _posed_as(take: RigTake, pose: np.ndarray) -> RigTake:
    """The take with channels that pose its bones so (F, B, 4, 4), without scale."""
    local = rest_from_parent(take)
    above = np.where((take.parents < 0)[:, None, None], np.eye(4), pose[:, take.parents])
    basis = np.linalg.inv(above @ local) @ pose
    rotation = rot.make_continuous(rot.from_matrix(unscaled(basis[..., :3, :3])))
    return replace(take, rotation=rotation, location=basis[..., :3, 3])


def _about(take: RigTake, axis: tuple[float, float, float], degrees: dict[str, float]) -> np.ndarray:
    """Turns (B, 4) about an axis of the armature for the named bones and all that hang on them."""
    angles = np.zeros(len(take.names))
    for bone, parent in enumerate(take.parents):
        angles[bone] = degrees.get(take.names[bone], angles[parent] if parent >= 0 else 0.0)
    return rot.from_rotation_vector(np.radians(angles)[:, None] * np.array(axis))


def _still(take: RigTake) -> np.ndarray:
    return np.tile(rot.IDENTITY, (len(take.names), 1))


def a_pose(take: RigTake) -> tuple[np.ndarray, np.ndarray]:
    return _about(take, (0.0, 0.0, 1.0), {"LeftArm": -45.0, "RightArm": 45.0}), _still(take)


def nothing_human(take: RigTake) -> tuple[np.ndarray, np.ndarray]:
    """Every bone lies along +X, as in LAFAN1: the bone's own way to its first child is laid there."""
    turned, local = _still(take), rest_from_parent(take)
    for bone in range(len(take.names)):
        children = np.flatnonzero(take.parents == bone)
        if len(children) and np.linalg.norm(local[children[0], :3, 3]) > 1e-6:
            turned[bone] = rot.swing_between(local[children[0], :3, 3], np.array([1.0, 0.0, 0.0]))
        elif take.parents[bone] >= 0:
            turned[bone] = turned[take.parents[bone]]
    return turned, _still(take)


def all_up_with_odd_roll(take: RigTake) -> tuple[np.ndarray, np.ndarray]:
    """Bones whose own axes have nothing to do with where they lead: Y up, each rolled by chance."""
    roll = np.random.default_rng(1).uniform(-np.pi, np.pi, len(take.names))
    up = rot.from_rotation_vector(np.array([np.pi / 2, 0.0, 0.0]))
    return _still(take), rot.multiply(up, rot.from_rotation_vector(roll[:, None] * np.array([0.0, 1.0, 0.0])))


@pytest.mark.parametrize(
    ("rest", "degrees"),
    [(a_pose, 0.01), (all_up_with_odd_roll, 0.01), (nothing_human, 1.5)],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_the_rest_pose_does_not_matter(clip, prior, rest, degrees):
    """LAFAN1's rest says nothing about hips and shoulders: they are taken from the motion, so there it is not exact."""
    dirty = shaken(clip.take)
    turned, axes = rest(dirty)
    other = with_rest(dirty, turned, axes)
    np.testing.assert_allclose(pose_matrices(other)[..., :3, 3], pose_matrices(dirty)[..., :3, 3], atol=1e-9)
    plain, odd = (unscaled(pose_matrices(cleaned(take, clip, prior))[..., :3, :3]) for take in (dirty, other))
    bones = mapped(dirty, clip)
    apart = rot.angle_between(
        rot.from_matrix(plain[:, bones]), rot.from_matrix(odd[:, bones] @ rot.to_matrix(rot.inverse(axes))[bones])
    )
    assert np.degrees(np.percentile(apart, 99)) < min(degrees, 1.0)
    assert np.degrees(apart).max() < degrees


def in_unit(unit: float) -> np.ndarray:
    return np.diag([unit, unit, unit, 1.0])


def standing_elsewhere() -> np.ndarray:
    world = np.eye(4)
    world[:3, :3] = rot.to_matrix(rot.from_rotation_vector(np.array([0.0, 0.0, 2.0])))
    world[:3, 3] = 30.0, -20.0, 0.0
    return world


def lying() -> np.ndarray:
    """A file with another up axis, in a world where it lies on its back."""
    world = np.eye(4)
    world[:3, :3] = rot.to_matrix(rot.from_rotation_vector(np.array([-np.pi / 2, 0.0, 0.0])))
    return world


@pytest.mark.parametrize(
    ("world", "unit"),
    [(in_unit(0.01), 1.0), (in_unit(100.0), 1.0), (np.eye(4), 100.0), (standing_elsewhere(), 1.0), (lying(), 1.0)],
    ids=["object scale 0.01", "object scale 100", "armature in centimetres", "moved and turned", "Y up"],
)
def test_unit_and_object_transform_do_not_matter(clip, prior, world, unit):
    dirty = shaken(clip.take)
    rest = dirty.rest.copy()
    rest[:, :3, 3] *= unit
    placed = world @ dirty.world_from_armature
    other = replace(dirty, rest=rest, location=unit * dirty.location, world_from_armature=placed)
    plain, odd = (cleaned(take, clip, prior).rotation[:, mapped(dirty, clip)] for take in (dirty, other))
    assert np.degrees(rot.angle_between(plain, odd)).max() < 0.01


# --- proportions ------------------------------------------------------------------------------------------------------


def reshaped(take: RigTake, clip: RigClip, scales: dict[str, float]) -> RigTake:
    """The clip's take on a body of other proportions: same rotations, hips travelling as far as its legs are long."""
    joint_of = {clip.mapping.bone(joint): joint for joint in JOINTS if clip.mapping.bone(joint)}
    local, rest = rest_from_parent(take), take.rest.copy()
    for bone, parent in enumerate(take.parents):
        offset = scales.get(joint_of.get(_next_mapped(take, bone, joint_of), ""), 1.0) * local[bone, :3, 3]
        rest[bone, :3, 3] = offset if parent < 0 else rest[parent, :3, 3] + rest[parent, :3, :3] @ offset
    return replace(take, rest=rest)


def _next_mapped(take: RigTake, bone: int, joint_of: dict[str, str]) -> str:
    """The bone itself or the first mapped one below it: a bone between two joints grows with the lower one."""
    while take.names[bone] not in joint_of and (take.parents == bone).any():
        bone = int(np.flatnonzero(take.parents == bone)[0])
    return take.names[bone]


def hip_centre(take: RigTake, clip: RigClip) -> np.ndarray:
    bones = [take.names.index(clip.mapping.bone(f"{side}_hip")) for side in ("left", "right")]
    return pose_matrices(take)[..., :3, 3][:, bones].mean(axis=1)


def performed_by(scales: dict[str, float], clip: RigClip) -> RigTake:
    """The clip on a body with its feet where they should be, and then the jitter."""
    take = reshaped(clip.take, clip, scales)
    rests = [each.rest[[each.names.index(clip.mapping.bone(j)) if clip.mapping.bone(j) else 0 for j in JOINTS], :3, 3]
             for each in (take, clip.take)]  # fmt: skip
    ratio = normalise.leg_length(rests[0]) / normalise.leg_length(rests[1])
    pelvis, location = take.names.index(clip.mapping.bone("pelvis")), take.location.copy()
    away = ratio * hip_centre(clip.take, clip) - hip_centre(take, clip)
    axes = location_axes(take, pose_matrices(take), rest_from_parent(take), pelvis)
    location[:, pelvis] += np.linalg.solve(axes, away[..., None])[..., 0]
    return shaken(replace(take, location=location))


@pytest.fixture(scope="module")
def adult(clip, prior) -> np.ndarray:
    return cleaned(shaken(clip.take), clip, prior).rotation


BODIES = {body: scales for body, scales in SCALES.items() if body not in ("adult", "short_legs")}
BODIES |= {
    "short_legs": {name: 0.7 for name in JOINTS if name.endswith(("knee", "ankle"))},
    "halved_legs": SCALES["short_legs"],
}


@pytest.mark.parametrize("body", BODIES)
def test_proportions_do_not_matter(clip, prior, adult, body):
    """Legs half as long make twice as much of how the hips shake about the pelvis: there 97 % of all bones and frames.

    The hips are scaled by the length of the legs, so that resting feet rest on the model, too.
    """
    dirty = performed_by(BODIES[body], clip)
    result = cleaned(dirty, clip, prior)
    bones = mapped(dirty, clip)
    changed = np.degrees(rot.angle_between(result.rotation, dirty.rotation))[:, bones]
    apart = np.degrees(rot.angle_between(result.rotation, adult))[:, bones]
    assert changed.mean() > 1.0
    assert np.percentile(apart, 97 if body == "halved_legs" else 100) < 1.0
