"""A folder of takes of any kind as clips of the model skeleton, and a list of what was left out and why.

What was read is kept, so that a large library is read once. Which kinds there are: READERS and read_npz.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from ..errors import BadFileError, PadsError
from ..paths import written_whole
from . import amass, asf_amc, data, position_sets
from .data import Clip

LEAST_SECONDS = 1.0
JUMP_METRES = 20.0 / data.FPS  # between two frames, of any joint: nobody moves so fast, so the take is cut there
_PACKAGE = Path(__file__).resolve().parent.parent
_KEPT_VERSION = "1"  # another number reads everything anew


@dataclass(frozen=True)
class Read:
    """What one file holds: clips, and sentences on what in it was left out."""

    clips: tuple[Clip, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Library:
    """All clips of a folder; left_out: each file with a reason why it, or a part of it, is not among them."""

    clips: tuple[Clip, ...]
    left_out: tuple[tuple[str, str], ...]

    @property
    def minutes(self) -> float:
        """Length of all clips."""
        return sum(len(clip.positions) for clip in self.clips) / data.FPS / 60.0


def read_library(folder: Path, kept: Path, say: Callable[[str], None]) -> Library:
    """Every take in the folder and below; what was read before comes from the folder `kept`.

    Raises BadFileError where there is nothing that can be trained on.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and kept not in path.parents)
    takes = [path for path in files if _reader(path)]
    clips: list[Clip] = []
    left_out: list[tuple[str, str]] = []
    for number, path in enumerate(takes):
        name = path.relative_to(folder).as_posix()
        subject = subject_of(path, folder)
        place = _place(path, subject, kept)
        if not place.is_file():
            say(f"reading {number + 1} of {len(takes)}: {name}")
            with written_whole(place) as partial:
                _keep(_read(path, subject), partial)
        read = _read_kept(place)
        clips += read.clips
        left_out += [(name, reason) for reason in read.left_out]
    left_out += _other_kinds(set(files) - set(takes))
    if not clips:
        reasons = "".join(f" {name}: {reason}" for name, reason in left_out[:1])
        raise BadFileError(f"{folder}: holds no take that can be trained on.{reasons}")
    return Library(tuple(clips), tuple(left_out))


def subject_of(path: Path, folder: Path) -> str:
    """Who is in a file: LAFAN1 says so in the name (`walk1_subject5.bvh`), else the sub-folder or the folder."""
    _, mark, number = path.stem.rpartition("_subject")
    if mark and number.isdecimal():
        return f"subject{number}"
    return path.parent.relative_to(folder).as_posix() if path.parent != folder else folder.name


def _other_kinds(files: set[Path]) -> list[tuple[str, str]]:
    """One line for each kind of file that is not read; skeletons of AMC files count with these."""
    kinds = Counter(path.suffix.lower() or path.name for path in files if path.suffix.lower() != ".asf")
    return [(f"{count} x {kind}", "is no kind of take that is read here") for kind, count in sorted(kinds.items())]


# --- one file -----------------------------------------------------------------------------------------------------


def _place(path: Path, subject: str, kept: Path) -> Path:
    """Where a file's takes are kept; another place once the file has changed."""
    state = path.stat()
    key = "\n".join((_KEPT_VERSION, str(path.resolve()), subject, str(state.st_size), str(state.st_mtime_ns)))
    return kept / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.npz"


def _read_kept(place: Path) -> Read:
    with np.load(place) as z:
        fields = zip(z["subjects"], z["names"], strict=True)
        clips = [Clip(z[f"p{i}"], z[f"v{i}"], str(s), str(name)) for i, (s, name) in enumerate(fields)]
        return Read(tuple(clips), tuple(map(str, z["left_out"])))


def _keep(read: Read, path: Path) -> None:
    arrays = {f"p{i}": clip.positions for i, clip in enumerate(read.clips)}
    arrays |= {f"v{i}": clip.visible for i, clip in enumerate(read.clips)}
    words = {"subjects": [c.subject for c in read.clips], "names": [c.name for c in read.clips]}
    words["left_out"] = list(read.left_out)
    np.savez(path, **arrays, **{name: np.array(values, str) for name, values in words.items()})


