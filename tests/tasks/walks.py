"""Synthetic walks with known contacts: feet on flat ground or stairs, a body above them, on the model's bones."""

from dataclasses import dataclass

import numpy as np

from pads_blender.core.skeleton import MODEL
from pads_blender.tasks.contacts import CONTACT_JOINTS

FPS = 30.0
STANCE, SWING = 18, 14  # frames
_PELVIS = MODEL.index("pelvis")


@dataclass(frozen=True)
class Walk:
    """Positions (F, J, 3) and the contacts (F, 4) that they were made with."""

    positions: np.ndarray
    resting: np.ndarray


def walk(steps: int = 6, stride: float = 0.6, rise: float = 0.0, pelvis: float = 0.88) -> Walk:
    """A walk along -y of so many steps a foot; rise: metres that each foot gains a step, as on stairs.

    pelvis: its height in metres above the floor.
    """
    period = STANCE + SWING
    frames = period * steps
    feet, resting = {}, np.zeros((frames, 4), bool)
    for side, phase in (("left", 0), ("right", period // 2)):
        ankle, toe, flat, tip = _foot_path(np.arange(frames) + phase, stride, rise)
        start, x = phase / period, 0.09 if side == "left" else -0.09
        feet[side] = [
            np.column_stack([np.full(frames, x), start * stride - along, up - start * rise])
            for along, up in (ankle, toe)
        ]
        resting[:, CONTACT_JOINTS.index(f"{side}_ankle")] = flat
        resting[:, CONTACT_JOINTS.index(f"{side}_toe")] = tip
    progress = np.arange(frames) / period - 0.5 * STANCE / period  # over the foot in the middle of its stance
    root = np.column_stack([0.0 * progress, -stride * progress, pelvis + rise * progress])
    return Walk(stand_over(root, feet), resting)


def _foot_path(clock: np.ndarray, stride: float, rise: float) -> tuple:
    """(along, up) of ankle and toe, frames with the heel down, frames with the toe down."""
    period = STANCE + SWING
    cycle, t = np.divmod(clock, period)
    swing = np.clip((t - STANCE) / SWING, 0.0, 1.0)
    eased = swing * swing * swing * (swing * (6.0 * swing - 15.0) + 10.0)
    along, up = stride * (cycle + eased), rise * (cycle + eased) + 0.12 * np.sin(np.pi * swing) ** 2
    pitch = np.radians(50.0) * np.where(t < STANCE, np.clip((t - 11) / (STANCE - 11), 0.0, 1.0) ** 2, (1 - eased))
    toe_from_ankle = np.array([0.13, -0.06])
    turned = np.stack(
        [np.cos(pitch) * toe_from_ankle[0] + np.sin(pitch) * toe_from_ankle[1],
         -np.sin(pitch) * toe_from_ankle[0] + np.cos(pitch) * toe_from_ankle[1]]
    )  # fmt: skip
    toe = along + 0.13, up + 0.02
    ankle = toe[0] - turned[0], toe[1] - turned[1]
    return ankle, toe, t < 12, t < STANCE


def stand_over(root: np.ndarray, feet: dict[str, list[np.ndarray]]) -> np.ndarray:
    """A body at rest with its pelvis at root (F, 3), legs bent to ankles and toes (F, 3), knees to the front (-y)."""
    positions = MODEL.rest_positions + root[:, None]
    for side, (ankle, toe) in feet.items():
        hip, knee, foot, tip = MODEL.indices(*[f"{side}_{j}" for j in ("hip", "knee", "ankle", "toe")])
        positions[:, knee] = _knee(positions[:, hip], ankle, *np.linalg.norm(MODEL.offsets[[knee, foot]], axis=-1))
        positions[:, foot], positions[:, tip] = ankle, toe
    return positions


def _knee(hip: np.ndarray, ankle: np.ndarray, thigh: float, shin: float) -> np.ndarray:
    leg = ankle - hip
    reach = np.linalg.norm(leg, axis=-1, keepdims=True)
    assert reach.max() < thigh + shin, "the foot is out of reach"
    axis = leg / reach
    along = (thigh**2 - shin**2 + reach**2) / (2.0 * reach)
    front = np.array([0.0, -1.0, 0.0]) - axis * (axis @ np.array([0.0, -1.0, 0.0]))[:, None]
    front /= np.linalg.norm(front, axis=-1, keepdims=True)
    return hip + along * axis + np.sqrt(thigh**2 - along**2) * front
