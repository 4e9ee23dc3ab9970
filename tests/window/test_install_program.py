"""The extension's life in Blender's own program, which brings its own Python; its GPU by way of WebGPU."""

import os
import subprocess
from pathlib import Path

import pytest

import build_package

from ..shaky_takes import shaky_take
from ..test_install import assert_clean, assert_estimated, live, older

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
    assert_estimated(life)
    for what in ("left", "left_again", "files_left", "wheels_left", "native_at_start", "asked_network"):
        assert life[what] == [], what


def test_the_installed_command_works_in_several_processes(blender_command, program_package, tmp_path):
    """Each of them is a Blender of its own, which finds the extension where the first one has it."""
    for number in range(3):
        (tmp_path / "takes" / str(number)).mkdir(parents=True)
        (tmp_path / "takes" / str(number) / "take.bvh").write_text(shaky_take())

    def blender(*words: object) -> subprocess.CompletedProcess:
        variables = {"BLENDER_USER_RESOURCES": str(tmp_path / "profile"), "REAL_BLENDER_HOME": str(tmp_path / "home")}
        command = [*blender_command, "--command", *map(str, words)]
        return subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, timeout=600)

    installed = blender("extension", "install-file", "-r", "user_default", "-e", program_package)
    assert installed.returncode == 0, installed.stderr
    words = ("pads", "clean", tmp_path / "takes", "-o", tmp_path / "out", "--jobs", 2, "--resume")
    for said in ("3 done, 0 failed", "0 done, 3 done before, 0 failed"):
        cleaned = blender(*words)
        assert cleaned.returncode == 0 and said in cleaned.stderr, cleaned.stderr
    (tmp_path / "clean.bvh").write_bytes((tmp_path / "out" / "2" / "take.bvh").read_bytes())
    assert_clean(tmp_path)


def test_webgpu_gives_the_same_result_as_numpy(life):
    """Both priors, forward and backward, and the clock; in software where there is no graphics card."""
    trial = life["webgpu"]
    if "is not there" in trial["reason"] or "could not start" in trial["reason"]:
        pytest.skip(f"no WebGPU: {trial['reason']}")
    assert trial["is_usable"], trial["reason"]
    assert trial["difference"] < 1e-4 and trial["frames_per_second"] > 0
