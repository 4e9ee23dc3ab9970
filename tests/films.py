"""A filmed person as files: a camera and the keypoints of a body that rises from its knees a little, made in code."""

import json
from pathlib import Path

import numpy as np

from pads_blender.core.camera_files import read_camera
from pads_blender.core.keypoints import COCO_17
from pads_blender.core.skeleton import MODEL

CAMERA = {"width": 1000, "height": 1000, "fov_degrees": 50, "position": [0.5, -3.5, 1.4], "target": [0, 0, 0.9]}


def write_film(folder: Path, frames: int) -> None:
    """camera.json, and keypoints.json of COCO."""
    (folder / "camera.json").write_text(json.dumps(CAMERA))
    rest = np.tile(MODEL.rest_positions, (frames, 1, 1))
    rest[..., 2] += 0.9 + 0.002 * np.arange(frames)[:, None]
    points = read_camera(folder / "camera.json").project(np.einsum("kj,fja->fka", COCO_17.joints, rest))
    scored = np.concatenate([points, np.ones((*points.shape[:2], 1))], axis=-1)
    entries = [{"image_id": i, "category_id": 1, "keypoints": row.ravel().tolist()} for i, row in enumerate(scored)]
    (folder / "keypoints.json").write_text(json.dumps(entries))
