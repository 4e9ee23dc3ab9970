"""The same input, seed and device give the same keys to the bit: again, after a restart, and in several processes."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pads_blender.blender import batch
from pads_blender.core.bvh import read_bvh
from pads_blender.diffusion.prior import load_prior
from pads_blender.tasks.clean import CleanSettings
from pads_blender.tasks.cleaned import clean_rig
from pads_blender.tasks.kept import Kept
from tests.core.bodies import build_take, random_motion
from tests.shaky_takes import shaky_take

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def takes(tmp_path) -> list[Path]:
    paths = [tmp_path / "in" / f"take{number}.bvh" for number in range(2)]
    paths[0].parent.mkdir()
    for number, path in enumerate(paths):
        path.write_text(shaky_take(90 + 40 * number))
    return paths


def in_a_process(takes: list[Path], out: Path, *options: str) -> None:
    command = [sys.executable, "-m", "pads_blender", "clean", *map(str, takes), "-o", str(out), *options]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, env=os.environ | {"OMP_NUM_THREADS": "1"})


def test_again_and_after_a_restart_and_in_several_processes(takes, tmp_path):
    options = ["--threads", "1", "--seed", "3"]
    for name in ("first", "second"):
        assert batch.main(["clean", *map(str, takes), "-o", str(tmp_path / name), *options]) == 0
    in_a_process(takes, tmp_path / "restarted", *options)
    in_a_process(takes, tmp_path / "parallel", *options, "--jobs", "2")
    for take in takes:
        first = (tmp_path / "first" / take.name).read_bytes()
        assert first != take.read_bytes()
        assert (tmp_path / "second" / take.name).read_bytes() == first
        assert (tmp_path / "restarted" / take.name).read_bytes() == first
        parallel = read_bvh(tmp_path / "parallel" / take.name).motion
        np.testing.assert_allclose(parallel, read_bvh(tmp_path / "first" / take.name).motion, atol=1e-4)


def test_across_batch_sizes():
    from pads_blender.diffusion.backends import open_network
    from pads_blender.diffusion.learned_priors import WindowPrior

    take, mapping = build_take(*random_motion(300))
    contract = load_prior("motion", threads=1, backend="cpu").contract
    results = []
    for batch_size in (1, 3, 32):
        prior = WindowPrior(contract, open_network(contract, "cpu", 1, batch_size))
        results.append(clean_rig(take, mapping, Kept.nothing(take), CleanSettings(), prior).after)
    for other in results[1:]:
        np.testing.assert_allclose(other.rotation, results[0].rotation, atol=1e-4)
        np.testing.assert_allclose(other.location, results[0].location, atol=1e-4)
