"""What holds on any take, with the shipped prior: keys the animator keeps, any rate and length, no flips, no seams."""

from dataclasses import replace

import numpy as np
import pytest

from pads_blender.core import rotations as rot
from pads_blender.core.mapping import Mapping
from pads_blender.core.retarget import to_model
from pads_blender.core.rig import RigTake, world_matrices
from pads_blender.core.skeleton import JOINTS, MODEL
from pads_blender.diffusion.prior import load_prior
from pads_blender.tasks.clean import CleanSettings, clean_take
from pads_blender.tasks.complete import HiddenBones
from pads_blender.tasks.kept import Kept, pass_through
from pads_blender.training.data import load_rig_clips

from ..core.bodies import build_take, random_motion

SETTINGS = CleanSettings()


@pytest.fixture(scope="module")
def prior():
    return load_prior("motion", threads=1)


@pytest.fixture(scope="module")
def performed(shared_data):
    """Eight seconds of a validation subject on its own skeleton."""
    clip = next(c for c in load_rig_clips(shared_data / "mocap" / "train" / "cmu_137.npz") if c.name == "137_35")
    return cut(clip.take, 0, 240), clip.mapping


def cut(take: RigTake, first: int, last: int) -> RigTake:
    return replace(take, **{n: getattr(take, n)[first:last] for n in ("location", "rotation", "scale", "frames")})


def jittered(take: RigTake, degrees: float = 3.0, metres: float = 0.01) -> RigTake:
    rng = np.random.default_rng(0)
    noise = rng.normal(0.0, np.radians(degrees), (*take.rotation.shape[:2], 3))
    location = take.location.copy()
    location[:, 0] += rng.normal(0.0, metres, location[:, 0].shape)
    return replace(take, rotation=rot.multiply(take.rotation, rot.from_rotation_vector(noise)), location=location)


def keep(take: RigTake, frames: list[int], bones: list[int] | slice = slice(None)) -> Kept:
    kept = np.zeros(take.rotation.shape[:2], bool)
    kept[np.array(frames)[:, None], np.arange(kept.shape[1])[bones]] = True
    return Kept(kept, kept)


def bends(take: RigTake) -> np.ndarray:
    """Second differences (F - 2, B) of the bones' rotations, radians."""
    steps = rot.to_rotation_vector(rot.multiply(take.rotation[1:], rot.inverse(take.rotation[:-1])))
    return np.linalg.norm(np.diff(steps, axis=0), axis=-1)


# --- keys that the animator keeps -------------------------------------------------------------------------------------


def test_a_kept_pose_is_passed_exactly_and_its_neighbours_flow_into_it(performed, prior):
    take, mapping = performed
    dirty, frames = jittered(take), [60, 61, 130, 200]
    cleaned, _ = clean_take(dirty, mapping, SETTINGS, prior, kept=keep(dirty, frames))
    np.testing.assert_allclose(cleaned.rotation[frames], dirty.rotation[frames], atol=1e-12)
    np.testing.assert_allclose(cleaned.location[frames], dirty.location[frames], atol=1e-12)
    near = np.concatenate([np.arange(f - 9, f + 8) for f in (130, 200)])  # second difference f is about frame f + 1
    elsewhere = bends(cleaned)[np.r_[10:45, 80:110, 150:180]].mean()
    assert bends(cleaned)[near].mean() < 2.0 * elsewhere < 0.5 * bends(dirty).mean()


def test_a_kept_pose_that_the_animator_put_right_pulls_its_neighbours(performed, prior):
    take, mapping = performed
    dirty, frame = jittered(take, 6.0), 120
    dirty.rotation[frame], dirty.location[frame] = take.rotation[frame], take.location[frame]
    bones = [take.names.index(j.bone) for j in mapping.joints.values() if j]
    errors = []
    for kept in (None, keep(dirty, [frame])):
        cleaned, _ = clean_take(dirty, mapping, SETTINGS, prior, kept=kept)
        beside = [frame - 2, frame - 1, frame + 1, frame + 2]
        errors.append(rot.angle_between(cleaned.rotation[beside], take.rotation[beside])[:, bones].mean())
    assert errors[1] < 0.9 * errors[0]


def test_a_held_bone_never_turns_and_what_hangs_on_it_still_gets_clean(performed, prior):
    take, mapping = performed
    dirty, chest = jittered(take), take.names.index(mapping.joints["chest"].bone)
    kept = keep(dirty, list(range(240)), [chest])
    cleaned, _ = clean_take(dirty, mapping, SETTINGS, prior, kept=Kept(kept.rotation, np.zeros_like(kept.location)))
    np.testing.assert_allclose(cleaned.rotation[:, chest], dirty.rotation[:, chest], atol=1e-12)
    truth, before, after = (to_model(t, mapping)[0].positions for t in (take, dirty, cleaned))
    arms = [8, 9, 12, 13]
    relative = [p[:, arms] - p[:, [7, 8, 11, 12]] for p in (truth, before, after)]
    jitter = [np.linalg.norm(np.diff(r, 2, axis=0), axis=-1).mean() for r in relative]
    assert jitter[2] < 0.5 * jitter[1]


