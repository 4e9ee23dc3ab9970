"""Suites on a rig's take through clean_take: an arm lost, a take that is fine, speed."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from ..core import metrics
from ..core.rig import CHANNELS, RigTake
from ..tasks.clean import CleanSettings, clean_take
from ..tasks.complete import HiddenBones, hidden_rows, interpolate_rotations
from . import corruption, data
from .bench import Setup, Suite
from .bvh_clips import joint_positions, limb_bones
from .scores import OURS, RAW, Score

SLERP = "slerp"
HIDDEN_FRAMES = 60
_LEAST_MARGIN = 10  # measured frames on either side of what is hidden
SPEED_FRAMES = (3000, 30000)


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
    channels = {name: getattr(take, name)[rows] for name in CHANNELS}
    return replace(take, **channels, frames=np.arange(1.0, frames + 1))


SUITES = (
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
