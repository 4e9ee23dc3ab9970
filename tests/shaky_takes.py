"""A take in BVH text that needs cleaning, made in code, and how much one shakes."""

import numpy as np

# A body in centimetres, Y up as BVH files are: joint, parent, offset from the parent.
BODY = (
    ("Hips", None, (0, 95, 0)),
    ("Spine", "Hips", (0, 12, 0)),
    ("Chest", "Spine", (0, 20, 0)),
    ("Neck", "Chest", (0, 22, 0)),
    ("Head", "Neck", (0, 10, 0)),
    ("LeftShoulder", "Chest", (4, 18, 0)),
    ("LeftArm", "LeftShoulder", (14, 0, 0)),
    ("LeftForeArm", "LeftArm", (28, 0, 0)),
    ("LeftHand", "LeftForeArm", (25, 0, 0)),
    ("RightShoulder", "Chest", (-4, 18, 0)),
    ("RightArm", "RightShoulder", (-14, 0, 0)),
    ("RightForeArm", "RightArm", (-28, 0, 0)),
    ("RightHand", "RightForeArm", (-25, 0, 0)),
    ("LeftUpLeg", "Hips", (9, 0, 0)),
    ("LeftLeg", "LeftUpLeg", (0, -43, 0)),
    ("LeftFoot", "LeftLeg", (0, -43, 0)),
    ("LeftToeBase", "LeftFoot", (0, -7, 13)),
    ("RightUpLeg", "Hips", (-9, 0, 0)),
    ("RightLeg", "RightUpLeg", (0, -43, 0)),
    ("RightFoot", "RightLeg", (0, -43, 0)),
    ("RightToeBase", "RightFoot", (0, -7, 13)),
)


def hierarchy(joint: str, depth: int = 0) -> list[str]:
    """Lines of a BVH hierarchy from this joint of BODY down."""
    (offset,) = (offset for name, _, offset in BODY if name == joint)
    children = [name for name, parent, _ in BODY if parent == joint]
    rotations = "Zrotation Xrotation Yrotation"
    channels = f"3 {rotations}" if depth else f"6 Xposition Yposition Zposition {rotations}"
    inside = [f"OFFSET {offset[0]} {offset[1]} {offset[2]}", f"CHANNELS {channels}"]
    inside += [line for child in children for line in hierarchy(child, depth + 1)]
    inside += [] if children else ["End Site", "{", f"OFFSET 0 {-5 if 'Toe' in joint else 8} 0", "}"]
    return [f"{'JOINT' if depth else 'ROOT'} {joint}", "{", *inside, "}"]


def shaky_take(frame_count: int = 24) -> str:
    """BVH text of the body standing, every rotation shaking by some degrees."""
    angles = np.random.default_rng(1).normal(0, 4, (frame_count, 3 * len(BODY)))
    rows = [" ".join(f"{value:.4f}" for value in (0, 95, 0, *row)) for row in angles]
    return "\n".join(
        ["HIERARCHY", *hierarchy("Hips"), "MOTION", f"Frames: {frame_count}", "Frame Time: 0.0333333", *rows, ""]
    )


def shake(numbers: str) -> float:
    """Mean size of the second differences of a take's numbers (frame time first)."""
    rows = np.array([line.split() for line in numbers.splitlines()[1:]], float)
    return float(np.abs(np.diff(rows, 2, axis=0)).mean())
