"""Poses laid on rigs: with elbows and knees bent about their own axis limbs are turned as they were captured."""

import numpy as np

from pads_blender.training.bench import Setup, markdown
from pads_blender.training.posed_suite import SUITES, SWUNG
from pads_blender.training.scores import OURS, summarise


def test_captured_limbs_are_turned_nearer_to_the_truth_than_by_the_smallest_swing(shared_data):
    (suite,) = SUITES
    scores = suite.run(Setup(shared_data / "mocap", split="validation", limit=4))
    found = {s.case: s for s in summarise(scores, suite.rival)}
    assert len(found) == 6 and all(np.isfinite([*s.means.values()]).all() for s in found.values())
    for part in ("thighs", "shins", "upper arms", "forearms"):
        assert found[f"from another pose, {part}"].ratio < 0.75
    assert found["from rest, thighs"].ratio < 0.75
    assert SWUNG in markdown(suite, scores) and OURS in found["from rest, thighs"].means
