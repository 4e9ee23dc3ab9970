"""python -m pads_blender.training.renders TAKE.bvh ... --out FOLDER [--frames A-B]: Clean, for the eye.

Cleans each take with the real command line and draws stick figures before and after: an animation, a sheet of frames
where it changed most, and the speed of hands and feet; says in words where joints moved and which shake less or more.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from ..core import metrics
from ..core import rotations as rot
from .demo import run_program
from .demo_measures import Version, read_version, turn_to_front
from .demo_picture import DIRTY, PADS
from .stick_figures import Figure, Pair, draw_animation, draw_sheet

GIF_SECONDS = 8.0  # of a longer take, those where it changed most
SHEET_FRAMES, SHEET_RATE = 8, 15.0
SPEED_JOINTS = ("left_wrist", "right_wrist", "left_ankle", "right_ankle")


@dataclass(frozen=True)
class Compared:
    """One take before and after on its own rig, at the size of the model, and the command line's report."""

    name: str
    before: Version
    after: Version
    report: dict

    def pair(self, rows: slice) -> Pair:
        """What is drawn of some frames, stood upright and turned to the front."""
        turn = turn_to_front(self.before)
        before, after = (rot.rotate(turn, version.positions[rows]) for version in (self.before, self.after))
        return Pair(figure_of(self.before), before, after, self.before.fps, 1 + rows.start)

    def change(self) -> np.ndarray:
        """Millimetres (F, M) by which the mapped bones moved."""
        moved = (self.after.positions - self.before.positions)[:, self.before.mapped]
        return 1000.0 * np.linalg.norm(moved, axis=-1)


def main(arguments: Sequence[str]) -> int:
    """Draw every take that is named; the exit code."""
    given = _parser().parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    failed = 0
    for take in given.takes:
        try:
            compared = clean(take, given.out)
        except subprocess.CalledProcessError as error:  # the process has said what is wrong
            failed = error.returncode
            continue
        draw(compared, given.out, given.frames)
        print(f"\n{in_words(compared)}", flush=True)
    return failed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pads_blender.training.renders", description=__doc__)
    parser.add_argument("takes", metavar="TAKE.bvh", type=Path, nargs="+")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FOLDER", help="for pictures, cleaned takes, reports"
    )
    parser.add_argument("--frames", type=_frames, metavar="A-B", help="draw only these, the first of a take being 1")
    return parser


def _frames(text: str) -> slice:
    found = re.fullmatch(r"(\d+)-(\d+)", text)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise argparse.ArgumentTypeError(f'"{text}" is no range of frames: write 30-90')
    return slice(int(found[1]) - 1, int(found[2]))


def clean(take: Path, folder: Path) -> Compared:
    """The take through the command line, in a process of its own; CalledProcessError if that fails."""
    cleaned, report = folder / f"{take.stem}.bvh", folder / f"{take.stem}.json"
    run_program("pads_blender", "clean", take.resolve(), "-o", cleaned.resolve(), "--report", report.resolve())
    said = json.loads(report.read_text(encoding="utf-8"))
    return Compared(take.stem, read_version(take, said), read_version(cleaned, said), said)


def draw(compared: Compared, folder: Path, frames: slice | None = None) -> None:
    """The animation, the sheet and the plot of one take: of the frames asked for, or where it changed most."""
    chosen = range(*(frames or slice(None)).indices(len(compared.before.positions)))
    if not chosen:
        raise SystemExit(f"{compared.name} has frames 1 to {len(compared.before.positions)}: choose some of these.")
    fps, most = compared.before.fps, chosen.start + int(np.argmax(compared.change().max(axis=1)[chosen]))
    shown = _around(most, round(GIF_SECONDS * fps), chosen)
    draw_animation(folder / f"{compared.name}.gif", compared.pair(slice(shown.start, shown.stop)))
    step = max(1, round(fps / SHEET_RATE))
    near = _around(most, SHEET_FRAMES * step, chosen)
    draw_sheet(
        folder / f"{compared.name}_sheet.png", compared.pair(slice(near.start, near.stop)), range(len(near))[::step]
    )
    draw_speeds(folder / f"{compared.name}_speed.png", compared, chosen)


