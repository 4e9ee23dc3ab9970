"""A take of any length cleaned: memory beside its own arrays, and how long a cancel would wait. No bpy.

`python -m tests.reliability.long_takes FRAMES` prints the figures as JSON. A cancel is answered at the next step that
the task tells of, so that the longest time between two steps is the longest wait.
"""

import json
import resource
import sys
import time

import numpy as np

from pads_blender.diffusion.prior import load_prior
from pads_blender.tasks.clean import CleanSettings, clean_take

from ..core.bodies import build_take, random_motion

_PIECE = 2000  # frames of motion that are made at a time, and repeated


def long_take(frames: int):
    """A take of so many frames with noise on all rotations, and its mapping."""
    local, root = random_motion(min(frames, _PIECE))
    repeats = -(-frames // len(local))
    take, mapping = build_take(np.tile(local, (repeats, 1, 1))[:frames], np.tile(root, (repeats, 1))[:frames])
    noise = np.random.default_rng(0).normal(0.0, 0.01, take.rotation.shape)
    take.rotation[:] += noise
    take.rotation[:] /= np.linalg.norm(take.rotation, axis=-1, keepdims=True)
    return take, mapping


def measure(frames: int) -> dict:
    """Figures of cleaning a take of so many frames with the fast settings."""
    take, mapping = long_take(frames)
    prior = load_prior("motion", threads=1)
    clean_take(take.rows(slice(0, 200)), mapping, CleanSettings(steps=1), prior)  # the runtime is loaded before
    before, own = _peak_megabytes(), sum(a.nbytes for a in (take.rotation, take.location, take.scale)) / 1e6
    began, times = time.perf_counter(), [time.process_time()]  # of the processor: the machine may be busy
    clean_take(take, mapping, CleanSettings(steps=1), prior, lambda *_: times.append(time.process_time()))
    times.append(time.process_time())
    return {
        "frames": frames,
        "seconds": time.perf_counter() - began,
        "slowest_cancel": float(np.diff(times).max()),
        "megabytes": _peak_megabytes() - before,
        "take_megabytes": own,
    }


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
