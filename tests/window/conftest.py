"""The real Blender program: PADS_BLENDER is its command line. Without it all is skipped, with it nothing may be."""

import os
import shlex
from pathlib import Path

import pytest

COMMAND = shlex.split(os.environ.get("PADS_BLENDER", ""))


@pytest.fixture(scope="session")
def blender_command() -> list[str]:
    """Words that start Blender, to which its arguments are added."""
    if not COMMAND:
        pytest.skip("PADS_BLENDER does not say how a Blender with a window is started")
    return COMMAND


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """A skip where there is a Blender is a failure: nothing may hide behind a broken window."""
    report = yield
    if COMMAND and report.skipped and item.path.is_relative_to(Path(__file__).parent):
        report.outcome, report.longrepr = "failed", f"PADS_BLENDER is set, yet: {report.longrepr}"
    return report
