import json

import numpy as np
import pytest

from pads_blender.core.keypoint_files import read_keypoints
from pads_blender.core.keypoints import (
    COCO_17,
    COCO_WHOLEBODY,
    DETECTORS,
    HUMAN36M_17,
    MEDIAPIPE_33,
    MODEL_JOINTS,
    MPI_INF_3DHP_17,
    OPENPOSE_18,
    OPENPOSE_25,
)
from pads_blender.core.skeleton import MODEL
from pads_blender.errors import BadFileError

LAYOUTS = (*DETECTORS, HUMAN36M_17, MPI_INF_3DHP_17, MODEL_JOINTS)


def person(layout, shift: float = 0.0, scale: float = 1.0) -> np.ndarray:
    """Points (K, 3) that can be told apart: x and y differ for each, confidence 0.9."""
    k = np.arange(len(layout.names), dtype=float)
    return np.stack([shift + scale * (100 + 3 * k), shift + scale * (200 + 5 * k), np.full(len(k), 0.9)], axis=1)


def written(path, data):
    path.write_text(json.dumps(data))
    return path


def test_every_mean_of_joints_is_one():
    for layout in LAYOUTS:
        assert layout.joints[layout.used].sum(axis=1) == pytest.approx(1.0)
        assert layout.offset[layout.used].min() >= 0.0


def test_sides_are_mirrored():
    for layout in LAYOUTS:
        assert layout.joints[layout.sides][:, MODEL.mirrored] == pytest.approx(layout.joints)


def test_groups_hold_both_sides_of_a_limb():
    arms, legs = HUMAN36M_17.groups
    assert [HUMAN36M_17.names[i] for i in arms] == [f"{s}_{j}" for s in ("left", "right") for j in
                                                     ("shoulder", "elbow", "wrist")]  # fmt: skip
    assert len(legs) == 6 and len(COCO_17.groups) == 3 and len(COCO_WHOLEBODY.groups[1]) == 12


def test_points_lie_where_anatomy_has_them():
    at = dict(zip(OPENPOSE_25.names, OPENPOSE_25.joints @ MODEL.rest_positions, strict=True))
    rest = dict(zip(MODEL.names, MODEL.rest_positions, strict=True))
    assert at["left_hip"][0] - at["right_hip"][0] == pytest.approx(0.252)  # outside of the joints, 0.18 apart
    assert at["left_heel"][1] > rest["left_ankle"][1] and at["left_heel"][2] < rest["left_ankle"][2]
    assert at["left_big_toe"][1] < rest["left_toe"][1]
    assert at["left_ear"][0] == pytest.approx(-at["right_ear"][0]) and at["left_ear"][0] > 0.05


@pytest.mark.parametrize("layout", [OPENPOSE_25, OPENPOSE_18], ids=["body25", "coco18"])
def test_openpose_folder_one_file_a_frame(tmp_path, layout):
    for frame in (0, 2, 10):
        pose = person(layout, frame)
        pose[3] = 0.0  # not found
        data = {"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d": pose.ravel().tolist()}]}
        written(tmp_path / f"clip_{frame}_keypoints.json", data)
    written(tmp_path / "clip_11_keypoints.json", {"version": 1.3, "people": []})
    read = read_keypoints(tmp_path)
    assert read.layout is layout and len(read) == 4
    assert read.points[1:3, 0, 0] == pytest.approx([102.0, 110.0])  # 2 before 10
    assert read.confidence[0, 3] == 0.0 and read.confidence[0, 4] == pytest.approx(0.9)
    assert not read.confidence[3].any()


def test_coco_results_with_images_left_out(tmp_path):
    entries = [
        {"image_id": n, "category_id": 1, "score": 0.8, "keypoints": person(COCO_17, n).ravel().tolist()}
        for n in (7, 5, 8)
    ]
    read = read_keypoints(written(tmp_path / "results.json", entries))
    assert read.layout is COCO_17
    assert read.points[:, 0, 0] == pytest.approx([105.0, 0.0, 107.0, 108.0])
    assert read.confidence[1].max() == 0.0


def test_coco_flags_of_annotations_are_no_confidences(tmp_path):
    pose = person(COCO_17)
    pose[:, 2] = 2
    data = {"images": [], "annotations": [{"image_id": "img_0003.jpg", "keypoints": pose.ravel().tolist()}]}
    assert read_keypoints(written(tmp_path / "a.json", data)).confidence.max() == 1.0


