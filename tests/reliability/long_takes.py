"""A take of any length cleaned, and its feet held: memory beside its own arrays, how long a cancel waits. No bpy.

`python -m tests.reliability.long_takes FRAMES` prints the figures as JSON. A cancel is answered at the next step that
the task tells of, so that the longest time between two steps is the longest wait; who told of these says where it was.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from pads_blender.core.mapping import Mapping
from pads_blender.core.rig import RigTake
from pads_blender.core.skeleton import MODEL
from pads_blender.diffusion.prior import Prior, load_prior
from pads_blender.tasks.clean import CleanSettings
from pads_blender.tasks.cleaned import clean_rig
from pads_blender.tasks.foot_lock import list_contacts, lock_feet_at
from pads_blender.tasks.kept import Kept
from pads_blender.tasks.problems import find_problems
from pads_blender.tasks.repairs import count_repairs
from pads_blender.tasks.running import OnStep

from ..core.bodies import build_take, random_motion

_ON_BEHALF = "running", "pieces"  # modules that tell of steps for others
_SHOWN = 10  # of the longest waits
_PIECE, _LOST = 2000, slice(700, 760)  # frames of motion that are made at a time, and repeated; an arm is lost in some


def long_take(frames: int) -> tuple[RigTake, Mapping]:
    """A take of so many frames with noise on all rotations, in which an arm gets lost; only its chest may be moved.

    Every stage of Clean has to do with it: what the hips move by has to be carried elsewhere, too.
    """
    local, root = random_motion(min(frames, _PIECE))
    local[_LOST, MODEL.indices("left_shoulder", "left_elbow")] = local[0, MODEL.indices("left_shoulder", "left_elbow")]
    repeats = -(-frames // len(local))
    take, mapping = build_take(np.tile(local, (repeats, 1, 1))[:frames], np.tile(root, (repeats, 1))[:frames])
    noise = np.random.default_rng(0).normal(0.0, 0.01, take.rotation.shape)
    take.rotation[:] += noise
    take.rotation[:] /= np.linalg.norm(take.rotation, axis=-1, keepdims=True)
    return replace(take, movable=np.array(take.names) == "chest"), mapping


def clean(take: RigTake, mapping: Mapping, prior: Prior, on_step: OnStep) -> None:
    """What Clean Mocap does in its thread, fast; one bone's keys are kept."""
    kept = Kept.nothing(take)
    kept = replace(kept, rotation=kept.rotation | (np.array(take.names) == "left_wrist"))
    after = clean_rig(take, mapping, kept, CleanSettings(steps=1), prior, on_step).after
    count_repairs(*(find_problems(each, mapping, on_step) for each in (take, after)), {})


def hold_feet(take: RigTake, mapping: Mapping, _prior: Prior, on_step: OnStep) -> None:
    """What Find Contacts and Lock Feet do."""
    lock_feet_at(take, mapping, Kept.nothing(take), list_contacts(take, mapping, on_step), 1.0, on_step)


def measure(frames: int) -> dict:
    """Figures for a take of so many frames."""
    take, mapping = long_take(frames)
    prior = load_prior("motion", threads=1)
    clean(take.rows(slice(0, 200)), mapping, prior, lambda *_: None)  # the runtime is loaded before
    before, own = _peak_megabytes(), sum(a.nbytes for a in (take.rotation, take.location, take.scale)) / 1e6
    began = time.perf_counter()
    waits = [wait for task in (clean, hold_feet) for wait in waits_of(task, take, mapping, prior)]
    seconds, longest = time.perf_counter() - began, sorted(waits, reverse=True)[:_SHOWN]
    return {
        "frames": frames,
        "seconds": seconds,
        "slowest_cancel": longest[0].seconds,
        "slowest_stage": longest[0].stage,
        "longest": [f"{wait.seconds:.2f} s {wait.stage}" for wait in longest],
        "megabytes": _peak_megabytes() - before,
        "take_megabytes": own,
    }


@dataclass(frozen=True, order=True)
class Wait:
    """Seconds of the processor, for the machine may be busy, between two steps, and who told of these."""

    seconds: float
    stage: str


def waits_of(task: Callable, take: RigTake, mapping: Mapping, prior: Prior | None) -> list[Wait]:
    """How long a cancel waits at each moment of a task."""
    told = [(time.process_time(), "its start")]
    task(take, mapping, prior, lambda *_: told.append((time.process_time(), _teller())))
    told.append((time.process_time(), "its end"))
    return [Wait(end - start, f"from {a} to {b} ({task.__name__})") for (start, a), (end, b) in pairwise(told)]


def _teller() -> str:
    """The function that tells of a step, with its module and line."""
    frame = sys._getframe(2)
    while Path(frame.f_code.co_filename).stem in _ON_BEHALF:
        frame = frame.f_back
    return f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_name}:{frame.f_lineno}"


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
