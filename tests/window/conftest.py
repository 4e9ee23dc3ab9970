"""The real Blender program: PADS_BLENDER is its command line. Without it all is skipped, with it nothing may be."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pads_blender.training import demo_body, demo_damage, demo_take

from .program import COMMAND, INSTALL, Program, open_program, wait_for

HERE = Path(__file__).parent


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
    if COMMAND and report.skipped and item.path.is_relative_to(HERE):
        report.outcome, report.longrepr = "failed", f"PADS_BLENDER is set, yet: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where pictures of the window go, for somebody to look at."""
    return HERE / "screenshots"


@pytest.fixture(scope="session")
def dirty_bvh(tmp_path_factory) -> Path:
    """The demo's take, ten seconds, with all its damage."""
    path = tmp_path_factory.mktemp("takes") / "walk.bvh"
    dirty, _ = demo_damage.corrupt(demo_take.perform(), np.random.default_rng(demo_damage.SEED))
    path.write_text(demo_body.bvh_text(dirty))
    return path


@pytest.fixture(scope="module")
def program(blender_command, package, tmp_path_factory) -> Iterator[Program]:
    """Blender as a new user has it, with the extension installed from its zip."""
    folder = tmp_path_factory.mktemp("program")
    with open_program(blender_command, folder / "talk", folder / "profile") as program:
        program.run(INSTALL.format(package=str(package)))
        yield program
        assert "Traceback" not in program.log(), program.log()[-3000:]


IMPORT = """
for each in list(bpy.data.objects):
    bpy.data.objects.remove(each)
bpy.ops.import_anim.bvh(filepath={path!r}, update_scene_duration=True)
frame_rig()
answer = bpy.context.object.name
"""


def import_take(program: Program, path: Path) -> str:
    """The name of a BVH's armature, alone in a new file."""
    program.run("bpy.ops.wm.read_homefile(app_template='')")
    wait_for(lambda: program.ask("len(bpy.context.window_manager.windows)"))
    return program.run(IMPORT.format(path=str(path)))


@pytest.fixture
def rig(program, dirty_bvh) -> str:
    """The name of the dirty take's armature."""
    return import_take(program, dirty_bvh)


@pytest.fixture
def long_rig(program, dirty_bvh) -> str:
    """The same take eight times over: long enough to be cancelled on any machine."""
    head, _, motion = dirty_bvh.read_text().partition("MOTION\n")
    _, frame_time, *rows = motion.splitlines()
    path = dirty_bvh.with_name("long_walk.bvh")
    path.write_text("\n".join([f"{head}MOTION", f"Frames: {8 * len(rows)}", frame_time, *8 * rows, ""]))
    return import_take(program, path)
