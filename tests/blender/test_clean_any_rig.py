"""Clean from end to end on rigs whose motion is not all in the keys of their bones."""

import numpy as np
import pytest

from pads_blender.blender.clean import clean_armature
from pads_blender.blender.compat import find_channelbag
from pads_blender.blender.evaluated_reader import is_evaluated
from pads_blender.blender.rig_reader import object_entry
from pads_blender.blender.rig_writer import write_take
from pads_blender.core.stand_ins import find_stand_ins
from pads_blender.diffusion.prior import load_prior
from pads_blender.tasks.clean import CleanSettings

from .posing import assert_same_pose, bones_of, posed, poses_of


@pytest.fixture(scope="module")
def prior():
    return load_prior("motion", threads=1)


def roughness(poses):
    return float(np.abs(np.diff(poses[..., :3, 3], 3, axis=0)).mean())


def clean(armature, prior):
    """Cleaned and written; the take, and how much rougher it was before. Centimetres."""
    cleaned = clean_armature(armature, CleanSettings(), prior)
    names = bones_of(cleaned.before)
    was = posed(armature, names, cleaned.before.frames)
    written = write_take(armature, cleaned.before, cleaned.after)
    now = posed(armature, names, cleaned.before.frames)
    assert_same_pose(now, poses_of(cleaned.after), metres=1e-3)
    return cleaned, written, roughness(was) / roughness(now)


def test_jitter_of_a_constrained_rig(armature, prior):
    armature.data.bones["LeftArm"].use_inherit_rotation = False
    cleaned, _, calmer = clean(armature, prior)
    stand_in = find_stand_ins(cleaned.before)
    assert is_evaluated(cleaned.before)
    for name in ("location", "rotation", "scale"):
        before, after = (getattr(take, name)[:, stand_in] for take in (cleaned.before, cleaned.after))
        np.testing.assert_array_equal(before, after)
    assert calmer > 10.0


def test_jitter_of_travel_on_the_object(armature, prior):
    """Hips whose travel some tools put on the armature object: the object gets the new keys."""
    bag = find_channelbag(armature.animation_data.action, armature.animation_data.action_slot)
    hips = armature.pose.bones["Hips"]
    found = [bag.fcurves.find(hips.path_from_id("location"), index=index) for index in range(3)]
    path = np.array([[key.co[1] for key in fcurve.keyframe_points] for fcurve in found]).T
    for fcurve in found:
        bag.fcurves.remove(fcurve)
    axes = np.array(armature.matrix_world)[:3, :3] @ np.array(hips.bone.matrix_local)[:3, :3]
    for frame, place in enumerate(path @ axes.T, 1):
        armature.location, hips.location = place, (0.0, 0.0, 0.0)
        armature.keyframe_insert("location", frame=frame)
    _, written, calmer = clean(armature, prior)
    assert object_entry(armature) in written.keyed_bones
    assert calmer > 10.0
