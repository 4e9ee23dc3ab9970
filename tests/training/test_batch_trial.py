"""The measured batch on a few short takes: killed half-way and resumed for real, by the command line."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pads_blender.core.bvh import read_bvh
from pads_blender.training import batch_trial
from pads_blender.training.bench import Setup

from .clips import FPS, write_folder

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are read from /proc")


def test_nothing_is_lost_when_a_batch_is_killed_half_way_and_resumed(tmp_path):
    data, out = write_folder(tmp_path / "data"), tmp_path / "out"
    batch_trial.main(["--data", str(data), "--out", str(out), "--takes", "8", "--frames", "60"])
    found = json.loads((out / "batch.json").read_text())
    resumed = batch_trial.Resumed(**found["resumed"])
    assert resumed.is_sound, resumed
    assert resumed.takes == 8 and resumed.finished_before >= 2
    assert sorted(path.name for path in (out / "killed").iterdir()) == sorted(
        f"take{number:04}.bvh{end}" for number in range(8) for end in ("", ".pads.json")
    )
    assert [run["jobs"] for run in found["runs"]] == [1, 2]
    assert 50 < found["peak_megabytes"] < 1000 and found["ratio"] > 0
    assert all(0 < run["processor_seconds"] < 2 * run["seconds"] + 1 for run in found["runs"])


@pytest.mark.parametrize("field", ["damaged", "done_again", "missing", "different", "leftovers"])
def test_a_loss_is_called_one(field):
    sound = batch_trial.Resumed(8, 4, 0, 0, 0, 0, 0)
    assert sound.is_sound and not replace(sound, **{field: 1}).is_sound
    assert not replace(sound, finished_before=8).is_sound  # it was killed too late to show anything


def test_the_takes_are_the_clips_with_jitter(tmp_path):
    write_folder(tmp_path / "data")
    setup = Setup(tmp_path / "data")
    batch_trial.write_takes(setup, tmp_path / "takes", 3, 250)
    files = [read_bvh(path) for path in sorted((tmp_path / "takes").iterdir())]
    assert [len(bvh.motion) for bvh in files] == [250] * 3
    assert files[0].frame_time == pytest.approx(1 / FPS, rel=1e-4) and "LeftForeArm" in files[0].names
    assert (files[0].motion == files[2].motion).all() and (files[0].motion != files[1].motion).any()


def test_the_tree_of_a_process_is_found():
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as process:
        while len(found := batch_trial.tree_of(process.pid)) < 2:
            assert process.poll() is None
        assert found[0] == process.pid and os.getpid() not in found
        process.stdin.close()
