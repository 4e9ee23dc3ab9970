"""The priors by themselves: error of one call of the denoiser, and what the pose prior dreams up unasked."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core import metrics
from ..core.heading import turned, without_heading
from ..core.interpolate import fill_hidden
from ..core.skeleton import MODEL
from ..diffusion import window
from ..diffusion.prior import Prior
from ..diffusion.schedule import ddpm_schedule
from . import corruption, data, poses

LEVELS_METRES = (0.005, 0.01, 0.02, 0.04, 0.07, 0.1, 0.2, 0.3, 0.5, 1.0)
SAMPLES = 500
SHEET = (5, 8)
_POSES = 4000
_CONTEXT = 32  # frames on either side of a window from which hidden joints are interpolated
_BATCH = 32
_ARM, _LEGS = (
    MODEL.indices("left_elbow", "left_wrist"),
    MODEL.indices(*[f"{s}_{j}" for s in ("left", "right") for j in ("knee", "ankle", "toe")]),
)
# joints hidden, frames hidden in the middle of the window
MASKS = {
    "arm, 30 frames": (_ARM, 30),
    "arm, 60 frames": (_ARM, 60),
    "both legs, 60 frames": (_LEGS, 60),
    "whole pose, 15 frames": (list(range(len(MODEL))), 15),
    "whole pose, 30 frames": (list(range(len(MODEL))), 30),
}
_MASK_NOISE = 0.002  # metres, on what is seen


# --- pose -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PoseSet:
    """Poses (N, J, 3) relative to the pelvis under a name for the table."""

    name: str
    poses: np.ndarray


def report_pose(folder: Path, prior: Prior, picture: Path, steps: int, samples: int = SAMPLES) -> tuple[str, dict]:
    """Text and numbers of the pose prior; the contact sheet goes to picture."""
    rng = np.random.default_rng(0)
    errors = pose_errors(prior, poses.real_poses(folder, "dev", _POSES), rng)
    drawn = poses.draw_samples(prior, samples, ddpm_schedule(steps, prior.unit), rng, _progress("samples"))
    references = {split: poses.real_poses(folder, split, samples) for split in ("train", "dev")}
    real = [PoseSet(f"real, {split}", poses.real_poses(folder, split, samples, rng)) for split in references]
    limits = poses.joint_limits(poses.real_poses(folder, "train", 20 * _POSES))
    table = [set_statistics(each, references, limits) for each in (PoseSet("samples", drawn), *real)]
    draw_sheet(without_heading(drawn[: SHEET[0] * SHEET[1]]), picture)
    described = "\n\n".join([_error_text(errors), _sample_text(table, samples, steps, limits)])
    return described, {"errors": errors, "sets": table, "limits_degrees": _degrees(limits), "steps": steps}


def pose_errors(prior: Prior, real: np.ndarray, rng: np.random.Generator) -> list[dict[str, float]]:
    """Mean joint distance in millimetres before and after one call, at every noise level; the pelvis does not count."""
    rows = []
    for sigma in LEVELS_METRES:
        noisy = corruption.position_noise(real, sigma, rng)
        before, after = (metrics.mpjpe(x[:, 1:], real[:, 1:]) for x in (noisy, prior.denoise(noisy, sigma)))
        rows.append({"sigma_mm": 1000 * sigma, "before": before, "after": after})
    return rows


def set_statistics(each: PoseSet, references: dict[str, np.ndarray], limits: dict[str, float]) -> dict:
    """Variety, likeness to the reference poses, bone lengths and joint limits of a set."""
    facing = without_heading(each.poses)
    likeness = {
        f"likeness_{name}": metrics.precision_recall(_flat(facing), _flat(without_heading(reference)))
        for name, reference in references.items()
    }
    bones = metrics.bone_length_errors(each.poses, MODEL.parents, MODEL.offsets)
    beyond = poses.violations(each.poses, limits)
    return {
        "set": each.name,
        "apd_cm": metrics.average_pairwise_distance(facing) / 10.0,
        **likeness,
        "bone_error_mm": float(bones.mean()),
        "bone_error_99_mm": float(np.percentile(bones, 99)),
        **{f"{joint}_violations": share for joint, share in beyond.items()},
    }


def _flat(each: np.ndarray) -> np.ndarray:
    return each.reshape(len(each), -1)


def _error_text(errors: list[dict[str, float]]) -> str:
    head = ["noise, mm per coordinate", *(f"{row['sigma_mm']:g}" for row in errors)]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for key, title in (("before", "noisy"), ("after", "one call")):
        lines.append(f"| {' | '.join([title, *(f'{row[key]:.1f}' for row in errors)])} |")
    title = f"**One call of the denoiser**, MPJPE in mm without the pelvis, {_POSES} poses of dev."
    return "\n\n".join([title, "\n".join(lines)])


def _sample_text(table: list[dict], samples: int, steps: int, limits: dict[str, float]) -> str:
    head = ["", "APD, cm", "precision, recall: train", "dev", "bone length error, mm (99 %)"]
    head += [f"{joint}s beyond limits" for joint in poses.WRONG_WAYS]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for row in table:
        cells = [row["set"], f"{row['apd_cm']:.1f}"]
        cells += ["{:.2f}, {:.2f}".format(*row[f"likeness_{split}"]) for split in ("train", "dev")]
        cells += [f"{row['bone_error_mm']:.1f} ({row['bone_error_99_mm']:.1f})"]
        cells += [f"{100 * row[f'{joint}_violations']:.2f} %" for joint in poses.WRONG_WAYS]
        lines.append(f"| {' | '.join(cells)} |")
    rule = ", ".join(f"{way} {angle:.0f}" for way, angle in _degrees(limits).items())
    text = (
        f"**{samples} unconditional samples**, DDPM's ancestral sampling in {steps} steps; heading removed. "
        "APD: mean joint distance over all pairs. Precision and recall (3 nearest neighbours) against as many evenly "
        "spread real poses of either split; the real rows are other poses drawn at random, and so what can be reached. "
        "Limits: how far a lower leg or arm leans out of the line of the upper one, in the body's frame carried along "
        f"with it, in degrees, such that {poses.LIMIT_PERCENTILE} % of the training poses stay below: {rule}."
    )
    return "\n\n".join([text, "\n".join(lines)])


def _degrees(limits: dict[str, float]) -> dict[str, float]:
    return {way: float(np.degrees(angle)) for way, angle in limits.items()}


def _progress(what: str) -> Callable[[int, int], None]:
    def show(step: int, count: int) -> None:
        if step == count or step % max(1, count // 20) == 0:
            print(f"{what}: step {step} of {count}", file=sys.stderr, flush=True)

    return show


def draw_sheet(poses: np.ndarray, path: Path) -> None:
    """Stick figures of poses (N, J, 3) seen from the front and a little from the side: left red, right blue."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows, columns = SHEET
    seen = turned(poses, np.full(len(poses), np.radians(30.0)))
    figure, axes = pyplot.subplots(rows, columns, figsize=(1.4 * columns, 1.9 * rows))
    for axis, pose in zip(axes.flat, seen, strict=False):
        for joint, parent in enumerate(MODEL.parents):
            if parent >= 0:
                name = MODEL.names[joint]
                colour = "tab:red" if name.startswith("left") else "tab:blue" if name.startswith("right") else "black"
                axis.plot(pose[[parent, joint], 0], pose[[parent, joint], 2], color=colour, linewidth=1.4)
        axis.set(xlim=(-0.8, 0.8), ylim=(-1.05, 1.1), aspect="equal")
    for axis in axes.flat:
        axis.axis("off")
    figure.subplots_adjust(0, 0, 1, 1, 0, 0)
    figure.savefig(path, dpi=70)
    pyplot.close(figure)


