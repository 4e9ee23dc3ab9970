"""The zips as a user gets them: what is in them, and a life with the extension in a fresh profile of the real Blender.

Each Blender runs in a process of its own and without a network, so this file never loads bpy itself.
"""

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import build_package

from .films import write_film
from .shaky_takes import shake, shaky_take

ROOT = Path(__file__).resolve().parent.parent
SESSION = Path(__file__).parent / "install_session.py"
OLD_VERSION, FILMED = "0.0.1", 12
# Without a network where the system lets one have a namespace of one's own.
OFFLINE = ["unshare", "--user", "--map-root-user", "--net"]


def has_namespaces() -> bool:
    try:
        return subprocess.run([*OFFLINE, "true"], capture_output=True).returncode == 0
    except OSError:
        return False


@pytest.fixture(scope="session")
def platform_package(blender_ext, tmp_path_factory) -> Path:
    """The zip with the wheels for this system."""
    name = build_package.running_package()
    try:
        wheels = build_package.wheels_of(name)
    except build_package.BuildError as error:
        pytest.skip(str(error))
    if not wheels:
        pytest.skip("there are no wheels for this system")
    return build_package.write_package(tmp_path_factory.mktemp("platform"), blender_ext, name, wheels)


def contents(package: Path) -> tuple[dict, set[str]]:
    """Manifest and file names of a zip."""
    with zipfile.ZipFile(package) as zipped:
        return tomllib.loads(zipped.read("blender_manifest.toml").decode()), set(zipped.namelist())


def test_package_holds_what_blender_needs_and_nothing_of_training(package):
    manifest = tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))
    assert package.name == f"pads_mocap-{manifest['version']}-lite.zip"
    names = set(zipfile.ZipFile(package).namelist())
    assert {"__init__.py", "blender_manifest.toml", "README.md", "LICENSE", "core/rig.py"} <= names
    assert {f"bundled_models/{path.name}" for path in (ROOT / "bundled_models").iterdir()} <= names
    assert not [name for name in names if "training" in name or "__pycache__" in name or name.startswith("tests/")]


def test_package_is_the_same_bytes_each_time(blender_ext, package, tmp_path):
    assert build_package.write_package(tmp_path, blender_ext).read_bytes() == package.read_bytes()


def test_blenders_validator_is_really_asked(blender_ext, package, tmp_path):
    broken = tmp_path / "broken.zip"
    with zipfile.ZipFile(package) as source, zipfile.ZipFile(broken, "w") as copy:
        for name in source.namelist():
            copy.writestr(name, source.read(name).replace(b'type = "add-on"', b'type = "gadget"'))
    with pytest.raises(build_package.BuildError, match="gadget"):
        build_package.run_builder(blender_ext, "validate", str(broken))


def test_a_package_with_wheels_has_one_for_each_python_and_their_licences(platform_package):
    manifest, names = contents(platform_package)
    assert manifest["platforms"] == [build_package.running_package()]
    assert {Path(wheel).name.split("-")[2] for wheel in manifest["wheels"]} == {"cp311", "cp313"}
    assert {wheel.removeprefix("./") for wheel in manifest["wheels"]} <= names
    assert {"LICENSE", "licenses/onnxruntime-LICENSE.txt", "bundled_models/MODEL_CARD.md"} <= names
    assert any("Microsoft" in line for line in manifest["copyright"])
    assert list(manifest["permissions"]) == ["files", "clipboard"]  # the latter for Copy Report alone


def test_the_same_wheels_give_the_same_bytes(blender_ext, platform_package, tmp_path):
    name = build_package.running_package()
    again = build_package.write_package(tmp_path, blender_ext, name, build_package.wheels_of(name))
    assert again.name == platform_package.name and again.read_bytes() == platform_package.read_bytes()


def test_every_platform_has_a_wheel_for_both_pythons():
    released = [wheel for wheel in build_package.pinned_wheels() if not wheel.test]
    for name in ("linux-x64", "macos-arm64", "windows-x64"):
        assert sorted(wheel.python for wheel in released if wheel.platform == name) == ["3.11", "3.13"]
    assert all(len(wheel.sha256) == 64 and f"cp{wheel.python.replace('.', '')}" in wheel.file for wheel in released)


def test_a_wheel_with_other_bytes_is_refused(monkeypatch, tmp_path):
    wheel = build_package.pinned_wheels()[0]
    monkeypatch.setattr(build_package, "WHEELS", tmp_path)
    (tmp_path / wheel.file).write_bytes(b"something else")
    with pytest.raises(build_package.BuildError, match=r"not the wheel that wheels\.toml pins"):
        build_package.fetch(wheel)


