"""A rig's take onto the model skeleton, and changed model positions back onto the rig's bones.

Only differences travel back: what the model does not show (twist, hands, bones without a joint, proportions) stays in
the rig. Where the model's positions did not change, neither does the rig.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..errors import MappingError
from . import normalise
from . import rotations as rot
from .mapping import Mapping
from .motion import Motion
from .rig import RigTake, carriers, rest_from_parent, world_matrices
from .skeleton import JOINTS, MODEL

_TORSO_CHILDREN = {
    MODEL.index("pelvis"): MODEL.indices("spine", "left_hip", "right_hip"),
    MODEL.index("chest"): MODEL.indices("neck", "left_collar", "right_collar"),
}
_CHEST, _SHOULDERS = MODEL.index("chest"), MODEL.indices("left_shoulder", "right_shoulder")
_ONLY_CHILD = {
    parent: MODEL.parents.index(parent)
    for parent in set(MODEL.parents)
    if MODEL.parents.count(parent) == 1 and parent >= 0
}


@dataclass(frozen=True)
class Residual:
    """What the model's positions leave out of a take, so that rig to model to rig is exact."""

    take: RigTake  # in a world where its rest pose stands
    world_from_armature: np.ndarray  # (4, 4) as it really is
    bones: np.ndarray  # (J,) bone index of each joint, -1 where the rig has none
    rotations: np.ndarray  # (F, B, 4) bones in world space
    heads: np.ndarray  # (F, B, 3) world
    positions: np.ndarray  # (F, J, 3) of the model, before any change
    visible: np.ndarray  # (J,) joints that the rig measures
    scale: float  # model metres per world metre


def to_model(take: RigTake, mapping: Mapping) -> tuple[Motion, Residual]:
    """The take as a motion of the model skeleton, (F, J, 3) metres; raises MappingError without hips and legs."""
    bones = _joint_bones(take, mapping)
    lying, take = take, _upright(take, bones)
    world = world_matrices(take)
    world_rotations, heads = rot.from_matrix(unscaled(world[..., :3, :3])), world[..., :3, 3]
    track = _body_track(take, bones, world_rotations, heads)
    positions, visible = normalise.model_positions(track), normalise.visible_joints(track.known)
    residual = Residual(take, lying.world_from_armature, bones, world_rotations, heads, positions, visible, track.scale)
    return Motion(positions, np.tile(visible, (len(positions), 1)), take.fps), residual


def _joint_bones(take: RigTake, mapping: Mapping) -> np.ndarray:
    index = {name: i for i, name in enumerate(take.names)}
    chosen = [mapping.joints[joint] for joint in JOINTS]
    bones = np.array([index.get(entry.bone, -1) if entry else -1 for entry in chosen])
    for joint in normalise.REQUIRED:
        if bones[JOINTS.index(joint)] < 0:
            name = joint.replace("_", " ")
            raise MappingError(f"No bone is mapped to the {name}: set it under PADS > Rig > Bones.")
    return bones


def _upright(take: RigTake, bones: np.ndarray) -> RigTake:
    """The take in a world where its rest pose stands: files with another up axis lie on their back in Blender."""
    alignment = _rest_alignment(take, bones)
    if alignment is None:
        return take
    up, vertical = rot.rotate(alignment, np.array([0.0, 0.0, 1.0])), np.array([0.0, 0.0, 1.0])
    if up @ vertical > np.cos(np.radians(45.0)):
        return take
    world = np.eye(4)
    world[:3, :3] = rot.to_matrix(rot.swing_between(up, vertical))
    return replace(take, world_from_armature=world @ take.world_from_armature)


def _rest_alignment(take: RigTake, bones: np.ndarray) -> np.ndarray | None:
    """Rotation (4,) from the model's rest axes to the rig's in the world; None where its rest pose is not human."""
    alignment = normalise.rest_alignment(take.rest[bones, :3, 3], bones >= 0)
    world = rot.from_matrix(unscaled(take.world_from_armature[:3, :3]))
    return None if alignment is None else rot.multiply(world, alignment)


def unscaled(matrices: np.ndarray) -> np.ndarray:
    """Rotation part (..., 3, 3) of matrices with uniform scale."""
    length = np.linalg.norm(matrices, axis=-2, keepdims=True)
    return matrices / np.maximum(length, 1e-12)