def _around(middle: int, count: int, chosen: range) -> range:
    """So many of the chosen frames about one of them."""
    count = min(count, len(chosen))
    first = min(max(middle - count // 2, chosen.start), chosen.stop - count)
    return range(first, first + count)


def figure_of(version: Version) -> Figure:
    """Sticks between the mapped bones and those between them, and from each end to the first thing that hangs on it."""
    parents, mapped = version.parents, {bone: joint for joint, bone in version.bones.items()}
    shown = set(mapped)
    for bone in mapped:
        while (bone := parents[bone]) >= 0:
            shown.add(bone)
    ends = [bone for bone in mapped if not any(parents[other] == bone for other in shown)]
    shown |= {child for bone in ends if (child := next((c for c, p in enumerate(parents) if p == bone), None))}
    above_all = [bone for bone in shown if bone not in mapped and _leads_to(bone, version.bones["pelvis"], parents)]
    sticks = [(parents[bone], bone) for bone in sorted(shown - set(above_all)) if parents[bone] not in (-1, *above_all)]
    return Figure(sticks, [_side(below, parents, mapped) for _, below in sticks], version.mapped)


def _leads_to(bone: int, descendant: int, parents: Sequence[int]) -> bool:
    """Whether one bone carries another: what carries the pelvis is no part of the body."""
    while descendant >= 0 and descendant != bone:
        descendant = parents[descendant]
    return descendant == bone


def _side(bone: int, parents: Sequence[int], mapped: dict[int, str]) -> int:
    while bone >= 0 and bone not in mapped:
        bone = parents[bone]
    joint = mapped.get(bone, "")
    return int(joint.startswith("left_")) - int(joint.startswith("right_"))


def draw_speeds(path: Path, compared: Compared, chosen: range) -> None:
    """Speed of wrists and ankles over the chosen frames, before and after, one below the other."""
    joints = [joint for joint in SPEED_JOINTS if joint in compared.before.bones]
    figure, rows = plt.subplots(len(joints), 1, figsize=(10.0, 1.7 * len(joints)), dpi=90, sharex=True, squeeze=False)
    for axes, joint in zip(rows[:, 0], joints, strict=True):
        for version, label, colour in ((compared.before, "as captured", DIRTY), (compared.after, "cleaned", PADS)):
            axes.plot(np.array(chosen[1:]) + 1, _speed(version, joint, chosen), color=colour, lw=0.9, label=label)
        axes.set_ylabel(f"{joint.replace('_', ' ')}, m/s", fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    rows[0, 0].legend(loc="upper right", frameon=False, fontsize=8)
    rows[-1, 0].set_xlabel("frame", fontsize=8)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def _speed(version: Version, joint: str, chosen: range) -> np.ndarray:
    """Speed (F - 1,) in m/s from each chosen frame to the next."""
    path = version.positions[chosen.start : chosen.stop, version.bones[joint]]
    return np.linalg.norm(np.diff(path, axis=0), axis=-1) * version.fps


def in_words(compared: Compared) -> str:
    """Where every joint moved most, and how much it shakes before and after, as a Markdown table."""
    before, after, change = compared.before, compared.after, compared.change()
    head = f"{compared.name}: {len(change)} frames, {before.fps:g} a second; mean change {change.mean():.2f} mm"
    lines = [head, "", "| joint | moved, mm | at most | at frame | jitter before, m/s³ | after | ratio |"]
    lines.append("|---" * 7 + "|")
    for column, (joint, bone) in enumerate(before.bones.items()):
        moved, (old, new) = change[:, column], (_jitter(version, bone) for version in (before, after))
        most, ratio = int(np.argmax(moved)), new / max(old, 1e-9)
        shown = f"{moved.mean():.2f} | {moved[most]:.1f} | {most + 1} | {old:.0f} | {new:.0f} | {ratio:.2f}"
        lines.append(f"| {joint.replace('_', ' ')} | {shown} |")
    return "\n".join(lines)


def _jitter(version: Version, bone: int) -> float:
    """Mean jerk of one bone in m/s³; 0 for a take too short to have any."""
    return metrics.jitter(version.positions[:, [bone]], version.fps) if len(version.positions) > 3 else 0.0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
