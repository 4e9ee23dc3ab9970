"""Suites of damaged rotations: BVH files through the real command line, against filters of their channels."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from ..core import metrics
from ..core import rotations as rot
from ..core.bvh import Bvh, local_positions, local_rotations, read_bvh, rotation_order
from ..core.rig import RigTake
from . import baselines, bvh_clips, corruption, data
from .bench import OURS, RAW, Score, Setup, Suite
from .noise_suites import FILTER, ONCE

HAMPEL = "Hampel + Butterworth"
JITTER_DEGREES = 3.0
PACKAGE = Path(__file__).resolve().parent.parent


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


_FILTERS = f"zero-phase Butterworth of order 2 and 4 and Gaussian, {len(baselines.filter_family(data.FPS))} settings"
SUITES = (
    Suite(
        "jitter",
        f"Every bone of a BVH turned by {JITTER_DEGREES:g} degrees about each axis, white in time, through the "
        f"command line; MPJPE of the mapped joints' world positions. Filters: {_FILTERS} on the rotation channels, "
        "as continuous angles and as quaternions, the better of the two.",
        "mm",
        FILTER,
        jitter,
    ),
)
