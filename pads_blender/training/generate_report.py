"""evaluate generate: what the pose prior thinks of unasked, beside real poses: variety, likeness, bodies, novelty."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..core import metrics
from ..core.heading import without_heading
from ..core.self_contact import self_intersecting
from ..core.skeleton import MODEL
from ..diffusion.prior import load_prior
from ..tasks.generate import GenerateSettings, generate_poses
from . import bench, data, poses
from .pages import put_between_marks

COUNT, MANIFOLD = 500, 5000
APART_SECONDS = 0.5


def add_command(commands: argparse._SubParsersAction, add_shared: Callable[[argparse.ArgumentParser], None]) -> None:
    """The subcommand generate."""
    command = commands.add_parser("generate", help="poses drawn from the pose prior, beside real ones")
    add_shared(command)
    command.add_argument("--count", type=int, default=COUNT, help="poses for variety and bodies")
    command.add_argument("--manifold", type=int, default=MANIFOLD, help="poses for precision and recall")
    command.set_defaults(run=run)


def run(given: argparse.Namespace, command: str) -> None:
    """Measure, print and write."""
    prior = load_prior("pose", given.models)
    drawn = generate_poses(GenerateSettings(max(given.count, given.manifold)), prior)
    train, dev = (without_heading(spaced_poses(given.data, split)) for split in ("train", "dev"))
    rows = [measure(*each, train, given) for each in (("generated", drawn), ("real, dev", dev))]
    rows.append(measure("real, train", train, None, given))
    text = f"`{command}`\n\nPrior pose, weights {bench.weights_of(prior)}. {_about(train, dev, given)}\n\n{table(rows)}"
    print(text, flush=True)
    (given.out / "generate.json").write_text(json.dumps({"command": command, "rows": rows}, indent=1) + "\n")
    (given.out / "generate.md").write_text(f"{text}\n", encoding="utf-8")
    if given.page:
        put_between_marks(given.page, "generate", text)


def spaced_poses(folder: Path, split: str) -> np.ndarray:
    """Pelvis-relative poses (N, J, 3) of a split's captured CMU clips, half a second apart, in random order."""
    step = round(APART_SECONDS * data.FPS)
    clips = [c for c in data.load_split(folder, split) if c.subject.startswith("cmu") and c.visible.all()]
    found = np.concatenate([data.pelvis_relative(c).positions[::step] for c in clips]).astype(float)
    return np.random.default_rng(0).permutation(found)


def measure(name: str, each: np.ndarray, train: np.ndarray | None, given: argparse.Namespace) -> dict:
    """One row: a set of poses (N, J, 3) without heading; train None: these are the training poses."""
    few, many, reference = each[: given.count], each[: given.manifold], each if train is None else train
    row = {"set": name, "poses": len(many), "apd_mm": metrics.average_pairwise_distance(few)}
    if train is not None:
        row["precision"], row["recall"] = metrics.precision_recall(flat(many), flat(train[: given.manifold]))
    nearest = nearest_distances(few, reference, is_own=train is None)
    row |= {"nearest_mm": float(np.median(nearest)), "nearest_1_mm": float(np.percentile(nearest, 1.0))}
    row["bone_mm"] = float(metrics.bone_length_errors(few, MODEL.parents, MODEL.offsets).mean())
    limits = poses.joint_limits(reference if train is None else train)
    row |= {f"{joint}_violations": share for joint, share in poses.violations(few, limits).items()}
    row["self_intersecting"] = float(self_intersecting(few).mean())
    return row


def nearest_distances(each: np.ndarray, reference: np.ndarray, is_own: bool = False) -> np.ndarray:
    """Mean joint distance (N,) in mm of each pose to the nearest of the reference (M, J, 3); is_own: but itself."""
    result = []
    for pose in each:
        distance = metrics.joint_errors(reference, pose).mean(axis=-1)
        result.append(np.partition(distance, 1)[1] if is_own else distance.min())
    return np.array(result)


def table(rows: list[dict]) -> str:
    """The rows in Markdown."""
    head = ["", "poses", "APD, mm", "precision, recall", "nearest training pose, mm (1 %)", "bone length error, mm"]
    head += [f"{joint}s beyond limits" for joint in poses.WRONG_WAYS] + ["self-intersecting"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for row in rows:
        likeness = f"{row['precision']:.2f}, {row['recall']:.2f}" if "precision" in row else ""
        cells = [row["set"], str(row["poses"]), f"{row['apd_mm']:.0f}", likeness]
        cells += [f"{row['nearest_mm']:.0f} ({row['nearest_1_mm']:.0f})", f"{row['bone_mm']:.1f}"]
        cells += [f"{100 * row[f'{joint}_violations']:.2f} %" for joint in poses.WRONG_WAYS]
        cells.append(f"{100 * row['self_intersecting']:.1f} %")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _about(train: np.ndarray, dev: np.ndarray, given: argparse.Namespace) -> str:
    return (
        f"Heading removed. APD (mean joint distance over all pairs), bodies and nearest training poses on "
        f"{given.count} of each; precision and recall (manifolds of 3 neighbours) on as many as stand under poses "
        f"against {min(given.manifold, len(train))} of the {len(train)} training poses that lie {APART_SECONDS} s "
        f"apart (dev has {len(dev)}). Nearest: mean joint distance to the nearest training pose, median and lowest "
        "hundredth; for a training pose the nearest other one. Limits: what all but one in a thousand knees and elbows "
        "of the training poses stay below. Self-intersecting: slim capsules about trunk, head and limbs, neighbours "
        "left out, a centimetre or more inside each other; the generator drops poses by the same capsules."
    )


def flat(each: np.ndarray) -> np.ndarray:
    """Poses (N, J, 3) as rows (N, 3 J)."""
    return each.reshape(len(each), -1)
