"""Keypoint files of the usual detectors: OpenPose, COCO (RTMPose, MMPose, Ultralytics), MediaPipe -> Keypoints.

Everything is first read as people in frames, each (K, 3) of x, y and confidence; then one person is followed.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import BadFileError
from .input_files import LARGEST_TAKE, check_line_count, check_text, plain_reason, read_data, read_json
from .keypoints import KeypointLayout, Keypoints, layout_of
from .mediapipe_csv import read_csv

Frames = list[list[np.ndarray]]  # people of every frame, each (K, 3)

_KINDS = (
    "OpenPose JSON, COCO JSON with 17 or 133 points (RTMPose, MMPose, Ultralytics) and MediaPipe JSON or CSV are read"
)
MOST_FRAMES = 2_000_000  # 18 hours at 30 frames a second: numbers further apart than that are damage
_WRAPPERS = ("instance_info", "frames", "poseLandmarks", "pose_landmarks", "landmarks")  # the first is MMPose's
_LARGEST = 1e6  # pixels: beyond it a coordinate is damage
_NORMALISED = 4.0  # coordinates that never exceed this are shares of the image


def read_keypoints(path: Path | str, size: tuple[int, int] | None = None) -> Keypoints:
    """One person's keypoints from a file, or a folder with a JSON file for each frame.

    size: width and height of the image in pixels, needed where coordinates are shares of it (MediaPipe). Of several
    people the largest of the first frame with anyone is followed. Raises BadFileError.
    """
    path = Path(path)
    if path.is_dir():
        files = sorted(path.glob("*.json"), key=_natural)
        if not files:
            raise BadFileError(f"{path}: holds no JSON files: name a folder with a keypoint file for each frame.")
        frames = [frame for file in files for frame in _frames_of(_load(file), file)]
    elif path.suffix.lower() == ".csv":
        frames = read_csv(_text(path), path)
    else:
        frames = _frames_of(_load(path), path)
    frames = [[_usable(person, path) for person in people] for people in frames]
    layout = _common_layout(frames, path)
    followed = _in_pixels(follow_person(frames, len(layout.names)), size, path)
    seen = (followed[..., 2] > 0) & layout.used
    confidence = np.where(seen, np.minimum(followed[..., 2], 1.0), 0.0)
    return Keypoints(np.where(seen[..., None], followed[..., :2], 0.0), confidence, layout)


def _natural(path: Path) -> list:
    """Names in the order of the numbers in them: frame_2 before frame_10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", path.name)]


def _text(path: Path) -> str:
    data = read_data(path, LARGEST_TAKE)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFileError(f"{path}: cannot be read as text: name a keypoint file. {_KINDS}.") from error
    check_text(text, path)
    check_line_count(text, path)
    return text


def _load(path: Path) -> object:
    try:
        return read_json(path, LARGEST_TAKE)
    except BadFileError as error:
        raise BadFileError(f"{error} {_KINDS}.") from error


def _usable(person: np.ndarray, path: Path) -> np.ndarray:
    """The points (K, 3) with those that are no numbers unseen; BadFileError where one lies beyond any image."""
    sound = np.where(np.isfinite(person).all(axis=-1, keepdims=True), person, 0.0)
    if np.abs(sound).max(initial=0.0) > _LARGEST:
        raise BadFileError(f"{path}: holds a coordinate of {np.abs(sound).max():.3g} pixels: export it again.")
    return sound


def _frames_of(data: object, path: Path) -> Frames:
    """People of every frame of any of the formats."""
    try:
        frames = _read_any(data)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        reason = plain_reason(error)
        raise BadFileError(f"{path}: its keypoints are not as they should be ({reason}): export it again.") from error
    if frames is None:
        raise BadFileError(f"{path}: is no keypoint file that we know: {_KINDS}.")
    return frames


def _read_any(data: object) -> Frames | None:
    """None where nothing fits; KeyError, TypeError, ValueError where something does and is damaged."""
    while isinstance(data, dict):
        if "people" in data:  # OpenPose: one frame a file
            return [[_triples(person["pose_keypoints_2d"]) for person in data["people"]]]
        if "annotations" in data:  # COCO ground truth
            return _coco_results(data["annotations"])
        wrapper = next((key for key in _WRAPPERS if key in data), None)
        if wrapper is None:
            return None
        data = data[wrapper]
    if not isinstance(data, list):
        return None
    first = next((entry for entry in data if entry), None)
    if isinstance(first, dict) and "image_id" in first:
        return _coco_results(data)
    if isinstance(first, dict) and "instances" in first:
        return [[_scored(person) for person in frame["instances"]] for frame in data]
    if isinstance(first, dict) and "people" in first:
        return [frame for entry in data for frame in _read_any(entry)]
    if _is_person(first):
        return [[_person(entry) for entry in data]]
    if _is_landmark(first):
        return [[_landmarks(data)]]
    return _frame_lists(data)