# --- motion -----------------------------------------------------------------------------------------------------------


SPLITS = ("train", "validation", "dev")


def report_motion(folder: Path, prior: Prior, windows: int = 128) -> tuple[str, dict]:
    """Text and numbers of the motion prior: one call on windows of dev, beside those that it was trained on."""
    truth = {split: captured_windows(folder, split, windows) for split in SPLITS}
    noise = {split: [noise_row(prior, truth[split], sigma) for sigma in LEVELS_METRES] for split in SPLITS}
    masks = {split: [mask_row(prior, truth[split], name) for name in MASKS] for split in SPLITS}
    text = (
        f"**One call of the denoiser on windows** of {window.FRAMES} frames of the captured CMU clips, MPJPE in mm; "
        f"{', '.join(f'{len(truth[split])} of {split}' for split in SPLITS)}. Where train is no better than dev, the "
        "network is the limit (its size, the hours that it was trained), and where it is much better, the data. Noise "
        "on every joint:"
    )
    hidden = (
        f"Joints hidden in the middle of the window, {1000 * _MASK_NOISE:g} mm of noise on the rest: error of what is "
        "hidden, after that of the interpolation which the prior starts from:"
    )
    return "\n\n".join([text, _noise_table(noise), hidden, _mask_table(masks)]), {"noise": noise, "masks": masks}


