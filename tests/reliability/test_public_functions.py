"""Every public function of the tasks and of the geometry is found and asked: no NaN becomes a number silently.

What buttons call refuses a take that is none in a sentence. What works below them raises, or hands on what is no
number, or is named here with the reason why it need not. A new function that is neither tried nor named makes this
fail.
"""

from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest

from pads_blender.core.motion import Motion
from pads_blender.core.rig import RigTake
from pads_blender.errors import TakeError
from pads_blender.tasks.kept import Kept

from .public_functions import FRAMES, example, public_functions
from .test_numbers import SPOIL

_WHERE = "says where or whether something is so, of takes that its task has checked"
_ROBUST = "a robust statistic that what is none has no part in, of takes that its task has checked"
_SHOTS = "takes the points of a film, in which NaN is what was not seen: tests/tasks/test_estimate*.py"
_POSES = "takes poses of the model: rig_poses.py checks them, and test_numbers.py that it does"
_COUNTS = "takes no arrays of numbers"
_BODY = "asked about a rest pose or of whole poses, by retarget.to_model alone, whose takes are checked"
_TRAINING = "a measure of training/ on sequences of its own"
_REASONS = {
    _WHERE: "complete.frames_between complete.hidden_joints complete.hidden_rows contacts.find_contacts"
    " contacts.find_resting evidence.find_outlying feet.find_freedom feet.find_rig_contacts held.is_cut"
    " like_poses.find_gaps locations.find_moved_limbs pops.find_end_leaps pops.find_pops pops.find_rotation_leaps"
    " pops.find_rotation_pops pops.keep_short repair.find_lost_bones running.close_gaps running.find_runs"
    " samples.frames_to_evidence scope.keep_left_out scope.keep_unbroken swaps.swapped_rows rig.find_changes"
    " rig.find_bone_changes"
    " stand_ins.find_stand_ins noise.free_components kept.kept_joints complete.fill_noise",
    _ROBUST: "evidence.joint_levels feet.needed_share feet.steady_feet feet.steady_rig_feet legs.lock_legs"
    " like_poses.recall_hidden noise.estimate_noise noise.local_noise pops.leap_scores pops.rotation_leap_scores"
    " running.running_median sliding.penetration_scores temporal.smooth_evenly windows.denoise_windows"
    " complete.bridge_rotations samples.draw samples.enliven samples.posterior_spread",
    _SHOTS: "estimate.as_view estimate.estimate_hypotheses estimate.estimate_motion estimate_paths.at_every_frame"
    " estimate_paths.likely_start estimate_paths.without_jumps"
    " estimate_poses.sample estimate_rig.estimate_rig estimate_rig.lay_on_points"
    " estimate_rig.steady_points estimate_size.scale_above_floor estimate_start.first_guess estimate_start.usual_poses"
    " estimate_takes.sample segments.length_information segments.pairs_matrix",
    _POSES: "frames.reconstruct generate.draw generate.generate_poses generate.likeliest"
    " dragged_pose.dragged_pose pinned_pose.complete_pose"
    " pinned_pose.with_lengths rig_poses.completed rig_poses.generated rig_poses.hold"
    " rig_poses.varied",
    _COUNTS: "complete.describe_range estimate.known_scale fixes.fill_settings fixes.fix_settings legs.middle_weights"
    " pieces.consecutive pieces.one_by_one pieces.split repairs.count_repairs rig_poses.pinned_joints"
    " running.at_the_end running.part_of running.still_at"
    " scope.joints_of take_warnings.first_frame_of_motion windows.frames_per_step"
    " rig.carriers twist.chains_between take_checks.check_take take_checks.check_motion",
    _BODY: "normalise.complete_turns normalise.frame_matrix normalise.leg_length normalise.model_positions"
    " normalise.rest_alignment normalise.torso_frames normalise.visible_joints rig.rest_from_parent",
    _TRAINING: "metrics.contact_speed metrics.l2_positions metrics.npss metrics.precision_recall metrics.same_sign",
    "reads rotations of the second take alone": "rig.carry_travel pieces.carry_travel locations.steady_locations",
    "reads what is kept alone of the first take, which its task has checked": "kept.pass_through",
    "writes into arrays that its caller made of a checked take": "pieces.lay_over report.add_spread",
    "tests/tasks/test_turns.py has what it takes": "turns.heed_turns",
    "asked for bones of a checked take": "rig.location_axes retarget.turn_bones",
    "tests/core has what it takes: matrices from Blender, checked where they are read": "stand_ins.aim"
    " stand_ins.carry_by_frames stand_ins.carry_by_object stand_ins.split_matrices",
    "test_numbers.py tries it": "in_between.in_between_take",
}
NOT_TRIED = {name: reason for reason, names in _REASONS.items() for name in names.split()}
# These are called with takes that have been checked, by functions that are tried.
_CHECKED_BEFORE = {"feet.report_feet", "problems.look_at", "retarget.to_model"}
# By definition: of no frames none slides. And the rig at rest, which needs no frames.
_SOMETHING_OF_NOTHING = {"metrics.skate_ratio", "feet.report_feet", "retarget.to_model"}

