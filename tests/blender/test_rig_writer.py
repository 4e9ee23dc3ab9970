"""What the writer leaves on the armature, read back by Blender itself; and what it never touches."""

import time
from dataclasses import replace

import bpy
import numpy as np
import pytest

from pads_blender.blender import curves
from pads_blender.blender.compat import find_channelbag
from pads_blender.blender.rig_reader import read_take
from pads_blender.blender.rig_writer import toggle_original, write_take
from pads_blender.core.rig import find_changes, pose_matrices
from pads_blender.core.rotations import angle_between, from_rotation_vector, multiply
from pads_blender.errors import TakeError

FRAMES = np.arange(1.0, 31.0)
ATTRIBUTES = ("co", "handle_left", "handle_right", "interpolation", "easing", "type", "period")


def fcurves_of(armature, action=None):
    animation = armature.animation_data
    slot = next(s for s in (action or animation.action).slots if s.handle == animation.action_slot.handle)
    return find_channelbag(action or animation.action, slot).fcurves


def snapshot(fcurves):
    """Everything an F-curve holds, to compare exactly."""
    return {
        (fcurve.data_path, fcurve.array_index): (
            [
                tuple(value) if hasattr(value := getattr(key, name), "__len__") else value
                for key in fcurve.keyframe_points
                for name in ATTRIBUTES
            ],
            [fcurve.mute, fcurve.lock, fcurve.extrapolation, fcurve.group.name],
            [modifier.type for modifier in fcurve.modifiers],
        )
        for fcurve in fcurves
    }


def turned(take, bones, rows, amount=0.3, seed=1):
    """The take with random turns of these bones in these rows."""
    rng = np.random.default_rng(seed)
    rotation = take.rotation.copy()
    for bone in bones:
        number = take.names.index(bone)
        turns = from_rotation_vector(rng.normal(size=(len(take.frames[rows]), 3)) * amount)
        rotation[rows, number] = multiply(turns, rotation[rows, number])
    return replace(take, rotation=rotation)


def test_the_new_action_has_the_new_motion_and_the_original_keeps_every_key(build_rig, key_rig, evaluated_matrices):
    armature = build_rig()
    original = key_rig(armature, FRAMES)
    take, before = read_take(armature), snapshot(fcurves_of(armature))
    rows = slice(10, 21)
    after = turned(take, take.names, rows)
    location = after.location.copy()
    location[rows, 0] += [0.1, 0.2, 0.3]
    after = replace(after, location=location)
    written = write_take(armature, take, after)

    cleaned = armature.animation_data.action
    assert written.action == cleaned.name == "Walk.pads" and written.original == "Walk"
    assert written.keyed_bones == take.names and written.locked_bones == ()
    assert original.use_fake_user and not cleaned.use_fake_user
    assert snapshot(fcurves_of(armature, original)) == before
    assert angle_between(read_take(armature).rotation, after.rotation).max() < 2e-6
    np.testing.assert_allclose(evaluated_matrices(armature, FRAMES), pose_matrices(after), atol=2e-5)


def test_only_changed_bones_and_frames_get_other_keys(build_rig, key_rig):
    armature = build_rig()
    key_rig(armature, FRAMES, interpolation="BEZIER")
    take, before = read_take(armature), snapshot(fcurves_of(armature))
    write_take(armature, take, turned(take, ["leg"], slice(10, 12)))
    after = snapshot(fcurves_of(armature))
    changed = [key for key in before if before[key] != after[key]]
    assert changed == [('pose.bones["leg"].rotation_euler', index) for index in range(3)]
    for index in range(3):
        keys = fcurves_of(armature).find('pose.bones["leg"].rotation_euler', index=index).keyframe_points
        assert [key.co[0] for key in keys] == FRAMES.tolist()
        assert [key.co[0] for key in keys if key.type == "GENERATED"] == [11.0, 12.0]
        points = [key.co[1] for key in keys]
        expected = [value[1] for value in before[changed[index]][0][:: len(ATTRIBUTES)]]
        assert points[:10] == expected[:10] and points[12:] == expected[12:] and points[10:12] != expected[10:12]


def test_nothing_changed_gives_the_same_curves(build_rig, key_rig):
    armature = build_rig()
    key_rig(armature, FRAMES)
    take, before = read_take(armature), snapshot(fcurves_of(armature))
    written = write_take(armature, take, take)
    assert written.keyed_bones == ()
    assert armature.animation_data.action.name == "Walk.pads"
    assert snapshot(fcurves_of(armature)) == before


