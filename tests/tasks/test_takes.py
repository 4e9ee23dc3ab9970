"""What holds on any take, with the shipped prior: keys the animator keeps, any rate and length, no flips, no seams."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from pads_blender.core import rotations as rot
from pads_blender.core.bvh import read_bvh
from pads_blender.core.mapping import Mapping
from pads_blender.core.mapping_guess import guess_mapping
from pads_blender.core.metrics import jitter, mpjpe
from pads_blender.core.motion import Motion
from pads_blender.core.retarget import rig_positions, to_model
from pads_blender.core.rig import RigTake, world_matrices
from pads_blender.core.skeleton import JOINTS, MODEL
from pads_blender.diffusion.prior import load_prior
from pads_blender.tasks import pieces
from pads_blender.tasks.clean import CleanSettings, clean_motion, clean_take
from pads_blender.tasks.complete import HiddenBones
from pads_blender.tasks.kept import Kept, pass_through
from pads_blender.training.data import bvh_take, load_rig_clips
from pads_blender.training.rig_suites import to_and_fro

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


# --- any frame rate ---------------------------------------------------------------------------------------------------


def at_rate(take: RigTake, fps: float) -> RigTake:
    """The take at another frame rate, on a smooth curve through its own frames."""
    seconds = np.arange(len(take.frames)) / take.fps
    wanted = np.arange(0.0, seconds[-1], 1.0 / fps)
    rotation = rot.normalise(CubicSpline(seconds, rot.make_continuous(take.rotation))(wanted))
    channels = {name: CubicSpline(seconds, getattr(take, name))(wanted) for name in ("location", "scale")}
    return replace(take, rotation=rotation, frames=np.arange(1.0, len(wanted) + 1), fps=fps, **channels)


def positions_of(take: RigTake, mapping: Mapping) -> np.ndarray:
    return to_model(take, mapping)[0].positions


@pytest.fixture(scope="module")
def ratios_at_thirty(performed, prior):
    take, mapping = performed
    return noise_ratios(cut(take, 0, 150), mapping, prior, 30.0)


def noise_ratios(take: RigTake, mapping: Mapping, prior, fps: float) -> tuple[float, float]:
    """Error after cleaning as a share of the error before: 20 mm on positions, and 3 degrees of jitter on the bones."""
    take = at_rate(take, fps)
    truth, dirty = positions_of(take, mapping), jittered(take)
    noisy = truth + np.random.default_rng(1).normal(0.0, 0.02, truth.shape)
    motion = clean_motion(Motion(noisy, np.ones(truth.shape[:2], bool), fps), SETTINGS, prior)
    cleaned, _ = clean_take(dirty, mapping, SETTINGS, prior)
    assert cleaned.fps == fps and len(cleaned.frames) == len(take.frames)
    by_bones = mpjpe(positions_of(cleaned, mapping), truth) / mpjpe(positions_of(dirty, mapping), truth)
    return mpjpe(motion.positions, truth) / mpjpe(noisy, truth), by_bones


@pytest.mark.parametrize("fps", [12.0, 24.0, 25.0, 50.0, 60.0, 100.0, 120.0, 240.0])
def test_noise_is_removed_at_any_rate_about_as_well_as_at_thirty(performed, prior, ratios_at_thirty, fps):
    take, mapping = performed
    ratios = noise_ratios(cut(take, 0, 150), mapping, prior, fps)
    fewer = max(1.0, np.sqrt(30.0 / fps))  # half as many frames a second average noise down by a root of two less
    assert (np.array(ratios) < 1.1 * fewer * np.array(ratios_at_thirty)).all()


@pytest.mark.parametrize("fps", [24.0, 60.0, 120.0, 240.0])
def test_a_clean_take_stays_at_any_rate(performed, prior, fps):
    take, mapping = performed
    smooth = at_rate(cut(take, 0, 150), fps)
    cleaned, _ = clean_take(smooth, mapping, SETTINGS, prior)
    change = 1000.0 * np.linalg.norm(positions_of(cleaned, mapping) - positions_of(smooth, mapping), axis=-1)
    assert change.mean() < 2.0 and np.percentile(change, 99) < 10.0


@pytest.mark.parametrize("frames", [10, 20])
def test_a_punch_at_120_frames_a_second_keeps_its_peak(performed, prior, frames):
    """Half of the way out and back takes 40 or 80 ms; within 3 % of the peak, and at most one frame beside it."""
    take, mapping = performed
    slow, bone = at_rate(cut(take, 0, 180), 120.0), take.names.index(mapping.joints["left_shoulder"].bone)
    swing = np.radians(60.0) * np.sin(np.linspace(0.0, np.pi, frames)) ** 2
    punch, rows = replace(slow, rotation=slow.rotation.copy()), slice(300, 300 + frames)
    turned = rot.from_rotation_vector(swing[:, None] * np.array([0.0, 0.0, 1.0]))
    punch.rotation[rows, bone] = rot.multiply(turned, punch.rotation[rows, bone])
    cleaned, _ = clean_take(punch, mapping, SETTINGS, prior)
    wrist = JOINTS.index("left_wrist")
    base, true, kept = (positions_of(t, mapping)[rows, wrist] for t in (slow, punch, cleaned))
    peak = np.linalg.norm(true - base, axis=-1)
    reached = np.linalg.norm(kept - base, axis=-1)
    assert peak.max() > 0.4 and reached.max() > 0.97 * peak.max()
    assert abs(int(reached.argmax()) - int(peak.argmax())) <= 1


# --- any length -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def long_take(shared_data):
    """A minute of a validation subject's longest clip, to and fro; with jitter, and as it was."""
    clip = next(c for c in load_rig_clips(shared_data / "mocap" / "train" / "cmu_137.npz") if c.name == "137_37")
    truth = to_and_fro(clip.take, 1800)
    return jittered(truth), clip.mapping, truth


