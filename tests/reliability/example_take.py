"""Sound arguments for public_functions.py: a take of forty frames, and all that the tasks make of it."""

from dataclasses import replace

import numpy as np

from pads_blender.core import rotations as rot
from pads_blender.core.mapping import Mapping
from pads_blender.core.motion import Motion
from pads_blender.core.retarget import Residual, to_model
from pads_blender.core.rig import RigTake
from pads_blender.core.skeleton import MODEL
from pads_blender.tasks.clean import CleanSettings
from pads_blender.tasks.complete import HiddenBones
from pads_blender.tasks.contacts import COLUMNS, ContactRange, Contacts, find_contacts
from pads_blender.tasks.evidence import SamplerSettings, gather_evidence
from pads_blender.tasks.feet import LEG_JOINTS
from pads_blender.tasks.generate import GenerateSettings
from pads_blender.tasks.in_between import InBetweenSettings
from pads_blender.tasks.kept import Kept
from pads_blender.tasks.swaps import ROTATION_PAIRS

from ..core.bodies import build_take, random_motion
from . import example_measurements
from .example_measurements import PassingPrior
from .public_functions import Example

FRAMES = 40


def example() -> Example:
    """A take of forty frames, and all that is made of it."""
    take, mapping = build_take(*random_motion(FRAMES))
    motion, residual = to_model(take, mapping)
    motion = replace(motion, noise=np.full(motion.visible.shape, 0.01))
    return Example(
        example_measurements.kinds(motion) | _kinds(take, mapping, motion, residual),
        _names(take, motion, residual),
        example_measurements.own(motion) | _own(take, motion, residual),
    )


def _kinds(take: RigTake, mapping: Mapping, motion: Motion, residual: Residual) -> dict[str, object]:
    generator = np.random.default_rng(0)
    return {
        "RigTake": take,
        "Mapping": mapping,
        "Motion": motion,
        "Residual": residual,
        "Kept": Kept.nothing(take),
        "Contacts": find_contacts(motion.positions, take.fps),
        "Sequence[ContactRange]": [ContactRange("left_ankle", 5, 20)],
        "Sequence[Problem]": [],
        "Prior": PassingPrior(),
        "MotionPrior": PassingPrior(),
        "Prior | None": PassingPrior(),
        "Evidence": gather_evidence(motion),
        "LimbPair": ROTATION_PAIRS[0],
        "Generator": generator,
        "random.Generator": generator,
        "list[slice]": [slice(0, FRAMES)],
        "slice": slice(0, FRAMES),
        "bool": True,
        "tuple[str, ...]": ("left_wrist",),
        "tuple[str, ...] | None": None,
        "tuple": MODEL.parents,
        "CleanSettings": CleanSettings(steps=1),
        "SamplerSettings": SamplerSettings(steps=1),
        "GenerateSettings": GenerateSettings(),
        "InBetweenSettings": InBetweenSettings(),
        "OnStep | None": None,
        "float | None": None,
    }


def _names(take: RigTake, motion: Motion, residual: Residual) -> dict[str, object]:
    positions, rotation = motion.positions, take.rotation[:, residual.bones]
    levels, none = np.full(motion.visible.shape, 0.01), np.zeros(motion.visible.shape, bool)
    some = none.copy()
    some[10:20, 3] = True
    names = dict.fromkeys(
        ("positions", "values", "measured", "expected", "mean", "start", "x", "truth", "v", "old"), positions
    )
    names |= dict.fromkeys(("rotation", "rotations", "q", "a", "b", "turns", "channels"), rotation)
    names |= dict.fromkeys(("noise", "sigma", "tolerance", "weight", "precision", "score", "scores"), levels)
    names |= dict.fromkeys(("hidden", "lost", "suspect", "broken"), some)
    return names | {
        "visible": ~some,
        "bones": residual.bones,
        "fps": take.fps,
        "strength": 1.0,
        "frames": FRAMES,
        "seed": 0,
        "count": 2,
        "reach": 2,
        "width": 2.0,
        "length": 5,
        "step": 2,
        "smallest": 0.05,
        "noise_metres": 0.01,
        "new": positions + 0.01,
        "m": rot.to_matrix(rotation),
        "matrices": rot.to_matrix(rotation),
        "t": np.array(0.5),
        "order": "XYZ",
        "angles": positions,
        "reference": positions,
        "tracks": positions[:, COLUMNS],
        "feet": positions[:, COLUMNS],
        "legs": positions[:, LEG_JOINTS],
        "amount": np.ones((FRAMES, len(COLUMNS))),
        "poses": positions,
        "pose": positions[0],
        "yaw": np.zeros(FRAMES),
        "steps": np.ones(FRAMES),
        "resting": np.zeros((FRAMES, len(COLUMNS)), bool),
        "statistic": lambda windows: windows.mean(axis=-1),
        "denoise": lambda x, sigma, shift: x,
        "offsets": MODEL.offsets,
        "rest_positions": MODEL.rest_positions,
    }


def _own(take: RigTake, motion: Motion, residual: Residual) -> dict[str, dict[str, object]]:
    positions, rotation, bones = (
        motion.positions,
        take.rotation[:, residual.bones],
        np.zeros(take.rotation.shape[:2], bool),
    )
    hidden = bones.copy()
    hidden[10:20, residual.bones[3]] = True
    return {
        "dragged_pose.begin_drag": {"given": (take.names[residual.bones[0]],), "active": take.names[residual.bones[5]]},
        "complete.bridge_rotations": {
            "rotation": take.rotation,
            "hidden": hidden,
            "axes": np.ones((bones.shape[1], 3)),
        },
        "complete.hidden_joints": {"hidden": hidden},
        "complete.hidden_rows": {"wanted": (HiddenBones(("left_knee",), 5.0, 9.0),)},
        "complete.interpolate_rotations": {"hidden": hidden},
        "kept.pass_through": {"kept": Kept(hidden, hidden)},
        "repair.bridge_leaps": {"spared": bones},
        "repair.exchange_sides_back": {"kept": bones},
        "report.report_changes": {"noise": np.ones(len(residual.bones)), "hidden": hidden},
        "scope.keep_unbroken": {"broken": hidden},
        "swaps.exchange_back": {"rows": np.ones(FRAMES, bool)},
        "swaps.swapped_rows": {"score": np.ones(FRAMES)},
        "temporal.local_curvature": {"sigma": np.full(len(residual.bones), 0.01)},
        "temporal.smooth": {"sigma": np.full(len(residual.bones), 0.01)},
        "temporal.smooth_evenly": {"sigma": np.full(len(residual.bones), 0.01)},
        "pops.find_end_leaps": {"sigma": np.full(len(residual.bones), 0.01)},
        "turns.heed_turns": {"unheard": bones},
        "legs.lock_legs": {"contacts": Contacts(np.ones((FRAMES, len(COLUMNS)), bool))},
        "locations.steady_locations": {"held": bones[0]},
        "rotations.best_rotation": {"a": positions, "b": positions[:, ::-1]},
        "rotations.swing_between": {"a": positions, "b": positions + 0.1},
        "rotations.twist_angle": {"axis": np.array([0.0, 0.0, 1.0])},
        "rig.transform_matrices": {"location": take.location, "rotation": take.rotation, "scale": take.scale},
        "rig.carriers": {"parents": take.parents},
        "retarget.correcting_turns": {"visible": np.ones(len(residual.bones), bool)},
        "metrics.l2_rotations": {"truth": rotation},
        "metrics.same_sign": {"truth": rotation},
        "windows.interpolate_rows": {"at": np.arange(0.0, FRAMES)},
    }