def test_a_wheel_that_cannot_be_had_costs_one_sentence_and_its_zip_alone(build, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(build_package, "WHEELS", tmp_path)
    monkeypatch.setattr(build_package, "pip_command", lambda *_: [sys.executable, "-c", "raise SystemExit(1)"])
    monkeypatch.setattr(build, "make_environment", lambda: None)
    monkeypatch.setattr(build, "blender_ext_script", lambda venv: venv)
    monkeypatch.setattr(build, "write_package", lambda folder, builder, name, wheels: Path(__file__))
    monkeypatch.setattr(build, "ROOT", Path(__file__).parent)
    assert build.package(["lite", "linux-x64"]) == 0
    assert build.package(["linux-x64"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert sum("could not be had with pip" in line for line in lines) == 2 and len(lines) == 3
    with pytest.raises(build.BuildError, match="no package amiga"):
        build.package(["amiga"])


def older(package: Path, folder: Path) -> Path:
    """The same extension under an earlier version."""
    path = folder / "older.zip"
    with zipfile.ZipFile(package) as source, zipfile.ZipFile(path, "w") as copy:
        for name in source.namelist():
            data = source.read(name)
            if name == "blender_manifest.toml":
                data = data.replace(contents(package)[0]["version"].encode(), OLD_VERSION.encode(), 1)
            copy.writestr(name, data)
    return path


def live(command: list[str], old: Path, new: Path, folder: Path, *wishes: str) -> dict:
    """What happened in install_session.py."""
    (folder / "take.bvh").write_text(shaky_take())
    write_film(folder, FILMED)
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(folder / "profile"), "PYTHONPATH": ""}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # as Blender is: it compiles a module once
    environment |= {"REAL_BLENDER_HOME": str(folder / "home")}
    words = [*command, str(SESSION), "--", str(old), str(new), *wishes]
    result = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    lines = [line for line in result.stdout.splitlines() if line.startswith("RESULT ")]
    if result.returncode or not lines:
        pytest.fail(f"Blender ended with code {result.returncode}:\n{result.stdout}{result.stderr}", pytrace=False)
    return {**json.loads(lines[0].removeprefix("RESULT ")), "stderr": result.stderr, "folder": folder}


@pytest.fixture(scope="session")
def installation(package, platform_package, tmp_path_factory) -> dict:
    """An older version, then the zip with wheels over it, in the bpy module."""
    folder = tmp_path_factory.mktemp("life")
    offline = OFFLINE if has_namespaces() else []
    return live([*offline, sys.executable], older(package, folder), platform_package, folder)


def test_the_extension_installs_over_an_older_version(installation):
    assert installation["old_enabled"] and installation["old_version"] == OLD_VERSION
    assert installation["installed"] and installation["version"] != OLD_VERSION
    assert installation["adds"]


def test_it_switches_off_without_leaving_anything_and_on_again(installation):
    assert installation["disabled"] and installation["left"] == []
    assert installation["enabled_again"] and installation["adds_again"] == installation["adds"]


def test_enabling_it_loads_no_native_library(installation):
    assert installation["native_at_start"] == []


def test_enabling_it_is_quick(installation):
    """In processor time, so that what else runs here counts little, beside that of parts of Python's own library."""
    own, library = installation["milliseconds"], installation["library_milliseconds"]
    print(f"{own:.1f} ms, {own / library:.2f} of {library:.1f} ms")
    assert own < 2.2 * library  # 1.5 where it was measured


def test_the_installed_command_cleans_a_take_with_the_zips_own_runtime(installation):
    """With the code, the priors and the wheel of the zip alone."""
    assert installation["exit_code"] == 0, installation["stderr"]
    assert installation["still_on"]
    assert ".local" in Path(installation["runtime"]).parts, installation["stderr"]
    assert_clean(installation["folder"])


def test_the_runtime_works_without_what_its_wheel_asks_for(installation):
    """The session hides protobuf and the like before it cleans: the zips leave them out."""
    assert installation["loaded_before"] == []
    assert "onnxruntime" in installation["runtime"] and installation["exit_code"] == 0


def test_the_installed_command_estimates_from_keypoints(installation):
    assert_estimated(installation)


def assert_estimated(found: dict) -> None:
    assert found["estimated"] == 0, found["stderr"]
    head, _, motion = (found["folder"] / "estimated.bvh").read_text().partition("Frame Time:")
    assert f"Frames: {FILMED}" in head and len(motion.strip().splitlines()) == FILMED + 1


def assert_clean(folder: Path) -> None:
    head, _, numbers = (folder / "clean.bvh").read_text().partition("Frame Time:")
    assert head == shaky_take().partition("Frame Time:")[0]
    cleaned, shaky = (shake(text) for text in (numbers, shaky_take().partition("Frame Time:")[2]))
    assert 0 < cleaned < 0.9 * shaky  # hands, head, toes and twist shake on: joint positions do not show them


def test_nothing_is_left_when_it_is_uninstalled(installation):
    for what in ("left_again", "files_left", "wheels_left"):
        assert installation[what] == [], what
    assert not installation["known_still"]


def test_it_asks_for_no_network(installation):
    assert installation["asked_network"] == []


@pytest.mark.skipif(not has_namespaces(), reason="this system gives out no network namespaces")
def test_all_that_worked_without_a_network(installation):
    assert installation["interfaces"] == ["lo"]
    assert installation["exit_code"] == 0


def test_the_lite_package_works_without_a_runtime(package, tmp_path):
    """Where onnxruntime cannot be imported, NumPy does the work."""
    (tmp_path / "onnxruntime.py").write_text("raise ImportError('there is none')")
    hide = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); sys.argv[:] = sys.argv[1:]; import runpy; "
    command = [sys.executable, "-c", hide + "runpy.run_path(sys.argv[0], run_name='__main__')"]
    found = live(command, older(package, tmp_path), package, tmp_path)
    assert found["exit_code"] == 0 and found["runtime"] == ""
    assert_clean(tmp_path)
    assert_estimated(found)
