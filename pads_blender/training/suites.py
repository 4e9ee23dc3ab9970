"""The benchmark's suites. A new one is a function from Setup to scores and a line in SUITES."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..core import metrics
from ..core import rotations as rot
from ..core.bvh import Bvh, local_positions, local_rotations, read_bvh, rotation_order
from ..core.motion import Motion
from ..core.rig import RigTake, world_matrices
from ..core.skeleton import JOINTS
from ..tasks.clean import CleanSettings, clean_motion, clean_take
from ..tasks.complete import HiddenBones, hidden_rows, interpolate_rotations
from . import baselines, bvh_clips, corruption, data
from .bench import OURS, Score, Setup, Suite

RAW, FILTER, ONCE, HAMPEL, SLERP = (
    "as measured",
    "best filter of each clip",
    "one filter for all",
    "Hampel + Butterworth",
    "slerp",
)
NOISE_METRES = (0.02, 0.04, 0.1)
JITTER_DEGREES = 3.0
HIDDEN_FRAMES = 60
_LEAST_MARGIN = 10  # measured frames on either side of what is hidden
SPEED_FRAMES = (3000, 30000)
PACKAGE = Path(__file__).resolve().parent.parent


# --- gauss: noise on the positions of the model's joints --------------------------------------------------------------


def gauss(setup: Setup) -> list[Score]:
    """Noise on the positions of the model's joints."""
    scores = []
    for sigma in NOISE_METRES:
        once = baselines.best_on_average(_noisy_sweep(clip, sigma, 0) for clip in setup.tuning.clips)
        scores += [_gauss_score(setup, clip, sigma, seed, once) for seed in range(setup.seeds) for clip in setup.clips]
    return scores


def _noisy(clip: data.Clip, sigma: float, seed: int) -> np.ndarray:
    rng = corruption.generator(clip.name, seed)
    return corruption.position_noise(clip.positions.astype(float), sigma, rng)


def _noisy_sweep(clip: data.Clip, sigma: float, seed: int) -> dict[str, float]:
    family = baselines.filter_family(data.FPS)
    return baselines.sweep(_noisy(clip, sigma, seed), family, lambda smooth: _clip_error(smooth, clip))


def _clip_error(positions: np.ndarray, clip: data.Clip) -> float:
    return metrics.mpjpe(positions[:, clip.visible], clip.positions[:, clip.visible].astype(float))


def _gauss_score(setup: Setup, clip: data.Clip, sigma: float, seed: int, once: str) -> Score:
    noisy, sweep = _noisy(clip, sigma, seed), _noisy_sweep(clip, sigma, seed)
    motion = Motion(noisy, np.tile(clip.visible, (len(noisy), 1)), data.FPS)
    ours = clean_motion(motion, CleanSettings(seed=seed), setup.loaded_prior).positions
    error, chosen = baselines.best(sweep)
    values = {RAW: sweep["none"], OURS: _clip_error(ours, clip), FILTER: error, ONCE: sweep[once]}
    return Score(f"{1000 * sigma:g} mm", clip.name, seed, values, {FILTER: chosen, ONCE: once})


# --- jitter: rotations of a BVH, through the command line -------------------------------------------------------------


def jitter(setup: Setup) -> list[Score]:
    """Rotation jitter on every bone of a BVH, through the real command line."""
    once = baselines.best_on_average(_channel_sweep(*_jittered(clip, 0)) for clip in setup.tuning.rig_clips)
    with tempfile.TemporaryDirectory() as folder:
        return [score for seed in range(setup.seeds) for score in _jitter_scores(setup, Path(folder), seed, once)]


def _jitter_scores(setup: Setup, folder: Path, seed: int, once: str) -> list[Score]:
    dirty, clean = folder / f"dirty{seed}", folder / f"clean{seed}"
    jittered = {clip.name: _jittered(clip, seed) for clip in setup.rig_clips}
    for clip in setup.rig_clips:
        bvh_clips.write_clip(_jittered_take(clip, seed), dirty / f"{clip.name}.bvh")
    clean_files(setup, sorted(dirty.glob("*.bvh")), clean, seed)
    scores = []
    for name, (noisy, truth, joints) in jittered.items():
        sweep = _channel_sweep(noisy, truth, joints)
        error, chosen = baselines.best(sweep)
        result = bvh_clips.positions_metres(read_bvh(clean / f"{name}.bvh"), joints)
        values = {RAW: sweep["euler, none"], OURS: metrics.mpjpe(result, truth), FILTER: error, ONCE: sweep[once]}
        values[HAMPEL] = min(e for n, e in sweep.items() if n.startswith("hampel"))
        scores.append(Score(f"{JITTER_DEGREES:g} degrees", name, seed, values, {FILTER: chosen, ONCE: once}))
    return scores


