"""Values of F-curves in bulk against Blender's own evaluation, key by key."""

import bpy
import numpy as np
import pytest

from pads_blender.blender.curves import shift_values, values_at

FRAMES = np.arange(-20.0, 1020.0, 0.5)
# Blender solves the cubic in single precision; where a curve is steep, that shows in the fifth digit of its range.
OF_RANGE = 1e-4


@pytest.fixture
def add_curve():
    action = bpy.data.actions.new("Any")
    slot = action.slots.new("OBJECT", "Any")
    bag = action.layers.new("Layer").strips.new(type="KEYFRAME").channelbag(slot, ensure=True)

    def add(times, values, kinds, handles, rng):
        fcurve = bag.fcurves.new("location", index=len(bag.fcurves))
        fcurve.keyframe_points.add(len(times))
        fcurve.keyframe_points.foreach_set("co", np.stack([times, values], 1).ravel().astype(np.float32))
        for key in fcurve.keyframe_points:
            key.interpolation = str(rng.choice(kinds))
            key.handle_left_type = key.handle_right_type = str(rng.choice(handles))
        fcurve.update()
        for key in fcurve.keyframe_points:
            if key.handle_left_type == "FREE":  # long ones that overlap, too
                key.handle_left = (key.co[0] - rng.exponential(20.0), key.co[1] + rng.normal())
                key.handle_right = (key.co[0] + rng.exponential(20.0), key.co[1] + rng.normal())
        fcurve.update()
        return fcurve

    return add


@pytest.mark.parametrize(
    "kinds", [("BEZIER",), ("LINEAR", "CONSTANT"), ("BEZIER", "LINEAR", "CONSTANT", "SINE", "ELASTIC")]
)
@pytest.mark.parametrize("extrapolation", ["CONSTANT", "LINEAR"])
def test_values_are_blenders(add_curve, kinds, extrapolation):
    rng = np.random.default_rng(3)
    for number in range(12):
        step = 0.25 if number % 3 == 0 else 1.0
        times = np.sort(rng.choice(np.arange(0.0, 1000.0, step), rng.integers(1, 120), replace=False))
        values = rng.normal(size=len(times)) * 10 ** rng.uniform(-2, 2)
        fcurve = add_curve(times, values, kinds, ("AUTO", "AUTO_CLAMPED", "VECTOR", "FREE"), rng)
        fcurve.extrapolation = extrapolation
        expected = np.array([fcurve.evaluate(frame) for frame in FRAMES])
        np.testing.assert_allclose(values_at(fcurve, FRAMES), expected, atol=OF_RANGE * max(np.ptp(expected), 1e-3))


@pytest.mark.parametrize("modifier", ["CYCLES", "NOISE", "STEPPED"])
def test_modifiers_count_and_shifted_keys_shift_what_is_seen(add_curve, modifier):
    rng, times = np.random.default_rng(4), np.arange(0.0, 100.0, 5.0)
    fcurve = add_curve(times, rng.normal(size=20), ("BEZIER",), ("AUTO",), rng)
    fcurve.modifiers.new(modifier)
    before = values_at(fcurve, FRAMES)
    np.testing.assert_allclose(before, [fcurve.evaluate(frame) for frame in FRAMES], atol=1e-6)
    shift_values(fcurve, np.full(20, 0.5), np.ones(20, bool))
    np.testing.assert_allclose(values_at(fcurve, FRAMES), before + 0.5, atol=1e-5)


def test_a_single_key_holds_everywhere(add_curve):
    rng = np.random.default_rng(5)
    assert values_at(add_curve(np.array([3.0]), np.array([2.0]), ("BEZIER",), ("AUTO",), rng), FRAMES).tolist() == [
        2.0
    ] * len(FRAMES)