def test_mmpose_wholebody(tmp_path):
    pose = person(COCO_WHOLEBODY)
    one = {"keypoints": pose[:, :2].tolist(), "keypoint_scores": pose[:, 2].tolist(), "bbox": [[0, 0, 9, 9]]}
    frames = [{"frame_id": 0, "instances": [one]}, {"frame_id": 1, "instances": []}]
    read = read_keypoints(written(tmp_path / "a.json", {"meta_info": {}, "instance_info": frames}))
    assert read.layout is COCO_WHOLEBODY and len(read) == 2
    assert (read.confidence[0] > 0).sum() == 23  # face and hands are not the model's
    assert read.points[0, 17] == pytest.approx(pose[17, :2])


def test_ultralytics_frames(tmp_path):
    pose = person(COCO_17)
    one = {"name": "person", "class": 0, "keypoints": dict(zip(("x", "y", "visible"), pose.T.tolist(), strict=True))}
    read = read_keypoints(written(tmp_path / "a.json", [[one], [], [one]]))
    assert read.layout is COCO_17 and len(read) == 3
    assert read.points[2] == pytest.approx(pose[:, :2])


def test_mediapipe_json_needs_the_size_of_the_image(tmp_path):
    marks = [{"x": 0.01 * k, "y": 0.02 * k, "z": 0.0, "visibility": 0.7} for k in range(33)]
    path = written(tmp_path / "a.json", [{"landmarks": marks}, {"landmarks": None}, {"landmarks": [marks]}])
    with pytest.raises(BadFileError, match="width and height"):
        read_keypoints(path)
    read = read_keypoints(path, (1000, 500))
    assert read.layout is MEDIAPIPE_33 and len(read) == 3
    assert read.points[0, 32] == pytest.approx([320.0, 320.0])
    assert read.points[2] == pytest.approx(read.points[0]) and not read.confidence[1].any()


def test_mediapipe_csv_wide_and_long(tmp_path):
    values = {k: (0.01 * k, 0.02 * k, 0.6) for k in range(33)}
    wide = ["frame," + ",".join(f"x{k},y{k},z{k},v{k}" for k in range(33))]
    wide += [str(f) + "," + ",".join(f"{x},{y},0,{v}" for x, y, v in values.values()) for f in range(2)]
    wide += ["2" + "," * 132]
    (tmp_path / "wide.csv").write_text("\n".join(wide))
    long = ["frame,landmark,x,y,z,visibility"]
    long += [f"{f},{k},{x},{y},0,{v}" for f in range(2) for k, (x, y, v) in values.items()]
    (tmp_path / "long.csv").write_text("\n".join(long))
    read, other = (read_keypoints(tmp_path / name, (100, 100)) for name in ("wide.csv", "long.csv"))
    assert read.points[1, 32] == pytest.approx([32.0, 64.0]) and not read.confidence[2].any()
    assert read.points[:2] == pytest.approx(other.points)
    assert read.confidence[:2] == pytest.approx(other.confidence)


def test_the_largest_person_is_followed(tmp_path):
    large, small = person(COCO_17, 300.0, 1.0), person(COCO_17, 0.0, 0.3)
    order = [(small, large), (moved(large, 2.0), small), (small,), (small, moved(large, 4.0))]
    frames = [{"frame_id": i, "instances": [_instance(p) for p in people]} for i, people in enumerate(order)]
    read = read_keypoints(written(tmp_path / "a.json", frames))
    assert read.points[[0, 1], 0, 0] == pytest.approx([400.0, 402.0])


def moved(pose, pixels):
    return pose + np.array([pixels, pixels, 0.0])


def _instance(pose):
    return {"keypoints": pose[:, :2].tolist(), "keypoint_scores": pose[:, 2].tolist()}


@pytest.mark.parametrize(
    "text, said",
    [
        ("{", "no JSON file"),
        ("3", "no keypoint file"),
        ('{"people": [{"pose_keypoints_2d": [1, 2]}]}', "not as they should be"),
        ('{"people": []}', "no person"),
        ('{"people": [{"pose_keypoints_2d": [1, 2, 3]}]}', "1 points a person"),
        ('[{"image_id": "x", "keypoints": [1, 2, 3]}]', "has no number"),
    ],
)
def test_bad_files_say_so(tmp_path, text, said):
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(BadFileError, match=said) as caught:
        read_keypoints(path)
    assert "bad.json" in str(caught.value)


def test_bad_csv_says_which_columns(tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(BadFileError, match="x0, y0, v0"):
        read_keypoints(tmp_path / "a.csv")
    with pytest.raises(BadFileError, match="no JSON files"):
        read_keypoints(tmp_path)