def _jittered_take(clip: data.RigClip, seed: int) -> RigTake:
    return corruption.rotation_jitter(clip.take, JITTER_DEGREES, corruption.generator(clip.name, seed))


def _jittered(clip: data.RigClip, seed: int) -> tuple[Bvh, np.ndarray, list[str]]:
    """The jittered BVH, true positions (F, N, 3) in metres, names of the mapped joints that the file has."""
    truth = bvh_clips.bvh_of(clip.take)
    joints = [entry.bone for entry in clip.mapping.joints.values() if entry and entry.bone in truth.names]
    return bvh_clips.bvh_of(_jittered_take(clip, seed)), bvh_clips.positions_metres(truth, joints), joints


def _channel_sweep(noisy: Bvh, truth: np.ndarray, joints: list[str]) -> dict[str, float]:
    """Error of every filter on the rotation channels, as continuous angles and as quaternions; the root is clean."""
    columns, positions = [noisy.names.index(name) for name in joints], local_positions(noisy)

    def error(rotations: np.ndarray) -> float:
        world = bvh_clips.chain_positions(noisy.parents, positions, rotations)
        return metrics.mpjpe(world[:, columns] / bvh_clips.UNITS_PER_METRE, truth)

    quaternions = rot.make_continuous(local_rotations(noisy))
    order = rotation_order(noisy.channels[0])
    angles = rot.continuous_euler(rot.to_euler(quaternions, order), order)
    fps = 1.0 / noisy.frame_time
    every = baselines.filter_family(fps)
    some = {name: smooth for name, smooth in every.items() if name.endswith("order 2")}
    return (
        baselines.sweep(angles, every, lambda a: error(rot.from_euler(a, order)), "euler, ")
        | baselines.sweep(quaternions, every, lambda q: error(rot.normalise(q)), "quaternion, ")
        | baselines.sweep(baselines.hampel(quaternions), some, lambda q: error(rot.normalise(q)), "hampel, ")
    )


def clean_files(setup: Setup, files: list[Path], out: Path, seed: int) -> None:
    """The real command line on these files, in one process; with the setup's priors in place of the bundled ones."""
    with tempfile.TemporaryDirectory() as folder:
        root = PACKAGE.parent if setup.models is None else _staged(Path(folder), setup.models)
        arguments = ["clean", *map(str, files), "-o", f"{out}{os.sep}", "--prior", setup.prior, "--seed", str(seed)]
        command = [sys.executable, "-m", "pads_blender", *arguments]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr[-2000:]}")


def _staged(folder: Path, models: Path) -> Path:
    """The package beside other priors, laid out as in the repository."""
    shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__", "training"))
    shutil.copytree(models, folder / "bundled_models")
    return folder


# --- arm and clean: a rig's take through clean_take -------------------------------------------------------------------


def arm(setup: Setup) -> list[Score]:
    """One arm's rotations lost for a while in the middle of the clip."""
    long_enough = [c for c in setup.rig_clips if len(c.take.frames) >= HIDDEN_FRAMES + 2 * _LEAST_MARGIN]
    return [_arm_score(setup, clip, seed) for seed in range(setup.seeds) for clip in long_enough]


def _arm_score(setup: Setup, clip: data.RigClip, seed: int) -> Score:
    """Both arms, one at a time; their mean."""
    both = [_side_errors(setup, clip, side, seed) for side in ("left", "right")]
    values = {method: float(np.mean([errors[method] for errors in both])) for method in both[0]}
    return Score(f"{HIDDEN_FRAMES} frames", clip.name, seed, values, {})


def _side_errors(setup: Setup, clip: data.RigClip, side: str, seed: int) -> dict[str, float]:
    bones, joints = limb_bones(clip, f"{side}_shoulder", f"{side}_wrist"), [f"{side}_elbow", f"{side}_wrist"]
    frames, first = clip.take.frames, (len(clip.take.frames) - HIDDEN_FRAMES) // 2
    rows = slice(first, first + HIDDEN_FRAMES)
    lost = HiddenBones(bones, float(frames[rows][0]), float(frames[rows][-1]))
    hidden = hidden_rows(clip.take, (lost,))
    broken = corruption.lose_rotations(clip.take, hidden)
    ours, _ = clean_take(broken, clip.mapping, CleanSettings(seed=seed, complete=(lost,)), setup.loaded_prior)
    takes = {RAW: broken, OURS: ours, SLERP: interpolate_rotations(broken, hidden)}
    truth = joint_positions(clip.take, clip, joints)[rows]
    return {name: metrics.mpjpe(joint_positions(take, clip, joints)[rows], truth) for name, take in takes.items()}


def limb_bones(clip: data.RigClip, first: str, last: str) -> tuple[str, ...]:
    """Every bone from one joint to above another: a forearm may be two."""
    take, joints = clip.take, clip.mapping.joints
    top, bone = take.names.index(joints[first].bone), take.names.index(joints[last].bone)
    bones = []
    while bone != top:
        bone = int(take.parents[bone])
        bones.append(take.names[bone])
    return tuple(bones[::-1])


