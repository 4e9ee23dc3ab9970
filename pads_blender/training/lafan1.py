"""evaluate lafan1: in-betweens on the LaFAN1 data set by its own protocol, for those who hold it.

Harvey et al. 2020: subject 5, windows of 65 frames every 40, ten frames before the gap and one after it. The data set
is CC BY-NC-ND; nobody here holds it, and no figure of ours on it was ever taken: the reader is tested on files written
in the same format.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..core import metrics
from ..core import rotations as rot
from ..core.bvh import read_bvh
from ..core.mapping import Mapping
from ..core.mapping_guess import guess_mapping
from ..core.rig import RigTake, world_matrices
from ..diffusion.prior import Prior, load_prior
from ..errors import BadFileError
from ..tasks.in_between import InBetweenSettings, in_between_take
from . import data
from .inbetween_suites import LENGTHS, PUBLISHED, held_take, slerp_take
from .scores import OURS

TEST_SUBJECT = "subject5"
WINDOW, STEP, TRAIN_WINDOW, TRAIN_STEP, PAST = 65, 40, 50, 20, 10
Answer = tuple[np.ndarray, np.ndarray]  # world positions (F, J, 3) and rotations (F, J, 4) of all joints


def add_command(commands: argparse._SubParsersAction) -> None:
    """The subcommand lafan1."""
    command = commands.add_parser("lafan1", help="in-betweens on LaFAN1's BVH files, by its own protocol")
    command.add_argument("--data", type=Path, required=True, help="folder with the data set's BVH files")
    command.add_argument("--models", type=Path, help="folder with the priors; default: the bundled ones")
    command.add_argument("--out", type=Path, required=True, help="folder for the results")
    command.add_argument("--limit", type=int, help="only so many windows, evenly spread")
    command.set_defaults(run=run)


def run(given: argparse.Namespace, command: str) -> None:
    """All lengths, printed and written."""
    prior, spread = load_prior("motion", given.models), training_spread(given.data)
    found = list(windows(given.data, WINDOW, STEP, is_test=True))
    found = [found[i] for i in np.linspace(0, len(found) - 1, min(given.limit or len(found), len(found))).astype(int)]
    lines = ["| frames | method | L2P | L2Q | NPSS |", "|---|---|---|---|---|"]
    for frames in LENGTHS:
        for name, values in measure(found, frames, prior, spread).items():
            lines.append(f"| {frames} | {name} | {' | '.join(f'{value:.4f}' for value in values)} |")
            print(lines[-1], flush=True)
    about = f"{len(found)} windows of {TEST_SUBJECT}, {PAST} frames before the gap and one after it."
    text = "\n\n".join([f"`{command}`", about, "\n".join(lines), PUBLISHED]) + "\n"
    (given.out / "lafan1.md").write_text(text, encoding="utf-8")


def windows(folder: Path, frames: int, step: int, is_test: bool) -> Iterator[tuple[RigTake, Mapping]]:
    """Overlapping windows of the test subject's takes, or of all others'; BadFileError where there are none."""
    files = [file for file in sorted(folder.rglob("*.bvh")) if (TEST_SUBJECT in file.stem) == is_test]
    if not files:
        raise BadFileError(f"{folder}: holds no BVH file {'' if is_test else 'that is not '}of {TEST_SUBJECT}.")
    for file in files:
        take = data.bvh_take(read_bvh(file))
        heads = (take.world_from_armature @ take.rest)[:, :3, 3]
        mapping = guess_mapping(take.names, take.parents, heads)
        for start in range(0, len(take.frames) - frames + 1, step):
            yield take.rows(slice(start, start + frames)), mapping


def training_spread(folder: Path) -> np.ndarray:
    """Standard deviation (J, 3) of joint positions over the training windows, each centred and facing forwards."""
    every = [_canonical(_answer(take), take)[0] for take, _ in windows(folder, TRAIN_WINDOW, TRAIN_STEP, is_test=False)]
    return np.concatenate(every).std(axis=0)


def measure(
    found: list[tuple[RigTake, Mapping]], frames: int, prior: Prior, spread: np.ndarray
) -> dict[str, tuple[float, float, float]]:
    """L2P, L2Q and NPSS of every method over all windows."""
    answers: dict[str, list[Answer]] = {}
    rows = slice(PAST, PAST + frames)
    for window, mapping in found:
        take = window.rows(slice(0, rows.stop + 1))
        for name, each in _methods(take, mapping, rows, prior).items():
            positions, rotations = _canonical(_answer(each), take)
            answers.setdefault(name, []).append((positions[rows], rotations[rows]))
    truth = answers.pop("truth")
    return {name: _scores(each, truth, spread) for name, each in answers.items()}


def _methods(take: RigTake, mapping: Mapping, rows: slice, prior: Prior) -> dict[str, RigTake]:
    is_key = np.ones(len(take.frames), bool)
    is_key[rows] = False
    bridged = slerp_take(take, rows)  # what ours is given, too: bones without a joint keep what they are given
    ours = in_between_take(bridged, mapping, is_key, InBetweenSettings(), prior)
    return {"truth": take, OURS: ours, "interpolation": bridged, "zero velocity": held_take(take, rows)}


def _answer(take: RigTake) -> Answer:
    matrices = world_matrices(take)
    return matrices[..., :3, 3], rot.make_continuous(rot.from_matrix(matrices[..., :3, :3]))


def _canonical(answer: Answer, take: RigTake) -> Answer:
    """The answer about the mean place of the root, turned so that it faces along X in the last frame before the gap.

    As Harvey et al. do it, forward is where the root's own Y axis points in that frame, as seen from above.
    """
    root = world_matrices(take, np.array([0]))[:, 0]
    middle = root[:, :3, 3].mean(axis=0) * np.array([1.0, 1.0, 0.0])
    forward = root[PAST - 1, :3, 1]
    turn = rot.from_rotation_vector(np.array([0.0, 0.0, -np.arctan2(forward[1], forward[0])]))
    return rot.rotate(turn, answer[0] - middle), rot.multiply(turn, answer[1])


def _scores(found: list[Answer], truth: list[Answer], spread: np.ndarray) -> tuple[float, float, float]:
    positions, true_positions = (np.stack([each[0] for each in every]) for every in (found, truth))
    rotations, true_rotations = (np.stack([each[1] for each in every]) for every in (found, truth))
    aligned = metrics.same_sign(rotations, true_rotations)
    sequences = (each.reshape(*each.shape[:2], -1) for each in (aligned, true_rotations))
    return (
        metrics.l2_positions(positions, true_positions, 0.0, spread),
        metrics.l2_rotations(rotations, true_rotations),
        metrics.npss(*sequences),
    )
