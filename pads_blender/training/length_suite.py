"""How time and memory of Clean grow with a take: each length in a process of its own, which measures its own peak.

python -m pads_blender.training.length_suite TAKES.npz FRAMES BONES PRIOR [MODELS] prints one measurement as JSON.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..core import rotations as rot
from ..core.rig import RigTake, find_changes
from ..diffusion.prior import load_prior
from ..tasks.clean import CleanSettings, clean_take
from . import data
from .bench import Setup, Suite
from .rig_suites import to_and_fro
from .scores import Score

LENGTHS = (3_000, 30_000, 100_000)
BONES = 60
JITTER_RADIANS = np.radians(1.0)
_MEGABYTE = 2.0**20


def length(setup: Setup) -> list[Score]:
    """Frames a second and memory for takes of growing length."""
    longest = max(setup.rig_clips, key=lambda clip: len(clip.take.frames))
    folder = setup.data / ("dev" if setup.split == "dev" else "train")
    file = folder / f"{longest.subject}.npz"
    return [Score(f"{frames} frames", longest.name, 0, _apart(setup, file, frames), {}) for frames in LENGTHS]


def _apart(setup: Setup, file: Path, frames: int) -> dict[str, float]:
    """One measurement in a new process: only there does the peak belong to this take."""
    command = [sys.executable, "-m", __name__, str(file), str(frames), str(BONES), setup.prior]
    command += [str(setup.models)] if setup.models else []
    root = Path(__file__).resolve().parent.parent.parent
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=root).stdout)


def measure(file: Path, frames: int, bones: int, prior_name: str, models: Path | None) -> dict[str, float]:
    """The longest clip of a file to and fro, with jitter and with bones that no joint uses, through clean_take."""
    clip = max(data.load_rig_clips(file), key=lambda clip: len(clip.take.frames))
    prior, mapping = load_prior(prior_name, models), clip.mapping
    clean_take(to_and_fro(clip.take, 100), mapping, CleanSettings(), prior)  # sessions are opened on first use
    take = with_idle_bones(jittered(to_and_fro(clip.take, frames)), bones)
    before, began = _resident("VmRSS"), time.perf_counter()
    after, _ = clean_take(take, mapping, CleanSettings(), prior)
    seconds = time.perf_counter() - began
    find_changes(take, after)
    held = sum(getattr(take, name).nbytes for name in ("rotation", "location", "scale")) / _MEGABYTE
    result = (after.rotation.nbytes + after.location.nbytes) / _MEGABYTE
    return {
        "frames a second": frames / seconds,
        "MB of the take": held,
        "MB of the result": result,
        "MB besides": _resident("VmHWM") - before - result,
    }


def jittered(take: RigTake) -> RigTake:
    """The take with white noise on every rotation, made in place of its own copy, a bone at a time."""
    rng, rotation = np.random.default_rng(0), take.rotation.copy()
    for bone in range(len(take.names)):
        noise = rng.normal(0.0, JITTER_RADIANS, (len(rotation), 3))
        rotation[:, bone] = rot.multiply(rotation[:, bone], rot.from_rotation_vector(noise))
    return replace(take, rotation=rotation)


def with_idle_bones(take: RigTake, bones: int) -> RigTake:
    """The take with more bones, up to so many, that hang on the last one and rest."""
    more, frames = max(0, bones - len(take.names)), len(take.frames)
    channels = {
        name: np.concatenate([getattr(take, name), np.broadcast_to(rest, (frames, more, len(rest)))], axis=1)
        for name, rest in (("rotation", rot.IDENTITY), ("location", np.zeros(3)), ("scale", np.ones(3)))
    }
    names = (*take.names, *(f"idle{number}" for number in range(more)))
    parents = np.concatenate([take.parents, np.full(more, len(take.names) - 1)])
    return replace(
        take, names=names, parents=parents, rest=np.concatenate([take.rest, take.rest[[-1] * more]]), **channels
    )


def _resident(field: str) -> float:
    """Resident memory of this process in MB: VmRSS now, VmHWM at most so far.

    Elsewhere than on Linux both are the most so far, which begins with that of the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(rf"{field}:\s+(\d+) kB", status.read_text())[1]) / 1024.0
    import resource  # not on Windows, where the other suites still have to load

    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / _MEGABYTE if sys.platform == "darwin" else size / 1024.0


SUITES = (
    Suite(
        "length",
        f"The longest clip to and fro, with jitter, on a rig of {BONES} bones through clean_take. Besides: the peak of "
        "resident memory, less what was there before and the result's arrays.",
        "time and memory",
        None,
        length,
    ),
)


if __name__ == "__main__":
    path, count, bone_count, name, *folder = sys.argv[1:]
    print(json.dumps(measure(Path(path), int(count), int(bone_count), name, Path(folder[0]) if folder else None)))
