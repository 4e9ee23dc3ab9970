"""A mocap folder in code: two short captured clips in dev and two for validation, in the files' own format."""

from pathlib import Path

import numpy as np

from pads_blender.core import rotations as rot
from pads_blender.training.data import VALIDATION_SUBJECTS

# Name, parent, offset in metres: Y up, facing +Z, left at +X; the forearm in two bones, as in the CMU files.
_TABLE = (
    ("Hips", -1, (0.0, 0.0, 0.0)),
    ("LHipJoint", 0, (0.0, 0.0, 0.0)),
    ("LeftUpLeg", 1, (0.09, -0.08, 0.0)),
    ("LeftLeg", 2, (0.0, -0.42, 0.0)),
    ("LeftFoot", 3, (0.0, -0.40, 0.0)),
    ("LeftToeBase", 4, (0.0, -0.06, 0.13)),
    ("RHipJoint", 0, (0.0, 0.0, 0.0)),
    ("RightUpLeg", 6, (-0.09, -0.08, 0.0)),
    ("RightLeg", 7, (0.0, -0.42, 0.0)),
    ("RightFoot", 8, (0.0, -0.40, 0.0)),
    ("RightToeBase", 9, (0.0, -0.06, 0.13)),
    ("LowerBack", 0, (0.0, 0.0, 0.0)),
    ("Spine", 11, (0.0, 0.11, 0.0)),
    ("Spine1", 12, (0.0, 0.12, 0.0)),
    ("Neck", 13, (0.0, 0.20, 0.0)),
    ("Head", 14, (0.0, 0.12, 0.01)),
    ("LeftShoulder", 13, (0.03, 0.17, 0.0)),
    ("LeftArm", 16, (0.14, 0.0, 0.0)),
    ("LeftForeArm", 17, (0.28, 0.0, 0.0)),
    ("LeftHand", 18, (0.17, 0.0, 0.0)),
    ("LeftFingerBase", 19, (0.09, 0.0, 0.0)),
    ("RightShoulder", 13, (-0.03, 0.17, 0.0)),
    ("RightArm", 21, (-0.14, 0.0, 0.0)),
    ("RightForeArm", 22, (-0.28, 0.0, 0.0)),
    ("RightHand", 23, (-0.17, 0.0, 0.0)),
    ("RightFingerBase", 24, (-0.09, 0.0, 0.0)),
    ("LeftToeBase_tip", 5, (0.0, 0.0, 0.07)),
    ("RightToeBase_tip", 10, (0.0, 0.0, 0.07)),
    ("Head_tip", 15, (0.0, 0.18, 0.0)),
    ("LeftFingerBase_tip", 20, (0.08, 0.0, 0.0)),
    ("RightFingerBase_tip", 25, (-0.08, 0.0, 0.0)),
)
NAMES = [row[0] for row in _TABLE]
STILL_ARM = ("LeftArm", "LeftForeArm", "LeftHand")  # in every clip these keep one rotation
_ROTATING = sum(not name.endswith("_tip") for name in NAMES)
FPS = 30.0


def write_folder(folder: Path, frames: tuple[int, int] = (90, 100)) -> Path:
    """dev/cmu_900.npz and train/ of a validation subject and of cmu_901, two clips of that many frames in each."""
    for number, path in enumerate(("dev/cmu_900.npz", f"train/{VALIDATION_SUBJECTS[0]}.npz", "train/cmu_901.npz")):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        np.savez(folder / path, **_subject(frames, seed=number))
    return folder


def _subject(frames: tuple[int, int], seed: int) -> dict[str, np.ndarray]:
    """Slow swings of every bone but the left arm, while the body walks."""
    rng, count = np.random.default_rng(seed), sum(frames)
    seconds = np.arange(count)[:, None, None] / FPS
    hertz, phase = rng.uniform(0.2, 0.9, (_ROTATING, 3)), rng.uniform(0.0, 2 * np.pi, (_ROTATING, 3))
    vectors = 0.25 * np.sin(2 * np.pi * hertz * seconds + phase)
    vectors[:, [NAMES.index(name) for name in STILL_ARM]] = 0.2
    root = np.stack([0.1 * np.sin(seconds[:, 0, 0]), 0.95 + 0 * seconds[:, 0, 0], 0.8 * seconds[:, 0, 0]], axis=-1)
    return {
        "names": np.array(NAMES),
        "parents": np.array([row[1] for row in _TABLE]),
        "offsets": np.array([row[2] for row in _TABLE], np.float32),
        "n_rot": np.array(_ROTATING),
        "root": root.astype(np.float32),
        "quat": np.round(rot.from_rotation_vector(vectors) * 32767).astype(np.int16),
        "clip_start": np.array([0, frames[0], count]),
        "clip_names": np.array([f"{seed}_one", f"{seed}_two"]),
    }