def _body_track(take: RigTake, bones: np.ndarray, world: np.ndarray, heads: np.ndarray) -> normalise.BodyTrack:
    known = bones >= 0
    rest = take.world_from_armature @ take.rest
    rest_heads = rest[bones, :3, 3]
    length = normalise.leg_length(rest_heads)
    if not length > 1e-6:
        raise MappingError("The mapped legs have no length: check hip, knee and ankle under PADS > Rig > Bones.")
    positions, turned = heads[:, bones], world[:, bones]
    alignment = _rest_alignment(take, bones)
    if alignment is None:
        reference = _reference_from_motion(positions, turned, known)
    else:
        reference = rot.multiply(rot.inverse(rot.from_matrix(unscaled(rest[bones, :3, :3]))), alignment)
    return normalise.BodyTrack(positions, rot.multiply(turned, reference), known, length)


def _reference_from_motion(positions: np.ndarray, turned: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Bone from model axes (J, 4) for a rig whose rest pose is nothing human: as hips and shoulders lie on average."""
    pelvis, chest = normalise.torso_frames(positions, known)
    upper = np.array([not name.endswith(("pelvis", "hip", "knee", "ankle", "toe")) for name in JOINTS])
    frames = np.where(upper[None, :, None], chest[:, None], pelvis[:, None])
    return rot.mean_rotation(rot.multiply(rot.inverse(turned), frames))


def apply_motion(
    residual: Residual, positions: np.ndarray, twists: np.ndarray | None = None, held: np.ndarray | None = None
) -> RigTake:
    """The take with its bones turned so that the joints lie where `positions` (F, J, 3) say, in model space.

    Bone lengths, unmapped bones and twist stay; twists (F, J) in radians are added about the mapped bones' segments.
    held (B,) bool: bones whose own rotation stays; those that hang on them turn as if they had followed.
    """
    take = residual.take
    turns = correcting_turns(residual.positions, positions, residual.visible)
    turned = rot.multiply(turns, residual.rotations[:, residual.bones])
    if twists is not None:
        turned = rot.multiply(rot.from_rotation_vector(twists[..., None] * segment_axes(positions)), turned)
    leads = [joint for joint in range(len(JOINTS)) if _children(joint, residual.visible)]  # ends follow their parent
    free = residual.bones >= 0 if held is None else (residual.bones >= 0) & ~held[residual.bones]
    world = {int(residual.bones[joint]): turned[:, joint] for joint in leads if free[joint]}
    rotation = _local_rotations(residual, world)
    location = take.location.copy()
    pelvis = int(residual.bones[0])
    location[:, pelvis] += _travel(residual, positions, turns[:, 0], pelvis)
    return replace(take, rotation=rotation, location=location, world_from_armature=residual.world_from_armature)


def segment_axes(positions: np.ndarray) -> np.ndarray:
    """Unit vector (F, J, 3) of each joint's segment to its only child, zero where it has none or several."""
    axes = np.zeros_like(positions)
    for parent, child in _ONLY_CHILD.items():
        axes[:, parent] = rot.unit(positions[:, child] - positions[:, parent])
    return axes


def correcting_turns(old: np.ndarray, new: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """World rotation (F, J, 4) of each joint's segment from the old to the new model positions (F, J, 3).

    Pelvis and chest turn as a body; a segment between two joints swings with its parent and then by the smallest angle.
    """
    turns = np.empty((*old.shape[:-1], 4))
    for joint, parent in enumerate(MODEL.parents):
        carried = turns[:, parent] if parent >= 0 else np.broadcast_to(rot.IDENTITY, turns[:, 0].shape)
        turns[:, joint] = _turn_of(joint, old, new, visible, carried)
    return turns


def _children(joint: int, visible: np.ndarray) -> list[int]:
    """The joints whose places turn this one; shoulders turn the chest only where they have no collar bones to turn."""
    children = [c for c in _TORSO_CHILDREN.get(joint, [_ONLY_CHILD.get(joint, -1)]) if c >= 0 and visible[c]]
    shoulders = [s for s in _SHOULDERS if visible[s]] if joint == _CHEST and len(children) < 3 else []
    return children + shoulders


def _turn_of(joint: int, old: np.ndarray, new: np.ndarray, visible: np.ndarray, carried: np.ndarray) -> np.ndarray:
    children = _children(joint, visible)
    if not visible[joint] or not children:
        return carried
    before, after = (p[:, children] - p[:, joint : joint + 1] for p in (old, new))
    if len(children) > 1:
        same = np.abs(after - before).max(axis=(1, 2)) < 1e-12
        return np.where(same[:, None], rot.IDENTITY, rot.best_rotation(before, after))
    moved = rot.rotate(carried, before[:, 0])
    return rot.multiply(rot.swing_between(moved, after[:, 0]), carried)


def _local_rotations(residual: Residual, world: dict[int, np.ndarray]) -> np.ndarray:
    """Basis rotations (F, B, 4) that put the given bones into these world rotations; other bones keep their own."""
    take = residual.take
    rest = rot.from_matrix(unscaled(rest_from_parent(take)[:, :3, :3]))
    base = rot.from_matrix(unscaled(take.world_from_armature[:3, :3]))
    rotation, turned = take.rotation.copy(), np.empty_like(take.rotation)
    for bone in np.flatnonzero(carriers(take.parents, np.array(list(world), int))).tolist():
        parent = take.parents[bone]
        frame = rot.multiply(base if parent < 0 else turned[:, parent], rest[bone])
        if bone in world:
            rotation[:, bone] = rot.multiply(rot.inverse(frame), world[bone])
        turned[:, bone] = rot.multiply(frame, rotation[:, bone])
    sign = np.where(np.sum(rotation * take.rotation, axis=-1, keepdims=True) < 0, -1.0, 1.0)
    return sign * rotation


def _travel(residual: Residual, positions: np.ndarray, turn: np.ndarray, pelvis: int) -> np.ndarray:
    """Change (F, 3) of the pelvis bone's location channels, so that the middle of the hips goes where it should."""
    hips = residual.bones[normalise.HIPS]
    centre = residual.heads[:, hips].mean(axis=1)
    moved = (positions - residual.positions)[:, normalise.HIPS].mean(axis=1) / residual.scale
    arm = centre - residual.heads[:, pelvis]
    return _location_change(residual.take, pelvis, moved + arm - rot.rotate(turn, arm))


def _location_change(take: RigTake, bone: int, delta: np.ndarray) -> np.ndarray:
    """Change (F, 3) of a bone's location channels that moves it by delta (F, 3) in the world."""
    parent, rest = take.parents[bone], rest_from_parent(take)[bone, :3, :3]
    parent_world = take.world_from_armature if parent < 0 else world_matrices(take, np.array([parent]))[:, 0]
    return np.linalg.solve(parent_world[..., :3, :3] @ rest, delta[..., None])[..., 0]


def joint_rotations(residual: Residual, take: RigTake) -> np.ndarray:
    """World rotations (F, J, 4) of the joints' bones in a take of the same rig; of a joint without one, meaningless."""
    return rot.from_matrix(unscaled(world_matrices(_standing(residual, take), residual.bones)[..., :3, :3]))


def _standing(residual: Residual, take: RigTake) -> RigTake:
    """The take in the residual's world, where its rest pose stands."""
    return replace(take, world_from_armature=residual.take.world_from_armature)


def rig_positions(residual: Residual, take: RigTake) -> np.ndarray:
    """Heads (F, J, 3) of the joints' bones in a take of the same rig, on its own proportions, in the model's metres.

    The rest pose stands upright there. Of a joint without a bone, meaningless.
    """
    return residual.scale * world_matrices(_standing(residual, take), residual.bones)[..., :3, 3]


def turn_bones(residual: Residual, take: RigTake, turns: dict[int, np.ndarray], shift: np.ndarray) -> RigTake:
    """A take of the same rig with the bones of some joints turned (F, 4) in the world, and its pelvis moved (F, 3).

    turns: joint -> rotation; joints without a bone are passed over. All other bones keep their own rotation. shift is
    in the model's metres.
    """
    frame = _standing(residual, take)
    now, bones = joint_rotations(residual, take), residual.bones
    world = {int(bones[j]): rot.multiply(turn, now[:, j]) for j, turn in turns.items() if bones[j] >= 0}
    rotation, location = _local_rotations(replace(residual, take=frame), world), take.location.copy()
    location[:, bones[0]] += _location_change(frame, int(bones[0]), shift / residual.scale)
    return replace(take, rotation=rotation, location=location)
