"""The extension as a user gets it: the zip is built, then installed, switched off and on in a fresh profile of the real
Blender module. Each Blender runs in a process of its own, so this file never loads bpy itself."""

import importlib.util
import itertools
import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent

# Ends with os._exit: the bpy 4.5 module can hang while the interpreter shuts down.
INSTALL = """
import json, os, sys, threading, traceback
import bpy
import addon_utils  # on the path only once bpy is loaded

MODULE = "bl_ext.user_default.pads_mocap"
OWNERS = ("Scene", "Object", "Armature", "Action", "PoseBone", "WindowManager")
commands = {}  # by handle; Blender can register commands but not list them, so its own two functions are listened to

def listen(register=bpy.utils.register_cli_command, unregister=bpy.utils.unregister_cli_command):
    def register_and_note(name, function):
        handle = register(name, function)
        commands[handle] = (name, function)
        return handle

    def unregister_and_note(handle):
        unregister(handle)
        del commands[handle]

    bpy.utils.register_cli_command, bpy.utils.unregister_cli_command = register_and_note, unregister_and_note

def traces():
    "What an add-on can leave in Blender, as names."
    names = {f"type {name}" for name in dir(bpy.types)}
    names |= {f"property {owner}.{name}" for owner in OWNERS
              for name in getattr(bpy.types, owner).bl_rna.properties.keys()}
    names |= {f"handler {name} {function}" for name in dir(bpy.app.handlers)
              if isinstance(getattr(bpy.app.handlers, name), list) for function in getattr(bpy.app.handlers, name)}
    names |= {f"thread {thread.name}" for thread in threading.enumerate()}
    names |= {f"operator pads.{name}" for name in dir(bpy.ops.pads)}
    names |= {f"command {name}" for name, _ in commands.values()}
    return names

def is_enabled():
    return addon_utils.check(MODULE)[1] and MODULE in bpy.context.preferences.addons

def run():
    listen()
    before = traces()
    bpy.ops.extensions.package_install_files(filepath=sys.argv[1], repo="user_default", enable_on_install=True)
    steps = {"installed": is_enabled(), "adds": sorted(traces() - before)}
    bpy.ops.preferences.addon_disable(module=MODULE)
    steps |= {"disabled": not is_enabled(), "left": sorted(traces() - before)}
    bpy.ops.preferences.addon_enable(module=MODULE)
    steps |= {"enabled_again": is_enabled(), "adds_again": sorted(traces() - before)}
    command = next(function for name, function in commands.values() if name == "pads")
    steps |= {"exit_code": command(["clean", "take.bvh", "-o", "clean.bvh", "--steps", "3"]), "still_on": is_enabled()}
    bpy.ops.preferences.addon_disable(module=MODULE)
    steps |= {"left_again": sorted(traces() - before), "blender": bpy.app.version_string}
    return steps

try:
    print("RESULT", json.dumps(run()), flush=True)
    os._exit(0)
except BaseException:
    traceback.print_exc()
    sys.stderr.flush()
    os._exit(1)
"""


# A body in centimetres, Y up as BVH files are: joint, parent, offset from the parent.
BODY = (
    ("Hips", None, (0, 95, 0)),
    ("Spine", "Hips", (0, 12, 0)),
    ("Chest", "Spine", (0, 20, 0)),
    ("Neck", "Chest", (0, 22, 0)),
    ("Head", "Neck", (0, 10, 0)),
    ("LeftShoulder", "Chest", (4, 18, 0)),
    ("LeftArm", "LeftShoulder", (14, 0, 0)),
    ("LeftForeArm", "LeftArm", (28, 0, 0)),
    ("LeftHand", "LeftForeArm", (25, 0, 0)),
    ("RightShoulder", "Chest", (-4, 18, 0)),
    ("RightArm", "RightShoulder", (-14, 0, 0)),
    ("RightForeArm", "RightArm", (-28, 0, 0)),
    ("RightHand", "RightForeArm", (-25, 0, 0)),
    ("LeftUpLeg", "Hips", (9, 0, 0)),
    ("LeftLeg", "LeftUpLeg", (0, -43, 0)),
    ("LeftFoot", "LeftLeg", (0, -43, 0)),
    ("LeftToeBase", "LeftFoot", (0, -7, 13)),
    ("RightUpLeg", "Hips", (-9, 0, 0)),
    ("RightLeg", "RightUpLeg", (0, -43, 0)),
    ("RightFoot", "RightLeg", (0, -43, 0)),
    ("RightToeBase", "RightFoot", (0, -7, 13)),
)


def hierarchy(joint: str, depth: int = 0) -> list[str]:
    """Lines of a BVH hierarchy from this joint of BODY down."""
    (offset,) = (offset for name, _, offset in BODY if name == joint)
    children = [name for name, parent, _ in BODY if parent == joint]
    rotations = "Zrotation Xrotation Yrotation"
    channels = f"3 {rotations}" if depth else f"6 Xposition Yposition Zposition {rotations}"
    inside = [f"OFFSET {offset[0]} {offset[1]} {offset[2]}", f"CHANNELS {channels}"]
    inside += [line for child in children for line in hierarchy(child, depth + 1)]
    inside += [] if children else ["End Site", "{", f"OFFSET 0 {-5 if 'Toe' in joint else 8} 0", "}"]
    return [f"{'JOINT' if depth else 'ROOT'} {joint}", "{", *inside, "}"]


