"""`build.py demo`: a take through the command line in Blender, and what became of it as a table and a picture.

Without a take it uses its own, whose truth is known. Blender runs in processes of its own.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..core import rotations as rot
from . import demo_measures as measures
from .demo_body import FPS, bvh_text
from .demo_damage import FROZEN_FRAMES, JITTER_DEGREES, POP_DEGREES, POPS, SEED, Damage, corrupt
from .demo_measures import Version, read_version
from .demo_picture import BLENDER, DIRTY, PADS, TRUTH, Close, Scene, Shown, draw
from .demo_take import perform

ROOT = Path(__file__).resolve().parents[2]
BLENDER_DEFAULT_HERTZ = "3"  # cut-off of graph.butterworth_smooth in 4.5 and 5.2
HERTZ = ("1", "1.5", "2", "2.5", BLENDER_DEFAULT_HERTZ, "4", "5", "6", "8")
_SHOWN_JOINTS = ("right_wrist", "left_wrist", "head", "pelvis")  # the first that is mapped gets a curve


@dataclass(frozen=True)
class Outputs:
    """What the demo writes, for its own take and for a user's."""

    cleaned: Path
    blend: Path
    report: Path
    picture: Path

    @classmethod
    def into(cls, folder: Path) -> "Outputs":
        """The usual names."""
        return cls(*(folder / name for name in ("cleaned.bvh", "demo.blend", "report.json", "before_after.png")))


def main(arguments: Sequence[str], folder: Path = ROOT / "demo") -> int:
    """Clean the take that is named, or the demo's own, and show the result; the exit code."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        if arguments:
            show_take(Path(arguments[0]), Outputs.into(folder))
        else:
            show_own_take(folder, Outputs.into(folder))
    except subprocess.CalledProcessError as failed:
        return failed.returncode  # the process has said what is wrong
    return 0


def clean(take: Path, outputs: Outputs) -> dict:
    """The command line's report on a take that it cleaned in Blender, as any user would run it."""
    written = ["-o", outputs.cleaned, "--blend", outputs.blend, "--report", outputs.report]
    run_program("pads_blender", "clean", take, *written)
    return json.loads(outputs.report.read_text(encoding="utf-8"))


def run_program(module: str, *arguments: str | Path) -> None:
    """One Python program of the package in a process of its own; CalledProcessError if it fails."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)


# --- the demo's own take ----------------------------------------------------------------------------------------------


def show_own_take(folder: Path, outputs: Outputs) -> None:
    """Author a take, break it, clean it, and compare it with the truth and with what Blender's own filter does."""
    dirty, truth = folder / "dirty.bvh", folder / "truth.bvh"
    damage = write_own_take(dirty, truth)
    report = clean(dirty, outputs)
    wanted = read_version(truth, report, is_metres=True)
    smoothed = smooth_in_blender(dirty, report)
    errors = {hertz: measures.errors(version, wanted, damage) for hertz, version in smoothed.items()}
    best = min(errors, key=lambda hertz: errors[hertz]["joint positions, mm"])
    before, after = (read_version(path, report, is_metres=True) for path in (dirty, outputs.cleaned))
    columns = {
        "dirty": measures.errors(before, wanted, damage),
        f"Blender {BLENDER_DEFAULT_HERTZ} Hz": errors[BLENDER_DEFAULT_HERTZ],
        f"Blender {best} Hz": errors[best],
        "PADS": measures.errors(after, wanted, damage),
    }
    print(f"\n{_own_take_in_words()}\n\n{measures.table(columns)}\n\n{_filter_in_words(best)}")
    _print_end(report, outputs)
    draw_own_take(outputs.picture, before, smoothed[best], after, wanted)


def write_own_take(dirty: Path, truth: Path) -> Damage:
    """Write the two BVH files; which joints (F, J) are damaged in which frames."""
    performance = perform()
    broken, damage = corrupt(performance, np.random.default_rng(SEED))
    truth.write_text(bvh_text(performance), encoding="utf-8")
    dirty.write_text(bvh_text(broken), encoding="utf-8")
    return damage


def smooth_in_blender(take: Path, report: dict) -> dict[str, Version]:
    """The take through Blender's own Butterworth filter, by its cut-off frequency."""
    with tempfile.TemporaryDirectory() as folder:
        run_program("pads_blender.blender.butterworth", take, folder, *HERTZ)
        files = {hertz: Path(folder, f"butterworth_{hertz}.bvh") for hertz in HERTZ}
        return {hertz: read_version(path, report, is_metres=True) for hertz, path in files.items()}


