import numpy as np
import pytest

from pads_blender.core import rotations as rot
from pads_blender.core.bvh import parse_bvh, world_positions
from pads_blender.core.motion import Motion
from pads_blender.core.skeleton import MODEL, forward_positions
from pads_blender.core.skeleton_bvh import skeleton_bvh


def moving(frames: int = 12) -> Motion:
    """The model with every joint turning a little further than the one above."""
    rng = np.random.default_rng(3)
    turns = np.cumsum(0.06 * rng.standard_normal((frames, len(MODEL), 3)), axis=0)
    parents = np.maximum(MODEL.parents, 0)
    segments = rot.rotate(rot.from_rotation_vector(turns), MODEL.offsets[None])
    for joint in MODEL.indices("left_hip", "right_hip", "left_collar", "right_collar", "neck", "spine"):
        segments[:, joint] = rot.rotate(rot.from_rotation_vector(turns[:, parents[joint]]), MODEL.offsets[joint])
    segments[:, 0] = [0.3, -0.2, 0.9]
    segments[:, 0, 1] -= 0.02 * np.arange(frames)
    positions = forward_positions(MODEL.parents, segments)
    return Motion(positions, np.ones(positions.shape[:2], bool), 30.0)


def places(bvh) -> dict[str, np.ndarray]:
    """World positions in the model's axes and metres, by joint."""
    found = world_positions(bvh) / 100.0
    return dict(zip(bvh.names, np.stack([found[..., 0], -found[..., 2], found[..., 1]], axis=-1).swapaxes(0, 1),
                    strict=True))  # fmt: skip


def test_joints_are_where_the_motion_has_them():
    motion = moving()
    bvh = skeleton_bvh(motion)
    found = places(bvh)
    assert len(found) == len(MODEL) - 5  # head top, wrists and toes are ends
    for name, positions in found.items():
        assert positions == pytest.approx(motion.positions[:, MODEL.index(name)], abs=2e-5), name
    assert 1.0 / bvh.frame_time == pytest.approx(30.0)


def test_ends_keep_their_length_and_the_text_can_be_read_again():
    bvh = skeleton_bvh(moving())
    again = parse_bvh(bvh.header + "".join(bvh.rows))
    assert again.names == bvh.names and again.motion == pytest.approx(bvh.motion)
    toes = bvh.ends[bvh.names.index("left_ankle")]
    assert np.linalg.norm(toes) == pytest.approx(
        100.0 * np.linalg.norm(MODEL.offsets[MODEL.index("left_toe")]), abs=1e-4
    )


def test_a_larger_body_is_larger():
    motion = moving()
    large = Motion(1.1 * motion.positions, motion.visible, 30.0)
    found = places(skeleton_bvh(large, 1.1))
    assert found["left_knee"] == pytest.approx(1.1 * motion.positions[:, MODEL.index("left_knee")], abs=2e-5)
