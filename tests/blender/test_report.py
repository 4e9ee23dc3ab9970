"""Copy Report: everything that helps, nothing that says who and where."""

import logging
from pathlib import Path

import bpy
import pytest

from pads_blender.blender import addon, computer, journal, operators_report
from pads_blender.blender.bug_report import Private, RigFacts, compose, without_private
from pads_blender.diffusion.trial import Host
from pads_blender.errors import TakeError

PRIVATE = Private(("ann", "ann-laptop", "Hero"), "/home/ann/.config/blender/5.2/extensions/user_default/pads_mocap")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("/home/ann/takes/walk 1.bvh: line 3: no number", "<path>: line 3: no number"),
        ("C:\\Users\\Ann B\\walk.bvh: cannot be read", "<path>: cannot be read"),
        ("C:/Users/Ann/walk.fbx", "<path>"),
        ("\\\\server\\share\\walk.bvh", "<path>"),
        ("//takes/walk.blend: is old", "<path>: is old"),
        ("~/walk.bvh", "<path>"),
        ("walk_of_ann.bvh (3 of 5): 20 %", "<file> (3 of 5): 20 %"),
        ('the bone "Ann:Hips" is gone', "the bone <name> is gone"),
        ("Hero: no keys", "<name>: no keys"),
        ("Ann on ann-laptop", "<name> on <name>"),
        ("write to ann@studio.example or https://studio.example/a", "write to <address> or <address>"),
        (
            "fails: DLL load failed while importing /opt/x.so: denied",
            "fails: DLL load failed while importing <path>: denied",
        ),
        ("1/2 of 30 frames a second, 1.5 times", "1/2 of 30 frames a second, 1.5 times"),
        ("CPU (ONNX Runtime): 8,300 frames a second", "CPU (ONNX Runtime): 8,300 frames a second"),
        (
            f'File "{PRIVATE.package}/tasks/clean.py", line 7, in clean_motion',
            "File pads:tasks.clean, line 7, in clean_motion",
        ),
        ('File "/usr/lib/python3/x.py", line 7', "File <name>, line 7"),
    ],
)
def test_what_is_private_is_left_out_and_the_rest_stays(text, left):
    assert without_private(text, PRIVATE) == left


def test_the_report_holds_versions_devices_rig_and_log():
    rig = RigFacts("0123456789abcdef", 65, "Mixamo", ("left_toe",), 600, 29.97)
    text = compose({"PADS": "1.2.3"}, ["CPU: works"], rig, ["12:00:00 went wrong in /home/ann/x"], PRIVATE)
    assert text.splitlines() == [
        "PADS report",
        "PADS: 1.2.3",
        "Devices:",
        "- CPU: works",
        "Rig: fingerprint 0123456789abcdef, 65 bones, 600 frames at 29.97 a second, convention Mixamo, "
        "joints without a bone: left_toe",
        "Log:",
        "  12:00:00 went wrong in <path>",
    ]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.setattr(computer, "read_host", lambda: Host(tmp_path))


@pytest.mark.usefixtures("registered", "here")
def test_the_button_reports_on_this_session(armature, monkeypatch):
    monkeypatch.setenv("LOGNAME", "zaphod")
    monkeypatch.setenv("HOME", "/home/zaphod")
    bpy.ops.pads.copy_report()  # from the first button on, what is logged is kept
    log = logging.getLogger("pads_blender.tasks")
    log.info("%s", TakeError(f"Zaphod's take {armature.name} broke in {Path.home() / 'takes'}"))
    text = operators_report.read_report(bpy.context)
    assert f"Blender: {bpy.app.version_string}" in text and "fingerprint" in text and "- CPU (" in text
    assert "<name>'s take <name> broke in <path>" in text
    for private in ("zaphod", armature.name, "/home"):
        assert private not in text.lower()
    assert bpy.ops.pads.copy_report() == {"FINISHED"}
    assert journal.lines()[-1].endswith("Copy Report: done")


@pytest.mark.usefixtures("registered", "here")
def test_a_bug_in_a_button_is_in_the_report_with_its_place_in_the_code(armature, monkeypatch):
    monkeypatch.setattr(operators_report, "device_lines", None)
    with pytest.raises(RuntimeError, match="not callable"):
        bpy.ops.pads.copy_report()
    monkeypatch.undo()
    text = operators_report.read_report(bpy.context)
    assert "Copy Report broke down" in text and "pads:blender.operators_report, line" in text
    assert "TypeError" in text and str(Path(operators_report.__file__).parent) not in text


@pytest.mark.usefixtures("here")
def test_the_journal_ends_with_the_extension(capfd):
    addon.register()
    assert journal.lines() == []
    bpy.ops.pads.copy_report()
    for number in range(100):
        logging.getLogger("pads_blender.diffusion.backends").warning("line %d", number)
    kept = journal.lines()
    addon.unregister()
    assert kept[-1].endswith("line 99") and len(kept) == 40
    assert capfd.readouterr().err.count("line 99") == 1
    assert journal.lines() == [] and not logging.getLogger("pads_blender").handlers
