"""Every public function of the tasks and of the geometry is found and asked: no NaN becomes a number silently.

What buttons call refuses a take that is none in a sentence. What works below them raises, or hands on what is no
number, or is named here with the reason why it need not. A new function that is neither tried nor named makes this
fail.
"""

import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest

from pads_blender.core.motion import Motion
from pads_blender.core.rig import RigTake
from pads_blender.errors import PadsError, TakeError

from .example_take import FRAMES, example
from .public_functions import public_functions, public_methods
from .test_numbers import SPOIL

_WHERE = "says where or whether something is so, of takes that its task has checked"
_ROBUST = "a robust statistic that what is none has no part in, of takes that its task has checked"
_SHOTS = "takes the points of a film, in which NaN is what was not seen: tests/tasks/test_estimate*.py"
_POSES = "takes poses of the model: rig_poses.py checks them, and test_numbers.py that it does"
_COUNTS = "takes no arrays of numbers"
_BODY = "asked about a rest pose or of whole poses, by retarget.to_model alone, whose takes are checked"
_PRECISION = "takes the precision that measurement.joint_precision gives, which refuses what is no number"
_NAMES = "asked of a rest pose; what is no number there leaves the names alone: tests/core/test_mapping_shapes.py"
_NETWORKS = "asked by the priors alone, with answers that are checked: tests/diffusion/test_backends.py"
_TRAINING = "a measure of training/ on sequences of its own"
_REASONS = {
    _WHERE: "complete.frames_between complete.hidden_joints complete.hidden_rows contacts.find_contacts"
    " contacts.find_resting evidence.find_outlying feet.find_freedom feet.find_rig_contacts held.is_cut"
    " like_poses.find_gaps locations.find_moved_limbs pops.find_end_leaps pops.find_pops pops.find_rotation_leaps"
    " pops.find_rotation_pops pops.keep_short repair.find_lost_bones running.close_gaps running.find_runs"
    " samples.frames_to_evidence scope.keep_left_out scope.keep_unbroken swaps.swapped_rows rig.find_changes"
    " rig.find_bone_changes"
    " stand_ins.find_stand_ins noise.free_components kept.kept_joints complete.fill_noise kept.Kept.nothing"
    " rays.exchange_sides self_contact.self_intersecting usual_poses.UsualPoses.nearest",
    _ROBUST: "evidence.joint_levels feet.needed_share feet.steady_feet feet.steady_rig_feet"
    " like_poses.recall_hidden noise.estimate_noise noise.local_noise pops.leap_scores pops.rotation_leap_scores"
    " running.running_median sliding.penetration_scores temporal.smooth_evenly"
    " complete.bridge_rotations samples.draw samples.enliven samples.posterior_spread",
    _SHOTS: "estimate.as_view estimate.estimate_hypotheses estimate.estimate_motion estimate_paths.at_every_frame"
    " estimate_paths.likely_start estimate_paths.without_jumps"
    " estimate_poses.sample estimate_rig.estimate_rig estimate_rig.lay_on_points"
    " estimate_rig.steady_points estimate_size.scale_above_floor estimate_errors.PoseErrors.fit"
    " estimate_start.first_guess"
    " estimate_takes.sample segments.length_information segments.pairs_matrix",
    _POSES: "frames.reconstruct generate.draw generate.generate_poses generate.likeliest"
    " dragged_pose.dragged_pose dragged_pose.dragged_positions pinned_pose.PinnedBody.__call__"
    " pinned_pose.PinnedBody.proximal pinned_pose.PinnedBody.residual pinned_pose.PinnedBody.vjp"
    " pinned_pose.complete_pose pinned_pose.complete_poses"
    " pinned_pose.with_lengths rig_poses.completed rig_poses.generated rig_poses.hold"
    " rig_poses.varied",
    _COUNTS: "complete.describe_range estimate.known_scale fixes.fill_settings fixes.fix_settings"
    " pieces.split repairs.count_repairs rig_poses.pinned_joints running.span_of"
    " windows.frames_per_step"
    " rig.carriers twist.chains_between camera.Camera.rows rays.View.rows"
    " take_checks.check_take take_checks.check_motion",
    _BODY: "normalise.complete_turns normalise.frame_matrix normalise.leg_length normalise.model_positions"
    " normalise.rest_alignment normalise.torso_frames normalise.visible_joints rig.rest_from_parent",
    _TRAINING: "metrics.contact_speed metrics.l2_positions metrics.npss metrics.precision_recall metrics.same_sign",
    "reads rotations of the second take alone": "rig.carry_travel pieces.carry_travel locations.steady_locations",
    "reads what is kept alone of the first take, which its task has checked": "kept.pass_through",
    "writes into arrays that its caller made of a checked take": "pieces.lay_over report.add_spread",
    "tests/tasks/test_turns.py has what it takes": "turns.heed_turns",
    "asked for bones of a checked take": "rig.location_axes retarget.turn_bones hinges.hinge_twists",
    "tests/core has what it takes: matrices from Blender, checked where they are read": "stand_ins.aim"
    " stand_ins.carry_by_frames stand_ins.carry_by_object stand_ins.path_channels stand_ins.split_matrices",
    "test_numbers.py tries it": "in_between.in_between_take",
    "linear: of the poses, or of those that stay where they are, it needs the shape alone": "measurement.Identity.vjp"
    " measurement.JointMask.vjp measurement.UnknownPelvis.vjp measurement.per_joint measurement.joint_precision"
    " projection.Projection.proximal"
    " projection.Projection.stand",
    _PRECISION: "measurement.fill_unseen measurement.measured_values measurement.perturbations"
    " measurement.robust_weight measurement.seen",
    _NAMES: "bone_tree.BoneTree.gathered limb_fit.Fit.heads limb_fit.fit_pair limb_fit.limb_length limb_fit.surprise"
    " limb_pairs.great_pairs limb_sides.arms_apart limb_sides.tell_sides limbs.find_body"
    " limbs.find_head joint_claims.are_close joint_claims.leg_length joint_claims.weigh limb_claims.claim_ends"
    " limb_claims.claim_limbs mapping_guess.guess_joints mapping_guess.guess_mapping named_joints.match_names"
    " trunk_claims.claim_trunk",
    _NETWORKS: "backends.SafeNetwork.forward backends.SafeNetwork.vjp numpy_prior.NumpyNetwork.forward"
    " numpy_prior.NumpyNetwork.vjp onnx_prior.OnnxNetwork.forward onnx_prior.OnnxNetwork.vjp"
    " torch_prior.TorchNetwork.forward torch_prior.TorchNetwork.vjp trial.seconds_of_call",
    "gives a function of the noise level, which a schedule has checked": "denoiser_error.gaussian_error"
    " denoiser_error.measured_error dps.constant_guidance dps.noise_aware_guidance dps.HALF_STEP"
    " estimate_takes.Descent.prior_error",
    "at a time that is none nothing is seen": "film.Film.at",
    "with_motion, which it calls, refuses it: test_numbers.py": "bvh.replace_motion",
    "writes what with_motion has checked": "bvh.write_bvh",
    "the fuzzer has files of such points": "keypoint_files.follow_person",
}
NOT_TRIED = {name: reason for reason, names in _REASONS.items() for name in names.split()}
# These are called with takes that have been checked, by functions that are tried.
_CHECKED_BEFORE = {"feet.report_feet", "problems.look_at", "retarget.to_model"}
# By definition: of no frames none slides. And the rig at rest, or the skeleton of a file, which need no frames. No task
# asks a prior about no poses.
_SOMETHING_OF_NOTHING = {"metrics.skate_ratio", "feet.report_feet", "retarget.to_model", "bvh.with_motion"}
_SOMETHING_OF_NOTHING |= {"learned_priors.PosePrior.vjp"}