FUNCTIONS, SOUND = public_functions(), example()
TRIED = {name: given for name, f in FUNCTIONS.items() if (given := SOUND.arguments_of(name, f)) is not None}
TRIED = {name: given for name, given in TRIED.items() if name not in NOT_TRIED}
ENTRIES = [
    name
    for name, given in TRIED.items()
    if "mapping" in given and any(isinstance(each, RigTake) for each in given.values()) and name not in _CHECKED_BEFORE
]


def test_every_public_function_is_tried_or_has_a_reason():
    left_out = set(FUNCTIONS) - set(TRIED) - set(NOT_TRIED)
    assert not left_out, "give these arguments in public_functions.py, or a reason here"
    assert not set(NOT_TRIED) - set(FUNCTIONS), "these are gone"
    assert len(TRIED) > 80 and {"clean.clean_take", "cleaned.clean_rig", "problems.find_problems"} < set(ENTRIES)


@pytest.mark.parametrize("spoil", SPOIL)
@pytest.mark.parametrize("name", ENTRIES)
def test_what_a_button_calls_refuses_a_take_that_is_none(name, spoil):
    takes = {argument: SPOIL[spoil](each) for argument, each in TRIED[name].items() if isinstance(each, RigTake)}
    with np.errstate(all="ignore"), pytest.raises(TakeError, match=r"not numbers|has no frames|not a number above 0"):
        FUNCTIONS[name](**TRIED[name] | takes)


@pytest.mark.parametrize("name", sorted(set(TRIED) - set(ENTRIES)))
@np.errstate(all="ignore")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_no_number_is_not_lost_silently(name):
    FUNCTIONS[name](**TRIED[name])  # sound arguments are taken
    for argument, sound in TRIED[name].items():
        if (spoilt := _spoilt(sound)) is not None:
            found = _result(name, {argument: spoilt})
            assert found is None or any(np.isnan(each).any() for each in found), argument


@pytest.mark.parametrize("name", sorted(set(TRIED) - set(ENTRIES) - _SOMETHING_OF_NOTHING))
@np.errstate(all="ignore")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nothing_gives_nothing(name):
    empty = {argument: _emptied(sound) for argument, sound in TRIED[name].items()}
    if any(empty[argument] is not sound for argument, sound in TRIED[name].items()):
        found = _result(name, empty)
        assert found is None or not any(np.isfinite(each).any() for each in found)


def _result(name: str, given: dict[str, object]) -> list[np.ndarray] | None:
    """All numbers of what the function returns; None where it raises, whatever it says: nobody gets a number."""
    try:
        return _numbers(FUNCTIONS[name](**TRIED[name] | given))
    except Exception:
        return None


def _numbers(value: object) -> list[np.ndarray]:
    if isinstance(value, np.ndarray | float):
        return [np.asarray(value)] if np.asarray(value).dtype.kind == "f" else []
    if isinstance(value, RigTake):
        return [value.rotation, value.location, value.scale]
    if isinstance(value, dict):
        value = tuple(value.values())
    if is_dataclass(value):
        value = tuple(getattr(value, each.name) for each in fields(value) if each.name != "fps")
    return [each for part in value for each in _numbers(part)] if isinstance(value, tuple | list) else []


def _spoilt(value: object) -> object | None:
    """The same with what is no number in all of a frame; None for what holds no numbers."""
    if isinstance(value, RigTake):
        return replace(value, rotation=_spoilt(value.rotation))
    if isinstance(value, Motion):
        return replace(value, positions=_spoilt(value.positions))
    if not isinstance(value, np.ndarray) or value.dtype.kind != "f" or not value.ndim:
        return None
    result = value.copy()
    result[FRAMES // 2 if len(value) == FRAMES else ...] = np.nan
    return result


def _emptied(value: object) -> object:
    """The same without frames."""
    if isinstance(value, RigTake | Kept):
        return value.rows(slice(0, 0))
    if isinstance(value, Motion):
        return replace(value, positions=value.positions[:0], visible=value.visible[:0], noise=value.noise[:0])
    is_of_frames = isinstance(value, np.ndarray) and value.ndim and len(value) == FRAMES
    return value[:0] if is_of_frames else value
