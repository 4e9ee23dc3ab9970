"""Find what is broken in a rig's take and list it, for an animator to step through and for Clean to repair."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np

from ..core import rotations as rot
from ..core.mapping import Mapping
from ..core.motion import Motion
from ..core.retarget import to_model
from ..core.rig import RigTake
from ..core.skeleton import JOINTS, MODEL
from . import pieces
from .repair import joint_rotations_of
from .running import OnStep, close_gaps, find_runs, running_median, still_at
from .scoring import KINDS, THRESHOLDS, score_problems
from .take_checks import check_take

_LEAST_SECONDS = {"jitter": 0.3, "frozen": 0.2, "missing": 0.2, "swap": 0.1, "slide": 0.15, "penetration": 0.15}
_LONGEST_GAP_SECONDS = 0.1
# What is off by less is not worth a look. Frozen and missing: by so much it leaps back.
_LEAST_METRES = dict.fromkeys(KINDS, 0.02) | {"jitter": 0.005, "slide": 0.04}
_LIMBS = ("collar", "shoulder", "elbow", "wrist"), ("hip", "knee", "ankle", "toe")
_BESIDE_FRAMES = 3


@dataclass(frozen=True)
class Problem:
    """One thing that is broken: what kind, where, from first to last scene frame, both included.

    joint and bone: the topmost that are affected; joints: all of them. severity: millimetres by which a joint is off at
    worst, as far as the take itself can tell.
    """

    kind: str
    joint: str
    bone: str
    joints: tuple[str, ...]
    first: float
    last: float
    severity: float
    reason: str

    def to_json(self) -> dict:
        """Plain data."""
        return asdict(self)


@dataclass(frozen=True)
class _Seen:
    """A take as the detectors saw it: motion of the model, local rotations (F, J, 4), bones (J,), scores."""

    motion: Motion
    rotation: np.ndarray
    bones: np.ndarray
    scores: dict[str, np.ndarray]

    def broken(self, kind: str) -> np.ndarray:
        """Frames and joints (F, J) that count as broken, short interruptions bridged and what is too short left out."""
        found = (self.scores[kind] > THRESHOLDS[kind]) & (self.bones >= 0)
        fps = self.motion.fps
        gap, least = round(_LONGEST_GAP_SECONDS * fps), round(_LEAST_SECONDS.get(kind, 0.0) * fps)
        return np.stack([_tidied(column, gap if least else 0, least) for column in found.T], axis=1)


def find_problems(take: RigTake, mapping: Mapping, on_step: OnStep | None = None) -> list[Problem]:
    """Everything in the take that looks broken, in the order of time; on_step(step, steps) may raise to stop."""
    check_take(take)
    found: list[_Find] = []
    parts = pieces.split(0, len(take.frames))
    for number, rows in enumerate(pieces.one_by_one(parts, on_step)):
        found = _joined(found, _finds(take.rows(rows), mapping, rows.start, still_at(on_step, number, len(parts))))
    bones = to_model(take.rows(slice(0, 1)), mapping)[1].bones
    problems = [find.problem(take, bones) for find in found if find.metres >= _LEAST_METRES[find.kind]]
    return sorted(problems, key=lambda problem: (problem.first, problem.last, problem.kind))


@dataclass(frozen=True)
class _Find:
    """A problem by rows of the take and joints of the model, and by how far they are off in metres."""

    kind: str
    joints: tuple[int, ...]
    first: int
    last: int
    metres: float

    def touches(self, other: _Find, margin: int = 0) -> bool:
        """Whether both are about some joint of the same limb, at the same time."""
        if self.first > other.last + margin or other.first > self.last + margin:
            return False
        return any(set(self.joints) & set(limb) and set(other.joints) & set(limb) for limb in _limbs())

    def united_with(self, other: _Find) -> _Find:
        """One find for two that touch."""
        joints = tuple(sorted({*self.joints, *other.joints}))
        first, last = min(self.first, other.first), max(self.last, other.last)
        return _Find(self.kind, joints, first, last, max(self.metres, other.metres))

    def problem(self, take: RigTake, bones: np.ndarray) -> Problem:
        """The same in the words of the rig and of the scene."""
        names = tuple(JOINTS[joint] for joint in self.joints)
        start, end = float(take.frames[self.first]), float(take.frames[self.last])
        when = f"in frame {start:g}" if start == end else f"in frames {start:g} to {end:g}"
        said = _DETAILS[self.kind][0].format(_spoken(self.metres))
        bone = take.names[int(bones[self.joints[0]])]
        severity = round(1000.0 * self.metres, 1)
        return Problem(self.kind, names[0], bone, names, start, end, severity, f"{_subject(names)} {said} {when}")


def _finds(take: RigTake, mapping: Mapping, offset: int, on_step: OnStep | None) -> list[_Find]:
    """What is found in a piece of a take that begins at row `offset`."""
    seen, found = look_at(take, mapping, on_step), []
    for kind in KINDS:
        for joints, first, last in _grouped(seen.broken(kind)):
            found.append(_Find(kind, tuple(joints), first, last, _DETAILS[kind][1](seen, joints, first, last)))
    return [replace(f, first=f.first + offset, last=f.last + offset) for f in _without_echoes(found)]


def _without_echoes(found: list[_Find]) -> list[_Find]:
    """Without what another problem explains: limbs leap where they are exchanged, held or lost, and come back."""
    causes = {"pop": ("swap", "frozen", "missing"), "frozen": ("missing",), "slide": ("swap", "frozen", "missing")}
    return [
        find
        for find in found
        if not any(find.touches(o, _BESIDE_FRAMES) for o in found if o.kind in causes.get(find.kind, ()))
    ]


def _joined(before: list[_Find], after: list[_Find]) -> list[_Find]:
    """The finds of successive pieces that overlap: what both hold, or what goes on, becomes one."""
    result, start = list(before), min((find.first for find in after), default=0)
    recent = [i for i, find in enumerate(before) if find.last >= start]  # of a long take, only the last piece's
    for find in after:
        same = [i for i in recent if result[i].kind == find.kind and result[i].touches(find)]
        if same:
            result[same[0]] = result[same[0]].united_with(find)
        else:
            recent.append(len(result))
            result.append(find)
    return result


def look_at(take: RigTake, mapping: Mapping, on_step: OnStep | None = None) -> _Seen:
    """The take, scored; on_step: see score_problems."""
    motion, residual = to_model(take, mapping)
    rotation = joint_rotations_of(take, residual.bones)
    return _Seen(motion, rotation, residual.bones, score_problems(motion, rotation, on_step))


def _tidied(flags: np.ndarray, gap: int, least: int) -> np.ndarray:
    """Flags (F,) with gaps of up to so many frames closed and stretches of fewer than `least` taken out."""
    tidy = close_gaps(flags, gap)
    for first, last in find_runs(tidy):
        if last - first + 1 < least:
            tidy[first : last + 1] = False
    return tidy


def _grouped(broken: np.ndarray) -> list[tuple[list[int], int, int]]:
    """Joints, first and last row of every problem: what overlaps within one limb, or within the torso, is one."""
    groups = []
    for limb in _limbs():
        for first, last in find_runs(broken[:, limb].any(axis=1)):
            joints = [joint for joint in limb if broken[first : last + 1, joint].any()]
            groups.append((joints, first, last))
    return groups


def _limbs() -> list[list[int]]:
    sides = [MODEL.indices(*(f"{side}_{part}" for part in limb)) for side in ("left", "right") for limb in _LIMBS]
    return [sorted(set(range(len(JOINTS))).difference(*sides)), *sides]


def _reach() -> np.ndarray:
    """Distance (J,) in metres from each joint to the farthest one that turns with it."""
    rest = MODEL.rest_positions
    reach = np.full(len(JOINTS), 0.1)
    for joint in range(len(JOINTS)):
        ancestor = MODEL.parents[joint]
        while ancestor >= 0:
            reach[ancestor] = max(reach[ancestor], np.linalg.norm(rest[joint] - rest[ancestor]))
            ancestor = MODEL.parents[ancestor]
    return reach


def _subject(names: tuple[str, ...]) -> str:
    if len(names) == 1:
        return names[0]
    return f"{names[0]} with {names[1]}" if len(names) == 2 else f"{names[0]} to {names[-1]}"


def _spoken(metres: float) -> str:
    return f"{metres:.2f} m" if metres >= 1.0 else f"{1000 * metres:.0f} mm"


# --- how far joints are off, in metres --------------------------------------------------------------------------------


def _shaken(seen: _Seen, joints: list[int], first: int, last: int) -> float:
    degrees = seen.scores["jitter"][first : last + 1, joints].max(axis=0)
    return float((np.radians(degrees) * _reach()[joints]).max())


def _leapt(seen: _Seen, joints: list[int], first: int, last: int) -> float:
    around = last - first + 1 + _BESIDE_FRAMES  # so that the leap is the lesser part
    low = max(0, first - around)
    rows, inside = slice(low, last + 1 + around), slice(first - low, last + 1 - low)
    channels = rot.make_continuous(seen.rotation[rows][:, joints])
    usual = rot.normalise(running_median(channels, around))
    turned = (rot.angle_between(channels, usual)[inside] * _reach()[joints]).max()
    if 0 not in joints:
        return float(turned)
    travel = seen.motion.positions[rows, 0]
    return float(max(turned, np.linalg.norm(travel - running_median(travel, around), axis=-1)[inside].max()))


def _held(seen: _Seen, joints: list[int], first: int, last: int) -> float:
    """By how much the hold differs from the frames before and after; of what never moves, how far it reaches."""
    reach, middle = _reach()[joints], seen.rotation[(first + last) // 2, joints]
    beside = [row for row in (first - 1, last + 1) if 0 <= row < len(seen.rotation)]
    if not beside:
        return float(reach.max())
    return float((rot.angle_between(seen.rotation[beside][:, joints], middle) * reach).max())


def _exchanged(seen: _Seen, joints: list[int], first: int, last: int) -> float:
    positions = seen.motion.positions[first : last + 1]
    return float(
        np.linalg.norm(positions[:, joints] - positions[:, MODEL.mirrored[joints]], axis=-1).mean(axis=0).max()
    )


def _slid(seen: _Seen, joints: list[int], first: int, last: int) -> float:
    way = seen.motion.positions[last, joints, :2] - seen.motion.positions[first, joints, :2]
    return float(np.linalg.norm(way, axis=-1).max())


def _sunk(seen: _Seen, joints: list[int], first: int, last: int) -> float:
    return float(seen.scores["penetration"][first : last + 1, joints].max())


# kind -> what is said of it, and how far joints are off
_DETAILS: dict[str, tuple[str, Callable[[_Seen, list[int], int, int], float]]] = {
    "jitter": ("shakes by {}", _shaken),
    "pop": ("leaps {} away and back", _leapt),
    "frozen": ("stands still while it should move, {} off,", _held),
    "missing": ("is at rest as if it had not been captured, {} off,", _held),
    "swap": ("is taken for that of the other side, {} away,", _exchanged),
    "slide": ("slides {} while it stands", _slid),
    "penetration": ("lies {} below the floor", _sunk),
}