SOUND = example()
FUNCTIONS = public_functions() | public_methods(SOUND.kinds)
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
            found = _result(FUNCTIONS[name], TRIED[name] | {argument: spoilt})
            assert found is None or any(np.isnan(each).any() for each in found), argument


@pytest.mark.parametrize("name", sorted(set(TRIED) - set(ENTRIES) - _SOMETHING_OF_NOTHING))
@np.errstate(all="ignore")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nothing_gives_nothing(name):
    empty, function = {argument: _emptied(sound) for argument, sound in TRIED[name].items()}, FUNCTIONS[name]
    if any(empty[argument] is not sound for argument, sound in TRIED[name].items()):
        if inspect.ismethod(function):
            function = getattr(_emptied(function.__self__), function.__name__)
        found = _result(function, empty)
        assert found is None or not any(np.isfinite(each).any() for each in found)


CHANCE = (IndexError("x."), ZeroDivisionError("x."), ValueError("cannot reshape"), np.linalg.LinAlgError("Singular."))


@pytest.mark.parametrize("error", CHANCE, ids=repr)
def test_what_fails_by_chance_does_not_count_as_a_refusal(error):
    """Or else a function that nobody has thought about would pass."""

    def fails():
        raise error

    with pytest.raises(type(error)):
        _result(fails, {})


@pytest.mark.parametrize("error", [TakeError("The take has no frames."), ValueError("Noise must be above zero.")])
def test_a_sentence_counts_as_a_refusal(error):
    def refuses():
        raise error

    assert _result(refuses, {}) is None


def _result(function: Callable, given: dict[str, object]) -> list[np.ndarray] | None:
    """All numbers of what the function returns; None where it refuses, in a sentence. What fails by chance fails.

    A sentence ends with a full stop: what NumPy says where it fails does not, and LinAlgError is a ValueError, too.
    """
    try:
        return _numbers(function(**given))
    except PadsError:
        return None
    except ValueError as error:
        if type(error) is ValueError and str(error).endswith("."):
            return None
        raise


def _numbers(value: object) -> list[np.ndarray]:
    if isinstance(value, np.ndarray | float):
        return [np.asarray(value)] if np.asarray(value).dtype.kind == "f" else []
    if isinstance(value, RigTake):
        return [value.rotation, value.location, value.scale, value.frames]
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
    """The same without frames, and whatever holds things of so many frames without theirs."""
    if isinstance(value, RigTake):
        return value.rows(slice(0, 0))
    if isinstance(value, tuple | list):
        parts = [_emptied(each) for each in value]
        return value if all(a is b for a, b in zip(parts, value, strict=True)) else type(value)(parts)
    if is_dataclass(value) and not isinstance(value, type):
        parts = {each.name: _emptied(getattr(value, each.name)) for each in fields(value)}
        changed = {name: part for name, part in parts.items() if part is not getattr(value, name)}
        return replace(value, **changed) if changed else value
    is_of_frames = isinstance(value, np.ndarray) and value.ndim and len(value) == FRAMES
    return value[:0] if is_of_frames else value
