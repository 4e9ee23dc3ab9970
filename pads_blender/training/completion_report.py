"""evaluate completion: parts of single poses hidden and completed, against a Gaussian mixture and the paper's DPS."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable

import numpy as np

from ..core.heading import headings, turned, without_heading
from ..core.skeleton import MODEL
from ..diffusion.dps import HALF_STEP, Guidance, noise_aware_guidance, sample_dps
from ..diffusion.measurement import JointMask
from ..diffusion.prior import Prior, load_prior
from ..diffusion.schedule import karras_schedule
from ..tasks.pinned_pose import PIN_METRES, complete_poses
from . import bench, poses
from .bounded_prior import BoundedPrior
from .mixture_prior import mixture_prior
from .pages import put_between_marks
from .scores import OURS

_LEG, _ARM = ("knee", "ankle", "toe"), ("elbow", "wrist")
PARTS = {
    "left leg": tuple(f"left_{joint}" for joint in _LEG),
    "legs": tuple(f"{side}_{joint}" for side in ("left", "right") for joint in _LEG),
    "arms": tuple(f"{side}_{joint}" for side in ("left", "right") for joint in _ARM),
    "torso": ("spine", "chest", "neck", "left_collar", "right_collar"),
}
MIXTURE, DPS, PRINTED = "Gaussian mixture, same sampler", "DPS, same prior", "DPS, constant rho"
POSES, HYPOTHESES = 100, 10
_DPS_STEPS = 60
# Noise levels in metres, from noise alone and from the mean pose. Of 0.15, 0.3 and 1 for the latter and rho of 0.25 and
# 0.5, by a script on 24 validation poses, none is best for every part; 0.3 and 0.5 are within 11 % of the best.
_FROM_NOISE, _FROM_MEAN = (3.0, 0.003), (0.3, 0.003)
_MEAN_OF = 2000  # training poses
_DIVERGED_MM = 2000.0  # from which an answer is none: DPS runs off to infinity now and then
Complete = Callable[[np.ndarray, np.ndarray, int], np.ndarray]  # poses (N, J, 3), given joints (J,), S -> (S, N, J, 3)


def add_command(commands: argparse._SubParsersAction, add_shared: Callable[[argparse.ArgumentParser], None]) -> None:
    """The subcommand completion."""
    command = commands.add_parser("completion", help="the rest of single poses of which parts are hidden")
    add_shared(command)
    command.add_argument("--split", choices=("dev", "validation"), default="dev", help="settings: validation only")
    command.add_argument("--poses", type=int, default=POSES)
    command.add_argument("--hypotheses", type=int, default=HYPOTHESES, help="answers to each pose")
    command.set_defaults(run=run)


def run(given: argparse.Namespace, command: str) -> None:
    """Measure, print and write."""
    prior, real = load_prior("pose", given.models), poses.real_poses(given.data, given.split, given.poses)
    methods = {OURS: _ours(prior), MIXTURE: _ours(mixture_prior(given.data)), DPS: _dps(prior)}
    usual = without_heading(poses.real_poses(given.data, "train", _MEAN_OF)).mean(axis=0)
    methods[PRINTED] = _printed_dps(prior, usual)
    rows = []
    for part, names in PARTS.items():
        seen = ~np.isin(MODEL.names, names)
        for method, complete in methods.items():
            answers = complete(real, seen, given.hypotheses)
            errors = [hidden_errors(each, real, seen) for each in answers]
            rows.append({"part": part, "method": method, **summary(np.array(errors))})
            print(rows[-1], flush=True)
    text = f"`{command}`\n\nWeights {bench.weights_of(prior)}. {_about(given, rows)}\n\n{table(rows)}"
    print(text, flush=True)
    (given.out / "completion.json").write_text(json.dumps({"command": command, "rows": rows}, indent=1) + "\n")
    (given.out / "completion.md").write_text(f"{text}\n", encoding="utf-8")
    if given.page:
        put_between_marks(given.page, "completion", text)


def _ours(prior: Prior) -> Complete:
    """The task itself, with this prior: its calmest answer and others."""

    def complete(real: np.ndarray, given: np.ndarray, count: int) -> np.ndarray:
        measured = np.where(given[:, None], real, np.nan)
        return complete_poses(measured, given, prior, count)

    return complete


def _dps(prior: Prior) -> Complete:
    """Algorithm 1 from noise with the step size that its own derivation gives; constant ones diverge from there."""
    return lambda real, given, count: _descended(prior, real, given, count, noise_aware_guidance(prior.error()), None)


def _printed_dps(prior: Prior, mean: np.ndarray) -> Complete:
    """Algorithm 1 as it is printed, with one rho; its P_init is the mean pose (J, 3) at the heading of each pose."""

    def complete(real: np.ndarray, given: np.ndarray, count: int) -> np.ndarray:
        start = turned(np.broadcast_to(mean, real.shape), headings(np.where(given[:, None], real, mean)))
        return _descended(prior, real, given, count, HALF_STEP, start)

    return complete


def _descended(
    prior: Prior, real: np.ndarray, given: np.ndarray, count: int, guidance: Guidance, start: np.ndarray | None
) -> np.ndarray:
    """Answers (S, N, J, 3) of DPS to poses (N, J, 3), from start (N, J, 3) or from noise alone."""
    tiled = np.tile(real, (count, 1, 1))
    visible = np.broadcast_to(given, tiled.shape[:2])
    schedule = karras_schedule(_DPS_STEPS, *(_FROM_NOISE if start is None else _FROM_MEAN), unit=prior.unit)
    measured = np.where(visible[..., None], tiled, 0.0)
    first = None if start is None else np.tile(start, (count, 1, 1))
    operator, rng = JointMask(visible, PIN_METRES), np.random.default_rng(0)
    found = sample_dps(BoundedPrior(prior), operator, measured, schedule, rng, start=first, guidance=guidance)
    return found.pose.reshape(count, *real.shape)


def hidden_errors(found: np.ndarray, real: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Mean distance (N,) in mm of the hidden joints from where they were, about the pelvis; poses (N, J, 3)."""
    about = [each - each[:, :1] for each in (found, real)]
    return 1000.0 * np.linalg.norm(about[0] - about[1], axis=-1)[:, ~given].mean(axis=1)