@pytest.fixture(scope="module")
def cleaned_long_take(long_take, prior):
    dirty, mapping, _ = long_take
    return clean_take(dirty, mapping, SETTINGS, prior)[0]


def jerk(take: RigTake, mapping: Mapping) -> np.ndarray:
    """Third differences (F - 3,) of the joints' positions, millimetres a frame cubed, averaged over the joints."""
    return 1000.0 * np.linalg.norm(np.diff(positions_of(take, mapping), 3, axis=0), axis=-1).mean(axis=1)


def test_windows_leave_no_seam(long_take, cleaned_long_take):
    """By the place in the grid of windows: below the motion's own jerk, and hardly less even than it by chance is."""
    _, mapping, truth = long_take
    own, left = (np.median(jerk(t, mapping)[: 32 * 55].reshape(-1, 32), axis=0) for t in (truth, cleaned_long_take))
    assert left.max() < own.mean()
    assert left.max() / left.mean() < 1.25 * own.max() / own.mean()


def test_pieces_leave_no_seam_and_change_little(long_take, cleaned_long_take, prior, monkeypatch):
    dirty, mapping, _ = long_take
    monkeypatch.setattr(pieces, "LONGEST", 700)
    steps = []
    parts, _ = clean_take(dirty, mapping, SETTINGS, prior, lambda step, count: steps.append(step / count))
    overlaps = pieces.split(0, 1800)[1:]
    assert len(overlaps) == 3 and steps == sorted(steps) and steps[-1] == 1.0
    assert np.max(np.diff(steps)) < 0.08  # what comes after the prior counts, too
    third = jerk(parts, mapping)
    inside = np.concatenate([np.arange(o.start, o.start + pieces.OVERLAP) for o in overlaps])
    assert third[inside].mean() < 1.2 * np.delete(third, inside).mean()
    apart = np.linalg.norm(positions_of(parts, mapping) - positions_of(cleaned_long_take, mapping), axis=-1)
    assert 1000.0 * apart.mean() < 2.0


@pytest.mark.parametrize("frames", [1, 255, 256, 2047, 2048, 2049, 3840, 3841, 100_000])
def test_pieces_cover_the_take_and_overlap(frames):
    busy = np.zeros(frames + 10, bool)
    busy[1900:1960] = True
    parts = pieces.split(10, frames + 10, busy)
    assert (parts[0].start, parts[-1].stop) == (10, frames + 10)
    assert all(part.stop - part.start <= pieces.LONGEST + 2 * pieces.OVERLAP for part in parts)
    for before, after in itertools.pairwise(parts):
        assert before.stop - after.start == pieces.OVERLAP and before.start < after.start
        assert not busy[after.start : before.stop].any()


# --- what is fine stays where it is -----------------------------------------------------------------------------------


def test_hands_that_touch_the_body_stay_on_it(shared_data, prior):
    """The wrists of clean takes while they are near pelvis, knees or head: their distance stays within millimetres."""
    near, moved = 0, []
    for clip in load_rig_clips(shared_data / "mocap" / "train" / "cmu_137.npz"):
        take = cut(clip.take, 0, 300)
        before, after = (
            positions_of(t, clip.mapping) for t in (take, clean_take(take, clip.mapping, SETTINGS, prior)[0])
        )
        for wrist in MODEL.indices("left_wrist", "right_wrist"):
            for other in MODEL.indices("pelvis", "head", "left_knee", "right_knee", "left_hip", "right_hip"):
                old, new = (np.linalg.norm(p[:, wrist] - p[:, other], axis=-1) for p in (before, after))
                moved.append(1000.0 * np.abs(new - old)[old < 0.2])
                near += int((old < 0.2).sum())
    moved = np.concatenate(moved)
    assert near > 100 and moved.mean() < 2.0 and np.percentile(moved, 99) < 8.0


