"""Some kills of a batch; `python -m tests.reliability kills` makes hundreds."""

import importlib.util

import pytest

from .kills import kill_batches


@pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="Blender is not installed as a module here")
def test_a_killed_batch_leaves_nothing_half_and_is_resumed(tmp_path):
    found = kill_batches(2, tmp_path)
    assert found.failures == []
    assert found.killed == 2 and found.resumed >= 1