def summary(errors: np.ndarray) -> dict[str, float]:
    """Errors (S, N) of S answers to each pose: the first one's, and the best's and mean of all; diverged ones apart."""
    is_answer = errors < _DIVERGED_MM
    errors, first = np.where(is_answer, errors, np.nan), np.argmax(is_answer, axis=0)
    one = np.take_along_axis(errors, first[None], axis=0)
    found = {"one": one, "best": np.nanmin(errors, axis=0), "mean": errors}
    return {key: float(np.nanmean(each)) for key, each in found.items()} | {"diverged": int((~is_answer).sum())}


def table(rows: list[dict]) -> str:
    """The rows in Markdown, ours as a share of each rival beside."""
    found = {(row["part"], row["method"]): row for row in rows}
    methods = list(dict.fromkeys(row["method"] for row in rows))
    head = ["hidden", "mm", *methods, *(f"{OURS} / {rival}" for rival in methods[1:])]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for part in dict.fromkeys(row["part"] for row in rows):
        for key, title in (("one", "one answer"), ("best", "best of all"), ("mean", "mean of all")):
            values = [found[part, method][key] for method in methods]
            cells = [part, title, *(f"{v:.1f}" for v in values), *(f"{values[0] / v:.2f}" for v in values[1:])]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _diverged(rows: list[dict]) -> str:
    """How many answers of each method ran off."""
    count = {row["method"]: 0 for row in rows}
    for row in rows:
        count[row["method"]] += row["diverged"]
    return ", ".join(f"{method} {many}" for method, many in count.items())


def _about(given: argparse.Namespace, rows: list[dict]) -> str:
    return (
        f"{given.poses} poses evenly spread over the captured CMU clips of {given.split}, {given.hypotheses} answers "
        "to each; mean distance of the hidden joints, about the pelvis. Torso: spine, chest, neck and collars, head "
        "and shoulders seen. The mixture is fitted to the same training poses and has the same sampler and steps. "
        f"DPS: the paper's Algorithm 1 from noise, {_DPS_STEPS} steps, guidance by what its own derivation gives "
        f"(diffusion/dps.py); constant rho: as printed, with rho = 0.5, from the mean pose at {_FROM_MEAN[0]:g} m of "
        f"noise. Answers more than {_DIVERGED_MM / 1000.0:g} m off do not count: {_diverged(rows)}."
    )
