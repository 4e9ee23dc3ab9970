"""What every test file shares: the data folder, the package, and an end of the process that cannot hang."""

import importlib.util
import os
import re
import sys
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("PADS_SHARED") or ROOT.parent / "shared")
MISSING_DATA = re.compile(r"\bdata\b|\bshared\b", re.IGNORECASE)

# Same examples in every run, and no time limit per example: the machines that run this are slow and shared.
hypothesis.settings.register_profile("pads", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("pads")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the motion data that is not part of the repository; without it the test is skipped."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"no shared data: {SHARED / 'data'} is not there (PADS_SHARED names another place than ../shared)")
    return SHARED / "data"


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


def refuse_skip(report, shared: Path = SHARED) -> None:
    """Turn a skip for want of data into a failure where the data is: nothing may hide behind a wrong path."""
    if not (report.skipped and isinstance(report.longrepr, tuple) and (shared / "data").is_dir()):
        return
    path, line, reason = report.longrepr
    if MISSING_DATA.search(reason):
        report.outcome, report.longrepr = "failed", f"{path}:{line}: the shared data is there, yet: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    report = yield
    refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    report = yield
    refuse_skip(report)
    return report


def pytest_sessionfinish(session, exitstatus):
    session.config.pads_exit_status = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    """Leave at once when Blender was loaded: the bpy 4.5 module can hang while the interpreter shuts down."""
    if "bpy" in sys.modules and hasattr(config, "pads_exit_status"):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.pads_exit_status)
