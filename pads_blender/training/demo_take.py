"""The demo's own performance, authored in code: someone walks in, waves, reaches down and walks on. Metres, Y up.

Everything follows from planned footsteps and a few eased keys; nothing was captured, so the truth is known exactly.
"""

import numpy as np

from ..core import rotations as rot
from .demo_body import FPS, LEFT, NAMES, RIGHT, Performance, posed, rest
from .demo_curves import X, Y, Z, bend_limb, chain, eased_curve, mirror, share_of, smooth, turn
from .demo_steps import Foot, mean_heading, move_legs, plan_foot, walk_phase

SECONDS = 10.0
LEG = 0.85  # metres from hip to ankle

_THING = np.array([0.17, 0.47, 0.40])  # what the left hand reaches for


def perform() -> Performance:
    """The take as it should have been captured."""
    t = np.arange(round(SECONDS * FPS)) / FPS
    feet = {side: plan_foot(t, side) for side in (LEFT, RIGHT)}
    local = {name: np.tile(rot.IDENTITY, (len(t), 1)) for name in NAMES}
    root = _move_trunk(t, feet, local)
    _move_head(t, feet, root, local)
    move_legs(feet, root, local)
    _move_arms(t, feet, root, local)
    return Performance(np.stack([local[name] for name in NAMES], axis=1), root)


# --- trunk and head ---------------------------------------------------------------------------------------------------


def _crouch(t: np.ndarray) -> np.ndarray:
    """How far (F,) the body is down in its reach, 0 to 1."""
    return eased_curve(t, (5.15, 0.0), (6.05, 1.0), (6.4, 1.0), (7.3, 0.0))


def _move_trunk(t: np.ndarray, feet: dict[str, Foot], local: dict[str, np.ndarray]) -> np.ndarray:
    """Hips and spine, from the feet, the reach and some life; the root's positions (F, 3)."""
    phase, down, heading = walk_phase(feet), _crouch(t), mean_heading(feet)
    on_left = smooth(feet[RIGHT].swing - feet[LEFT].swing, 0.08) + _shift_weight(t)
    breath, wave = np.sin(1.5 * t), _wave_share(t)
    local["Hips"] = chain(turn(Y, heading - 5.0 * phase), turn(X, 4.0 + 26.0 * down), turn(Z, 2.5 * on_left))
    bend = 30.0 * down - 3.0 + 0.8 * breath
    twist = 9.0 * phase - 12.0 * down + (3.0 + 1.5 * _beat(t, 0.1)) * wave
    lean = (4.0 + _beat(t, 0.05)) * wave - 3.5 * on_left
    for name, share in (("Spine", 0.25), ("Spine1", 0.35), ("Spine2", 0.4)):
        local[name] = chain(turn(Y, share * twist), turn(X, share * bend), turn(Z, share * lean))
    centre = smooth(0.5 * (feet[LEFT].ankle + feet[RIGHT].ankle), 0.16)
    aside = rot.rotate(turn(Y, heading), X)
    root = centre + 0.024 * on_left[:, None] * aside - (0.15 * down)[:, None] * rot.rotate(turn(Y, heading), Z)
    root[:, 1] = _hip_height(feet, root, local) - 0.3 * down + 0.002 * breath
    return root


def _shift_weight(t: np.ndarray) -> np.ndarray:
    """The weight (F,) of someone who stands, going from foot to foot: 1 all on the left."""
    return eased_curve(t, (2.7, 0.0), (3.5, 0.75), (4.6, 0.5), (5.6, 0.1), (6.5, 0.45), (7.3, 0.0))


def _hip_height(feet: dict[str, Foot], root: np.ndarray, local: dict[str, np.ndarray]) -> np.ndarray:
    """As high (F,) as both legs reach, but never higher than a relaxed stand."""
    height = np.full(len(root), 0.965)
    for side, foot in feet.items():
        hip = posed(local, root * (1.0, 0.0, 1.0), f"{side}UpLeg")[1]
        away = np.sum((foot.ankle - hip)[:, [0, 2]] ** 2, axis=-1)
        height = np.minimum(height, foot.ankle[:, 1] - hip[:, 1] + np.sqrt((0.995 * LEG) ** 2 - away))
    return smooth(height, 0.05)


def _move_head(t: np.ndarray, feet: dict[str, Foot], root: np.ndarray, local: dict[str, np.ndarray]) -> None:
    """The gaze: ahead, to a friend at the side, down to the hand; neck and head share the turn."""
    yaw = eased_curve(t, (1.6, 0.0), (2.6, -28.0), (4.9, -24.0), (5.5, 6.0), (6.9, 6.0), (7.8, 0.0)) + 2.0 * np.sin(
        0.9 * t
    )
    pitch = eased_curve(t, (5.0, 4.0), (5.7, 40.0), (6.6, 36.0), (7.4, 3.0)) + 1.2 * np.sin(1.7 * t + 1.0)
    gaze = chain(turn(Y, mean_heading(feet) + yaw), turn(X, pitch))
    needed = rot.multiply(rot.inverse(posed(local, root, "Spine2")[0]), gaze)
    local["Neck"] = share_of(needed, 0.45)
    local["Head"] = rot.multiply(rot.inverse(local["Neck"]), needed)


