"""The extension's life in Blender's own program, which brings its own Python; its GPU by way of WebGPU."""

import subprocess
from pathlib import Path

import pytest

import build_package

from ..test_install import assert_clean, live, older

VERSION = "import sys; print('PYTHON', '%d.%d' % sys.version_info[:2])"


@pytest.fixture(scope="module")
def program_package(blender_command, blender_ext, tmp_path_factory) -> Path:
    """The zip with the wheel for the program's Python alone."""
    command = [*blender_command, "--background", "--factory-startup", "--python-expr", VERSION]
    said = subprocess.run(command, capture_output=True, text=True, timeout=600).stdout.splitlines()
    (python,) = [line.split()[1] for line in said if line.startswith("PYTHON ")]
    name = build_package.running_package()
    wheels = build_package.wheels_of(name, python)
    assert wheels, f"wheels.toml has none for Python {python}"
    return build_package.write_package(tmp_path_factory.mktemp("program_package"), blender_ext, name, wheels)


@pytest.fixture(scope="module")
def life(blender_command, package, program_package, tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("life")
    command = [*blender_command, "--background", "--python"]
    return live(command, older(package, folder), program_package, folder, "webgpu")


def test_the_extension_lives_and_leaves_as_in_the_module(life):
    assert life["old_enabled"] and life["installed"] and life["disabled"] and life["enabled_again"]
    assert life["exit_code"] == 0, life["stderr"]
    assert ".local" in Path(life["runtime"]).parts, life["stderr"]
    assert_clean(life["folder"])
    for what in ("left", "left_again", "files_left", "wheels_left", "native_at_start", "asked_network"):
        assert life[what] == [], what


def test_webgpu_gives_the_same_result_as_numpy(life):
    """Both priors, forward and backward, and the clock; in software where there is no graphics card."""
    trial = life["webgpu"]
    if "is not there" in trial["reason"] or "could not start" in trial["reason"]:
        pytest.skip(f"no WebGPU: {trial['reason']}")
    assert trial["is_usable"], trial["reason"]
    assert trial["difference"] < 1e-4 and trial["frames_per_second"] > 0
