"""The demo's own performance, authored in code: someone walks in, waves, reaches down and walks on. Metres, Y up.

Everything follows from planned footsteps and a few eased keys; nothing was captured, so the truth is known exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..core import rotations as rot

FPS = 30.0
SECONDS = 10.0

# name, parent, offset from the parent in rest (x to the left, z to the front). A slim adult of 1.78 m in T-pose.
_TABLE = (
    ("Hips", "", (0.0, 0.985, 0.0)),
    ("Spine", "Hips", (0.0, 0.095, -0.012)),
    ("Spine1", "Spine", (0.0, 0.115, 0.0)),
    ("Spine2", "Spine1", (0.0, 0.12, 0.004)),
    ("Neck", "Spine2", (0.0, 0.18, -0.008)),
    ("Head", "Neck", (0.0, 0.09, 0.018)),
    ("LeftShoulder", "Spine2", (0.035, 0.13, 0.01)),
    ("LeftArm", "LeftShoulder", (0.14, 0.005, -0.02)),
    ("LeftForeArm", "LeftArm", (0.285, 0.0, 0.0)),
    ("LeftHand", "LeftForeArm", (0.255, 0.0, 0.0)),
    ("RightShoulder", "Spine2", (-0.035, 0.13, 0.01)),
    ("RightArm", "RightShoulder", (-0.14, 0.005, -0.02)),
    ("RightForeArm", "RightArm", (-0.285, 0.0, 0.0)),
    ("RightHand", "RightForeArm", (-0.255, 0.0, 0.0)),
    ("LeftUpLeg", "Hips", (0.095, -0.055, 0.0)),
    ("LeftLeg", "LeftUpLeg", (0.0, -0.43, 0.0)),
    ("LeftFoot", "LeftLeg", (0.0, -0.42, 0.0)),
    ("LeftToeBase", "LeftFoot", (0.012, -0.062, 0.135)),
    ("RightUpLeg", "Hips", (-0.095, -0.055, 0.0)),
    ("RightLeg", "RightUpLeg", (0.0, -0.43, 0.0)),
    ("RightFoot", "RightLeg", (0.0, -0.42, 0.0)),
    ("RightToeBase", "RightFoot", (-0.012, -0.062, 0.135)),
)
_ENDS = {
    "Head": (0.0, 0.185, 0.01),
    "LeftHand": (0.17, 0.0, 0.0),
    "RightHand": (-0.17, 0.0, 0.0),
    "LeftToeBase": (0.0, -0.006, 0.065),
    "RightToeBase": (0.0, -0.006, 0.065),
}
NAMES = tuple(row[0] for row in _TABLE)
PARENTS = tuple(NAMES.index(row[1]) if row[1] else -1 for row in _TABLE)
OFFSETS = np.array([row[2] for row in _TABLE])

_X, _Y, _Z = np.eye(3)
_LEFT, _RIGHT = "Left", "Right"

# When each foot lands (seconds), and how far along the way (metres).
_LANDINGS = {
    _LEFT: (
        *((-1.24, -3.96), (-0.16, -2.76), (0.92, -1.56), (2.00, -0.40), (3.10, -0.03)),
        *((8.28, 1.02), (9.36, 2.22), (10.44, 3.42)),
    ),
    _RIGHT: (
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
_LEG = 0.85

_THING = np.array([0.17, 0.47, 0.40])  # what the left hand reaches for


@dataclass(frozen=True)
class Performance:
    """Local rotations (F, J, 4) and root positions (F, 3) of the demo's skeleton."""

    rotations: np.ndarray
    root: np.ndarray


def perform() -> Performance:
    """The take as it should have been captured."""
    t = np.arange(round(SECONDS * FPS)) / FPS
    feet = {side: _plan_foot(t, side) for side in (_LEFT, _RIGHT)}
    local = {name: np.tile(rot.IDENTITY, (len(t), 1)) for name in NAMES}
    root = _move_trunk(t, feet, local)
    _move_head(t, feet, root, local)
    _move_legs(feet, root, local)
    _move_arms(t, feet, root, local)
    return Performance(np.stack([local[name] for name in NAMES], axis=1), root)