def _noise_table(rows: dict[str, list[dict]]) -> str:
    """What is left of each noise level on each split."""
    head = ["noise, mm per coordinate", *(f"{row['sigma_mm']:g}" for row in rows["dev"])]
    lines = [["noisy", *(f"{row['before']:.1f}" for row in rows["dev"])]]
    lines += [[f"one call, {split}", *(f"{row['after']:.1f}" for row in rows[split])] for split in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *lines))


def _mask_table(rows: dict[str, list[dict]]) -> str:
    head = ["what is hidden", *rows]
    lines = [
        [case[0]["case"], *(f"{row['before']:.1f} to {row['after']:.1f}" for row in case)]
        for case in zip(*rows.values(), strict=True)
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *lines))


def captured_windows(folder: Path, split: str, count: int) -> np.ndarray:
    """Windows with their context (N, F, J, 3), half overlapping, evenly spread over a split's captured CMU clips."""
    frames = window.FRAMES + 2 * _CONTEXT
    clips = [c.positions.astype(float) for c in data.load_split(folder, split) if c.subject.startswith("cmu")]
    cut = [p[i : i + frames] for p in clips for i in range(0, len(p) - frames + 1, window.FRAMES // 2)]
    return np.stack(cut)[np.unique(np.linspace(0, len(cut) - 1, count).astype(int))]


def noise_row(prior: Prior, truth: np.ndarray, sigma: float) -> dict[str, float]:
    """Error before and after one call, the same noise level everywhere."""
    before, after = (float(errors.mean()) for errors in noise_errors(prior, truth, sigma))
    return {"sigma_mm": 1000 * sigma, "before": before, "after": after}


def noise_errors(
    prior: Prior, truth: np.ndarray, sigma: float, known: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Errors (N, F, J) in millimetres before and after one call on windows with their context.

    known (N, J): joints that are measured at all; the others are hidden, and their errors mean nothing.
    """
    return _errors(prior, truth, sigma, _hide_unknown(np.full(truth.shape[:3], sigma), known))


def _hide_unknown(levels: np.ndarray, known: np.ndarray | None) -> np.ndarray:
    return levels if known is None else np.where(known[:, None], levels, np.inf)


def _errors(prior: Prior, truth: np.ndarray, noise: float, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    noisy, seen = corruption.position_noise(truth, noise, np.random.default_rng(0)), np.isfinite(levels)
    filled = noisy if seen.all() else fill_hidden(np.where(seen[..., None], noisy, 0.0), seen)
    result = _denoised(prior, filled, levels)
    before, after = (metrics.joint_errors(x, _middle(truth)) for x in (_middle(filled), result))
    return before, after


def mask_row(prior: Prior, truth: np.ndarray, case: str) -> dict[str, float | str]:
    """Error of hidden joints by interpolation and after one call."""
    hidden = hidden_frames(truth, case)
    before, after = (float(errors[hidden].mean()) for errors in mask_errors(prior, truth, case))
    return {"case": case, "before": before, "after": after}


def hidden_frames(truth: np.ndarray, case: str) -> np.ndarray:
    """What a mask hides (N, F, J) in the windows without their context."""
    return ~np.isfinite(_middle(_mask_levels(truth, case)))


def _mask_levels(truth: np.ndarray, case: str) -> np.ndarray:
    joints, frames = MASKS[case]
    first = (truth.shape[1] - frames) // 2
    sigma = np.full(truth.shape[:3], _MASK_NOISE)
    sigma[:, first : first + frames, joints] = np.inf
    return sigma


def mask_errors(
    prior: Prior, truth: np.ndarray, case: str, known: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Errors (N, F, J) in millimetres of the interpolation and after one call, as noise_errors has them."""
    return _errors(prior, truth, _MASK_NOISE, _hide_unknown(_mask_levels(truth, case), known))


def _denoised(prior: Prior, x: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    x, sigma = _middle(x), _middle(sigma)
    return np.concatenate([prior.denoise(x[i : i + _BATCH], sigma[i : i + _BATCH]) for i in range(0, len(x), _BATCH)])


def _middle(values: np.ndarray) -> np.ndarray:
    return values[:, _CONTEXT:-_CONTEXT]
