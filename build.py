#!/usr/bin/env python3
"""Everything that is run in this repository, with nothing but a plain Python.

python3 build.py demo [TAKE.bvh]          clean a take (its own one without TAKE) and show before and after in demo/
python3 build.py test [pytest arguments]  style check and test suite; with arguments, just pytest with them
python3 build.py package [PLATFORM ...]   write the installable zips to dist/: all, or only those named
python3 build.py pythons                  list the Pythons found here that have a Blender to go with

Each Blender LTS goes with one Python: 4.5 with 3.11, 5.2 with 3.13. The Python that runs this file is used if it is one
of these, else one is looked for; --python 3.11 or --python 3.13 before the command chooses. Environments are made in
.venv (3.11) and .venv-3.13; the versions in them are pinned in pyproject.toml.
"""

# Kept readable by Python 3.8, which must get as far as starting a supported one.
from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

from build_package import BuildError, blender_ext_script, package_names, running_package, wheels_of, write_package

ROOT = Path(__file__).resolve().parent
VENVS = {"3.11": ".venv", "3.13": ".venv-3.13"}  # the first one found is preferred
RUNNING = f"{sys.version_info[0]}.{sys.version_info[1]}"

# Test files that load Blender get a process each: bpy keeps state, and a crash must not take other results along.
BPY_TESTS = ("tests/blender/**/test_*.py", "tests/test_build.py", "tests/test_install.py")
WINDOW_TESTS = "tests/window"  # a program with its own threads, whose pauses are measured: never beside others
GROUP_LIMIT_SECONDS = 1800
PYTEST_FOUND_NOTHING = 5


# --- which Python -----------------------------------------------------------------------------------------------------

# Debian's bare python3 has no ensurepip, so no venv; free-threaded Pythons have no bpy.
PROBE = """
import ensurepip, sys, sysconfig
assert not sysconfig.get_config_var("Py_GIL_DISABLED")
print("%d.%d" % sys.version_info[:2], sys.executable)
"""


def candidate_commands(version: str):
    """Commands that may start Python `version` here, best first; most will not exist."""
    yield [str(venv_python(version))]
    for folder in os.get_exec_path():
        yield [str(Path(folder) / f"python{version}")]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for pattern in (f"versions/{version}.*/bin/python{version}", f"versions/{version}.*/python.exe"):
        yield from ([str(path)] for path in sorted(pyenv.glob(pattern), reverse=True))
    yield ["py", f"-{version}"]  # the Windows launcher


def probe(command: list[str], version: str) -> str | None:
    """Path of the interpreter behind the command if it is Python `version` and can make environments."""
    try:
        answer = subprocess.check_output([*command, "-c", PROBE], stderr=subprocess.DEVNULL, text=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    found, executable = answer.strip().split(" ", 1)
    return executable if found == version else None


def find_python(version: str) -> str | None:
    """Path of an interpreter of this version, or None."""
    if version == RUNNING and importlib.util.find_spec("ensurepip"):
        return sys.executable
    return next(filter(None, (probe(command, version) for command in candidate_commands(version))), None)


def versions_by_preference() -> list[str]:
    """The supported versions, the one that runs this first."""
    return sorted(VENVS, key=lambda version: version != RUNNING)


def choose_python(wanted: str | None) -> tuple[str, str]:
    """(version, path) of the Python to work with."""
    versions = [wanted] if wanted else versions_by_preference()
    for version in versions:
        path = find_python(version)
        if path:
            return version, path
    raise BuildError(
        f"This is Python {RUNNING}, and no Python {' or '.join(versions)} that can make environments was found: "
        f"install Python {versions[0]} (on Debian and Ubuntu with its python{versions[0]}-venv package), "
        "then run this again."
    )


# --- the environment --------------------------------------------------------------------------------------------------


def venv_python(version: str) -> Path:
    """Path of the interpreter in the environment of this Python, there or not."""
    return ROOT / VENVS[version] / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def requirement_lists() -> dict[str, list[str]]:
    """Pinned requirements by group; "run" is what the command line of the package needs."""
    import tomllib  # Python 3.11

    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {"run": settings["project"]["dependencies"], **settings["dependency-groups"]}


def make_environment(*groups: str, optional: str | None = None) -> Path:
    """Interpreter of an environment that holds these groups; a group that is already in costs nothing."""
    venv, lists, requirements = ROOT / VENVS[RUNNING], requirement_lists(), []
    for group in ("run", *groups, *filter(None, [optional])):
        requirements += lists[group]
        stamp, content = venv / f"pads-{group}.txt", "\n".join(requirements)
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == content:
            continue
        create_venv(venv)
        if install(requirements, group):
            stamp.write_text(content, encoding="utf-8")
        elif group != optional:
            raise BuildError("pip could not install the requirements: see its message above, then run this again.")
        else:
            say(f"Going on without the {group} requirements: what needs them is skipped.")
    return venv_python(RUNNING)


def create_venv(venv: Path) -> None:
    """Make the environment unless it is there; one whose making was interrupted is completed."""
    python = venv_python(RUNNING)
    if venv.exists():
        if not probe([str(python)], RUNNING):
            raise BuildError(f"{venv.name} holds no working Python {RUNNING}: remove it and run this again.")
        if subprocess.run([str(python), "-m", "pip", "--version"], capture_output=True).returncode == 0:
            return
    say(f"Making {venv.name}: Blender as a Python module and what goes with it, some 400 MB, this once.")
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)