def _own_take_in_words() -> str:
    seconds = (FROZEN_FRAMES.stop - FROZEN_FRAMES.start) / FPS
    return (
        f"The demo's own take: {JITTER_DEGREES:g} degrees of jitter about each axis of every bone, {POPS} pops of "
        f"{POP_DEGREES:g} degrees,\nan arm frozen for {seconds:g} s. Mean error to the truth:"
    )


def _filter_in_words(best: str) -> str:
    return (
        f"Blender: its own Butterworth filter on all F-curves, run in Blender. {BLENDER_DEFAULT_HERTZ} Hz is its "
        f"default; {best} Hz is the best\nfor this take of {', '.join(HERTZ)}: to know that took the truth, "
        "which nobody has."
    )


def draw_own_take(path: Path, before: Version, filtered: Version, after: Version, truth: Version) -> None:
    """Before and after over the truth, and the height of the wrist that waves and then freezes."""
    rows = [
        Shown(before.positions, "Captured: jitter, pops, a frozen arm", DIRTY),
        Shown(after.positions, "Cleaned with PADS", PADS),
    ]
    curves = [
        Shown(before.positions, "captured", DIRTY),
        Shown(filtered.positions, "Blender's Butterworth at its best", BLENDER),
        Shown(after.positions, "PADS", PADS),
    ]
    close = Close(FROZEN_FRAMES.start / FPS, FROZEN_FRAMES.stop / FPS, "while the arm is frozen")
    draw(path, _scene(truth, "right_wrist", close), rows, curves, Shown(truth.positions, "truth", TRUTH))


# --- a user's take ----------------------------------------------------------------------------------------------------


def show_take(take: Path, outputs: Outputs) -> None:
    """Clean a take of which no truth is known, and say what was found and what changed."""
    report = clean(take, outputs)
    before, after = (read_version(path, report) for path in (take, outputs.cleaned))
    columns = {"before": {"jitter, m/s³": measures.jitter(before)}, "after": {"jitter, m/s³": measures.jitter(after)}}
    print(f"\n{take.name}, brought to the size of a 1.70 m body:\n\n{measures.table(columns)}\n")
    print(f"Mean change:\n\n{measures.table(measures.changes(report))}\n")
    print(_found_in_words(report))
    _print_end(report, outputs)
    draw_take(outputs.picture, before, after)


def _found_in_words(report: dict) -> str:
    frozen = [f"{bone} ({frames} frames)" for bone, frames in measures.completed(report).items()]
    return f"Found frozen and filled in anew: {', '.join(frozen)}." if frozen else "No frozen bones were found."


def draw_take(path: Path, before: Version, after: Version) -> None:
    """Before and after, and the height of a wrist, closely where it changed most."""
    joint, turn = next(joint for joint in _SHOWN_JOINTS if joint in before.bones), measures.turn_to_front(before)
    change = np.linalg.norm(after.positions - before.positions, axis=-1)[:, before.bones[joint]]
    middle, last = int(np.argmax(change)) / before.fps, (len(change) - 1) / before.fps
    close = Close(max(middle - 0.5, 0.0), min(middle + 0.5, last), "where it changed most")
    rows = [
        Shown(rot.rotate(turn, before.positions), "Before", DIRTY),
        Shown(rot.rotate(turn, after.positions), "Cleaned with PADS", PADS),
    ]
    draw(path, _scene(before, joint, close), rows, rows)


# --- both -------------------------------------------------------------------------------------------------------------


def _scene(version: Version, joint: str, close: Close) -> Scene:
    """What the picture shows of a take."""
    head = version.bones.get("head", version.bones["pelvis"])
    top = next((child for child, parent in enumerate(version.parents) if parent == head), head)
    return Scene(version.parents, version.fps, version.bones[joint], joint.replace("_", " "), (head, top), close)


def _print_end(report: dict, outputs: Outputs) -> None:
    """How fast it was, and where everything is."""
    print(
        f"\nPADS took {report['seconds']:.1f} s for {report['frames']} frames, reading and writing files included: "
        f"{report['frames_per_second']:.0f} frames per second on the {report['device']}."
    )
    print(f"{outputs.cleaned}: the cleaned take\n{outputs.blend}: the rig with the original and the cleaned action")
    print(f"{outputs.picture}: before and after\n{outputs.report}: all figures of the cleaning", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
