"""A motion of the model skeleton as a BVH of its own: for takes that no rig was chosen for. Y up, facing +Z."""

import numpy as np

from . import rotations as rot
from .bvh import Bvh, parse_bvh
from .motion import Motion
from .retarget import correcting_turns
from .skeleton import MODEL

UNITS_PER_METRE = 100.0  # as most BVH files have it
# The model's world has Z up and faces -Y.
_FILE_FROM_WORLD = rot.from_rotation_vector(np.array([-np.pi / 2, 0.0, 0.0]))
_CHANNELS = "Zrotation Xrotation Yrotation"
_ORDER = "YXZ"  # the last one named turns first


def skeleton_bvh(motion: Motion, body_scale: float = 1.0) -> Bvh:
    """The model, body_scale times its size, moving as a motion (F, J, 3) in metres; its bone lengths stay the same."""
    offsets = UNITS_PER_METRE * body_scale * rot.rotate(_FILE_FROM_WORLD, MODEL.offsets)
    root = UNITS_PER_METRE * rot.rotate(_FILE_FROM_WORLD, motion.positions[:, 0])
    columns = [root, *(np.degrees(angles) for angles in _joint_angles(motion.positions))]
    rows = np.concatenate(columns, axis=1)
    lines = ["HIERARCHY", *_joint_lines(0, offsets, 0), "MOTION", f"Frames: {len(rows)}"]
    lines += [f"Frame Time: {1.0 / motion.fps:.8f}", *(" ".join(f"{v:.6f}" for v in row) for row in rows)]
    return parse_bvh("\n".join(lines) + "\n", "estimated motion")


def _joint_angles(positions: np.ndarray) -> list[np.ndarray]:
    """Angles (F, 3) in radians of every joint with children, in the channels' order, depth first."""
    rest = np.broadcast_to(MODEL.rest_positions, positions.shape)
    world = correcting_turns(rest, positions, np.ones(len(MODEL), bool))
    turned = rot.multiply(rot.multiply(_FILE_FROM_WORLD, world), rot.inverse(_FILE_FROM_WORLD))
    angles = []
    for joint in _depth_first(0):
        parent = MODEL.parents[joint]
        local = turned[:, joint] if parent < 0 else rot.multiply(rot.inverse(turned[:, parent]), turned[:, joint])
        euler = rot.continuous_euler(rot.to_euler(local, _ORDER), _ORDER)
        angles.append(euler[:, [2, 0, 1]])
    return angles


def _children(joint: int) -> list[int]:
    return [child for child, parent in enumerate(MODEL.parents) if parent == joint]


def _depth_first(joint: int) -> list[int]:
    """The joint and all below it that have children, as the file lists them."""
    below = [found for child in _children(joint) for found in _depth_first(child)]
    return [joint, *below] if _children(joint) else []


def _joint_lines(joint: int, offsets: np.ndarray, depth: int) -> list[str]:
    """The joint's block in a HIERARCHY; a joint without children is the End Site of its parent."""
    tab, inner = "\t" * depth, "\t" * (depth + 1)
    offset = "OFFSET " + " ".join(f"{value:.6f}" for value in offsets[joint])
    if not _children(joint):
        return [f"{tab}End Site", f"{tab}{{", f"{inner}{offset}", f"{tab}}}"]
    head = f"{tab}{'JOINT' if depth else 'ROOT'} {MODEL.names[joint]}"
    positions = "" if depth else "Xposition Yposition Zposition "
    count = 3 if depth else 6
    lines = [head, f"{tab}{{", f"{inner}{offset}", f"{inner}CHANNELS {count} {positions}{_CHANNELS}"]
    for child in _children(joint):
        lines += _joint_lines(child, offsets, depth + 1)
    return [*lines, f"{tab}}}"]