def _read(path: Path, subject: str) -> Read:
    """The file's takes, cut at jumps; what cannot be used as sentences."""
    try:
        read = _reader(path)(path, subject)
    except PadsError as error:
        return Read((), (str(error).removeprefix(f"{path}: "),))
    clips: list[Clip] = []
    left_out = list(read.left_out)
    for clip in read.clips:
        pieces, reason = usable_pieces(clip)
        clips += pieces
        left_out += [f"{clip.name}: {reason}"] if reason else []
    return Read(tuple(clips), tuple(left_out))


def usable_pieces(clip: Clip) -> tuple[list[Clip], str]:
    """The clip cut where a joint jumps, without pieces that are too short; a sentence on what was left out."""
    if not np.isfinite(clip.positions).all():
        return [], "holds positions that are not numbers"
    steps = np.linalg.norm(np.diff(clip.positions, axis=0), axis=-1).max(axis=1, initial=0.0)
    cuts = np.flatnonzero(steps > JUMP_METRES) + 1
    parts = np.split(clip.positions, cuts)
    long = [part for part in parts if len(part) >= LEAST_SECONDS * data.FPS]
    pieces = [replace(clip, positions=part) for part in long]
    lost = len(clip.positions) - sum(map(len, long))
    if not lost:
        return pieces, ""
    jumps = f", cut at {len(cuts)} jump{'' if len(cuts) == 1 else 's'}" if len(cuts) else ""
    return pieces, f"{lost} of {len(clip.positions)} frames, in pieces shorter than {LEAST_SECONDS:g} s{jumps}"


# --- kinds --------------------------------------------------------------------------------------------------------


def _reader(path: Path) -> Callable[[Path, str], Read] | None:
    """How a file is read; None for one that is no take."""
    if path.suffix.lower() == ".mat":
        return _read_3dhp if path.name in ("annot.mat", "annot_data.mat") else None
    return READERS.get(path.suffix.lower())


def _read_bvh(path: Path, subject: str) -> Read:
    return Read((data.load_bvh(path, subject),))


def _read_amc(path: Path, subject: str) -> Read:
    return Read((data.clip_of_rig(asf_amc.read_take(path), subject, path.stem),))


def _read_3dhp(path: Path, subject: str) -> Read:
    return Read(tuple(position_sets.read_3dhp(path)))


def read_npz(path: Path, subject: str) -> Read:
    """AMASS, Human3.6M as VideoPose3D writes it, or this project's own files."""
    try:
        if path.name == position_sets.HUMAN36M_FILE:
            return Read(tuple(position_sets.read_human36m(path)))
        with np.load(path) as z:
            names = list(z.files)
        if amass.is_amass(names):
            return Read(tuple(amass.read_clips(path, subject)))
        if "clip_start" in names:
            return Read(tuple(replace(clip, subject=subject) for clip in data.load_npz(path)))
    except (OSError, EOFError, BadZipFile, KeyError, ValueError) as error:
        raise BadFileError(f"{path}: cannot be read ({error!r}): get it anew.") from error
    raise BadFileError(f"{path}: is of no known kind: AMASS has poses and trans, it has {', '.join(names[:5])}.")


def read_with_blender(path: Path, subject: str) -> Read:
    """FBX, glTF or .blend: Blender reads it in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "takes.npz")
        command = [sys.executable, "-m", "pads_blender.blender.model_takes", str(path.resolve()), str(target)]
        done = subprocess.run(command, cwd=_PACKAGE.parent, capture_output=True, text=True, check=False)
        wrong = [line.removeprefix("pads: ") for line in done.stderr.splitlines() if line.startswith("pads: ")]
        if not target.is_file():
            said = wrong or done.stderr.strip().splitlines()[-1:] or ["Blender did not start"]
            raise BadFileError(f"{path}: {said[0].removeprefix(f'{path.resolve()}: ')}")
        with np.load(target) as z:
            clips = [_blender_clip(z, number, subject, f"{path.stem} {n}") for number, n in enumerate(z["names"])]
    return Read(tuple(clips), tuple(wrong))


def _blender_clip(z: np.lib.npyio.NpzFile, number: int, subject: str, name: str) -> Clip:
    positions = data.at_model_rate(z[f"positions_{number}"].astype(float), float(z[f"fps_{number}"]))
    return Clip(positions, z[f"visible_{number}"], subject, name)


READERS: dict[str, Callable[[Path, str], Read]] = {
    ".bvh": _read_bvh,
    ".amc": _read_amc,
    ".npz": read_npz,
    **dict.fromkeys((".fbx", ".glb", ".gltf", ".vrma", ".blend"), read_with_blender),
}
