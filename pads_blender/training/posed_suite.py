"""The suite of poses laid on rigs: how far captured limbs are turned about themselves from how they were captured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..core import rotations as rot
from ..core.retarget import apply_motion, joint_rotations, to_model
from ..core.rig import RigTake
from ..core.skeleton import MODEL
from ..tasks.hinges import lay_bending
from . import data
from .bench import Setup, Suite
from .scores import OURS, Score

SWUNG = "smallest swing"
EVERY = 30  # frames from one pose to the next
_UPPER = {"upper arms": "shoulder", "thighs": "hip"}
_PARTS = _UPPER | {"forearms": "elbow", "shins": "knee"}


def posed(setup: Setup) -> list[Score]:
    """Captured poses on a rig that was at rest, and on one that was in another pose of the clip."""
    scores = []
    for clip in setup.rig_clips:
        take = clip.take.rows(slice(EVERY // 2, None, EVERY))
        if len(take.frames):
            other = clip.take.rotation[len(clip.take.frames) // 2 // EVERY * EVERY]  # half a second from the next one
            scores += _scores(clip, take, "from rest", np.tile(rot.IDENTITY, (len(other), 1)), _UPPER)
            scores += _scores(clip, take, "from another pose", other, _PARTS)
    return sorted(scores, key=lambda score: score.case)


def _scores(clip: data.RigClip, take: RigTake, start: str, pose: np.ndarray, parts: dict[str, str]) -> list[Score]:
    """Scores of these parts of the limbs, the rig starting with these rotations (B, 4)."""
    truth, own = to_model(take, clip.mapping)
    _, residual = to_model(replace(take, rotation=np.tile(pose, (len(take.frames), 1, 1))), clip.mapping)
    wanted = joint_rotations(own, take)
    takes = {OURS: lay_bending(residual, truth.positions), SWUNG: apply_motion(residual, truth.positions)}
    errors = {n: np.degrees(rot.angle_between(joint_rotations(residual, t), wanted)) for n, t in takes.items()}
    scores = []
    for part, joint in parts.items():
        both = MODEL.indices(f"left_{joint}", f"right_{joint}")
        values = {method: float(error[:, both].mean()) for method, error in errors.items()}
        scores.append(Score(f"{start}, {part}", clip.name, 0, values, {}))
    return scores


SUITES = (
    Suite(
        "posed",
        f"Captured poses, one in {EVERY} frames, laid on the clip's own rig from its rest pose or from the pose in the "
        "middle of the clip, joints exactly where they were; how far the bones are then turned from how they were "
        "captured. No prior takes part. Smallest swing: each bone turns with the one above it and then by the least "
        "that takes its joint there. From rest, forearms and shins are as far off as the bones above them, for these "
        "skeletons bend about one axis.",
        "degrees",
        SWUNG,
        posed,
    ),
)
