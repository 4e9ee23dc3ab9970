"""Damaged files through PADS's readers: each is read to sound numbers or refused in one sentence, within seconds.

An input is known by its kind, seed and number, and made again from them:
`python -m tests.reliability replay bvh 0 4711 FILE`.
"""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np

from pads_blender.core.bvh import bone_names, parse_bvh, read_bvh, world_positions
from pads_blender.core.bvh_plain import importable_text
from pads_blender.core.camera_files import read_camera
from pads_blender.core.gltf import frame_rate, has_skin, read_gltf, write_with_skin
from pads_blender.core.keypoint_files import read_keypoints
from pads_blender.core.presets import find_preset, load_preset
from pads_blender.core.skeleton import JOINTS
from pads_blender.diffusion.contract import read_contract
from pads_blender.diffusion.learned_priors import PosePrior, WindowPrior
from pads_blender.diffusion.numpy_prior import NumpyNetwork
from pads_blender.diffusion.onnx_file import read_weights
from pads_blender.diffusion.window import FRAMES
from pads_blender.errors import PadsError, PriorError

from . import seeds
from .mutations import damage_bytes, damage_json, damage_text

LONGEST_SECONDS = 2.0  # of the processor, so that a busy machine is not taken for a slow reader
_LONGEST_WAIT = 60.0  # by the clock, for a reader that waits for what never comes
_LONGEST_SENTENCE = 700


class UnsoundError(Exception):
    """What a reader let through is not sound, or what it said is no sentence."""


class Hang(BaseException):
    """A file took too long; no reader catches it."""


@dataclass(frozen=True)
class Kind:
    """A kind of file: how sound ones are made and damaged, and what reads them (and checks what came of it)."""

    name: str
    suffix: str
    files: Callable[[Path], list[bytes]]  # a folder to make them in
    damage: Callable[[bytes, Random], bytes]
    read: Callable[[Path], None]


@dataclass
class Tally:
    """What became of a number of inputs."""

    tried: int = 0
    accepted: int = 0
    slowest_seconds: float = 0.0
    failures: list[str] = field(default_factory=list)

    @property
    def refused(self) -> int:
        """Those that were refused in a sentence."""
        return self.tried - self.accepted - len(self.failures)


def fuzz(kind: Kind, numbers: range, folder: Path, seed: int = 0, real: Path | None = None) -> Tally:
    """Try so many inputs of a kind; real: a folder of real takes to begin with besides those made in code."""
    tally, sound = Tally(), sound_files(kind, folder, real)
    for number in numbers:
        data = damaged(kind, sound, seed, number)
        said = try_input(kind, data, folder, tally)
        if said:
            tally.failures.append(f"{kind.name} {seed} {number}: {said}")
    return tally


def sound_files(kind: Kind, folder: Path, real: Path | None = None) -> list[bytes]:
    """What the damage begins with."""
    return kind.files(folder) if kind.name != "bvh" else seeds.bvh_files(real)


def damaged(kind: Kind, sound: list[bytes], seed: int, number: int) -> bytes:
    """One input; every hundredth is left whole."""
    rng = Random(f"{kind.name} {seed} {number}")
    data = rng.choice(sound)
    return data if number % 100 == 99 else kind.damage(data, rng)


def try_input(kind: Kind, data: bytes, folder: Path, tally: Tally) -> str | None:
    """Read one file; what is wrong with the way it was taken, or None."""
    path = folder / f"input{kind.suffix}"
    path.write_bytes(data)
    before, began = sorted(folder.iterdir()), time.process_time()
    tally.tried += 1
    said = None
    try:
        with time_limit(LONGEST_SECONDS):
            kind.read(path)
        tally.accepted += 1
    except PadsError as error:
        said = _check_sentence(kind, str(error))
    except Hang:
        said = f"takes more than {LONGEST_SECONDS:g} s"
    except Exception as error:
        said = f"{type(error).__name__}: {str(error)[:200]}"
    finally:
        tally.slowest_seconds = max(tally.slowest_seconds, time.process_time() - began)
    return said or (None if sorted(folder.iterdir()) == before else "leaves a file behind")


def _check_sentence(kind: Kind, text: str) -> str | None:
    """What is wrong with a refusal: it is one printable sentence of some words, and for a BVH it names the line."""
    if not text.isprintable():
        return f"its message holds what cannot be printed: {text[:300]!a}"
    if not 20 < len(text) <= _LONGEST_SENTENCE or not text.endswith("."):
        return f"its message is no sentence: {text[:300]!a} ({len(text)} characters)"
    if kind.name == "bvh" and ": line " not in text:
        return f"its message names no line: {text[:300]!a}"
    return None


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Hang is raised inside when it has worked, or waited, for too long; without signals, as on Windows, never."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: object) -> None:
        raise Hang

    limits = ((signal.SIGPROF, signal.ITIMER_PROF, seconds), (signal.SIGALRM, signal.ITIMER_REAL, _LONGEST_WAIT))
    before = [signal.signal(number, stop) for number, _, _ in limits]
    for _, timer, longest in limits:
        signal.setitimer(timer, longest)
    try:
        yield
    finally:
        for (number, timer, _), handler in zip(limits, before, strict=True):
            signal.setitimer(timer, 0.0)
            signal.signal(number, handler)