def test_angles_and_signs_go_on_smoothly(build_rig, key_rig):
    """Turns of several rounds and quaternions of either sign and any length must not be folded back."""
    armature = build_rig()
    key_rig(armature, FRAMES)
    for fcurve in fcurves_of(armature):
        if "rotation_euler" in fcurve.data_path:
            bone = armature.path_resolve(fcurve.data_path.rpartition(".")[0])
            is_first = "XYZ"[fcurve.array_index] == bone.rotation_mode[0]
            values = np.linspace(0, 25, 30) if is_first else np.linspace(0.1, 0.4, 30)
        elif "rotation_quaternion" in fcurve.data_path:
            values = -2.0 * np.array([np.cos, np.sin, lambda t: 0 * t, lambda t: 0 * t][fcurve.array_index](FRAMES / 9))
        else:
            continue
        for key, value in zip(fcurve.keyframe_points, values, strict=True):
            key.co[1] = value
        fcurve.update()
    take = read_take(armature)
    values = {key: np.array(data[0][:: len(ATTRIBUTES)])[:, 1] for key, data in snapshot(fcurves_of(armature)).items()}
    write_take(armature, take, turned(take, take.names, slice(5, 25), amount=0.01))
    for key, data in snapshot(fcurves_of(armature)).items():
        if "rotation_euler" in key[0] or "rotation_quaternion" in key[0]:
            np.testing.assert_allclose(np.array(data[0][:: len(ATTRIBUTES)])[:, 1], values[key], atol=0.15)


def test_locked_and_muted_curves_are_left_alone(build_rig, key_rig):
    armature = build_rig()
    key_rig(armature, FRAMES)
    fcurves = fcurves_of(armature)
    fcurves.find('pose.bones["leg"].rotation_euler', index=1).lock = True
    fcurves.find('pose.bones["foot"].rotation_euler', index=0).group.lock = True
    fcurves.find('pose.bones["root"].rotation_quaternion', index=0).mute = True
    take, before = read_take(armature), snapshot(fcurves)
    written = write_take(armature, take, turned(take, ["root", "leg", "foot", "hand"], slice(None)))
    assert written.keyed_bones == ("hand",)
    assert written.locked_bones == ("root", "leg", "foot")
    after = snapshot(fcurves_of(armature))
    assert {key[0] for key in before if before[key] != after[key]} == {'pose.bones["hand"].rotation_euler'}


def test_keys_between_frames_take_their_share(build_rig, key_rig):
    armature = build_rig()
    key_rig(armature, np.arange(1.0, 12.0, 0.5))
    take = read_take(armature)
    hand = take.names.index("hand")
    rotation = take.rotation.copy()
    rotation[5, hand] = multiply(from_rotation_vector(np.array([0.2, 0, 0])), rotation[5, hand])  # frame 6
    write_take(armature, take, replace(take, rotation=rotation))
    keys = fcurves_of(armature).find('pose.bones["hand"].rotation_euler', index=0).keyframe_points
    assert [key.co[0] for key in keys] == np.arange(1.0, 12.0, 0.5).tolist()
    assert [key.co[0] for key in keys if key.type == "GENERATED"] == [5.5, 6.0, 6.5]
    assert angle_between(read_take(armature).rotation, rotation).max() < 2e-6


def test_a_bone_without_keys_gets_some_when_it_has_to_move(build_rig, key_rig, evaluated_matrices):
    armature = build_rig()
    key_rig(armature, FRAMES, properties=("rotation",))
    fcurves = fcurves_of(armature)
    for index in range(3):
        fcurves.remove(fcurves.find('pose.bones["leg"].rotation_euler', index=index))
    fcurves.remove(fcurves.find('pose.bones["foot"].rotation_euler', index=1))
    armature.pose.bones["leg"].rotation_euler = (0.3, 0.2, 0.1)
    take = read_take(armature)
    after = turned(take, ["leg", "foot"], slice(3, 9))
    written = write_take(armature, take, after)
    assert written.keyed_bones == ("leg", "foot")
    curve = fcurves_of(armature).find('pose.bones["leg"].rotation_euler', index=2)
    assert curve.group.name == "leg"
    np.testing.assert_allclose(evaluated_matrices(armature, FRAMES), pose_matrices(after), atol=2e-5)


