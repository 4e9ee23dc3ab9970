"""Reference poses, frame rates and bones of no length: said where they are, and nowhere else."""

from dataclasses import replace

import numpy as np
import pytest

from pads_blender.core import rotations as rot
from pads_blender.core.rig import RigTake
from pads_blender.tasks.clean import CleanSettings
from pads_blender.tasks.cleaned import _without_reference_pose
from pads_blender.tasks.take_warnings import find_warnings, first_frame_of_motion

from ..core.bodies import build_take, random_motion


def busy(frames: int = 150, repeat: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Motion of the usual quickness: every wave of random_motion is gone through several times in the take."""
    local, root = random_motion(frames * 4, degrees=60.0)
    rows = np.arange(0, frames * 4, 4) * repeat % (frames * 4)
    return local[rows], root[rows]


def with_t_pose(take: RigTake, frames: int) -> RigTake:
    """The take with so many frames at rest in front, whose rest is a T-pose."""
    rotation = take.rotation.copy()
    rotation[:frames] = rot.IDENTITY
    return replace(take, rotation=rotation)


def kinds(take, mapping):
    return [warning.kind for warning in find_warnings(take, mapping)]


def test_an_ordinary_take_gives_no_warning():
    take, mapping = build_take(*busy())
    assert find_warnings(take, mapping) == []


@pytest.mark.parametrize("frames", [1, 4])
def test_a_reference_pose_in_front_is_said_with_its_frames(frames):
    take, mapping = build_take(*busy(600))
    (warning,) = find_warnings(with_t_pose(replace(take, fps=120.0), frames), mapping)
    assert (warning.kind, warning.first, warning.last) == ("reference_pose", 1.0, float(frames))
    assert first_frame_of_motion([warning]) == frames + 1.0
    assert warning.to_json()["kind"] == "reference_pose"


def test_a_t_pose_that_is_part_of_the_motion_stays():
    """Someone who stands in a T and then begins to move does not leap."""
    local, root = busy()
    ease = np.clip((np.arange(len(local)) - 20) / 60.0, 0.0, 1.0)[:, None]
    local = rot.slerp(np.broadcast_to(rot.IDENTITY, local.shape), local, ease)
    assert "reference_pose" not in kinds(*build_take(local, np.full_like(root, root[0])))


def test_leaving_it_out_moves_the_start_and_never_back():
    take, mapping = build_take(*busy(600))
    warnings = find_warnings(with_t_pose(replace(take, fps=120.0), 2), mapping)
    asked = CleanSettings(leave_out_reference=True)
    assert _without_reference_pose(asked, warnings).start == 3.0
    assert _without_reference_pose(replace(asked, start=10.0), warnings).start == 10.0
    assert _without_reference_pose(asked, []).start is None
    assert _without_reference_pose(CleanSettings(), warnings).start is None


@pytest.mark.parametrize(("fps", "expected"), [(120.0, []), (24.0, ["frame_rate"]), (480.0, ["frame_rate"])])
def test_a_wrong_frame_rate_shows_in_how_quickly_limbs_turn_round(fps, expected):
    take, mapping = build_take(*busy(600))
    assert kinds(replace(take, fps=fps), mapping) == expected


def test_a_bone_of_no_length_within_the_body_is_named():
    take, mapping = build_take(*busy())
    wrist, elbow = take.names.index("left_wrist"), take.names.index("left_elbow")
    rest = take.rest.copy()
    rest[wrist, :3, 3] = rest[elbow, :3, 3]
    (warning,) = find_warnings(replace(take, rest=rest), mapping)
    assert warning.kind == "zero_length" and warning.text.startswith("left_elbow: ")