def install(requirements: list[str], group: str) -> bool:
    """Whether pip could install the requirements."""
    say(f"Installing the {group} requirements into {VENVS[RUNNING]}.")
    pip = [str(venv_python(RUNNING)), "-m", "pip", "--disable-pip-version-check", "install"]
    quiet = [] if sys.stdout.isatty() else ["--quiet"]
    return call([*pip, *quiet, *requirements]) == 0


def say(text: str) -> None:
    """One line on standard error, in order with what the started programs print."""
    print(text, file=sys.stderr, flush=True)


def call(command: list) -> int:
    """Run a command in the repository root with its output shown; its exit code."""
    sys.stdout.flush()
    return subprocess.call([str(part) for part in command], cwd=ROOT)


# --- the commands -----------------------------------------------------------------------------------------------------


def demo(arguments: list[str]) -> int:
    """Clean a take and show it."""
    if len(arguments) > 1:
        raise BuildError("demo takes one BVH file at most.")
    takes = [Path(argument).resolve() for argument in arguments]  # resolved here: the demo runs in the root folder
    return call([make_environment("demo"), "-m", "pads_blender.training.demo", *takes])


def test(arguments: list[str]) -> int:
    """The style check and the suite, or pytest with the caller's arguments."""
    python = make_environment("demo", "test", optional="training")
    if arguments:
        return call([python, "-m", "pytest", *arguments])
    is_styled = check_style(python)
    began = time.monotonic()
    counts = [*run_side_by_side(python, test_groups()), *run_side_by_side(python, [[WINDOW_TESTS]])]
    passed, failed, skipped = (sum(count[i] for count in counts) for i in range(3))
    if not is_styled:
        say("Style: ruff found something to mend; its list is at the top.")
    found = ((failed, "failed"), (passed, "passed"), (skipped, "skipped"))
    total = ", ".join(f"{count} {what}" for count, what in found if count)
    print(f"===== {total} in {time.monotonic() - began:.2f}s =====", flush=True)  # in pytest's own words
    return 0 if is_styled and failed == 0 else 1


def check_style(python: Path) -> bool:
    """Whether ruff has nothing to say about rules and layout."""
    codes = [call([python, "-m", "ruff", *arguments]) for arguments in (("check", "."), ("format", "--check", "."))]
    return not any(codes)


def test_groups() -> list[list[str]]:
    """pytest arguments of each process: a folder without Blender together, each file with Blender by itself."""
    alone = sorted(path.relative_to(ROOT).as_posix() for pattern in BPY_TESTS for path in ROOT.glob(pattern))
    folders = {path.relative_to(ROOT).parts[1] for path in ROOT.glob("tests/*/**/test_*.py")}
    folders = [f"tests/{name}" for name in sorted(folders, reverse=True)]  # training takes longest: it starts first
    pure = [folder for folder in folders if folder not in ("tests/blender", WINDOW_TESTS)]
    loose = [path.relative_to(ROOT).as_posix() for path in ROOT.glob("tests/test_*.py")]
    return [*([group] for group in (*pure, *alone)), [path for path in sorted(loose) if path not in alone]]