def pose_positions(performance: Performance) -> np.ndarray:
    """Joint positions (F, J, 3) in metres."""
    local = {name: performance.rotations[:, joint] for joint, name in enumerate(NAMES)}
    return np.stack([_posed(local, performance.root, name)[1] for name in NAMES], axis=1)


def bvh_text(performance: Performance) -> str:
    """The performance as a BVH file, angles in the order Z, X, Y."""
    degrees = np.degrees(
        np.stack([rot.continuous_euler(rot.to_euler(q, "YXZ"), "YXZ") for q in _by_joint(performance)], axis=1)
    )
    values = np.concatenate([performance.root, degrees[:, :, [2, 0, 1]].reshape(len(degrees), -1)], axis=1)
    head = ["HIERARCHY", *_joint_lines(0, ""), "MOTION", f"Frames: {len(values)}", f"Frame Time: {1 / FPS:.9f}"]
    return "\n".join([*head, *(" ".join(map("%.6f".__mod__, row)) for row in values), ""])


def _by_joint(performance: Performance) -> np.ndarray:
    return np.moveaxis(performance.rotations, 1, 0)


def _joint_lines(joint: int, indent: str) -> list[str]:
    inner, name = indent + "  ", NAMES[joint]
    positions = "" if joint else "Xposition Yposition Zposition "
    lines = [f"{indent}{'JOINT' if joint else 'ROOT'} {name}", indent + "{", inner + _offset(OFFSETS[joint])]
    lines.append(f"{inner}CHANNELS {3 if joint else 6} {positions}Zrotation Xrotation Yrotation")
    for child in (i for i, parent in enumerate(PARENTS) if parent == joint):
        lines += _joint_lines(child, inner)
    if name in _ENDS:
        lines += [inner + "End Site", inner + "{", f"{inner}  {_offset(_ENDS[name])}", inner + "}"]
    return [*lines, indent + "}"]


def _offset(offset: Sequence[float]) -> str:
    return "OFFSET " + " ".join(f"{value:.6f}" for value in offset)


# --- curves and rotations ---------------------------------------------------------------------------------------------


def _ease(u: np.ndarray) -> np.ndarray:
    """0 to 1 with no velocity and acceleration at either end."""
    u = np.clip(u, 0.0, 1.0)
    return u**3 * (10.0 - 15.0 * u + 6.0 * u**2)


def _keys(t: np.ndarray, *keys: tuple[float, float]) -> np.ndarray:
    """Curve (F,) through keys (seconds, value), eased in and out at each, held outside."""
    value = np.full(len(t), float(keys[0][1]))
    for (start, a), (end, b) in pairwise(keys):
        value += (b - a) * _ease((t - start) / (end - start))
    return value