# --- takes as captured ------------------------------------------------------------------------------------------------


def rig_take(shared_data, name: str, frames: int = 400) -> tuple[RigTake, Mapping]:
    whole = bvh_take(read_bvh(shared_data / "rigs" / name))
    take = cut(whole, 0, min(frames, len(whole.frames)))
    return take, guess_mapping(take.names, take.parents, (take.world_from_armature @ take.rest)[:, :3, 3])


def test_a_bone_between_two_that_are_hidden_is_bridged_with_them(shared_data, prior):
    """CMU's hands lie between forearm and finger base: a whole frozen arm comes back without a snap of the hand."""
    take, mapping = rig_take(shared_data, "cmu_cgspeed_motionbuilder.bvh", 200)
    arm = [take.names.index(f"Left{name}") for name in ("Arm", "ForeArm", "Hand", "FingerBase")]
    assert mapping.bone("left_wrist") == "LeftFingerBase"
    rotation = take.rotation.copy()
    rotation[80:110, arm] = rotation[80, arm]
    filled = HiddenBones(("LeftArm", "LeftForeArm", "LeftFingerBase"), *take.frames[[80, 109]])
    frozen = replace(take, rotation=rotation)
    after, _ = clean_take(frozen, mapping, replace(SETTINGS, complete=(filled,)), prior)
    snap, left = (rot.angle_between(*each.rotation[[109, 110]][:, arm[2]]) for each in (frozen, after))
    assert snap > np.radians(20.0) and left < 0.25 * snap


def joint_jitter(take: RigTake, mapping: Mapping, *versions: RigTake) -> np.ndarray:
    """Jitter (V, J) of every joint of the rig, on its own proportions."""
    residual = to_model(take, mapping)[1]
    joints = np.flatnonzero(residual.bones >= 0)
    paths = [rig_positions(residual, version) for version in versions]
    return np.array([[jitter(path[:, [joint]], take.fps) for joint in joints] for path in paths])


@pytest.fixture(
    scope="module",
    params=[
        "cmu_cgspeed_daz.bvh",
        "custom_fk_jnt.bvh",
        "hik_fingers_60.bvh",
        "hik_spine3_24.bvh",
        "motionbuilder_hik_minimal.bvh",
        "motive_minimal_spine.bvh",
        "optitrack_arena.bvh",
        "perception_neuron.bvh",
        "reallusion_cc_base.bvh",
        "rokoko_smartsuit.bvh",
        "xsens_like_chest.bvh",
    ],
)
def captured(request, shared_data, prior):
    """A real take, its mapping, and what Clean makes of it."""
    take, mapping = rig_take(shared_data, request.param)
    return take, mapping, clean_take(take, mapping, SETTINGS, prior)[0]


def test_no_bone_of_a_captured_rig_turns_in_larger_steps_than_before(captured):
    """Within two frames on either side of it, and but for 3 degrees: no flip anywhere, twist bones and fingers too."""
    take, _, cleaned = captured
    before, after = (np.degrees(rot.angle_between(t.rotation[1:], t.rotation[:-1])) for t in (take, cleaned))
    nearby = np.max([np.roll(before, shift, axis=0) for shift in range(-2, 3)], axis=0)
    assert (after <= 1.5 * nearby + 3.0).all()


def test_no_joint_of_a_captured_rig_shakes_more_than_before(captured):
    """At the take's own rate; perception_neuron moves every bone, so that its joints are quieter than its turns."""
    take, mapping, cleaned = captured
    before, after = joint_jitter(take, mapping, take, cleaned)
    assert (after <= 1.05 * before).all()


@pytest.mark.parametrize(("name", "noise"), [("optitrack_arena.bvh", 0.0), ("perception_neuron.bvh", 3.0)])
def test_a_captured_rig_that_shakes_does_so_far_less(shared_data, prior, name, noise):
    """An optical take as it came, and a nearly quiet one of which every bone was shaken."""
    take, mapping = rig_take(shared_data, name, 250)
    noisy = jittered(take, noise, metres=0.0)
    before, after = joint_jitter(take, mapping, noisy, clean_take(noisy, mapping, SETTINGS, prior)[0])
    assert after.mean() < 0.55 * before.mean() and np.median(after / before) < 0.55
