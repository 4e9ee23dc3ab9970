"""build.py: finds a Python, makes environments once, counts what the tests said. Never loads bpy itself."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


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
