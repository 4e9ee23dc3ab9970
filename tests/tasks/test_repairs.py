"""What counts as put right."""

from pads_blender.tasks.problems import Problem
from pads_blender.tasks.repairs import count_repairs


def problem(kind: str, *joints: str, first: float = 10.0, last: float = 20.0) -> Problem:
    return Problem(kind, joints[0], "bone", joints, first, last, 50.0, "")


def test_a_problem_is_gone_where_none_of_its_kind_is_left_on_its_joints_in_its_frames():
    pops = [problem("pop", "left_elbow"), problem("pop", "left_knee"), problem("penetration", "left_toe")]
    elsewhere = [problem("pop", "left_elbow", first=21.0, last=22.0), problem("jitter", "left_knee")]
    assert count_repairs(pops, elsewhere, {}) == [(2, 2, "pop")]
    assert count_repairs(pops, [problem("pop", "left_knee", "left_ankle", first=20.0, last=30.0)], {}) == [
        (1, 2, "pop")
    ]


def test_a_gap_counts_only_where_it_was_filled_in():
    """A hand that stays frozen and is only smoothed is not found any more, and yet as lost as before."""
    gaps = [problem("frozen", "left_wrist"), problem("missing", "left_shoulder", "left_elbow")]
    assert count_repairs(gaps, [], {}) == [(0, 1, "frozen"), (0, 1, "missing")]
    filled = {"left_wrist": [[21.0, 40.0]], "left_elbow": [[1.0, 4.0], [20.0, 22.0]]}
    assert count_repairs(gaps, [], filled) == [(0, 1, "frozen"), (1, 1, "missing")]