def test_cycles_stay_closed(build_rig, key_rig):
    """A walk that loops: in place by its bones, forwards by its root; no jerk where it begins anew."""
    armature = build_rig()
    key_rig(armature, FRAMES)
    for fcurve in fcurves_of(armature):
        travels = fcurve.data_path == 'pose.bones["root"].location'
        fcurve.modifiers.new("CYCLES").mode_after = "REPEAT_OFFSET" if travels else "REPEAT"
        if not travels:
            fcurve.keyframe_points[-1].co[1] = fcurve.keyframe_points[0].co[1]
            fcurve.update()
    take = read_take(armature)
    travel = take.location[-1, 0] - take.location[0, 0]
    after = turned(take, take.names, slice(None), amount=0.05)
    location = after.location + np.random.default_rng(2).normal(0.0, 0.1, (30, 1, 3))
    write_take(armature, take, replace(after, location=location))
    written = read_take(armature)
    assert angle_between(written.rotation[0], written.rotation[-1]).max() < 1e-5
    np.testing.assert_allclose(written.location[-1, 0] - written.location[0, 0], travel, atol=1e-5)
    assert angle_between(written.rotation[8:-8], after.rotation[8:-8]).max() < 2e-6
    assert all(len(fcurve.modifiers) == 1 for fcurve in fcurves_of(armature))


def test_compare_goes_back_and_forth(build_rig, key_rig):
    armature = build_rig()
    key_rig(armature, FRAMES)
    with pytest.raises(TakeError, match="no cleaned action"):
        toggle_original(armature)
    take = read_take(armature)
    after = turned(take, ["hand"], slice(None))
    write_take(armature, take, after)
    assert toggle_original(armature) == "Walk"
    np.testing.assert_array_equal(read_take(armature).rotation, take.rotation)
    assert toggle_original(armature) == "Walk.pads"
    assert angle_between(read_take(armature).rotation, after.rotation).max() < 2e-6
    toggle_original(armature)
    write_take(armature, take, turned(take, ["foot"], slice(None)))
    assert armature.animation_data.action.name == "Walk.pads.001"
    toggle_original(armature)
    assert toggle_original(armature) == "Walk.pads.001"  # the newest


def test_the_original_survives_saving(build_rig, key_rig, tmp_path):
    armature = build_rig()
    key_rig(armature, FRAMES)
    take = read_take(armature)
    write_take(armature, take, turned(take, ["hand"], slice(None)))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "saved.blend"))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "saved.blend"))
    assert toggle_original(bpy.data.objects["Rig"]) == "Walk"
    np.testing.assert_array_equal(read_take(bpy.data.objects["Rig"]).rotation, take.rotation)


def test_other_users_of_the_action_keep_it(build_rig, key_rig):
    armature, other = build_rig(), build_rig(name="Other")
    action = key_rig(armature, FRAMES)
    animation = other.animation_data_create()
    animation.action, animation.action_slot = action, action.slots[0]
    take = read_take(armature)
    write_take(armature, take, turned(take, ["hand"], slice(None)))
    assert animation.action == action
    np.testing.assert_array_equal(read_take(other).rotation, take.rotation)


def test_a_failure_leaves_nothing_behind(build_rig, key_rig, monkeypatch):
    armature = build_rig()
    action = key_rig(armature, FRAMES)
    take, before = read_take(armature), snapshot(fcurves_of(armature))
    real = curves.shift_values

    def fail_at_foot(fcurve, shift, changed):
        if "foot" in fcurve.data_path:
            raise MemoryError
        real(fcurve, shift, changed)

    monkeypatch.setattr(curves, "shift_values", fail_at_foot)
    with pytest.raises(MemoryError):
        write_take(armature, take, turned(take, take.names, slice(None)))
    assert armature.animation_data.action == action and not action.use_fake_user
    assert list(bpy.data.actions) == [action]
    assert snapshot(fcurves_of(armature)) == before


@pytest.mark.parametrize("name", ["rotation", "location", "scale"])
def test_a_result_that_is_no_number_anywhere_is_refused(build_rig, key_rig, name):
    armature = build_rig()
    original = key_rig(armature, FRAMES)
    take = read_take(armature)
    values = getattr(take, name).copy()
    values[7, 0] = np.nan
    with pytest.raises(TakeError, match="not numbers"):
        write_take(armature, take, replace(take, **{name: values}))
    assert list(bpy.data.actions) == [original] and armature.animation_data.action == original


def test_a_long_take_writes_fast_and_in_linear_time(build_rig, chain, key_rig):
    armature = build_rig(chain(60))
    seconds = []
    for frames in (3000, 12000):
        key_rig(armature, np.arange(1.0, frames + 1), properties=("rotation",))
        take = read_take(armature)
        after = turned(take, take.names, slice(None))
        started = time.process_time()
        write_take(armature, take, after)
        seconds.append(time.process_time() - started)
        assert not find_changes(after, replace(read_take(armature), rotation=after.rotation)).location.any()
        assert angle_between(read_take(armature).rotation, after.rotation).max() < 2e-6
    assert seconds[0] < 2.0
    assert seconds[1] < 4 * seconds[0] * 2 + 0.2  # four times the frames; caches and memory take their share