# --- what is asked of each reader -------------------------------------------------------------------------------------


def _require(is_sound: bool, what: str) -> None:
    if not is_sound:
        raise UnsoundError(what)


def _read_bvh(path: Path) -> None:
    bvh = read_bvh(path)
    _require(np.isfinite(bvh.motion).all() and np.isfinite(bvh.offsets).all(), "numbers that are none")
    _require(np.isfinite(world_positions(bvh)).all(), "places that are none")
    _require((bvh.parents < np.arange(len(bvh.names))).all(), "a joint before its parent")
    _require(1e-7 < bvh.frame_time < 1e7, "a frame rate that is none")
    names = bone_names(bvh)
    _require(len(set(names)) == len(names), "two bones of one name")
    _require(not any("\0" in name for name in names), "a name that C ends early")
    again = parse_bvh(importable_text(bvh))
    _require(again.names == names and len(again.motion) == len(bvh.motion), "not what Blender is to import")


def _read_keypoints(path: Path) -> None:
    read = read_keypoints(path, (1920, 1080))
    _require(np.isfinite(read.points).all() and np.isfinite(read.confidence).all(), "points that are none")
    _require(read.confidence.min() >= 0 and read.confidence.max() <= 1, "a confidence beyond 0 to 1")
    _require(len(read) > 0, "no frame")


def _read_camera(path: Path) -> None:
    camera = read_camera(path)
    _require(np.isfinite(camera.world_from_camera).all() and np.isfinite(camera.intrinsics).all(), "no camera")
    _require(np.isfinite(np.linalg.inv(camera.world_from_camera)).all(), "a camera of no extent")
    _require(camera.focal > 0 and len(camera.world_from_camera) > 0, "no lens")


def _read_preset(path: Path) -> None:
    find_preset(path.parent, seeds.BONES, [-1, 0, 0, 0, 1])
    mapping = load_preset(path, seeds.BONES)
    _require(all(each is None or each.bone in seeds.BONES for each in mapping.joints.values()), "bones of no rig")
    _require(all(each is None or 0 <= each.confidence <= 1 for each in mapping.joints.values()), "no confidence")


def _read_contract(path: Path) -> None:
    """As the kind of prior that it says it is; what is not refused has to work."""
    try:
        contract = read_contract(path, "motion")
    except PriorError:
        contract = read_contract(path, "pose")
    for role in contract["files"]:
        contract.file(role)
    network, rng = NumpyNetwork(contract), np.random.default_rng(0)
    if contract["kind"] == "motion":
        found = [WindowPrior(contract, network).denoise(rng.normal(size=(1, FRAMES, len(JOINTS), 3)), 0.1)]
    else:
        prior, pose = PosePrior(contract, network), rng.normal(size=(1, len(JOINTS), 3))
        found = [prior.denoise(pose, 0.1), *prior.vjp(pose, 0.1, pose), prior.error()(0.1)]
    _require(all(np.isfinite(each).all() for each in found), "answers that are no numbers")


def _read_gltf(path: Path) -> None:
    gltf = read_gltf(path)
    rate = frame_rate(gltf)
    _require(rate is None or 0 < rate < 1e6, f"a frame rate of {rate}")
    if not has_skin(gltf):
        with TemporaryDirectory() as folder:
            write_with_skin(gltf, path, Path(folder))


def _read_weights(path: Path) -> None:
    read_weights(path)


KINDS = {
    kind.name: kind
    for kind in (
        Kind("bvh", ".bvh", lambda _: seeds.bvh_files(), damage_text, _read_bvh),
        Kind("keypoints", ".json", lambda _: seeds.keypoint_files(), damage_json, _read_keypoints),
        Kind("landmarks", ".csv", lambda _: seeds.landmark_tables(), damage_text, _read_keypoints),
        Kind("camera", ".json", lambda _: seeds.camera_files(), damage_json, _read_camera),
        Kind("preset", ".json", seeds.preset_files, damage_json, _read_preset),
        Kind("contract", ".json", seeds.contract_files, damage_json, _read_contract),
        Kind("gltf", ".gltf", lambda _: seeds.gltf_files()[:1], damage_json, _read_gltf),
        Kind("glb", ".glb", lambda _: seeds.gltf_files()[1:], damage_bytes, _read_gltf),
        Kind("weights", ".onnx", lambda _: seeds.onnx_files(), damage_bytes, _read_weights),
    )
}