def joint_positions(take: RigTake, clip: data.RigClip, joints: list[str] | tuple[str, ...] = JOINTS) -> np.ndarray:
    """World positions (F, N, 3) in metres of the clip's mapped ones among these joints, on the rig itself."""
    bones = [take.names.index(clip.mapping.joints[j].bone) for j in joints if clip.mapping.joints[j]]
    return world_matrices(take)[..., :3, 3][:, bones]


def clean(setup: Setup) -> list[Score]:
    """Clips that are fine: how far the default settings move them."""
    moved = {clip.name: _change(setup, clip) for clip in setup.rig_clips}
    each = [Score("each clip by itself", name, 0, _spread_of(change), {}) for name, change in moved.items()]
    worst = max(moved, key=lambda name: moved[name].mean())
    together = np.concatenate([change.ravel() for change in moved.values()])
    return [
        *each,
        Score("all joint-frames together", "all", 0, _spread_of(together), {}),
        Score(f"worst clip, {worst}", worst, 0, _spread_of(moved[worst]), {}),
    ]


def _change(setup: Setup, clip: data.RigClip) -> np.ndarray:
    after, _ = clean_take(clip.take, clip.mapping, CleanSettings(), setup.loaded_prior)
    return metrics.joint_errors(joint_positions(after, clip), joint_positions(clip.take, clip))


def _spread_of(change: np.ndarray) -> dict[str, float]:
    return {"mean change": float(change.mean()), "99th percentile": float(np.percentile(change, 99))}


# --- speed ------------------------------------------------------------------------------------------------------------


def speed(setup: Setup) -> list[Score]:
    """Frames a second of clean_take, on a long take, and on one ten times as long."""
    longest = max(setup.rig_clips, key=lambda clip: len(clip.take.frames))
    short, long = SPEED_FRAMES
    runs = [(short, 1), (short, 2), (long, 2)]
    return [
        Score(f"{frames} frames, {threads} thread(s)", longest.name, 0, _timed(setup, longest, frames, threads), {})
        for frames, threads in runs
    ]


def _timed(setup: Setup, clip: data.RigClip, frames: int, threads: int) -> dict[str, float]:
    prior, take = setup.open_prior(threads), to_and_fro(clip.take, frames)
    clean_take(to_and_fro(clip.take, 100), clip.mapping, CleanSettings(), prior)  # sessions are opened on first use
    began = time.perf_counter()
    clean_take(take, clip.mapping, CleanSettings(), prior)
    seconds = time.perf_counter() - began
    return {
        "seconds": seconds,
        "frames a second": frames / seconds,
        "take's duration / time": frames / take.fps / seconds,
    }


def to_and_fro(take: RigTake, frames: int) -> RigTake:
    """The take played forwards and backwards until it is that long."""
    last = max(len(take.frames) - 1, 1)
    rows = last - np.abs(np.arange(frames) % (2 * last) - last)
    channels = {name: getattr(take, name)[rows] for name in ("location", "rotation", "scale")}
    return replace(take, **channels, frames=np.arange(1.0, frames + 1))


_FILTERS = f"zero-phase Butterworth of order 2 and 4 and Gaussian, {len(baselines.filter_family(data.FPS))} settings"
SUITES: dict[str, Suite] = {
    suite.name: suite
    for suite in (
        Suite(
            "gauss",
            "Independent Gaussian noise on every coordinate of the model's joints, through clean_motion; MPJPE of "
            f"world positions. Filters: {_FILTERS} on the same numbers, the best for each clip chosen with the truth; "
            "one filter for all: chosen on validation clips.",
            "mm",
            FILTER,
            gauss,
        ),
        Suite(
            "jitter",
            f"Every bone of a BVH turned by {JITTER_DEGREES:g} degrees about each axis, white in time, through the "
            f"command line; MPJPE of the mapped joints' world positions. Filters: {_FILTERS} on the rotation channels, "
            "as continuous angles and as quaternions, the better of the two.",
            "mm",
            FILTER,
            jitter,
        ),
        Suite(
            "arm",
            f"Upper arm and forearm lost for {HIDDEN_FRAMES} frames in the middle of clips with {_LEAST_MARGIN} frames "
            "or more on either side, left and right arm in turn, through clean_take with the bones to complete; MPJPE "
            "of elbow and wrist in these frames. slerp: the bones' rotations interpolated.",
            "mm",
            SLERP,
            arm,
        ),
        Suite(
            "clean",
            "The clips as they are through clean_take at default settings; how far joints move.",
            "mm",
            None,
            clean,
        ),
        Suite(
            "speed",
            "The longest clip played to and fro through clean_take, 22 mapped bones.",
            "time of the whole clean; more frames a second are better",
            None,
            speed,
        ),
    )
}
