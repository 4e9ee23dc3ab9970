import pytest

from pads_blender.core.point_names import NAMED_POINTS, find_points


def points(names, bones=None):
    return [None if point is None else NAMED_POINTS.names[point] for point in find_points(names, bones)]


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["left_knee", "nose", "right_big_toe"], ["left_knee", "nose", "right_big_toe"]),
        (["LKnee", "RKnee", "R.Ankle", "Left Ear"], ["left_knee", "right_knee", "right_ankle", "left_ear"]),
        (
            ["mixamorig:LeftShoulder", "mixamorig:LeftArm", "mixamorig:LeftUpLeg"],
            ["left_collar", "left_shoulder", "left_hip"],
        ),
        (["thigh_l", "calf_l", "foot_l", "upperarm_l"], ["left_hip", "left_knee", "left_ankle", "left_shoulder"]),
        (
            ["Hips", "Spine", "Spine1", "Spine2", "LeftArm", "LeftLeg"],
            ["pelvis", "spine", None, "chest", "left_shoulder", "left_knee"],
        ),
        (["left_knee", "left_knee.001", "Track.002"], ["left_knee", "left_knee", None]),
        ([], []),
    ],
)
def test_names_are_read_as_a_set(names, wanted):
    assert points(names) == wanted


def test_bones_of_the_rig_go_first():
    names = ["Bone.017", "nose", "left_knee", "left_elbow"]
    assert points(names, {"Bone.017": "head", "left_knee": "left_ankle"}) == [
        "head",
        "nose",
        "left_ankle",
        "left_elbow",
    ]


def test_both_sides_are_there():
    assert all(NAMED_POINTS.sides[NAMED_POINTS.sides] == range(len(NAMED_POINTS.names)))