# --- arms -------------------------------------------------------------------------------------------------------------


def _move_arms(t: np.ndarray, feet: dict[str, Foot], root: np.ndarray, local: dict[str, np.ndarray]) -> None:
    """Arms swing against the legs; the right one waves, the left one reaches."""
    phase, down = smooth(walk_phase(feet), 0.04), _crouch(t)
    for side, swing in ((LEFT, -phase), (RIGHT, phase)):
        life = 1.5 * np.sin(1.3 * t + (0.0 if side == LEFT else 2.0))
        _pose_arm(local, side, _hang(swing, life, down))
    _blend_arm(local, RIGHT, _waving(t), _wave_share(t))
    _reach(t, root, local)


def _hang(swing: np.ndarray, life: np.ndarray, down: np.ndarray) -> dict[str, np.ndarray]:
    """Rotations of a left arm that hangs and swings forward by swing (F,), -1 to 1."""
    flexion = 4.0 + 19.0 * swing + life + 24.0 * down
    return _arm(flexion, 0.0 * swing, 13.0 + 0.5 * life, -8.0 + 0.0 * swing, 22.0 + 11.0 * swing + life, 6.0 + life)


def _wave_share(t: np.ndarray) -> np.ndarray:
    """How far (F,) the waving arm is up, 0 to 1."""
    return eased_curve(t, (2.65, 0.0), (3.3, 1.0), (4.75, 1.0), (5.4, 0.0))


def _beat(t: np.ndarray, later_seconds: float = 0.0) -> np.ndarray:
    """The wave's to and fro (F,), -1 to 1."""
    return np.sin(2.0 * np.pi * 2.1 * (t - 3.3 - later_seconds))


def _waving(t: np.ndarray) -> dict[str, np.ndarray]:
    """Rotations of a left arm that is held up and waves."""
    beat, later = _beat(t), _beat(t, 0.08)
    return _arm(0.0 * t, 24.0 + 3.0 * beat, 96.0 + 4.0 * later, -74.0 - 14.0 * beat, 70.0 - 24.0 * beat, 14.0 * later)


def _arm(flexion, forward, abduction, twist, elbow, hand) -> dict[str, np.ndarray]:
    """Local rotations (F, 4) of a left arm by its angles (F,) in degrees."""
    upper = chain(turn(-X, flexion), turn(-Y, forward), turn(Z, abduction - 90.0), turn(X, twist))
    raised = np.maximum(abduction - 30.0, 0.0)
    return {
        "Shoulder": turn(Z, 0.2 * raised - 1.0),
        "Arm": upper,
        "ForeArm": turn(-Y, elbow),
        "Hand": chain(turn(Z, -0.4 * hand), turn(-Y, 0.8 * hand)),
    }


def _pose_arm(local: dict[str, np.ndarray], side: str, arm: dict[str, np.ndarray]) -> None:
    for part, turned in arm.items():
        local[side + part] = turned if side == LEFT else mirror(turned)


def _blend_arm(local: dict[str, np.ndarray], side: str, arm: dict[str, np.ndarray], share: np.ndarray) -> None:
    for part, turned in arm.items():
        local[side + part] = rot.slerp(local[side + part], turned if side == LEFT else mirror(turned), share)


def _reach(t: np.ndarray, root: np.ndarray, local: dict[str, np.ndarray]) -> None:
    """The left hand goes to the thing, holds it and lifts it a little."""
    share = eased_curve(t, (5.25, 0.0), (6.1, 1.0), (6.6, 1.0), (7.4, 0.0))
    lifted = eased_curve(t, (6.3, 0.0), (7.2, 0.22))
    target = _THING + lifted[:, None] * (0.9 * Y - 0.5 * Z)
    start, shoulder = posed(local, root, "LeftArm")[1], posed(local, root, "LeftShoulder")[0]
    pole = np.tile(0.7 * X - 0.6 * Y - 0.4 * Z, (len(t), 1))
    upper, lower = bend_limb(start, target, pole, rest("LeftForeArm"), rest("LeftHand"), Y)
    arm = {
        "Arm": rot.multiply(rot.inverse(shoulder), upper),
        "ForeArm": rot.multiply(rot.inverse(upper), lower),
        "Hand": turn(Z, np.full(len(t), 18.0)),
    }
    _blend_arm(local, LEFT, arm, share)