def shaky_take(frame_count: int = 24) -> str:
    """BVH text of the body standing, every rotation shaking by some degrees."""
    angles = np.random.default_rng(1).normal(0, 4, (frame_count, 3 * len(BODY)))
    rows = [" ".join(f"{value:.4f}" for value in (0, 95, 0, *row)) for row in angles]
    return "\n".join(
        ["HIERARCHY", *hierarchy("Hips"), "MOTION", f"Frames: {frame_count}", "Frame Time: 0.0333333", *rows, ""]
    )


@pytest.fixture(scope="session")
def build():
    """build.py as a module."""
    spec = importlib.util.spec_from_file_location("pads_build", ROOT / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def blender_ext(build) -> Path:
    return build.blender_ext_script(Path(sys.prefix))


@pytest.fixture(scope="session")
def package(build, blender_ext, tmp_path_factory) -> Path:
    return build.write_package(tmp_path_factory.mktemp("dist"), blender_ext)


def test_package_holds_what_blender_needs_and_nothing_of_training(package):
    manifest = tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))
    assert package.name == f"pads_mocap-{manifest['version']}.zip"
    names = set(zipfile.ZipFile(package).namelist())
    assert {"__init__.py", "blender_manifest.toml", "README.md", "LICENSE", "core/rig.py"} <= names
    assert {f"bundled_models/{path.name}" for path in (ROOT / "bundled_models").iterdir()} <= names
    assert not [name for name in names if "training" in name or "__pycache__" in name or name.startswith("tests/")]


def test_package_is_the_same_bytes_each_time(build, blender_ext, package, tmp_path):
    assert build.write_package(tmp_path, blender_ext).read_bytes() == package.read_bytes()


def test_blenders_validator_is_really_asked(build, blender_ext, package, tmp_path):
    broken = tmp_path / "broken.zip"
    with zipfile.ZipFile(package) as source, zipfile.ZipFile(broken, "w") as copy:
        for name in source.namelist():
            copy.writestr(name, source.read(name).replace(b'type = "add-on"', b'type = "gadget"'))
    with pytest.raises(build.BuildError, match="gadget"):
        build.run_builder(blender_ext, "validate", str(broken))


