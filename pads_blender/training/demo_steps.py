"""The footsteps of the demo's own performance: where and when each foot lands, how it rolls, and the legs above."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..core import rotations as rot
from .demo_body import LEFT, RIGHT, posed, rest
from .demo_curves import X, Y, Z, bend_limb, ease, eased_curve, smooth, turn

# When each foot lands (seconds), and how far along the way (metres).
_LANDINGS = {
    LEFT: (
        *((-1.24, -3.96), (-0.16, -2.76), (0.92, -1.56), (2.00, -0.40), (3.10, -0.03)),
        *((8.28, 1.02), (9.36, 2.22), (10.44, 3.42)),
    ),
    RIGHT: (
        *((-0.70, -3.36), (0.38, -2.16), (1.46, -0.96), (2.56, 0.02)),
        *((7.74, 0.46), (8.82, 1.62), (9.90, 2.82), (10.98, 4.02)),
    ),
}
_STRIDE = 1.2  # metres; shorter strides roll the foot less
_SWING_SECONDS = 0.43
_APART = 0.085  # metres from the way to either foot
_OUTWARD = 6.0  # degrees
_ANKLE = np.array([0.0, 0.073, 0.0])  # above the sole; the foot rolls over its heel and its ball
_HEEL = np.array([0.0, 0.0, -0.05])
_BALL = np.array([0.012, 0.011, 0.135])


@dataclass(frozen=True)
class Foot:
    """Path of one foot: ankle (F, 3), heading and roll (F,) in degrees, toes up positive, and swing (F,), 0 to 1."""

    ankle: np.ndarray
    heading: np.ndarray
    roll: np.ndarray
    swing: np.ndarray


def _heading(distance: float) -> float:
    """Degrees to the left that the way has turned at a distance along it: straight up to the origin, then a bend."""
    return 45.0 * float(ease(np.array(distance / 3.5)))


def _place(distance: float) -> np.ndarray:
    """Point (3,) of the way."""
    if distance <= 0:
        return np.array([0.0, 0.0, distance])
    angles = np.radians([_heading(d) for d in np.linspace(0.0, distance, 40)])
    return distance * np.array([np.sin(angles).mean(), 0.0, np.cos(angles).mean()])


def plan_foot(t: np.ndarray, side: str) -> Foot:
    """The foot planted at each landing in turn, rolling from heel to toes, and swung on to the next."""
    steps = list(pairwise(_LANDINGS[side]))
    roll = eased_curve(t, *(key for here, there in steps for key in _roll_keys(here, there)))
    heading = eased_curve(t, *(key for here, there in steps for key in _heading_keys(here, there, side)))
    ankle, swing = np.zeros((len(t), 3)), np.zeros(len(t))
    for here, there in steps:
        now = (t >= here[0]) & (t < there[0])
        u = np.clip((t - there[0]) / _SWING_SECONDS + 1.0, 0.0, 1.0)
        planted, landed = (_stance_ankle(distance, side, roll) for _, distance in (here, there))
        lift = np.sin(np.pi * u) ** 2
        path = planted + (3.0 * u**2 - 2.0 * u**3)[:, None] * (landed - planted) + 0.05 * lift[:, None] * Y
        ankle[now], swing[now] = path[now], lift[now]
    return Foot(ankle, heading, roll, swing)


def _roll_keys(here: tuple[float, float], there: tuple[float, float]) -> list[tuple[float, float]]:
    """From flat on the ground over the toes to the heel's strike, and flat again."""
    share, leave, arrive = min(1.0, (there[1] - here[1]) / _STRIDE), there[0] - _SWING_SECONDS, there[0]
    return [(leave - 0.26, 0.0), (leave + 0.06, -48.0 * share), (arrive, 17.0 * share), (arrive + 0.13, 0.0)]


def _heading_keys(here: tuple[float, float], there: tuple[float, float], side: str) -> list[tuple[float, float]]:
    return [(there[0] - _SWING_SECONDS, _foot_heading(here[1], side)), (there[0], _foot_heading(there[1], side))]


def _foot_heading(distance: float, side: str) -> float:
    """Degrees to the left of a foot planted there: a little outward."""
    return _heading(distance) + (_OUTWARD if side == LEFT else -_OUTWARD)


def _stance_ankle(distance: float, side: str, roll: np.ndarray) -> np.ndarray:
    """Ankle (F, 3) of a foot planted there, by its roll over heel or ball (F,)."""
    aside = rot.rotate(turn(Y, _heading(distance)), _APART * (X if side == LEFT else -X))
    pivot = np.where(roll[:, None] > 0, _HEEL, _BALL if side == LEFT else _BALL * (-1.0, 1.0, 1.0))
    rolled = pivot + rot.rotate(turn(-X, roll), _ANKLE - pivot)
    return _place(distance) + aside + rot.rotate(turn(Y, _foot_heading(distance, side)), rolled)


def move_legs(feet: dict[str, Foot], root: np.ndarray, local: dict[str, np.ndarray]) -> None:
    """Legs bent so that the ankles are where the feet are planned; toes stay on the ground while the heel leaves it."""
    for side, foot in feet.items():
        upper, lower, ankle, toes = (side + part for part in ("UpLeg", "Leg", "Foot", "ToeBase"))
        hips, start = posed(local, root, "Hips")[0], posed(local, root, upper)[1]
        forward = rot.rotate(turn(Y, foot.heading), Z) + rot.rotate(hips, Z)
        thigh, shin = bend_limb(start, foot.ankle, forward, rest(lower), rest(ankle), -X)
        planted = rot.multiply(turn(Y, foot.heading), turn(-X, foot.roll))
        local[upper] = rot.multiply(rot.inverse(hips), thigh)
        local[lower] = rot.multiply(rot.inverse(thigh), shin)
        local[ankle] = rot.multiply(rot.inverse(shin), planted)
        local[toes] = turn(X, np.minimum(foot.roll, 0.0) * (1.0 - 0.8 * foot.swing))


def walk_phase(feet: dict[str, Foot]) -> np.ndarray:
    """How far (F,) the left foot is before the right one, in steps: -1 to 1, the clock of the whole body."""
    forward = rot.rotate(turn(Y, mean_heading(feet)), Z)
    lead = np.sum((feet[LEFT].ankle - feet[RIGHT].ankle) * forward, axis=-1)
    return smooth(lead / (0.5 * _STRIDE), 0.05)


def mean_heading(feet: dict[str, Foot]) -> np.ndarray:
    """Degrees (F,) to the left that the body faces, between the feet."""
    return smooth(0.5 * (feet[LEFT].heading + feet[RIGHT].heading), 0.25)