def _smooth(values: np.ndarray, seconds: float) -> np.ndarray:
    """Gaussian blur along the first axis, ends held."""
    reach = int(np.ceil(3 * seconds * FPS))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (seconds * FPS)) ** 2)
    padded = np.concatenate([np.repeat(values[:1], reach, 0), values, np.repeat(values[-1:], reach, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)
    return windows @ (kernel / kernel.sum())


def _turn(axis: np.ndarray, degrees: np.ndarray | float) -> np.ndarray:
    """Rotation (..., 4) about an axis."""
    return rot.from_rotation_vector(np.radians(degrees)[..., None] * axis)


def _chain(*turns: np.ndarray) -> np.ndarray:
    """Product of rotations: the last one turns first."""
    result = turns[0]
    for turn in turns[1:]:
        result = rot.multiply(result, turn)
    return result


def _mirror(q: np.ndarray) -> np.ndarray:
    """The rotation (..., 4) seen in the mirror that swaps left and right."""
    return q * np.array([1.0, 1.0, -1.0, -1.0])


def _part(q: np.ndarray, share: float) -> np.ndarray:
    return rot.slerp(np.broadcast_to(rot.IDENTITY, q.shape), q, np.full(q.shape[:-1], share))


def _posed(local: dict[str, np.ndarray], root: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """World rotation (F, 4) and position (F, 3) of a joint."""
    joint = NAMES.index(name)
    if PARENTS[joint] < 0:
        return local[name], root
    turned, position = _posed(local, root, NAMES[PARENTS[joint]])
    return rot.multiply(turned, local[name]), position + rot.rotate(turned, OFFSETS[joint])


def _rest(name: str) -> np.ndarray:
    """Offset (3,) of a joint from its parent."""
    return OFFSETS[NAMES.index(name)]


def _bend_limb(
    start: np.ndarray, target: np.ndarray, pole: np.ndarray, upper: np.ndarray, lower: np.ndarray, hinge: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """World rotations (F, 4) of two bones that lead from start (F, 3) to target, the middle joint towards the pole.

    upper and lower (3,) are the bones at rest, hinge (3,) the axis about which the middle joint bends there.
    """
    a, b = np.linalg.norm(upper), np.linalg.norm(lower)
    away = target - start
    distance = np.clip(np.linalg.norm(away, axis=-1, keepdims=True), abs(a - b) * 1.01, (a + b) * 0.9995)
    along = away / np.linalg.norm(away, axis=-1, keepdims=True)
    aside = pole - np.sum(pole * along, axis=-1, keepdims=True) * along
    aside /= np.linalg.norm(aside, axis=-1, keepdims=True)
    cosine = (a**2 + distance**2 - b**2) / (2 * a * distance)
    first = cosine * along + np.sqrt(1 - cosine**2) * aside
    second = (distance * along - a * first) / b
    axis = np.cross(along, aside)
    return _aim(upper, hinge, first, axis), _aim(lower, hinge, second, axis)


def _aim(rest: np.ndarray, hinge: np.ndarray, direction: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Rotation (F, 4) that lays a bone along direction (F, 3) with its hinge on axis (F, 3)."""
    return rot.from_matrix(_axes(direction, axis) @ _axes(rest, hinge).T)


def _axes(direction: np.ndarray, axis: np.ndarray) -> np.ndarray:
    direction = direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    return np.stack([direction, axis, np.cross(direction, axis)], axis=-1)


# --- feet and legs ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Foot:
    """Path of one foot: ankle (F, 3), heading and roll (F,) in degrees, toes up positive, and swing (F,), 0 to 1."""

    ankle: np.ndarray
    heading: np.ndarray
    roll: np.ndarray
    swing: np.ndarray


def _heading(distance: float) -> float:
    """Degrees to the left that the way has turned at a distance along it: straight up to the origin, then a bend."""
    return 45.0 * float(_ease(np.array(distance / 3.5)))


def _place(distance: float) -> np.ndarray:
    """Point (3,) of the way."""
    if distance <= 0:
        return np.array([0.0, 0.0, distance])
    angles = np.radians([_heading(d) for d in np.linspace(0.0, distance, 40)])
    return distance * np.array([np.sin(angles).mean(), 0.0, np.cos(angles).mean()])


def _plan_foot(t: np.ndarray, side: str) -> _Foot:
    """The foot planted at each landing in turn, rolling from heel to toes, and swung on to the next."""
    steps = list(pairwise(_LANDINGS[side]))
    roll = _keys(t, *(key for here, there in steps for key in _roll_keys(here, there)))
    heading = _keys(t, *(key for here, there in steps for key in _heading_keys(here, there, side)))
    ankle, swing = np.zeros((len(t), 3)), np.zeros(len(t))
    for here, there in steps:
        now = (t >= here[0]) & (t < there[0])
        u = np.clip((t - there[0]) / _SWING_SECONDS + 1.0, 0.0, 1.0)
        planted, landed = (_stance_ankle(distance, side, roll) for _, distance in (here, there))
        lift = np.sin(np.pi * u) ** 2
        path = planted + (3.0 * u**2 - 2.0 * u**3)[:, None] * (landed - planted) + 0.05 * lift[:, None] * _Y
        ankle[now], swing[now] = path[now], lift[now]
    return _Foot(ankle, heading, roll, swing)


def _roll_keys(here: tuple[float, float], there: tuple[float, float]) -> list[tuple[float, float]]:
    """From flat on the ground over the toes to the heel's strike, and flat again."""
    share, leave, arrive = min(1.0, (there[1] - here[1]) / _STRIDE), there[0] - _SWING_SECONDS, there[0]
    return [(leave - 0.26, 0.0), (leave + 0.06, -48.0 * share), (arrive, 17.0 * share), (arrive + 0.13, 0.0)]


def _heading_keys(here: tuple[float, float], there: tuple[float, float], side: str) -> list[tuple[float, float]]:
    return [(there[0] - _SWING_SECONDS, _foot_heading(here[1], side)), (there[0], _foot_heading(there[1], side))]


def _foot_heading(distance: float, side: str) -> float:
    """Degrees to the left of a foot planted there: a little outward."""
    return _heading(distance) + (_OUTWARD if side == _LEFT else -_OUTWARD)


def _stance_ankle(distance: float, side: str, roll: np.ndarray) -> np.ndarray:
    """Ankle (F, 3) of a foot planted there, by its roll over heel or ball (F,)."""
    aside = rot.rotate(_turn(_Y, _heading(distance)), _APART * (_X if side == _LEFT else -_X))
    pivot = np.where(roll[:, None] > 0, _HEEL, _BALL if side == _LEFT else _BALL * (-1.0, 1.0, 1.0))
    rolled = pivot + rot.rotate(_turn(-_X, roll), _ANKLE - pivot)
    return _place(distance) + aside + rot.rotate(_turn(_Y, _foot_heading(distance, side)), rolled)


def _move_legs(feet: dict[str, _Foot], root: np.ndarray, local: dict[str, np.ndarray]) -> None:
    """Legs bent so that the ankles are where the feet are planned; toes stay on the ground while the heel leaves it."""
    for side, foot in feet.items():
        upper, lower, ankle, toes = (side + part for part in ("UpLeg", "Leg", "Foot", "ToeBase"))
        hips, start = _posed(local, root, "Hips")[0], _posed(local, root, upper)[1]
        forward = rot.rotate(_turn(_Y, foot.heading), _Z) + rot.rotate(hips, _Z)
        thigh, shin = _bend_limb(start, foot.ankle, forward, _rest(lower), _rest(ankle), -_X)
        planted = rot.multiply(_turn(_Y, foot.heading), _turn(-_X, foot.roll))
        local[upper] = rot.multiply(rot.inverse(hips), thigh)
        local[lower] = rot.multiply(rot.inverse(thigh), shin)
        local[ankle] = rot.multiply(rot.inverse(shin), planted)
        local[toes] = _turn(_X, np.minimum(foot.roll, 0.0) * (1.0 - 0.8 * foot.swing))


# --- trunk and head ---------------------------------------------------------------------------------------------------


def _walk_phase(feet: dict[str, _Foot]) -> np.ndarray:
    """How far (F,) the left foot is before the right one, in steps: -1 to 1, the clock of the whole body."""
    forward = rot.rotate(_turn(_Y, _mean_heading(feet)), _Z)
    lead = np.sum((feet[_LEFT].ankle - feet[_RIGHT].ankle) * forward, axis=-1)
    return _smooth(lead / (0.5 * _STRIDE), 0.05)


def _mean_heading(feet: dict[str, _Foot]) -> np.ndarray:
    return _smooth(0.5 * (feet[_LEFT].heading + feet[_RIGHT].heading), 0.25)


def _crouch(t: np.ndarray) -> np.ndarray:
    """How far (F,) the body is down in its reach, 0 to 1."""
    return _keys(t, (5.15, 0.0), (6.05, 1.0), (6.4, 1.0), (7.3, 0.0))


def _move_trunk(t: np.ndarray, feet: dict[str, _Foot], local: dict[str, np.ndarray]) -> np.ndarray:
    """Hips and spine, from the feet, the reach and some life; the root's positions (F, 3)."""
    phase, down, heading = _walk_phase(feet), _crouch(t), _mean_heading(feet)
    on_left = _smooth(feet[_RIGHT].swing - feet[_LEFT].swing, 0.08) + _shift_weight(t)
    breath, wave = np.sin(1.5 * t), _wave_share(t)
    local["Hips"] = _chain(_turn(_Y, heading - 5.0 * phase), _turn(_X, 4.0 + 26.0 * down), _turn(_Z, 2.5 * on_left))
    bend = 30.0 * down - 3.0 + 0.8 * breath
    twist = 9.0 * phase - 12.0 * down + (3.0 + 1.5 * _beat(t, 0.1)) * wave
    lean = (4.0 + _beat(t, 0.05)) * wave - 3.5 * on_left
    for name, share in (("Spine", 0.25), ("Spine1", 0.35), ("Spine2", 0.4)):
        local[name] = _chain(_turn(_Y, share * twist), _turn(_X, share * bend), _turn(_Z, share * lean))
    centre = _smooth(0.5 * (feet[_LEFT].ankle + feet[_RIGHT].ankle), 0.16)
    aside = rot.rotate(_turn(_Y, heading), _X)
    root = centre + 0.024 * on_left[:, None] * aside - (0.15 * down)[:, None] * rot.rotate(_turn(_Y, heading), _Z)
    root[:, 1] = _hip_height(feet, root, local) - 0.3 * down + 0.002 * breath
    return root


def _shift_weight(t: np.ndarray) -> np.ndarray:
    """The weight (F,) of someone who stands, going from foot to foot: 1 all on the left."""
    return _keys(t, (2.7, 0.0), (3.5, 0.75), (4.6, 0.5), (5.6, 0.1), (6.5, 0.45), (7.3, 0.0))


def _hip_height(feet: dict[str, _Foot], root: np.ndarray, local: dict[str, np.ndarray]) -> np.ndarray:
    """As high (F,) as both legs reach, but never higher than a relaxed stand."""
    height = np.full(len(root), 0.965)
    for side, foot in feet.items():
        hip = _posed(local, root * (1.0, 0.0, 1.0), f"{side}UpLeg")[1]
        away = np.sum((foot.ankle - hip)[:, [0, 2]] ** 2, axis=-1)
        height = np.minimum(height, foot.ankle[:, 1] - hip[:, 1] + np.sqrt((0.995 * _LEG) ** 2 - away))
    return _smooth(height, 0.05)


def _move_head(t: np.ndarray, feet: dict[str, _Foot], root: np.ndarray, local: dict[str, np.ndarray]) -> None:
    """The gaze: ahead, to a friend at the side, down to the hand; neck and head share the turn."""
    yaw = _keys(t, (1.6, 0.0), (2.6, -28.0), (4.9, -24.0), (5.5, 6.0), (6.9, 6.0), (7.8, 0.0)) + 2.0 * np.sin(0.9 * t)
    pitch = _keys(t, (5.0, 4.0), (5.7, 40.0), (6.6, 36.0), (7.4, 3.0)) + 1.2 * np.sin(1.7 * t + 1.0)
    gaze = _chain(_turn(_Y, _mean_heading(feet) + yaw), _turn(_X, pitch))
    needed = rot.multiply(rot.inverse(_posed(local, root, "Spine2")[0]), gaze)
    local["Neck"] = _part(needed, 0.45)
    local["Head"] = rot.multiply(rot.inverse(local["Neck"]), needed)


# --- arms -------------------------------------------------------------------------------------------------------------


def _move_arms(t: np.ndarray, feet: dict[str, _Foot], root: np.ndarray, local: dict[str, np.ndarray]) -> None:
    """Arms swing against the legs; the right one waves, the left one reaches."""
    phase, down = _smooth(_walk_phase(feet), 0.04), _crouch(t)
    for side, swing in ((_LEFT, -phase), (_RIGHT, phase)):
        life = 1.5 * np.sin(1.3 * t + (0.0 if side == _LEFT else 2.0))
        _pose_arm(local, side, _hang(swing, life, down))
    _blend_arm(local, _RIGHT, _waving(t), _wave_share(t))
    _reach(t, root, local)


def _hang(swing: np.ndarray, life: np.ndarray, down: np.ndarray) -> dict[str, np.ndarray]:
    """Rotations of a left arm that hangs and swings forward by swing (F,), -1 to 1."""
    flexion = 4.0 + 19.0 * swing + life + 24.0 * down
    return _arm(flexion, 0.0 * swing, 13.0 + 0.5 * life, -8.0 + 0.0 * swing, 22.0 + 11.0 * swing + life, 6.0 + life)


def _wave_share(t: np.ndarray) -> np.ndarray:
    """How far (F,) the waving arm is up, 0 to 1."""
    return _keys(t, (2.65, 0.0), (3.3, 1.0), (4.75, 1.0), (5.4, 0.0))


def _beat(t: np.ndarray, later_seconds: float = 0.0) -> np.ndarray:
    """The wave's to and fro (F,), -1 to 1."""
    return np.sin(2.0 * np.pi * 2.1 * (t - 3.3 - later_seconds))


def _waving(t: np.ndarray) -> dict[str, np.ndarray]:
    """Rotations of a left arm that is held up and waves."""
    beat, later = _beat(t), _beat(t, 0.08)
    return _arm(0.0 * t, 24.0 + 3.0 * beat, 96.0 + 4.0 * later, -74.0 - 14.0 * beat, 70.0 - 24.0 * beat, 14.0 * later)


def _arm(flexion, forward, abduction, twist, elbow, hand) -> dict[str, np.ndarray]:
    """Local rotations (F, 4) of a left arm by its angles (F,) in degrees."""
    upper = _chain(_turn(-_X, flexion), _turn(-_Y, forward), _turn(_Z, abduction - 90.0), _turn(_X, twist))
    raised = np.maximum(abduction - 30.0, 0.0)
    return {
        "Shoulder": _turn(_Z, 0.2 * raised - 1.0),
        "Arm": upper,
        "ForeArm": _turn(-_Y, elbow),
        "Hand": _chain(_turn(_Z, -0.4 * hand), _turn(-_Y, 0.8 * hand)),
    }


def _pose_arm(local: dict[str, np.ndarray], side: str, arm: dict[str, np.ndarray]) -> None:
    for part, turn in arm.items():
        local[side + part] = turn if side == _LEFT else _mirror(turn)


def _blend_arm(local: dict[str, np.ndarray], side: str, arm: dict[str, np.ndarray], share: np.ndarray) -> None:
    for part, turn in arm.items():
        local[side + part] = rot.slerp(local[side + part], turn if side == _LEFT else _mirror(turn), share)


def _reach(t: np.ndarray, root: np.ndarray, local: dict[str, np.ndarray]) -> None:
    """The left hand goes to the thing, holds it and lifts it a little."""
    share = _keys(t, (5.25, 0.0), (6.1, 1.0), (6.6, 1.0), (7.4, 0.0))
    lifted = _keys(t, (6.3, 0.0), (7.2, 0.22))
    target = _THING + lifted[:, None] * (0.9 * _Y - 0.5 * _Z)
    start, shoulder = _posed(local, root, "LeftArm")[1], _posed(local, root, "LeftShoulder")[0]
    pole = np.tile(0.7 * _X - 0.6 * _Y - 0.4 * _Z, (len(t), 1))
    upper, lower = _bend_limb(start, target, pole, _rest("LeftForeArm"), _rest("LeftHand"), _Y)
    arm = {
        "Arm": rot.multiply(rot.inverse(shoulder), upper),
        "ForeArm": rot.multiply(rot.inverse(upper), lower),
        "Hand": _turn(_Z, np.full(len(t), 18.0)),
    }
    _blend_arm(local, _LEFT, arm, share)
