"""The benchmark measures what it says: on two tiny clips, with a prior whose answers are known."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

pytest.importorskip("scipy")

from pads_blender.core import metrics
from pads_blender.core import rotations as rot
from pads_blender.core.bvh import local_rotations, parse_bvh, read_bvh
from pads_blender.core.bvh_plain import importable_text
from pads_blender.core.heading import turned, without_heading
from pads_blender.core.normalise import torso_frames
from pads_blender.core.skeleton import MODEL
from pads_blender.diffusion.schedule import ddpm_schedule
from pads_blender.paths import bundled_models_dir
from pads_blender.training import (
    bench,
    bvh_clips,
    command_line,
    corruption,
    evaluate,
    fill_study,
    jitter_suites,
    noise_suites,
    poses,
    prior_report,
    rig_suites,
    suites,
)
from pads_blender.training.scores import RAW

from . import clips


@dataclass(frozen=True)
class SlowMotion:
    """The prior of one who believes that nothing moves faster than a second or so: a blur along time."""

    kind: str = "motion"

    def denoise(self, x: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        width = int(np.clip(np.mean(np.where(np.isfinite(sigma), sigma, 0.0)) / 0.004, 0, 8))
        padded = np.pad(x, ((0, 0), (width, width), (0, 0), (0, 0)), mode="edge")
        return np.mean([padded[:, i : i + x.shape[1]] for i in range(2 * width + 1)], axis=0)


@dataclass(frozen=True)
class Setup(bench.Setup):
    """The real setup with that prior."""

    def open_prior(self, threads: int | None = None) -> SlowMotion:
        return SlowMotion()


@dataclass(frozen=True)
class GaussianPose:
    """Poses whose coordinates are independent, of this standard deviation in metres."""

    spread: float = 0.1
    unit: float = 0.31

    def denoise(self, x: np.ndarray, sigma: float) -> np.ndarray:
        return x * self.spread**2 / (self.spread**2 + sigma**2)


@pytest.fixture(scope="module")
def setup(tmp_path_factory) -> Setup:
    return Setup(clips.write_folder(tmp_path_factory.mktemp("mocap")), seeds=2)


def score(case: str, clip: str, seed: int, ours: float, other: float) -> bench.Score:
    return bench.Score(case, clip, seed, {bench.OURS: ours, "other": other}, {})


# --- means, intervals, tables -----------------------------------------------------------------------------------------


def test_a_summary_averages_seeds_before_clips_and_names_what_was_lost():
    scores = [score("c", "a", 0, 1.0, 2.0), score("c", "a", 1, 3.0, 4.0), score("c", "b", 0, 7.0, 5.0)]
    (summary,) = bench.summarise(scores, "other")
    assert summary.clips == 2
    assert summary.means == {bench.OURS: (2.0 + 7.0) / 2, "other": (3.0 + 5.0) / 2}
    assert summary.ratio == pytest.approx(4.5 / 4.0)
    assert summary.lost == {"b": (7.0, 5.0)}


def test_intervals_cover_the_mean_and_vanish_without_spread():
    rng = np.random.default_rng(1)
    scores = [score("c", str(i), 0, x, 2.0) for i, x in enumerate(rng.normal(10.0, 2.0, 100))]
    (summary,) = bench.summarise(scores, "other")
    low, high = summary.intervals[bench.OURS]
    assert low < summary.means[bench.OURS] < high
    assert high - low == pytest.approx(2 * 1.96 * 2.0 / 10.0, rel=0.25)  # standard error of 100 draws
    assert summary.intervals["other"] == (2.0, 2.0)


def test_one_clip_has_no_interval():
    (summary,) = bench.summarise([score("c", "a", 0, 1.0, 2.0)], "other")
    assert summary.ratio_interval is None


def test_segments_of_a_clip_stand_or_fall_together():
    """Every segment counts alike in the mean; a clip of many identical segments is still one draw of the bootstrap."""
    scores = [score("c", f"a from {i}", 0, 1.0, 2.0) for i in range(90)]
    scores += [score("c", f"b from {i}", 0, 4.0, 2.0) for i in range(10)]
    (summary,) = bench.summarise(scores, "other")
    assert (summary.clips, summary.segments) == (2, 100)
    assert summary.means[bench.OURS] == pytest.approx(1.3)
    assert summary.intervals[bench.OURS] == (1.0, 4.0)  # a quarter of the draws has only a, a quarter only b
    assert len(summary.lost) == 10


def test_measures_are_averaged_as_the_values_are():
    scores = [
        bench.Score("c", clip, seed, {bench.OURS: 1.0}, {}, {"jerk": {bench.OURS: jerk}})
        for clip, seed, jerk in (("a", 0, 1.0), ("a", 1, 3.0), ("b", 0, 5.0))
    ]
    (summary,) = bench.summarise(scores, None)
    assert summary.measures == {"jerk": {bench.OURS: 3.5}}
    suite = bench.Suite("tiny", "Made up.", "mm", None, lambda setup: [])
    assert "| c | jerk | 3.50 |" in bench.markdown(suite, scores)


def test_the_table_shows_cases_ratio_and_losses():
    suite = bench.Suite("tiny", "Made up.", "mm", "other", lambda setup: [])
    lost = [score("c", f"bad{i}", 0, 3.0 + i, 2.0) for i in range(5)]
    text = bench.markdown(suite, [score("c", "good", 0, 1.0, 2.0), *lost])
    assert "| case | clips | PADS | other | PADS / other | lost |" in text
    assert "2.17 [" in text  # the ratio
    assert "5 of 6" in text
    assert "Lost, c: 5; the worst (PADS, other): bad4 (7.00, 2.00), bad3 (6.00, 2.00), bad2 (5.00, 2.00)." in text


def test_goals_stand_beside_the_cases_that_have_one():
    suite = bench.Suite("tiny", "Made up.", "mm", "other", lambda setup: [], {"c": 0.7})
    text = bench.markdown(suite, [score("c", "a", 0, 1.0, 2.0), score("d", "a", 0, 1.0, 2.0)])
    assert "| lost | goal |" in text
    assert "| c | 1 | 1.00 | 2.00 | 0.50 | 0 of 1 | 0.7 |" in text
    assert "| d | 1 | 1.00 | 2.00 | 0.50 | 0 of 1 |  |" in text


# --- segments ---------------------------------------------------------------------------------------------------------


def test_segments_overlap_by_half_and_short_clips_are_whole(setup):
    names = [segment.name for segment in setup.segments(40)]  # clips of 90 and 100 frames
    assert names == [f"0_one from {start}" for start in (0, 20, 40)] + [f"0_two from {s}" for s in (0, 20, 40, 60)]
    assert [len(s.positions) for s in setup.segments(95)] == [90, 95]
    whole = {clip.name: clip.positions for clip in setup.clips}
    assert np.array_equal(setup.segments(40)[2].positions, whole["0_one"][40:80])


def test_segments_of_rigs_are_the_same_ones(setup):
    rigs, models = setup.rig_segments(40, 100), setup.segments(40)
    assert [segment.name for segment in rigs] == [segment.name for segment in models]
    take, whole = rigs[3].take, setup.rig_clips[1].take
    assert np.array_equal(take.rotation, whole.rotation[:40]) and np.array_equal(take.frames, whole.frames[:40])
    assert [s.name for s in setup.rig_segments(40, 3)] == [models[i].name for i in (0, 3, 6)]


# --- corruption -------------------------------------------------------------------------------------------------------


def test_damage_depends_on_clip_and_seed_alone():
    draw = [
        corruption.generator(clip, seed).standard_normal() for clip, seed in (("a", 0), ("a", 0), ("a", 1), ("b", 0))
    ]
    assert draw[0] == draw[1]
    assert len(set(draw)) == 3


def test_a_limit_changes_no_clip(setup, monkeypatch):
    monkeypatch.setattr(noise_suites, "GAUSS_CASES", ((0.02, 60),))
    every = {s.clip: s for s in noise_suites.gauss(bench.replace(setup, seeds=1)) if s.case == "20 mm, 60 frames"}
    (one,) = (s for s in noise_suites.gauss(bench.replace(setup, seeds=1, limit=1)) if s.case == "20 mm, 60 frames")
    assert one == every[one.clip]


def test_rotation_jitter_has_its_size_about_every_axis(setup):
    take = setup.rig_clips[0].take
    jittered = corruption.rotation_jitter(take, 3.0, np.random.default_rng(0))
    turn = rot.to_rotation_vector(rot.multiply(rot.inverse(take.rotation), jittered.rotation))
    assert np.degrees(turn.std(axis=(0, 1))) == pytest.approx([3.0, 3.0, 3.0], rel=0.05)
    assert np.array_equal(jittered.location, take.location)


# --- clips as BVH -----------------------------------------------------------------------------------------------------


def test_a_clip_written_as_bvh_has_its_joints_where_they_were(setup, tmp_path):
    clip = setup.rig_clips[0]
    bvh_clips.write_clip(clip.take, tmp_path / "clip.bvh")
    bvh = read_bvh(tmp_path / "clip.bvh")
    names = [entry.bone for entry in clip.mapping.joints.values() if entry.bone in bvh.names]
    assert len(names) == 21  # the top of the head is an End Site
    world = bvh_clips.joint_positions(clip.take, clip)[:, [j != "head_top" for j in clip.mapping.joints]]
    turned = rot.rotate(rot.from_matrix(clip.take.world_from_armature[:3, :3]), bvh_clips.positions_metres(bvh, names))
    assert np.abs(turned - world).max() < 1e-6  # nine digits of centimetres
    assert bvh.frame_time == pytest.approx(1 / 30)


def test_joints_stand_in_the_file_in_the_order_of_its_rows(setup):
    """The hierarchy is written depth first; so must the columns be."""
    take = setup.rig_clips[0].take
    shuffled = [0, 11, 1, 6, 2, 12, 7, 13, 3, 8, 14, 16, 21, *[i for i in range(len(take.names)) if i in (4, 5, 9, 10)]]
    shuffled += [i for i in range(len(take.names)) if i not in shuffled]
    place = {bone: row for row, bone in enumerate(shuffled)}
    mixed = bench.replace(
        take,
        names=tuple(take.names[i] for i in shuffled),
        parents=np.array([place.get(int(take.parents[i]), -1) for i in shuffled]),
        rest=take.rest[shuffled],
        rotation=take.rotation[:, shuffled],
        location=take.location[:, shuffled],
        scale=take.scale[:, shuffled],
    )
    read = parse_bvh(importable_text(bvh_clips.bvh_of(mixed)))
    names = ["LeftToeBase", "RightFingerBase", "Head"]
    expected = bvh_clips.positions_metres(bvh_clips.bvh_of(take), names)
    assert np.abs(bvh_clips.positions_metres(read, names) - expected).max() < 1e-6


# --- suites -----------------------------------------------------------------------------------------------------------


def test_gauss_measures_the_noise_and_the_best_filter(setup, monkeypatch):
    monkeypatch.setattr(noise_suites, "GAUSS_CASES", ((0.02, 60), (0.1, 90)))
    scores = noise_suites.gauss(setup)
    assert len(scores) == 2 * sum(len(setup.segments(frames)) for _, frames in noise_suites.GAUSS_CASES)  # two seeds
    for each in scores:
        millimetres = float(each.case.partition(" mm")[0])
        # the mean length of a Gaussian vector in space is sigma sqrt(8 / pi)
        assert each.values[RAW] == pytest.approx(millimetres * np.sqrt(8 / np.pi), rel=0.05)
        assert each.values[noise_suites.FILTER] <= min(each.values[noise_suites.ONCE], each.values[RAW])
        assert each.values[bench.OURS] < each.values[RAW]
        for measure in each.measures.values():
            assert measure[RAW] > measure[noise_suites.FILTER]
        assert each.measures["bone-length drift, mm"][noise_suites.TRUTH] < 1e-3
    assert len({s.values[RAW] for s in scores}) == len(scores)


@pytest.mark.parametrize("name", [jitter_suites.PLACES, jitter_suites.ROTATION])
def test_channel_filters_are_scored_by_where_the_joints_end_up(setup, name):
    (clip,) = setup.rig_segments(60, 1)
    given, measure = jitter_suites.channels_of(clip, jitter_suites.jittered(clip, 0)), jitter_suites.MEASURES[name]
    sweep = jitter_suites.channel_sweep(given, measure)
    raw = measure(given, local_rotations(given.bvh), given.root)
    assert sweep["euler, none"] == pytest.approx(sweep["quaternion, none"])
    assert 0.8 * raw < sweep["euler, none"] < 1.001 * raw  # its root is filtered all the same
    assert min(sweep.values()) < 0.6 * raw
    for setting in ("euler, none", "quaternion, hampel 3 frames 3 sigmas, none", min(sweep, key=sweep.get)):
        assert jitter_suites.setting_error(given, measure, setting) == pytest.approx(sweep[setting])
    exact = jitter_suites.channel_sweep(jitter_suites.channels_of(clip, clip.take), measure)
    assert exact["euler, none"] < 1e-5 < 1.0 < exact["euler, hampel 8 frames 0 sigmas, none"]


def test_places_and_rotations_are_measured_as_they_are_named(setup):
    (clip,) = setup.rig_segments(60, 1)
    given = jitter_suites.channels_of(clip, jitter_suites.jittered(clip, 0))
    rotations = local_rotations(given.bvh)
    places = metrics.mpjpe(bvh_clips.positions_metres(given.bvh, given.joints), given.truth)
    assert jitter_suites.MEASURES[jitter_suites.PLACES](given, rotations, given.root) == pytest.approx(places)
    degrees = jitter_suites.MEASURES[jitter_suites.ROTATION](given, rotations, given.root)
    assert degrees == pytest.approx(np.sqrt(3) * jitter_suites.JITTER_DEGREES, rel=0.05)  # about three axes


def test_pops_come_on_top_of_the_jitter(setup):
    (clip,) = setup.rig_segments(90, 1)
    jittered, popped = jitter_suites.jittered(clip, 0), jitter_suites.popped(clip, 0)
    degrees = np.degrees(rot.angle_between(rot.normalise(jittered.rotation), rot.normalise(popped.rotation)))
    joints = [clip.take.names.index(entry.bone) for entry in clip.mapping.joints.values()]
    assert (degrees[:, joints] > 1.0).mean() == pytest.approx(0.02, abs=0.01)
    assert degrees[degrees > 1.0] == pytest.approx(35.0, abs=0.1)
    assert not np.delete(degrees, joints, axis=1).any() or np.delete(degrees, joints, axis=1).max() < 1e-3
    assert np.array_equal(jittered.location, popped.location)
    assert np.std((jittered.location - clip.take.location)[:, 0]) == pytest.approx(0.01, rel=0.2)


def test_a_lost_arm_that_did_not_move_is_found_by_interpolation(setup):
    errors = rig_suites._side_errors(setup, setup.rig_clips[0], "left", 0)
    assert errors[rig_suites.SLERP] < 0.1  # what 16-bit quaternions leave
    assert errors[RAW] > 10.0
    moving = rig_suites._side_errors(setup, setup.rig_clips[0], "right", 0)
    assert moving[rig_suites.SLERP] > 10.0


def test_all_bones_of_the_arm_are_lost(setup):
    assert bvh_clips.limb_bones(setup.rig_clips[0], "left_shoulder", "left_wrist") == clips.STILL_ARM


def test_the_change_of_clean_takes_is_that_of_the_worst_and_of_all(setup):
    scores = rig_suites.clean(setup)
    each = [s for s in scores if s.case == "each clip by itself"]
    (worst,) = (s for s in scores if s.case.startswith("worst"))
    assert worst.values["mean change"] == max(s.values["mean change"] for s in each)
    assert worst.clip in worst.case
    (together,) = (s for s in scores if s.clip == "all")
    low, high = sorted(s.values["mean change"] for s in each)
    assert low <= together.values["mean change"] <= high


def test_a_take_played_to_and_fro_has_no_leap(setup):
    take = setup.rig_clips[0].take
    long = rig_suites.to_and_fro(take, 400)
    assert len(long.frames) == len(long.rotation) == 400
    step = rot.angle_between(long.rotation[1:], long.rotation[:-1])
    assert step.max() <= rot.angle_between(take.rotation[1:], take.rotation[:-1]).max() + 1e-12


def test_speed_counts_frames_and_seconds(setup, monkeypatch):
    monkeypatch.setattr(rig_suites, "SPEED_FRAMES", (150, 300))
    scores = rig_suites.speed(setup)
    assert [s.case for s in scores] == ["150 frames, 1 thread(s)", "150 frames, 2 thread(s)", "300 frames, 2 thread(s)"]
    for each in scores:
        frames = float(each.case.split()[0])
        assert each.values["frames a second"] == pytest.approx(frames / each.values["seconds"])
        assert each.values["take's duration / time"] == pytest.approx(frames / 30.0 / each.values["seconds"])


def test_settings_are_chosen_on_other_subjects(setup):
    assert setup.tuning.split == "validation"
    assert not {c.name for c in setup.clips} & {c.name for c in setup.tuning.clips}


def test_the_benchmark_writes_scores_and_tables(setup, tmp_path, monkeypatch):
    monkeypatch.setattr(noise_suites, "GAUSS_CASES", ((0.02, 60),))
    chosen = [suites.SUITES[name] for name in ("gauss", "arm", "clean")]
    text = bench.run(setup, chosen, "the command", tmp_path / "results", stem="chosen")
    written = json.loads((tmp_path / "results" / "chosen.json").read_text())
    assert list(written["suites"]) == ["gauss", "arm", "clean"]
    assert len(written["suites"]["arm"]["scores"]) == 4
    assert written["suites"]["gauss"]["scores"][0]["chosen"][noise_suites.FILTER]
    assert "the command" in text and "2 corruption seed(s)" in text
    assert (tmp_path / "results" / "chosen.md").read_text().strip() == text


def test_jitter_runs_the_real_command_line(setup, tmp_path, capsys):
    """The whole way: BVH files, the command in its own process with staged priors, files read back, page filled."""
    pytest.importorskip("bpy")
    page = tmp_path / "page.md"
    page.write_text("Before.\n<!-- begin bench-motion -->\nold\n<!-- end bench-motion -->\nAfter.\n")
    models = bundled_models_dir()
    arguments = ["bench", "--data", str(setup.data), "--models", str(models), "--suite", "jitter", "--limit", "1"]
    evaluate.main([*arguments, "--out", str(tmp_path / "results"), "--page", str(page)])
    written = json.loads((tmp_path / "results" / "bench-motion-dev.json").read_text())
    scores = written["suites"]["jitter"]["scores"]
    assert [score["case"] for score in scores] == [jitter_suites.PLACES, jitter_suites.ROTATION]
    assert all(0.0 < score["values"][bench.OURS] < score["values"][RAW] for score in scores)
    text = page.read_text()
    assert text.startswith("Before.") and text.endswith("After.\n") and "old" not in text
    assert "**jitter**" in text and "**jitter**" in capsys.readouterr().out
    assert "--data DIR" in text and str(tmp_path) not in text  # a page for others names no folder of this machine
    assert (page.parent / "images" / "bench-motion-dev.png").is_file()


def test_the_command_line_takes_the_priors_it_is_told_to(setup, tmp_path):
    """Those in the folder, not the bundled ones: here there are none, and that is what it says."""
    pytest.importorskip("bpy")
    (tmp_path / "none").mkdir()
    bvh_clips.write_clip(setup.rig_clips[0].take, tmp_path / "clip.bvh")
    with pytest.raises(SystemExit, match=r"pads_motion\.json"):
        command_line.clean_files(
            bench.replace(setup, models=tmp_path / "none"), [tmp_path / "clip.bvh"], tmp_path / "out", 0
        )


def test_staged_priors_stand_beside_the_package(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "pads_pose.json").write_text("{}")
    root = command_line._staged(tmp_path / "stage", tmp_path / "mine")
    assert (root / "bundled_models" / "pads_pose.json").is_file()
    assert (root / "pads_blender" / "__main__.py").is_file()


# --- priors by themselves ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("spread", "steps", "narrow"), [(0.3, 1000, 0.996), (0.3, 250, 0.983), (0.1, 250, 0.959)])
def test_samples_have_the_priors_spread(spread, steps, narrow):
    """Up to what ancestral sampling loses in few steps; the shares are its recursion for a Gaussian, by hand."""
    prior = GaussianPose(spread)
    drawn = poses.draw_samples(prior, 400, ddpm_schedule(steps, prior.unit), np.random.default_rng(0))
    assert drawn.std() == pytest.approx(narrow * spread, rel=0.015)  # 26,000 numbers: 0.4 % each way


def test_the_error_of_a_known_denoiser():
    prior, rng = GaussianPose(), np.random.default_rng(0)
    real = prior.spread * rng.standard_normal((2000, 22, 3))
    for row in prior_report.pose_errors(prior, real, rng):
        sigma = row["sigma_mm"] / 1000
        expected = 1000 * np.sqrt(8 / np.pi) * sigma * prior.spread / np.hypot(sigma, prior.spread)
        assert row["after"] == pytest.approx(expected, rel=0.02)
        assert row["before"] == pytest.approx(1000 * np.sqrt(8 / np.pi) * sigma, rel=0.02)


def test_poses_without_heading_are_the_same_whichever_way_they_faced():
    rng = np.random.default_rng(0)
    real = MODEL.rest_positions + 0.05 * rng.standard_normal((6, 22, 3))
    away = turned(real, rng.uniform(-3, 3, 6))
    assert np.abs(without_heading(away) - without_heading(real)).max() < 1e-9
    rest = MODEL.rest_positions[None]
    assert np.abs(without_heading(rest) - rest).max() < 1e-9


def bent(joint: str, axis: tuple[float, float, float], degrees: float) -> np.ndarray:
    """The rest pose (1, J, 3) with what hangs below a joint turned about an axis."""
    pose = MODEL.rest_positions.copy()
    side, name = joint.split("_")
    below = MODEL.indices(*[f"{side}_{j}" for j in {"knee": ("ankle", "toe"), "elbow": ("wrist",)}[name]])
    turn = rot.from_rotation_vector(np.radians(degrees) * np.array(axis))
    pose[below] = pose[MODEL.index(joint)] + rot.rotate(turn, pose[below] - pose[MODEL.index(joint)])
    return pose[None]


@pytest.mark.parametrize(
    ("joint", "axis", "way", "side"),
    [
        ("left_knee", (-1.0, 0.0, 0.0), "knee forwards", 0),
        ("right_knee", (-1.0, 0.0, 0.0), "knee forwards", 1),
        ("left_knee", (0.0, -1.0, 0.0), "knee outwards", 0),
        ("right_knee", (0.0, 1.0, 0.0), "knee outwards", 1),
        ("right_knee", (0.0, -1.0, 0.0), "knee inwards", 1),
        ("left_elbow", (0.0, 0.0, 1.0), "elbow backwards", 0),
        ("right_elbow", (0.0, 0.0, -1.0), "elbow backwards", 1),
        ("left_elbow", (0.0, -1.0, 0.0), "elbow upwards", 0),
    ],
)
def test_a_limb_bent_the_wrong_way_by_a_known_angle(joint, axis, way, side):
    angles = poses.wrong_angles(bent(joint, axis, 30.0))
    assert np.degrees(angles[way][0, side]) == pytest.approx(30.0, abs=0.5)
    assert abs(np.degrees(angles[way][0, 1 - side])) < 0.5


def test_the_wrong_way_is_told_whatever_the_thigh_does():
    """Thigh raised forwards by 70 degrees, knee bent 40 degrees: backwards is right and forwards is wrong."""
    pose = MODEL.rest_positions.copy()
    knee, ankle = MODEL.indices("left_knee", "left_ankle")
    raised = rot.from_rotation_vector(np.radians(-70.0) * np.array([1.0, 0.0, 0.0]))
    for sign in (1.0, -1.0):
        shin = rot.from_rotation_vector(np.radians(sign * 40.0 - 70.0) * np.array([1.0, 0.0, 0.0]))
        hip = pose[MODEL.index("left_hip")]
        pose[knee] = hip + rot.rotate(raised, MODEL.offsets[knee])
        pose[ankle] = pose[knee] + rot.rotate(shin, MODEL.offsets[ankle])
        lean = np.degrees(poses.wrong_angles(pose[None])["knee forwards"][0, 0])
        assert lean == pytest.approx(-sign * 40.0, abs=0.5)
    assert torso_frames(pose[None], np.ones(22, bool))[0].shape == (1, 4)


def test_limits_leave_one_in_a_thousand():
    real = np.concatenate([bent("left_knee", (-1.0, 0.0, 0.0), angle) for angle in np.linspace(-60.0, 5.0, 3000)])
    limits = poses.joint_limits(real)
    shares = poses.violations(real, limits)
    assert shares["knee"] == pytest.approx(0.001, abs=0.001)
    assert poses.violations(bent("left_knee", (-1.0, 0.0, 0.0), 20.0), limits)["knee"] == 0.5  # one knee of two


def test_the_report_on_samples_names_its_numbers(setup, tmp_path):
    pytest.importorskip("matplotlib")
    folder = tmp_path / "mocap"
    clips.write_folder(folder)
    (folder / "train" / "cmu_901.npz").write_bytes((folder / "dev" / "cmu_900.npz").read_bytes())
    text, numbers = prior_report.report_pose(folder, GaussianPose(), tmp_path / "sheet.png", steps=10, samples=60)
    assert [row["set"] for row in numbers["sets"]] == ["samples", "real, train", "real, dev"]
    samples, train, _ = numbers["sets"]
    assert samples["bone_error_mm"] > 20.0 > 1e-3 > train["bone_error_mm"]
    assert samples["likeness_dev"][0] < 0.2 < train["likeness_dev"][0]
    assert f"{samples['apd_cm']:.1f}" in text
    assert (tmp_path / "sheet.png").stat().st_size > 5000


def test_the_report_on_windows(tmp_path):
    folder = clips.write_folder(tmp_path / "mocap", (150, 200))
    text, numbers = prior_report.report_motion(folder, SlowMotion(), windows=4)
    for split in prior_report.SPLITS:
        rows = {row["sigma_mm"]: row for row in numbers["noise"][split]}
        assert rows[20.0]["before"] == pytest.approx(20 * np.sqrt(8 / np.pi), rel=0.02)
        assert rows[20.0]["after"] < rows[20.0]["before"]
        assert {row["case"] for row in numbers["masks"][split]} == set(prior_report.MASKS)
        assert f"{rows[20.0]['after']:.1f}" in text


def test_interpolated_limbs_err_more_the_longer_the_gap(setup):
    errors = fill_study.fill_errors(bench.replace(setup, split="validation"))
    leg = [error for _, error, _ in errors["leg"]]
    assert leg[0] < 0.5 * leg[3]
    distance, _, count = errors["leg"][0]
    assert distance == 1.0
    # two clips, two legs, four gaps that fit (120 frames do not), two ends, two joints
    assert count == 2 * 2 * 4 * 2 * 2
    assert "| arm |" in fill_study.markdown(errors)
