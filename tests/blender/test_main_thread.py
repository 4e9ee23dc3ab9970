"""The main thread while Clean works on a long take: the press, the job and the result, measured apart.

What other programs take of the processor is taken off: the time for which a thread was ready and had to wait (Linux).
"""

import itertools
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
import pytest

from pads_blender import jobs
from pads_blender.blender.files import import_bvh
from pads_blender.blender.operators_clean import PADS_OT_clean
from pads_blender.blender.session import Session
from pads_blender.core.bvh import parse_bvh

pytestmark = [
    pytest.mark.usefixtures("registered"),
    pytest.mark.skipif(sys.platform != "linux", reason="how long threads had to wait is known on Linux alone"),
]
FRAMES, TICK_SECONDS, ASKED_SECONDS = 10_000, 0.005, 0.05
START_SECONDS, READ_SECONDS, FREE_SECONDS, END_SECONDS = 2.0, 0.5, 0.05, 2.0


@dataclass(frozen=True)
class Moment:
    """When the main thread was free, and how long it and the worker have waited for a processor by then."""

    seconds: float
    main: float
    worker: float
    phase: str

    @classmethod
    def now(cls, phase: str) -> "Moment":
        threads = {thread.name.split()[0]: thread for thread in threading.enumerate()}
        main, worker = waited(threads["MainThread"]), waited(threads["PADS"]) if "PADS" in threads else 0.0
        return cls(time.perf_counter(), main, worker, phase)

    def gap(self, later: "Moment") -> float:
        """Seconds for which this program kept the main thread; the worker may have held the interpreter meanwhile."""
        return later.seconds - self.seconds - (later.main - self.main) - max(later.worker - self.worker, 0.0)


def waited(thread: threading.Thread) -> float:
    """Seconds for which a thread was ready to run and had to wait for a processor."""
    try:
        return int(Path(f"/proc/self/task/{thread.native_id}/schedstat").read_text().split()[1]) / 1e9
    except OSError:  # it has ended since
        return 0.0


def long_text(text: str, frames: int) -> str:
    """A BVH's motion to and fro, until it has so many frames."""
    head, _, motion = text.partition("MOTION")
    _, frame_time, *rows = motion.strip().splitlines()
    order = np.abs((np.arange(frames) + len(rows) - 1) % (2 * len(rows) - 2) - len(rows) + 1)
    return "\r\n".join([f"{head}MOTION", f"Frames: {frames}", frame_time, *[rows[row] for row in order], ""])


def add_fingers(armature, count: int) -> None:
    """Bones beyond those of the body, each with keys of its own."""
    bpy.ops.object.mode_set(mode="EDIT")
    for number in range(count):
        hand = armature.data.edit_bones["LeftHand" if number % 2 else "RightHand"]
        bone = armature.data.edit_bones.new(f"Finger{number}")
        bone.parent, bone.head, bone.tail = hand, hand.tail, hand.tail + 0.1 * hand.vector
    bpy.ops.object.mode_set(mode="OBJECT")
    bag = armature.animation_data.action.layers[0].strips[0].channelbags[0]
    for number, index in itertools.product(range(count), range(4)):
        fcurve = bag.fcurves.new(f'pose.bones["Finger{number}"].rotation_quaternion', index=index)
        points = np.stack([np.arange(1.0, FRAMES + 1), np.full(FRAMES, float(index == 0))], axis=-1)
        fcurve.keyframe_points.add(FRAMES)
        fcurve.keyframe_points.foreach_set("co", points.astype(np.float32).ravel())
        fcurve.keyframe_points.foreach_set("interpolation", np.ones(FRAMES, np.int32))
        fcurve.update()


def moments_of_a_clean(text: str, file: Path) -> list[Moment]:
    """When the main thread was free, from the press of the button to the result, on 10,000 frames of 75 bones."""
    armature = import_bvh(parse_bvh(long_text(text, FRAMES)), file)
    add_fingers(armature, 75 - len(armature.data.bones))
    bpy.context.scene.pads.quality = "FAST"
    bpy.context.view_layer.update()
    button = type("Button", (), {"_wanted": PADS_OT_clean._wanted})()
    found = [Moment.now("press")]
    session = Session(PADS_OT_clean.prepare(button, bpy.context), "Clean Mocap")
    found.append(Moment.now(phase_of(session)))
    asked, said = time.perf_counter(), None
    while said is None:
        time.sleep(TICK_SECONDS)
        found.append(Moment.now(phase_of(session)))
        if time.perf_counter() - asked > ASKED_SECONDS:
            asked, said = time.perf_counter(), session.step()
    found.append(Moment.now("done"))
    jobs.stop()
    assert ".pads" in said
    return found


def phase_of(session: Session) -> str:
    if session.task is None:
        return "read"
    if session.job.progress.stage:
        return "end"
    return "job" if session.job.progress.share > 0.0 else "start"


def longest_times(moments: list[Moment]) -> dict[str, float]:
    """Seconds: the longest time away in each phase, and until the first progress is shown."""
    gaps: dict[str, list[float]] = {"press": [], "read": [], "start": [], "job": [], "end": []}
    for before, after in itertools.pairwise(moments):
        gaps[before.phase].append(before.gap(after))
    assert len(gaps["job"]) > 100
    begun, started = (next(i for i, m in enumerate(moments) if m.phase == phase) for phase in ("start", "job"))
    until_begun = sum(before.gap(after) for before, after in itertools.pairwise(moments[: begun + 1]))
    # From there on the worker works, whose waits count and not those of this thread.
    working = moments[begun].seconds - moments[begun].worker, moments[started].seconds - moments[started].worker
    longest = {phase: max(each, default=0.0) for phase, each in gaps.items()}
    return longest | {"first progress": until_begun + working[1] - working[0]}


def test_the_window_is_free_while_a_long_take_is_cleaned(dirty_text, tmp_path, capsys):
    """Twice if need be, and the shorter times: what others do on the machine slows down its memory, too."""
    bounds = {"press": START_SECONDS, "read": READ_SECONDS, "start": START_SECONDS, "job": FREE_SECONDS}
    bounds |= {"end": END_SECONDS, "first progress": START_SECONDS}
    best = dict.fromkeys(bounds, np.inf)
    for attempt in range(2):
        longest = longest_times(moments_of_a_clean(dirty_text(), tmp_path / f"walk{attempt}.bvh"))
        with capsys.disabled():
            said = ", ".join(f"{phase} {1000 * seconds:.0f} ms" for phase, seconds in longest.items())
            print(f"\n{FRAMES} frames, longest time away: {said}")
        best = {phase: min(best[phase], seconds) for phase, seconds in longest.items()}
        if all(best[phase] < bound for phase, bound in bounds.items()):
            return
    assert {phase: seconds for phase, seconds in best.items() if seconds >= bounds[phase]} == {}