def run_side_by_side(python: Path, groups: list[list[str]]) -> list[tuple[int, int, int]]:
    """(passed, failed, skipped) of each group; as many run at a time as there are cores, their output is in order."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = [pool.submit(run_tests, python, group) for group in groups]
        try:
            return [show(*run.result()) for run in runs]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def show(output: str, counts: tuple[int, int, int]) -> tuple[int, int, int]:
    """Print what a group had to say; its counts."""
    print(output, end="", flush=True)
    return counts


def run_tests(python: Path, arguments: list[str]) -> tuple[str, tuple[int, int, int]]:
    """Output and (passed, failed, skipped) of one pytest process; one that breaks down counts as one failure."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [python, "-m", "pytest", *arguments, f"--junitxml={report}"]
        code, output = listen(command, GROUP_LIMIT_SECONDS)
        passed, failed, skipped = read_counts(report)
    output = f"== {' '.join(arguments)}\n{output}"
    if code not in (0, PYTEST_FOUND_NOTHING) and failed == 0:
        output += f"{arguments[0]}: pytest ended with code {code}.\n"
        failed = 1
    return output, (passed, failed, skipped)


def listen(command: list, timeout: float) -> tuple[int, str]:
    """Exit code and output of a command in the repository root, on one core; 124 when it ran out of time."""
    with tempfile.TemporaryFile() as output:
        try:
            environment = {**os.environ, "OMP_NUM_THREADS": "1"}
            code = subprocess.call(
                command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT, timeout=timeout
            )
        except subprocess.TimeoutExpired:
            code = 124
        output.seek(0)
        return code, output.read().decode("utf-8", errors="replace")


def read_counts(report: Path) -> tuple[int, int, int]:
    """(passed, failed, skipped) in a JUnit file; zeros when the process did not get as far as writing it."""
    if not report.is_file():
        return 0, 0, 0
    suites = list(ElementTree.parse(report).iter("testsuite"))
    tests, failures, errors, skipped = (
        sum(int(suite.get(name, "0")) for suite in suites) for name in ("tests", "failures", "errors", "skipped")
    )
    return tests - failures - errors - skipped, failures + errors, skipped


def package(arguments: list[str]) -> int:
    """Write the extension zips to dist/; one whose wheels cannot be had is left out."""
    names = arguments or package_names()
    unknown = [name for name in names if name not in (*package_names(), "here")]
    if unknown:
        raise BuildError(f"There is no package {unknown[0]}: choose of {', '.join(package_names())}, here.")
    make_environment()
    builder, count = blender_ext_script(ROOT / VENVS[RUNNING]), 0
    for name in (running_package() if name == "here" else name for name in names):
        try:
            wheels = wheels_of(name)
        except BuildError as error:
            say(f"No package {name}: {error}.")
            continue
        path = write_package(ROOT / "dist", builder, name, wheels)
        say(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1e6:.1f} MB, validated")
        count += 1
    return 0 if count else 1


def pythons(arguments: list[str]) -> int:
    """List the supported Pythons found here, one a line (version, tab, path), the one of the other commands first."""
    if arguments:
        raise BuildError("pythons takes no arguments.")
    found = {version: find_python(version) for version in versions_by_preference()}
    for version, path in found.items():
        print(f"{version}\t{path}") if path else say(f"No Python {version} here: its Blender is not covered.")
    return 0 if any(found.values()) else 1


COMMANDS = {"demo": demo, "test": test, "package": package, "pythons": pythons}


def main(arguments: list[str]) -> int:
    """Run one command under a supported Python, starting that Python first if need be."""
    wanted = None
    if arguments[:1] == ["--python"]:
        wanted, arguments = "".join(arguments[1:2]), arguments[2:]
    if arguments[:1] == [] or arguments[0] not in COMMANDS or wanted not in (None, *VENVS):
        print(__doc__)
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    version, path = choose_python(wanted)
    if path != sys.executable:
        return subprocess.call([path, str(Path(__file__).resolve()), "--python", version, *arguments])
    return COMMANDS[arguments[0]](arguments[1:])


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except BuildError as error:
        sys.exit(f"build.py: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