def test_kept_frames_are_exact_beside_each_other_and_beyond_them_nothing_changes():
    before, after = (build_take(*random_motion(200, seed=seed))[0] for seed in (1, 2))
    kept = keep(before, [0, 50, 53, 120, 121, 199], [3, 7])
    led = pass_through(before, after, kept)
    np.testing.assert_array_equal(led.rotation[kept.rotation], before.rotation[kept.rotation])
    np.testing.assert_array_equal(led.location[kept.location], before.location[kept.location])
    far = np.r_[20:40, 70:110, 135:185]
    np.testing.assert_allclose(led.rotation[far], after.rotation[far], atol=1e-12)
    assert np.array_equal(led.rotation[:, [0, 1, 2, 4]], after.rotation[:, [0, 1, 2, 4]])
    steps = rot.angle_between(led.rotation[1:], led.rotation[:-1])
    apart = rot.angle_between(before.rotation, after.rotation)[:, [3, 7]].max()
    assert steps[:, [3, 7]].max() < 0.6 * apart  # spread over frames, no leap


# --- rotations that positions do not show -----------------------------------------------------------------------------


def twisting(frames: int, degrees: float, joint: str = "left_elbow") -> tuple[RigTake, Mapping, int]:
    """A moving body whose forearm twists about itself; the take, its mapping and the bone."""
    local, root = random_motion(frames, seed=3)
    number, child = JOINTS.index(joint), JOINTS.index(joint) + 1
    axis = MODEL.offsets[child] / np.linalg.norm(MODEL.offsets[child])
    angle = degrees * 0.5 * (1.0 - np.cos(np.pi * np.arange(frames) / (frames - 1)))
    local[:, number] = rot.multiply(local[:, number], rot.from_rotation_vector(np.radians(angle)[:, None] * axis))
    take, mapping = build_take(local, root)
    return take, mapping, take.names.index(joint)


def twist_degrees(take: RigTake, bone: int, child: int) -> np.ndarray:
    """Twist (F,) of a bone about its own axis, unwrapped from the first frame."""
    axis = rot.rotate(rot.from_matrix(take.rest[bone, :3, :3].T), take.rest[child, :3, 3] - take.rest[bone, :3, 3])
    axis = np.broadcast_to(axis / np.linalg.norm(axis), (len(take.frames) - 1, 3))
    steps = rot.multiply(rot.inverse(take.rotation[:-1, bone]), take.rotation[1:, bone])
    return np.degrees(np.concatenate([[0.0], np.cumsum(rot.twist_angle(steps, axis))]))


@pytest.mark.parametrize(("frames", "degrees"), [(150, 300.0), (150, -300.0), (100, 300.0)])
def test_a_twisting_forearm_hidden_in_the_middle_twists_on(prior, frames, degrees):
    take, mapping, bone = twisting(frames, degrees)
    first = frames // 2 - 20
    lost = HiddenBones(("left_elbow",), first + 1.0, first + 40.0)
    broken = replace(take, rotation=take.rotation.copy())
    broken.rotation[first : first + 40, bone] = broken.rotation[first, bone]
    cleaned, _ = clean_take(broken, mapping, replace(SETTINGS, complete=(lost,)), prior)
    twist = twist_degrees(cleaned, bone, take.names.index("left_wrist"))
    true = twist_degrees(take, bone, take.names.index("left_wrist"))
    steps = np.diff(twist) * np.sign(degrees)
    inside = steps[first - 2 : first + 42]
    assert inside.min() > -0.5 and inside.max() < 2.0 * np.abs(np.diff(true)).max()
    assert twist[-1] == pytest.approx(true[-1], abs=15.0)  # no turn too many or too few
    assert np.abs(twist - true)[first : first + 40].max() < 25.0


def test_hands_and_head_keep_their_measured_orientation(performed, prior):
    take, mapping = performed
    dirty = jittered(take)
    cleaned, _ = clean_take(dirty, mapping, SETTINGS, prior)
    bones = [take.names.index(mapping.joints[j].bone) for j in ("head", "left_wrist", "right_wrist")]
    world = [rot.from_matrix(world_matrices(t)[:, bones, :3, :3]) for t in (take, dirty, cleaned)]
    before, after = (np.degrees(rot.angle_between(w, world[0])) for w in world[1:])
    assert (after.mean(axis=0) < 0.75 * before.mean(axis=0)).all()
    assert np.percentile(after, 99) < np.percentile(before, 99)
    untouched, _ = clean_take(take, mapping, SETTINGS, prior)
    turned = np.degrees(rot.angle_between(rot.from_matrix(world_matrices(untouched)[:, bones, :3, :3]), world[0]))
    assert turned.mean() < 2.0
