"""Stand-ins: entries of a RigTake that are no bones of the rig but carry some, so that any rig reads as a plain tree.

One may stand for the armature object, above the roots, or for whatever lies between a mapped bone and the next mapped
one above it: constraints, drivers, other controls. What they do is kept as it is. Knows no bpy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from . import rotations as rot
from .rig import RigTake, basis_matrices, pose_matrices, rest_from_parent, transform_matrices


@dataclass(frozen=True)
class Channels:
    """Location (..., 3), rotation (..., 4) and scale (..., 3) of transforms."""

    location: np.ndarray
    rotation: np.ndarray
    scale: np.ndarray


def find_stand_ins(take: RigTake) -> np.ndarray:
    """Which entries (B,) bool are no bones of the rig."""
    return np.zeros(len(take.names), bool) if take.stand_in is None else take.stand_in


def split_matrices(matrices: np.ndarray) -> Channels:
    """Transforms (..., 4, 4) without shear as channels; mirroring ones have negative scale."""
    axes = matrices[..., :3, :3]
    length = np.linalg.norm(axes, axis=-2)
    scale = np.where(np.linalg.det(axes) < 0, -1.0, 1.0)[..., None] * np.maximum(length, 1e-12)
    return Channels(matrices[..., :3, 3], rot.from_matrix(axes / scale[..., None, :]), scale)


def path_channels(world_from_object: np.ndarray) -> Channels:
    """An object's own path (F, 4, 4) as the channels of an entry whose rest pose is the first frame."""
    path = split_matrices(np.linalg.inv(world_from_object[0]) @ world_from_object)
    return replace(path, rotation=rot.make_continuous(path.rotation))


def carry_by_object(
    take: RigTake, name: str, world_from_rest: np.ndarray, movable: bool, channels: Channels
) -> RigTake:
    """The take with the object's own path as an entry above its roots, at rest at world_from_rest (4, 4).

    channels (F, B + 1, ...): those of the path, see path_channels, and then the take's own.
    """
    is_movable = np.ones(len(take.names), bool) if take.movable is None else take.movable
    return replace(
        take,
        names=(name, *take.names),
        parents=np.concatenate([[-1], take.parents + 1]),
        rest=np.concatenate([np.eye(4)[None], take.rest]),
        location=channels.location,
        rotation=channels.rotation,
        scale=channels.scale,
        world_from_armature=world_from_rest,
        movable=np.concatenate([[movable], is_movable]),
        stand_in=np.concatenate([[True], find_stand_ins(take)]),
    )


def carry_by_frames(take: RigTake, pose: np.ndarray) -> RigTake:
    """The take, whose parents may be any tree, with a stand-in above each bone, so that it is posed as in pose.

    pose (F, B, 4, 4): the bones in armature space. The bones keep their channels.
    """
    above = pose @ np.linalg.inv(basis_matrices(take))  # what each bone's channels are laid upon
    carried = np.where((take.parents < 0)[:, None, None], np.eye(4), pose[:, take.parents])
    offsets = split_matrices(np.linalg.inv(carried @ rest_from_parent(take)) @ above)
    offsets = replace(offsets, rotation=rot.make_continuous(offsets.rotation))
    movable = np.ones(len(take.names), bool) if take.movable is None else take.movable
    bones = np.arange(len(take.names))
    return replace(
        take,
        names=tuple(name for bone in take.names for name in (f"{bone} (carried)", bone)),
        parents=_alternate(np.where(take.parents < 0, -1, 2 * take.parents + 1), 2 * bones, axis=0),
        rest=_alternate(take.rest, take.rest, axis=0),
        location=_alternate(offsets.location, take.location),
        rotation=_alternate(offsets.rotation, take.rotation),
        scale=_alternate(offsets.scale, take.scale),
        movable=_alternate(np.zeros(len(bones), bool), movable, axis=0),
        stand_in=_alternate(np.ones(len(bones), bool), np.zeros(len(bones), bool), axis=0),
    )


def _alternate(first: np.ndarray, second: np.ndarray, axis: int = 1) -> np.ndarray:
    """The entries of two arrays in turn along an axis."""
    both = np.stack([first, second], axis=axis + 1)
    return both.reshape(*first.shape[:axis], -1, *first.shape[axis + 1 :])


def aim(take: RigTake, wanted: np.ndarray, free: np.ndarray, scaled: np.ndarray | None = None) -> RigTake:
    """The take with the free bones (B,) bool turned, and moved where they are movable, to lie as wanted (F, B, 4, 4).

    wanted is in armature space. Entries that are not free keep their channels; scaled (B,) bool: those to scale.
    """
    local, pose = rest_from_parent(take), pose_matrices(take)
    own = basis_matrices(take)
    rotation, location, scale = take.rotation.copy(), take.location.copy(), take.scale.copy()
    for bone, parent in enumerate(take.parents):
        frame = np.broadcast_to(local[bone], pose[:, bone].shape) if parent < 0 else pose[:, parent] @ local[bone]
        if free[bone]:
            aimed = split_matrices(np.linalg.inv(frame) @ wanted[:, bone])
            sign = np.where(np.sum(aimed.rotation * rotation[:, bone], axis=-1) < 0, -1.0, 1.0)
            rotation[:, bone] = sign[:, None] * aimed.rotation
            if take.movable is None or take.movable[bone]:
                location[:, bone] = aimed.location
            if scaled is not None and scaled[bone]:
                scale[:, bone] = aimed.scale
            own[:, bone] = transform_matrices(location[:, bone], rotation[:, bone], scale[:, bone])
        pose[:, bone] = frame @ own[:, bone]
    return replace(take, rotation=rotation, location=location, scale=scale)