@pytest.fixture(scope="session")
def installation(package, tmp_path_factory) -> dict:
    """What happened while the zip was installed and switched off and on in a fresh profile."""
    profile = tmp_path_factory.mktemp("profile")
    (profile / "take.bvh").write_text(shaky_take())
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(profile), "PYTHONPATH": ""}
    result = subprocess.run(
        [sys.executable, "-c", INSTALL, str(package)],
        cwd=profile,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    lines = [line for line in result.stdout.splitlines() if line.startswith("RESULT ")]
    if result.returncode or not lines:
        pytest.fail(f"Blender ended with code {result.returncode}:\n{result.stdout}{result.stderr}", pytrace=False)
    return {**json.loads(lines[0].removeprefix("RESULT ")), "stderr": result.stderr, "folder": profile}


def test_extension_installs_enabled(installation):
    assert installation["installed"], installation["stderr"]
    assert installation["adds"]


def test_extension_switches_off_without_leaving_anything(installation):
    assert installation["disabled"]
    assert installation["left"] == []


def test_extension_switches_on_again(installation):
    assert installation["enabled_again"]
    assert installation["adds_again"] == installation["adds"]
    assert installation["left_again"] == []


def test_installed_command_cleans_a_take(installation):
    """With the code and the priors of the zip alone: the process starts far from the repository."""
    assert installation["exit_code"] == 0, installation["stderr"]
    assert installation["still_on"]
    head, _, numbers = (installation["folder"] / "clean.bvh").read_text().partition("Frame Time:")
    assert head == shaky_take().partition("Frame Time:")[0]
    cleaned, shaky = (shake(text) for text in (numbers, shaky_take().partition("Frame Time:")[2]))
    assert 0 < cleaned < 0.9 * shaky  # hands, head, toes and twist shake on: joint positions do not show them


def shake(numbers: str) -> float:
    """Mean size of the second differences of a take's numbers (frame time first)."""
    rows = np.array([line.split() for line in numbers.splitlines()[1:]], float)
    return float(np.abs(np.diff(rows, 2, axis=0)).mean())


def test_build_names_what_to_install_when_no_python_fits(build, monkeypatch, tmp_path):
    monkeypatch.setattr(build, "RUNNING", "3.8")
    monkeypatch.setattr(build, "ROOT", tmp_path)
    for name, value in (("PATH", str(tmp_path)), ("PYENV_ROOT", str(tmp_path))):
        monkeypatch.setenv(name, value)
    with pytest.raises(build.BuildError, match=r"install Python 3\.11 .*python3\.11-venv"):
        build.choose_python(None)


def test_build_finds_a_python_behind_a_broken_one_of_the_same_name(build, monkeypatch, tmp_path):
    """As with pyenv, whose python3.13 on PATH exists and fails unless that version is switched on."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    for folder, content in (("first", "#!/bin/sh\nexit 127\n"), ("second", f'#!/bin/sh\nexec {sys.executable} "$@"\n')):
        path = tmp_path / folder / f"python{version}"
        path.parent.mkdir()
        path.write_text(content)
        path.chmod(0o755)
    monkeypatch.setattr(build, "RUNNING", "3.8")
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "first"), str(tmp_path / "second"), "/usr/bin", "/bin"]))
    assert build.choose_python(version) == (version, sys.executable)


def test_environment_is_made_once_per_requirement_list(build, monkeypatch, tmp_path):
    installed = []
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(build, "requirement_lists", lambda: {"run": ["a==1"], "test": ["b==1"], "training": ["c==1"]})
    monkeypatch.setattr(build, "create_venv", lambda venv: venv.mkdir(exist_ok=True))
    monkeypatch.setattr(build, "install", lambda wanted, group: installed.append(list(wanted)) or group != "training")
    for _ in range(2):
        build.make_environment("test", optional="training")
    assert installed == [["a==1"], ["a==1", "b==1"], ["a==1", "b==1", "c==1"], ["a==1", "b==1", "c==1"]]
    monkeypatch.setattr(build, "install", lambda wanted, group: False)
    monkeypatch.setattr(build, "requirement_lists", lambda: {"run": ["a==2"]})
    with pytest.raises(build.BuildError, match="pip could not install"):
        build.make_environment()


@pytest.mark.parametrize(
    ("source", "counts"),
    [
        ("def test_a(): pass\ndef test_b(): assert False\nimport pytest\ndef test_c(): pytest.skip('x')", (1, 1, 1)),
        ("import os\ndef test_a(): os.abort()", (0, 1, 0)),
        ("import nothing_of_this_name", (0, 1, 0)),
        ("", (0, 0, 0)),
    ],
    ids=["each", "crash", "broken file", "no test"],
)
def test_results_of_a_test_process_are_counted(build, tmp_path, source, counts):
    file = tmp_path / "test_made_up.py"
    file.write_text(source)
    output, found = build.run_tests(Path(sys.executable), [str(file)])
    assert found == counts and output.startswith(f"== {file}\n")


def test_every_test_file_is_in_one_group_and_each_with_blender_by_itself(build):
    files = [path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py")]
    groups = [[file for file in files if file.startswith(tuple(group))] for group in build.test_groups()]
    assert sorted(itertools.chain(*groups)) == sorted(file for file in files if not file.startswith("tests/window/"))
    assert all(len(group) == 1 for group in groups if "tests/blender/" in group[0])


def test_groups_run_beside_each_other_and_report_in_order(build, monkeypatch, tmp_path, capfd):
    """The first waits for what the second writes."""
    (tmp_path / "test_first.py").write_text(
        "import pathlib, time\n"
        "def test_it():\n"
        "    ends = time.monotonic() + 60\n"
        f"    while not pathlib.Path({str(tmp_path / 'mark')!r}).exists(): assert time.monotonic() < ends\n"
    )
    (tmp_path / "test_second.py").write_text(
        f"import pathlib\ndef test_it(): pathlib.Path({str(tmp_path / 'mark')!r}).touch()"
    )
    groups = [[str(tmp_path / f"test_{name}.py")] for name in ("first", "second")]
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert build.run_side_by_side(Path(sys.executable), groups) == [(1, 0, 0), (1, 0, 0)]
    titles = [line for line in capfd.readouterr().out.splitlines() if line.startswith("== ")]
    assert titles == [f"== {group[0]}" for group in groups]


@pytest.mark.parametrize("is_data_there", [True, False])
@pytest.mark.parametrize(
    "source",
    [
        "def test_a(shared_data): import pytest; pytest.skip('no such data')",
        "import pytest\npytest.skip('no takes in ../shared', allow_module_level=True)",
    ],
    ids=["test", "file"],
)
def test_no_test_is_skipped_for_data_that_is_there(build, tmp_path, source, is_data_there):
    (tmp_path / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text(encoding="utf-8"))
    (tmp_path / "test_made_up.py").write_text(source)
    shared = tmp_path / "shared"
    (shared / "data" if is_data_there else shared).mkdir(parents=True)
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "--rootdir", str(tmp_path), "--import-mode=importlib", str(tmp_path)],
        env={**os.environ, "PADS_SHARED": str(shared)},
        capture_output=True,
        text=True,
    )
    assert ("yet: Skipped:" in result.stdout) == is_data_there, result.stdout
    assert (result.returncode not in (0, build.PYTEST_FOUND_NOTHING)) == is_data_there