def _frame_lists(data: list) -> Frames | None:
    """A list whose entries are frames: lists of people or of landmarks, records of landmarks, or nothing."""
    frames: Frames = []
    for entry in data:
        inner = _unwrapped(entry)
        while isinstance(inner, list) and len(inner) == 1 and isinstance(inner[0], list):
            inner = inner[0]
        if not inner:
            frames.append([])
        elif isinstance(inner, list) and _is_landmark(inner[0]):
            frames.append([_landmarks(inner)])
        elif isinstance(inner, list) and _is_person(inner[0]):
            frames.append([_person(person) for person in inner])
        else:
            return None
    return frames or None


def _unwrapped(entry: object) -> object:
    """What a frame's record holds of landmarks; a record without any means nobody was found."""
    if not isinstance(entry, dict):
        return entry
    names = ("landmarks", "poseLandmarks", "pose_landmarks", "keypoints")
    return next((entry[name] for name in names if name in entry), None)


def _is_landmark(entry: object) -> bool:
    return isinstance(entry, dict) and "x" in entry and "y" in entry and not isinstance(entry["x"], list)


def _is_person(entry: object) -> bool:
    return isinstance(entry, dict) and "keypoints" in entry


def _landmarks(landmarks: list) -> np.ndarray:
    """MediaPipe: x and y are shares of the image, visibility of a hidden joint is near zero, not missing."""
    return np.array([[p["x"], p["y"], p.get("visibility", p.get("score", 1.0))] for p in landmarks], float)


def _person(person: dict) -> np.ndarray:
    """COCO's flat triples, MMPose's pairs with scores, or Ultralytics' columns."""
    points = person["keypoints"]
    if isinstance(points, dict):
        scores = points.get("visible", points.get("confidence", np.ones(len(points["x"]))))
        return np.stack([np.array(points[k], float) if k != "s" else np.array(scores, float) for k in "xys"], axis=1)
    return _scored(person) if "keypoint_scores" in person else _triples(points)


def _scored(person: dict) -> np.ndarray:
    points = np.array(person["keypoints"], float).reshape(-1, 2)
    scores = np.array(person.get("keypoint_scores", np.ones(len(points))), float)
    return np.concatenate([points, scores.reshape(-1, 1)], axis=1)


def _triples(values: Sequence[float]) -> np.ndarray:
    return np.array(values, float).reshape(-1, 3)


def _coco_results(entries: Sequence[dict]) -> Frames:
    """Detections by image; images in which nobody was found are not in the file, so numbers that are left out count."""
    numbers = [_image_number(entry["image_id"]) for entry in entries]
    if not numbers:
        return []
    known = sorted(set(numbers))
    step = min((b - a for a, b in itertools.pairwise(known)), default=1)
    count = (known[-1] - known[0]) // step + 1
    if count > MOST_FRAMES:
        raise ValueError(f"its images are numbered from {known[0]:.3g} to {known[-1]:.3g}")
    frames: Frames = [[] for _ in range(count)]
    for number, entry in zip(numbers, entries, strict=True):
        if entry.get("keypoints"):
            frames[(number - known[0]) // step].append(_person(entry))
    return frames


def _image_number(image: object) -> int:
    digits = re.findall(r"\d+", str(image))
    if not digits:
        raise ValueError(f"image_id {image!r} has no number")
    return int(digits[-1])


def _common_layout(frames: Frames, path: Path) -> KeypointLayout:
    counts = {len(person) for frame in frames for person in frame}
    if not counts:
        raise BadFileError(f"{path}: holds no person in any of {len(frames)} frames: run the detector again.")
    layout = layout_of(max(counts)) if len(counts) == 1 else None
    if layout is None:
        found = " and ".join(str(c) for c in sorted(counts))
        raise BadFileError(f"{path}: has {found} points a person, which is no layout that we know: {_KINDS}.")
    return layout


def follow_person(frames: Frames, count: int) -> np.ndarray:
    """One person (F, K, 3) of people in frames, NaN where nobody: the largest first, then whoever lies nearest."""
    result, last = np.full((len(frames), count, 3), np.nan), None
    for number, people in enumerate(frames):
        present = [p for p in people if (p[:, 2] > 0).any()]
        if not present:
            continue
        chosen = max(present, key=_extent) if last is None else min(present, key=lambda p: _distance(p, last))
        result[number] = last = chosen
    return result


def _extent(person: np.ndarray) -> float:
    points = person[person[:, 2] > 0, :2]
    return float(np.prod(np.ptp(points, axis=0) + 1e-9) * person[:, 2].sum())


def _distance(person: np.ndarray, last: np.ndarray) -> float:
    shared = (person[:, 2] > 0) & (last[:, 2] > 0)
    if not shared.any():
        return float("inf")
    return float(np.median(np.linalg.norm(person[shared, :2] - last[shared, :2], axis=-1)))


def _in_pixels(followed: np.ndarray, size: tuple[int, int] | None, path: Path) -> np.ndarray:
    """Shares of the image as pixels; raises BadFileError where the image's size is not known."""
    seen = followed[..., 2] > 0
    if seen.any() and np.abs(followed[seen][:, :2]).max() > _NORMALISED:
        return followed
    if size is None:
        raise BadFileError(f"{path}: its coordinates are shares of the image: state the image's width and height.")
    return followed * np.array([size[0], size[1], 1.0])
