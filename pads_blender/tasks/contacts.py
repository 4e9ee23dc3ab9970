"""When ankles and toes rest on something: found from the motion alone, as ranges that can be edited and given back.

The floor is local in time: where a foot comes to rest is its floor, be it a stair or a slope. No height is assumed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.skeleton import MODEL
from .running import OnStep, close_gaps, find_runs, part_of, running_highest

CONTACT_JOINTS = ("left_ankle", "left_toe", "right_ankle", "right_toe")
COLUMNS = MODEL.indices(*CONTACT_JOINTS)


@dataclass(frozen=True)
class ContactSettings:
    """What counts as rest. Speeds in m/s: a contact holds a frame below `still` and lasts while below `moving`.

    They are for strides in which the foot reaches `stride`; the quicker it strides, the less still it stands. Chosen on
    sixteen validation clips: truth and cleaned noisy takes agree best (F1 0.96 with noise of 20 mm, 0.94 with jitter),
    and feet of runners are found, too.
    """

    still: float = 0.15
    moving: float = 0.25
    still_vertical: float = 0.15
    moving_vertical: float = 0.3
    stride: float = 3.0
    stride_seconds: float = 0.5  # on either side, in which the foot's peak speed is looked for
    lift_metres: float = 0.03  # above the level at which the joint rests
    shortest_seconds: float = 0.1
    longest_gap_seconds: float = 0.07  # a shorter interruption is noise
    approach_seconds: float = 0.25  # in which a foot comes from above, or leaves upwards


@dataclass(frozen=True)
class ContactRange:
    """One joint at rest from row `first` to row `last`, both included."""

    joint: str
    first: int
    last: int


@dataclass(frozen=True)
class Contacts:
    """Which of CONTACT_JOINTS rest in which frames (F, 4)."""

    resting: np.ndarray

    @property
    def ranges(self) -> tuple[ContactRange, ...]:
        """The same as ranges, joint by joint."""
        return tuple(
            ContactRange(name, first, last)
            for column, name in enumerate(CONTACT_JOINTS)
            for first, last in find_runs(self.resting[:, column])
        )

    @classmethod
    def from_ranges(cls, ranges: tuple[ContactRange, ...], frames: int) -> Contacts:
        """Contacts of a take of so many frames; what reaches beyond it is cut."""
        resting = np.zeros((frames, len(CONTACT_JOINTS)), bool)
        for part in ranges:
            resting[max(part.first, 0) : part.last + 1, CONTACT_JOINTS.index(part.joint)] = True
        return cls(resting)


def find_contacts(positions: np.ndarray, fps: float, settings: ContactSettings | None = None) -> Contacts:
    """Contacts of a cleaned motion (F, J, 3) of the model skeleton, metres, Z up."""
    return find_resting(positions[:, COLUMNS], fps, settings)


def find_resting(
    tracks: np.ndarray, fps: float, settings: ContactSettings | None = None, on_step: OnStep | None = None
) -> Contacts:
    """Contacts from the paths (F, 4, 3) of CONTACT_JOINTS in metres, Z up; on_step(step, steps) may raise to stop."""
    settings = settings or ContactSettings()
    each, count = np.moveaxis(tracks, 1, 0), len(CONTACT_JOINTS)
    resting = [_rest_of(track, fps, settings, part_of(on_step, k, count)) for k, track in enumerate(each)]
    return Contacts(np.stack(resting, axis=1))


def _rest_of(track: np.ndarray, fps: float, settings: ContactSettings, on_step: OnStep | None) -> np.ndarray:
    """Frames (F,) in which one joint's path (F, 3) rests."""
    horizontal, vertical = _speeds(track, fps)
    first_half, second_half = (part_of(on_step, half, 2) for half in range(2))
    fastest = running_highest(horizontal, round(settings.stride_seconds * fps), first_half)
    haste = np.maximum(1.0, fastest / settings.stride)
    horizontal, vertical = horizontal / haste, vertical / haste
    still = (horizontal < settings.still) & (vertical < settings.still_vertical)
    slow = (horizontal < settings.moving) & (vertical < settings.moving_vertical)
    resting = np.zeros(len(track), bool)
    for first, last in find_runs(close_gaps(slow, settings.longest_gap_seconds * fps)):
        rows = slice(first, last + 1)
        if second_half:
            second_half(first, len(track))
        if not still[rows].any():
            continue
        height = track[rows, 2]
        level = np.median(height[still[rows]])
        resting[rows] = np.abs(height - level) < settings.lift_metres
    return _keep_supporting(resting, track[:, 2], fps, settings)


def _speeds(track: np.ndarray, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """Horizontal and vertical speed (F,) in m/s of a path (F, 3), over about a fifteenth of a second."""
    reach = max(1, round(fps / 30.0))
    index = np.arange(len(track))
    before, after = np.maximum(index - reach, 0), np.minimum(index + reach, len(track) - 1)
    velocity = (track[after] - track[before]) * (fps / np.maximum(after - before, 1))[:, None]
    return np.linalg.norm(velocity[:, :2], axis=-1), np.abs(velocity[:, 2])


def _keep_supporting(resting: np.ndarray, height: np.ndarray, fps: float, settings: ContactSettings) -> np.ndarray:
    """The stretches long enough, without those in the air: a foot that stands came from above or leaves upwards.

    A raised foot, or a jump at its highest, is reached from below and left downwards.
    """
    kept, reach = np.zeros_like(resting), max(1, round(settings.approach_seconds * fps))
    for first, last in find_runs(resting):
        level = np.median(height[first : last + 1])
        before, after = height[max(0, first - reach) : first], height[last + 1 : last + 1 + reach]
        from_above = not len(before) or before.max() > level
        leaves_upwards = not len(after) or after.max() > level
        is_long = last - first + 1 >= settings.shortest_seconds * fps
        kept[first : last + 1] = is_long and (from_above or leaves_upwards)
    return kept
