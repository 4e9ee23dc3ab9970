"""Estimation on the data sets that papers use: their tables beside the published rows.

Nobody here holds the data sets, which need a licence: the readers are tested on files written in the same formats, and
no figure of ours on them was ever taken. Whoever holds the data runs `evaluate h36m` or `evaluate 3dhp`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..core.keypoints import HUMAN36M_17, MPI_INF_3DHP_17
from ..diffusion.prior import load_prior
from ..tasks.estimate import EstimateSettings, estimate_motion
from . import human36m, mpi_inf_3dhp, pose_metrics

# As printed by Ji and Li 2024 (PADS, arXiv 2401.08930), tables 1 to 3; MPJPE / PA-MPJPE in mm.
PUBLISHED_H36M = (
    ("PADS (paper), ground-truth 2D", 41.5, 33.1),
    ("PADS (paper), detected 2D", 54.8, 44.9),
    ("ZeDO, one hypothesis, detected 2D", 65.7, 49.0),
    ("ElePose, ground-truth 2D", 64.0, 36.7),
    ("Yu et al., ground-truth 2D", 85.3, 42.0),
)
PUBLISHED_3DHP = (("PADS (paper)", 63.7, 86.6, 57.6), ("ZeDO", 86.5, 82.6, 53.8), ("ElePose", 54.0, 86.0, 50.1))


def add_commands(commands: argparse._SubParsersAction) -> None:
    """The subcommands h36m and 3dhp."""
    for name, about, run in (
        ("h36m", "Human3.6M, subjects S9 and S11, from VideoPose3D's npz files", run_h36m),
        ("3dhp", "MPI-INF-3DHP, the official test set", run_3dhp),
    ):
        command = commands.add_parser(name, help=about)
        command.add_argument("--data", type=Path, required=True, help="folder with the data set's files")
        command.add_argument("--models", type=Path, help="folder with the priors; default: the bundled ones")
        command.add_argument("--out", type=Path, required=True, help="folder for the results")
        command.add_argument("--prior", choices=("motion", "pose"), default="motion", help="takes, or single frames")
        command.add_argument("--limit", type=int, help="only the first so many takes")
        if name == "h36m":
            command.add_argument("--detections", default="gt", help="the * of data_2d_h36m_*.npz")
        command.set_defaults(run=run)


def run_h36m(given: argparse.Namespace, command: str) -> None:
    """MPJPE and PA-MPJPE over all frames of all takes."""
    prior, errors = load_prior(given.prior, given.models), []
    for number, take in enumerate(human36m.read_takes(given.data, given.detections)):
        if number == given.limit:
            break
        settings = EstimateSettings(take.body_scale)
        motion = estimate_motion([take.shot], human36m.FPS, settings, prior)
        found = np.einsum("kj,fja->fka", HUMAN36M_17.joints, motion.positions)
        rows = (pose_metrics.root_mpjpe(found, take.truth), pose_metrics.pa_mpjpe(found, take.truth), len(found))
        errors.append(rows)
        print(f"{take.name}: {rows[0]:.1f} / {rows[1]:.1f} mm", flush=True)
    ours = (f"ours, prior {given.prior}, 2D {given.detections}", *_weighted(errors))
    lines = _table(("", "MPJPE mm", "PA-MPJPE mm"), (ours, *PUBLISHED_H36M))
    _finish(given, command, "h36m", "Human3.6M, S9 and S11, 17 joints, size and lens known, pelvis not", lines)


def run_3dhp(given: argparse.Namespace, command: str) -> None:
    """PA-MPJPE, PCK and AUC over the valid frames."""
    prior, rows = load_prior(given.prior, given.models), []
    for number, take in enumerate(mpi_inf_3dhp.read_takes(given.data)):
        if number == given.limit:
            break
        motion = estimate_motion([take.shot], take.fps, EstimateSettings(take.body_scale), prior)
        found = np.einsum("kj,fja->fka", MPI_INF_3DHP_17.joints, motion.positions)[take.valid]
        rows.append((*score_3dhp(found, take.truth[take.valid]), int(take.valid.sum())))
        print(f"{take.name}: PA {rows[-1][0]:.1f} mm, PCK {rows[-1][1]:.1f}, AUC {rows[-1][2]:.1f}", flush=True)
    ours = (f"ours, prior {given.prior}, ground-truth 2D", *_weighted(rows))
    lines = _table(("", "PA-MPJPE mm", "PCK@150", "AUC"), (ours, *PUBLISHED_3DHP))
    _finish(given, command, "3dhp", "MPI-INF-3DHP test set, 14 joints, size and lens known, pelvis not", lines)


def score_3dhp(found: np.ndarray, truth: np.ndarray) -> tuple[float, float, float]:
    """PA-MPJPE, PCK and AUC of 17 joints (F, 17, 3): about the pelvis, on the joints that count."""
    a, b = (pose_metrics.root_relative(x, mpi_inf_3dhp.ROOT)[:, list(mpi_inf_3dhp.SCORED)] for x in (found, truth))
    return pose_metrics.pa_mpjpe(a, b), pose_metrics.share_within(a, b), pose_metrics.area_within(a, b)


def _weighted(rows: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    """Means with the last entry of each row, its frames, as weight."""
    values = np.array(rows)
    return tuple(float(v) for v in np.average(values[:, :-1], axis=0, weights=values[:, -1]))


def _table(head: tuple[str, ...], rows: Sequence[tuple]) -> str:
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    return "\n".join([*lines, *(f"| {name} | {' | '.join(f'{v:.1f}' for v in values)} |" for name, *values in rows)])


def _finish(given: argparse.Namespace, command: str, stem: str, about: str, table: str) -> None:
    text = f"`{command}`\n\n{about}. Other rows as published, on their own terms.\n\n{table}\n"
    print(f"\n{text}", flush=True)
    (given.out / f"estimate-{stem}.md").write_text(text, encoding="utf-8")
