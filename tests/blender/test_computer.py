"""What the preferences say about the devices of this computer."""

import time

import bpy
import pytest

from pads_blender import jobs
from pads_blender.blender import computer
from pads_blender.blender.preferences import Preferences, read_preferences
from pads_blender.diffusion.device_choice import remembered
from pads_blender.diffusion.trial import Host


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    """A folder without a remembered choice, in place of the user's own."""
    monkeypatch.setattr(computer, "read_host", lambda: Host(tmp_path))
    monkeypatch.setattr("pads_blender.blender.operators_computer.read_host", lambda: Host(tmp_path))


@pytest.mark.usefixtures("registered", "own_folder")
def test_the_test_says_what_is_used_and_why():
    lines = computer.device_lines()
    assert [icon for icon, _ in lines] == ["CHECKMARK"]
    assert lines[0][1].endswith("used until tested")
    assert bpy.ops.pads.test_computer() == {"FINISHED"}
    lines = computer.device_lines()
    assert any(icon == "CHECKMARK" and "frames a second" in text for icon, text in lines)
    assert lines[-1][1].startswith("Why: ")


@pytest.mark.usefixtures("own_folder")
def test_devices_are_tried_behind_and_once(tmp_path):
    computer.survey_behind()
    assert jobs.is_busy_behind() and jobs.running() is None
    assert any("in the background" in text for _, text in computer.device_lines())
    wait_for_the_end()
    assert remembered(Host(tmp_path)) is not None
    computer.survey_behind()
    assert not jobs.is_busy_behind()


def wait_for_the_end() -> None:
    ends = time.monotonic() + 120.0
    while jobs.is_busy_behind():
        assert time.monotonic() < ends
        time.sleep(0.05)


def test_without_an_enabled_add_on_the_defaults_hold():
    assert read_preferences() == Preferences()
